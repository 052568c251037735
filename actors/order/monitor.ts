/**
 * What is due for an order by itself, in log time: the end of a remorse window, deadlines of its fulfillment orders, the
 * next step of an escalation, its completion. Each order has one timer, for whatever comes first.
 */
import type { Step } from '../../engine/actors.js'
import type { Places } from '../catalog/places.js'
import { type ExceptionBook, isToBeSent, LEVEL_REASSIGN } from './exceptions.js'
import type { Fulfillments } from './fulfillments.js'
import type { ExceptionType, Fulfillment, Order } from './order.js'
import type { OrderSourcing } from './order-sourcing.js'
import { stateOf } from './order-status.js'
import type { OrderStore } from './order-store.js'
import type { Deadlines, Settings } from './settings.js'
import { fire, note, SYSTEM } from './transitions.js'

const DAY_MS = 86_400_000
/** When an order that could not be sourced for lack of room for messages is tried again. */
const RETRY_MS = 1_000

interface Deadline {
  dueMs: number
  type: ExceptionType
  detail: string
}

/** What a fulfillment order has to reach next, and by when. */
function deadlineOf(
  { status, sinceMs, shipByMs, deliverByMs }: Fulfillment,
  deadlines: Deadlines,
): Deadline | undefined {
  switch (status) {
    case 'pending':
      return { dueMs: sinceMs + deadlines.accept * 1_000, type: 'stuck', detail: 'not accepted in time' }
    case 'accepted':
      return { dueMs: sinceMs + deadlines.pick * 1_000, type: 'stuck', detail: 'not picked in time' }
    case 'picking':
      return { dueMs: sinceMs + deadlines.pack * 1_000, type: 'stuck', detail: 'not packed in time' }
    case 'packed':
      return {
        dueMs: shipByMs + deadlines.shipGrace * 1_000,
        type: 'late',
        detail: 'not shipped by the promised cut-off',
      }
    case 'shipped':
      return {
        dueMs: deliverByMs + deadlines.silent * 1_000,
        type: 'carrier_silent',
        detail: 'no news of its delivery',
      }
    default:
      return undefined
  }
}

const deadlinesOf = (settings: Settings, places: Places, { location, service }: Fulfillment): Deadlines =>
  settings.deadlinesOf(places.get(location)?.id ?? '', service)

/** When the whole order is late by the promise of whoever sold it; undefined where it is not, or has been told to be. */
function lateMs(order: Order, settings: Settings): number | undefined {
  if (order.shipByMs === undefined || !isToBeSent(order)) return undefined
  const isTold = order.exceptions.some(({ type, fulfillment }) => type === 'late' && fulfillment === undefined)
  return isTold ? undefined : order.shipByMs + settings.orders.deadlines.shipGrace * 1_000
}

const isRaised = (order: Order, fulfillment: Fulfillment, type: ExceptionType): boolean =>
  order.exceptions.some(
    (other) =>
      other.type === type &&
      other.fulfillment === fulfillment.number &&
      // One that is open stands for the next step, too: it is not raised again, so its deadline must not be due for ever.
      (other.status !== 'resolved' || other.raisedMs >= fulfillment.sinceMs),
  )

export class Monitor {
  constructor(
    private readonly settings: Settings,
    private readonly places: Places,
    private readonly exceptions: ExceptionBook,
    private readonly retryRoom: (order: Order, timeMs: number) => boolean,
  ) {}

  /** When something is due for an order next; undefined where nothing ever is. */
  nextMs(order: Order, timeMs: number): number | undefined {
    const { progress, hold } = stateOf(order)
    if (['cancelled', 'rejected', 'completed'].includes(progress)) return undefined
    let next = this.exceptions.nextMs(order)
    if (progress === 'received' && hold === 'none' && order.releaseMs > timeMs) next = Math.min(next, order.releaseMs)
    else if (order.retryMs !== undefined) next = Math.min(next, order.retryMs)
    else if (this.retryRoom(order, timeMs)) next = Math.min(next, timeMs + RETRY_MS)
    next = Math.min(next, lateMs(order, this.settings) ?? next)
    const { returnDays } = this.settings.orders
    for (const fulfillment of order.fulfillments) {
      const deadline = deadlineOf(fulfillment, deadlinesOf(this.settings, this.places, fulfillment))
      if (deadline && !isRaised(order, fulfillment, deadline.type)) next = Math.min(next, deadline.dueMs)
    }
    if (progress === 'delivered' && order.deliveredMs !== undefined) {
      next = Math.min(next, order.deliveredMs + returnDays * DAY_MS)
    }
    return next === Number.POSITIVE_INFINITY ? undefined : next
  }
}

/** Does what is due. */
export class DueWork {
  constructor(
    private readonly orders: OrderStore,
    private readonly settings: Settings,
    private readonly places: Places,
    private readonly exceptions: ExceptionBook,
    private readonly sourcing: OrderSourcing,
    private readonly fulfillments: Fulfillments,
  ) {}

  run(step: Step, id: string): void {
    const order = this.orders.change(id)
    if (!order) return
    this.raiseOverdue(step, order)
    this.escalate(step, order)
    this.complete(step, order)
    if (order.retryMs !== undefined && order.retryMs <= step.timeMs) delete order.retryMs
    this.sourcing.begin(step, order)
  }

  private raiseOverdue(step: Step, order: Order): void {
    const late = lateMs(order, this.settings)
    if (late !== undefined && late <= step.timeMs) {
      this.exceptions.raise(step, order, 'late', undefined, 'not sent by the time that was promised where it was sold')
    }
    for (const fulfillment of order.fulfillments) {
      const deadline = deadlineOf(fulfillment, deadlinesOf(this.settings, this.places, fulfillment))
      if (!deadline || deadline.dueMs > step.timeMs || isRaised(order, fulfillment, deadline.type)) continue
      this.exceptions.raise(step, order, deadline.type, fulfillment.number, deadline.detail)
    }
  }

  private escalate(step: Step, order: Order): void {
    for (const exception of order.exceptions) {
      if (exception.status !== 'open' || exception.escalatesMs > step.timeMs) continue
      const level = this.exceptions.escalate(step, order, exception)
      const fulfillment = order.fulfillments.find(({ number }) => number === exception.fulfillment)
      const isUnbegun = fulfillment?.status === 'pending' || fulfillment?.status === 'accepted'
      if (level !== LEVEL_REASSIGN || !fulfillment || !isUnbegun) continue
      order.excluded.push({ location: fulfillment.location, reason: exception.detail })
      this.fulfillments.takeBack(step, order, fulfillment, exception.detail, SYSTEM)
    }
  }

  private complete(step: Step, order: Order): void {
    if (order.deliveredMs === undefined || stateOf(order).progress !== 'delivered') return
    if (order.deliveredMs + this.settings.orders.returnDays * DAY_MS > step.timeMs) return
    fire(order, 'COMPLETE')
    note(order, step.timeMs, 'order.completed', SYSTEM)
  }
}
