import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Arena } from './arena.js'
import { TICK_MS, TimerWheel } from './timers.js'

const RECORDS = 64
const STRIDE = 4
const NOW = 1_700_000_000_000
const SECOND = 1_000
const HOUR = 3_600 * SECOND
const DAY = 24 * HOUR

/** A wheel over plain records, and beside it what it must do: a map from record to the time at which it is due. */
class Bench {
  readonly arena = new Arena(1, 'records', STRIDE * 4, RECORDS)
  readonly dueMs = new Map<number, number>()
  readonly ran: number[] = []
  nowMs = NOW
  wheel = this.makeWheel()

  private makeWheel(): TimerWheel {
    const dueMs = (record: number): number => this.dueMs.get(record)!
    return new TimerWheel(2, 'timers', { arena: this.arena, stride: STRIDE, next: 2, previous: 3, dueMs })
  }

  start(record: number, dueMs: number): void {
    if (this.dueMs.has(record)) this.stop(record)
    this.dueMs.set(record, dueMs)
    this.wheel.start(record, this.nowMs)
  }

  stop(record: number): void {
    if (!this.dueMs.has(record)) return
    this.wheel.stop(record)
    this.dueMs.delete(record)
  }

  /** Records whose tick has come. */
  get due(): number[] {
    const tick = Math.floor(this.nowMs / TICK_MS)
    return [...this.dueMs].filter(([, dueMs]) => Math.ceil(dueMs / TICK_MS) <= tick).map(([record]) => record)
  }

  /** One slice; what is run may start others. */
  advance(max: number, whenRun: (record: number) => void = () => {}): number {
    const before = this.ran.length
    this.wheel.advance(this.nowMs, max, (record) => {
      expect(this.due, `record ${record} is due when it is run`).toContain(record)
      this.dueMs.delete(record)
      this.ran.push(record)
      whenRun(record)
    })
    return this.ran.length - before
  }

  /** What the loop does: slices as long as the wheel says that something is due. */
  runAll(max: number): void {
    for (let slices = 0; this.wheel.isDue(this.nowMs); slices++) {
      expect(slices, 'slices until nothing is due').toBeLessThan(10_000)
      expect(this.advance(max)).toBeLessThanOrEqual(max)
    }
    expect(this.due, 'due and not run').toEqual([])
    expect(this.wheel.running).toBe(this.dueMs.size)
  }

  /** The wheel as a checkpoint brings it back: the same arenas, a new object. */
  recover(): void {
    const { heads } = this.wheel
    this.wheel = this.makeWheel()
    this.wheel.heads.bytes.set(heads.bytes)
  }
}

const record = fc.nat(RECORDS - 1)
/** Around every boundary of the wheel: ticks, the 256 slots of a level, and the levels' own lengths. */
const delay = fc.oneof(
  fc.constantFrom(-5 * SECOND, 0, 1, 63, 64, 65, 128, SECOND),
  fc.integer({ min: 0, max: 600 * TICK_MS }),
  fc.integer({ min: 250, max: 260 }).map((ticks) => ticks * TICK_MS),
  fc.integer({ min: 65_530, max: 65_545 }).map((ticks) => ticks * TICK_MS),
  fc.integer({ min: 0, max: 7 * DAY }),
  fc.constantFrom(40 * DAY, 400 * DAY, 4_000 * DAY),
)
const passing = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 63, 64, 200, SECOND) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 600 * TICK_MS }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 3 * HOUR }) },
  { weight: 1, arbitrary: fc.constantFrom(65_536 * TICK_MS, DAY, 3 * DAY) },
)
const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('start' as const), record, delay }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stop' as const), record }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('pass' as const), passing, max: fc.constantFrom(1, 2, 3, 1_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('slice' as const), passing, max: fc.constantFrom(1, 2, 5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recover' as const) }) },
)

describe('the timer wheel', () => {
  it('runs each timer once, when its tick has come and not before, in slices of any size', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60, size: 'max' }), (operations) => {
        const bench = new Bench()
        for (const step of operations) {
          if (step.do === 'start') bench.start(step.record, bench.nowMs + step.delay)
          else if (step.do === 'stop') bench.stop(step.record)
          else if (step.do === 'recover') bench.recover()
          else {
            bench.nowMs += step.passing
            if (bench.due.length > 0) expect(bench.wheel.isDue(bench.nowMs)).toBe(true)
            if (step.do === 'pass') bench.runAll(step.max)
            else if (bench.wheel.isDue(bench.nowMs)) bench.advance(step.max)
          }
        }
        bench.runAll(7)
      }),
      { numRuns: Number(process.env.TIMER_RUNS ?? 300) },
    )
  })

  it('says that it is due while timers still wait to move down, so that none of them is late', () => {
    const bench = new Bench()
    const origin = Math.ceil(NOW / TICK_MS / 256) * 256 * TICK_MS
    // All of one slot of the second level: more than one slice moves, the soonest last.
    bench.start(0, origin + 300 * TICK_MS)
    for (let other = 1; other < 10; other++) bench.start(other, origin + 500 * TICK_MS)
    bench.nowMs = origin + 256 * TICK_MS
    bench.advance(5)
    bench.nowMs = origin + 300 * TICK_MS
    bench.runAll(5)
    expect(bench.ran).toEqual([0])
  })

  it('runs what was left over at the next call, and nothing twice', () => {
    const bench = new Bench()
    for (let one = 0; one < 10; one++) bench.start(one, NOW + SECOND)
    bench.nowMs = NOW + 2 * SECOND
    expect([bench.advance(4), bench.advance(4), bench.advance(4), bench.advance(4)]).toEqual([4, 4, 2, 0])
    expect([...bench.ran].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('lets a timer that runs start another, at once or later', () => {
    const bench = new Bench()
    bench.start(0, NOW + SECOND)
    bench.nowMs = NOW + 2 * SECOND
    const restart = (one: number): void => {
      if (one < 3) bench.start(one + 1, bench.nowMs - TICK_MS)
    }
    for (let slices = 0; slices < 10 && bench.wheel.isDue(bench.nowMs); slices++) bench.advance(100, restart)
    expect(bench.ran).toEqual([0, 1, 2, 3])
  })

  it('starts from the present after a long rest', () => {
    const bench = new Bench()
    bench.start(0, NOW + SECOND)
    bench.nowMs += 2 * SECOND
    bench.runAll(10)
    bench.nowMs += 4_000 * DAY
    bench.start(1, bench.nowMs + SECOND)
    expect(bench.wheel.isDue(bench.nowMs)).toBe(false)
    bench.nowMs += SECOND + TICK_MS
    bench.runAll(10)
    expect(bench.ran).toEqual([0, 1])
  })

  it('keeps a timer beyond its reach until its time comes', () => {
    const bench = new Bench()
    const span = 2 ** 24
    const dueMs = NOW + 2 ** 33 * TICK_MS
    bench.start(0, dueMs)
    // Turned by hand over thousands of millions of empty ticks, to where the timer is placed anew.
    for (let turns = 0; bench.nowMs + span * TICK_MS < dueMs; turns++) {
      expect(turns).toBeLessThan(10)
      const { doubles, words } = bench.wheel.heads
      let tick = doubles[0]!
      do tick = (Math.floor(tick / span) + 1) * span
      while (words[4 + 3 * 256 + ((tick / span) & 255)] === 0)
      doubles[0] = tick - 1
      bench.nowMs = tick * TICK_MS
      bench.runAll(10)
    }
    expect(bench.ran).toEqual([])
    bench.nowMs = dueMs + TICK_MS
    bench.runAll(10)
    expect(bench.ran).toEqual([0])
  })
})
