/**
 * Time zones and public holidays as data, for the calendars of locations: the rules are given figures and never look
 * into a time zone database, so a replay on another machine gives the same dates.
 */
import { IANAZone } from 'luxon'
import { assert } from '../engine/assert.js'
import { BoundedCache } from './bounded-cache.js'
import { dateHolidays } from './lazy-libraries.js'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/**
 * The UTC offsets of an IANA zone between two instants: from an instant on (ms), so many minutes. The first entry is the
 * offset at `fromMs`. No zone changes its offset and changes it back within a day, so a look at each day finds all.
 */
export function zoneOffsets(zone: string, fromMs: number, toMs: number): [number, number][] {
  return offsets.get(`${zone}/${fromMs}/${toMs}`, () => findOffsets(zone, fromMs, toMs))
}

/** Locations share their zone and country: what was worked out for one is the same for the next. */
const ANSWERS_MAX = 1_000
const offsets = new BoundedCache<[number, number][]>(ANSWERS_MAX)
const holidays = new BoundedCache<number[]>(ANSWERS_MAX)

function findOffsets(zone: string, fromMs: number, toMs: number): [number, number][] {
  const known = IANAZone.create(zone)
  assert(known.isValid, `${zone} is a time zone`)
  const minutesAt = (timeMs: number): number => Math.round(known.offset(timeMs))
  const startMs = Math.floor(fromMs / MINUTE_MS) * MINUTE_MS
  let minutes = minutesAt(startMs)
  const offsets: [number, number][] = [[startMs, minutes]]
  for (let beforeMs = startMs; beforeMs < toMs; beforeMs += DAY_MS) {
    const afterMs = Math.min(beforeMs + DAY_MS, Math.ceil(toMs / MINUTE_MS) * MINUTE_MS)
    const next = minutesAt(afterMs)
    if (next === minutes) continue
    let low = beforeMs / MINUTE_MS
    let high = afterMs / MINUTE_MS
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (minutesAt(middle * MINUTE_MS) === minutes) low = middle
      else high = middle
    }
    offsets.push([high * MINUTE_MS, next])
    minutes = next
  }
  return offsets
}

/**
 * Public holidays of a country (ISO 3166, two letters) in the years from one to another, both included: local days since
 * 1970-01-01, sorted, none where the country is not known. A day that is a holiday from noon on is a working day.
 */
export function holidaysOf(country: string, fromYear: number, toYear: number): number[] {
  return holidays.get(`${country}/${fromYear}/${toYear}`, () => findHolidays(country, fromYear, toYear))
}

function findHolidays(country: string, fromYear: number, toYear: number): number[] {
  const DateHolidays = dateHolidays()
  const calendar = new DateHolidays(country, { types: ['public'] })
  const days = new Set<number>()
  const firstDay = Date.UTC(fromYear, 0, 1) / DAY_MS
  const endDay = Date.UTC(toYear + 1, 0, 1) / DAY_MS
  // A holiday that lasts over New Year's is listed with the year in which it begins.
  for (let year = fromYear - 1; year <= toYear; year++)
    for (const { date, start, end, type } of calendar.getHolidays(year) ?? []) {
      const [day, time] = date.split(' ')
      if (type !== 'public' || time !== '00:00:00') continue
      const first = Date.parse(`${day}T00:00:00Z`) / DAY_MS
      // A day of a change of clocks has 23 or 25 hours.
      const count = Math.round((end.getTime() - start.getTime()) / DAY_MS)
      for (let at = first; at < first + count; at++) if (at >= firstDay && at < endDay) days.add(at)
    }
  return [...days].sort((a, b) => a - b)
}
