/** Dates as X12 and EDIFACT write them: CCYYMMDD, and YYMMDD in old envelopes, always UTC. */
import { DateTime } from 'luxon'

/** `2026-03-09` of `20260309`; undefined where that is no day. */
export function isoDate(text: string): string | undefined {
  const date = DateTime.fromFormat(text, text.length === 6 ? 'yyMMdd' : 'yyyyMMdd', { zone: 'utc' })
  return date.isValid && /^(\d{6}|\d{8})$/.test(text) ? date.toISODate() : undefined
}

/** `20260309` of `2026-03-09`; throws on what is no day. */
export function ediDate(date: string): string {
  const day = DateTime.fromISO(date, { zone: 'utc' })
  if (!day.isValid) throw new RangeError(`“${date}” is no date such as 2026-03-09`)
  return day.toFormat('yyyyMMdd')
}

export const ediTime = (atMs: number, format: 'yyMMdd' | 'yyyyMMdd' | 'HHmm' | 'yyyyMMddHHmm'): string =>
  DateTime.fromMillis(atMs, { zone: 'utc' }).toFormat(format)
