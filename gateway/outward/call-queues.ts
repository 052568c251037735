/**
 * A bounded queue for each host or connection: so many calls at once, so many in a stretch of time, and so many waiting.
 * What comes beyond that is refused at once, since a call that waits for minutes is worth less than one that is told so.
 */
import PQueue from 'p-queue'
import { CALLS_AT_ONCE, CALLS_QUEUED_MAX, QUEUES_MAX } from './limits.js'
import { OutwardError } from './outward-error.js'

export interface CallLimits {
  /** Calls under way. */
  atOnce: number
  /** Calls that wait. */
  queuedMax: number
  /** At most `calls` begin within any `perMs`. */
  rate?: { calls: number; perMs: number }
}

export const CALL_LIMITS: CallLimits = { atOnce: CALLS_AT_ONCE, queuedMax: CALLS_QUEUED_MAX }

interface CallQueue {
  queue: PQueue
  /** Until then its rate limit remembers calls. */
  keepUntilMs: number
}

export class CallQueues {
  /** In the order of their last use. */
  private readonly queues = new Map<string, CallQueue>()

  constructor(private readonly now: () => number) {}

  /** Runs a call when its turn comes. Rejects with OutwardError `overloaded`, with the signal's reason, or as the call does. */
  async run<T>(key: string, limits: CallLimits, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    const entry = this.queues.get(key) ?? this.newQueue(limits)
    this.queues.delete(key)
    this.queues.set(key, entry)
    const { queue } = entry
    if (queue.size >= limits.queuedMax)
      throw new OutwardError('overloaded', `${limits.queuedMax} calls of ${key} wait already; try again later.`)
    const begin = (): Promise<T> => {
      entry.keepUntilMs = this.now() + (limits.rate?.perMs ?? 0)
      return call()
    }
    return queue.add(begin, { signal })
  }

  private newQueue({ atOnce, rate }: CallLimits): CallQueue {
    if (this.queues.size >= QUEUES_MAX) this.forgetOne()
    const paced = rate ? { intervalCap: rate.calls, interval: rate.perMs, strict: true } : {}
    return { queue: new PQueue({ concurrency: atOnce, ...paced }), keepUntilMs: 0 }
  }

  private forgetOne(): void {
    for (const [key, { queue, keepUntilMs }] of this.queues)
      if (queue.size === 0 && queue.pending === 0 && keepUntilMs <= this.now()) {
        this.queues.delete(key)
        return
      }
    throw new OutwardError('overloaded', `Calls of ${QUEUES_MAX} hosts wait already; try again later.`)
  }
}
