/**
 * What is given back for units that came back: their share of what was paid, discounts and taxes in it. It is worked out as
 * the difference of two totals, so that many returns of one order never add up to more than all of it at once.
 */
import { minorUnit } from '../order/currency.js'
import { partsOf, unitsIn } from '../order/lines.js'
import type { Line, Order } from '../order/order.js'
import { payable } from '../order/payments.js'
import type { OrderReturn } from './order-return.js'
import { type ReturnPolicy, reasonPolicy } from './return-policy.js'

/** Units of each line that were settled, by line number. */
export function settledUnits(returns: readonly OrderReturn[]): Map<number, number> {
  const units = new Map<number, number>()
  for (const { lines } of returns) {
    for (const { line, settled } of lines) units.set(line, (units.get(line) ?? 0) + settled)
  }
  return units
}

/** What was paid for the units, shipping left out; in whole minor units of the currency, rounded down. */
export function paidFor(order: Order, units: ReadonlyMap<number, number>): number {
  const { totals } = order
  let goods = 0
  let own = 0
  let lineDiscounts = 0
  let lineTaxes = 0
  for (const line of order.lines) {
    const tax = line.taxes.reduce((sum, { amount }) => sum + amount, 0)
    lineDiscounts += line.discount
    lineTaxes += tax
    const share = Math.min(1, wholeUnits(order, line, units) / line.quantity)
    goods += share * line.unitPrice * line.quantity
    own += share * (line.unitPrice * line.quantity - line.discount + tax)
  }
  // What was taken off, or taxed, on the whole order belongs to each line by its goods.
  const onTheWhole = totals.tax - lineTaxes - (totals.discount - lineDiscounts)
  const value = own + (totals.subtotal === 0 ? 0 : (goods / totals.subtotal) * onTheWhole)
  return wholeUnitsOf(value, minorUnit(order.currency))
}

/** Units of a line that are whole: of a kit, as many as all of its components allow. */
function wholeUnits(order: Order, line: Line, units: ReadonlyMap<number, number>): number {
  if (!line.isKit) return units.get(line.number) ?? 0
  return Math.min(...partsOf(order, line).map((part) => Math.floor((units.get(part.number) ?? 0) / part.perParent!)))
}

/**
 * What shipping cost the customer, once every unit that was not cancelled has come back for reasons that give it back. The
 * share of what was cancelled was not paid.
 */
export function shippingRefund(order: Order, returns: readonly OrderReturn[], policy: ReturnPolicy): number {
  const lines = returns.flatMap((one) => one.lines).filter(({ settled }) => settled > 0)
  const settled = settledUnits(returns)
  const isWholeBack = order.lines.every(
    (line) => line.isKit || (settled.get(line.number) ?? 0) + unitsIn(line, 'cancelled') >= line.quantity,
  )
  const isOurFault = lines.every(({ reason }) => reasonPolicy(policy, reason).refundsShipping === true)
  if (!isWholeBack || !isOurFault) return 0
  const { totals, currency } = order
  const paid = totals.total === 0 ? 0 : (payable(order) / totals.total) * totals.shipping
  return wholeUnitsOf(paid, minorUnit(currency))
}

const givenFor = ({ refunds }: OrderReturn): number =>
  refunds.reduce((sum, { isRest, amount }) => sum + (isRest ? 0 : amount), 0)

/** What may still be given back, for whatever reason, before that is more than the customer paid. */
export function leftToGive(order: Order): number {
  const credited = order.credits.reduce((sum, { amount }) => sum + amount, 0)
  const given = (order.returns ?? []).reduce((sum, one) => sum + givenFor(one), credited)
  return Math.max(0, payable(order) - given)
}

/** Rounded down; sums of shares in floating point come out a hair below what they are. */
const wholeUnitsOf = (value: number, unit: number): number => Math.max(0, Math.floor(value / unit + 1e-6) * unit)
