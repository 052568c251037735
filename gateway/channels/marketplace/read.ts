/** What an order of a poll means: as the list has it, with its items and, where the list had none, its address. */
import type { ChannelEvent, Connection } from '../channel.js'
import { readAs } from '../payload.js'
import { orderEvents, withoutItems } from './orders.js'
import { addressAnswer, orderItems, type SellerOrder, sellerOrder } from './payloads.js'
import { settingsOf } from './settings.js'

/** As the platform’s answers have them. */
export interface ToldOrder {
  order: unknown
  /** Left out where nothing is to be sent, and so nobody has asked. */
  items?: unknown[]
  address?: unknown
}

function withAddress(order: SellerOrder, address: unknown): SellerOrder {
  if (order.ShippingAddress !== undefined || address === undefined) return order
  const { payload } = readAs(addressAnswer, address, `the address of order ${order.AmazonOrderId}`)
  return payload.ShippingAddress === undefined ? order : { ...order, ShippingAddress: payload.ShippingAddress }
}

export function read(told: unknown, connection: Connection): ChannelEvent[] {
  // Kept as `poll` has made it.
  const { order: value, items, address } = told as ToldOrder
  const order = readAs(sellerOrder, value, 'an order')
  const said = withoutItems(order)
  if (said !== undefined) return said
  const read = readAs(orderItems, items, `items of order ${order.AmazonOrderId}`, 'OrderItems')
  return orderEvents(withAddress(order, address), read, settingsOf(connection))
}
