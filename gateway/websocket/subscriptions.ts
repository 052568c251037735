/**
 * Subscriptions: events as they are published, and the stock of single SKUs. Stock changes far too often for a message
 * each: it is looked at ten times a second, and what has changed is sent.
 */
import type { StockView } from '../../actors/inventory/views.js'
import type { EngineEvent } from '../../engine/protocol.js'
import { cloudEvent } from '../events.js'
import { BULK_ITEMS_MAX } from '../limits.js'
import { stockView } from '../operations/inventory.js'
import { failed, type OperationContext } from '../operations/operation.js'
import type { Connection } from './connection.js'
import { packMessage } from './pack-message.js'

const SAMPLE_MS = 100
const INVENTORY = 'inventory.'
const EVERYTHING = 'event.>'
/** The subject of an order's events, whose topic is `order.ID`. */
const ORDER = 'order/'

export class Subscriptions {
  private readonly connections = new Set<Connection>()
  /** The stock of each watched SKU as it was last sent. */
  private readonly last = new Map<string, string>()
  private readonly timer: NodeJS.Timeout
  private sampling = false
  private turn = 0

  constructor(private readonly context: OperationContext) {
    context.dispatch.onEvent((event) => this.publish(event))
    this.timer = setInterval(() => void this.sample(), SAMPLE_MS)
    this.timer.unref()
  }

  add(connection: Connection): void {
    this.connections.add(connection)
  }
  remove(connection: Connection): void {
    this.connections.delete(connection)
  }
  stop(): void {
    clearInterval(this.timer)
  }

  private send(topic: string, subscribed: string, event: unknown): void {
    let bytes: Uint8Array | undefined
    for (const connection of this.connections) {
      if (!connection.topics.has(subscribed)) continue
      bytes ??= packMessage({ op: 'event', topic, event })
      connection.send(bytes)
    }
  }

  /** What others watch already is sent at once; all else comes with the next sample. */
  sendKnown(connection: Connection, topics: string[]): void {
    for (const topic of topics) {
      const text = topic.startsWith(INVENTORY) ? this.last.get(topic.slice(INVENTORY.length)) : undefined
      if (text !== undefined) connection.send(packMessage({ op: 'event', topic, event: JSON.parse(text) }))
    }
  }

  private publish(event: EngineEvent): void {
    const topic = `event.${event.type}`
    const document = cloudEvent(this.context.directory, event)
    this.send(topic, EVERYTHING, document)
    this.send(topic, topic, document)
    if (event.subject.startsWith(ORDER)) {
      const order = `order.${event.subject.slice(ORDER.length)}`
      this.send(order, order, document)
    }
  }

  private watched(): string[] {
    const skus = new Set<string>()
    for (const { topics } of this.connections) {
      for (const topic of topics) if (topic.startsWith(INVENTORY)) skus.add(topic.slice(INVENTORY.length))
    }
    return [...skus]
  }

  private async sample(): Promise<void> {
    if (this.sampling) return
    const all = this.watched()
    for (const sku of this.last.keys()) if (!all.includes(sku)) this.last.delete(sku)
    if (all.length === 0) return
    this.sampling = true
    // With more than one message's worth they take turns.
    const from = (this.turn++ * BULK_ITEMS_MAX) % all.length
    await this.sampleSome(all.slice(from, from + BULK_ITEMS_MAX)).finally(() => {
      this.sampling = false
    })
  }

  private async sampleSome(skus: string[]): Promise<void> {
    const { directory, dispatch } = this.context
    const known = skus.map((sku) => directory.find('skus', sku)).filter((index) => index >= 0)
    for (const [partition, indices] of directory.byPartition(known, (index) => index)) {
      const outcome = await dispatch.query(partition, 'inventory.getMany', { indices })
      if (failed(outcome)) continue
      for (const view of (outcome.body as { items: (StockView | null)[] }).items) if (view) this.sendIfChanged(view)
    }
  }

  private sendIfChanged(view: StockView): void {
    const sku = this.context.directory.name('skus', view.sku)
    const document = stockView(this.context.directory, view)
    const text = JSON.stringify(document)
    if (this.last.get(sku) === text) return
    this.last.set(sku, text)
    this.send(`${INVENTORY}${sku}`, `${INVENTORY}${sku}`, document)
  }
}
