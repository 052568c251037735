/**
 * The tracking feed of the simulated carrier: a parcel's whole way, worked out from its label alone. Nothing is kept, so
 * the same label has the same events on every machine and at every time; the present only cuts them off.
 *
 * What differs from parcel to parcel (minutes, mishaps) is drawn from the tracking number's hash.
 */
import { CarrierRefusal, type Label, type Party, type TrackingEvent } from '../carrier.js'
import { serialOf } from '../serial.js'
import { atHour, handOverMs } from './days.js'
import type { Service, SimulatedSettings } from './tariff.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Out for delivery from six in the morning until half past eight. */
const MORNING_HOUR = 6
const MORNING_MINUTES = 150
const ACCEPTANCE_MINUTES = 60

type Mishap = 'none' | 'attempted' | 'delayed' | 'lost'

/** Without its id, which is its place in the list. */
type Happening = TrackingEvent extends infer Event ? (Event extends unknown ? Omit<Event, 'id'> : never) : never

/** From 0 to below `range`; another number for each thing that is drawn. */
const draw = ({ trackingNumber }: Label, what: string, range: number): number =>
  serialOf(`${trackingNumber} ${what}`, range)

function mishapOf(label: Label, { mishapsPerThousand }: SimulatedSettings): Mishap {
  const { attempted, delayed, lost } = mishapsPerThousand
  const drawn = draw(label, 'mishap', 1_000)
  if (drawn < attempted) return 'attempted'
  if (drawn < attempted + delayed) return 'delayed'
  return drawn < attempted + delayed + lost ? 'lost' : 'none'
}

/** The morning's round, and when on it the parcel is handed over: between half an hour after it began and the hour due. */
function roundOf(label: Label, dueMs: number, which: string, timeZone: string): { outMs: number; handOverMs: number } {
  const outMs = atHour(dueMs, timeZone, MORNING_HOUR) + draw(label, `${which} out`, MORNING_MINUTES) * MINUTE_MS
  const roundMinutes = Math.floor((dueMs - outMs) / MINUTE_MS) - 30
  return { outMs, handOverMs: outMs + (30 + draw(label, `${which} hand-over`, roundMinutes)) * MINUTE_MS }
}

const placeOf = ({ city, country }: Party): string => `${city}, ${country}`

function happeningsOf(label: Label, service: Service, settings: SimulatedSettings): Happening[] {
  const { timeZone } = settings
  const origin = placeOf(label.from)
  const destination = placeOf(label.to)
  const acceptedMs = label.shipByMs + draw(label, 'accepted', ACCEPTANCE_MINUTES) * MINUTE_MS
  const leftMs = acceptedMs + 2 * HOUR_MS + draw(label, 'left', 120) * MINUTE_MS
  const arrivedMs = atHour(label.deliverByMs, timeZone, 3) + draw(label, 'arrived', 120) * MINUTE_MS
  const happenings: Happening[] = [
    { type: 'accepted', atMs: acceptedMs, place: origin, detail: 'The carrier has it' },
    { type: 'in_transit', atMs: leftMs, place: origin, detail: 'Left the depot' },
  ]
  if (label.from.country !== label.to.country) {
    const clearedMs = leftMs + Math.floor((arrivedMs - leftMs) / 2)
    happenings.push({ type: 'in_transit', atMs: clearedMs, place: label.to.country, detail: 'Cleared customs' })
  }
  const mishap = mishapOf(label, settings)
  if (mishap === 'lost') {
    const detail = 'It can no longer be found'
    return [...happenings, { type: 'exception', reason: 'lost', atMs: arrivedMs, place: destination, detail }]
  }
  happenings.push({
    type: 'in_transit',
    atMs: arrivedMs,
    place: destination,
    detail: 'At the depot near the recipient',
  })
  const nextDueMs = handOverMs(label.deliverByMs, service, 1, settings)
  if (mishap === 'delayed') {
    const heldMs = atHour(label.deliverByMs, timeZone, MORNING_HOUR)
    const detail = 'Held up: it comes on the next delivery day'
    happenings.push({ type: 'exception', reason: 'delayed', atMs: heldMs, place: destination, detail })
  } else {
    const round = roundOf(label, label.deliverByMs, 'first', timeZone)
    happenings.push({ type: 'out_for_delivery', atMs: round.outMs, place: destination, detail: 'Out for delivery' })
    if (mishap === 'none') {
      return [...happenings, { type: 'delivered', atMs: round.handOverMs, place: destination, detail: 'Delivered' }]
    }
    const detail = 'Nobody could take it: it comes again on the next delivery day'
    happenings.push({ type: 'exception', reason: 'attempted', atMs: round.handOverMs, place: destination, detail })
  }
  const round = roundOf(label, nextDueMs, 'second', timeZone)
  happenings.push(
    { type: 'out_for_delivery', atMs: round.outMs, place: destination, detail: 'Out for delivery' },
    { type: 'delivered', atMs: round.handOverMs, place: destination, detail: 'Delivered' },
  )
  return happenings
}

/** All that will have happened to a parcel in the end; nothing where its label is void. */
export function feedOf(label: Label, settings: SimulatedSettings): TrackingEvent[] {
  if (label.voidedMs !== undefined) return []
  const service = settings.services.find(({ code }) => code === label.service)
  if (!service) throw new CarrierRefusal('service_unavailable', `${settings.name} has no service ${label.service}`)
  return happeningsOf(label, service, settings).map((happening, index) => ({
    id: `${label.trackingNumber}-${index + 1}`,
    ...happening,
  }))
}
