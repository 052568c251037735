/**
 * A hierarchical timing wheel in log time (Varghese and Lauck, 1987): four levels of 256 slots of 64 ms, 256 times
 * longer from level to level. Timers are links inside the records that they are about, so they cost no memory of their
 * own and starting or stopping one is a constant few writes. The wheel's position and heads are an arena and so part of
 * each checkpoint: after recovery the same timers run in the same order.
 *
 *   heads arena   word 0-1 (double) current tick · word 2 timers running · word 4 + slot: first record + 1 (0: none)
 *   record        next: record + 1 (0: last) · previous: record + 1, or HEAD_FLAG | slot for the first of a slot
 */
import { Arena } from './arena.js'
import { assert } from './assert.js'

export const TICK_MS = 64
const LEVEL_SHIFT = 8
const SLOTS = 1 << LEVEL_SHIFT
const SLOT_MASK = SLOTS - 1
const LEVELS = 4
/** Ticks of one slot, by level. */
const SLOT_TICKS = [1, SLOTS, SLOTS ** 2, SLOTS ** 3] as const
const HEADS_AT = 4
const HEAD_FLAG = 0x8000_0000

/** The word of the heads arena for the slot of `level` whose span holds `tick`. */
function spanSlot(level: number, tick: number): number {
  return HEADS_AT + level * SLOTS + (Math.floor(tick / SLOT_TICKS[level]!) & SLOT_MASK)
}

export interface TimerLinks {
  arena: Arena
  /** Words of a record, and which of them are the links. */
  stride: number
  next: number
  previous: number
  /** When a record's timer is due: asked again as it moves down the wheel. */
  dueMs: (record: number) => number
}

export class TimerWheel {
  readonly heads: Arena

  constructor(
    arenaId: number,
    name: string,
    private readonly links: TimerLinks,
  ) {
    this.heads = new Arena(arenaId, name, 4, HEADS_AT + LEVELS * SLOTS)
  }

  get running(): number {
    return this.heads.words[2]!
  }

  private get tick(): number {
    return this.heads.doubles[0]!
  }

  /** Starts the timer of `record`; it runs out at its `dueMs`, or with the next tick where that has passed. */
  start(record: number, nowMs: number): void {
    this.heads.touchPage(0)
    // A wheel at rest has not been turned: bring it to the present, so that it does not step through the past.
    if (this.running === 0) this.heads.doubles[0] = Math.max(this.tick, Math.floor(nowMs / TICK_MS))
    this.heads.words[2]!++
    this.place(record)
  }

  private place(record: number): void {
    const now = this.tick
    const dueTick = Math.max(Math.ceil(this.links.dueMs(record) / TICK_MS), now)
    const distance = dueTick - now
    const level = distance < SLOT_TICKS[1] ? 0 : distance < SLOT_TICKS[2] ? 1 : distance < SLOT_TICKS[3] ? 2 : 3
    // A timer beyond the wheel's reach (8.7 years) waits in the last slot it can and is placed again from there.
    const tick = level < 3 ? dueTick : Math.min(dueTick, now + SLOTS * SLOT_TICKS[3] - 1)
    const slot = level * SLOTS + (Math.floor(tick / SLOT_TICKS[level]) & SLOT_MASK)
    const { arena, stride, next, previous } = this.links
    const first = this.heads.words[HEADS_AT + slot]!
    arena.touch(record)
    arena.words[record * stride + next] = first
    arena.words[record * stride + previous] = (HEAD_FLAG | slot) >>> 0
    if (first !== 0) {
      arena.touch(first - 1)
      arena.words[(first - 1) * stride + previous] = record + 1
    }
    this.heads.words[HEADS_AT + slot] = record + 1
  }

  /** Stops the timer of `record`, which must be running. */
  stop(record: number): void {
    this.heads.touchPage(0)
    this.heads.words[2]!--
    this.unlink(record)
  }

  private unlink(record: number): void {
    const { arena, stride, next, previous } = this.links
    const after = arena.words[record * stride + next]!
    const before = arena.words[record * stride + previous]!
    if ((before & HEAD_FLAG) !== 0) {
      this.heads.words[HEADS_AT + (before & ~HEAD_FLAG)] = after
    } else {
      assert(before !== 0, 'a timer that is stopped was running')
      arena.touch(before - 1)
      arena.words[(before - 1) * stride + next] = after
    }
    if (after !== 0) {
      arena.touch(after - 1)
      arena.words[(after - 1) * stride + previous] = before
    }
    arena.touch(record)
    arena.words[record * stride + next] = 0
    arena.words[record * stride + previous] = 0
  }

  /** Whether `advance(nowMs)` would have anything to do; looks at few slots and changes nothing. */
  isDue(nowMs: number): boolean {
    if (this.running === 0) return false
    const target = Math.floor(nowMs / TICK_MS)
    for (let tick = this.tick; tick <= target; tick++) {
      if ((tick & SLOT_MASK) === 0 && (tick !== this.tick || this.isCascading(tick))) return true
      if (this.heads.words[HEADS_AT + (tick & SLOT_MASK)] !== 0) return true
    }
    return false
  }

  /**
   * Moves log time on to `nowMs` and calls `run` for each timer that has run out, at most `max` of them (those that move
   * down a level count too). What is left over runs at the next call; a timer may be started or stopped inside `run`.
   */
  advance(nowMs: number, max: number, run: (record: number) => void): void {
    this.heads.touchPage(0)
    const target = Math.floor(nowMs / TICK_MS)
    if (this.running === 0) {
      if (target > this.tick) this.heads.doubles[0] = target
      return
    }
    let budget = max
    while (this.tick <= target) {
      const tick = this.tick
      if ((tick & SLOT_MASK) === 0) {
        budget = this.cascade(tick, budget)
        if (budget === 0) return
      }
      const slot = HEADS_AT + (tick & SLOT_MASK)
      for (let first = this.heads.words[slot]!; first !== 0; first = this.heads.words[slot]!) {
        if (budget-- === 0) return
        this.stop(first - 1)
        run(first - 1)
      }
      if (tick === target) return
      this.heads.doubles[0] = tick + 1
    }
  }

  /** Whether a slice ended before all that the spans beginning at `tick` hold had moved down the wheel. */
  private isCascading(tick: number): boolean {
    for (let level = 1; level < LEVELS && tick % SLOT_TICKS[level]! === 0; level++) {
      if (this.heads.words[spanSlot(level, tick)] !== 0) return true
    }
    return false
  }

  /** Moves what is due in the spans that begin at `tick` down the wheel; returns the budget that is left. */
  private cascade(tick: number, budgetBefore: number): number {
    let budget = budgetBefore
    for (let level = LEVELS - 1; level > 0; level--) {
      if (tick % SLOT_TICKS[level]! !== 0) continue
      const slot = spanSlot(level, tick)
      for (let first = this.heads.words[slot]!; first !== 0; first = this.heads.words[slot]!) {
        if (budget === 0) return 0
        budget--
        this.unlink(first - 1)
        this.place(first - 1)
      }
    }
    return budget
  }
}
