/**
 * Makes orders here of a BigCommerce order, its products and its shipping addresses: one order for each address that
 * something goes to, since an order here goes to one place. The first has the store’s order id, the others that and the
 * address’s. Prices are net with the tax beside them; shipping carries tax, handling and wrapping.
 */
import { money } from '../../money.js'
import type { ChannelOrder } from '../channel.js'
import { mapped } from '../connection-settings.js'
import { lineMoney, spread } from '../line-money.js'
import {
  checkedOrder,
  customerOf,
  cut,
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
import type { OrderAnswer, Product, ShippingAddress } from './payloads.js'
import type { BigCommerceSettings } from './settings.js'

const ADDRESS_FIELDS = { line1: 'street_1', city: 'city', country: 'country_iso2', postalCode: 'zip' }

export interface StoreOrder {
  order: OrderAnswer
  products: Product[]
  addresses: ShippingAddress[]
}

interface Item {
  product: Product
  at: number
  discount: number
}

interface Part {
  externalId: string
  items: Item[]
  /** Undefined where the order has none: it is collected, or goes to whoever pays. */
  address: ShippingAddress | undefined
  at: number
}

type Person = NonNullable<OrderAnswer['billing_address']>

const stated = (person: Person) => ({
  name: fullName(person.first_name, person.last_name),
  company: person.company,
  line1: person.street_1,
  line2: person.street_2,
  city: person.city,
  region: person.state,
  postalCode: person.zip,
  country: person.country_iso2,
})

/** Digital goods and gift certificates are not sent. */
const isGoods = ({ type, quantity }: Product): boolean => quantity > 0 && (type === undefined || type === 'physical')

/** Discounts by line; where no line has one, the order’s are shared out by price. */
function itemsOf({ order, products }: StoreOrder, settings: BigCommerceSettings): Item[] {
  const goods = products.map((product, at) => ({ product, at })).filter(({ product }) => isGoods(product))
  const worth = goods.map(({ product }) => (settings.pricesIncludeTax ? product.total_inc_tax : product.total_ex_tax))
  const own = goods.map(({ product }) => product.applied_discounts.reduce((sum, { amount }) => sum + amount, 0))
  const total = worth.reduce((sum, amount) => sum + amount, 0)
  const overall = Math.min(order.discount_amount + order.coupon_discount, total)
  const discounts = own.some((amount) => amount > 0) ? own : spread(overall, worth)
  return goods.map((item, nth) => ({ ...item, discount: discounts[nth] ?? 0 }))
}

function partsOf(store: StoreOrder, settings: BigCommerceSettings, faults: Faults): Part[] {
  const { order, addresses } = store
  const parts: Part[] = []
  for (const item of itemsOf(store, settings)) {
    const wanted = item.product.order_address_id
    // One address is everybody’s, whatever the products call it.
    const at = addresses.length <= 1 ? 0 : addresses.findIndex(({ id }) => id === wanted)
    if (at < 0) {
      faults.add(`products.${item.at}.order_address_id`, `none of the order’s ${addresses.length} shipping addresses`)
      continue
    }
    const known = parts.find((part) => part.at === at)
    if (known) known.items.push(item)
    else parts.push({ externalId: order.id, items: [item], address: addresses[at], at })
  }
  parts.sort((a, b) => a.at - b.at)
  return parts.map((part, nth) => (nth === 0 ? part : { ...part, externalId: `${order.id}:${part.address?.id}` }))
}

function lineOf({ product, at, discount }: Item, settings: BigCommerceSettings, faults: Faults): LineParts {
  const { quantity, total_inc_tax, total_ex_tax, total_tax: tax } = product
  const taxIncluded = settings.pricesIncludeTax
  const amount = taxIncluded ? total_inc_tax : total_ex_tax
  const reckoned = lineMoney({ quantity, amount, discount, tax, taxIncluded })
  if (typeof reckoned === 'string') faults.add(`products.${at}`, `the line ${reckoned}`)
  const other = product.variant_id ? `variant:${product.variant_id}` : undefined
  const unnamed = other ?? (product.product_id ? `product:${product.product_id}` : `line:${product.id}`)
  const sku = skuOf(product.sku, unnamed, `products.${at}.sku`, faults)
  const prices = typeof reckoned === 'string' ? { unitPrice: 0, discount: 0 } : reckoned
  return { sku, quantity, ...prices, taxes: [{ name: 'Tax', amount: tax }] }
}

/** Awaiting payment; pending is what the store shows before a payment is told. */
const UNPAID = new Set([1, 7])

function paymentStatus({ status_id, payment_status }: OrderAnswer): 'pending' | 'authorized' | 'captured' | undefined {
  switch (payment_status?.toLowerCase()) {
    case 'authorized':
      return 'authorized'
    case 'captured':
    case 'paid':
    case 'partially refunded':
    case 'refunded':
      return 'captured'
    default:
      return UNPAID.has(status_id) ? 'pending' : undefined
  }
}

/** What each part bears of shipping: its address’s, or its share of the order’s where addresses name no cost. */
function carriage(parts: Part[], order: OrderAnswer): number[] {
  const whole = order.shipping_cost_inc_tax + order.handling_cost_inc_tax + order.wrapping_cost_inc_tax
  if (parts.length === 1) return [whole]
  const own = parts.map(({ address }) => (address?.cost_inc_tax ?? 0) + (address?.handling_cost_inc_tax ?? 0))
  return spread(whole, own)
}

/** The orders, none where nothing of it is to be sent. Throws UnreadablePayload. */
export function channelOrders(store: StoreOrder, settings: BigCommerceSettings): ChannelOrder[] {
  const { order } = store
  const faults = new Faults()
  const parts = partsOf(store, settings, faults)
  const shipping = carriage(parts, order)
  const read = parts.map((part, nth) => {
    const { address, items } = part
    const lines = items.map((item) => lineOf(item, settings, faults))
    const payer = order.billing_address
    const noted: (string | undefined)[] = [order.customer_message]
    const customer = customerOf(
      {
        id: order.customer_id,
        names: [
          fullName(payer?.first_name, payer?.last_name),
          fullName(address?.first_name, address?.last_name),
          payer?.company,
        ],
        emails: [payer?.email, address?.email],
        phones: [payer?.phone, address?.phone],
      },
      noted,
    )
    if (address === undefined && payer === undefined && settings.pickUpAddress === undefined) {
      faults.add(
        'shipping_addresses',
        'neither this nor a billing address; for orders that are collected set pickUpAddress',
      )
      return undefined
    }
    const shipTo = address
      ? shipToOf(stated(address), `shipping_addresses.${part.at}`, ADDRESS_FIELDS, faults)
      : payer
        ? shipToOf(stated(payer), 'billing_address', ADDRESS_FIELDS, faults)
        : settings.pickUpAddress
    return shipTo && { part, lines, customer, noted, shipTo, carriage: shipping[nth] ?? 0 }
  })
  faults.end(`BigCommerce order ${order.id}`)
  return read.flatMap((one) => (one === undefined ? [] : [finished(one, store, settings, parts.length)]))
}

interface ReadPart {
  part: Part
  lines: LineParts[]
  customer: ChannelOrder['customer']
  noted: (string | undefined)[]
  shipTo: ChannelOrder['shipTo']
  carriage: number
}

function finished(
  read: ReadPart,
  { order, products }: StoreOrder,
  settings: BigCommerceSettings,
  parts: number,
): ChannelOrder {
  const { part, lines, customer, noted, shipTo } = read
  const currency = order.currency_code
  const figure = (amount: number) => money(amount, currency)
  for (const product of products) {
    if (!isGoods(product) && product.quantity > 0)
      noted.push(`Not shipped: ${product.quantity} × ${product.name ?? product.id}`)
  }
  const method = part.address?.shipping_method
  const service = mapped(settings.shippingServices, method)
  if (method && method !== 'None' && service === undefined) noted.push(`Shipping method: ${method}`)
  const sum = totalOf(lines, { discount: 0, tax: 0, shipping: read.carriage })
  const whole = parts === 1 ? order.total_inc_tax : undefined
  const status = paymentStatus(order)
  return checkedOrder({
    externalId: part.externalId,
    currency,
    customer,
    shipTo,
    lines: lines.map((line, nth) => {
      const product = part.items[nth]?.product
      const message = product?.wrapping_message
      return {
        ...orderLine(line, currency),
        ...lineNote(
          (product?.product_options ?? []).map(({ display_name: name, display_value: value }) => ({ name, value })),
        ),
        ...(message === undefined ? {} : { gift: { message: cut(message, 1_000) } }),
      }
    }),
    lineIds: part.items.map(({ product }) => product.id),
    ...(service === undefined ? {} : { shippingService: service }),
    shipping: figure(read.carriage),
    totals: whole === sum ? { total: figure(sum) } : {},
    ...(status === undefined
      ? {}
      : {
          payment: {
            status,
            amount: figure(whole ?? sum),
            reference: cut(String(order.payment_provider_id ?? ''), 200),
          },
        }),
    ...notesOf(noted),
  })
}
