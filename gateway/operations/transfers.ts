/** Transfer orders between locations, and the waiting list of customers. */
import { z } from 'zod'
import type { Transfer } from '../../actors/inventory/transfers.js'
import type { WaitlistEntry } from '../../actors/inventory/waitlist.js'
import type { Outcome } from '../../engine/protocol.js'
import { unknownLocation, unknownSku } from '../problems.js'
import { idBytes } from '../reserve-record.js'
import * as schemas from '../schemas.js'
import { isoTime } from './inventory.js'
import { failed, newId, type OperationContext, operation } from './operation.js'

const id = z.object({ id: schemas.entityId })
const DAY_SECONDS = 86_400

const transferView = ({ directory }: OperationContext, transfer: Transfer): object => {
  const { sku, from, to, expectedAtMs, allocation: _allocation, receipts: _receipts, ...rest } = transfer
  return {
    ...rest,
    sku: directory.name('skus', sku),
    from: directory.name('locations', from),
    to: directory.name('locations', to),
    expectedAt: isoTime(expectedAtMs),
  }
}

export const entryView = ({ directory, people, subject }: OperationContext, entry: WaitlistEntry): object => {
  const { sku, reservation: _bytes, channel: _channel, customer, ...rest } = entry
  if (subject) subject.person = customer.person
  return {
    ...rest,
    customer: people.openCustomer(customer),
    sku: directory.name('skus', sku),
    ...(entry.status === 'served' ? { reservation: entry.id } : {}),
  }
}

/** Does something to what only its own partition knows; asks them all which one that is. */
async function inItsPartition(
  what: 'transfer' | 'waitlist',
  name: string,
  command: string | undefined,
  body: object,
  { dispatch }: OperationContext,
): Promise<Outcome> {
  const found = await dispatch.queryAll(`${what}.get`, { id: name })
  const partition = found.findIndex((outcome) => !failed(outcome))
  if (partition < 0) return found[0]!
  return command === undefined ? found[partition]! : dispatch.command(partition, command, { id: name, ...body })
}

const transferStep = (action: 'ship' | 'cancel', summary: string) =>
  operation({
    name: `transfer.${action}`,
    summary,
    http: { method: 'POST', path: `/v1/transfers/{id}/${action}`, status: 200 },
    parameters: id,
    async run({ id: name }, context) {
      const outcome = await inItsPartition('transfer', name, `transfer.${action}`, {}, context)
      return failed(outcome) ? outcome : { status: 200, body: transferView(context, outcome.body as Transfer) }
    },
  })

export const transferOperations = [
  operation({
    name: 'transfer.create',
    summary: 'A transfer order: units of a SKU from one location to another',
    http: { method: 'POST', path: '/v1/transfers', status: 201 },
    body: z.object({
      id: schemas.entityId.optional(),
      sku: schemas.skuName,
      from: schemas.locationName,
      to: schemas.locationName,
      quantity: schemas.quantity,
      reason: z.string().min(1).max(200).default('rebalance'),
      expectedAt: z.iso.datetime({ offset: true }).optional(),
    }),
    async run({ id: name, sku: skuName, from, to, quantity, reason, expectedAt }, context) {
      const { directory, dispatch, now } = context
      const sku = directory.find('skus', skuName)
      if (sku < 0) return unknownSku(skuName)
      const places = [from, to].map((place) => directory.find('locations', place))
      const unknown = places.indexOf(-1)
      if (unknown >= 0) return unknownLocation([from, to][unknown]!)
      const wish = {
        id: name ?? newId(context),
        sku,
        from: places[0]!,
        to: places[1]!,
        quantity,
        reason,
        expectedAtMs: expectedAt === undefined ? now() + 2 * DAY_SECONDS * 1_000 : Date.parse(expectedAt),
      }
      const outcome = await dispatch.command(directory.partitionOfSku(sku), 'transfer.create', wish)
      return failed(outcome) ? outcome : { status: 201, body: transferView(context, outcome.body as Transfer) }
    },
  }),
  operation({
    name: 'transfer.get',
    summary: 'A transfer order',
    http: { method: 'GET', path: '/v1/transfers/{id}', status: 200 },
    parameters: id,
    async run({ id: name }, context) {
      const outcome = await inItsPartition('transfer', name, undefined, {}, context)
      return failed(outcome) ? outcome : { status: 200, body: transferView(context, outcome.body as Transfer) }
    },
  }),
  transferStep('ship', 'It has left: it is incoming supply where it goes'),
  transferStep('cancel', 'It is not sent after all'),
  operation({
    name: 'transfer.receive',
    summary: 'Units of it have come',
    http: { method: 'POST', path: '/v1/transfers/{id}/receive', status: 200 },
    parameters: id,
    body: schemas.receipt.omit({ id: true }),
    async run({ id: name, quantity }, context) {
      const body = { quantity, receipt: context.idempotencyKey ?? '' }
      const outcome = await inItsPartition('transfer', name, 'transfer.receive', body, context)
      return failed(outcome) ? outcome : { status: 200, body: transferView(context, outcome.body as Transfer) }
    },
  }),
  operation({
    name: 'waitlist.join',
    summary: 'Waits for a SKU that is sold out: served in order, by a reservation that is held for a while',
    http: { method: 'POST', path: '/v1/waitlist', status: 201 },
    body: z.object({
      id: schemas.uuid.optional(),
      sku: schemas.skuName,
      quantity: schemas.quantity.default(1),
      customer: z.object({
        name: z.string().min(1).max(200),
        email: z.email().max(200).optional(),
        phone: z.string().min(1).max(40).optional(),
      }),
      channel: schemas.channelName.optional(),
      ttlSeconds: z.int().min(60).max(604_800).default(DAY_SECONDS),
    }),
    async run({ id: name, sku: skuName, channel, customer, ...rest }, context) {
      const { directory, dispatch, people } = context
      const sku = directory.find('skus', skuName)
      if (sku < 0) return unknownSku(skuName)
      const entryId = (name ?? newId(context)).toLowerCase()
      const entry = {
        id: entryId,
        reservation: new Uint8Array(idBytes(entryId)),
        sku,
        customer: await people.sealCustomer(customer, people.personOf(customer, entryId)),
        channel: channel === undefined ? 0 : Math.max(0, directory.find('channels', channel)),
        ...rest,
      }
      const outcome = await dispatch.command(directory.partitionOfSku(sku), 'waitlist.join', entry)
      return failed(outcome) ? outcome : { status: 201, body: entryView(context, outcome.body as WaitlistEntry) }
    },
  }),
  operation({
    name: 'waitlist.get',
    summary: 'An entry of the waiting list',
    http: { method: 'GET', path: '/v1/waitlist/{id}', status: 200 },
    parameters: z.object({ id: schemas.uuid }),
    async run({ id: name }, context) {
      const outcome = await inItsPartition('waitlist', name.toLowerCase(), undefined, {}, context)
      return failed(outcome) ? outcome : { status: 200, body: entryView(context, outcome.body as WaitlistEntry) }
    },
  }),
  operation({
    name: 'waitlist.leave',
    summary: 'Waits no longer',
    http: { method: 'POST', path: '/v1/waitlist/{id}/leave', status: 200 },
    parameters: z.object({ id: schemas.uuid }),
    async run({ id: name }, context) {
      const outcome = await inItsPartition('waitlist', name.toLowerCase(), 'waitlist.leave', {}, context)
      return failed(outcome) ? outcome : { status: 200, body: entryView(context, outcome.body as WaitlistEntry) }
    },
  }),
]
