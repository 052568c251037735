/**
 * Makes an order here of a Shopify order. Where the shop’s prices include tax, unit prices are made net and the tax shown
 * beside them, so that the total is what the customer paid; shipping carries its own tax. Gift cards and what is not
 * shipped are left out of lines and money and named in the notes: there is nothing to source for them.
 */
import { money } from '../../money.js'
import type { ChannelOrder } from '../channel.js'
import { mapped } from '../connection-settings.js'
import { lineMoney, share, spread } from '../line-money.js'
import {
  checkedOrder,
  customerOf,
  fullName,
  type LineParts,
  lineNote,
  notesOf,
  orderLine,
  shipToOf,
  skuOf,
  totalOf,
} from '../order-parts.js'
import { Faults } from '../payload.js'
import type { Address, LineItem, MoneySet, OrderPayload } from './payloads.js'
import type { ShopifySettings } from './settings.js'

const ADDRESS_FIELDS = { line1: 'address1', city: 'city', country: 'country_code', postalCode: 'zip' }

/** Fulfillments that came to nothing. */
const VOID_FULFILLMENTS = new Set(['cancelled', 'error', 'failure'])

/** Reads amounts in the currency that the connection keeps orders in. */
class Amounts {
  readonly currency: string
  private readonly side: 'shop_money' | 'presentment_money'

  private isShort = false

  constructor(
    order: OrderPayload,
    { money: kept }: ShopifySettings,
    private readonly faults: Faults,
  ) {
    const inPresentment = kept === 'presentment' && order.presentment_currency !== undefined
    this.currency = (inPresentment ? order.presentment_currency : undefined) ?? order.currency
    this.side = inPresentment ? 'presentment_money' : 'shop_money'
  }

  of(plain: number, set: MoneySet): number
  of(plain: number | undefined, set: MoneySet): number | undefined
  of(plain: number | undefined, set: MoneySet): number | undefined {
    if (set !== undefined) return set[this.side].amount
    // A plain amount is in the shop’s currency; among the customer’s it would be a wrong one.
    if (this.side === 'presentment_money' && plain && !this.isShort) {
      this.isShort = true
      this.faults.add('presentment_currency', `an amount is not told in ${this.currency}`)
    }
    return plain
  }

  sum(parts: { amount: number; amount_set: MoneySet }[]): number {
    return parts.reduce((total, { amount, amount_set }) => total + this.of(amount, amount_set), 0)
  }

  tax(lines: LineItem['tax_lines']): { name: string; rate?: number; amount: number }[] {
    return lines.map(({ title, rate, price, price_set }) => ({
      name: title ?? 'Tax',
      ...(rate == null ? {} : { rate }),
      amount: this.of(price, price_set),
    }))
  }
}

const sumOf = (taxes: { amount: number }[]): number => taxes.reduce((sum, { amount }) => sum + amount, 0)

/**
 * Units of the line that are wanted: those sent and those still to be sent. What an edit or a refund took off before it was
 * sent is not in it; what was sent and came back is, since it was part of the order.
 */
function wantedUnits(line: LineItem, sent: number): number {
  const { quantity, current_quantity: current, fulfillable_quantity: open } = line
  if (open === undefined && current === undefined) return quantity
  return Math.min(quantity, Math.max(current ?? 0, open === undefined ? 0 : open + sent))
}

function sentUnits(order: OrderPayload): Map<string, number> {
  const sent = new Map<string, number>()
  for (const { status, line_items } of order.fulfillments) {
    if (status !== undefined && VOID_FULFILLMENTS.has(status)) continue
    for (const { id, quantity } of line_items) sent.set(id, (sent.get(id) ?? 0) + quantity)
  }
  return sent
}

interface StatedGoods {
  at: number
  item: LineItem
  wanted: number
  amount: number
  discount: number
  taxes: { name: string; rate?: number; amount: number }[]
}

interface Goods {
  goods: StatedGoods[]
  /** Named in the notes, with what the customer pays for them: ten-thousandths. */
  leftOut: { name: string; paid: number }[]
}

function goodsOf(order: OrderPayload, amounts: Amounts): Goods {
  const sent = sentUnits(order)
  const found: Goods = { goods: [], leftOut: [] }
  order.line_items.forEach((item, at) => {
    const wanted = wantedUnits(item, sent.get(item.id) ?? 0)
    if (wanted === 0) return
    // Discounts and taxes are told for the quantity first ordered.
    const scaled = (amount: number): number =>
      wanted === item.quantity ? amount : share(amount, wanted, item.quantity)
    const amount = amounts.of(item.price, item.price_set) * wanted
    const allocated = amounts.sum(item.discount_allocations)
    const discount = scaled(allocated > 0 ? allocated : amounts.of(item.total_discount, item.total_discount_set))
    const taxes = amounts.tax(item.tax_lines).map((tax) => ({ ...tax, amount: scaled(tax.amount) }))
    if (item.gift_card || item.requires_shipping === false) {
      const tax = order.taxes_included ? 0 : sumOf(taxes)
      found.leftOut.push({ name: `${wanted} × ${item.title ?? item.sku ?? item.id}`, paid: amount - discount + tax })
    } else found.goods.push({ at, item, wanted, amount, discount, taxes })
  })
  return found
}

function shippingOf(order: OrderPayload, amounts: Amounts, faults: Faults): { paid: number; tax: number } {
  let paid = 0
  let tax = 0
  order.shipping_lines.forEach((line, at) => {
    if (line.is_removed) return
    const full = amounts.of(line.price, line.price_set)
    const allocated = amounts.sum(line.discount_allocations)
    const discounted = amounts.of(line.discounted_price, line.discounted_price_set)
    const net = allocated === 0 && discounted !== undefined ? discounted : full - allocated
    if (net < 0) faults.add(`shipping_lines.${at}.discount_allocations`, 'larger than the price')
    const due = sumOf(amounts.tax(line.tax_lines))
    tax += due
    paid += net + (order.taxes_included ? 0 : due)
  })
  return { paid, tax }
}

const coordinate = (value: string | number | null | undefined): number | undefined =>
  value == null || value === '' ? undefined : Number(value)

const stated = (address: Address) => ({
  name: address.name ?? fullName(address.first_name, address.last_name),
  company: address.company,
  line1: address.address1,
  line2: address.address2,
  city: address.city,
  region: address.province,
  postalCode: address.zip,
  country: address.country_code,
  latitude: coordinate(address.latitude),
  longitude: coordinate(address.longitude),
})

type Whereto = Pick<ChannelOrder, 'shipTo' | 'delivery'>

/** An order without a shipping address is collected where it was placed, or else goes to whoever pays. */
function whereto(order: OrderPayload, settings: ShopifySettings, faults: Faults): Whereto | undefined {
  const { shipping_address: shipping, billing_address: billing } = order
  if (shipping) return { shipTo: shipToOf(stated(shipping), 'shipping_address', ADDRESS_FIELDS, faults) }
  const location = mapped(settings.locations, order.location_id)
  const delivery = location === undefined ? {} : { delivery: { method: 'pickup' as const, location } }
  if (billing) return { shipTo: shipToOf(stated(billing), 'billing_address', ADDRESS_FIELDS, faults), ...delivery }
  if (settings.pickUpAddress) return { shipTo: settings.pickUpAddress, ...delivery }
  faults.add('shipping_address', 'neither this nor a billing address; for orders that are collected set pickUpAddress')
  return undefined
}

const PAYMENTS: ReadonlyMap<string, 'pending' | 'authorized' | 'captured'> = new Map([
  ['pending', 'pending'],
  ['expired', 'pending'],
  ['voided', 'pending'],
  ['partially_paid', 'pending'],
  ['authorized', 'authorized'],
  ['paid', 'captured'],
  ['partially_refunded', 'captured'],
  ['refunded', 'captured'],
])

/** The order, or undefined where nothing of it is to be sent. Throws UnreadablePayload. */
export function channelOrder(order: OrderPayload, settings: ShopifySettings): ChannelOrder | undefined {
  const faults = new Faults()
  const amounts = new Amounts(order, settings, faults)
  const { currency } = amounts
  const { goods, leftOut } = goodsOf(order, amounts)
  if (goods.length === 0) return undefined

  const shipping = shippingOf(order, amounts, faults)
  const untaxed = goods.every(({ taxes }) => taxes.length === 0)
  const orderTax = untaxed ? Math.max(0, sumOf(amounts.tax(order.tax_lines)) - shipping.tax) : 0
  // Prices can only be made net where each line knows its part of the tax.
  const parts = order.taxes_included
    ? spread(
        orderTax,
        goods.map(({ amount }) => amount),
      )
    : []
  const lines = goods.map(({ at, item, wanted: quantity, amount, discount, taxes: own }): LineParts => {
    const taxes = order.taxes_included && untaxed ? [{ name: 'Tax', amount: parts.shift() ?? 0 }] : own
    const taxIncluded = order.taxes_included ?? false
    const reckoned = lineMoney({ quantity, amount, discount, tax: sumOf(taxes), taxIncluded })
    if (typeof reckoned === 'string') faults.add(`line_items.${at}`, `the line ${reckoned}`)
    const other = item.variant_id ? `variant:${item.variant_id}` : `line:${item.id}`
    const sku = skuOf(item.sku, other, `line_items.${at}.sku`, faults)
    return { sku, quantity, ...(typeof reckoned === 'string' ? { unitPrice: 0, discount: 0 } : reckoned), taxes }
  })
  const noted: (string | undefined)[] = [order.note]
  const destination = whereto(order, settings, faults)
  faults.end(`Shopify order ${order.id}`)
  if (destination === undefined) return undefined

  const { shipping_address: to, billing_address: payer, customer } = order
  const buyer = customerOf(
    {
      id: customer?.id,
      names: [fullName(customer?.first_name, customer?.last_name), to?.name, payer?.name],
      emails: [order.email, order.contact_email, customer?.email],
      phones: [order.phone, customer?.phone, to?.phone, payer?.phone],
    },
    noted,
  )
  for (const { name } of leftOut) noted.push(`Not shipped: ${name}`)
  const [method] = order.shipping_lines
  const service = mapped(settings.shippingServices, method?.code) ?? mapped(settings.shippingServices, method?.title)
  if (method?.title && service === undefined) noted.push(`Shipping method: ${method.title}`)

  const lineDiscounts = goods.reduce((sum, { discount }) => sum + discount, 0)
  const subtotal = lines.reduce((sum, { unitPrice, quantity }) => sum + unitPrice * quantity, 0)
  const overall = amounts.of(order.total_discounts, order.total_discounts_set)
  const shippingDiscounts = order.shipping_lines.reduce((sum, line) => sum + amounts.sum(line.discount_allocations), 0)
  // Where no line has a discount, what the order as a whole has of it is the lines’.
  const discount = lineDiscounts > 0 ? 0 : Math.min(subtotal, Math.max(0, overall - shippingDiscounts))
  const tax = order.taxes_included ? 0 : orderTax
  const sumHere = totalOf(lines, { discount, tax, shipping: shipping.paid })
  const unsent = leftOut.reduce((sum, { paid }) => sum + paid, 0)
  const sumThere =
    amounts.of(order.current_total_price, order.current_total_price_set) ??
    amounts.of(order.total_price, order.total_price_set)
  const due = sumThere === undefined ? sumHere : Math.max(0, sumThere - unsent)
  const status = PAYMENTS.get(order.financial_status ?? '')
  const figure = (amount: number) => money(amount, currency)
  return checkedOrder({
    externalId: order.id,
    currency,
    customer: buyer,
    ...destination,
    lines: lines.map((line, at) => ({ ...orderLine(line, currency), ...lineNote(choices(goods[at]?.item)) })),
    lineIds: goods.map(({ item }) => item.id),
    ...(service === undefined ? {} : { shippingService: service }),
    shipping: figure(shipping.paid),
    totals: {
      ...(discount > 0 && lines.every((line) => line.discount === 0) ? { discount: figure(discount) } : {}),
      ...(tax > 0 ? { tax: figure(tax) } : {}),
      ...(sumThere !== undefined && sumHere === due ? { total: figure(sumHere) } : {}),
    },
    ...(status === undefined ? {} : { payment: { status, amount: figure(due), reference: order.name ?? '' } }),
    ...notesOf(noted),
  })
}

/** What the customer chose or wrote; names that begin with an underscore are the shop’s own affairs. */
const choices = (item: LineItem | undefined) =>
  (item?.properties ?? []).flatMap(({ name, value }) =>
    typeof name === 'string' && typeof value === 'string' && !name.startsWith('_') ? [{ name, value }] : [],
  )
