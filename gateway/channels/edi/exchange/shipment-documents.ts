/** What a partner is sent with a shipment of its order: the ship notice (856, DESADV) and the invoice (810, INVOIC). */
import type { Fulfillment } from '../../../../actors/order/order.js'
import { numberedSscc } from '../../../carriers/sscc.js'
import { money } from '../../../money.js'
import type { OperationContext } from '../../../operations/operation.js'
import type { OpenedOrder } from '../../../personal-data/opened-order.js'
import type { DocumentPackage, InvoiceDocument, ShipNoticeDocument } from '../documents.js'
import type { EdiSettings } from '../settings.js'
import { nextNumber } from './counters.js'
import { partyOf, placeParty } from './parties.js'
import { day, inTheirs, type PartnerLine, unitsOf } from './partner-lines.js'

/** Units of ours that went, by the number of the line that was ordered. */
export type Shipped = Record<string, number>

/** A kit goes as often as its component that went least. */
export function shippedUnits(order: OpenedOrder, { lines }: Fulfillment): Shipped {
  const byLine = new Map<number, number>()
  for (const { line, quantity } of lines) byLine.set(line, (byLine.get(line) ?? 0) + quantity)
  const shipped: Shipped = {}
  for (const line of order.lines) {
    if (line.parent !== undefined) continue
    const parts = order.lines.filter(({ parent }) => parent === line.number)
    const units = line.isKit
      ? Math.min(...parts.map(({ number, perParent = 1 }) => Math.floor((byLine.get(number) ?? 0) / perParent)))
      : (byLine.get(line.number) ?? 0)
    if (units > 0 && Number.isFinite(units)) shipped[line.number] = units
  }
  return shipped
}

interface Shipment {
  /** The partner's date of its order. */
  orderedOn: string
  order: OpenedOrder
  fulfillment: Fulfillment
  lines: PartnerLine[]
  shipped: Shipped
  settings: EdiSettings
  /** The document's own id: who asks for numbers. */
  id: string
  atMs: number
}

export async function shipNotice(
  { order, fulfillment, lines, shipped, settings, id, atMs, orderedOn }: Shipment,
  context: OperationContext,
): Promise<ShipNoticeDocument> {
  const known = fulfillment.packages.length > 0 ? fulfillment.packages : [undefined]
  const ssccs = await ssccsFor(known.length, id, settings, context)
  const items = lines.flatMap(({ line, lineId, sku, each }) => {
    const quantity = inTheirs(shipped[line.number] ?? 0, each)
    return quantity > 0 ? [{ lineId, sku, quantity, ordered: inTheirs(unitsOf(line, order).ordered, each) }] : []
  })
  // Nobody says which goods are in which package: they stand in the first, and the others with their marks alone.
  const packages = known.map((one, at): DocumentPackage => {
    const sscc = ssccs[at]
    return {
      ...(sscc === undefined ? {} : { sscc }),
      ...(one?.trackingNumber === undefined ? {} : { trackingNumber: one.trackingNumber }),
      ...(one === undefined || one.weightGrams === 0 ? {} : { weightGrams: one.weightGrams }),
      items: at === 0 ? items : [],
    }
  })
  const tracking = fulfillment.trackingNumber ?? known[0]?.trackingNumber
  return {
    type: 'shipNotice',
    shipment: `S${await nextNumber('shipment', id, context)}`,
    shippedAtMs: atMs,
    deliverOn: day(fulfillment.deliverByMs),
    carrier: { code: fulfillment.carrier ?? 'UNKNOWN' },
    ...(tracking === undefined ? {} : { trackingNumber: tracking }),
    shipFrom: await placeParty(fulfillment.location, context),
    shipTo: partyOf(order),
    orders: [{ purchaseOrder: order.externalId ?? order.id, date: orderedOn, packages }],
  }
}

/** One counter for each prefix, whichever partner the packages go to: numbers are ours, not a partner's. */
async function ssccsFor(
  count: number,
  id: string,
  { companyPrefix }: EdiSettings,
  context: OperationContext,
): Promise<string[]> {
  if (companyPrefix === undefined) return []
  const first = await nextNumber(`sscc/${companyPrefix}`, id, context, count)
  return Array.from({ length: count }, (_, at) => numberedSscc(companyPrefix, first + at))
}

/** `before`: units that were invoiced before, so that shares of discounts and taxes add up to what was ordered. */
export async function invoice(
  { order, lines, shipped, id, atMs, orderedOn }: Shipment,
  before: Shipped,
  isFirst: boolean,
  context: OperationContext,
): Promise<InvoiceDocument> {
  const { currency, totals } = order
  const text = (amount: number): string => money(amount, currency).amount
  let discount = 0
  const invoiced = lines.flatMap(({ line, lineId, sku, each }) => {
    const units = shipped[line.number] ?? 0
    const quantity = inTheirs(units, each)
    if (quantity === 0) return []
    const earlier = before[line.number] ?? 0
    const share = (amount: number): number =>
      shareUpTo(amount, earlier + units, line.quantity) - shareUpTo(amount, earlier, line.quantity)
    discount += share(line.discount)
    const taxes = line.taxes.map(({ name, amount }) => ({ name, amount: text(share(amount)) }))
    return [{ lineId, sku, quantity, unitPrice: text(line.unitPrice * each), ...(taxes.length > 0 ? { taxes } : {}) }]
  })
  const whole = wholeOrderShares(order, shipped, before)
  discount += whole.discount
  return {
    type: 'invoice',
    number: `I${await nextNumber('invoice', id, context)}`,
    date: day(atMs),
    purchaseOrder: order.externalId ?? order.id,
    purchaseOrderDate: orderedOn,
    currency,
    shippedOn: day(atMs),
    shipTo: partyOf(order),
    lines: invoiced,
    ...(discount > 0 ? { discount: text(discount) } : {}),
    ...(whole.tax > 0 ? { taxes: [{ name: 'Tax', amount: text(whole.tax) }] } : {}),
    // Carriage is on the first invoice of an order, whole.
    ...(isFirst && totals.shipping > 0 ? { shipping: text(totals.shipping) } : {}),
  }
}

/** The invoice's part of what stands on the order alone, by the worth of the goods: discounts and taxes of no line. */
function wholeOrderShares(
  { lines, totals }: OpenedOrder,
  shipped: Shipped,
  before: Shipped,
): { discount: number; tax: number } {
  const own = lines.filter(({ parent }) => parent === undefined)
  const sum = (of: (line: OpenedOrder['lines'][number]) => number): number => own.reduce((all, one) => all + of(one), 0)
  const worth = (units: Shipped): number => sum(({ number, unitPrice }) => unitPrice * (units[number] ?? 0))
  const all = sum(({ unitPrice, quantity }) => unitPrice * quantity)
  const earlier = worth(before)
  const share = (amount: number): number =>
    amount > 0 ? shareUpTo(amount, earlier + worth(shipped), all) - shareUpTo(amount, earlier, all) : 0
  return {
    discount: share(totals.discount - sum((line) => line.discount)),
    tax: share(totals.tax - sum(({ taxes }) => taxes.reduce((tax, { amount }) => tax + amount, 0))),
  }
}

const CENT = 100

/** The part of an amount that the first units, or so much of the worth, have, in whole cents; all of it where they are all. */
function shareUpTo(amount: number, units: number, of: number): number {
  if (units >= of) return amount
  return Number((BigInt(amount) * BigInt(units)) / (BigInt(of) * BigInt(CENT))) * CENT
}
