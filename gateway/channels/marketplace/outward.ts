/**
 * Tells the marketplace what happens here. A shipment is confirmed under a package reference made of the fulfillment’s id:
 * confirmed again under the same one, the marketplace changes that package and makes no second. Stock is each listing’s
 * quantity. Orders taken are acknowledged by a feed, which is a document uploaded and then named.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Connection, OutwardHttp, ShippedParcel, StockLevel } from '../channel.js'
import { mapped } from '../connection-settings.js'
import { readAs, segment } from '../payload.js'
import type { TakenOrder } from '../polled-channel.js'
import { orderAnswer } from './payloads.js'
import { type SellerCall, sellerCall } from './seller-call.js'
import { settingsOf } from './settings.js'

/** The platform takes positive numbers only: 1 to 2^31, the same for the same fulfillment. */
const packageReference = (fulfillment: string): string =>
  String((createHash('sha256').update(fulfillment).digest().readUInt32BE(0) >>> 1) + 1)

async function marketplaceOf(order: string, ids: string[], call: SellerCall): Promise<string> {
  const [only] = ids
  if (ids.length === 1 && only !== undefined) return only
  return readAs(orderAnswer, await call.get(`/orders/v0/orders/${order}`), `order ${order}`).payload.MarketplaceId
}

/** A parcel without a tracking number goes under its id here, since the platform asks for one. */
export async function shipped(parcel: ShippedParcel, connection: Connection, http: OutwardHttp): Promise<void> {
  const call = await sellerCall(connection, http)
  const order = segment(parcel.externalId)
  const { marketplaceIds, carriers } = settingsOf(connection)
  const code = mapped(carriers, parcel.carrier)
  const orderItems = parcel.units.map(({ lineId, sku, quantity }) => {
    if (lineId === undefined)
      throw new Error(`order ${order}: SKU ${sku} has no item id, by which the marketplace knows it`)
    return { orderItemId: lineId, quantity }
  })
  await call.post(`/orders/v0/orders/${order}/shipmentConfirmation`, {
    marketplaceId: await marketplaceOf(order, marketplaceIds, call),
    packageDetail: {
      packageReferenceId: packageReference(parcel.fulfillment),
      ...(code === undefined ? { carrierCode: 'Other', carrierName: parcel.carrier } : { carrierCode: code }),
      trackingNumber: parcel.trackingNumber ?? parcel.fulfillment,
      shipDate: new Date().toISOString(),
      orderItems,
    },
  })
}

export async function stock(levels: StockLevel[], connection: Connection, http: OutwardHttp): Promise<void> {
  const call = await sellerCall(connection, http)
  const { sellerId, marketplaceIds } = settingsOf(connection)
  const query = new URLSearchParams({ marketplaceIds: marketplaceIds.join(',') })
  for (const { sku, available: quantity } of levels) {
    // Dots alone would lead to another path.
    if (/^\.+$/.test(sku)) throw new Error(`${JSON.stringify(sku)} is no SKU of the marketplace`)
    await call.patch(`/listings/2021-08-01/items/${sellerId}/${encodeURIComponent(sku)}?${query}`, {
      productType: 'PRODUCT',
      patches: [
        {
          op: 'replace',
          path: '/attributes/fulfillment_availability',
          value: [{ fulfillment_channel_code: 'DEFAULT', quantity }],
        },
      ],
    })
  }
}

const FEED_TYPE = 'text/xml; charset=UTF-8'
const feedDocument = z.object({ feedDocumentId: z.string().min(1).max(500), url: z.url().max(5_000) })

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
/** What XML has no place for at all is left out. */
const xml = (text: string): string =>
  text.replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD]/g, '').replace(/[&<>"]/g, (sign) => ENTITIES[sign] ?? '')

function acknowledgements(orders: TakenOrder[], sellerId: string): string {
  const messages = orders.map(
    ({ externalId, order }, at) =>
      `<Message><MessageID>${at + 1}</MessageID><OrderAcknowledgement><AmazonOrderID>${xml(externalId)}</AmazonOrderID>` +
      `<MerchantOrderID>${xml(order)}</MerchantOrderID><StatusCode>Success</StatusCode></OrderAcknowledgement></Message>`,
  )
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<AmazonEnvelope><Header><DocumentVersion>1.01</DocumentVersion>' +
    `<MerchantIdentifier>${xml(sellerId)}</MerchantIdentifier></Header>` +
    `<MessageType>OrderAcknowledgement</MessageType>${messages.join('')}</AmazonEnvelope>`
  )
}

/** The feed POST_ORDER_ACKNOWLEDGEMENT_DATA (SP-API, “Feeds API v2021-06-30”). */
export async function acknowledge(orders: TakenOrder[], connection: Connection, http: OutwardHttp): Promise<void> {
  if (orders.length === 0) return
  const call = await sellerCall(connection, http)
  const { sellerId, marketplaceIds } = settingsOf(connection)
  const answer = await call.post('/feeds/2021-06-30/documents', { contentType: FEED_TYPE })
  const { feedDocumentId, url } = readAs(feedDocument, answer, 'the feed’s document')
  const headers = { 'content-type': FEED_TYPE }
  await http.json({ method: 'PUT', url, headers, body: acknowledgements(orders, sellerId) })
  await call.post('/feeds/2021-06-30/feeds', {
    feedType: 'POST_ORDER_ACKNOWLEDGEMENT_DATA',
    marketplaceIds,
    inputFeedDocumentId: feedDocumentId,
  })
}
