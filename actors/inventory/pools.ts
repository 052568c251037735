/**
 * Pools: a share of a SKU that is set apart for a sale or for a channel. What is set apart and not yet taken cannot be
 * had by others; a sale's share goes back to all when it closes.
 *
 *   record, 16 words
 *     0     SKU + 1 (0: free)
 *     1     next pool of the SKU + 1 (0: last)
 *     2     quantity set apart (ALL: the whole stock of the SKU)
 *     3     units taken from it and still held
 *     4     limit a buyer (0: none)
 *     5     kind (bits 0-1: 1 sale, 2 channel) · closed (bit 2) · number of channels (bits 8-15)
 *     6-7   (double) opens, milliseconds
 *     8-9   (double) closes, milliseconds
 *     10-13 channels, two to a word
 *     14-15 timer
 *   record 0's word 0: pools ever used (pools begin at 1)
 */
import type { Arena } from '../../engine/arena.js'
import { assert } from '../../engine/assert.js'
import type { Store } from '../../engine/store.js'
import { TimerWheel } from '../../engine/timers.js'
import { ArenaId } from '../arenas.js'
import { CHANNELS_PER_SALE, POOLS_MAX, POOLS_PER_SKU, SALE_ITEMS_MAX } from '../limits.js'
import type { Stock } from './stock.js'

const WORDS = 16
export const ALL = 0xffff_ffff
const KIND_MASK = 3
const CLOSED = 4

export const PoolKind = { sale: 1, channel: 2 } as const
export type PoolKind = (typeof PoolKind)[keyof typeof PoolKind]

export interface PoolTerms {
  kind: PoolKind
  quantity: number
  limitPerBuyer: number
  opensAtMs: number
  closesAtMs: number
  /** None: all channels. */
  channels: number[]
}

export class Pools {
  private readonly arena: Arena
  private readonly words: Uint32Array
  private readonly doubles: Float64Array
  readonly timers: TimerWheel

  constructor(
    store: Store,
    private readonly stock: Stock,
  ) {
    this.arena = store.arena(ArenaId.pools, 'pools', WORDS * 4, 1 + POOLS_MAX + SALE_ITEMS_MAX)
    this.words = this.arena.words
    this.doubles = this.arena.doubles
    const dueMs = (pool: number): number => this.closesAtMs(pool)
    this.timers = new TimerWheel(ArenaId.poolTimers, 'pool timers', {
      arena: this.arena,
      stride: WORDS,
      next: 14,
      previous: 15,
      dueMs,
    })
    store.register(this.timers.heads)
  }

  get used(): number {
    return this.words[0]!
  }

  /**
   * Adds a pool, for which there must be room, or changes the terms of `known`. What was taken from it stays taken. A sale
   * that every partition has agreed to finds its room also where others took the last meanwhile: that is what the arena
   * has beyond POOLS_MAX.
   */
  put(sku: number, terms: PoolTerms, known: number, timeMs: number): number {
    const pool = known >= 0 ? known : this.add(sku)
    const { words, doubles, arena } = this
    const base = pool * WORDS
    arena.touch(pool)
    if (this.hasTimer(pool)) this.timers.stop(pool)
    words[base + 2] = terms.quantity
    words[base + 4] = terms.limitPerBuyer
    words[base + 5] = terms.kind | (terms.channels.length << 8)
    doubles[pool * (WORDS / 2) + 3] = terms.opensAtMs
    doubles[pool * (WORDS / 2) + 4] = terms.closesAtMs
    for (let i = 0; i < CHANNELS_PER_SALE; i += 2) {
      words[base + 10 + i / 2] = (terms.channels[i] ?? 0) | ((terms.channels[i + 1] ?? 0) << 16)
    }
    if (Number.isFinite(terms.closesAtMs)) {
      if (terms.closesAtMs > timeMs) this.timers.start(pool, timeMs)
      else this.close(pool)
    }
    return pool
  }

  /** Whether so many more pools can be made at all. */
  hasRoom(more: number): boolean {
    return this.used + more <= POOLS_MAX
  }

  /** Whether the SKU can have one more. */
  hasRoomFor(sku: number): boolean {
    let length = 0
    for (let at = this.stock.firstPool(sku); at >= 0; at = this.next(at)) length++
    return length < POOLS_PER_SKU
  }

  private add(sku: number): number {
    const { words, arena, stock } = this
    arena.touch(0)
    words[0]!++
    const pool = words[0]!
    arena.touch(pool)
    words[pool * WORDS] = sku + 1
    words[pool * WORDS + 1] = stock.firstPool(sku) + 1
    stock.setFirstPool(sku, pool)
    return pool
  }

  /**
   * A sale's pool of the SKU that is over and of which nothing is held any more, or -1: it can be used again,
   * once its closing was told.
   */
  spent(sku: number): number {
    for (let pool = this.stock.firstPool(sku); pool >= 0; pool = this.next(pool)) {
      if (this.kind(pool) === PoolKind.sale && this.isMarkedClosed(pool) && this.taken(pool) === 0) return pool
    }
    return -1
  }

  /** A pool's record, to be taken over by another partition. */
  image(pool: number): Uint32Array {
    return this.words.slice(pool * WORDS, (pool + 1) * WORDS)
  }

  /** Takes over a pool for a SKU; returns its number here. */
  adopt(sku: number, image: Uint32Array, timeMs: number): number {
    assert(this.hasRoom(1), 'there is room for a pool that was elsewhere')
    const pool = this.add(sku)
    for (let i = 2; i < 14; i++) this.words[pool * WORDS + i] = image[i]!
    if (!this.isClosed(pool, timeMs) && Number.isFinite(this.closesAtMs(pool))) this.timers.start(pool, timeMs)
    return pool
  }

  private hasTimer(pool: number): boolean {
    return this.words[pool * WORDS + 15] !== 0
  }

  /** A sale is over: what was left of it belongs to all again. */
  close(pool: number): void {
    this.arena.touch(pool)
    this.words[pool * WORDS + 5]! |= CLOSED
  }

  next(pool: number): number {
    return this.words[pool * WORDS + 1]! - 1
  }
  sku(pool: number): number {
    return this.words[pool * WORDS]! - 1
  }
  kind(pool: number): PoolKind {
    return (this.words[pool * WORDS + 5]! & KIND_MASK) as PoolKind
  }
  quantity(pool: number): number {
    return this.words[pool * WORDS + 2]!
  }
  taken(pool: number): number {
    return this.words[pool * WORDS + 3]!
  }
  limitPerBuyer(pool: number): number {
    return this.words[pool * WORDS + 4]!
  }
  opensAtMs(pool: number): number {
    return this.doubles[pool * (WORDS / 2) + 3]!
  }
  closesAtMs(pool: number): number {
    return this.doubles[pool * (WORDS / 2) + 4]!
  }
  /** Whether its closing was told. */
  isMarkedClosed(pool: number): boolean {
    return (this.words[pool * WORDS + 5]! & CLOSED) !== 0
  }
  isClosed(pool: number, timeMs: number): boolean {
    return this.isMarkedClosed(pool) || timeMs >= this.closesAtMs(pool)
  }
  isOpen(pool: number, timeMs: number): boolean {
    return timeMs >= this.opensAtMs(pool) && !this.isClosed(pool, timeMs)
  }

  serves(pool: number, channel: number): boolean {
    const count = (this.words[pool * WORDS + 5]! >>> 8) & 0xff
    if (count === 0) return true
    for (let i = 0; i < count; i++) {
      const pair = this.words[pool * WORDS + 10 + (i >> 1)]!
      if (((i & 1) === 0 ? pair & 0xffff : pair >>> 16) === channel) return true
    }
    return false
  }

  /** Units set apart and not taken, as long as the pool is not closed; a pool of all stock has what the SKU has. */
  remaining(pool: number, timeMs: number): number {
    if (this.isClosed(pool, timeMs)) return 0
    if (this.quantity(pool) === ALL) return this.stock.atp(this.sku(pool))
    return Math.max(0, this.quantity(pool) - this.taken(pool))
  }

  /** What others than the pools may have of a SKU. */
  general(sku: number, timeMs: number): number {
    let setApart = 0
    for (let pool = this.stock.firstPool(sku); pool >= 0; pool = this.next(pool))
      setApart += this.remaining(pool, timeMs)
    return Math.max(0, this.stock.atp(sku) - setApart)
  }

  take(pool: number, units: number): void {
    this.arena.touch(pool)
    this.words[pool * WORDS + 3]! += units
  }
  giveBack(pool: number, units: number): void {
    this.arena.touch(pool)
    this.words[pool * WORDS + 3]! -= units
  }
}
