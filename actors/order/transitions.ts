/** Events of the order's machine: fired, or refused with what is possible instead. Every step is noted in the timeline. */
import type { Outcome } from '../../engine/protocol.js'
import { TIMELINE_MAX } from '../limits.js'
import { problem } from '../outcomes.js'
import { FULFILLMENT_EVENTS, type FulfillmentEventType } from './fulfillment-machine.js'
import { outlookOf } from './lines.js'
import { fulfillmentTable, orderTable } from './machines.js'
import type { Fulfillment, Order } from './order.js'
import { ORDER_EVENTS, type OrderEventType } from './order-machine.js'
import { orderStatus } from './order-status.js'

/** Who did it, where nobody asked: the system itself. */
export const SYSTEM = 'doorbuster'

export const can = (order: Order, type: OrderEventType): boolean =>
  orderTable.next(order.state, { type, outlook: outlookOf(order) }) !== null

/** Moves the order on, its lines being as they are after the event; false where the event is not possible. */
export function fire(order: Order, type: OrderEventType): boolean {
  const next = orderTable.next(order.state, { type, outlook: outlookOf(order) })
  if (next === null) return false
  order.state = next
  return true
}

export function note(order: Order, atMs: number, type: string, by: string, detail?: string): void {
  order.timeline.push(detail === undefined ? { atMs, type, by } : { atMs, type, by, detail })
}

/** Why an order takes no more commands, whatever they are. */
export function timelineIsFull(order: Order): Outcome | undefined {
  if (order.timeline.length < TIMELINE_MAX) return undefined
  return problem(409, 'timeline_full', `Order ${order.id} has had ${TIMELINE_MAX} steps and takes no more.`)
}

export function refusedTransition(order: Order, what: string): Outcome {
  const status = orderStatus(order)
  const possible = ORDER_EVENTS.filter((type) => can(order, type))
  return invalidTransition(
    `Order ${order.id} is ${status}; it cannot be ${what} now. Possible are: ${possible.join(', ').toLowerCase() || 'none'}.`,
    status,
    possible,
  )
}

export function refusedFulfillment(order: Order, { number, status }: Fulfillment, what: string): Outcome {
  const possible = FULFILLMENT_EVENTS.filter((type) => fulfillmentTable.next(status, { type }) !== null)
  return invalidTransition(
    `Fulfillment ${order.id}-${number} is ${status}; it cannot ${what} now. Possible are: ${possible.join(', ').toLowerCase() || 'none'}.`,
    status,
    possible,
  )
}

export const invalidTransition = (detail: string, current: string, possible: readonly string[]): Outcome => ({
  status: 409,
  body: { code: 'invalid_transition', detail, current, possible: possible.map((type) => type.toLowerCase()) },
})

export const canFulfill = ({ status }: Fulfillment, type: FulfillmentEventType): boolean =>
  fulfillmentTable.next(status, { type }) !== null

export function fireFulfillment(fulfillment: Fulfillment, type: FulfillmentEventType, atMs: number): boolean {
  const next = fulfillmentTable.next(fulfillment.status, { type })
  if (next === null) return false
  fulfillment.status = next
  fulfillment.sinceMs = atMs
  return true
}
