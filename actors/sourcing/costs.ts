/**
 * What it costs to send an order from a location, so that sourcing can compare: money that is spent (carriers, packages,
 * handling) and money's worth of what is not (a late parcel, a second parcel, a shop's last piece). All costs are whole
 * ten-thousandths of the currency, so that sums are exact and the same wherever they are made.
 */
import { afterWorkingDays, type Calendar, nextCutoff } from './calendar.js'

export type LocationType = 'warehouse' | 'store' | 'dropship' | '3pl'

/** How far a parcel goes: within the country less than 50, 200, 500 km or more; or to another country. */
export type Zone = 'local' | 'near' | 'middle' | 'far' | 'foreign'

/** A carrier's service. */
export interface ShippingService {
  readonly name: string
  /** Working days from the cut-off to the delivery. */
  readonly transitDays: {
    readonly domestic: number
    readonly foreign: number
    /** Where a zone has its own. */
    readonly byZone?: Readonly<Record<string, number>>
  }
  /** What it costs, as a multiple of the weights' shipping costs. */
  readonly costFactor: number
  /** Countries that it delivers to; none: all. */
  readonly countries?: readonly string[]
}

/** In ten-thousandths of the currency each. */
export interface SourcingWeights {
  /** A parcel's carrier fee by zone, without its weight. */
  readonly parcelByZone: Readonly<Record<Zone, number>>
  /** The carrier's fee for each kilogram by zone. */
  readonly kilogramByZone: Readonly<Record<Zone, number>>
  /** Package and packing of a parcel, whatever the carrier. */
  readonly parcel: number
  /** Each location beyond the first: the buyer opens the door twice, and asks where the rest is. */
  readonly split: number
  /** Each day, begun, that a location would deliver after what was promised: what lateness costs in care and goodwill. */
  readonly lateDay: number
  /** Each day, begun, from the order to its delivery. Small: among equals the buyer waits least. */
  readonly waitingDay: number
  /** Each kilometre. Small: within a zone the nearest sends, though the carrier asks the same. */
  readonly kilometre: number
  /** Taking all that a location has of a line; a part costs its part. A shop sells to those who stand in it. */
  readonly scarcity: Readonly<Record<LocationType, number>>
  /** A location whose day is full; half full, half as much. It spreads the work before anyone has to refuse. */
  readonly balance: number
  /** Each step of a location's priority (the lowest number goes first). Small: it decides among near equals. */
  readonly priority: number
}

export const DEFAULT_WEIGHTS: SourcingWeights = {
  parcelByZone: { local: 35_000, near: 40_000, middle: 45_000, far: 55_000, foreign: 120_000 },
  kilogramByZone: { local: 2_000, near: 3_000, middle: 4_000, far: 6_000, foreign: 25_000 },
  parcel: 5_000,
  split: 30_000,
  lateDay: 50_000,
  waitingDay: 2_000,
  kilometre: 5,
  scarcity: { store: 20_000, warehouse: 3_000, '3pl': 3_000, dropship: 0 },
  balance: 10_000,
  priority: 500,
}

/** Where a parcel may come from, as far as its costs go. */
export interface Origin {
  readonly type: LocationType
  readonly latitude: number
  readonly longitude: number
  readonly country: string
  /** An order's handling, ten-thousandths. */
  readonly handlingCost: number
  /** The lowest goes first. */
  readonly priority: number
  /** Orders that it can take on a shipping day. */
  readonly capacityPerDay: number
  readonly calendar: Calendar
}

export interface Destination {
  readonly country: string
  readonly latitude: number | undefined
  readonly longitude: number | undefined
}

/** When an order was made, by when its delivery was promised if it was, and what is now. UTC, ms. */
export interface OrderTimes {
  readonly placedMs: number
  readonly promisedByMs: number | undefined
  readonly timeMs: number
}

const DAY_MS = 86_400_000
const KILOMETRES_PER_DEGREE = 111.195
const RADIANS_PER_DEGREE = 0.017_453_292_519_943_295

/**
 * The cosine of a latitude by its Taylor series: error below 0.00003 up to the poles. Math.cos may differ in its last bit
 * from one release of the engine to the next, and then a replay would.
 */
function cosine(degrees: number): number {
  const radians = degrees * RADIANS_PER_DEGREE
  const square = radians * radians
  return 1 + square * (-1 / 2 + square * (1 / 24 + square * (-1 / 720 + square * (1 / 40_320))))
}

/**
 * The distance of two places in kilometres, by the equirectangular formula: within 1 % over the distances that the zones
 * tell apart, up to 70 degrees of latitude. It compares carriers' prices and navigates nothing.
 */
export function kilometres(latitudeA: number, longitudeA: number, latitudeB: number, longitudeB: number): number {
  const turn = Math.abs(longitudeA - longitudeB) % 360
  const x = (turn > 180 ? 360 - turn : turn) * cosine((latitudeA + latitudeB) / 2)
  const y = latitudeA - latitudeB
  return KILOMETRES_PER_DEGREE * Math.sqrt(x * x + y * y)
}

/** How far a location is from the destination, in kilometres; undefined where the destination's place is not known. */
function distance({ latitude, longitude }: Origin, to: Destination): number | undefined {
  if (to.latitude === undefined || to.longitude === undefined) return undefined
  return kilometres(latitude, longitude, to.latitude, to.longitude)
}

/** Where only the country is known, within it everything is as dear as the farthest. */
function zoneOf(from: Origin, to: Destination, distanceKm: number | undefined): Zone {
  if (from.country !== to.country) return 'foreign'
  if (distanceKm === undefined) return 'far'
  return distanceKm < 50 ? 'local' : distanceKm < 200 ? 'near' : distanceKm < 500 ? 'middle' : 'far'
}

/** What is the same for all lines that a location would send of one order. */
export interface Route {
  /** Once, if the location sends anything; `split` is in it. */
  readonly orderCost: number
  /** Each parcel. */
  readonly parcelCost: number
  readonly kilogramCost: number
  readonly transitDays: number
  readonly shipByMs: number
  readonly deliverByMs: number
}

/** `capacityLeft`: orders that the location can still take on its next shipping day. */
export function routeOf(
  from: Origin,
  capacityLeft: number,
  to: Destination,
  service: ShippingService,
  weights: SourcingWeights,
  times: OrderTimes,
): Route {
  const distanceKm = distance(from, to)
  const zone = zoneOf(from, to, distanceKm)
  const { byZone, domestic, foreign } = service.transitDays
  const transitDays = byZone?.[zone] ?? (zone === 'foreign' ? foreign : domestic)
  const shipByMs = nextCutoff(from.calendar, times.timeMs)
  const deliverByMs = afterWorkingDays(from.calendar, shipByMs, transitDays)
  const load = from.capacityPerDay > 0 ? 1 - capacityLeft / from.capacityPerDay : 0
  const orderCost =
    from.handlingCost +
    weights.split +
    timeCost(deliverByMs, weights, times) +
    weights.kilometre * (distanceKm ?? 0) +
    weights.balance * Math.min(1, Math.max(0, load)) +
    weights.priority * from.priority
  const parcelCost = Math.round(weights.parcelByZone[zone] * service.costFactor + weights.parcel)
  const kilogramCost = weights.kilogramByZone[zone] * service.costFactor
  return { orderCost: Math.max(0, Math.round(orderCost)), parcelCost, kilogramCost, transitDays, shipByMs, deliverByMs }
}

/** What it costs that a delivery comes when it comes. */
function timeCost(deliverByMs: number, weights: SourcingWeights, { placedMs, promisedByMs }: OrderTimes): number {
  const waiting = weights.waitingDay * Math.max(0, Math.ceil((deliverByMs - placedMs) / DAY_MS))
  if (promisedByMs === undefined || deliverByMs <= promisedByMs) return waiting
  return waiting + weights.lateDay * Math.ceil((deliverByMs - promisedByMs) / DAY_MS)
}

/** A unit's carriage by weight, and how little is left of it where it is taken. `available` is not 0. */
export function unitCost(
  { type }: Origin,
  { kilogramCost }: Route,
  weights: SourcingWeights,
  weightGrams: number,
  available: number,
): number {
  return Math.round((kilogramCost * weightGrams) / 1_000 + weights.scarcity[type] / available)
}

/** What each of a line's units costs more because they have to wait for supply, if it comes at `readyMs`. */
export function delayCost(
  { calendar }: Origin,
  { transitDays, deliverByMs }: Route,
  weights: SourcingWeights,
  times: OrderTimes,
  readyMs: number,
  quantity: number,
): number {
  const delayed = afterWorkingDays(calendar, nextCutoff(calendar, readyMs), transitDays)
  const cost = timeCost(delayed, weights, times) - timeCost(deliverByMs, weights, times)
  return Math.round(Math.max(0, cost) / quantity)
}
