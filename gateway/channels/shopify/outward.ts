/**
 * Tells a Shopify shop what happens here: parcels as fulfillments of its fulfillment orders, and stock as the available
 * quantity at one location. What the shop already has is looked up first, so that telling it twice changes nothing.
 */
import { z } from 'zod'
import { type Connection, NotSoldThere, type OutwardHttp, type ShippedParcel, type StockLevel } from '../channel.js'
import { numericId, readAs, segment, words } from '../payload.js'
import { settingsOf } from './settings.js'
import { type ShopifyCall, shopifyCall } from './shopify-call.js'

const count = z.int().min(0)
const fulfillments = z.object({
  fulfillments: z.array(
    z.object({
      status: words(50),
      tracking_number: words(500),
      line_items: z.array(z.object({ id: numericId, quantity: count })),
    }),
  ),
})
const fulfillmentOrders = z.object({
  fulfillment_orders: z.array(
    z.object({
      id: numericId,
      status: words(50),
      assigned_location_id: numericId,
      line_items: z.array(z.object({ id: numericId, line_item_id: numericId, fulfillable_quantity: count })),
    }),
  ),
})
const orderLines = z.object({
  order: z.object({ line_items: z.array(z.object({ id: numericId, sku: words(1_000) })) }),
})
const variants = z.object({
  data: z.object({
    productVariants: z.object({
      nodes: z.array(z.object({ sku: words(1_000), inventoryItem: z.object({ legacyResourceId: numericId }) })),
    }),
  }),
})
const levels = z.object({
  inventory_levels: z.array(z.object({ inventory_item_id: numericId, available: z.int().nullable() })),
})

const OPEN = new Set(['open', 'in_progress'])

/** Units of the parcel by Shopify’s line, less what fulfillments under the same number hold already. */
async function untold(
  parcel: ShippedParcel,
  order: string,
  number: string,
  call: ShopifyCall,
): Promise<Map<string, number>> {
  const wanted = new Map<string, number>()
  const add = (line: string, quantity: number) => wanted.set(line, (wanted.get(line) ?? 0) + quantity)
  if (parcel.units.every(({ lineId }) => lineId !== undefined)) {
    for (const { lineId, quantity } of parcel.units) add(lineId ?? '', quantity)
  } else {
    const answer = readAs(
      orderLines,
      await call.get(`orders/${order}.json?fields=line_items`),
      `Shopify order ${order}`,
    )
    for (const { lineId, sku, quantity } of parcel.units) {
      const line = lineId ?? answer.order.line_items.find((item) => item.sku === sku)?.id
      if (line === undefined) throw new Error(`order ${order} has no line of SKU ${sku} in the shop`)
      add(line, quantity)
    }
  }
  const answer = await call.get(`orders/${order}/fulfillments.json?limit=250`)
  const known = readAs(fulfillments, answer, `Shopify fulfillments of ${order}`).fulfillments
  for (const { status, tracking_number, line_items } of known) {
    if (tracking_number !== number || status === 'cancelled' || status === 'failure' || status === 'error') continue
    for (const { id, quantity } of line_items) {
      const left = wanted.get(id)
      if (left !== undefined) wanted.set(id, Math.max(0, left - quantity))
    }
  }
  return wanted
}

type Taken = { fulfillment_order_id: number; fulfillment_order_line_items: { id: number; quantity: number }[] }[]

/** Which fulfillment orders the units are taken from, by Shopify’s location: one fulfillment is of one location. */
async function takeFrom(
  order: string,
  wanted: Map<string, number>,
  location: string | undefined,
  call: ShopifyCall,
): Promise<Taken[]> {
  const answer = await call.get(`orders/${order}/fulfillment_orders.json`)
  const open = readAs(fulfillmentOrders, answer, `Shopify fulfillment orders of ${order}`).fulfillment_orders.filter(
    ({ status }) => OPEN.has(status ?? ''),
  )
  const here = (one: { assigned_location_id: string }): number => (one.assigned_location_id === location ? 0 : 1)
  open.sort((a, b) => here(a) - here(b))
  const byLocation = new Map<string, Taken>()
  for (const { id, assigned_location_id, line_items } of open) {
    const items = line_items.flatMap((item) => {
      const left = wanted.get(item.line_item_id) ?? 0
      const quantity = Math.min(left, item.fulfillable_quantity)
      if (quantity === 0) return []
      wanted.set(item.line_item_id, left - quantity)
      return [{ id: Number(item.id), quantity }]
    })
    if (items.length === 0) continue
    const taken = byLocation.get(assigned_location_id) ?? []
    taken.push({ fulfillment_order_id: Number(id), fulfillment_order_line_items: items })
    byLocation.set(assigned_location_id, taken)
  }
  const short = [...wanted].filter(([, quantity]) => quantity > 0)
  if (short.length > 0) {
    const what = short.map(([line, quantity]) => `${quantity} of line ${line}`).join(', ')
    throw new Error(
      `order ${order}: the shop has no open fulfillment order for ${what}; see whether it is held or cancelled there`,
    )
  }
  return [...byLocation.values()]
}

/** A parcel without a tracking number goes under its id here, which is how it is known when it is told again. */
export async function shipped(parcel: ShippedParcel, connection: Connection, http: OutwardHttp): Promise<void> {
  const call = shopifyCall(connection, http)
  const order = segment(parcel.externalId)
  const number = parcel.trackingNumber ?? parcel.fulfillment
  const wanted = await untold(parcel, order, number, call)
  if ([...wanted.values()].every((quantity) => quantity === 0)) return
  const { notifyCustomer } = settingsOf(connection)
  for (const taken of await takeFrom(order, wanted, parcel.location, call)) {
    await call.post('fulfillments.json', {
      fulfillment: {
        line_items_by_fulfillment_order: taken,
        notify_customer: notifyCustomer,
        tracking_info: {
          company: parcel.carrier,
          number,
          ...(parcel.trackingUrl === undefined ? {} : { url: parcel.trackingUrl }),
        },
      },
    })
  }
}

const FIND_VARIANTS =
  'query($search: String!) { productVariants(first: 50, query: $search) { nodes { sku inventoryItem { legacyResourceId } } } }'

/** The admin’s search matches by words, so what it finds is compared whole. */
async function inventoryItemOf(sku: string, call: ShopifyCall): Promise<string | undefined> {
  const search = `sku:"${sku.replace(/["\\]/g, '\\$&')}"`
  const answer = await call.post('graphql.json', { query: FIND_VARIANTS, variables: { search } })
  const { nodes } = readAs(variants, answer, `Shopify variants of SKU ${sku}`).data.productVariants
  return nodes.find((node) => node.sku === sku)?.inventoryItem.legacyResourceId
}

/** Rejects with the SKUs that the shop does not know, after the others have been told. */
export async function stock(told: StockLevel[], connection: Connection, http: OutwardHttp): Promise<void> {
  const { stockLocation: location } = settingsOf(connection)
  if (location === undefined) {
    throw new Error('the connection’s settings have no stockLocation: put the shop’s id of the location there')
  }
  const call = shopifyCall(connection, http)
  const unknown: string[] = []
  for (const { sku, available } of told) {
    const item = await inventoryItemOf(sku, call)
    if (item === undefined) {
      unknown.push(sku)
      continue
    }
    const answer = await call.get(`inventory_levels.json?inventory_item_ids=${item}&location_ids=${location}`)
    const [level] = readAs(levels, answer, `Shopify inventory levels of ${sku}`).inventory_levels
    if (level?.available === available) continue
    const body = { location_id: Number(location), inventory_item_id: Number(item), available }
    await call.post('inventory_levels/set.json', body)
  }
  if (unknown.length > 0) throw new NotSoldThere(`the shop has no variant with SKU ${unknown.join(', ')}`, unknown)
}
