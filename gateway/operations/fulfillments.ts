/** What locations do for orders, and what goes wrong on the way. */
import { z } from 'zod'
import type { FulfillmentAction } from '../../actors/order/fulfillments.js'
import type { Fulfillment, OrderException } from '../../actors/order/order.js'
import { parseFulfillmentId } from '../../actors/order/order-id.js'
import type { OrderView } from '../../actors/order/order-views.js'
import { faulty } from '../../actors/outcomes.js'
import type { Outcome } from '../../engine/protocol.js'
import { withLabels } from '../carriers/shipped-labels.js'
import * as shapes from '../order-schemas.js'
import { exceptionView, fulfillmentView } from '../order-view.js'
import { problem, unknownLocation, unknownSku } from '../problems.js'
import * as schemas from '../schemas.js'
import { withoutUndefined } from '../without-undefined.js'
import { type Addressed, commandMany, resultsOf } from './command-many.js'
import { failed, type OperationContext, operation } from './operation.js'
import { pageOf } from './orders.js'

const id = z.object({ id: shapes.fulfillmentId })
const API = 'api'
const STATUSES = [
  'pending',
  'accepted',
  'picking',
  'packed',
  'shipped',
  'delivered',
  'rejected',
  'failed',
  'cancelled',
] as const
const EXCEPTION_STATUSES = ['open', 'acknowledged', 'resolved'] as const

export const unknownFulfillment = (name: string): Outcome =>
  problem(404, 'unknown_fulfillment', `There is no fulfillment ${name}.`)

interface StepInput {
  id?: string | undefined
  location?: string | undefined
  by?: string | undefined
  carrier?: string | undefined
  lines?: { sku: string; quantity: number }[] | undefined
  [more: string]: unknown
}

/** A step as the order's actor takes it; an outcome where a name is unknown. */
function commandOf(
  fulfillment: string,
  action: FulfillmentAction,
  { id: commandId, location: place, by, lines, ...more }: StepInput,
  { directory }: OperationContext,
): { order: string; command: object } | Outcome {
  const named = parseFulfillmentId(fulfillment)
  if (!named) return unknownFulfillment(fulfillment)
  const location = place === undefined ? undefined : directory.find('locations', place)
  if (location === -1) return unknownLocation(place!)
  const picked = []
  for (const { sku: name, quantity } of lines ?? []) {
    const sku = directory.find('skus', name)
    if (sku < 0) return unknownSku(name)
    picked.push({ sku, quantity })
  }
  const command = withoutUndefined({
    ...named,
    action,
    by: by ?? place ?? API,
    id: commandId,
    location,
    lines: lines ? picked : undefined,
    ...more,
  })
  return { order: named.order, command }
}

async function advance(
  fulfillment: string,
  action: FulfillmentAction,
  input: StepInput,
  context: OperationContext,
): Promise<Outcome> {
  const { idempotencyKey: key } = context
  const id = input.id ?? (key === undefined ? undefined : `key:${key}`)
  const labelled = action === 'ship' ? await withLabels(fulfillment, input, context.records) : input
  if (action === 'ship' && labelled.carrier === undefined) {
    return faulty([{ path: 'carrier', message: 'say who has it, or buy labels first' }])
  }
  const found = commandOf(fulfillment, action, { ...labelled, id }, context)
  if ('status' in found) return found
  const partition = context.directory.partitionOfOrder(found.order)
  const outcome = await context.dispatch.command(partition, 'fulfillment.advance', found.command)
  return failed(outcome) ? outcome : read(fulfillment, context)
}

async function read(name: string, context: OperationContext): Promise<Outcome> {
  const named = parseFulfillmentId(name)
  if (!named) return unknownFulfillment(name)
  const outcome = await context.dispatch.query(context.directory.partitionOfOrder(named.order), 'order.get', {
    id: named.order,
  })
  const fulfillment = failed(outcome) ? undefined : (outcome.body as OrderView).fulfillments[named.number - 1]
  if (!fulfillment) return unknownFulfillment(name)
  return { status: 200, body: fulfillmentView(context.directory, named.order, fulfillment) }
}

/** Steps of many fulfillment orders in one message, in their order for each partition. */
async function advanceMany(
  commands: z.output<typeof shapes.fulfillmentCommands>['commands'],
  context: OperationContext,
): Promise<Outcome> {
  const labelled = await Promise.all(
    commands.map(async (command) =>
      command.action === 'ship'
        ? { ...command, ...(await withLabels(command.fulfillment, command, context.records)) }
        : command,
    ),
  )
  const addressed = labelled.map(({ fulfillment, action, ...input }): Addressed<object> => {
    const found = commandOf(fulfillment, action, input, context)
    if ('status' in found) return { outcome: found }
    return { partition: context.directory.partitionOfOrder(found.order), item: found.command }
  })
  return resultsOf(
    await commandMany(context.dispatch, 'fulfillment.advanceMany', addressed, (own) => ({ commands: own })),
  )
}

const step = (action: FulfillmentAction, summary: string, body: z.ZodObject) =>
  operation({
    name: `fulfillment.${action}`,
    summary,
    http: { method: 'POST', path: `/v1/fulfillments/{fulfillment}/${action}`, status: 200 },
    parameters: z.object({ fulfillment: shapes.fulfillmentId }),
    body,
    run: (input, context) => {
      const { fulfillment, ...rest } = input as StepInput & { fulfillment: string }
      return advance(fulfillment, action, rest, context)
    },
  })

export const fulfillmentOperations = [
  operation({
    name: 'fulfillment.list',
    summary: 'Fulfillments of a location or of all, newest first, by status',
    http: { method: 'GET', path: '/v1/fulfillments', status: 200 },
    query: schemas.page.extend({
      location: schemas.locationName.optional(),
      status: z.enum(STATUSES).optional(),
    }),
    async run({ location: name, status, limit, cursor }, context) {
      const location = name === undefined ? undefined : context.directory.find('locations', name)
      if (location === -1) return unknownLocation(name!)
      const ask = withoutUndefined({ location, statuses: status ? [status] : [...STATUSES] })
      const page = await pageOf<{ entry: string; order: string; fulfillment: Fulfillment }>(
        'fulfillment.list',
        ask,
        limit,
        cursor,
        context,
      )
      if ('status' in page) return page
      const items = page.items.map(({ order, fulfillment }) => fulfillmentView(context.directory, order, fulfillment))
      return { status: 200, body: { items, nextCursor: page.nextCursor } }
    },
  }),
  operation({
    name: 'fulfillment.get',
    summary: 'A fulfillment',
    http: { method: 'GET', path: '/v1/fulfillments/{id}', status: 200 },
    parameters: id,
    run: ({ id: name }, context) => read(name, context),
  }),
  operation({
    name: 'fulfillment.advanceMany',
    summary: 'Steps of many fulfillments in one message, each with its own outcome',
    http: { method: 'POST', path: '/v1/bulk/fulfillments', status: 200 },
    body: shapes.fulfillmentCommands,
    run: ({ commands }, context) => advanceMany(commands, context),
  }),
  step('accept', 'The location takes it on', shapes.fulfillmentStep),
  step('reject', 'The location does not take it on: it is sourced elsewhere', shapes.refuse),
  step('pick', 'Units were found; what was not is sourced elsewhere', shapes.pick),
  step('pack', 'It is packed', shapes.pack),
  step('ship', 'The carrier has it', shapes.ship),
  step('deliver', 'The customer has it', shapes.fulfillmentStep),
  step('fail', 'It cannot be shipped, or was lost on the way: it is sourced again', shapes.refuse),
  operation({
    name: 'exception.list',
    summary: 'What went wrong with orders, newest first',
    http: { method: 'GET', path: '/v1/exceptions', status: 200 },
    query: schemas.page.extend({ status: z.enum(EXCEPTION_STATUSES).optional() }),
    async run({ status, limit, cursor }, context) {
      const statuses = status ? [status] : ['open', 'acknowledged']
      const page = await pageOf<{ entry: string; order: string; exception: OrderException }>(
        'exception.list',
        { statuses },
        limit,
        cursor,
        context,
      )
      if ('status' in page) return page
      const items = page.items.map(({ order, exception }) => exceptionView(order, exception))
      return { status: 200, body: { items, nextCursor: page.nextCursor } }
    },
  }),
  ...(['acknowledge', 'resolve'] as const).map((action) =>
    operation({
      name: `exception.${action}`,
      summary: action === 'acknowledge' ? 'Somebody takes care of it: it is not escalated' : 'It is over',
      http: { method: 'POST', path: `/v1/exceptions/{id}/${action}`, status: 200 },
      parameters: id,
      body: shapes.reason,
      async run({ id: name, reason, by = API }, context) {
        const named = parseFulfillmentId(name)
        if (!named) return problem(404, 'unknown_exception', `There is no exception ${name}.`)
        const wish = { id: named.order, number: named.number, action, reason, by }
        const outcome = await context.dispatch.command(
          context.directory.partitionOfOrder(named.order),
          'exception.update',
          wish,
        )
        return failed(outcome) ? outcome : { status: 200, body: { id: name, status: `${action}d` } }
      },
    }),
  ),
]
