/**
 * When a quantity can ship and arrive: from stock or dated supply, at the next cut-off of a location in its own time zone, on
 * its working days, by the default service.
 */
import type { LocationEntry } from '../../actors/catalog/catalog.js'
import type { LocationDocument } from '../../actors/catalog/places.js'
import type { StockRow, StockView } from '../../actors/inventory/views.js'
import type { OrderSettings } from '../../actors/order/settings.js'
import { afterWorkingDays, type Calendar, nextCutoff } from '../../actors/sourcing/calendar.js'
import type { Outcome } from '../../engine/protocol.js'
import { failed, type OperationContext } from './operation.js'

/** When and from where a quantity can ship: the location that has it first, by stock, then by stock and dated supply. */
export async function promiseOf(
  view: StockView,
  quantity: number,
  country: string | undefined,
  { directory, dispatch, now }: OperationContext,
): Promise<object | null | Outcome> {
  const locations = await dispatch.query(0, 'location.list', {})
  if (failed(locations)) return locations
  const settings = await dispatch.query(0, 'settings.get', {})
  if (failed(settings)) return settings
  const { services, defaultService } = settings.body as OrderSettings
  const { transitDays } = services.find(({ name }) => name === defaultService) ?? services[0]!
  const places = (locations.body as { items: LocationEntry[] }).items
  const nowMs = now()
  const options = view.rows.flatMap((row) => {
    const entry = places.find(({ index }) => index === row.location)
    // The gateway has checked it against the schema of locations.
    const place = entry?.location as unknown as LocationDocument | undefined
    const fromMs = place?.active && place.calendar ? availableFrom(row, quantity, nowMs) : undefined
    if (fromMs === undefined) return []
    const calendar: Calendar = place!.calendar!
    return [{ location: row.location, place: place!, calendar, shipMs: nextCutoff(calendar, fromMs) }]
  })
  options.sort((a, b) => a.shipMs - b.shipMs || a.place.priority - b.place.priority)
  const [best] = options
  if (!best) return null
  const isDomestic = country === undefined || country === best.place.address.country
  const days = isDomestic ? transitDays.domestic : transitDays.foreign
  return {
    canShipAt: new Date(best.shipMs).toISOString(),
    location: directory.name('locations', best.location),
    deliverBy: new Date(afterWorkingDays(best.calendar, best.shipMs, days)).toISOString(),
  }
}

/** From when on a location has the quantity: what is promised already comes out of the supply first. */
function availableFrom(row: StockRow, quantity: number, nowMs: number): number | undefined {
  if (row.atp >= quantity) return nowMs
  let available = row.onHand - row.reserved - row.allocated - row.safetyStock
  for (const { quantity: incoming, expectedAtMs } of row.incoming) {
    available += incoming
    if (available >= quantity) return Math.max(expectedAtMs, nowMs)
  }
  return undefined
}
