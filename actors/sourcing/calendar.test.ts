import { describe, expect, it } from 'vitest'
import { afterWorkingDays, type Calendar, localDay, nextCutoff } from './calendar.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const at = (text: string): number => Date.parse(text)
const day = (text: string): number => at(`${text}T00:00:00Z`) / DAY_MS
const weekdays = 0b001_1111

const london: Calendar = {
  offsets: [
    [at('2025-10-26T01:00:00Z'), 0],
    [at('2026-03-29T01:00:00Z'), 60],
    [at('2026-10-25T01:00:00Z'), 0],
  ],
  cutoffMinutes: 16 * 60,
  workingDays: weekdays,
  holidays: [day('2026-04-03'), day('2026-04-06')],
}

describe('a calendar', () => {
  it('knows the local day', () => {
    expect(localDay(london, at('2026-07-01T22:59:59.999Z'))).toBe(day('2026-07-01'))
    expect(localDay(london, at('2026-07-01T23:00:00Z'))).toBe(day('2026-07-02'))
    expect(localDay(london, at('2026-01-01T23:30:00Z'))).toBe(day('2026-01-01'))
    expect(localDay({ ...london, offsets: [[0, -300]] }, at('1969-12-31T04:59:00Z'))).toBe(-2)
  })

  it('ships today until the cut-off, and at the cut-off itself', () => {
    const cutoff = at('2026-07-01T15:00:00Z')
    expect(nextCutoff(london, at('2026-07-01T09:00:00Z'))).toBe(cutoff)
    expect(nextCutoff(london, cutoff)).toBe(cutoff)
    expect(nextCutoff(london, cutoff + 1)).toBe(at('2026-07-02T15:00:00Z'))
  })

  it('leaves out weekends and holidays', () => {
    // Thursday before Good Friday; Easter Monday is a holiday too, and the clocks have changed.
    expect(nextCutoff(london, at('2026-04-02T15:00:01Z'))).toBe(at('2026-04-07T15:00:00Z'))
    expect(nextCutoff(london, at('2026-01-16T16:00:01Z'))).toBe(at('2026-01-19T16:00:00Z'))
  })

  it('takes the jump for a cut-off in a gap, and the first of the two in an overlap', () => {
    const nightly = { ...london, cutoffMinutes: 90, workingDays: 0b111_1111 }
    const gap = at('2026-03-29T01:00:00Z')
    expect(nextCutoff(nightly, gap - HOUR_MS)).toBe(gap)
    expect(nextCutoff(nightly, gap)).toBe(gap)
    expect(nextCutoff(nightly, gap + 1)).toBe(at('2026-03-30T00:30:00Z'))
    const first = at('2026-10-25T00:30:00Z')
    expect(nextCutoff(nightly, first - HOUR_MS)).toBe(first)
    expect(nextCutoff(nightly, first + 1)).toBe(at('2026-10-26T01:30:00Z'))
  })

  it('ends its search where there is no working day', () => {
    const never = nextCutoff({ ...london, workingDays: 0 }, at('2026-01-01T00:00:00Z'))
    expect(never).toBe(at('2027-02-04T16:00:00Z'))
    expect(afterWorkingDays({ ...london, workingDays: 0 }, 0, 3)).toBeGreaterThan(0)
  })

  it('delivers by the end of a working day', () => {
    expect(afterWorkingDays(london, at('2026-07-01T15:00:00Z'), 2)).toBe(at('2026-07-03T22:59:59.999Z'))
    expect(afterWorkingDays(london, at('2026-07-03T15:00:00Z'), 1)).toBe(at('2026-07-06T22:59:59.999Z'))
    expect(afterWorkingDays(london, at('2026-04-02T15:00:00Z'), 1)).toBe(at('2026-04-07T22:59:59.999Z'))
    expect(afterWorkingDays(london, at('2026-07-01T15:00:00Z'), 0)).toBe(at('2026-07-01T22:59:59.999Z'))
  })

  it('ends a day whose last hour comes twice with the second', () => {
    // Havana sets its clocks from 01:00 back to 00:00; here they go from 24:00 back to 23:00.
    const late = { ...london, offsets: [[0, 60] as const, [at('2026-09-30T23:00:00Z'), 0] as const] }
    expect(afterWorkingDays(late, at('2026-09-30T10:00:00Z'), 0)).toBe(at('2026-09-30T23:59:59.999Z'))
  })
})
