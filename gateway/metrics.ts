/** Figures for Prometheus, and the log of what should not happen. */
import type { Logger } from 'pino'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { ORDER_STATUSES } from '../actors/order/order-status.js'
import { STATS, type Stat } from '../engine/protocol.js'
import type { Dispatch } from './dispatch.js'

const HELP: Record<Stat, string> = {
  sequence: 'Last record of the log',
  commands: 'Commands applied since the start',
  batches: 'Batches appended since the start',
  logBytes: 'Bytes appended to the log since the start',
  appendMilliseconds: 'Time spent in appends, waiting for the disk included',
  applyMilliseconds: 'Time spent applying batches',
  checkpoints: 'Checkpoints taken since the start',
  logRecordsKept: 'Records in the log behind the last checkpoint',
  logWriteFailures: 'Batches that the disk refused',
  logRefuses: '1 while the disk takes no batches',
  checkpointFailures: 'Checkpoints that the disk refused',
  timersRunning: 'Holds and sales whose time runs',
  messagesWaiting: 'Messages that another partition has not acknowledged',
  memoryReady: '1 once memory is ready for as many reservations as --warm-reservations says',
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

export class Metrics {
  private readonly registry = new Registry()
  private readonly requests: Counter
  private readonly durations: Histogram
  /** Plain numbers, since a frame must not pay for a registry. */
  private frames = 0
  private records = 0
  readonly sockets: Gauge

  constructor(
    dispatch: Dispatch,
    private readonly logger: Logger,
  ) {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    this.requests = new Counter({
      name: 'doorbuster_requests_total',
      help: 'Requests by operation and status',
      labelNames: ['operation', 'status'],
      registers,
    })
    this.durations = new Histogram({
      name: 'doorbuster_request_seconds',
      help: 'Time from a request to its answer',
      buckets: [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.5, 2],
      registers,
    })
    this.gauge('doorbuster_frames', 'Packed frames taken since the start', () => this.frames)
    this.gauge('doorbuster_frame_records', 'Packed records taken since the start', () => this.records)
    this.gauge('doorbuster_in_flight', 'Requests that wait for a partition', () => dispatch.inFlight)
    this.gauge('doorbuster_overloads', 'Requests that were told to come back', () => dispatch.overloads)
    this.sockets = new Gauge({ name: 'doorbuster_sockets', help: 'Open WebSockets', registers })
    this.orderCounts(dispatch)
    for (const stat of STATS) {
      new Gauge({
        name: `doorbuster_partition_${snake(stat)}`,
        help: HELP[stat],
        labelNames: ['partition'],
        registers,
        collect() {
          for (let partition = 0; partition < dispatch.links.partitions; partition++) {
            this.set({ partition }, dispatch.links.stats(partition)[stat])
          }
        },
      })
    }
  }

  /** How many orders have each status: asked of the partitions when somebody wants the figures. */
  private orderCounts(dispatch: Dispatch): void {
    new Gauge({
      name: 'doorbuster_orders',
      help: 'Orders by status',
      labelNames: ['status'],
      registers: [this.registry],
      async collect() {
        const outcomes = await dispatch.queryAll('order.counts', {})
        const counts = outcomes.flatMap(({ status, body }) => (status === 200 ? [body as Record<string, number>] : []))
        for (const status of ORDER_STATUSES) {
          this.set(
            { status },
            counts.reduce((sum, own) => sum + own[status]!, 0),
          )
        }
      },
    })
  }

  /** How far behind each reader of events is. */
  readers(readers: readonly { readonly name: string; readonly lag: number }[]): void {
    new Gauge({
      name: 'doorbuster_event_reader_lag',
      help: 'Events that a reader has still to read',
      labelNames: ['reader'],
      registers: [this.registry],
      collect() {
        for (const { name, lag } of readers) this.set({ reader: name }, lag)
      },
    })
  }

  /** A figure that is looked up when somebody asks. */
  gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(value())
      },
    })
  }

  /** `count`: of as many that went and came together. */
  request(operation: string, status: number, milliseconds: number, count = 1): void {
    if (count === 0) return
    this.requests.inc({ operation, status }, count)
    for (let i = 0; i < count; i++) this.durations.observe(milliseconds / 1000)
  }

  frame(records: number): void {
    this.frames++
    this.records += records
  }

  fault(where: string, error: unknown): void {
    this.logger.error({ err: error, where }, 'an operation failed')
  }

  text(): Promise<string> {
    return this.registry.metrics()
  }
}
