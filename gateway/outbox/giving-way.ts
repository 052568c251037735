/**
 * Readers of events give way to buyers: while the gateway's thread has little time left they pause before each event, and catch
 * up when the rush is over. Events are kept meanwhile; who is far behind does not pause any more, so that nothing is missed.
 */
import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'

/** Share of the time that the thread computes, above which it is busy. */
const BUSY = 0.7
const SAMPLE_MS = 100
const PAUSE_MS = 25

let sampled: EventLoopUtilization = performance.eventLoopUtilization()
let sampledMs = performance.now()
let isBusy = false

function looksBusy(): boolean {
  const now = performance.now()
  if (now - sampledMs < SAMPLE_MS) return isBusy
  const before = sampled
  sampled = performance.eventLoopUtilization()
  sampledMs = now
  isBusy = performance.eventLoopUtilization(sampled, before).utilization > BUSY
  return isBusy
}

/** A short pause where others have more need of the thread; rejects when `signal` is aborted. */
export async function giveWay(signal: AbortSignal): Promise<void> {
  if (looksBusy()) await pause(PAUSE_MS, undefined, { signal })
}
