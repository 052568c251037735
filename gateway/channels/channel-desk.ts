/** What the rest of the gateway asks of channels. */
import type { Outcome } from '../../engine/protocol.js'
import type { ChannelType, Connection, Delivery } from './channel.js'
import type { KeptDelivery } from './kept-delivery.js'

/** What one of theirs is here: a SKU, and how many of it. */
export interface Alias {
  sku: string
  quantity: number
}

export interface ConnectionBook {
  get(type: ChannelType, id: string): Connection | undefined
  /** The connection that an order's channel names. */
  byChannel(channel: string): Connection | undefined
  list(): Connection[]
  putAlias(connection: Connection, theirs: string, alias: Alias): Promise<void>
  alias(connection: Pick<Connection, 'type' | 'id'>, theirs: string): Alias
  /** What the channel calls our SKUs: what has an alias goes by that alone. */
  theirSkus(connection: Connection): Map<string, { theirs: string; quantity: number }[]>
}

export interface ChannelDesk {
  readonly connections: ConnectionBook
  readonly intake: {
    /** A delivery as the platform sent it: refused where it is not signed, else durable once this resolves. */
    receive(connection: Connection, delivery: Delivery): Promise<Outcome>
    /** Of a sender who was known where it came in; `own` names the delivery for ever. */
    takeKnown(connection: Connection, own: string, delivery: Delivery): Promise<Outcome>
    /** What a platform that calls nobody has told when it was asked. */
    takeTold(connection: Connection, id: string, told: unknown): Promise<Outcome>
    /** Carries one out that is kept. */
    process(id: string): Promise<KeptDelivery>
  }
  put(connection: Connection): Promise<void>
  /** Once the operations can be asked: what is in watched folders already is taken. */
  start(): Promise<void>
}
