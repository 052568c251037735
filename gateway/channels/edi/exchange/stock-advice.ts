/** Tells partners what they may sell of our stock (846): when they are asked to be told, and every day where they want it. */
import type { Logger } from 'pino'
import type { Outcome } from '../../../../engine/protocol.js'
import { failed, type OperationContext } from '../../../operations/operation.js'
import type { Connection } from '../../channel.js'
import { commonSettings } from '../../connections.js'
import type { InventoryAdviceDocument } from '../documents.js'
import { documentId, issue, type Occasion } from './document-store.js'
import { exchangeOrder } from './order-exchange.js'
import { day } from './partner-lines.js'
import { ediConnections, ediSettingsOf } from './partners.js'

/** SKUs of one advice: the text has some 60 bytes for each, and a record holds it whole. */
const SKUS_MAX = 5_000
const ASKED_AT_ONCE = 500
const DAY_MS = 86_400_000
const LOOK_MS = 30_000
const PAGE = 500

/** Makes the advice of this time and says its id; an outcome where it cannot be. */
export async function adviseStock(
  connection: Connection,
  atMs: number,
  subject: string,
  context: OperationContext,
): Promise<{ id: string } | Outcome> {
  const items = await itemsFor(connection, context)
  if ('status' in items) return items
  const settings = ediSettingsOf(connection)
  const occasion: Occasion = { connection, settings, syntax: 'x12', atMs, subject }
  const id = documentId(occasion)
  const document: InventoryAdviceDocument = {
    type: 'inventoryAdvice',
    reference: `A${atMs}`,
    date: day(atMs),
    items,
  }
  await issue(document, occasion, context)
  return { id }
}

/** What has an alias is told under that name; a partner without any is told of all SKUs under ours. */
async function itemsFor(
  connection: Connection,
  context: OperationContext,
): Promise<InventoryAdviceDocument['items'] | Outcome> {
  const { directory, channels } = context
  const { buffer } = commonSettings(connection)
  const theirs = channels.connections.theirSkus(connection)
  const skus =
    theirs.size > 0
      ? [...theirs.keys()]
      : Array.from({ length: Math.min(SKUS_MAX, directory.count('skus')) }, (_, at) => directory.name('skus', at))
  const items: InventoryAdviceDocument['items'] = []
  for (let at = 0; at < Math.min(skus.length, SKUS_MAX); at += ASKED_AT_ONCE) {
    const some = skus.slice(at, at + ASKED_AT_ONCE)
    const outcome = await context.call('inventory.getMany', { skus: some })
    if (failed(outcome)) return outcome
    const { items: stock } = outcome.body as { items: ({ sku: string; atp: number } | null)[] }
    for (const [place, sku] of some.entries()) {
      const available = Math.max(0, (stock[place]?.atp ?? 0) - buffer)
      const names = theirs.get(sku) ?? [{ theirs: sku, quantity: 1 }]
      for (const name of names) items.push({ sku: name.theirs, available: Math.floor(available / name.quantity) })
    }
  }
  return items
}

/**
 * What is due by the clock: the advice of the day, and fulfillment orders that came to be without an event of their own
 * (an order that goes on being partly shipped while the rest of it is sourced again).
 */
export class EdiClock {
  private readonly timer: NodeJS.Timeout
  private looking: Promise<void> | undefined

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
    for (const connection of ediConnections(context)) {
      const { advises, warehouses, suppliers } = ediSettingsOf(connection)
      if (advises) await this.adviseToday(connection)
      for (const location of [...Object.keys(warehouses), ...Object.keys(suppliers)]) await this.sweep(location)
    }
  }

  private async adviseToday(connection: Connection): Promise<void> {
    const { context } = this
    const atMs = Math.floor(context.now() / DAY_MS) * DAY_MS
    const known = await context.records.get('edi-document', documentId({ connection, atMs, subject: 'daily' }))
    if (known) return
    const told = await adviseStock(connection, atMs, 'daily', context)
    if ('status' in told) throw new Error(`the stock for ${connection.id} cannot be read: ${told.status}`)
  }

  private async sweep(name: string): Promise<void> {
    const { context, logger } = this
    const location = context.directory.find('locations', name)
    if (location < 0) return
    const outcomes = await context.dispatch.queryAll('fulfillment.list', {
      location,
      statuses: ['pending'],
      limit: PAGE,
    })
    for (const { status, body } of outcomes) {
      if (status !== 200) continue
      for (const { order } of (body as { items: { order: string }[] }).items) {
        await exchangeOrder(order, context).catch((error: unknown) =>
          logger.warn({ order, reason: (error as Error).message }, 'a partner could not be told of an order'),
        )
      }
    }
  }
}
