/**
 * The table of reservations: one record of one cache line each, found by id, with its timer and its place in the queue
 * of ended ones inside it.
 *
 *   record, 16 words
 *     0-3   id
 *     4-5   buyer (0: none)
 *     6     SKU index
 *     7     quantity
 *     8     time to live in seconds (bits 0-19) · status (bits 24-26) · asked for any location (bit 27) ·
 *           tentative: part of a batch over several partitions that is not decided yet (bit 28)
 *     9     location (bits 0-15) · channel (bits 16-31)
 *     10    pool it was taken from + 1 (0: the SKU's own stock)
 *     11    the SKU's ATP right after it was held: part of its first answer
 *     12-13 (double) when it expires, milliseconds
 *     14-15 links: of its timer while held; of the queue of ended ones after (14: next); of the free list (14)
 *
 *   counters, words            0 records ever used · 1 first free + 1 · 2 oldest ended + 1 · 3 newest ended + 1
 *   counters, doubles          2 live · 3 ended
 */
import type { Arena } from '../../engine/arena.js'
import type { Digest } from '../../engine/digest.js'
import { HashIndex, type KeyedHash } from '../../engine/hash-index.js'
import type { Store } from '../../engine/store.js'
import { TimerWheel } from '../../engine/timers.js'
import { WarmMemory } from '../../engine/warm-memory.js'
import { ArenaId } from '../arenas.js'
import { ENDED_KEPT, RESERVATIONS_MAX } from '../limits.js'

const WORDS = 16
const NEXT = 14
const PREVIOUS = 15
const TTL_MASK = 0xf_ffff
const STATUS_SHIFT = 24
const STATUS_MASK = 7 << STATUS_SHIFT
const ANY_LOCATION_FLAG = 1 << 27
const TENTATIVE_FLAG = 1 << 28

export const ReservationStatus = { held: 1, confirmed: 2, released: 3, expired: 4 } as const
export type ReservationStatus = (typeof ReservationStatus)[keyof typeof ReservationStatus]
export const RESERVATION_STATUS_NAMES = ['', 'held', 'confirmed', 'released', 'expired'] as const

const ANY_SKU = -1
const USED = 0
const FREE = 1
const OLDEST = 2
const NEWEST = 3
const LIVE_DOUBLE = 2
const ENDED_DOUBLE = 3

export class ReservationTable {
  private readonly arena: Arena
  private readonly counters: Arena
  private readonly index = new HashIndex(RESERVATIONS_MAX)
  readonly timers: TimerWheel
  /** The records: `record * 16` is the first word of one. */
  readonly words: Uint32Array
  private readonly doubles: Float64Array
  private readonly warmMemory: WarmMemory

  constructor(
    store: Store,
    private readonly hash: KeyedHash,
  ) {
    this.arena = store.arena(ArenaId.reservations, 'reservations', WORDS * 4, RESERVATIONS_MAX)
    this.counters = store.arena(ArenaId.reservationCounters, 'reservation counters', 4, 8)
    this.words = this.arena.words
    this.doubles = this.arena.doubles
    this.warmMemory = new WarmMemory(this.words)
    const dueMs = (record: number): number => this.expiresAtMs(record)
    this.timers = new TimerWheel(ArenaId.reservationTimers, 'reservation timers', {
      arena: this.arena,
      stride: WORDS,
      next: NEXT,
      previous: PREVIOUS,
      dueMs,
    })
    store.register(this.timers.heads)
  }

  get live(): number {
    return this.counters.doubles[LIVE_DOUBLE]!
  }
  get ended(): number {
    return this.counters.doubles[ENDED_DOUBLE]!
  }
  get used(): number {
    return this.counters.words[USED]!
  }

  /** Touches memory for `records` more, a few system pages at a time; false where there is nothing left to do. */
  warm(records: number, pages: number): boolean {
    const more = this.warmMemory.warm((this.used + records) * WORDS, pages)
    return this.index.warm(records, pages) || more
  }

  /** Hash of the id in `from` at word `at`. */
  hashOf(from: Uint32Array, at: number): number {
    return this.hash.of(from[at]!, from[at + 1]!, from[at + 2]!, from[at + 3]!)
  }

  /**
   * The record with the id in `from` at word `at`, or -1; of this SKU index where one is given, since partitions that were
   * put together may each have held an id for a SKU of their own.
   */
  find(hash: number, from: Uint32Array, at: number, sku = ANY_SKU): number {
    const { index, words } = this
    for (let entry = index.first(hash); ; entry = index.next(entry)) {
      const record = index.recordAt(entry)
      if (record < 0) return -1
      if (index.hashAt(entry) !== hash) continue
      const base = record * WORDS
      if (
        words[base] === from[at] &&
        words[base + 1] === from[at + 1] &&
        words[base + 2] === from[at + 2] &&
        words[base + 3] === from[at + 3] &&
        (sku === ANY_SKU || words[base + 6] === sku)
      ) {
        return record
      }
    }
  }

  /** Loads what a later `find` will look at, for many ids at once, so that the processor fetches them together. */
  prefetch(hash: number): number {
    return this.index.recordAt(this.index.first(hash))
  }

  /**
   * Holds: adds a record and starts its timer. `from` at word `at` is a reserve record of the wire (id, buyer, SKU,
   * quantity first). Returns the record, or -1 where the table is full.
   */
  hold(
    hash: number,
    from: Uint32Array,
    at: number,
    ttlSeconds: number,
    location: number,
    anyLocation: boolean,
    channel: number,
    pool: number,
    remaining: number,
    timeMs: number,
  ): number {
    const { words, counters } = this
    let record = counters.words[FREE]! - 1
    if (record < 0) {
      record = counters.words[USED]!
      if (record >= RESERVATIONS_MAX) {
        // What has ended makes room for what is live before anybody is refused.
        if (this.ended === 0) return -1
        this.forgetOldest()
        record = counters.words[FREE]! - 1
      }
    }
    if (!this.index.insert(hash, record)) return -1
    counters.touchPage(0)
    const base = record * WORDS
    if (record === counters.words[USED]) counters.words[USED]!++
    else counters.words[FREE] = words[base + NEXT]!
    this.arena.touch(record)
    for (let i = 0; i < 8; i++) words[base + i] = from[at + i]!
    words[base + 8] = ttlSeconds | (ReservationStatus.held << STATUS_SHIFT) | (anyLocation ? ANY_LOCATION_FLAG : 0)
    words[base + 9] = location | (channel << 16)
    words[base + 10] = pool + 1
    words[base + 11] = remaining
    this.doubles[(base >>> 1) + 6] = timeMs + ttlSeconds * 1000
    counters.doubles[LIVE_DOUBLE]!++
    this.timers.start(record, timeMs)
    return record
  }

  status(record: number): ReservationStatus {
    return ((this.words[record * WORDS + 8]! & STATUS_MASK) >>> STATUS_SHIFT) as ReservationStatus
  }

  private setStatus(record: number, status: ReservationStatus): void {
    this.arena.touch(record)
    const word = record * WORDS + 8
    this.words[word] = (this.words[word]! & ~STATUS_MASK) | (status << STATUS_SHIFT)
  }

  isTentative(record: number): boolean {
    return (this.words[record * WORDS + 8]! & TENTATIVE_FLAG) !== 0
  }

  /** Held, but for nobody yet: its time does not run out before it is decided. */
  setTentative(record: number): void {
    this.timers.stop(record)
    this.arena.touch(record)
    this.words[record * WORDS + 8]! |= TENTATIVE_FLAG
  }

  /** Decided: from now on it runs out, at once where its time was up meanwhile. */
  settle(record: number, timeMs: number): void {
    this.arena.touch(record)
    this.words[record * WORDS + 8]! &= ~TENTATIVE_FLAG
    this.timers.start(record, timeMs)
  }

  sku(record: number): number {
    return this.words[record * WORDS + 6]!
  }
  quantity(record: number): number {
    return this.words[record * WORDS + 7]!
  }
  location(record: number): number {
    return this.words[record * WORDS + 9]! & 0xffff
  }
  pool(record: number): number {
    return this.words[record * WORDS + 10]! - 1
  }
  remaining(record: number): number {
    return this.words[record * WORDS + 11]!
  }
  ttlSeconds(record: number): number {
    return this.words[record * WORDS + 8]! & TTL_MASK
  }
  expiresAtMs(record: number): number {
    return this.doubles[record * (WORDS / 2) + 6]!
  }

  /**
   * Whether a request is the one that made this record: the same in everything that the caller said, but for the
   * channel, which may have become known only since.
   */
  isSameRequest(
    record: number,
    from: Uint32Array,
    at: number,
    ttlSeconds: number,
    location: number,
    anyLocation: boolean,
  ): boolean {
    const { words } = this
    const base = record * WORDS
    const askedAny = (words[base + 8]! & ANY_LOCATION_FLAG) !== 0
    return (
      words[base + 4] === from[at + 4] &&
      words[base + 5] === from[at + 5] &&
      words[base + 6] === from[at + 6] &&
      words[base + 7] === from[at + 7] &&
      (words[base + 8]! & TTL_MASK) === ttlSeconds &&
      askedAny === anyLocation &&
      (anyLocation || (words[base + 9]! & 0xffff) === location)
    )
  }

  /** A confirmed one keeps fewer units. */
  reduce(record: number, by: number): void {
    this.arena.touch(record)
    this.words[record * WORDS + 7]! -= by
  }

  /** A live one goes on under another id. */
  rename(record: number, id: Uint32Array, at: number): boolean {
    const { words, index } = this
    const base = record * WORDS
    if (!index.insert(this.hashOf(id, at), record)) return false
    index.remove(this.hashOf(words, base), record)
    this.arena.touch(record)
    for (let i = 0; i < 4; i++) words[base + i] = id[at + i]!
    return true
  }

  /** Held becomes confirmed: it no longer expires. */
  confirm(record: number): void {
    this.timers.stop(record)
    this.setStatus(record, ReservationStatus.confirmed)
  }

  /** It is over: `released` or `expired`. A timer that ran out has been stopped by the wheel itself. */
  end(record: number, status: ReservationStatus, timerRunning: boolean): void {
    if (timerRunning) this.timers.stop(record)
    this.setStatus(record, status)
    this.counters.touchPage(0)
    this.counters.doubles[LIVE_DOUBLE]!--
    this.appendEnded(record)
    // Two for one, so that a table that came with more than it may keep shrinks to it.
    for (let i = 0; i < 2 && this.ended > ENDED_KEPT; i++) this.forgetOldest()
  }

  private appendEnded(record: number): void {
    const { words, counters, arena } = this
    counters.doubles[ENDED_DOUBLE]!++
    words[record * WORDS + NEXT] = 0
    words[record * WORDS + PREVIOUS] = 0
    const newest = counters.words[NEWEST]! - 1
    if (newest >= 0) {
      arena.touch(newest)
      words[newest * WORDS + NEXT] = record + 1
    } else counters.words[OLDEST] = record + 1
    counters.words[NEWEST] = record + 1
  }

  private forgetOldest(): void {
    const { words, counters } = this
    counters.touchPage(0)
    const record = counters.words[OLDEST]! - 1
    counters.words[OLDEST] = words[record * WORDS + NEXT]!
    if (counters.words[OLDEST] === 0) counters.words[NEWEST] = 0
    counters.doubles[ENDED_DOUBLE]!--
    this.free(record)
  }

  /** As if it had never been: what is live is gone. */
  forget(record: number): void {
    this.counters.touchPage(0)
    if (this.status(record) === ReservationStatus.held && !this.isTentative(record)) this.timers.stop(record)
    this.counters.doubles[LIVE_DOUBLE]!--
    this.free(record)
  }

  private free(record: number): void {
    const { words, counters } = this
    const base = record * WORDS
    this.index.remove(this.hashOf(words, base), record)
    this.arena.touch(record)
    words.fill(0, base, base + WORDS)
    words[base + NEXT] = counters.words[FREE]!
    counters.words[FREE] = record + 1
  }

  /** Takes over a record of another table: `image` is its 16 words, with the pool's number in this partition. */
  adopt(image: Uint32Array, timeMs: number): void {
    const { words, counters } = this
    counters.touchPage(0)
    const record = counters.words[USED]!
    counters.words[USED] = record + 1
    this.index.insert(this.hashOf(image, 0), record)
    this.arena.touch(record)
    words.set(image, record * WORDS)
    words[record * WORDS + NEXT] = 0
    words[record * WORDS + PREVIOUS] = 0
    const status = this.status(record)
    if (status === ReservationStatus.released || status === ReservationStatus.expired) {
      this.appendEnded(record)
      return
    }
    counters.doubles[LIVE_DOUBLE]!++
    if (status === ReservationStatus.held) this.timers.start(record, timeMs)
  }

  /** After the arenas were loaded: the index is derived from the records. */
  rebuild(): void {
    for (let record = 0; record < this.used; record++) {
      if (this.isUsed(record)) this.index.insert(this.hashOf(this.words, record * WORDS), record)
    }
  }

  isUsed(record: number): boolean {
    return this.status(record) !== (0 as ReservationStatus)
  }

  /** Held or confirmed: it holds stock. */
  isLive(record: number): boolean {
    const status = this.status(record)
    return status === ReservationStatus.held || status === ReservationStatus.confirmed
  }

  forEach(visit: (record: number) => void): void {
    for (let record = 0; record < this.used; record++) if (this.isUsed(record)) visit(record)
  }

  /** Ended reservations, oldest first. */
  forEachEnded(visit: (record: number) => void): void {
    for (let next = this.counters.words[OLDEST]!; next !== 0; next = this.words[(next - 1) * WORDS + NEXT]!) {
      visit(next - 1)
    }
  }

  /** Everything a reservation is, without where it lies; `poolKey` stands for the pool whatever its number. */
  addToDigest(digest: Digest, poolKey: (pool: number) => number): void {
    const image = new Uint32Array(14)
    this.forEach((record) => {
      image.set(this.words.subarray(record * WORDS, record * WORDS + 14))
      image[10] = this.pool(record) < 0 ? 0 : poolKey(this.pool(record))
      digest.addWords(ArenaId.reservations, image, 0, 14)
    })
  }
}
