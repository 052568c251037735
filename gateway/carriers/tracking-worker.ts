/**
 * Asks carriers for parcels that are under way and carries what they tell into orders and returns. When each is to be asked
 * next is in its label's record, so a restart goes on where it was; what was carried in and not written down before a crash
 * is carried in again under the carrier's id of the event, which counts once.
 */
import type { Logger } from 'pino'
import type { OperationContext } from '../operations/operation.js'
import type { TrackingEvent } from './carrier.js'
import { LABEL, type LabelRecord, labelPut, trackableLabel } from './label-record.js'
import { carryIn, isUnused } from './tracking-effects.js'
import { giveBack, giveBackUnused } from './unused-labels.js'

const LABELS_AT_ONCE = 32
/** What became due meanwhile is seen this much later at most. */
const LOOK_MS = 1_000
/** A carrier or a partition that did not answer is asked again. */
const FAILED_MS = 5_000
/** What has a label and is not under way is looked at as often, whether it is still to be sent. */
const BOUGHT_MS = 4 * 3_600_000
/** The carrier is ahead of who ships (the parcel was not scanned out): asked again after a part of the time that this lasts. */
const AHEAD_MS_MIN = 500
const AHEAD_MS_MAX = 3_600_000

export class TrackingWorker {
  private timer: NodeJS.Timeout | undefined
  private working: Promise<void> | undefined
  private stopped = false

  constructor(
    private readonly context: OperationContext,
    private readonly logger: Logger,
  ) {
    context.shipping.onBought = () => this.look()
    giveBackUnused(context)
    this.look()
  }

  async stop(): Promise<void> {
    this.stopped = true
    clearTimeout(this.timer)
    await this.working
  }

  private look(): void {
    if (this.working || this.stopped) return
    clearTimeout(this.timer)
    this.working = this.work()
      .catch((error: unknown) => {
        this.logger.warn({ err: error }, 'parcels could not be followed; it is tried again')
        return LOOK_MS
      })
      .then((waitMs) => {
        this.working = undefined
        if (!this.stopped) this.timer = setTimeout(() => this.look(), waitMs).unref()
      })
  }

  /** Everything that is due; when there may be more. */
  private async work(): Promise<number> {
    const { records, now } = this.context
    while (!this.stopped) {
      const { items, nextMs } = await records.due<LabelRecord>(LABEL, now(), LABELS_AT_ONCE)
      if (items.length === 0) return Math.max(1, Math.min(LOOK_MS, (nextMs ?? Number.POSITIVE_INFINITY) - now()))
      for (let at = 0; at < items.length; at += LABELS_AT_ONCE) {
        await Promise.all(items.slice(at, at + LABELS_AT_ONCE).map(({ value }) => this.follow(value)))
      }
    }
    return LOOK_MS
  }

  private async follow(record: LabelRecord): Promise<void> {
    const { trackingNumber, carrier: id } = record.label
    const { people, shipping, now } = this.context
    const nowMs = now()
    try {
      const carrier = shipping.carrier(id)
      const label = trackableLabel(people, record)
      const told: TrackingEvent[] = []
      let dueMs = await carrier.nextLookMs(label, nowMs)
      const events = await carrier.track(label, nowMs)
      if (events.length === 0) {
        if (await isUnused(record, this.context)) await giveBack(trackingNumber, this.context)
        dueMs = Math.min(dueMs ?? Number.POSITIVE_INFINITY, nowMs + BOUGHT_MS)
      }
      for (const event of events) {
        if (record.told.includes(event.id)) continue
        if ((await carryIn(record, event, this.context, nowMs)) === 'too_early') {
          dueMs = nowMs + Math.min(AHEAD_MS_MAX, Math.max(AHEAD_MS_MIN, (nowMs - event.atMs) / 4))
          break
        }
        told.push(event)
      }
      await this.note(trackingNumber, told, dueMs)
    } catch (error) {
      this.logger.warn({ err: error, trackingNumber }, 'a parcel could not be followed; it is tried again')
      await this.note(trackingNumber, [], nowMs + FAILED_MS)
    }
  }

  private note(trackingNumber: string, events: TrackingEvent[], dueMs: number | undefined): Promise<void> {
    return this.context.records.update<LabelRecord>(LABEL, trackingNumber, (value) => {
      if (!value || value.label.voidedMs !== undefined) return undefined
      const { dueMs: _dueMs, ...kept } = value
      return labelPut({
        ...kept,
        status: events.at(-1)?.type ?? value.status,
        told: [...value.told, ...events.map(({ id }) => id)],
        ...(dueMs === undefined ? {} : { dueMs: Math.round(dueMs) }),
      })
    })
  }
}
