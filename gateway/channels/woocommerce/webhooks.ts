/** What a WooCommerce webhook says, by its topic (header X-WC-Webhook-Topic) and the order’s status. */
import { money } from '../../money.js'
import type { ChannelEvent, Connection, Delivery, OutwardHttp } from '../channel.js'
import { cut } from '../order-parts.js'
import { parseJson, readAs } from '../payload.js'
import { secrets } from '../secret.js'
import { channelOrder } from './orders.js'
import { type OrderPayload, orderHead, orderPayload, refundAnswer } from './payloads.js'
import { settingsOf } from './settings.js'
import { isPing } from './signature.js'
import { wooCall } from './woo-call.js'

const DRAFTS = new Set(['checkout-draft', 'auto-draft', 'draft', 'new'])
type Refund = Extract<ChannelEvent, { type: 'refund' }>
type RefundUnits = Refund['units']

const ignored = (reason: string): ChannelEvent[] => [{ type: 'ignored', reason }]

/** The units given back, which only the API tells; none where the connection has no key for it. */
async function refundedUnits(
  order: string,
  refund: string,
  connection: Connection,
  http: OutwardHttp,
): Promise<RefundUnits> {
  if (settingsOf(connection).apiUrl === undefined || !secrets(connection.secret).has('consumerKey')) return []
  const answer = await wooCall(connection, http).get(`orders/${order}/refunds/${refund}`)
  const { line_items } = readAs(refundAnswer, answer, `WooCommerce refund ${refund}`)
  return line_items.flatMap(({ sku, quantity, meta_data }) => {
    if (quantity === 0) return []
    const meta = (name: string) => meta_data.find(({ key }) => key === name)?.value
    const line = meta('_refunded_item_id')
    const lineId = typeof line === 'number' || typeof line === 'string' ? String(line) : undefined
    if (lineId === undefined && sku === undefined) return []
    const which = { ...(lineId === undefined ? {} : { lineId }), ...(sku === undefined ? {} : { sku }) }
    return [{ ...which, quantity: -quantity, restock: Number(meta('_restock_refunded_items') ?? 0) > 0 }]
  })
}

async function refundEvents(order: OrderPayload, connection: Connection, http: OutwardHttp): Promise<ChannelEvent[]> {
  const events: ChannelEvent[] = []
  for (const { id, reason, total } of order.refunds) {
    events.push({
      type: 'refund',
      externalId: order.id,
      refundId: id,
      amount: money(Math.abs(total), '').amount,
      reason: cut(reason ?? 'refunded in the shop', 500),
      units: await refundedUnits(order.id, id, connection, http),
    })
  }
  return events
}

/** Rejects with UnreadablePayload, or with what the call for a refund’s units met. */
export async function read(delivery: Delivery, connection: Connection, http: OutwardHttp): Promise<ChannelEvent[]> {
  if (isPing(delivery.body)) return ignored('the ping of a new webhook')
  const topic = delivery.headers['x-wc-webhook-topic'] ?? ''
  if (
    topic !== 'order.created' &&
    topic !== 'order.updated' &&
    topic !== 'order.deleted' &&
    topic !== 'order.restored'
  ) {
    return ignored(
      topic === '' ? 'no X-WC-Webhook-Topic' : `the topic ${topic.slice(0, 100)} says nothing that is needed here`,
    )
  }
  const value = parseJson(delivery.body, 'WooCommerce order')
  const { id, status } = readAs(orderHead, value, 'WooCommerce order')
  const isNew = topic === 'order.created'
  if (topic === 'order.deleted') return [{ type: 'cancel', externalId: id, reason: 'deleted in the shop' }]
  if (status !== undefined && DRAFTS.has(status)) return ignored(`order ${id} is a draft`)
  if (status === 'trash' || status === 'cancelled') {
    if (isNew) return ignored(`order ${id} was cancelled before it was told`)
    const reason = status === 'trash' ? 'put in the bin in the shop' : 'cancelled in the shop'
    return [{ type: 'cancel', externalId: id, reason }]
  }
  const order = readAs(orderPayload, value, 'WooCommerce order')
  const now = channelOrder(order, settingsOf(connection))
  if (now === undefined) return ignored(`order ${id} has no lines`)
  const { date_modified_gmt: at } = order
  const refunds = await refundEvents(order, connection, http)
  if (isNew) return [{ type: 'order', order: now }, ...refunds]
  return [{ type: 'update', order: now, ...(at === undefined ? {} : { at }) }, ...refunds]
}
