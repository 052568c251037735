/** What the bench asks of the load generator's process, and what it reports back: one job, one answer, by IPC. */
import type { Latency } from './figures.js'

interface SocketJob {
  readonly port: number
  /** The indices of the SKUs that are reserved, each as often as the others. */
  readonly skus: Uint32Array
  readonly recordsPerFrame: number
  readonly sockets: number
}

/** Each socket keeps a number of frames in flight: the next one is sent when a reply has come. */
export interface ClosedJob extends SocketJob {
  readonly kind: 'closed'
  readonly framesInFlight: number
  readonly warmUpMs: number
  readonly measureMs: number
  /** Ends after this many reservations, where that comes before the time is over. */
  readonly reservationsMax?: number
}

/** Frames are due at instants fixed beforehand, whether replies have come or not. */
export interface OpenJob extends SocketJob {
  readonly kind: 'open'
  readonly framesPerSecond: number
  readonly warmUpMs: number
  readonly measureMs: number
}

/** Reserves, and releases the oldest, so that a number of reservations is live at any time. */
export interface ChurnJob extends SocketJob {
  readonly kind: 'churn'
  readonly framesInFlight: number
  readonly live: number
  readonly measureMs: number
}

export interface HttpJob {
  readonly kind: 'http'
  readonly url: string
  readonly skus: readonly string[]
  readonly connections: number
  readonly warmUpMs: number
  readonly measureMs: number
}

interface OrderJob {
  readonly port: number
  readonly skus: readonly string[]
  readonly sockets: number
  readonly ordersPerMessage: number
  /** What the external ids begin with: a generator's own. */
  readonly prefix: string
  readonly measureMs: number
}

/** Orders of three lines, placed or taken on to delivered, a number of messages in flight on each socket. */
export interface OrdersJob extends OrderJob {
  readonly kind: 'orders'
  readonly isWhole: boolean
  readonly messagesInFlight: number
  /** Done before the clock starts. */
  readonly warmUpOrders: number
  /** It ends after as many, or when the time is over. */
  readonly ordersMax: number
}

/** Messages of orders are due at instants fixed beforehand. */
export interface OpenOrdersJob extends OrderJob {
  readonly kind: 'open-orders'
  readonly messagesPerSecond: number
  readonly warmUpMs: number
}

/** Messages by NATS, a number of them in flight on one connection. */
export interface NatsJob {
  readonly kind: 'nats'
  readonly mode: 'packed' | 'commands' | 'intake'
  /** URL of the nats-server, and of ours; none of ours: who takes the messages is another's matter. */
  readonly nats: string
  readonly url: string | undefined
  readonly names: readonly string[]
  readonly skus: Uint32Array
  readonly inFlight: number
  /** Of a packed frame. */
  readonly recordsPerFrame: number
  /** It ends after as many, where that comes before the time is over. */
  readonly messagesMax: number
  readonly warmUpMs: number
  readonly measureMs: number
}

/** Takes messages from the intake stream and acknowledges them, and nothing else: what the client alone costs. */
export interface NatsDrainJob {
  readonly kind: 'nats-drain'
  readonly nats: string
  readonly messages: number
  readonly measureMs: number
}

export type Job = ClosedJob | OpenJob | ChurnJob | HttpJob | OrdersJob | OpenOrdersJob | NatsJob | NatsDrainJob

export interface LoadReport {
  /** Answered within the measured time. */
  readonly operations: number
  readonly seconds: number
  /** Answers that were not the wanted one, by their status; over the whole run, the warm-up included. */
  readonly refused: Readonly<Record<string, number>>
  readonly latency: Latency
  /** The processor time that the generator itself took, as a share of one core. */
  readonly generatorLoad: number
  /** The processor time of the generator from its first message to the last answer. */
  readonly generatorSeconds?: number
  /** Open loop: frames that the generator sent more than a millisecond after they were due, and the worst of them. */
  readonly lateFrames?: number
  readonly latestMs?: number
  readonly frames?: number
  /** Orders that were sent, the warm-up included, and the units of each SKU in them. */
  readonly orders?: number
  readonly units?: Float64Array
}

export type LoadAnswer =
  | { readonly type: 'report'; readonly report: LoadReport }
  | { readonly type: 'failed'; readonly reason: string }
