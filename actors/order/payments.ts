/**
 * Money of an order: what is authorized, captured and refunded, and what a payment provider is to do next. The provider
 * itself is a port of the gateway; what it is asked is kept here until it has answered, under a key that makes asking
 * twice harmless.
 */
import type { Step } from '../../engine/actors.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { readDocument, writeDocument } from '../documents.js'
import { problem } from '../outcomes.js'
import { minorUnit } from './currency.js'
import { partsOf, unitsIn } from './lines.js'
import type { Fulfillment, Line, Order, Payment } from './order.js'
import type { OrderEventType } from './order-machine.js'
import { orderStatus, stateOf } from './order-status.js'
import { can, fire, invalidTransition, note } from './transitions.js'

export const PAYMENT_EVENTS = ['authorized', 'captured', 'failed', 'voided', 'refunded'] as const
export type PaymentEvent = (typeof PAYMENT_EVENTS)[number]

export interface PaymentTask {
  /** Idempotency key towards the provider. */
  key: string
  order: string
  provider: string
  action: 'authorize' | 'capture' | 'void' | 'refund'
  amount: number
  currency: string
  reference: string
}

const EVENT_TYPES: Record<PaymentEvent, OrderEventType> = {
  authorized: 'PAYMENT_AUTHORIZED',
  captured: 'PAYMENT_CAPTURED',
  failed: 'PAYMENT_FAILED',
  voided: 'PAYMENT_VOIDED',
  refunded: 'PAYMENT_REFUNDED',
}

const QUEUE = 'payment-task'
const taskKey = (key: string): string => `payment-task/${key}`

export class Payments {
  constructor(private readonly store: Store) {}

  /** Something happened to the money; what it was is refused where it cannot be. */
  happened(
    step: Step,
    order: Order,
    { event, amount, reference, by }: { event: PaymentEvent; amount: number; reference: string; by: string },
  ): Outcome | undefined {
    const type = EVENT_TYPES[event]
    if (!can(order, type)) {
      const { payment } = stateOf(order)
      return invalidTransition(
        `The payment of order ${order.id} is ${payment}; it cannot be ${event} now.`,
        orderStatus(order),
        Object.entries(EVENT_TYPES).flatMap(([name, other]) => (can(order, other) ? [name] : [])),
      )
    }
    order.payment ??= {
      provider: 'elsewhere',
      amount: 0,
      reference: '',
      authorized: 0,
      captured: 0,
      requested: 0,
      refunded: 0,
      refundRequested: 0,
    }
    const { payment } = order
    if (event === 'refunded' && payment.refunded + amount > payment.captured) {
      return problem(409, 'refund_too_large', 'More would be refunded than was captured.')
    }
    if (event === 'authorized') payment.authorized = amount
    if (event === 'captured') {
      payment.captured += amount
      payment.requested = Math.max(0, payment.requested - amount)
    }
    if (event === 'refunded') {
      payment.refunded += amount
      payment.refundRequested = Math.max(0, payment.refundRequested - amount)
    }
    if (reference !== '') payment.reference = reference
    fire(order, type)
    note(order, step.timeMs, `payment.${event}`, by, reference === '' ? undefined : reference)
    step.publish(`payment.${event}`, `order/${order.id}`, {
      order: order.id,
      amount,
      currency: order.currency,
      reference,
    })
    return undefined
  }

  /** A new order's payment, if the provider is ours to ask. */
  begin(order: Order): void {
    if (stateOf(order).payment === 'pending') this.ask(order, 'authorize', order.totals.total, 'authorize')
  }

  /** What is shipped is captured, in proportion to the goods; the last parcel takes what is left of what is not cancelled. */
  shipped(_step: Step, order: Order, { number, lines }: Fulfillment): void {
    const { payment } = order
    if (!payment || stateOf(order).payment === 'settled') return
    const left = payable(order) - payment.captured - payment.requested
    if (left <= 0) return
    const isLast = order.lines.every(
      (line) =>
        line.units.length === 0 ||
        ['open', 'backordered', 'allocated', 'picking'].every((state) => unitsIn(line, state as 'open') === 0),
    )
    const goods = lines.reduce((sum, { line, quantity }) => {
      const ordered = order.lines[line - 1]!
      return sum + ordered.unitPrice * quantity
    }, 0)
    const amount = isLast ? left : Math.min(left, shareOf(order, goods))
    if (amount > 0) this.ask(order, 'capture', amount, `capture-${number}`)
  }

  /** The order is over without having been shipped: what is authorized is let go, what was captured is given back. */
  cancelled(order: Order): void {
    const { payment } = order
    if (!payment) return
    const state = stateOf(order).payment
    if (state === 'authorized' || state === 'pending') this.ask(order, 'void', payment.authorized, 'void')
    const left = payment.captured - payment.refunded - payment.refundRequested
    if ((state === 'captured' || state === 'refunded') && left > 0) this.ask(order, 'refund', left, refundKey(payment))
  }

  /** A part of it is cancelled: what was captured for it is given back. */
  reduced(order: Order): void {
    const { payment } = order
    if (!payment) return
    const taken = payment.captured - payment.refunded - payment.refundRequested
    // Credits may have given more than is left to pay, and no more can be given back than was taken.
    const left = Math.min(taken, taken - (payable(order) - givenBack(order)))
    if (left > 0) this.ask(order, 'refund', left, refundKey(payment))
  }

  /** Asks for money to be given back. */
  refund(order: Order, amount: number, key: string): void {
    this.ask(order, 'refund', amount, key)
  }

  private ask(order: Order, action: PaymentTask['action'], amount: number, key: string): void {
    const { payment } = order
    if (!payment || payment.provider === 'elsewhere') return
    const task: PaymentTask = {
      key: `${order.id}/${key}`,
      order: order.id,
      provider: payment.provider,
      action,
      amount,
      currency: order.currency,
      reference: payment.reference,
    }
    if (readDocument(this.store, taskKey(task.key))) return
    writeDocument(this.store, taskKey(task.key), task)
    this.store.indexPut(QUEUE, task.key)
    if (action === 'capture') payment.requested += amount
    if (action === 'refund') payment.refundRequested += amount
  }

  /** What providers are still to do. Money is given back behind the capture that takes it. */
  queue(limit: number): PaymentTask[] {
    const keys = this.store.indexRange(QUEUE, undefined, limit).map((key) => this.captureBefore(key) ?? key)
    return [...new Set(keys)].map((key) => readDocument<PaymentTask>(this.store, taskKey(key))!)
  }

  /** The capture of the same order that is to be done before a refund. */
  private captureBefore(key: string): string | undefined {
    const { order, action } = readDocument<PaymentTask>(this.store, taskKey(key))!
    if (action !== 'refund') return undefined
    const captures = `${order}/capture-`
    // The last that begins like this: no key of a task lies between it and the prefix with a higher last character.
    const [last] = this.store.indexRange(QUEUE, `${order}/capture.`, 1)
    return last?.startsWith(captures) ? last : undefined
  }

  /** A task whose document came from another partition. */
  adopt(key: string): void {
    this.store.indexPut(QUEUE, key)
  }

  /** A provider has done a task, or said that it will not. */
  done(key: string): PaymentTask | undefined {
    const task = readDocument<PaymentTask>(this.store, taskKey(key))
    if (!task) return undefined
    this.store.delete(taskKey(key))
    this.store.indexDelete(QUEUE, key)
    return task
  }
}

/** What a provider can give back: what it has taken, or is about to, less what it has given or is about to give. */
export const refundable = ({ captured, requested, refunded, refundRequested }: Payment): number =>
  captured + requested - refunded - refundRequested

/** What was given back for other reasons than that it was cancelled. */
function givenBack({ credits, returns = [] }: Order): number {
  const credited = credits.reduce((sum, { amount }) => sum + amount, 0)
  const refunds = returns.flatMap((one) => one.refunds).filter(({ by }) => by === 'provider')
  return refunds.reduce((sum, { amount }) => sum + amount, credited)
}

/** What an order's customer is to pay: the total without the share of what is cancelled. */
export const payable = (order: Order): number => order.totals.total - shareOf(order, cancelledGoods(order))

/** The share of the total (discounts, shipping and tax in it) that some of the goods have, as it can be paid. */
function shareOf({ totals, currency }: Order, goods: number): number {
  const unit = minorUnit(currency)
  return Math.round(((goods / Math.max(1, totals.subtotal)) * totals.total) / unit) * unit
}

/** A new refund has a key of its own; asked twice for the same money it is the same. */
const refundKey = ({ refunded, refundRequested }: Payment): string => `refund-${refunded + refundRequested}`

/** What is cancelled of the goods, by their prices; of a kit, whole ones. */
function cancelledGoods(order: Order): number {
  const cancelled = (line: Line): number => {
    if (!line.isKit) return unitsIn(line, 'cancelled')
    return Math.min(...partsOf(order, line).map((part) => Math.floor(cancelled(part) / part.perParent!)))
  }
  return order.lines.reduce((sum, line) => sum + (line.unitPrice === 0 ? 0 : line.unitPrice * cancelled(line)), 0)
}
