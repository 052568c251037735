/**
 * Makes an order here of a seller’s order and its items, whose amounts are each of all units of the item. The marketplace
 * has settled the payment. By when it has to be sent stands in the notes, where pickers and staff read it.
 */
import { money } from '../../money.js'
import type { ChannelEvent, ChannelOrder, ChannelUnits } from '../channel.js'
import { mapped } from '../connection-settings.js'
import { lineMoney } from '../line-money.js'
import {
  checkedOrder,
  customerOf,
  cut,
  type LineParts,
  notesOf,
  orderLine,
  shipToOf,
  skuOf,
  totalOf,
} from '../order-parts.js'
import { Faults } from '../payload.js'
import type { Address, OrderItem, SellerOrder } from './payloads.js'
import type { MarketplaceSettings } from './settings.js'

const ADDRESS_FIELDS = { line1: 'AddressLine1', city: 'City', country: 'CountryCode', postalCode: 'PostalCode' }

const stated = (address: Address) => ({
  name: address.Name,
  company: address.CompanyName,
  line1: address.AddressLine1,
  line2: [address.AddressLine2, address.AddressLine3].filter((line) => line !== undefined).join(', ') || undefined,
  city: address.City,
  region: address.StateOrRegion,
  postalCode: address.PostalCode,
  country: address.CountryCode,
})

type Amount = OrderItem['ItemPrice']

/** The currency that all amounts are in. */
function currencyOf(order: SellerOrder, items: OrderItem[], faults: Faults): string {
  const stated = order.OrderTotal ?? items.find(({ ItemPrice }) => ItemPrice)?.ItemPrice
  if (stated === undefined) faults.add('OrderTotal', 'neither this nor an item’s price is there')
  const currency = stated?.CurrencyCode ?? ''
  items.forEach((item, at) => {
    for (const key of [
      'ItemPrice',
      'ItemTax',
      'ShippingPrice',
      'ShippingTax',
      'ShippingDiscount',
      'PromotionDiscount',
    ] as const) {
      const other = item[key]?.CurrencyCode
      if (other !== undefined && other !== currency) {
        faults.add(`OrderItems.${at}.${key}.CurrencyCode`, `in ${other}, but the order is in ${currency}`)
      }
    }
  })
  return currency
}

const of = (amount: Amount): number => amount?.Amount ?? 0

function lineOf(item: OrderItem, at: number, settings: MarketplaceSettings, faults: Faults): LineParts {
  const path = `OrderItems.${at}`
  const quantity = item.QuantityOrdered
  if (item.ItemPrice === undefined) faults.add(`${path}.ItemPrice`, 'an item that is to be sent has a price')
  const tax = of(item.ItemTax)
  const reckoned = lineMoney({
    quantity,
    amount: of(item.ItemPrice),
    discount: of(item.PromotionDiscount),
    tax,
    taxIncluded: settings.pricesIncludeTax,
  })
  if (typeof reckoned === 'string') faults.add(path, `the line ${reckoned}`)
  const sku = skuOf(
    item.SellerSKU,
    item.ASIN ? `asin:${item.ASIN}` : `line:${item.OrderItemId}`,
    `${path}.SellerSKU`,
    faults,
  )
  const prices = typeof reckoned === 'string' ? { unitPrice: 0, discount: 0 } : reckoned
  return { sku, quantity, ...prices, taxes: [{ name: 'Tax', amount: tax }] }
}

/** The order, or undefined where nothing of it is to be sent. Throws UnreadablePayload. */
export function channelOrder(
  order: SellerOrder,
  all: OrderItem[],
  settings: MarketplaceSettings,
): ChannelOrder | undefined {
  const faults = new Faults()
  const items = all.filter(({ QuantityOrdered }) => QuantityOrdered > 0)
  if (items.length === 0) return undefined
  const currency = currencyOf(order, items, faults)
  const lines = items.map((item) => lineOf(item, all.indexOf(item), settings, faults))
  const carriage = items.reduce(
    (sum, item) =>
      sum + of(item.ShippingPrice) - of(item.ShippingDiscount) + (settings.pricesIncludeTax ? 0 : of(item.ShippingTax)),
    0,
  )
  if (carriage < 0) faults.add('OrderItems', 'shipping comes to less than nothing')
  const to = order.ShippingAddress
  if (to === undefined) faults.add('ShippingAddress', 'missing: the app needs the role for direct-to-consumer shipping')
  const shipTo = to && shipToOf(stated(to), 'ShippingAddress', ADDRESS_FIELDS, faults)
  faults.end(`order ${order.AmazonOrderId}`)
  if (shipTo === undefined) return undefined

  const noted: (string | undefined)[] = []
  const { BuyerInfo: buyer, EarliestShipDate: earliest, LatestShipDate: latest } = order
  const customer = customerOf(
    { id: undefined, names: [buyer?.BuyerName, to?.Name], emails: [buyer?.BuyerEmail], phones: [to?.Phone] },
    noted,
  )
  if (earliest !== undefined) noted.push(`Not to be sent before ${earliest}`)
  const level = order.ShipServiceLevel
  const service =
    mapped(settings.shippingServices, level) ?? mapped(settings.shippingServices, order.ShipmentServiceLevelCategory)
  if (level !== undefined && service === undefined) noted.push(`Shipping method: ${level}`)
  const sum = totalOf(lines, { discount: 0, tax: 0, shipping: carriage })
  return checkedOrder({
    externalId: order.AmazonOrderId,
    currency,
    customer,
    shipTo,
    lines: lines.map((line, nth) => ({ ...orderLine(line, currency), ...giftOf(items[nth]) })),
    lineIds: items.map(({ OrderItemId }) => OrderItemId),
    ...(service === undefined ? {} : { shippingService: service }),
    ...(latest === undefined ? {} : { shipBy: latest }),
    shipping: money(carriage, currency),
    totals: order.OrderTotal?.Amount === sum ? { total: money(sum, currency) } : {},
    ...notesOf(noted),
  })
}

function giftOf(item: OrderItem | undefined): Pick<ChannelOrder['lines'][number], 'gift'> {
  if (!item?.IsGift) return {}
  const message = item.BuyerInfo?.GiftMessageText
  return { gift: message === undefined ? true : { message: cut(message, 1_000) } }
}

/** Orders that the seller has something to do for. */
const TO_BE_SENT = new Set(['Unshipped', 'PartiallyShipped', 'InvoiceUnconfirmed'])

/** Whether the order’s items are wanted at all; else what is to be said of it without them. */
export function withoutItems(order: SellerOrder): ChannelEvent[] | undefined {
  const { AmazonOrderId: externalId, OrderStatus: status } = order
  if (order.FulfillmentChannel === 'AFN') {
    return [{ type: 'ignored', reason: `order ${externalId} is sent by the marketplace itself` }]
  }
  if (status === 'Canceled') return [{ type: 'cancel', externalId, reason: 'cancelled in the marketplace' }]
  if (TO_BE_SENT.has(status)) return undefined
  return [{ type: 'ignored', reason: `order ${externalId} is ${status}: nothing is to be sent yet, or any more` }]
}

/**
 * A poll can’t tell a new order from a changed one, so both are said: the order, which is taken once, and how it now is.
 * Units whose buyer asks for it are cancelled.
 */
export function orderEvents(order: SellerOrder, items: OrderItem[], settings: MarketplaceSettings): ChannelEvent[] {
  const { AmazonOrderId: externalId, LastUpdateDate: at } = order
  const read = channelOrder(order, items, settings)
  if (read === undefined) return [{ type: 'cancel', externalId, reason: 'every item was cancelled in the marketplace' }]
  const events: ChannelEvent[] = [
    { type: 'order', order: read },
    { type: 'update', order: read, at },
  ]
  const asked = items.filter((item) => item.BuyerRequestedCancel?.IsBuyerRequestedCancel && item.QuantityOrdered > 0)
  if (asked.length > 0) {
    const why = asked[0]?.BuyerRequestedCancel?.BuyerCancelReason
    const units: ChannelUnits[] = asked.map(({ OrderItemId, SellerSKU, QuantityOrdered }) => ({
      lineId: OrderItemId,
      ...(SellerSKU === undefined ? {} : { sku: SellerSKU }),
      quantity: QuantityOrdered,
    }))
    events.push({
      type: 'cancel',
      externalId,
      reason: cut(`the buyer asks for it${why ? `: ${why}` : ''}`, 500),
      units,
    })
  }
  return events
}
