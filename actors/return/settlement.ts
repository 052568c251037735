/**
 * What the customer gets for units that came back and passed: money by the payment provider or by whoever took it, store
 * credit, or new goods. Each unit is settled once, as soon as somebody has looked at it.
 */
import type { Step } from '../../engine/actors.js'
import { minorUnit } from '../order/currency.js'
import type { Order } from '../order/order.js'
import { type Payments, refundable } from '../order/payments.js'
import type { Settings } from '../order/settings.js'
import { note, SYSTEM } from '../order/transitions.js'
import type { OrderReturn, ReturnRefund } from './order-return.js'
import { leftToGive, paidFor, settledUnits, shippingRefund } from './refunds.js'

export class Settlement {
  constructor(
    private readonly payments: Payments,
    private readonly settings: Settings,
  ) {}

  /** Settles units that were looked at since the last time. */
  settle(step: Step, order: Order, found: OrderReturn): void {
    const returns = order.returns ?? []
    let gross = 0
    let fee = 0
    for (const [at, line] of found.lines.entries()) {
      const passed = found.pieces.reduce(
        (sum, piece) => sum + (piece.at === at && piece.disposition && !piece.isRefused ? piece.quantity : 0),
        0,
      )
      if (passed <= line.settled) continue
      const before = paidFor(order, settledUnits(returns))
      line.settled = passed
      const value = paidFor(order, settledUnits(returns)) - before
      gross += value
      fee += value * line.fee
    }
    if (gross === 0) return
    const unit = minorUnit(order.currency)
    fee = Math.round(fee / unit) * unit
    const label = this.labelCost(found, gross - fee)
    found.labelCharged += label
    const shipping = shippingRefund(order, returns, this.settings.orders.returns)
    // A credit after the sale, or an earlier return, may have given a part of it already.
    this.give(step, order, found, Math.min(gross - fee - label + shipping, leftToGive(order)), fee + label)
  }

  /** What is left of an exchange goes back to the customer. */
  close(step: Step, order: Order, found: OrderReturn): void {
    if (found.resolution !== 'exchange' || !found.exchange) return
    const left = keptForExchange(found) - found.exchange.total
    if (left > 0) this.pay(step, order, found, left, 0, true)
  }

  /** The customer's label is paid for once, out of what is given; not where it was brought by hand instead. */
  private labelCost({ payer, label, labelCharged, cameByLabel }: OrderReturn, most: number): number {
    if (payer !== 'customer' || !label || !cameByLabel) return 0
    return Math.min(most, label.cost - labelCharged)
  }

  private give(step: Step, order: Order, found: OrderReturn, amount: number, fee: number): void {
    if (amount <= 0) return
    switch (found.resolution) {
      case 'refund':
        this.pay(step, order, found, amount, fee)
        break
      case 'store_credit':
        this.keep(step, order, found, { amount, fee, by: 'store_credit', atMs: step.timeMs })
        step.publish('store_credit.issued', `order/${order.id}`, {
          order: order.id,
          return: found.id,
          amount,
          currency: order.currency,
        })
        break
      case 'exchange':
        // What the new goods cost has been settled with their order.
        if (found.exchange?.order !== undefined) this.pay(step, order, found, amount, fee)
        else this.keep(step, order, found, { amount, fee, by: 'exchange', atMs: step.timeMs })
        break
      // New goods for old ones, or settled where it was bought.
      case 'warranty':
      case 'none':
        break
    }
  }

  /** Our provider gives back what it took; for the rest, whoever took the money is told. */
  private pay(step: Step, order: Order, found: OrderReturn, amount: number, fee: number, isRest = false): void {
    const { payment } = order
    const ours = payment && payment.provider !== 'elsewhere' ? Math.min(amount, refundable(payment)) : 0
    if (ours > 0) {
      this.payments.refund(order, ours, `return-${found.number}-${found.refunds.length + 1}`)
      this.keep(step, order, found, { amount: ours, fee, by: 'provider', atMs: step.timeMs }, isRest)
    }
    if (ours === amount) return
    const rest = amount - ours
    const refund: ReturnRefund = { amount: rest, fee: ours > 0 ? 0 : fee, by: 'channel', atMs: step.timeMs }
    this.keep(step, order, found, refund, isRest)
    step.publish('refund.due', `order/${order.id}`, {
      order: order.id,
      return: found.id,
      amount: rest,
      currency: order.currency,
      channel: order.channel,
    })
  }

  private keep(step: Step, order: Order, found: OrderReturn, refund: ReturnRefund, isRest = false): void {
    found.refunds.push(isRest ? { ...refund, isRest } : refund)
    note(order, step.timeMs, `return.settled`, SYSTEM, `${found.id}: ${refund.by}`)
    step.publish('return.settled', `order/${order.id}`, {
      order: order.id,
      return: found.id,
      amount: refund.amount,
      fee: refund.fee,
      by: refund.by,
      currency: order.currency,
      // No new credit.
      ...(isRest ? { isRest } : {}),
    })
  }
}

/** What came back is worth for the new goods. */
export const keptForExchange = ({ refunds }: OrderReturn): number =>
  refunds.reduce((sum, { by, amount }) => sum + (by === 'exchange' ? amount : 0), 0)
