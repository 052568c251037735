/** When an SMS may ring: not at night where the customer is. */
import { DateTime, IANAZone } from 'luxon'
import { assert } from '../../engine/assert.js'

/** Local times of day as `HH:mm`. `from` after `to` goes over midnight; the same twice: never quiet. */
export interface QuietHours {
  from: string
  to: string
}

/** Minutes after local midnight. Throws where it is no time of day. */
function minutesOf(time: string): number {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? []
  assert(hour !== undefined && minute !== undefined, `${time} is a time of day as HH:mm`)
  return Number(hour) * 60 + Number(minute)
}

/**
 * The first instant (ms) at or after `nowMs` that is not within the quiet hours of the IANA zone. Wall clocks decide: where
 * the clocks are put forward over the end of the quiet hours, they end then; where it is put back, they are an hour longer.
 */
export function quietUntil(nowMs: number, { from, to }: QuietHours, timeZone: string): number {
  assert(IANAZone.isValidZone(timeZone), `${timeZone} is a time zone`)
  const begins = minutesOf(from)
  const ends = minutesOf(to)
  const isQuiet = (time: DateTime): boolean => {
    const minute = time.hour * 60 + time.minute
    return begins <= ends ? minute >= begins && minute < ends : minute >= begins || minute < ends
  }
  const now = DateTime.fromMillis(nowMs, { zone: timeZone })
  if (!isQuiet(now)) return nowMs
  const midnight = now.startOf('day')
  for (const days of [0, 1, 2]) {
    const end = midnight.plus({ days }).set({ hour: Math.floor(ends / 60), minute: ends % 60 })
    // Of a time of day that comes twice luxon may give the first, which can be over.
    for (const time of [end, end.plus({ hours: 1 })])
      if (time.toMillis() > nowMs && !isQuiet(time)) return time.toMillis()
  }
  throw new Error(`the quiet hours from ${from} to ${to} in ${timeZone} do not end`)
}
