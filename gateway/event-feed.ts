/**
 * The events of each partition that were published last, as the partition pushed them. All readers that are near the end
 * take them from here; only who is further behind, or has just started, asks the partition. So an event is decoded once
 * for all its readers, and a partition does not read its own store for each of them.
 */
import type { EngineEvent, Outcome } from '../engine/protocol.js'
import { EVENT_FEED_BYTES_MAX, EVENT_FEED_EVENTS_MAX } from './limits.js'

export interface EventPage {
  /** After the number that was asked for, in their order. */
  events: EngineEvent[]
  /** Older ones were asked for that are no longer kept, or ones of a future that a restored backup does not know. */
  missed: boolean
  /** Number of the last event there is. */
  last: number
}

/** The newest events of one partition, without a gap, bounded in number and bytes. */
export class EventTail {
  /** By number modulo the size. */
  private readonly slots: ({ event: EngineEvent; bytes: number } | undefined)[]
  private first = 1
  private last = 0
  private bytes = 0

  constructor(
    private readonly eventsMax = EVENT_FEED_EVENTS_MAX,
    private readonly bytesMax = EVENT_FEED_BYTES_MAX,
  ) {
    this.slots = new Array(eventsMax).fill(undefined)
  }

  /** `bytes`: of the event as it was pushed. */
  add(event: EngineEvent, bytes: number): void {
    // The first one after a start follows what was never seen here.
    if (event.number !== this.last + 1) this.dropUpTo(this.last, event.number)
    if (event.number - this.first >= this.eventsMax) this.dropUpTo(this.first, this.first + 1)
    this.slots[event.number % this.eventsMax] = { event, bytes }
    this.last = event.number
    this.bytes += bytes
    while (this.bytes > this.bytesMax && this.first < this.last) this.dropUpTo(this.first, this.first + 1)
  }

  /** Forgets up to a number; `next` is then the first that is here, or will be. */
  private dropUpTo(number: number, next: number): void {
    for (let at = this.first; at <= number; at++) {
      const slot = at % this.eventsMax
      this.bytes -= this.slots[slot]?.bytes ?? 0
      this.slots[slot] = undefined
    }
    this.first = next
  }

  /** Undefined where what is asked for is not all here. */
  page(after: number, limit: number): EventPage | undefined {
    if (after + 1 < this.first || after > this.last || this.last === 0) return undefined
    const events: EngineEvent[] = []
    for (let at = after + 1; at <= this.last && events.length < limit; at++) {
      events.push(this.slots[at % this.eventsMax]!.event)
    }
    return { events, missed: false, last: this.last }
  }
}

export class EventFeed {
  private readonly tails: EventTail[]
  /** Number of the last event of each partition, as far as is known. */
  private readonly lasts: number[]

  constructor(
    partitions: number,
    private readonly query: (partition: number, name: string, body: unknown) => Promise<Outcome>,
  ) {
    this.tails = Array.from({ length: partitions }, () => new EventTail())
    this.lasts = this.tails.map(() => 0)
  }

  add(event: EngineEvent, bytes: number): void {
    this.tails[event.partition]!.add(event, bytes)
    this.lasts[event.partition] = event.number
  }

  /** How many events a reader that has read so far, by partition, has still to read, as far as is known. */
  behind(numbers: readonly number[]): number {
    return this.lasts.reduce((sum, last, partition) => sum + Math.max(0, last - (numbers[partition] ?? 0)), 0)
  }

  /** A partition's events after a number, at most `limit`; undefined where it has too much to do to tell. */
  async page(partition: number, after: number, limit: number): Promise<EventPage | undefined> {
    const near = this.tails[partition]!.page(after, limit)
    if (near) return near
    const { status, body } = await this.query(partition, 'engine.events', { after, limit })
    if (status !== 200) return undefined
    // The engine's own answer.
    const page = body as EventPage
    this.lasts[partition] = Math.max(this.lasts[partition]!, page.last)
    return page
  }
}
