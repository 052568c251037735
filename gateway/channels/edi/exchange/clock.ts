/**
 * What is due by the clock: the stock advice of the day, files for folders that could not be written, and orders and
 * fulfillment orders that changed without an event of their own (an order that goes on being partly shipped while the rest
 * of it is sourced again).
 */
import type { Logger } from 'pino'
import type { OperationContext } from '../../../operations/operation.js'
import type { Connection } from '../../channel.js'
import { DOCUMENT, deliver, documentId, type KeptDocument } from './document-store.js'
import { exchangeOrder } from './order-exchange.js'
import { ediConnections, ediSettingsOf } from './partners.js'
import { adviseStock } from './stock-advice.js'

const DAY_MS = 86_400_000
const LOOK_MS = 30_000
/** Orders looked at in one go, of each kind and partition; the next look goes on behind them. */
const PAGE = 100
const OPEN = ['allocated', 'backordered', 'partially_shipped']

export class EdiClock {
  private readonly timer: NodeJS.Timeout
  private looking: Promise<void> | undefined
  /** How far each round over orders has come, by what is asked for and partition. */
  private readonly cursors = new Map<string, string>()

  constructor(
    private readonly context: OperationContext,
    private readonly logger: Logger,
  ) {
    this.timer = setInterval(() => this.wake(), LOOK_MS)
    this.timer.unref()
  }

  wake(): void {
    this.looking ??= this.look()
      .catch((error: unknown) => this.logger.warn({ err: error }, 'partners of EDI could not be told what is due'))
      .finally(() => {
        this.looking = undefined
      })
  }

  async stop(): Promise<void> {
    clearInterval(this.timer)
    await this.looking
  }

  private async look(): Promise<void> {
    const { context } = this
    await this.deliverDue()
    for (const connection of ediConnections(context)) {
      const { advises, warehouses, suppliers } = ediSettingsOf(connection)
      if (advises) await this.adviseToday(connection)
      for (const status of OPEN) {
        await this.sweep('order.list', { filter: { channel: connection.id, status }, detail: 'short' })
      }
      for (const name of [...Object.keys(warehouses), ...Object.keys(suppliers)]) {
        const location = context.directory.find('locations', name)
        if (location >= 0) await this.sweep('fulfillment.list', { location, statuses: ['pending'] })
      }
    }
  }

  private async adviseToday(connection: Connection): Promise<void> {
    const { context } = this
    const atMs = Math.floor(context.now() / DAY_MS) * DAY_MS
    const known = await context.records.get(DOCUMENT, documentId({ connection, atMs, subject: 'daily' }))
    if (known) return
    await adviseStock(connection, atMs, 'daily', context)
  }

  private async deliverDue(): Promise<void> {
    const { context } = this
    const { items } = await context.records.due<KeptDocument>(DOCUMENT, context.now(), PAGE)
    for (const { id, value } of items) {
      const connection = context.channels.connections.get('edi', value.connection)
      await deliver(id, connection && ediSettingsOf(connection).outFolder, context)
    }
  }

  /** One page of each partition's list; the round begins anew behind its end. */
  private async sweep(list: 'order.list' | 'fulfillment.list', ask: object): Promise<void> {
    const { context, cursors, logger } = this
    for (let partition = 0; partition < context.dispatch.links.partitions; partition++) {
      const key = `${list}/${partition}/${JSON.stringify(ask)}`
      const before = cursors.get(key)
      const from = before === undefined ? {} : { before }
      const { status, body } = await context.dispatch.query(partition, list, { ...ask, ...from, limit: PAGE })
      if (status !== 200) continue
      const page = body as { items: { order: string | { id: string } }[]; before: string | null }
      if (page.before === null) cursors.delete(key)
      else cursors.set(key, page.before)
      for (const { order } of page.items) {
        const id = typeof order === 'string' ? order : order.id
        await exchangeOrder(id, context).catch((error: unknown) =>
          logger.warn({ order: id, reason: (error as Error).message }, 'a partner could not be told of an order'),
        )
      }
    }
  }
}
