/**
 * The port to warehouse management systems: they are told of fulfillment orders and tell what they have done.
 *
 * Over webhooks: webhook/webhook-link.ts tells, `POST /v1/wms/{connection}/messages` answers (messages.ts).
 *
 * Over NATS: its connection has no `url`. It subscribes to the events of its fulfillment orders on the stream DOORBUSTER_EVENTS,
 * `doorbuster.v1.event.fulfillment.*` (created, changed, accepted, picked, packed, shipped, delivered, rejected, failed,
 * cancelled) and `doorbuster.v1.event.order.changed`. Each is a CloudEvent whose data names `order`, `fulfillment`,
 * `location` and `status`; it asks for the whole with the command `wms.fulfillment.get { connection, fulfillment }`, which
 * gives the notice below as it is now, whichever of its events is read. It answers with
 * `wms.messages { connection, messages }`, or with the single commands `fulfillment.accept`, `.reject`, `.pick`, `.pack`,
 * `.ship`, `.deliver`, `.fail`, each with an `id` that makes a repeat count once.
 */
import type { AddressDocument } from '../personal-data/people.js'
import type { WmsConnection } from './connection.js'

export interface NoticeLine {
  line: number
  sku: string
  name: string | null
  quantity: number
  picked: number
  weightGrams: number
  gift?: { message?: string }
  note?: string
}

/** A fulfillment order with all that a warehouse needs, as it is now: it takes the place of what was told before. */
export interface FulfillmentNotice {
  /** The first one, a later one, or the last one: it is not to be sent any more. */
  type: 'created' | 'changed' | 'cancelled'
  /** Counts up for each fulfillment order; one below what is known came late and is dropped. */
  version: number
  connection: string
  fulfillment: string
  order: string
  externalId: string | null
  channel: string
  location: string
  kind: string
  status: string
  /** The order is on hold: picking is refused until it is resumed. */
  isHeld: boolean
  service: string
  shipBy: string
  deliverBy: string
  shipTo: AddressDocument
  customer: { name: string; phone?: string; email?: string }
  notes: string | null
  lines: NoticeLine[]
}

export interface WmsLink {
  /** Resolves once the WMS has taken it; rejects where it is to be tried again, with `GiveUp` where that is of no use. */
  tell(notice: FulfillmentNotice, connection: WmsConnection): Promise<void>
}
