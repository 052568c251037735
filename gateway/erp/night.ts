/** When stock is reconciled by itself: once for each day of the retailer's calendar, from a time of its clocks on. */
import { DateTime } from 'luxon'

export interface NightlyTime {
  /** `HH:mm`; none: only when asked. */
  reconcileAt?: string | undefined
  /** IANA zone. */
  timeZone: string
}

/**
 * The id of the reconciliation that is due, which is the same until the next day's; undefined where none is yet. Wall clocks
 * decide: a time that is left out when they are put forward is when they go on, and one that comes twice is its first time.
 */
export function nightlyId(nowMs: number, { reconcileAt, timeZone }: NightlyTime): string | undefined {
  const now = DateTime.fromMillis(nowMs, { zone: timeZone })
  if (reconcileAt === undefined || now.toFormat('HH:mm') < reconcileAt) return undefined
  return `nightly-${now.toISODate()}`
}
