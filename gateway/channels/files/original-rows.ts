/**
 * What stood in a file of each order that it made: kept beside the order as every channel's deliveries are, sealed with the
 * customer's key.
 */
import { createHash } from 'node:crypto'
import type { OperationContext } from '../../operations/operation.js'
import { type DeliveredPayload, INTAKE, type KeptDelivery, refsOf } from '../kept-delivery.js'

export interface PlacedOrder {
  externalId: string
  /** Its id here. */
  order: string
  isNew: boolean
  customer: { id?: string | undefined; email?: string | undefined }
  /** Its rows as they stand in the file, behind the header, or its line of JSON. */
  original: string
}

/** A record of the log has at most 1 MiB. */
const CHARACTERS_MAX = 256 * 1_024

/** The same rows once, in whatever file they come again. */
export async function keepOriginals(
  connection: string,
  orders: readonly PlacedOrder[],
  { records, people, now }: OperationContext,
): Promise<void> {
  await Promise.all(
    orders.map(async ({ externalId, order, isNew, customer, original }) => {
      const content = createHash('sha256').update(original).digest('base64url').slice(0, 16)
      const person = people.personOf(customer, order)
      await people.vault.ensure(person)
      const payload: DeliveredPayload = { headers: {}, body: Buffer.from(original.slice(0, CHARACTERS_MAX)) }
      const value: KeptDelivery = {
        connection: { type: 'files', id: connection },
        person,
        payload: people.vault.seal(person, payload),
        state: 'done',
        receivedMs: now(),
        attempts: 1,
        did: [isNew ? 'placed' : 'known already'],
        orders: [order],
      }
      await records.create({
        kind: INTAKE,
        id: `files/${connection}/${externalId}/${content}`,
        value,
        refs: refsOf(value),
      })
    }),
  )
}
