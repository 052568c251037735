/** What is done to orders that have been taken: held, resumed, paid for, credited, sourced again, woken, forgotten. */
import type { Step } from '../../engine/actors.js'
import type { Outcome } from '../../engine/protocol.js'
import { WAITING_RETRY_MS } from '../limits.js'
import { ok, problem } from '../outcomes.js'
import { leftToGive } from '../return/refunds.js'
import { changeable, unknownOrder, type Wish } from './changeable.js'
import type { ExceptionBook } from './exceptions.js'
import { unmet } from './lines.js'
import type { OrderSourcing } from './order-sourcing.js'
import { stateOf } from './order-status.js'
import type { OrderStore } from './order-store.js'
import { type PaymentEvent, type Payments, refundable } from './payments.js'
import type { StockDesk } from './stock-desk.js'
import { can, fire, invalidTransition, note, refusedTransition, timelineIsFull } from './transitions.js'

/** `event`: the carrier's id of it. */
export interface TrackingNote {
  id: string
  event: string
  type: string
  by: string
  trackingNumber: string
  fulfillment?: string
  return?: string
  reason?: string
}

export class Orders {
  constructor(
    readonly orders: OrderStore,
    private readonly desk: StockDesk,
    private readonly sourcing: OrderSourcing,
    private readonly payments: Payments,
    private readonly exceptions: ExceptionBook,
  ) {}

  hold(step: Step, { id, by, reason }: Wish): Outcome {
    const order = changeable(this.orders, id)
    if ('status' in order) return order
    const { progress } = stateOf(order)
    if (['cancelled', 'rejected', 'completed', 'delivered', 'shipped'].includes(progress) || !can(order, 'HOLD')) {
      return refusedTransition(order, 'held')
    }
    fire(order, 'HOLD')
    order.holds.push({ reason, by, sinceMs: step.timeMs })
    note(order, step.timeMs, 'order.on_hold', by, reason)
    return ok({ order: id })
  }

  /** Takes all holds off, or the one with this reason. */
  resume(step: Step, { id, by, reason }: Wish & { hold?: string }): Outcome {
    const order = changeable(this.orders, id)
    if ('status' in order) return order
    if (!can(order, 'RESUME')) return refusedTransition(order, 'resumed')
    fire(order, 'RESUME')
    order.holds = []
    note(order, step.timeMs, 'order.resumed', by, reason)
    this.sourcing.begin(step, order)
    return ok({ order: id })
  }

  /** Its customer's key is destroyed: what told of the person besides is forgotten, too. */
  forget(step: Step, { id, by, reason }: Wish): Outcome {
    const order = this.orders.change(id)
    if (!order) return unknownOrder(id)
    const { person } = order.customer
    const nothing = new Uint8Array(0)
    this.orders.refind(order, { customer: { person, sealed: nothing, keys: [] }, search: [] })
    order.shipTo = { ...order.shipTo, sealed: nothing }
    delete order.notes
    // A keyed hash of the address: whoever has the vault could tell whose it was.
    delete order.buyer
    for (const line of order.lines) {
      delete line.note
      if (line.gift) line.gift = {}
    }
    note(order, step.timeMs, 'order.personal_data_erased', by, reason)
    return ok({ order: id })
  }

  /** Ends the remorse window before its time. */
  release(step: Step, { id, by, reason }: Wish): Outcome {
    const order = changeable(this.orders, id)
    if ('status' in order) return order
    if (stateOf(order).progress !== 'received') return refusedTransition(order, 'released')
    order.releaseMs = Math.min(order.releaseMs, step.timeMs)
    note(order, step.timeMs, 'order.released', by, reason)
    this.sourcing.begin(step, order)
    return ok({ order: id })
  }

  pay(
    step: Step,
    wish: { id: string; key?: string; event: PaymentEvent; amount: number; reference: string; by: string },
  ): Outcome {
    const order = changeable(this.orders, wish.id)
    if ('status' in order) return order
    const refused = this.payments.happened(step, order, wish)
    if (refused) return refused
    this.sourcing.begin(step, order)
    return ok({ order: wish.id })
  }

  /** A provider has answered. */
  paid(
    step: Step,
    { key, done, reference, detail }: { key: string; done: boolean; reference: string; detail: string },
  ): Outcome {
    const task = this.payments.done(key)
    const order = task && this.orders.change(task.order)
    if (!task || !order) return ok({ known: false })
    const events = { authorize: 'authorized', capture: 'captured', void: 'voided', refund: 'refunded' } as const
    const event = done ? events[task.action] : task.action === 'authorize' ? 'failed' : undefined
    if (event) this.payments.happened(step, order, { event, amount: task.amount, reference, by: task.provider })
    else {
      note(order, step.timeMs, `payment.${task.action}_refused`, task.provider, detail)
      order.holds.push({ reason: `payment ${task.action} refused`, by: task.provider, sinceMs: step.timeMs })
      fire(order, 'HOLD')
    }
    this.sourcing.begin(step, order)
    return ok({ known: true })
  }

  /** An appeasement after the sale: a credit that is paid back where money was taken. */
  credit(step: Step, { id, by, reason, amount }: Wish & { amount: number }): Outcome {
    const order = changeable(this.orders, id)
    if ('status' in order) return order
    if (!can(order, 'CREDIT')) return refusedTransition(order, 'credited')
    if (amount > leftToGive(order)) {
      return problem(409, 'credit_too_large', 'More would be given back than the customer pays for the order.')
    }
    fire(order, 'CREDIT')
    order.credits.push({ amount, reason, atMs: step.timeMs, by })
    note(order, step.timeMs, 'order.credited', by, reason)
    step.publish('order.credited', `order/${id}`, { order: id, amount, currency: order.currency, reason })
    if (order.payment && refundable(order.payment) >= amount) {
      this.payments.refund(order, amount, `credit-${order.credits.length}`)
    }
    return ok({ order: id })
  }

  /** Tries to source again what is open or waits, with all locations that were left out so far. */
  sourceAgain(step: Step, { id, by, reason }: Wish): Outcome {
    const order = changeable(this.orders, id)
    if ('status' in order) return order
    if (!this.sourcing.isDue(order, step.timeMs)) return refusedTransition(order, 'sourced')
    order.excluded = order.excluded.filter(({ reason: why }) => why === 'rule')
    note(order, step.timeMs, 'order.source_again', by, reason)
    this.sourcing.begin(step, order)
    return ok({ order: id })
  }

  /** Somebody takes care of an exception, or says that it is over. */
  handleException(
    step: Step,
    { id, number, action, by, reason }: Wish & { number: number; action: 'acknowledge' | 'resolve' },
  ): Outcome {
    const order = changeable(this.orders, id)
    if ('status' in order) return order
    const exception = order.exceptions[number - 1]
    if (!exception) return problem(404, 'unknown_exception', `There is no exception ${id}-${number}.`)
    if (exception.status === 'resolved') {
      return invalidTransition(`Exception ${id}-${number} is resolved already.`, exception.status, [])
    }
    if (action === 'resolve') this.exceptions.close(step, order, exception, by, reason)
    else {
      exception.status = 'acknowledged'
      exception.by = by
      note(order, step.timeMs, 'exception.acknowledged', by, reason)
    }
    return ok({ order: id, number })
  }

  /** A carrier has told something of a parcel: it is noted and published once for each event, whoever repeats it. */
  trackingNoted(step: Step, { id, event, type, by, ...about }: TrackingNote): Outcome {
    const order = this.orders.change(id)
    if (!order) return unknownOrder(id)
    const isKnown = order.timeline.some((entry) => entry.type === `tracking.${type}` && entry.detail === event)
    const refused = isKnown ? ok({ order: id }) : timelineIsFull(order)
    if (refused) return refused
    note(order, step.timeMs, `tracking.${type}`, by, event)
    step.publish(`tracking.${type}`, `order/${id}`, { order: id, ...about })
    return ok({ order: id })
  }

  /** There was no place for it on a waiting list: nothing will wake it, so it asks again by itself. */
  waitingRefused(step: Step, id: string): void {
    const order = this.orders.change(id)
    if (order?.lines.some((line) => unmet(line) > 0)) order.retryMs = step.timeMs + WAITING_RETRY_MS
  }

  /** Stock has come for what it waits for: it is told, once it has taken what it can. */
  wake(step: Step, { id, sku }: { id: string; sku: number }): void {
    const order = this.orders.get(id)
    if (!order || !(order.saga || this.sourcing.isDue(order, step.timeMs))) {
      this.desk.answer(step, sku, id)
      return
    }
    const woken = this.orders.change(id)!
    woken.wokenFor = [...new Set([...(woken.wokenFor ?? []), sku])]
    this.sourcing.begin(step, woken)
    if (!woken.saga) this.sourcing.answerWakes(step, woken)
  }
}
