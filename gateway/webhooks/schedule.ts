/**
 * When a delivery is tried again. The delays grow from seconds, for a receiver that is being restarted, to hours, for one
 * whose people are asleep: a day in all, then a person has to look at it.
 */

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

/** After the first attempt, the second, and so on. */
export const DELAYS_MS: readonly number[] = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  4 * HOUR_MS,
  8 * HOUR_MS,
  8 * HOUR_MS,
]

export const ATTEMPTS_MAX = DELAYS_MS.length + 1

const LONGEST_MS = 8 * HOUR_MS

/** A fifth of each delay, up or down, so that what failed together does not come back together. */
const JITTER = 0.2

/**
 * When to try again after `attempt` attempts (from 1) have failed, the last at `nowMs`; undefined: never. `random` is from 0
 * to 1. A receiver may ask to be let alone for longer (`retryAfterMs`), up to the longest delay.
 */
export function nextAttemptMs(attempt: number, nowMs: number, random: number, retryAfterMs = 0): number | undefined {
  const delayMs = DELAYS_MS[attempt - 1]
  if (delayMs === undefined) return undefined
  const jitteredMs = delayMs * (1 - JITTER + 2 * JITTER * random)
  return nowMs + Math.round(Math.max(jitteredMs, Math.min(retryAfterMs, LONGEST_MS)))
}
