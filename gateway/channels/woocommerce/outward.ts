/**
 * Tells a WooCommerce shop what happens here. It knows no parcels, so one is a note on its order with the fulfillment’s id
 * in it, looked for before it is written; how far the order is, is its status; stock is each product’s own quantity.
 */
import { z } from 'zod'
import { type Connection, NotSoldThere, type OutwardHttp, type ShippedParcel, type StockLevel } from '../channel.js'
import { mapped } from '../connection-settings.js'
import { numericId, optionalId, readAs, segment, words } from '../payload.js'
import { settingsOf } from './settings.js'
import { type WooCall, wooCall } from './woo-call.js'

const notes = z.array(z.object({ note: z.string() }))
const orderStatus = z.object({ status: z.string() })
const products = z.array(
  z.object({
    id: numericId,
    parent_id: optionalId,
    sku: words(1_000),
    manage_stock: z.unknown().optional(),
    stock_quantity: z.unknown().optional(),
  }),
)

/** What no later status of ours may undo: the shop has ended the order by itself. */
const ENDED = new Set(['cancelled', 'refunded', 'trash', 'completed'])

const mark = (fulfillment: string): string => `[${fulfillment}]`

export async function shipped(parcel: ShippedParcel, connection: Connection, http: OutwardHttp): Promise<void> {
  const call = wooCall(connection, http)
  const path = `orders/${segment(parcel.externalId)}/notes`
  const known = readAs(notes, await call.get(path), `WooCommerce notes of order ${parcel.externalId}`)
  if (known.some(({ note }) => note.includes(mark(parcel.fulfillment)))) return
  const what = parcel.units.map(({ quantity, sku }) => `${quantity} × ${sku}`).join(', ')
  const number = parcel.trackingNumber === undefined ? '' : `, tracking number ${parcel.trackingNumber}`
  const link = parcel.trackingUrl === undefined ? '' : ` ${parcel.trackingUrl}`
  await call.post(path, {
    note: `Shipped by ${parcel.carrier}${number}: ${what}.${link} ${mark(parcel.fulfillment)}`,
    customer_note: settingsOf(connection).notifyCustomer,
  })
}

/** Statuses that the settings do not name are not told. */
export async function statusChanged(
  { externalId, status }: { externalId: string; status: string },
  connection: Connection,
  http: OutwardHttp,
): Promise<void> {
  const theirs = mapped(settingsOf(connection).statuses, status)
  if (theirs === undefined) return
  const call = wooCall(connection, http)
  const path = `orders/${segment(externalId)}`
  const now = readAs(orderStatus, await call.get(path), `WooCommerce order ${externalId}`).status
  if (now === theirs || ENDED.has(now)) return
  await call.put(path, { status: theirs })
}

/** The filter `sku` takes a list by comma and so finds more for a SKU with a comma in it; what it finds is compared whole. */
async function tell({ sku, available }: StockLevel, call: WooCall): Promise<boolean> {
  const answer = await call.get(`products?per_page=100&sku=${encodeURIComponent(sku)}`)
  const found = readAs(products, answer, `WooCommerce products of SKU ${sku}`).filter((product) => product.sku === sku)
  for (const { id, parent_id, manage_stock, stock_quantity } of found) {
    if (manage_stock === true && stock_quantity === available) continue
    const path = parent_id === undefined ? `products/${id}` : `products/${parent_id}/variations/${id}`
    await call.put(path, { manage_stock: true, stock_quantity: available })
  }
  return found.length > 0
}

/** Rejects with the SKUs that the shop does not know, after the others have been told. */
export async function stock(levels: StockLevel[], connection: Connection, http: OutwardHttp): Promise<void> {
  const call = wooCall(connection, http)
  const unknown: string[] = []
  for (const level of levels) if (!(await tell(level, call))) unknown.push(level.sku)
  if (unknown.length > 0) throw new NotSoldThere(`the shop has no product with SKU ${unknown.join(', ')}`, unknown)
}
