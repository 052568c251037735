/**
 * Tells each WMS of the fulfillment orders of its locations. Every connection reads the events for itself, so one that is
 * away keeps no other one waiting; it is told what is so when it is back, each change once.
 */
import type { Logger } from 'pino'
import type { EngineEvent } from '../../engine/protocol.js'
import type { OperationContext } from '../operations/operation.js'
import { isOutcome, openedOrder } from '../operations/orders.js'
import { EventConsumer } from '../outbox/event-consumer.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import { CONNECTIONS_MAX, type WmsConnection } from './connection.js'
import { listConnections } from './connections.js'
import { noticeOf, type Told, toldId, WMS_NOTICE } from './notice.js'
import type { WmsLink } from './wms.js'

const LOOK_MS = 1_000

interface Running {
  connection: WmsConnection
  consumer: EventConsumer
}

/** Keeps one reader of events for each connection that is switched on. */
export class WmsWorker {
  private readonly running = new Map<string, Running>()
  private timer: NodeJS.Timeout | undefined
  private looking: Promise<void> | undefined

  constructor(
    private readonly context: OperationContext,
    private readonly logger: Logger,
    private readonly link: WmsLink,
  ) {}

  wake(): void {
    this.timer ??= setInterval(() => this.look(), LOOK_MS).unref()
    this.look()
  }

  async stop(): Promise<void> {
    clearInterval(this.timer)
    await this.looking
    await Promise.all([...this.running.values()].map(({ consumer }) => consumer.stop()))
  }

  private look(): void {
    if (this.looking) return
    this.looking = this.follow()
      .catch((error: unknown) => this.logger.error({ err: error }, 'connections to WMS cannot be read; tried again'))
      .finally(() => {
        this.looking = undefined
      })
  }

  private async follow(): Promise<void> {
    const { items } = await listConnections(CONNECTIONS_MAX, undefined, this.context)
    const wanted = new Map(
      items.filter(({ active, url }) => active && url !== undefined).map((connection) => [connection.id, connection]),
    )
    for (const [id, { consumer }] of this.running) {
      if (wanted.has(id)) continue
      this.running.delete(id)
      await consumer.stop()
    }
    for (const [id, connection] of wanted) {
      const known = this.running.get(id)
      if (known) known.connection = connection
      else this.start(id, connection)
    }
  }

  private start(id: string, connection: WmsConnection): void {
    const { dispatch, records } = this.context
    const consumer = new EventConsumer({
      name: `wms/${id}`,
      dispatch,
      records,
      logger: this.logger,
      wants: (type) => type.startsWith('fulfillment.') || type.startsWith('order.'),
      // A warehouse that is away is waited for.
      attemptsMax: Number.POSITIVE_INFINITY,
      handle: (event) => this.handle(event, this.running.get(id)?.connection ?? connection),
    })
    this.running.set(id, { connection, consumer })
    consumer.wake()
  }

  private async handle({ type, data }: EngineEvent, connection: WmsConnection): Promise<void> {
    const { directory } = this.context
    // Published by orders.
    const { order: id, location, before } = data as { order: string; location?: number; before?: string }
    const locations = new Set(connection.locations.map((name) => directory.find('locations', name)))
    if (location === undefined) {
      // An order as a whole concerns a warehouse where it is changed, held, or no longer held.
      if (type !== 'order.changed' && type !== 'order.on_hold' && before !== 'on_hold') return
    } else if (!locations.has(location)) return
    const order = await openedOrder(id, this.context)
    if (isOutcome(order)) {
      if (order.status === 404) return
      throw new Error(`order ${id} cannot be read`)
    }
    for (const fulfillment of order.fulfillments) {
      if (locations.has(fulfillment.location)) await this.tell(order, fulfillment, connection)
    }
  }

  /** The version is kept before it is told: told again after a crash it is the same one. */
  private async tell(
    order: OpenedOrder,
    fulfillment: OpenedOrder['fulfillments'][number],
    connection: WmsConnection,
  ): Promise<void> {
    const { records } = this.context
    const id = toldId(connection.id, `${order.id}-${fulfillment.number}`)
    const known = await records.get<Told>(WMS_NOTICE, id)
    const next = await noticeOf(order, fulfillment, connection, known?.value, this.context)
    if (!next) return
    await records.put({ kind: WMS_NOTICE, id, value: next.told })
    await this.link.tell(next.notice, connection)
    await records.put({ kind: WMS_NOTICE, id, value: { ...next.told, isDelivered: true } })
  }
}
