/**
 * Runs deliveries as they come due. What waits, waits in the durable store and not here: here is only what is under way, so
 * that a slow receiver, or one that is down, neither fills memory nor holds the others up. The order of events is not kept.
 */
import { setMaxListeners } from 'node:events'
import type { Logger } from 'pino'
import type { CloudEvent } from '../events.js'
import type { OutwardClient } from '../outward/outward-http.js'
import { afterAttempt, attempt, type Delivery, givenUp, isReceiverDown, type WaitingDelivery } from './delivery.js'
import * as limits from './limits.js'
import { Receiver } from './receiver.js'
import type { Webhook } from './webhook.js'

/** What the store is to leave out when asked for what is due. */
export interface LeftOut {
  /** Ids of deliveries that are under way. */
  deliveries: ReadonlySet<string>
  /** Ids of webhooks that have all the attempts they may have, or are down. */
  webhooks: ReadonlySet<string>
}

export interface DueDelivery {
  delivery: WaitingDelivery
  /** None: it was deleted. */
  webhook?: Webhook
  /** None: it is no longer kept. */
  event?: CloudEvent
}

/** Where deliveries are kept durably. */
export interface DeliveryStore {
  /** Waiting deliveries whose time has come (`nextMs <= nowMs`), the earliest first, without what is left out. */
  due(nowMs: number, limit: number, leftOut: LeftOut): Promise<DueDelivery[]>
  /** Keeps the delivery and, in the same step, switches its webhook off where `isGone`. Resolves once it is durable. */
  save(delivery: Delivery, isGone: boolean): Promise<void>
  /** When the earliest waiting delivery that is not left out is due; undefined: there is none. */
  next(leftOut: LeftOut): Promise<number | undefined>
}

export interface DispatcherOptions {
  store: DeliveryStore
  client: OutwardClient
  logger: Logger
  now?: () => number
  /** From 0 to 1. */
  random?: () => number
  atOnce?: number
  atOnceEach?: number
}

export class WebhookDispatcher {
  private readonly receivers = new Map<string, Receiver>()
  private readonly underWay = new Map<string, Promise<void>>()
  private readonly stopping = new AbortController()
  private readonly now: () => number
  private readonly random: () => number
  private timer: NodeJS.Timeout | undefined
  private looking: Promise<void> | undefined
  private again = false
  private stopped = false
  private storePausedUntilMs = 0

  constructor(private readonly options: DispatcherOptions) {
    this.now = options.now ?? Date.now
    this.random = options.random ?? Math.random
    // One listener for each attempt under way, which are bounded.
    setMaxListeners(0, this.stopping.signal)
  }

  /** For a gauge. */
  get attemptsUnderWay(): number {
    return this.underWay.size
  }

  /** There may be something due: called when deliveries were made or asked for again, and at the start. */
  wake(): void {
    if (this.stopped) return
    this.again = true
    this.looking ??= this.look().finally(() => {
      this.looking = undefined
      if (this.again) this.wake()
    })
  }

  /** Begins nothing more; what is under way may end within the grace, is broken off then, and is tried after the restart. */
  async stop(graceMs: number = limits.STOP_GRACE_MS): Promise<void> {
    this.stopped = true
    this.again = false
    clearTimeout(this.timer)
    const end = setTimeout(() => this.stopping.abort(), graceMs)
    await this.looking
    await Promise.all(this.underWay.values())
    clearTimeout(end)
  }

  private async look(): Promise<void> {
    clearTimeout(this.timer)
    try {
      while (this.again && !this.stopped) {
        this.again = false
        if (this.now() >= this.storePausedUntilMs) await this.beginDue()
      }
      if (!this.stopped) this.sleepUntil(await this.nextLookMs())
    } catch (error) {
      this.pauseStore(error)
      this.sleepUntil(this.storePausedUntilMs)
    }
  }

  /** Begins all that is due and may be begun, round by round, since a round may be full of one receiver's. */
  private async beginDue(): Promise<void> {
    const atOnce = this.options.atOnce ?? limits.ATTEMPTS_AT_ONCE
    while (!this.stopped && this.underWay.size < atOnce) {
      const due = await this.options.store.due(this.now(), atOnce - this.underWay.size, this.leftOut())
      if (this.stopped || due.filter((item) => this.begin(item)).length === 0) return
    }
  }

  private begin(item: DueDelivery): boolean {
    const { delivery } = item
    if (this.underWay.has(delivery.id)) return false
    const receiver = this.receiver(delivery.webhook)
    if (!receiver.mayBeTried(this.now())) return false
    receiver.begin()
    const work = this.carryOut(item, receiver)
      .catch((error: unknown) => this.pauseStore(error))
      .finally(() => {
        this.underWay.delete(delivery.id)
        if (receiver.isForgettable) this.receivers.delete(delivery.webhook)
        this.wake()
      })
    this.underWay.set(delivery.id, work)
    return true
  }

  private async carryOut({ delivery, webhook, event }: DueDelivery, receiver: Receiver): Promise<void> {
    const { store, client } = this.options
    const hopeless = this.hopeless(delivery, webhook, event, receiver)
    if (hopeless !== undefined || !webhook || !event) {
      receiver.end(undefined, this.now())
      return store.save(givenUp(delivery, hopeless ?? '', this.now()), false)
    }
    const result = await attempt(webhook, delivery, event, client, this.now(), this.stopping.signal)
    const nowMs = this.now()
    if (result.isStopped) return receiver.end(undefined, nowMs)
    receiver.end(isReceiverDown(result) ? 'down' : 'up', nowMs)
    const after = afterAttempt(delivery, result, nowMs, this.random())
    await store.save(after.delivery, after.isGone)
    if (after.delivery.state === 'dead')
      this.options.logger.warn(
        { webhook: webhook.id, delivery: delivery.id, isGone: after.isGone },
        'a webhook was given up',
      )
  }

  /** Why nothing is to be tried any more, in a sentence; undefined: something is. */
  private hopeless(
    { queuedAtMs }: Delivery,
    webhook: Webhook | undefined,
    event: CloudEvent | undefined,
    receiver: Receiver,
  ): string | undefined {
    if (!webhook) return 'The webhook was deleted.'
    if (!webhook.enabled) return 'The webhook is switched off; switch it on and ask for the delivery again.'
    if (!event) return 'The event is no longer kept.'
    // Not where it is we who were away: what nobody has tried yet is tried.
    if (receiver.isDown && this.now() - queuedAtMs > limits.DELIVERY_AGE_MS_MAX)
      return 'The receiver was down for too long; ask for the delivery again when it is up.'
    return undefined
  }

  private receiver(webhook: string): Receiver {
    const known = this.receivers.get(webhook)
    if (known) return known
    if (this.receivers.size >= limits.RECEIVERS_MAX) this.forgetOne()
    const receiver = new Receiver(this.options.atOnceEach)
    this.receivers.set(webhook, receiver)
    return receiver
  }

  /** The one whose failures are the oldest news: at worst it is probed a few times too often. */
  private forgetOne(): void {
    for (const [id, receiver] of this.receivers)
      if (receiver.isIdle) {
        this.receivers.delete(id)
        return
      }
  }

  private leftOut(): LeftOut {
    const nowMs = this.now()
    const busy = [...this.receivers].filter(([, receiver]) => !receiver.mayBeTried(nowMs))
    return { deliveries: new Set(this.underWay.keys()), webhooks: new Set(busy.map(([id]) => id)) }
  }

  private async nextLookMs(): Promise<number> {
    const nextMs = await this.options.store.next(this.leftOut())
    const probes = [...this.receivers.values()].map(({ waitsUntilMs }) => waitsUntilMs).filter((ms) => ms !== undefined)
    // Where all attempts that may be are under way, the end of one of them looks again.
    const isFull = this.underWay.size >= (this.options.atOnce ?? limits.ATTEMPTS_AT_ONCE)
    const wantedMs = isFull
      ? []
      : [...(nextMs === undefined ? [] : [nextMs]), ...probes.filter((ms) => ms > this.now())]
    return Math.max(this.storePausedUntilMs, Math.min(this.now() + limits.LOOK_MS_MAX, ...wantedMs))
  }

  private sleepUntil(atMs: number): void {
    if (this.stopped) return
    clearTimeout(this.timer)
    const waitMs = Math.min(limits.LOOK_MS_MAX, Math.max(1, atMs - this.now()))
    this.timer = setTimeout(() => this.wake(), waitMs)
    this.timer.unref()
  }

  /** What the store did not take is delivered once more, and not at once: the receiver drops it by its id. */
  private pauseStore(error: unknown): void {
    this.storePausedUntilMs = this.now() + limits.STORE_PAUSE_MS
    this.options.logger.error({ err: error }, 'deliveries of webhooks cannot be read or kept; tried again shortly')
  }
}
