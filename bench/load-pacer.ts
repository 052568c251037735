/**
 * The open loop's clock, a thread of its own. Node's timers count whole milliseconds; here frames are due every few
 * hundred microseconds, and what a timer adds would be booked as the server's latency. This thread sleeps on a futex until
 * the next frame is due and rings the event loop; frames that fall due while the loop is still busy share one ring.
 */
import { parentPort, workerData } from 'node:worker_threads'

export interface PacerData {
  readonly dueMs: Float64Array
  /** One word: 1 while a ring is on its way that the event loop has not answered. */
  readonly rung: Int32Array
  /** When the schedule starts, on the clock of `process.hrtime()`, which all threads share. */
  readonly startMs: number
}

/** Milliseconds on a clock that is the same in every thread of the process. */
export function sharedNowMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1e6
}

function pace({ dueMs, rung, startMs }: PacerData): void {
  const sleep = new Int32Array(new SharedArrayBuffer(4))
  for (const due of dueMs) {
    const wait = startMs + due - sharedNowMs()
    if (wait > 0) Atomics.wait(sleep, 0, 0, wait)
    if (Atomics.exchange(rung, 0, 1) === 0) parentPort?.postMessage(null)
  }
}

if (parentPort) pace(workerData as PacerData)
