/**
 * Orders that something is still due for (the end of a remorse window, a deadline, an escalation), each with the timer of
 * what comes first. Closed orders have no record here, so memory is bounded by what is open.
 *
 *   record, 16 words   0-9 id, up to 40 bytes, filled up with zeros · 10-11 (double) due, milliseconds
 *                      12 used (1) · 13 unused · 14-15 links of its timer; of the free list (14)
 *   counters, words    0 records ever used · 1 first free + 1
 */
import type { Arena } from '../../engine/arena.js'
import { assert } from '../../engine/assert.js'
import { HashIndex, type KeyedHash } from '../../engine/hash-index.js'
import type { Store } from '../../engine/store.js'
import { TimerWheel } from '../../engine/timers.js'
import { ArenaId } from '../arenas.js'
import { OPEN_ORDERS_MAX, ORDER_ID_BYTES_MAX } from '../limits.js'

const WORDS = 16
const ID_WORDS = ORDER_ID_BYTES_MAX / 4
const DUE_DOUBLE = 5
const USED = 12
const NEXT = 14
const PREVIOUS = 15

export class OpenOrders {
  readonly timers: TimerWheel
  private readonly arena: Arena
  private readonly counters: Arena
  private readonly index = new HashIndex(OPEN_ORDERS_MAX)
  private readonly key = new Uint32Array(ID_WORDS)
  private readonly keyBytes = new Uint8Array(this.key.buffer)

  constructor(
    store: Store,
    private readonly hash: KeyedHash,
  ) {
    this.arena = store.arena(ArenaId.openOrders, 'open orders', WORDS * 4, OPEN_ORDERS_MAX)
    this.counters = store.arena(ArenaId.openOrderCounters, 'open order counters', 4, 2)
    this.timers = new TimerWheel(ArenaId.openOrderTimers, 'open order timers', {
      arena: this.arena,
      stride: WORDS,
      next: NEXT,
      previous: PREVIOUS,
      dueMs: (record) => this.dueMs(record),
    })
    store.register(this.timers.heads)
  }

  private dueMs(record: number): number {
    return this.arena.doubles[record * (WORDS / 2) + DUE_DOUBLE]!
  }

  /** Whether one more can be scheduled. */
  get hasRoom(): boolean {
    return this.counters.words[1] !== 0 || this.counters.words[0]! < OPEN_ORDERS_MAX
  }

  /** The id of a record, to which its timer has led. */
  idOf(record: number): string {
    let id = ''
    const at = record * WORDS * 4
    for (let i = 0; i < ORDER_ID_BYTES_MAX && this.arena.bytes[at + i] !== 0; i++) {
      id += String.fromCharCode(this.arena.bytes[at + i]!)
    }
    return id
  }

  /** Sets, or sets anew, when an order is due. */
  schedule(id: string, dueMs: number, nowMs: number): void {
    const hash = this.read(id)
    let record = this.find(hash)
    if (record >= 0) {
      if (this.dueMs(record) === dueMs && this.isRunning(record)) return
      if (this.isRunning(record)) this.timers.stop(record)
    } else record = this.make(hash)
    this.arena.touch(record)
    this.arena.doubles[record * (WORDS / 2) + DUE_DOUBLE] = dueMs
    this.timers.start(record, nowMs)
  }

  unschedule(id: string): void {
    const hash = this.read(id)
    const record = this.find(hash)
    if (record < 0) return
    if (this.isRunning(record)) this.timers.stop(record)
    this.index.remove(hash, record)
    this.arena.touch(record)
    this.counters.touchPage(0)
    const { words } = this.arena
    words.fill(0, record * WORDS, record * WORDS + WORDS)
    words[record * WORDS + NEXT] = this.counters.words[1]!
    this.counters.words[1] = record + 1
  }

  private isRunning(record: number): boolean {
    return this.arena.words[record * WORDS + PREVIOUS] !== 0
  }

  /** Puts an id into `key`; its hash. */
  private read(id: string): number {
    assert(id.length <= ORDER_ID_BYTES_MAX, 'an order id fits')
    this.keyBytes.fill(0)
    for (let i = 0; i < id.length; i++) this.keyBytes[i] = id.charCodeAt(i)
    return this.hashOf(this.key, 0)
  }

  private hashOf(words: Uint32Array, at: number): number {
    let hash = this.hash.of(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!)
    hash = this.hash.of(hash, words[at + 4]!, words[at + 5]!, words[at + 6]!)
    return this.hash.of(hash, words[at + 7]!, words[at + 8]!, words[at + 9]!)
  }

  private find(hash: number): number {
    const { index, key } = this
    const { words } = this.arena
    for (let entry = index.first(hash); ; entry = index.next(entry)) {
      const record = index.recordAt(entry)
      if (record < 0) return -1
      if (index.hashAt(entry) !== hash) continue
      let i = 0
      while (i < ID_WORDS && words[record * WORDS + i] === key[i]) i++
      if (i === ID_WORDS) return record
    }
  }

  private make(hash: number): number {
    const { counters, arena } = this
    counters.touchPage(0)
    let record = counters.words[1]! - 1
    if (record >= 0) counters.words[1] = arena.words[record * WORDS + NEXT]!
    else {
      record = counters.words[0]!
      assert(record < OPEN_ORDERS_MAX, 'room for an open order was looked for')
      counters.words[0]!++
    }
    assert(this.index.insert(hash, record), 'the index has room for an open order')
    arena.touch(record)
    const base = record * WORDS
    arena.words.fill(0, base, base + WORDS)
    arena.words.set(this.key, base)
    arena.words[base + USED] = 1
    return record
  }

  rebuild(): void {
    for (let record = 0; record < this.counters.words[0]!; record++) {
      if (this.arena.words[record * WORDS + USED] === 1) {
        this.index.insert(this.hashOf(this.arena.words, record * WORDS), record)
      }
    }
  }
}
