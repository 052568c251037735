/**
 * When a quantity can ship and arrive: from stock or dated supply, at the next cut-off of a location in its own time
 * zone, on working days.
 */
import { DateTime } from 'luxon'
import type { z } from 'zod'
import type { StockRow, StockView } from '../../actors/inventory/views.js'
import type { Outcome } from '../../engine/protocol.js'
import type * as schemas from '../schemas.js'
import { failed, type OperationContext } from './operation.js'

/** Days on the road where nothing better is known: within a country, and from one to another. */
const TRANSIT_DAYS = { domestic: 2, foreign: 5 }

interface Candidate {
  location: number
  fromMs: number
}

/** When and from where a quantity can ship: the location that has it first, by stock, then by stock and dated supply. */
export async function promiseOf(
  view: StockView,
  quantity: number,
  country: string | undefined,
  { directory, dispatch, now }: OperationContext,
): Promise<object | null | Outcome> {
  const locations = await dispatch.query(0, 'location.list', {})
  if (failed(locations)) return locations
  const places = (locations.body as { items: { index: number; location: z.output<typeof schemas.location> }[] }).items
  const nowMs = now()
  const options = view.rows.flatMap((row) => {
    const place = places.find(({ index }) => index === row.location)?.location
    const candidate = place?.active ? availableFrom(row, quantity, nowMs) : undefined
    return place && candidate ? [{ ...candidate, place, shipAt: shipTime(candidate.fromMs, place) }] : []
  })
  options.sort((a, b) => a.shipAt.toMillis() - b.shipAt.toMillis() || a.place.priority - b.place.priority)
  const [best] = options
  if (!best) return null
  const days =
    country === undefined || country === best.place.address.country ? TRANSIT_DAYS.domestic : TRANSIT_DAYS.foreign
  return {
    canShipAt: best.shipAt.toUTC().toISO(),
    location: directory.name('locations', best.location),
    deliverBy: afterWorkingDays(best.shipAt, days).toUTC().toISO(),
  }
}

/** From when on a location has the quantity: what is promised already comes out of the supply first. */
function availableFrom(row: StockRow, quantity: number, nowMs: number): Candidate | undefined {
  if (row.atp >= quantity) return { location: row.location, fromMs: nowMs }
  let available = row.onHand - row.reserved - row.allocated - row.safetyStock
  for (const { quantity: incoming, expectedAtMs } of row.incoming) {
    available += incoming
    if (available >= quantity) return { location: row.location, fromMs: Math.max(expectedAtMs, nowMs) }
  }
  return undefined
}

/** The next cut-off of a location on a working day, in its own time zone. */
function shipTime(fromMs: number, { timeZone, cutoff }: { timeZone: string; cutoff: string }): DateTime {
  const [hour, minute] = cutoff.split(':').map(Number)
  const from = DateTime.fromMillis(fromMs, { zone: timeZone })
  let day = from.set({ hour: hour!, minute: minute!, second: 0, millisecond: 0 })
  if (day < from) day = day.plus({ days: 1 })
  while (day.weekday > 5) day = day.plus({ days: 1 })
  return day
}

function afterWorkingDays(from: DateTime, days: number): DateTime {
  let day = from
  for (let left = days; left > 0; ) {
    day = day.plus({ days: 1 })
    if (day.weekday <= 5) left--
  }
  return day.endOf('day')
}
