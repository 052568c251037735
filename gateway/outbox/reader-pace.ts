/**
 * Readers of events give way to buyers: they share a rate of events that they begin with, which falls while the gateway's
 * thread is busy and rises again while it has time left, so that what they do lies between the answers and never piles up in
 * front of them. Events are kept meanwhile; who is far behind does not ask, so that nothing is missed.
 *
 * Begun events are counted, not ended ones: one that waits for a slow receiver holds nobody up.
 */
import { type EventLoopUtilization, performance } from 'node:perf_hooks'

/** Share of the time that the thread computes, above which the rate falls and below which it rises. */
const BUSY = 0.6
const IDLE = 0.5
/** Shorter than what a buyer notices, longer than one turn of the loop. */
const WINDOW_MS = 25
const FALL = 0.5
const RISE = 1.25
/** Events a window. The least is so many that those who wait for days see their events the same day. */
const LEAST = 0.5
const MOST = 100
const FIRST = 25

export class ReaderPace {
  private perWindow = FIRST
  private credit = FIRST
  private sampled: EventLoopUtilization | undefined
  private readonly waiting = new Set<() => void>()
  private timer: NodeJS.Timeout | undefined

  /** `utilization`: of the thread since the last call, from 0 to 1. */
  constructor(private readonly utilization?: () => number) {}

  /** Resolves when the next event may be begun with, in the order of asking; rejects when `signal` is aborted. */
  async turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.waiting.size === 0 && this.credit >= 1) {
      this.credit--
      this.awaitWindow()
      return
    }
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        this.waiting.delete(begin)
        reject(signal.reason)
      }
      const begin = (): void => {
        signal.removeEventListener('abort', abort)
        resolve()
      }
      signal.addEventListener('abort', abort, { once: true })
      this.waiting.add(begin)
      this.awaitWindow()
    })
  }

  private awaitWindow(): void {
    this.timer ??= setTimeout(() => this.nextWindow(), WINDOW_MS).unref()
  }

  private nextWindow(): void {
    this.timer = undefined
    const busy = this.utilization ? this.utilization() : this.measured()
    if (busy > BUSY) this.perWindow = Math.max(LEAST, this.perWindow * FALL)
    // A rate that nobody needed says nothing of what there is time for.
    else if (busy < IDLE && this.waiting.size > 0) this.perWindow = Math.min(MOST, this.perWindow * RISE + 1)
    // What was not used is not saved up for a burst.
    this.credit = this.perWindow + (this.credit < 1 ? this.credit : 0)
    for (const begin of this.waiting) {
      if (this.credit < 1) break
      this.credit--
      this.waiting.delete(begin)
      begin()
    }
    if (this.waiting.size > 0) this.awaitWindow()
  }

  private measured(): number {
    const before = this.sampled
    this.sampled = performance.eventLoopUtilization()
    return before ? performance.eventLoopUtilization(this.sampled, before).utilization : 0
  }
}

/** All readers of a process share one thread. */
export const readerPace = new ReaderPace()
