/** The webhooks of this server: kept, told of events, and delivered to. */
import type { Logger } from 'pino'
import type { EngineEvent } from '../../engine/protocol.js'
import type { Directory } from '../directory.js'
import type { Dispatch } from '../dispatch.js'
import { cloudEvent } from '../events.js'
import { KnownRecords } from '../known-records.js'
import { derivedId } from '../order-request.js'
import { EventConsumer } from '../outbox/event-consumer.js'
import type { OutwardClient } from '../outward/outward-http.js'
import type { Sealed, Vault } from '../personal-data/vault.js'
import type { RecordStore } from '../records.js'
import { newDelivery } from './delivery.js'
import { RecordedDeliveries } from './delivery-store.js'
import { WebhookDispatcher } from './dispatcher.js'
import { matches, putWebhook, rotateSecret, type Webhook, type WebhookInput } from './webhook.js'

interface KeptWebhook {
  webhook: Omit<Webhook, 'secrets'>
  secrets: Sealed
  /** It is not told of what happened before. */
  sinceMs: number
}

const WEBHOOKS_MAX = 200
const PURPOSE = 'webhook'

export interface WebhooksOptions {
  records: RecordStore
  vault: Vault
  dispatch: Dispatch
  directory: Directory
  client: OutwardClient
  logger: Logger
  now: () => number
}

export class Webhooks {
  readonly deliveries: RecordedDeliveries
  readonly consumer: EventConsumer
  readonly dispatcher: WebhookDispatcher
  private readonly kept: KnownRecords<KeptWebhook>
  /** What `wants` looks at, which cannot wait; empty until it is loaded. */
  private known: { webhook: Webhook; sinceMs: number }[] = []
  private turn: Promise<unknown> = Promise.resolve()

  constructor(private readonly options: WebhooksOptions) {
    const { records, dispatch, client, logger, now } = options
    this.kept = new KnownRecords(records, 'webhook', WEBHOOKS_MAX)
    const book = { list: () => this.list(), switchOff: (id: string) => this.switchOff(id) }
    this.deliveries = new RecordedDeliveries(records, book, now)
    this.dispatcher = new WebhookDispatcher({ store: this.deliveries, client, logger, now })
    this.consumer = new EventConsumer({
      name: 'webhooks',
      dispatch,
      records,
      logger,
      wants: (type) => this.known.some(({ webhook }) => matches(webhook, type)),
      handle: (event) => this.fanOut(event),
    })
  }

  /** Before its consumer reads any event: whom that is for must be known. */
  async start(): Promise<void> {
    await this.refresh()
    this.dispatcher.wake()
  }

  async list(): Promise<Webhook[]> {
    return this.known.map(({ webhook }) => webhook)
  }

  get(id: string): Webhook | undefined {
    return this.known.find(({ webhook }) => webhook.id === id)?.webhook
  }

  /** A secret that was made is told this once. Throws RecordRefused where there are too many. */
  put(id: string, input: WebhookInput): Promise<{ webhook: Webhook; madeSecret?: string }> {
    return this.inTurn(async () => {
      const made = putWebhook(id, input, this.get(id))
      await this.keep(made.webhook)
      return made
    })
  }

  rotate(id: string): Promise<{ webhook: Webhook; madeSecret: string } | undefined> {
    return this.inTurn(async () => {
      const webhook = this.get(id)
      if (!webhook) return undefined
      const made = rotateSecret(webhook)
      await this.keep(made.webhook)
      return made
    })
  }

  private switchOff(id: string): Promise<void> {
    return this.inTurn(async () => {
      const webhook = this.get(id)
      if (webhook?.enabled) await this.keep({ ...webhook, enabled: false })
    })
  }

  private async keep(webhook: Webhook): Promise<void> {
    const { vault, now } = this.options
    const before = this.known.find((one) => one.webhook.id === webhook.id)
    // From here on: also one that was switched off is not told of what it has missed.
    const isNew = webhook.enabled && before?.webhook.enabled !== true
    const { secrets, ...shown } = webhook
    await this.kept.put(webhook.id, {
      webhook: shown,
      secrets: vault.sealSecret(PURPOSE, secrets),
      sinceMs: isNew || !before ? now() : before.sinceMs,
    })
    await this.refresh()
    // Past what nobody wanted until now.
    this.consumer.wake()
  }

  private async refresh(): Promise<void> {
    const all = [...(await this.kept.all()).values()]
    this.known = all.map(({ webhook, secrets, sinceMs }) => ({
      webhook: { ...webhook, secrets: this.options.vault.openSecret<string[]>(PURPOSE, secrets) },
      sinceMs,
    }))
  }

  /** One change after the other: each begins with what the one before has left. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work)
    this.turn = done.catch(() => undefined)
    return done
  }

  private async fanOut(event: EngineEvent): Promise<void> {
    const { directory, now } = this.options
    const told = this.known.filter(({ webhook, sinceMs }) => matches(webhook, event.type) && event.timeMs >= sinceMs)
    if (told.length === 0) return
    const shown = cloudEvent(directory, event)
    for (const { webhook } of told) {
      // By time first, so that a list of them is in order.
      const time = String(event.timeMs).padStart(13, '0')
      const id = `${time}-${derivedId(['webhook', webhook.id, shown.id, shown.time])}`
      await this.deliveries.add(newDelivery(id, webhook, shown, now()), shown)
    }
    this.dispatcher.wake()
  }
}
