/** Orders: placed, read, held, cancelled, changed, paid for. */
import { z } from 'zod'
import type { ReviseWish } from '../../actors/order/order-changes.js'
import type { OrderRequest } from '../../actors/order/order-request.js'
import { ORDER_STATUSES } from '../../actors/order/order-status.js'
import type { OrderFilter, OrderView, Page } from '../../actors/order/order-views.js'
import type { Outcome } from '../../engine/protocol.js'
import { units } from '../money.js'
import { addedLine, orderRequest } from '../order-request.js'
import * as shapes from '../order-schemas.js'
import { listedOrderView, orderView } from '../order-view.js'
import { type OpenedOrder, openOrder } from '../personal-data/opened-order.js'
import { problem, unknownLocation, unknownSku } from '../problems.js'
import { reassignBackorders, reassignLocation } from '../reoptimisation/reoptimiser.js'
import * as schemas from '../schemas.js'
import { withoutUndefined } from '../without-undefined.js'
import { type Addressed, commandMany, resultsOf } from './command-many.js'
import { failed, newId, type OperationContext, operation } from './operation.js'

const id = z.object({ id: shapes.orderId })
const API = 'api'

/** The order as it is now, with the status of what has been done. */
export async function readOrder(order: string, status: number, context: OperationContext): Promise<Outcome> {
  const opened = await openedOrder(order, context)
  return isOutcome(opened) ? opened : { status, body: orderView(context.directory, opened) }
}

/** An order with its sealed parts open, for those who do something about it. */
export async function openedOrder(
  order: string,
  { dispatch, directory, people, subject }: OperationContext,
): Promise<OpenedOrder | Outcome> {
  const outcome = await dispatch.query(directory.partitionOfOrder(order), 'order.get', { id: order })
  if (failed(outcome)) return outcome
  const opened = openOrder(people, outcome.body as OrderView)
  if (subject) subject.person = opened.person
  return opened
}

export const isOutcome = (read: OpenedOrder | Outcome): read is Outcome => 'body' in read

/** Does something to an order and shows what has become of it. */
async function change(order: string, name: string, wish: object, context: OperationContext): Promise<Outcome> {
  const { dispatch, directory, idempotencyKey: key } = context
  const once = key === undefined ? {} : { key }
  const outcome = await dispatch.command(directory.partitionOfOrder(order), name, { id: order, ...wish, ...once })
  return failed(outcome) ? outcome : readOrder(order, 200, context)
}

/** What an order's actor takes: of an order that is sent to a store, with the store's address. */
async function requestOf(
  input: shapes.OrderInput,
  id: string,
  context: OperationContext,
): Promise<OrderRequest | Outcome> {
  const request = await orderRequest(input, context, id)
  if ('status' in request || request.delivery.method !== 'ship_to_store') return request
  const outcome = await context.dispatch.query(0, 'location.get', { index: request.delivery.location })
  if (failed(outcome)) return unknownLocation(input.delivery.location ?? '')
  const { location } = outcome.body as { location: z.output<typeof schemas.location> }
  const { latitude, longitude, address } = location
  const store = { ...address, name: input.customer.name, latitude, longitude }
  return { ...request, shipTo: context.people.sealAddress(store, request.customer.person) }
}

async function place(input: shapes.OrderInput, context: OperationContext): Promise<Outcome> {
  const { dispatch, directory } = context
  const request = await requestOf(input, newId(context), context)
  if ('status' in request) return request
  const outcome = await dispatch.command(directory.partitionOfOrder(request.id), 'order.place', request)
  if (failed(outcome)) return outcome
  const { order } = outcome.body as { order: string }
  return readOrder(order, outcome.status, context)
}

async function placeMany(inputs: shapes.OrderInput[], context: OperationContext): Promise<Outcome> {
  const { dispatch, directory } = context
  // All at once: the keys of customers who are new are flushed together.
  const requests = await Promise.all(inputs.map((input, at) => requestOf(input, newId(context, `${at}`), context)))
  const addressed = requests.map(
    (request): Addressed<OrderRequest> =>
      'status' in request ? { outcome: request } : { partition: directory.partitionOfOrder(request.id), item: request },
  )
  const outcomes = await commandMany(dispatch, 'order.placeMany', addressed, (orders) => ({ orders }))
  return resultsOf(outcomes, ({ body }) => ({ id: (body as { order: string }).order }))
}

/** The same for many orders, each with its own outcome. */
async function changeMany(
  orders: string[],
  name: string,
  wish: { reason: string; by: string },
  { dispatch, directory, idempotencyKey: key }: OperationContext,
): Promise<Outcome> {
  const once = key === undefined ? {} : { key }
  const results = await Promise.all(
    orders.map(async (order) => {
      const partition = directory.partitionOfOrder(order)
      const { status, body } = await dispatch.command(partition, name, { id: order, ...wish, ...once })
      return status < 300 ? { order, status } : { order, status, ...(body as object) }
    }),
  )
  return { status: 200, body: { results } }
}

type CancelInput = z.output<typeof shapes.cancel> & { id: string }

async function cancel({ id: order, reason, by, lines }: CancelInput, context: OperationContext): Promise<Outcome> {
  const wanted = []
  for (const { line, sku: name, quantity } of lines ?? []) {
    const sku = name === undefined ? undefined : context.directory.find('skus', name)
    if (sku === -1) return unknownSku(name!)
    if ((line === undefined) === (sku === undefined)) {
      return problem(422, 'invalid', 'lines: each names either a line or a SKU')
    }
    wanted.push({ quantity, ...(line === undefined ? { sku } : { line }) })
  }
  return change(order, 'order.cancel', { reason, by: by ?? API, ...(lines ? { lines: wanted } : {}) }, context)
}

type RevisionInput = z.output<typeof shapes.revision> & { id: string }

async function revise(input: RevisionInput, context: OperationContext): Promise<Outcome> {
  const order = await openedOrder(input.id, context)
  if (isOutcome(order)) return order
  const lines: ReviseWish['lines'] = []
  for (const [at, entry] of (input.lines ?? []).entries()) {
    if ('line' in entry) {
      lines.push(entry)
      continue
    }
    if (context.directory.find('skus', entry.sku) < 0) return unknownSku(entry.sku)
    const terms = addedLine(entry, `lines.${at}`, order, context)
    if ('status' in terms) return terms
    lines.push({ quantity: entry.quantity, terms })
  }
  const { shippingService, by } = input
  const wish = {
    by: by ?? API,
    ...(await sealedChanges(input, order, context)),
    ...(shippingService === undefined ? {} : { service: shippingService }),
    ...(lines.length > 0 ? { lines } : {}),
  }
  return change(input.id, 'order.revise', wish, context)
}

/** What changes of the person's own, sealed for the one that the order has been sealed for. */
async function sealedChanges(
  { shipTo, customer, notes }: RevisionInput,
  order: OpenedOrder,
  { people }: OperationContext,
): Promise<Pick<ReviseWish, 'shipTo' | 'customer' | 'notes' | 'search'>> {
  const { person } = order
  const sealed = await people.sealCustomer(customer ?? order.customer, person)
  return {
    ...(customer ? { customer: sealed } : {}),
    ...(shipTo ? { shipTo: people.sealAddress(shipTo, person) } : {}),
    ...(notes === undefined ? {} : { notes: people.sealText(notes, person) }),
    ...(customer || shipTo
      ? { search: people.searchTokens(customer ?? order.customer, shipTo ?? order.shipTo, order.externalId) }
      : {}),
  }
}

type OrderQuery = z.output<typeof shapes.orderQuery>

/** What the index is asked for; an outcome where a name is unknown. */
export function filterOf(
  query: OrderQuery,
  { directory, people }: OperationContext,
): { filter: OrderFilter } | { refused: Outcome } {
  const { location: name, from, to, ...plain } = query
  const location = name === undefined ? undefined : directory.find('locations', name)
  if (location === -1) return { refused: unknownLocation(name!) }
  const filter = withoutUndefined({
    status: plain.status,
    channel: plain.channel,
    externalId: plain.externalId,
    customer: plain.customer === undefined ? undefined : people.keyOf(plain.customer),
    q: plain.q === undefined ? undefined : people.tokens(plain.q),
    location,
    fromMs: from === undefined ? undefined : Date.parse(from),
    toMs: to === undefined ? undefined : Date.parse(to),
  }) as OrderFilter
  return { filter }
}

/** One page over all partitions, newest first: each gives a page, and what is in none of their rests is merged. */
export async function pageOf<T extends { entry: string }>(
  name: string,
  ask: object,
  limit: number,
  cursor: string | undefined,
  { dispatch }: OperationContext,
): Promise<{ items: T[]; nextCursor: string | null } | Outcome> {
  const before = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString()
  if (before !== undefined && !/^\d{13}\/[\w.:-]{1,60}$/.test(before)) {
    return problem(422, 'invalid', 'cursor: not one that this list gave', [
      { path: 'cursor', message: 'unknown cursor' },
    ])
  }
  const outcomes = await dispatch.queryAll(name, { ...ask, limit, ...(before === undefined ? {} : { before }) })
  const refused = outcomes.find(failed)
  if (refused) return refused
  const pages = outcomes.map(({ body }) => body as Page<T>)
  // Below the highest rest there may be more that has not been read.
  const rest = pages.reduce<string>((highest, { before: own }) => (own !== null && own > highest ? own : highest), '')
  const items = pages.flatMap((page) => page.items).sort((a, b) => (a.entry < b.entry ? 1 : -1))
  const sure = rest === '' ? items : items.filter(({ entry }) => entry >= rest)
  const shown = sure.slice(0, limit)
  const last = shown.length < sure.length || shown.length === limit ? shown.at(-1)?.entry : rest
  const isOver = rest === '' && shown.length === items.length
  return {
    items: shown,
    nextCursor: isOver ? null : Buffer.from(last ?? rest).toString('base64url'),
  }
}

/** Something that is done to an order for a reason and needs nothing else to be said. */
const step = (action: 'hold' | 'resume' | 'release' | 'source', summary: string) =>
  operation({
    name: `order.${action}`,
    summary,
    http: { method: 'POST', path: `/v1/orders/{id}/${action}`, status: 200 },
    parameters: id,
    body: shapes.reason,
    run: ({ id: order, reason, by = API }, context) => change(order, `order.${action}`, { reason, by }, context),
  })

const bulkStep = (action: 'cancel' | 'hold', summary: string) =>
  operation({
    name: `order.${action}Many`,
    summary,
    http: { method: 'POST', path: `/v1/bulk/orders/${action}`, status: 200 },
    body: shapes.bulk,
    run: ({ orders, reason, by = API }, context) => changeMany(orders, `order.${action}`, { reason, by }, context),
  })

export const orderOperations = [
  operation({
    name: 'reoptimisation.create',
    summary: 'Plans many orders together: what a location has not begun, or what waits for stock',
    http: { method: 'POST', path: '/v1/reoptimisations', status: 200 },
    body: z.object({
      location: schemas.locationName.optional(),
      reason: z.string().min(1).max(200).default('reoptimised'),
    }),
    async run({ location: name, reason }, context) {
      if (name === undefined) return { status: 200, body: await reassignBackorders(reason, context) }
      const location = context.directory.find('locations', name)
      if (location < 0) return unknownLocation(name)
      return { status: 200, body: await reassignLocation(location, reason, context) }
    },
  }),
  operation({
    name: 'order.create',
    summary: 'Places an order: validated, run through the rules, sourced. A repeat gives the first order again',
    http: { method: 'POST', path: '/v1/orders', status: 201 },
    body: shapes.order,
    run: place,
  }),
  operation({
    name: 'order.createMany',
    summary: 'Places many orders, each with its own outcome',
    http: { method: 'POST', path: '/v1/bulk/orders', status: 200 },
    body: shapes.orders,
    run: ({ orders }, context) => placeMany(orders, context),
  }),
  operation({
    name: 'order.get',
    summary: 'An order with its lines, fulfillments, exceptions and timeline',
    http: { method: 'GET', path: '/v1/orders/{id}', status: 200 },
    parameters: id,
    run: ({ id: order }, context) => readOrder(order, 200, context),
  }),
  operation({
    name: 'order.list',
    summary:
      'Orders, newest first, without the reasons of rules and plans, by status, channel, external id, customer, location, date and words',
    http: { method: 'GET', path: '/v1/orders', status: 200 },
    query: schemas.page.extend(shapes.orderQuery.shape),
    async run({ limit, cursor, ...query }, context) {
      const found = filterOf(query, context)
      if ('refused' in found) return found.refused
      const page = await pageOf<{ entry: string; order: OrderView }>(
        'order.list',
        { filter: found.filter, detail: 'listed' },
        limit,
        cursor,
        context,
      )
      if ('status' in page) return page
      const items = page.items.map(({ order }) => listedOrderView(context.directory, openOrder(context.people, order)))
      return { status: 200, body: { items, nextCursor: page.nextCursor } }
    },
  }),
  operation({
    name: 'order.counts',
    summary: 'How many orders have each status',
    http: { method: 'GET', path: '/v1/order-counts', status: 200 },
    async run(_input, { dispatch }) {
      const outcomes = await dispatch.queryAll('order.counts', {})
      const refused = outcomes.find(failed)
      if (refused) return refused
      const all = outcomes.map(({ body }) => body as Record<string, number>)
      const counts = ORDER_STATUSES.map((status) => [status, all.reduce((sum, own) => sum + own[status]!, 0)])
      return { status: 200, body: Object.fromEntries(counts) }
    },
  }),
  operation({
    name: 'order.cancel',
    summary: 'Cancels an order, or units of it, as far as nobody has begun to pick them',
    http: { method: 'POST', path: '/v1/orders/{id}/cancel', status: 200 },
    parameters: id,
    body: shapes.cancel,
    run: cancel,
  }),
  bulkStep('cancel', 'Cancels many orders'),
  step('hold', 'Holds an order: nothing is sourced or accepted until it is resumed'),
  bulkStep('hold', 'Holds many orders'),
  step('resume', 'Takes an order’s holds off'),
  step('release', 'Ends the remorse window of an order before its time'),
  step('source', 'Sources again what is open or waits, with the locations that were left out so far'),
  operation({
    name: 'order.revise',
    summary: 'Changes lines, address or service of an order until picking starts',
    http: { method: 'PATCH', path: '/v1/orders/{id}', status: 200 },
    parameters: id,
    body: shapes.revision,
    run: revise,
  }),
  operation({
    name: 'order.payment',
    summary: 'Something happened to an order’s payment where it is taken elsewhere',
    http: { method: 'POST', path: '/v1/orders/{id}/payment', status: 200 },
    parameters: id,
    body: shapes.paymentEvent,
    async run({ id: order, event, amount, reference, by = API }, context) {
      const value = units(amount.amount)
      if (value === undefined || value < 0) return problem(422, 'invalid', 'amount: not below zero, and not that large')
      return change(order, 'order.payment', { event, amount: value, reference, by }, context)
    },
  }),
  operation({
    name: 'order.credit',
    summary: 'A credit or discount after the sale',
    http: { method: 'POST', path: '/v1/orders/{id}/credits', status: 200 },
    parameters: id,
    body: shapes.credit,
    async run({ id: order, amount, reason, by = API }, context) {
      const value = units(amount.amount)
      if (value === undefined || value <= 0) return problem(422, 'invalid', 'amount: above zero, and not that large')
      return change(order, 'order.credit', { amount: value, reason, by }, context)
    },
  }),
]
