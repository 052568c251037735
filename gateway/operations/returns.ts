/** Returns: asked for, authorized, received in any store, inspected, settled. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Exchange, OrderReturn } from '../../actors/return/order-return.js'
import { RETURN_STATUSES } from '../../actors/return/return-machine.js'
import { type ReturnRef, type ReturnRequest, returnId } from '../../actors/return/return-requests.js'
import type { ReturnAction } from '../../actors/return/returns.js'
import type { Outcome } from '../../engine/protocol.js'
import { units } from '../money.js'
import { derivedId } from '../order-request.js'
import * as shapes from '../order-schemas.js'
import { returnView } from '../order-view.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import { problem, unknownLocation, unknownSku } from '../problems.js'
import * as schemas from '../schemas.js'
import { withoutUndefined } from '../without-undefined.js'
import { failed, type OperationContext, operation } from './operation.js'
import { isOutcome, openedOrder, pageOf } from './orders.js'

const API = 'api'
export const returnParameters = z.object({ return: z.string().min(1).max(64).meta({ description: 'Return id' }) })
/** Until the return is in the log, and the reservation is made to last. */
const EXCHANGE_HOLD_SECONDS = 900

type Input<T extends z.ZodType> = z.output<T>

const unknownReturn = (id: string): Outcome => problem(404, 'unknown_return', `There is no return ${id}.`)

/** The order that a return belongs to, and its number there. */
async function locate(id: string, { dispatch }: OperationContext): Promise<ReturnRef | Outcome> {
  const [, order, number] = /^(.+)-R(\d{1,3})$/.exec(id) ?? []
  if (order !== undefined) return { order, number: Number(number) }
  const found = await dispatch.queryAll('return.find', { id })
  const there = found.find((outcome) => !failed(outcome))
  // Written by the returns themselves.
  return there ? (there.body as ReturnRef) : unknownReturn(id)
}

/** A return and its order, for those who do something about it. */
export async function findReturn(
  id: string,
  context: OperationContext,
): Promise<{ order: OpenedOrder; found: OrderReturn } | Outcome> {
  const ref = await locate(id, context)
  if ('status' in ref) return ref
  const order = await openedOrder(ref.order, context)
  const found = isOutcome(order) ? undefined : order.returns?.[ref.number - 1]
  return !isOutcome(order) && found ? { order, found } : unknownReturn(id)
}

async function read(id: string, status: number, context: OperationContext): Promise<Outcome> {
  const there = await findReturn(id, context)
  if ('status' in there) return there
  const { order, found } = there
  return { status, body: returnView(context.directory, order.id, order.currency, found) }
}

/** Holds what the customer is to get instead; it lasts once the return is in the log (returns/exchange-worker.ts). */
async function reserveExchange(
  { order, exchange }: Pick<Input<typeof shapes.returnRequest>, 'order' | 'exchange'>,
  key: string,
  context: OperationContext,
): Promise<Exchange | Outcome> {
  const view = await openedOrder(order, context)
  if (isOutcome(view)) return view
  const lines: Exchange['lines'] = []
  for (const [at, { sku: name, quantity, unitPrice }] of exchange!.entries()) {
    const sku = context.directory.find('skus', name)
    if (sku < 0) return unknownSku(name)
    const price = units(unitPrice.amount)
    if (price === undefined || price < 0 || unitPrice.currency !== view.currency) {
      return problem(422, 'invalid', `exchange.${at}.unitPrice: an amount in ${view.currency}, not below zero`)
    }
    lines.push({ sku, quantity, unitPrice: price, reservation: derivedId(['exchange', order, key, `${at}`]) })
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

async function request(input: Input<typeof shapes.returnRequest>, context: OperationContext): Promise<Outcome> {
  const { directory, dispatch, idempotencyKey } = context
  const { id, order, lines, location: name, resolution, exchange, by = API } = input
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
  const reserved = exchange ? await reserveExchange(input, id ?? idempotencyKey ?? fingerprint, context) : undefined
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
  })
  // Put together from what the schema has checked; what may be missing was left out.
  const outcome = await dispatch.command(directory.partitionOfOrder(order), 'return.request', asked as ReturnRequest)
  if (failed(outcome)) return outcome
  const { number, replayed } = outcome.body as { number: number; replayed?: boolean }
  return read(id ?? returnId(order, number), replayed ? 200 : 201, context)
}

interface StepInput {
  return: string
  id?: string | undefined
  by?: string | undefined
  reason?: string | undefined
  location?: string | undefined
  lines?: { sku: string; quantity: number; refuse?: boolean | undefined; [more: string]: unknown }[] | undefined
}

/** Carries a step out; `more` is what the edge adds to it. */
export async function advanceReturn(
  action: ReturnAction,
  { return: id, location: name, lines, by, ...rest }: StepInput,
  context: OperationContext,
  more: object = {},
): Promise<Outcome> {
  const { directory, dispatch, idempotencyKey } = context
  const ref = await locate(id, context)
  if ('status' in ref) return ref
  const location = name === undefined ? undefined : directory.find('locations', name)
  if (location === -1) return unknownLocation(name!)
  const seen = []
  for (const { sku: skuName, refuse, ...line } of lines ?? []) {
    const sku = directory.find('skus', skuName)
    if (sku < 0) return unknownSku(skuName)
    seen.push(withoutUndefined({ ...line, sku, isRefused: refuse }))
  }
  const command = withoutUndefined({
    ...ref,
    action,
    by: by ?? name ?? API,
    id: rest.id ?? (idempotencyKey === undefined ? undefined : `key:${idempotencyKey}`),
    reason: rest.reason,
    location,
    lines: lines ? seen : undefined,
    ...more,
  })
  const outcome = await dispatch.command(directory.partitionOfOrder(ref.order), 'return.advance', command)
  return failed(outcome) ? outcome : read(id, 200, context)
}

/** Brought to a counter without having been announced: asked for, authorized and received in one. */
async function atTheCounter(
  { id, order, location, lines, resolution, by }: Input<typeof shapes.returnAtTheCounter>,
  context: OperationContext,
): Promise<Outcome> {
  const key = id ?? context.idempotencyKey
  const announced = lines.map(({ sku, quantity, reason }) => ({ sku, quantity, reason }))
  const asked = await request(
    { id, order, lines: announced, location, resolution, by: by ?? location, exchange: undefined },
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

const step = (action: ReturnAction, summary: string, body: z.ZodObject) =>
  operation({
    name: `return.${action}`,
    summary,
    http: { method: 'POST', path: `/v1/returns/{return}/${action}`, status: 200 },
    parameters: returnParameters,
    body,
    // The body's schema is one of those of StepInput.
    run: (input, context) => advanceReturn(action, input as unknown as StepInput, context),
  })

export const returnOperations = [
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
  operation({
    name: 'return.list',
    summary: 'Returns, newest first, by status',
    http: { method: 'GET', path: '/v1/returns', status: 200 },
    query: schemas.page.extend({ status: z.enum(RETURN_STATUSES).optional() }),
    async run({ status, limit, cursor }, context) {
      const ask = { statuses: status ? [status] : [...RETURN_STATUSES] }
      const page = await pageOf<{ entry: string; order: string; currency: string; return: OrderReturn }>(
        'return.list',
        ask,
        limit,
        cursor,
        context,
      )
      if ('status' in page) return page
      const items = page.items.map((item) => returnView(context.directory, item.order, item.currency, item.return))
      return { status: 200, body: { items, nextCursor: page.nextCursor } }
    },
  }),
  operation({
    name: 'return.get',
    summary: 'A return',
    http: { method: 'GET', path: '/v1/returns/{return}', status: 200 },
    parameters: returnParameters,
    run: ({ return: id }, context) => read(id, 200, context),
  }),
  step('reject', 'It is not taken back', shapes.returnStep),
  step('transit', 'The carrier has it', shapes.returnStep),
  step(
    'receive',
    'It came in, in whole or in part, at any location; with a disposition it is inspected at once',
    shapes.returnReceipt,
  ),
  step('inspect', 'Somebody looked at it: restock, refurbish, scrap or back to the vendor', shapes.returnInspection),
  step('close', 'Nothing more is expected of it', shapes.returnStep),
  step('cancel', 'The customer keeps it', shapes.returnStep),
]
