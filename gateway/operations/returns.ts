import { z } from 'zod'
import type { OrderReturn } from '../../actors/return/order-return.js'
import { RETURN_STATUSES } from '../../actors/return/return-machine.js'
import type { ReturnRef } from '../../actors/return/return-requests.js'
import type { ReturnAction } from '../../actors/return/returns.js'
import type { Outcome } from '../../engine/protocol.js'
import * as shapes from '../order-schemas.js'
import { returnView } from '../order-view.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import { problem, unknownLocation, unknownSku } from '../problems.js'
import * as schemas from '../schemas.js'
import { withoutUndefined } from '../without-undefined.js'
import { failed, type OperationContext, operation } from './operation.js'
import { isOutcome, openedOrder, pageOf } from './orders.js'

export const API = 'api'
export const returnParameters = z.object({ return: z.string().min(1).max(64).meta({ description: 'Return id' }) })
const unknownReturn = (id: string): Outcome => problem(404, 'unknown_return', `There is no return ${id}.`)

/** The order that a return belongs to, and its number there. */
export async function locate(id: string, { dispatch }: OperationContext): Promise<ReturnRef | Outcome> {
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

export async function readReturn(id: string, status: number, context: OperationContext): Promise<Outcome> {
  const there = await findReturn(id, context)
  if ('status' in there) return there
  const { order, found } = there
  return { status, body: returnView(context.directory, order.id, order.currency, found) }
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
  return failed(outcome) ? outcome : readReturn(id, 200, context)
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
    run: ({ return: id }, context) => readReturn(id, 200, context),
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
