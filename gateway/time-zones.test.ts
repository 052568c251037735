import fc from 'fast-check'
import { DateTime, IANAZone } from 'luxon'
import { describe, expect, it } from 'vitest'
import { afterWorkingDays, type Calendar, localDay, nextCutoff } from '../actors/sourcing/calendar.js'
import { holidaysOf, zoneOffsets } from './time-zones.js'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const FROM_MS = Date.UTC(2024, 0, 1)
const TO_MS = Date.UTC(2028, 0, 1)
const ZONES = [
  'Europe/London',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'America/Havana',
]
const offsetsOf = new Map(ZONES.map((zone) => [zone, zoneOffsets(zone, FROM_MS, TO_MS)]))

const HOLIDAYS = holidaysOf('US', 2024, 2027)

const toDay = (text: string): number => Date.parse(`${text}T00:00:00Z`) / DAY_MS

/** A calendar, and an instant that lies often within hours of a change of clocks. */
const situation = fc
  .record({
    zone: fc.constantFrom(...ZONES),
    pick: fc.nat(),
    isNearChange: fc.boolean(),
    atMs: fc.integer({ min: FROM_MS + 3 * DAY_MS, max: TO_MS - 40 * DAY_MS }),
    awayMs: fc.integer({ min: -30 * 3_600_000, max: 30 * 3_600_000 }),
    cutoffMinutes: fc.oneof(fc.integer({ min: 0, max: 1_439 }), fc.integer({ min: 0, max: 200 })),
    workingDays: fc.constantFrom(0b001_1111, 0b011_1111, 0b111_1111, 0b100_0001),
  })
  .map(({ zone, pick, isNearChange, atMs, awayMs, cutoffMinutes, workingDays }) => {
    const offsets = offsetsOf.get(zone)!
    const changes = offsets.slice(1).filter(([fromMs]) => fromMs < TO_MS - 40 * DAY_MS)
    const change = changes[pick % Math.max(1, changes.length)]
    const calendar: Calendar = { offsets, cutoffMinutes, workingDays, holidays: HOLIDAYS }
    return { zone, calendar, fromMs: isNearChange && change ? change[0] + awayMs : atMs }
  })

/** The first instant at which clocks of a zone show a minute of a day, or, where they jump over it, the jump; by luxon. */
function cutoffByLuxon(day: DateTime, minutes: number): number {
  const wanted = { hour: Math.floor(minutes / 60), minute: minutes % 60 }
  const shown = day.set(wanted)
  if (shown.hour === wanted.hour && shown.minute === wanted.minute)
    return Math.min(...shown.getPossibleOffsets().map((one) => one.toMillis()))
  for (let timeMs = shown.toMillis(); ; timeMs -= MINUTE_MS)
    if (DateTime.fromMillis(timeMs - MINUTE_MS, { zone: day.zone }).offset !== shown.offset) return timeMs
}

const isWorkingDay = ({ workingDays, holidays }: Calendar, day: DateTime): boolean =>
  (workingDays & (1 << (day.weekday - 1))) !== 0 && !holidays.includes(toDay(day.toISODate()!))

describe('the offsets of a zone', () => {
  it.each(ZONES)('are those of luxon at any instant: %s', (zone) => {
    const offsets = offsetsOf.get(zone)!
    const luxon = IANAZone.create(zone)
    const minutesAt = (timeMs: number): number => offsets.findLast(([fromMs]) => fromMs <= timeMs)![1]
    for (const [fromMs, minutes] of offsets.slice(1)) {
      expect(luxon.offset(fromMs)).toBe(minutes)
      expect(luxon.offset(fromMs - 1)).toBe(minutesAt(fromMs - 1))
      expect(minutesAt(fromMs - 1)).not.toBe(minutes)
    }
    fc.assert(
      fc.property(fc.integer({ min: FROM_MS, max: TO_MS }), (timeMs) => {
        expect(minutesAt(timeMs)).toBe(luxon.offset(timeMs))
      }),
      { numRuns: 500 },
    )
  })

  it('change as often as the clocks do', () => {
    expect(offsetsOf.get('Europe/London')).toHaveLength(9)
    expect(offsetsOf.get('Asia/Kathmandu')).toEqual([[FROM_MS, 345]])
    expect(offsetsOf.get('Australia/Lord_Howe')![1]).toEqual([Date.UTC(2024, 3, 6, 15), 630])
    expect(offsetsOf.get('Africa/Casablanca')!.length).toBeGreaterThan(7)
  })
})

describe('a calendar of such offsets', () => {
  it('has the days, cut-offs and deadlines of luxon, in the gap and the overlap too', () => {
    fc.assert(
      fc.property(situation, fc.integer({ min: 0, max: 5 }), ({ zone, calendar, fromMs }, days) => {
        const from = DateTime.fromMillis(fromMs, { zone })
        expect(localDay(calendar, fromMs)).toBe(toDay(from.toISODate()!))

        let day = from.startOf('day')
        while (!isWorkingDay(calendar, day) || cutoffByLuxon(day, calendar.cutoffMinutes) < fromMs)
          day = day.plus({ days: 1 }).startOf('day')
        expect(nextCutoff(calendar, fromMs)).toBe(cutoffByLuxon(day, calendar.cutoffMinutes))

        let end = from.startOf('day')
        for (let left = days; left > 0; ) {
          end = end.plus({ days: 1 }).startOf('day')
          if (isWorkingDay(calendar, end)) left--
        }
        expect(afterWorkingDays(calendar, fromMs, days)).toBe(end.endOf('day').toMillis())
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('the holidays of a country', () => {
  it('are the public ones, as local days', () => {
    const days = holidaysOf('GB', 2025, 2026)
    expect(days).toContain(toDay('2025-12-25'))
    expect(days).toContain(toDay('2026-04-03'))
    expect(days).not.toContain(toDay('2026-04-02'))
    expect(days).toEqual([...days].sort((a, b) => a - b))
    expect(days.every((day) => day >= toDay('2025-01-01') && day <= toDay('2026-12-31'))).toBe(true)
  })

  it('last as long as they do, and do not count from noon on', () => {
    const russia = holidaysOf('RU', 2026, 2026)
    for (const day of ['2026-01-02', '2026-01-04', '2026-01-06']) expect(russia).toContain(toDay(day))
    expect(holidaysOf('IS', 2026, 2026)).not.toContain(toDay('2026-12-24'))
  })

  it('that last over the turn of the year count in both', () => {
    expect(holidaysOf('SZ', 2027, 2027)).toContain(toDay('2027-01-01'))
    expect(holidaysOf('SZ', 2027, 2027)[0]).toBe(toDay('2027-01-01'))
  })

  it('of a country that is not known are none', () => {
    expect(holidaysOf('XX', 2026, 2027)).toEqual([])
    expect(holidaysOf('', 2026, 2027)).toEqual([])
  })
})
