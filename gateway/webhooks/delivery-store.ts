/**
 * Deliveries as records: each webhook's are a kind of their own, so that a thousand that wait for one receiver do not stand
 * before those of another. The event is kept with its delivery, since the log's events are kept for a while only.
 */
import type { CloudEvent } from '../events.js'
import type { RecordPage, RecordStore, Stored } from '../records.js'
import { type Delivery, redelivery, type WaitingDelivery } from './delivery.js'
import type { DeliveryStore, DueDelivery, LeftOut } from './dispatcher.js'
import { ATTEMPTS_AT_ONCE } from './limits.js'
import type { Webhook } from './webhook.js'

export interface KeptDelivery {
  delivery: Delivery
  event: CloudEvent
}

/** Where webhooks are known. */
export interface WebhookBook {
  list(): Promise<Webhook[]>
  switchOff(id: string): Promise<void>
}

const DAY_MS = 86_400_000
/** What was delivered can be asked for again for a while; what was not, until somebody has come back from a holiday. */
const KEPT_MS = { delivered: 7 * DAY_MS, dead: 30 * DAY_MS }

const kindOf = (webhook: string): string => `webhook-delivery:${webhook}`
const stateRef = (state: Delivery['state']): string => `state/${state}`

const putOf = (kept: KeptDelivery, nowMs: number) => ({
  value: kept,
  refs: [stateRef(kept.delivery.state)],
  // Of one that is over, when it is deleted.
  dueMs: kept.delivery.state === 'waiting' ? kept.delivery.nextMs : nowMs + KEPT_MS[kept.delivery.state],
})

export class RecordedDeliveries implements DeliveryStore {
  constructor(
    private readonly records: RecordStore,
    private readonly webhooks: WebhookBook,
    private readonly now: () => number,
  ) {}

  /** Once for each id. */
  async add(delivery: WaitingDelivery, event: CloudEvent): Promise<void> {
    const kind = kindOf(delivery.webhook)
    await this.records.create({ kind, id: delivery.id, ...putOf({ delivery, event }, this.now()) })
  }

  async due(nowMs: number, limit: number, leftOut: LeftOut): Promise<DueDelivery[]> {
    const webhooks = (await this.webhooks.list()).filter(({ id }) => !leftOut.webhooks.has(id))
    const pages = await Promise.all(webhooks.map((webhook) => this.dueOf(webhook, nowMs, limit, leftOut)))
    const nextMs = ({ delivery }: DueDelivery): number => delivery.nextMs
    return pages
      .flat()
      .sort((a, b) => nextMs(a) - nextMs(b))
      .slice(0, limit)
  }

  private async dueOf(webhook: Webhook, nowMs: number, limit: number, { deliveries }: LeftOut): Promise<DueDelivery[]> {
    const kind = kindOf(webhook.id)
    const { items } = await this.records.due<KeptDelivery>(kind, nowMs, limit + deliveries.size)
    const due: DueDelivery[] = []
    for (const { id, value } of items) {
      const { delivery, event } = value
      if (delivery.state !== 'waiting') await this.records.delete(kind, id)
      else if (!deliveries.has(id)) due.push({ delivery, webhook, event })
    }
    return due
  }

  async save(delivery: Delivery, isGone: boolean): Promise<void> {
    if (isGone) await this.webhooks.switchOff(delivery.webhook)
    await this.records.update<KeptDelivery>(kindOf(delivery.webhook), delivery.id, (kept) =>
      kept ? putOf({ ...kept, delivery }, this.now()) : undefined,
    )
  }

  async next(leftOut: LeftOut): Promise<number | undefined> {
    const webhooks = (await this.webhooks.list()).filter(({ id }) => !leftOut.webhooks.has(id))
    const times = await Promise.all(webhooks.map(({ id }) => this.nextOf(id, leftOut)))
    const known = times.filter((ms) => ms !== undefined)
    return known.length === 0 ? undefined : Math.min(...known)
  }

  private async nextOf(webhook: string, { deliveries }: LeftOut): Promise<number | undefined> {
    const most = Math.min(deliveries.size, ATTEMPTS_AT_ONCE) + 1
    const { items } = await this.records.due<KeptDelivery>(kindOf(webhook), Number.MAX_SAFE_INTEGER, most)
    const times = items.flatMap(({ id, value: { delivery } }) =>
      delivery.state === 'waiting' && !deliveries.has(id) ? [delivery.nextMs] : [],
    )
    return times.length === 0 ? undefined : Math.min(...times)
  }

  get(webhook: string, id: string): Promise<Stored<KeptDelivery> | undefined> {
    return this.records.get<KeptDelivery>(kindOf(webhook), id)
  }

  /** Newest first. */
  list(webhook: string, limit: number, before?: string, state?: Delivery['state']): Promise<RecordPage<KeptDelivery>> {
    const ref = state === undefined ? undefined : stateRef(state)
    return this.records.list<KeptDelivery>(kindOf(webhook), limit, before, ref)
  }

  /** The delivery, due at once; undefined where there is none. */
  async again(webhook: string, id: string): Promise<WaitingDelivery | undefined> {
    let next: WaitingDelivery | undefined
    await this.records.update<KeptDelivery>(kindOf(webhook), id, (kept) => {
      next = kept && redelivery(kept.delivery, this.now())
      return kept && next && putOf({ ...kept, delivery: next }, this.now())
    })
    return next
  }
}
