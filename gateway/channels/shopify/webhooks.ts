/** What a Shopify webhook says, by its topic (header X-Shopify-Topic). */
import type { ChannelEvent, Connection, Delivery, OutwardHttp } from '../channel.js'
import { parseJson, readAs } from '../payload.js'
import { channelOrder } from './orders.js'
import { inventoryItem, inventoryLevel, type OrderPayload, orderPayload, refundPayload } from './payloads.js'
import { refundEvents } from './refunds.js'
import { type ShopifySettings, settingsOf } from './settings.js'
import { shopifyCall } from './shopify-call.js'

const ignored = (reason: string): ChannelEvent[] => [{ type: 'ignored', reason }]

/** The API wraps what a webhook sends bare; a file or a resend from the API reads the same. */
function bare(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Object.hasOwn(value, 'id') || !Object.hasOwn(value, name))
    return value
  return Object.entries(value).find(([key]) => key === name)?.[1]
}

const cancelled = (order: OrderPayload): ChannelEvent[] => [
  { type: 'cancel', externalId: order.id, reason: order.cancel_reason ?? 'cancelled in the shop' },
]

function orderEvents(topic: string, order: OrderPayload, settings: ShopifySettings): ChannelEvent[] {
  if (order.test && !settings.testOrders) return ignored(`order ${order.id} is a test`)
  if (topic === 'orders/cancelled') return cancelled(order)
  const isNew = topic === 'orders/create'
  if (order.cancelled_at !== undefined) {
    return isNew ? ignored(`order ${order.id} was cancelled before it was told`) : cancelled(order)
  }
  const read = channelOrder(order, settings)
  if (read) {
    const { updated_at: at } = order
    return isNew
      ? [{ type: 'order', order: read }]
      : [{ type: 'update', order: read, ...(at === undefined ? {} : { at }) }]
  }
  if (isNew) return ignored(`order ${order.id} has nothing to send`)
  return [{ type: 'cancel', externalId: order.id, reason: 'every line was taken off in the shop' }]
}

async function stockEvents(value: unknown, connection: Connection, http: OutwardHttp): Promise<ChannelEvent[]> {
  const level = readAs(inventoryLevel, value, 'Shopify inventory level')
  const { inventory_item_id: item, location_id: location, available, updated_at: at } = level
  if (available === null) return ignored(`item ${item} is not counted at location ${location}`)
  const answer = await shopifyCall(connection, http).get(`inventory_items/${item}.json`)
  const { sku } = readAs(inventoryItem, answer, `Shopify inventory item ${item}`).inventory_item
  if (sku === undefined) return ignored(`inventory item ${item} has no SKU`)
  // Shopify’s figure goes below zero where it has sold more than there was.
  return [{ type: 'stock', sku, location, available: Math.max(0, available), ...(at === undefined ? {} : { at }) }]
}

/** Rejects with UnreadablePayload. Only inventory levels are asked about in the shop: they name no SKU. */
export async function read(delivery: Delivery, connection: Connection, http: OutwardHttp): Promise<ChannelEvent[]> {
  const topic = delivery.headers['x-shopify-topic'] ?? ''
  const settings = settingsOf(connection)
  if (delivery.headers['x-shopify-test'] === 'true' && !settings.testOrders) return ignored('a test delivery')
  switch (topic) {
    case 'orders/create':
    case 'orders/updated':
    case 'orders/cancelled': {
      const value = bare(parseJson(delivery.body, 'Shopify order'), 'order')
      return orderEvents(topic, readAs(orderPayload, value, 'Shopify order'), settings)
    }
    case 'refunds/create': {
      const value = bare(parseJson(delivery.body, 'Shopify refund'), 'refund')
      return refundEvents(readAs(refundPayload, value, 'Shopify refund'), settings)
    }
    case 'inventory_levels/update':
      return stockEvents(parseJson(delivery.body, 'Shopify inventory level'), connection, http)
    default:
      return ignored(
        topic === '' ? 'no X-Shopify-Topic' : `the topic ${topic.slice(0, 100)} says nothing that is needed here`,
      )
  }
}
