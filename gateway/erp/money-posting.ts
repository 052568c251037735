/**
 * What each event is in accounts of money. A customer owes what was sent (invoices), no longer owes what was given back
 * (credit notes), and pays or is paid (settlements). Where an order has no payment of its own, its channel settles it.
 */
import type { Totals } from '../../actors/order/order.js'
import type { MoneyAccount } from './accounts.js'

export type Amounts = [account: MoneyAccount, amount: number][]

/** What of an order decides who settles it. */
export interface Settling {
  /** Whether a payment is known; none: its channel has settled it. */
  hasPayment: boolean
  /** Sent in exchange: paid by what came back, as it is placed. */
  isExchange: boolean
}

const withoutZeros = (amounts: Amounts): Amounts => amounts.filter(([, amount]) => amount !== 0)

/** The channel pays what is due, or gives back what is not. */
const byChannel = ({ hasPayment, isExchange }: Settling, amount: number): Amounts =>
  hasPayment || isExchange
    ? []
    : [
        ['channel_clearing', amount],
        ['receivable', -amount],
      ]

/** What was sent; below zero: lost, and to be sent again. */
export const invoiced = ({ subtotal, discount, shipping, tax, total }: Totals, settling: Settling): Amounts =>
  withoutZeros([
    ['receivable', total],
    ['discounts', discount],
    ['revenue', -subtotal],
    ['shipping_income', -shipping],
    ['tax', -tax],
    ...byChannel(settling, total),
  ])

export const captured = (amount: number): Amounts =>
  withoutZeros([
    ['cash', amount],
    ['receivable', -amount],
  ])

export const refunded = (amount: number): Amounts => captured(-amount)

/** An amount's share of tax, rounded down so that many credits never give back more tax than was taken. */
const taxIn = (amount: number, { tax, total }: Totals): number =>
  total <= 0 ? 0 : Math.min(amount, Math.floor((amount / total) * tax))

/** What is not owed any more, or was paid and is to be given back; `to`: what the customer gets. */
export function credited(
  amount: number,
  totals: Totals,
  to: 'money' | 'money_by_channel' | 'store_credit',
  settling: Settling,
): Amounts {
  const tax = taxIn(amount, totals)
  return withoutZeros([
    ['refunds', amount - tax],
    ['tax', tax],
    [to === 'store_credit' ? 'store_credit' : 'receivable', -amount],
    ...(to === 'store_credit' ? [] : byChannel({ ...settling, isExchange: false }, -amount)),
  ])
}

/** The rest of what was held for an exchange is paid out instead. */
export const exchangeRest = (amount: number, settling: Settling): Amounts =>
  withoutZeros([
    ['store_credit', amount],
    ['receivable', -amount],
    ...byChannel({ ...settling, isExchange: false }, -amount),
  ])

/** What came back pays for what is sent instead. */
export const storeCreditApplied = (amount: number): Amounts =>
  withoutZeros([
    ['store_credit', amount],
    ['receivable', -amount],
  ])
