/**
 * The port to sellers’ platforms that call nobody: what has changed there is asked for, again and again, from where the last
 * asking got to. A poll may be cut off anywhere and begun again with the same cursor; the same order twice is harmless.
 */
import type { ChannelEvent, ChannelType, Connection, OutwardHttp } from './channel.js'

export interface Poll {
  /** All that was told of each order, as JSON and as it came, in the order in which the platform told them. */
  told: unknown[]
  /** Where the next poll begins; to be kept once what was told is durable, and not before. */
  cursor: string
}

/** An order that has been taken here, to be acknowledged there. */
export interface TakenOrder {
  externalId: string
  /** The order’s id here. */
  order: string
}

export interface PolledChannel {
  readonly type: ChannelType
  /**
   * What has changed since the cursor (undefined: from where the settings say), a bounded part of it: the caller polls again
   * while the cursor moves. Rejects with what a call met; nothing is lost by it, since the cursor stays.
   */
  poll(connection: Connection, http: OutwardHttp, cursor: string | undefined): Promise<Poll>
  /** What an order that was told means. Throws UnreadablePayload: one that can’t be read holds no other up. */
  read(told: unknown, connection: Connection): ChannelEvent[]
  /** Tells the platform that orders have been taken. May come twice. */
  acknowledge(orders: TakenOrder[], connection: Connection, http: OutwardHttp): Promise<void>
}
