/**
 * What an order's customer owes for what has been sent, by the parts of the price. It is worked out for all that is sent so
 * far and less what was invoiced before, in proportion to the goods as payments are captured (payments.ts), so that many
 * parcels come to exactly what the whole order costs.
 */
import { minorUnit } from './currency.js'
import { partsOf, unitsIn } from './lines.js'
import type { Line, Order, Totals } from './order.js'
import { payable } from './payments.js'

const SENT = ['shipped', 'delivered', 'returned'] as const
const NOT_SENT = ['open', 'backordered', 'allocated', 'picking'] as const

/** What is to be invoiced since the last time (below zero: lost, and to be sent again), and remembers it as invoiced. */
export function invoice(order: Order): Totals {
  const before = order.invoiced ?? { subtotal: 0, discount: 0, shipping: 0, tax: 0, total: 0 }
  const now = invoiceable(order)
  order.invoiced = now
  return {
    subtotal: now.subtotal - before.subtotal,
    discount: now.discount - before.discount,
    shipping: now.shipping - before.shipping,
    tax: now.tax - before.tax,
    total: now.total - before.total,
  }
}

function invoiceable(order: Order): Totals {
  const { totals, currency, lines } = order
  const unit = minorUnit(currency)
  const sent = lines.reduce((sum, line) => sum + line.unitPrice * sentUnits(order, line), 0)
  const isAllSent = lines.every((line) => line.isKit || NOT_SENT.every((state) => unitsIn(line, state) === 0))
  const share = sent / Math.max(1, totals.subtotal)
  const part = (amount: number): number => Math.round((share * amount) / unit) * unit
  const isWhole = isAllSent && sent === totals.subtotal
  if (isWhole) return { ...totals }
  const total = isAllSent ? payable(order) : part(totals.total)
  const parts = {
    subtotal: sent,
    discount: part(totals.discount),
    shipping: part(totals.shipping),
    tax: part(totals.tax),
  }
  // Parts that are rounded one by one may be a penny off what they should come to.
  const off = total - (parts.subtotal - parts.discount + parts.shipping + parts.tax)
  if (totals.shipping > 0) parts.shipping += off
  else if (totals.discount > 0) parts.discount -= off
  else if (totals.tax > 0) parts.tax += off
  else parts.subtotal += off
  return { ...parts, total }
}

/** Of a kit, as many as all of its components allow. */
function sentUnits(order: Order, line: Line): number {
  if (!line.isKit) return SENT.reduce((sum, state) => sum + unitsIn(line, state), 0)
  return Math.min(...partsOf(order, line).map((part) => Math.floor(sentUnits(order, part) / part.perParent!)))
}
