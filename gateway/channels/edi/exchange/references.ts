/**
 * Short numbers of fulfillment orders for partners: X12 has 22 characters for a purchase order's or warehouse order's
 * number, and our ids are longer. A number is made of the id, and what it stands for is kept.
 */
import { createHash } from 'node:crypto'
import type { OperationContext } from '../../../operations/operation.js'

const REFERENCE = 'edi-reference'
const DIGITS = 16

/** 64 bits of a hash: of a thousand million orders two would meet once in forty. Whoever comes second is told. */
export async function referenceOf(
  connection: string,
  fulfillment: string,
  { records }: OperationContext,
): Promise<string> {
  const number = createHash('sha256').update(fulfillment).digest('hex').slice(0, DIGITS).toUpperCase()
  const id = `${connection}/${number}`
  const isNew = await records.create({ kind: REFERENCE, id, value: { fulfillment } })
  if (isNew || (await fulfillmentOf(connection, number, { records })) === fulfillment) return number
  throw new Error(`the number ${number} of fulfillment ${fulfillment} is another one's already`)
}

export async function fulfillmentOf(
  connection: string,
  number: string,
  { records }: Pick<OperationContext, 'records'>,
): Promise<string | undefined> {
  if (!/^[0-9A-F]{16}$/.test(number)) return undefined
  return (await records.get<{ fulfillment: string }>(REFERENCE, `${connection}/${number}`))?.value.fulfillment
}
