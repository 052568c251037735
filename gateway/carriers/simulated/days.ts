/** The simulated carrier's calendar: when it collects, and the day on which it hands over. Hours are in its time zone. */
import { DateTime } from 'luxon'
import type { Service, SimulatedSettings } from './tariff.js'

const at = (timeMs: number, timeZone: string): DateTime => DateTime.fromMillis(timeMs, { zone: timeZone })

/** That day's hour and minute; a summer time's gap moves it on by the gap. */
export const atHour = (timeMs: number, timeZone: string, hour: number, minute = 0): number =>
  at(timeMs, timeZone).set({ hour, minute, second: 0, millisecond: 0 }).toMillis()

/** The first of the days, from the given one on. */
function firstOf(days: readonly number[], day: DateTime): DateTime {
  for (let ahead = 0; ahead < 7; ahead++) {
    const candidate = day.plus({ days: ahead })
    if (days.includes(candidate.weekday)) return candidate
  }
  throw new RangeError('a carrier needs at least one day of the week, 1 Monday to 7 Sunday')
}

/** The next collection, from the time on that a parcel is ready. */
export function collectionMs(readyMs: number, { timeZone, collectionHour, collectionDays }: SimulatedSettings): number {
  const today = at(readyMs, timeZone)
  const missed = atHour(readyMs, timeZone, collectionHour) < readyMs
  const day = firstOf(collectionDays, missed ? today.plus({ days: 1 }) : today)
  return atHour(day.toMillis(), timeZone, collectionHour)
}

/** By when a parcel is handed over that goes at a time and is so many delivery days on the way, at least one. */
export function handOverMs(
  shipByMs: number,
  { deliveryDays, deliveryHour }: Pick<Service, 'deliveryDays' | 'deliveryHour'>,
  days: number,
  { timeZone }: SimulatedSettings,
): number {
  let day = at(shipByMs, timeZone)
  for (let passed = 0; passed < days; passed++) day = firstOf(deliveryDays, day.plus({ days: 1 }))
  return atHour(day.toMillis(), timeZone, deliveryHour)
}
