/**
 * The health of one receiver, a circuit breaker: while it answers, several attempts go to it at once; after some failures
 * in a row it counts as down, and only one probe at a time is sent, with growing pauses, until one gets through.
 */
import { ATTEMPTS_AT_ONCE_EACH, FAILURES_UNTIL_DOWN, PROBE_FIRST_MS, PROBE_MS_MAX } from './limits.js'

export class Receiver {
  private underWay = 0
  private failuresInRow = 0
  private probeAtMs = 0

  constructor(private readonly atOnce: number = ATTEMPTS_AT_ONCE_EACH) {}

  get isDown(): boolean {
    return this.failuresInRow >= FAILURES_UNTIL_DOWN
  }

  get isIdle(): boolean {
    return this.underWay === 0
  }

  /** Nothing is remembered that a new one would not know. */
  get isForgettable(): boolean {
    return this.isIdle && this.failuresInRow === 0
  }

  /** When it may be tried again, where only time stands in the way. */
  get waitsUntilMs(): number | undefined {
    return this.isDown && this.isIdle ? this.probeAtMs : undefined
  }

  mayBeTried(nowMs: number): boolean {
    return this.isDown ? this.isIdle && nowMs >= this.probeAtMs : this.underWay < this.atOnce
  }

  begin(): void {
    this.underWay++
  }

  /** `outcome`: none where an attempt says nothing of the receiver, since we broke it off. */
  end(outcome: 'up' | 'down' | undefined, nowMs: number): void {
    this.underWay--
    if (outcome === 'up') this.failuresInRow = 0
    if (outcome !== 'down') return
    this.failuresInRow++
    const pauses = this.failuresInRow - FAILURES_UNTIL_DOWN
    if (pauses >= 0) this.probeAtMs = nowMs + Math.min(PROBE_MS_MAX, PROBE_FIRST_MS * 2 ** Math.min(pauses, 30))
  }
}
