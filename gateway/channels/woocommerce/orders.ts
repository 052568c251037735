/**
 * Makes an order here of a WooCommerce order, whose lines are told without tax, before (`subtotal`) and after (`total`) the
 * coupons. Shipping carries its own tax and the fees, which an order here has no place for; a fee below zero is a discount
 * on the lines.
 */
import { money } from '../../money.js'
import type { ChannelOrder } from '../channel.js'
import { mapped } from '../connection-settings.js'
import { lineMoney, spread } from '../line-money.js'
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
import type { Address, LineItem, OrderPayload } from './payloads.js'
import type { WooSettings } from './settings.js'

const ADDRESS_FIELDS = { line1: 'address_1', city: 'city', country: 'country', postalCode: 'postcode' }

const stated = (address: Address) => ({
  name: fullName(address.first_name, address.last_name),
  company: address.company,
  line1: address.address_1,
  line2: address.address_2,
  city: address.city,
  region: address.state,
  postalCode: address.postcode,
  country: address.country,
})

const hasPlace = (address: Address | undefined): address is Address =>
  address !== undefined && (address.address_1 ?? address.address_2 ?? address.city ?? address.country) !== undefined

/** The shop’s pick-up methods say where in the line’s data: `pickup_location` of the block checkout, or the method’s title. */
function pickUpAt({ shipping_lines }: OrderPayload, settings: WooSettings): string | undefined {
  for (const { method_id, method_title, meta_data } of shipping_lines) {
    if (method_id !== 'local_pickup' && method_id !== 'pickup_location') continue
    const place = meta_data.find(({ key }) => key === 'pickup_location')?.value
    const location =
      mapped(settings.locations, typeof place === 'string' ? place : undefined) ??
      mapped(settings.locations, method_title)
    if (location !== undefined) return location
  }
  return undefined
}

type Whereto = Pick<ChannelOrder, 'shipTo' | 'delivery'>

function whereto(order: OrderPayload, settings: WooSettings, faults: Faults): Whereto | undefined {
  const location = pickUpAt(order, settings)
  const delivery = location === undefined ? {} : { delivery: { method: 'pickup' as const, location } }
  const { shipping, billing } = order
  if (hasPlace(shipping)) return { shipTo: shipToOf(stated(shipping), 'shipping', ADDRESS_FIELDS, faults), ...delivery }
  if (hasPlace(billing)) return { shipTo: shipToOf(stated(billing), 'billing', ADDRESS_FIELDS, faults), ...delivery }
  if (settings.pickUpAddress) return { shipTo: settings.pickUpAddress, ...delivery }
  faults.add('shipping', 'neither this nor billing has an address; for orders that are collected set pickUpAddress')
  return undefined
}

/** Taxes of a line by the shop’s rates; one sum where the rates do not come to it. */
function taxesOf(item: LineItem, order: OrderPayload): LineParts['taxes'] {
  const byRate = item.taxes.filter(({ total }) => total !== 0)
  const sum = byRate.reduce((total, tax) => total + tax.total, 0)
  if (byRate.length === 0 || sum !== item.total_tax || byRate.some(({ total }) => total < 0)) {
    return [{ name: order.tax_lines[0]?.label ?? 'Tax', amount: item.total_tax }]
  }
  return byRate.map(({ id, total }) => {
    const rate = order.tax_lines.find(({ rate_id }) => rate_id !== undefined && rate_id === id)
    const percent = rate?.rate_percent
    return {
      name: rate?.label ?? rate?.rate_code ?? 'Tax',
      ...(typeof percent === 'number' ? { rate: percent / 100 } : {}),
      amount: total,
    }
  })
}

/** Choices that the customer made; keys that begin with an underscore are the shop’s own affairs. */
const choices = ({ meta_data }: LineItem) =>
  meta_data.flatMap(({ key, value, display_key, display_value }) => {
    if (typeof key !== 'string' || key.startsWith('_')) return []
    const shown = typeof display_value === 'string' ? display_value : value
    return typeof shown === 'string'
      ? [{ name: typeof display_key === 'string' ? display_key : key, value: shown }]
      : []
  })

/**
 * Paid, or to be paid. A shop that has begun on an order which is not marked paid (cash on delivery) has settled how;
 * a payment that failed may be tried again, and does not cancel.
 */
function paymentStatus({ status, date_paid_gmt }: OrderPayload): 'pending' | 'captured' | undefined {
  if (date_paid_gmt !== undefined) return 'captured'
  return status === 'pending' || status === 'on-hold' || status === 'failed' ? 'pending' : undefined
}

/** The order, or undefined where it has no lines. Throws UnreadablePayload. */
export function channelOrder(order: OrderPayload, settings: WooSettings): ChannelOrder | undefined {
  const faults = new Faults()
  const items = order.line_items.map((item, at) => ({ item, at })).filter(({ item }) => item.quantity > 0)
  if (items.length === 0) return undefined
  const { currency } = order

  const fees = order.fee_lines.map((fee) => ({ ...fee, paid: fee.total + fee.total_tax }))
  const surcharges = fees.reduce((sum, { paid }) => sum + Math.max(0, paid), 0)
  const rebate = fees.reduce((sum, { paid }) => sum + Math.max(0, -paid), 0)
  const rebates = spread(
    rebate,
    items.map(({ item }) => item.total),
  )

  const lines = items.map(({ item, at }, nth): LineParts => {
    const { quantity, subtotal, total } = item
    const path = `line_items.${at}`
    // A total above the subtotal is a price raised by hand.
    const amount = Math.max(subtotal, total)
    const reckoned = lineMoney({
      quantity,
      amount,
      discount: amount - total + (rebates[nth] ?? 0),
      tax: item.total_tax,
      taxIncluded: false,
    })
    if (typeof reckoned === 'string') faults.add(path, `the line ${reckoned}`)
    const other = item.variation_id ? `variation:${item.variation_id}` : undefined
    const sku = skuOf(
      item.sku,
      other ?? (item.product_id ? `product:${item.product_id}` : `line:${item.id}`),
      `${path}.sku`,
      faults,
    )
    const prices = typeof reckoned === 'string' ? { unitPrice: 0, discount: 0 } : reckoned
    return { sku, quantity, ...prices, taxes: taxesOf(item, order) }
  })
  const destination = whereto(order, settings, faults)
  faults.end(`WooCommerce order ${order.id}`)
  if (destination === undefined) return undefined

  const { billing, shipping } = order
  const noted: (string | undefined)[] = [order.customer_note]
  const customer = customerOf(
    {
      id: order.customer_id,
      names: [
        fullName(billing?.first_name, billing?.last_name),
        fullName(shipping?.first_name, shipping?.last_name),
        billing?.company,
      ],
      emails: [billing?.email],
      phones: [billing?.phone, shipping?.phone],
    },
    noted,
  )
  const figure = (amount: number) => money(amount, currency)
  for (const { name, paid } of fees) noted.push(`Fee: ${name ?? 'fee'} ${figure(paid).amount}`)
  const coupons = order.coupon_lines.flatMap(({ code }) => (code === undefined ? [] : [code]))
  if (coupons.length > 0) noted.push(`Coupons: ${coupons.join(', ')}`)
  const [method] = order.shipping_lines
  const service =
    mapped(settings.shippingServices, method?.method_id) ?? mapped(settings.shippingServices, method?.method_title)
  if (method?.method_title && service === undefined) noted.push(`Shipping method: ${method.method_title}`)

  const carriage = order.shipping_lines.reduce((sum, { total, total_tax }) => sum + total + total_tax, surcharges)
  const sum = totalOf(lines, { discount: 0, tax: 0, shipping: carriage })
  const status = paymentStatus(order)
  return checkedOrder({
    externalId: order.id,
    currency,
    customer,
    ...destination,
    lines: lines.map((line, nth) => {
      const item = items[nth]?.item
      return { ...orderLine(line, currency), ...(item ? lineNote(choices(item)) : {}) }
    }),
    lineIds: items.map(({ item }) => item.id),
    ...(service === undefined ? {} : { shippingService: service }),
    shipping: figure(carriage),
    totals: order.total === sum ? { total: figure(sum) } : {},
    ...(status === undefined
      ? {}
      : {
          payment: {
            status,
            amount: figure(order.total ?? sum),
            reference: (order.transaction_id ?? '').slice(0, 200),
          },
        }),
    ...notesOf(noted),
  })
}
