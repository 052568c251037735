/**
 * What a BigCommerce webhook says. It carries only what changed and its id, so the order is read from the store: what is read
 * is the order as it now is, whichever event was first to arrive.
 */
import { money } from '../../money.js'
import type { ChannelEvent, Connection, Delivery, OutwardHttp } from '../channel.js'
import { cut } from '../order-parts.js'
import { numericId, parseJson, readAs } from '../payload.js'
import { channelOrders } from './orders.js'
import {
  addressPage,
  orderAnswer,
  productPage,
  refundsAnswer,
  variantAnswer,
  type Webhook,
  webhook,
} from './payloads.js'
import { settingsOf } from './settings.js'
import { storeCall } from './store-call.js'

/** The store’s order statuses by number (BigCommerce, “Order status”). */
const INCOMPLETE = 0
const ENDED: ReadonlyMap<number, string> = new Map([
  [5, 'cancelled in the shop'],
  [6, 'declined in the shop'],
])

const ORDER_UPDATES = new Set([
  'store/order/updated',
  'store/order/statusUpdated',
  'store/order/transaction/created',
  'store/order/transaction/updated',
])
const KNOWN = new Set([
  'store/order/created',
  'store/order/archived',
  'store/order/refund/created',
  'store/product/inventory/updated',
  'store/sku/inventory/updated',
  'store/product/inventory/order/updated',
  'store/sku/inventory/order/updated',
  ...ORDER_UPDATES,
])

const ignored = (reason: string): ChannelEvent[] => [{ type: 'ignored', reason }]

async function orderEvents(
  what: 'new' | 'changed' | 'archived',
  id: string,
  connection: Connection,
  http: OutwardHttp,
): Promise<ChannelEvent[]> {
  const call = storeCall(connection, http)
  const order = readAs(orderAnswer, await call.get(`v2/orders/${id}`), `BigCommerce order ${id}`, 'order')
  if (order.status_id === INCOMPLETE) return ignored(`order ${id} is incomplete: the customer has not finished it`)
  const products = await call.all(`v2/orders/${id}/products`, (page) =>
    readAs(productPage, page, `BigCommerce products of order ${id}`, 'products'),
  )
  const addresses = await call.all(`v2/orders/${id}/shipping_addresses`, (page) =>
    readAs(addressPage, page, `BigCommerce shipping addresses of order ${id}`, 'shipping_addresses'),
  )
  const orders = channelOrders({ order, products, addresses }, settingsOf(connection))
  if (orders.length === 0) return ignored(`order ${id} has nothing to send`)
  const isNew = what === 'new'
  const ended = what === 'archived' ? 'archived in the shop' : ENDED.get(order.status_id)
  if (ended !== undefined) {
    if (isNew) return ignored(`order ${id} was cancelled before it was told`)
    return orders.map(({ externalId }) => ({ type: 'cancel', externalId, reason: ended }))
  }
  const { date_modified: at } = order
  return orders.map((one) =>
    isNew ? { type: 'order', order: one } : { type: 'update', order: one, ...(at === undefined ? {} : { at }) },
  )
}

/** A refund names lines, which may be of several orders here; its money is the first one’s. */
async function refundEvents(
  id: string,
  refundId: string,
  connection: Connection,
  http: OutwardHttp,
): Promise<ChannelEvent[]> {
  const call = storeCall(connection, http)
  const answer = await call.get(`v3/orders/${id}/payment_actions/refunds`)
  const refund = readAs(refundsAnswer, answer, `BigCommerce refunds of order ${id}`).data.find(
    (one) => one.id === refundId,
  )
  if (refund === undefined) return ignored(`order ${id} has no refund ${refundId}`)
  const units = refund.items.flatMap(({ item_type, item_id, quantity }) =>
    item_type === 'PRODUCT' &&
    item_id !== undefined &&
    quantity !== undefined &&
    Number.isInteger(quantity) &&
    quantity > 0
      ? [{ lineId: item_id, quantity, restock: false }]
      : [],
  )
  const { amount } = money(refund.total_amount, '')
  const reason = cut(refund.reason ?? 'refunded in the shop', 500)
  return [{ type: 'refund', externalId: id, refundId, amount, reason, units }]
}

/** A sale’s own change of stock is told by its order; what somebody set, or the API, is a count. */
async function stockEvents(
  { data, created_at }: Webhook,
  connection: Connection,
  http: OutwardHttp,
): Promise<ChannelEvent[]> {
  const product = data.inventory?.product_id ?? data.id
  const variant = data.inventory?.variant_id
  if (product === undefined || variant === undefined) return ignored('an inventory event that names no variant')
  const answer = await storeCall(connection, http).get(`v3/catalog/products/${product}/variants/${variant}`)
  const { sku, inventory_level } = readAs(variantAnswer, answer, `BigCommerce variant ${variant}`).data
  const told = data.inventory?.method === 'absolute' ? data.inventory.value : inventory_level
  if (sku === undefined) return ignored(`variant ${variant} has no SKU`)
  if (told === undefined || !Number.isSafeInteger(told)) return ignored(`variant ${variant} is not counted`)
  const { stockLocation } = settingsOf(connection)
  const location = data.inventory?.location_id ?? String(stockLocation)
  const at = created_at === undefined ? {} : { at: new Date(created_at * 1_000).toISOString() }
  return [{ type: 'stock', sku, location, available: Math.max(0, told), ...at }]
}

/** Rejects with UnreadablePayload, or with what a call of the store met. */
export async function read(delivery: Delivery, connection: Connection, http: OutwardHttp): Promise<ChannelEvent[]> {
  const value = parseJson(delivery.body, 'BigCommerce webhook')
  const { scope } = readAs(webhook.pick({ scope: true }), value, 'BigCommerce webhook')
  if (!KNOWN.has(scope)) return ignored(`the scope ${scope.slice(0, 100)} says nothing that is needed here`)
  const hook = readAs(webhook, value, 'BigCommerce webhook')
  const id = (): string => readAs(numericId, hook.data.id, 'BigCommerce webhook', 'data.id')
  switch (scope) {
    case 'store/order/created':
      return orderEvents('new', id(), connection, http)
    case 'store/order/archived':
      return orderEvents('archived', id(), connection, http)
    case 'store/order/refund/created': {
      const { refund } = hook.data
      if (refund === undefined) return ignored('a refund event that names no refund')
      return refundEvents(id(), refund.refund_id, connection, http)
    }
    case 'store/product/inventory/updated':
    case 'store/sku/inventory/updated':
      return stockEvents(hook, connection, http)
    case 'store/product/inventory/order/updated':
    case 'store/sku/inventory/order/updated':
      return ignored('stock that an order took: the order itself says it')
    default:
      return orderEvents('changed', id(), connection, http)
  }
}
