/** What is asked for: whether it was asked before, whether there is as much to come back, whether the retailer's terms allow it. */
import type { Step } from '../../engine/actors.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { readDocument, writeDocument } from '../documents.js'
import { RETURNS_PER_ORDER_MAX } from '../limits.js'
import { lineOf } from '../order/lines.js'
import type { Order } from '../order/order.js'
import type { OrderStore } from '../order/order-store.js'
import type { Settings } from '../order/settings.js'
import { can, refusedTransition, timelineIsFull } from '../order/transitions.js'
import { conflict, created, ok, problem } from '../outcomes.js'
import type { Exchange, OrderReturn, Resolution } from './order-return.js'
import { conditionPolicy, feeOf, reasonPolicy } from './return-policy.js'
import { fireReturn, tellReturn } from './return-steps.js'
import { returnTable } from './return-table.js'
import { returnable } from './return-units.js'

export interface ReturnRequest {
  order: string
  /** The caller's; none: made of the order's id. */
  id?: string
  key?: string
  fingerprint: string
  by: string
  lines: { line?: number; sku: number; quantity: number; reason: string; condition?: string }[]
  location?: number
  resolution: Resolution
  exchange?: Exchange
  /** Whoever asks gets a label first and authorizes it then, where that may be at once. */
  awaitsLabel?: boolean
}

const DAY_MS = 86_400_000

export const returnId = (order: string, number: number): string => `${order}-R${number}`
const refKey = (id: string): string => `return-ref/${id}`

/** Where a return that its customer named is: its order and its number there. */
export interface ReturnRef {
  order: string
  number: number
}

export class ReturnRequests {
  constructor(
    private readonly store: Store,
    private readonly orders: OrderStore,
    private readonly settings: Settings,
  ) {}

  request(step: Step, request: ReturnRequest): Outcome {
    const order = this.orders.change(request.order)
    if (!order) return problem(404, 'unknown_order', `There is no order ${request.order}.`)
    const known = this.known(order, request)
    if (known) return known
    const full = timelineIsFull(order)
    if (full) return full
    const returns = order.returns ?? []
    if (returns.length >= RETURNS_PER_ORDER_MAX) {
      return problem(
        409,
        'too_many_returns',
        `Order ${order.id} has ${RETURNS_PER_ORDER_MAX} returns and takes no more.`,
      )
    }
    if (!can(order, 'RETURN')) return refusedTransition(order, 'returned')
    const lines = this.linesOf(order, request)
    if ('status' in lines) return lines
    const refused = this.notAllowed(order, lines, step.timeMs)
    if (refused) return refused
    const policy = this.settings.orders.returns
    const number = returns.length + 1
    const made: OrderReturn = {
      number,
      id: request.id ?? returnId(order.id, number),
      status: returnTable.initial as OrderReturn['status'],
      createdMs: step.timeMs,
      sinceMs: step.timeMs,
      by: request.by,
      resolution: request.resolution,
      payer: lines.every(({ reason }) => (reasonPolicy(policy, reason).payer ?? policy.payer) === 'retailer')
        ? 'retailer'
        : 'customer',
      lines,
      pieces: [],
      refunds: [],
      labelCharged: 0,
      fingerprint: request.fingerprint,
    }
    if (request.location !== undefined) made.location = request.location
    if (request.exchange) made.exchange = request.exchange
    if (request.key !== undefined) made.key = request.key
    order.returns = [...returns, made]
    if (request.id !== undefined) writeDocument(this.store, refKey(request.id), { order: order.id, number })
    tellReturn(step, order, made, 'requested', request.by, lines.map(({ reason }) => reason).join(', '))
    if (policy.autoAuthorize && request.awaitsLabel) return created({ order: order.id, number, mayAuthorize: true })
    if (policy.autoAuthorize) {
      fireReturn(step, made, 'AUTHORIZE')
      tellReturn(step, order, made, 'authorized', request.by)
    }
    return created({ order: order.id, number })
  }

  /** The answer to a request that was made before; a conflict where its id was another's. */
  private known(order: Order, { id, key, fingerprint, awaitsLabel }: ReturnRequest): Outcome | undefined {
    const ref = id === undefined ? undefined : readDocument<ReturnRef>(this.store, refKey(id))
    const same = order.returns?.find((one) => (id === undefined ? key !== undefined && one.key === key : one.id === id))
    if (same && same.fingerprint === fingerprint) {
      const mayAuthorize =
        awaitsLabel && same.status === 'requested' && this.settings.orders.returns.autoAuthorize
          ? { mayAuthorize: true }
          : {}
      return ok({ order: order.id, number: same.number, replayed: true, ...mayAuthorize })
    }
    return same || ref ? conflict('This return id') : undefined
  }

  /** Lines of the order for the SKUs that are to come back; an outcome where that is more than was sent. */
  private linesOf(order: Order, { lines }: ReturnRequest): OrderReturn['lines'] | Outcome {
    const taken = new Map<number, number>()
    const made: OrderReturn['lines'] = []
    const policy = this.settings.orders.returns
    for (const { line: number, sku, quantity, reason, condition } of lines) {
      let left = quantity
      for (const line of order.lines) {
        if (line.isKit || line.sku !== sku || (number !== undefined && line.number !== number)) continue
        const units = Math.min(left, returnable(order, line) - (taken.get(line.number) ?? 0))
        if (units <= 0) continue
        taken.set(line.number, (taken.get(line.number) ?? 0) + units)
        left -= units
        const fee = feeOf(policy, reason, condition)
        const added = { line: line.number, sku, quantity: units, reason, received: 0, settled: 0, fee }
        made.push(condition === undefined ? added : { ...added, condition })
      }
      if (left > 0) {
        const detail = `Only ${quantity - left} of the ${quantity} units can come back: the others were not sent, or are coming back already. A kit comes back by its components.`
        return problem(409, 'not_returnable', detail)
      }
    }
    return made
  }

  private notAllowed(order: Order, lines: OrderReturn['lines'], timeMs: number): Outcome | undefined {
    const { returns: policy, returnDays } = this.settings.orders
    for (const { line, reason, condition } of lines) {
      const { isRefused, extraDays = 0, takesFinalSale } = reasonPolicy(policy, reason)
      if (isRefused) {
        return problem(409, 'reason_refused', `Goods are not taken back for the reason ${reason}.`)
      }
      if (conditionPolicy(policy, condition).isRefused) {
        return problem(409, 'condition_refused', `Goods that are ${condition} are not taken back.`)
      }
      if (lineOf(order, line).isFinalSale && !takesFinalSale) {
        return problem(
          409,
          'final_sale',
          `Line ${line} was sold for good: it does not come back for the reason ${reason}.`,
        )
      }
      const days = returnDays + extraDays
      // Before everything has been delivered the window has not begun.
      if (order.deliveredMs !== undefined && timeMs > order.deliveredMs + days * DAY_MS) {
        return problem(
          409,
          'return_window_over',
          `Goods are taken back for ${days} days for the reason ${reason}; they are over.`,
        )
      }
    }
    return undefined
  }

  find(id: string): Outcome {
    const ref = readDocument<ReturnRef>(this.store, refKey(id))
    return ref ? ok(ref) : problem(404, 'unknown_return', `There is no return ${id}.`)
  }
}
