/**
 * Makes cancellations and refunds here of a Shopify refund: units with `restock_type` cancel were never sent and are
 * cancelled; the others came back, or stay with the customer, and are told with whether they may be sold again.
 */
import { money } from '../../money.js'
import type { ChannelEvent, ChannelUnits } from '../channel.js'
import { cut } from '../order-parts.js'
import type { MoneySet, RefundPayload } from './payloads.js'
import type { ShopifySettings } from './settings.js'

type Refund = Extract<ChannelEvent, { type: 'refund' }>

/** A transaction that failed gave nothing back; one that is pending will, and nothing more is told when it has. */
const GIVEN = new Set(['success', 'pending'])

/** What the customer gets back: the money moved, or what the lines come to where it moved in another currency. */
function amountOf(refund: RefundPayload, { money: kept }: ShopifySettings): number {
  const side = kept === 'presentment' ? 'presentment_money' : 'shop_money'
  const sets = [
    ...refund.refund_line_items.flatMap(({ subtotal_set, total_tax_set }) => [subtotal_set, total_tax_set]),
    ...refund.refund_shipping_lines.map(({ subtotal_amount_set }) => subtotal_amount_set),
  ].filter((set): set is NonNullable<MoneySet> => set !== undefined)
  const currency = sets[0]?.[side].currency_code
  const moved = refund.transactions.filter(({ kind, status }) => kind === 'refund' && GIVEN.has(status ?? 'success'))
  const inOther = moved.some((one) => currency !== undefined && one.currency !== undefined && one.currency !== currency)
  if (!inOther) return moved.reduce((sum, { amount }) => sum + (amount ?? 0), 0)
  return sets.reduce((sum, set) => sum + set[side].amount, 0)
}

export function refundEvents(refund: RefundPayload, settings: ShopifySettings): ChannelEvent[] {
  const reason = cut(refund.note ?? 'refunded in the shop', 500)
  const cancelled: ChannelUnits[] = []
  const units: Refund['units'] = []
  for (const { line_item_id, quantity, restock_type, location_id, line_item } of refund.refund_line_items) {
    if (quantity === 0) continue
    const which = { lineId: line_item_id, ...(line_item?.sku ? { sku: line_item.sku } : {}), quantity }
    if (restock_type === 'cancel') cancelled.push(which)
    else {
      const restock = restock_type === undefined ? refund.restock === true : restock_type !== 'no_restock'
      units.push({ ...which, restock, ...(location_id === undefined ? {} : { location: location_id }) })
    }
  }
  const events: ChannelEvent[] = []
  if (cancelled.length > 0) events.push({ type: 'cancel', externalId: refund.order_id, reason, units: cancelled })
  const amount = amountOf(refund, settings)
  if (amount > 0 || units.length > 0) {
    const { amount: given } = money(amount, '')
    events.push({ type: 'refund', externalId: refund.order_id, refundId: refund.id, amount: given, reason, units })
  }
  return events.length > 0 ? events : [{ type: 'ignored', reason: `refund ${refund.id} gives back nothing` }]
}
