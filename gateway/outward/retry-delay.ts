/** How long to wait before a call is repeated: by what the other side asks for, or by chance within a growing bound. */
import { DateTime } from 'luxon'
import { BACKOFF_FIRST_MS, BACKOFF_MS_MAX, RETRY_AFTER_MS_MAX } from './limits.js'

/**
 * Full jitter: evenly anywhere between nothing and an exponentially growing bound, so that many that failed together do not
 * come back together (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). `failures` counts from 1.
 */
export const fullJitterMs = (failures: number, random: () => number): number =>
  random() * Math.min(BACKOFF_MS_MAX, BACKOFF_FIRST_MS * 2 ** (failures - 1))

/** `Retry-After` (RFC 9110, 10.2.3) in milliseconds from now, at most a day; undefined where there is none to be read. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  if (/^\d+$/.test(text)) return Math.min(RETRY_AFTER_MS_MAX, Number(text) * 1_000)
  const date = DateTime.fromHTTP(text)
  return date.isValid ? Math.min(RETRY_AFTER_MS_MAX, Math.max(0, date.toMillis() - nowMs)) : undefined
}
