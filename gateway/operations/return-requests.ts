/** Returns asked for: with what the customer gets instead, with a label where they are authorized at once, or at a counter. */
import { createHash, randomUUID } from 'node:crypto'
import type { z } from 'zod'
import type { Exchange } from '../../actors/return/order-return.js'
import { type ReturnRequest, returnId } from '../../actors/return/return-requests.js'
import type { Outcome } from '../../engine/protocol.js'
import { refusalOf } from '../carriers/label-answers.js'
import { units } from '../money.js'
import * as shapes from '../order-schemas.js'
import { problem, unknownLocation, unknownSku } from '../problems.js'
import { withoutUndefined } from '../without-undefined.js'
import { failed, type OperationContext, operation } from './operation.js'
import { isOutcome, openedOrder } from './orders.js'
import { authorize } from './return-labels.js'
import { API, advanceReturn, findReturn, locate, readReturn } from './returns.js'

/** Until the return is in the log, and the reservation is made to last. */
const EXCHANGE_HOLD_SECONDS = 900

type Input<T extends z.ZodType> = z.output<T>

/**
 * Holds what the customer is to get instead; it lasts once the return is in the log (returns/exchange-worker.ts). Undefined
 * where the return has been made before: it has its own.
 */
async function reserveExchange(
  { order, id, exchange }: Pick<Input<typeof shapes.returnRequest>, 'order' | 'id' | 'exchange'>,
  context: OperationContext,
): Promise<Exchange | Outcome | undefined> {
  const view = await openedOrder(order, context)
  if (isOutcome(view)) return view
  const key = context.idempotencyKey
  const isKnown = view.returns?.some((one) => (id === undefined ? key !== undefined && one.key === key : one.id === id))
  if (isKnown) return undefined
  const lines: Exchange['lines'] = []
  for (const [at, { sku: name, quantity, unitPrice }] of exchange!.entries()) {
    const sku = context.directory.find('skus', name)
    if (sku < 0) return unknownSku(name)
    const price = units(unitPrice.amount)
    if (price === undefined || price < 0 || unitPrice.currency !== view.currency) {
      return problem(422, 'invalid', `exchange.${at}.unitPrice: an amount in ${view.currency}, not below zero`)
    }
    lines.push({ sku, quantity, unitPrice: price, reservation: randomUUID() })
  }
  const reservations = lines.map(({ reservation, quantity }, at) => ({
    id: reservation,
    sku: exchange![at]!.sku,
    quantity,
    ttlSeconds: EXCHANGE_HOLD_SECONDS,
  }))
  const held = await context.call('reservation.batch', { reservations, allOrNothing: true })
  if (failed(held)) return held
  return { lines, total: lines.reduce((sum, { unitPrice, quantity }) => sum + unitPrice * quantity, 0) }
}

/** What no return was made of is reserved no longer. */
async function forgo({ lines }: Exchange, { call }: OperationContext): Promise<void> {
  for (const { reservation } of lines) await call('reservation.release', { id: reservation })
}

async function request(input: Input<typeof shapes.returnRequest>, context: OperationContext): Promise<Outcome> {
  const { directory, dispatch, idempotencyKey } = context
  const { id, order, lines, location: name, resolution, exchange, by = API, label } = input
  if (id !== undefined && /-R\d{1,3}$/.test(id)) {
    return problem(422, 'invalid', 'id: ends like the ids that are given here; choose another one')
  }
  if ((resolution === 'exchange' || resolution === 'warranty') !== (exchange !== undefined)) {
    return problem(422, 'invalid', 'exchange: says what the customer gets, for an exchange or a warranty alone')
  }
  const location = name === undefined ? undefined : directory.find('locations', name)
  if (location === -1) return unknownLocation(name!)
  const wanted = []
  for (const { sku: skuName, ...line } of lines) {
    const sku = directory.find('skus', skuName)
    if (sku < 0) return unknownSku(skuName)
    wanted.push(withoutUndefined({ ...line, sku }))
  }
  if (id !== undefined) {
    const other = await locate(id, context)
    if (!('status' in other) && other.order !== order) {
      return problem(409, 'conflict', 'This return id was used for another order; use a new id.')
    }
  }
  const fingerprint = createHash('sha256').update(JSON.stringify(input)).digest('base64url')
  const reserved = exchange ? await reserveExchange(input, context) : undefined
  if (reserved && 'status' in reserved) return reserved
  const asked = withoutUndefined({
    order,
    id,
    key: idempotencyKey,
    fingerprint,
    by,
    lines: wanted,
    location,
    resolution,
    exchange: reserved,
    awaitsLabel: label ? true : undefined,
  })
  // Put together from what the schema has checked; what may be missing was left out.
  const outcome = await dispatch.command(directory.partitionOfOrder(order), 'return.request', asked as ReturnRequest)
  const { number, replayed, mayAuthorize } = outcome.body as Requested
  // Where it is not known whether it was made, time gives it back.
  if (reserved && (replayed || (failed(outcome) && outcome.status < 500))) await forgo(reserved, context)
  if (failed(outcome)) return outcome
  const made = id ?? returnId(order, number)
  const status = replayed ? 200 : 201
  if (!mayAuthorize) return readReturn(made, status, context)
  const authorized = await authorizedAtOnce(made, by, context)
  if (!failed(authorized)) return { ...authorized, status }
  const read = await readReturn(made, status, context)
  const { detail: labelFault } = authorized.body as { detail?: string }
  return failed(read) ? read : { ...read, body: { ...(read.body as object), labelFault } }
}

interface Requested {
  number: number
  replayed?: boolean
  /** It is authorized at once, with a label. */
  mayAuthorize?: boolean
}

/** Where carriers do not answer it stays as it was asked for: whoever authorizes it gets its label. */
async function authorizedAtOnce(id: string, by: string, context: OperationContext): Promise<Outcome> {
  try {
    return await authorize({ return: id, by, label: true }, context)
  } catch (error) {
    const refused = refusalOf(error)
    if (refused) return refused
    throw error
  }
}

/** Brought to a counter without having been announced: asked for, authorized and received in one. */
async function atTheCounter(
  { id, order, location, lines, resolution, by }: Input<typeof shapes.returnAtTheCounter>,
  context: OperationContext,
): Promise<Outcome> {
  const key = id ?? context.idempotencyKey
  const announced = lines.map(({ sku, quantity, reason }) => ({ sku, quantity, reason }))
  const asked = await request(
    { id, order, lines: announced, location, resolution, by: by ?? location, exchange: undefined, label: false },
    context,
  )
  if (failed(asked)) return asked
  const { id: made } = asked.body as { id: string }
  // Each step has an id of its own: what was cut off goes on where it was.
  const step = { return: made, location, by: by ?? location }
  const once = (what: string) => (key === undefined ? {} : { id: `${what}:${key}`.slice(0, 128) })
  const there = await findReturn(made, context)
  if (!('status' in there) && there.found.status === 'requested') {
    const authorized = await advanceReturn('authorize', { ...step, ...once('authorize') }, context)
    if (failed(authorized)) return authorized
  }
  const received = await advanceReturn('receive', { ...step, lines, ...once('receive') }, context)
  return failed(received) ? received : { ...received, status: asked.status }
}

export const returnRequestOperations = [
  operation({
    name: 'return.create',
    summary: 'Asks for a return: units of an order that are to come back, each for a reason',
    http: { method: 'POST', path: '/v1/returns', status: 201 },
    body: shapes.returnRequest,
    run: request,
  }),
  operation({
    name: 'return.atTheCounter',
    summary: 'Goods brought to a store without having been announced: authorized and received at once',
    http: { method: 'POST', path: '/v1/returns/at-the-counter', status: 201 },
    body: shapes.returnAtTheCounter,
    run: atTheCounter,
  }),
]
