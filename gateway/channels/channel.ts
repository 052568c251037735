/**
 * The port to whoever sells: each kind of channel is a folder that turns its own words into these, and these back into its
 * own. A channel's adapter keeps nothing; what has come in is durable before an adapter reads it, so reading it twice must
 * give the same.
 */
import type { z } from 'zod'
import type { order } from '../order-schemas.js'
import type { PartnerDocument } from './edi/exchange/partner-document.js'

export const CHANNEL_TYPES = ['shopify', 'woocommerce', 'bigcommerce', 'edi', 'marketplace', 'pos', 'files'] as const
export type ChannelType = (typeof CHANNEL_TYPES)[number]

/** One shop, account or partner behind a channel type. */
export interface Connection {
  type: ChannelType
  /** The order's channel. */
  id: string
  name: string
  /** Written, never shown again. */
  secret: string
  /** What the channel type needs: addresses, locations, identifiers. Checked by the adapter's `settings` schema. */
  settings: Readonly<Record<string, unknown>>
}

/** An order in the words of the API, SKUs being the channel's own until aliases are looked up. */
export interface ChannelOrder extends Omit<z.input<typeof order>, 'id' | 'channel' | 'externalId'> {
  externalId: string
  /** The channel's ids of the lines, in their order; by these it refunds and cancels. */
  lineIds: string[]
  /** Of orders by EDI: how and by whom it was sent, so that it is answered in the same way. */
  origin?: {
    syntax: 'x12' | 'edifact'
    /** The day that the partner gave it, ISO. */
    orderedOn?: string
    sender?: { qualifier: string; id: string }
    receiver?: { qualifier: string; id: string }
  }
}

/** Units of a line that was ordered, by the channel's id of the line, or by SKU where it has none. */
export interface ChannelUnits {
  lineId?: string
  sku?: string
  quantity: number
}

/** What a payload says has happened. One payload may say several things; they are carried out in this order. */
export type ChannelEvent =
  | { type: 'order'; order: ChannelOrder }
  /** The order is now like this. `at`: when, so that an older one that comes late changes nothing. */
  | { type: 'update'; order: ChannelOrder; at?: string }
  | { type: 'cancel'; externalId: string; reason: string; units?: ChannelUnits[] }
  | {
      type: 'refund'
      externalId: string
      /** The channel's own id of the refund: the same one counts once. */
      refundId: string
      /** Given back to the customer: decimal text in the order's currency. */
      amount: string
      reason: string
      /** `restock`: units that came back and may be sold again, at the location, where the channel names one of its own. */
      units: (ChannelUnits & { restock: boolean; location?: string })[]
    }
  /** Somebody counted, or set, what there is at a place: the channel's own words for SKU and location. */
  | { type: 'stock'; sku: string; location: string; available: number; at?: string }
  /** What a supplier or a warehouse says by EDI, or what could not be read of a file of which other parts could. */
  | { type: 'partner'; document: PartnerDocument }
  /** Nothing to do, and why: drafts, test deliveries, topics that nobody asked for. */
  | { type: 'ignored'; reason: string }

/** A payload that can't be read: what is wrong with it, for whoever looks at the channel's failures. */
export class UnreadablePayload extends Error {
  constructor(
    message: string,
    readonly errors: { path: string; message: string }[] = [],
  ) {
    super(message)
  }
}

/** What came in: headers in lower case, and the body's bytes as they were sent. */
export interface Delivery {
  headers: Readonly<Record<string, string>>
  body: Uint8Array
}

/** Outward calls of an adapter: the shop's own API, with retries, rate limit and no private addresses unless allowed. */
export interface OutwardHttp {
  /**
   * Resolves with the parsed JSON of a 2xx answer (undefined where it is empty); rejects with what was answered else. The
   * body goes as JSON, but text whose `content-type` the headers name goes as it is: some platforms take documents too.
   */
  json(request: {
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
    url: string
    headers?: Record<string, string>
    body?: unknown
  }): Promise<unknown>
}

/** A channel that calls us. */
export interface WebhookChannel {
  readonly type: ChannelType
  /** Whether the delivery was signed with the connection's secret, in constant time over the bytes as they came. */
  isSigned(delivery: Delivery, connection: Connection): boolean
  /** The channel's own id of the delivery, so that the same one is read once; undefined where it has none. */
  deliveryId(delivery: Delivery): string | undefined
  /** Rejects with UnreadablePayload, or with what an outward call met (then it is tried again). */
  read(delivery: Delivery, connection: Connection, http: OutwardHttp): Promise<ChannelEvent[]>
}

export interface ShippedParcel {
  externalId: string
  /** The fulfillment order's id here: the same one is told once. */
  fulfillment: string
  carrier: string
  trackingNumber?: string
  trackingUrl?: string
  /** The channel's location that it left from, where the settings map ours to theirs. */
  location?: string
  units: { lineId?: string; sku: string; quantity: number }[]
}

export interface StockLevel {
  /** The channel's own SKU. */
  sku: string
  available: number
}

/** The others were told; these the channel does not sell. Nothing to try again before they change. */
export class NotSoldThere extends Error {
  constructor(
    message: string,
    readonly skus: readonly string[],
  ) {
    super(message)
  }
}

/** A channel that is told what happens here. Each call may come twice and must then change nothing. */
export interface ChannelListener {
  readonly type: ChannelType
  shipped(parcel: ShippedParcel, connection: Connection, http: OutwardHttp): Promise<void>
  statusChanged?(
    change: { externalId: string; status: string },
    connection: Connection,
    http: OutwardHttp,
  ): Promise<void>
  /** Rejects with NotSoldThere where all but some were told. */
  stock(levels: StockLevel[], connection: Connection, http: OutwardHttp): Promise<void>
}
