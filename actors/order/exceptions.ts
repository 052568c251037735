/**
 * What goes wrong with an order and a person may have to see: raised once, escalated step by step as long as nobody takes
 * care of it, and closed by itself where the order has been repaired.
 */
import type { Step } from '../../engine/actors.js'
import { unmet } from './lines.js'
import type { ExceptionType, Order, OrderException } from './order.js'
import { isStanding, stateOf } from './order-status.js'
import type { Settings } from './settings.js'
import { note, SYSTEM } from './transitions.js'

/** What each step of an escalation is called. */
export const LEVELS = ['raised', 'notified', 'reassigned', 'managers_queue'] as const
export const LEVEL_REASSIGN = 2
const LEVEL_LAST = LEVELS.length - 1

export class ExceptionBook {
  constructor(private readonly settings: Settings) {}

  /** Raises an exception unless the same one is open already. */
  raise(step: Step, order: Order, type: ExceptionType, fulfillment: number | undefined, detail: string): void {
    const isKnown = order.exceptions.some(
      (other) => other.type === type && other.fulfillment === fulfillment && other.status !== 'resolved',
    )
    if (isKnown) return
    const exception: OrderException = {
      number: order.exceptions.length + 1,
      type,
      ...(fulfillment === undefined ? {} : { fulfillment }),
      detail,
      raisedMs: step.timeMs,
      level: 0,
      escalatesMs: step.timeMs + this.settings.orders.deadlines.escalate * 1_000,
      status: 'open',
    }
    order.exceptions.push(exception)
    note(order, step.timeMs, 'exception.raised', SYSTEM, `${type}: ${detail}`)
    this.publish(step, order, exception, 'exception.raised')
  }

  /** The next step of an escalation; its level. */
  escalate(step: Step, order: Order, exception: OrderException): number {
    exception.level++
    exception.escalatesMs =
      exception.level >= LEVEL_LAST
        ? Number.POSITIVE_INFINITY
        : step.timeMs + this.settings.orders.deadlines.escalate * 1_000
    note(order, step.timeMs, 'exception.escalated', SYSTEM, `${exception.type}: ${LEVELS[exception.level]}`)
    this.publish(step, order, exception, 'exception.escalated')
    return exception.level
  }

  close(step: Step, order: Order, exception: OrderException, by: string, detail?: string): void {
    exception.status = 'resolved'
    exception.by = by
    note(order, step.timeMs, 'exception.resolved', by, detail ?? exception.type)
    this.publish(step, order, exception, 'exception.resolved')
  }

  /** Closes what the order's own progress has repaired. */
  repaired(step: Step, order: Order): void {
    for (const exception of order.exceptions) {
      if (exception.status !== 'resolved' && isRepaired(order, exception)) {
        this.close(step, order, exception, SYSTEM, `${exception.type}: repaired`)
      }
    }
  }

  /** When the next one is escalated. */
  nextMs(order: Order): number {
    let next = Number.POSITIVE_INFINITY
    for (const { status, escalatesMs } of order.exceptions) {
      if (status === 'open' && escalatesMs < next) next = escalatesMs
    }
    return next
  }

  private publish(step: Step, order: Order, { number, type, level, detail }: OrderException, event: string): void {
    step.publish(event, `order/${order.id}`, {
      order: order.id,
      exception: `${order.id}-${number}`,
      type,
      level: LEVELS[level],
      detail,
    })
  }
}

/** Whether something of it has still to be sent. */
export const isToBeSent = (order: Order): boolean =>
  ['received', 'backordered', 'allocated', 'partially_shipped'].includes(stateOf(order).progress)

/** Whether nothing is left of what was wrong. */
function isRepaired(order: Order, { type, fulfillment: number }: OrderException): boolean {
  const isMissing = order.lines.some((line) => unmet(line) > 0)
  switch (type) {
    case 'short':
    case 'rejected':
    case 'lost':
    case 'no_stock':
    case 'capacity_exceeded':
      return !isMissing
    case 'late':
    case 'stuck':
    case 'carrier_silent': {
      if (number === undefined) return !isToBeSent(order)
      const fulfillment = order.fulfillments.find((other) => other.number === number)
      if (!fulfillment) return true
      const isOver = fulfillment.status === 'delivered' || !isStanding(fulfillment)
      return isOver || (type !== 'carrier_silent' && fulfillment.status === 'shipped')
    }
    default:
      return false
  }
}
