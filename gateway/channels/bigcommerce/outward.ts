/**
 * Tells a BigCommerce store what happens here: parcels as shipments, which carry the fulfillment’s id in their comments and
 * are looked for by it before they are made; stock as absolute quantities at one location.
 */
import { z } from 'zod'
import type { Connection, OutwardHttp, ShippedParcel, StockLevel } from '../channel.js'
import { numericId, optionalId, readAs, segment, words } from '../payload.js'
import { PAGE_ROWS } from './payloads.js'
import { settingsOf } from './settings.js'
import { storeCall } from './store-call.js'

const shipments = z.array(z.object({ order_address_id: optionalId, comments: words(10_000) })).max(PAGE_ROWS)
const orderProducts = z
  .array(z.object({ id: numericId, sku: words(1_000), order_address_id: optionalId }))
  .max(PAGE_ROWS)

/** What one call takes; the API refuses longer lists. */
const ADJUSTMENTS_MAX = 10

const mark = (fulfillment: string): string => `[${fulfillment}]`

/** The store’s order id; an order for a further address has the address’s behind it. */
const orderOf = (externalId: string): string => segment(externalId.split(':')[0] ?? '')

export async function shipped(parcel: ShippedParcel, connection: Connection, http: OutwardHttp): Promise<void> {
  const call = storeCall(connection, http)
  const order = orderOf(parcel.externalId)
  const products = await call.all(`v2/orders/${order}/products`, (page) =>
    readAs(orderProducts, page, `BigCommerce products of order ${order}`),
  )
  const byAddress = new Map<string, { order_product_id: number; quantity: number }[]>()
  for (const { lineId, sku, quantity } of parcel.units) {
    const product = products.find((one) => (lineId === undefined ? one.sku === sku : one.id === lineId))
    if (product === undefined) throw new Error(`order ${order} has no product ${lineId ?? sku} in the shop`)
    const items = byAddress.get(product.order_address_id ?? '0') ?? []
    items.push({ order_product_id: Number(product.id), quantity })
    byAddress.set(product.order_address_id ?? '0', items)
  }
  const known = await call.all(`v2/orders/${order}/shipments`, (page) =>
    readAs(shipments, page, `BigCommerce shipments of order ${order}`),
  )
  for (const [address, items] of byAddress) {
    const isTold = known.some(
      ({ order_address_id, comments }) =>
        (order_address_id ?? '0') === address && (comments?.includes(mark(parcel.fulfillment)) ?? false),
    )
    if (isTold) continue
    await call.post(`v2/orders/${order}/shipments`, {
      order_address_id: Number(address),
      items,
      shipping_method: parcel.carrier,
      comments: `Doorbuster ${mark(parcel.fulfillment)}`,
      ...(parcel.trackingNumber === undefined ? {} : { tracking_number: parcel.trackingNumber }),
      ...(parcel.trackingUrl === undefined ? {} : { tracking_link: parcel.trackingUrl }),
    })
  }
}

export async function stock(levels: StockLevel[], connection: Connection, http: OutwardHttp): Promise<void> {
  const call = storeCall(connection, http)
  const { stockLocation: location_id } = settingsOf(connection)
  for (let from = 0; from < levels.length; from += ADJUSTMENTS_MAX) {
    const items = levels
      .slice(from, from + ADJUSTMENTS_MAX)
      .map(({ sku, available: quantity }) => ({ location_id, sku, quantity }))
    await call.put('v3/inventory/adjustments/absolute', { reason: 'available to promise', items })
  }
}
