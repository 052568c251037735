/**
 * Orders in windows: so many of them one after the other. An index whose names are scattered, a customer or a word, is kept
 * apart for each window, so that what is written lies together: without them each word of a new order falls on another page
 * of the store, and a checkpoint writes the more pages, the more orders there are. Who looks for a word looks into one window
 * after the other, from the newest back.
 *
 * Which window an order is of follows from when it was placed, for ever: a window begins later than all orders before it.
 *
 *   arena "order windows", doubles
 *     0 windows there are · 1 orders in the last one · 2 log time at which the last order was placed (ms)
 *     3 + window   when it begins (ms)
 */
import type { Arena } from '../../engine/arena.js'
import type { Store } from '../../engine/store.js'
import { ArenaId } from '../arenas.js'
import { ORDER_WINDOWS_MAX, ORDERS_PER_WINDOW } from '../limits.js'

const WINDOWS = 0
const ORDERS_IN_LAST = 1
const LAST_PLACED_MS = 2
const STARTS_AT = 3

export class OrderWindows {
  private readonly arena: Arena

  constructor(store: Store) {
    this.arena = store.arena(ArenaId.orderWindows, 'order windows', 8, STARTS_AT + ORDER_WINDOWS_MAX)
  }

  private get count(): number {
    return this.arena.doubles[WINDOWS]!
  }

  private set(at: number, value: number): void {
    this.arena.touch(at)
    this.arena.doubles[at] = value
  }

  private startOf(window: number): number {
    return this.arena.doubles[STARTS_AT + window]!
  }

  /** An order is placed at this log time: where the last window is full, a new one begins. */
  add(timeMs: number): void {
    const isFull = this.arena.doubles[ORDERS_IN_LAST]! >= ORDERS_PER_WINDOW
    // Orders of one instant are of one window.
    if (isFull && timeMs > this.arena.doubles[LAST_PLACED_MS]! && this.count < ORDER_WINDOWS_MAX) {
      this.begin(timeMs)
      this.set(ORDERS_IN_LAST, 0)
    }
    this.set(ORDERS_IN_LAST, this.arena.doubles[ORDERS_IN_LAST]! + 1)
    this.set(LAST_PLACED_MS, timeMs)
  }

  private begin(startMs: number): void {
    this.set(STARTS_AT + this.count, startMs)
    this.set(WINDOWS, this.count + 1)
  }

  /** The number of windows that begin at or before a time. */
  private countUpTo(ms: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.startOf(middle) <= ms) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The window of an order that was placed then: when it begins (ms), 0 for those before the first. */
  of(placedMs: number): number {
    const window = this.countUpTo(placedMs) - 1
    return window < 0 ? 0 : this.startOf(window)
  }

  /** The windows of orders that were placed from one time to another (ms), the newest first. */
  *between(fromMs: number, toMs: number): Generator<number> {
    for (let window = this.countUpTo(toMs) - 1; window >= 0; window--) {
      const startMs = this.startOf(window)
      yield startMs
      if (startMs <= fromMs) return
    }
    yield 0
  }

  starts(): number[] {
    return Array.from({ length: this.count }, (_, window) => this.startOf(window))
  }

  /** Begins where windows of other partitions began, whose orders come here; before the first order is added. */
  adopt(starts: readonly number[]): void {
    const sorted = [...new Set(starts)].sort((a, b) => a - b)
    for (const startMs of sorted.slice(-ORDER_WINDOWS_MAX)) this.begin(startMs)
  }
}
