/**
 * What the simulated carrier offers and asks for it: services, zones by distance and country, weight bands, days on the
 * way. A parcel's price is its zone's, times what the band of its weight takes.
 */
import { kilometres } from '../../../actors/sourcing/costs.js'
import type { IdentifierKind, Party, RateRequest } from '../carrier.js'

/** Within a country `local` to `national`, abroad `continent` and `world`. */
export const ZONES = ['local', 'regional', 'national', 'continent', 'world'] as const
export type Zone = (typeof ZONES)[number]

export interface Service {
  code: string
  name: string
  identifier: IdentifierKind
  /** The first letter of an S10's service indicator: what kind of service it is. */
  s10Kind: string
  /** Ten-thousandths, for the lightest band. */
  price: Record<Zone, number>
  /** From light to heavy: up to so many grams the price so many times. What is above the last goes by no band. */
  bands: { upToGrams: number; factor: number }[]
  /** Days of `deliveryDays` on the way. */
  transitDays: Record<Zone, number>
  /** 1 Monday to 7 Sunday */
  deliveryDays: number[]
  /** By which hour of the day it is handed over, in the carrier's time zone. 10 to 23. */
  deliveryHour: number
}

export interface SimulatedSettings {
  id: string
  name: string
  currency: string
  /** IANA; all of the carrier's hours are in it. */
  timeZone: string
  /** The hour of the day at which it collects, 0 to 17, and the days: 1 Monday to 7 Sunday. */
  collectionHour: number
  collectionDays: number[]
  gs1CompanyPrefix: string
  /** Of a thousand parcels so many meet with it. */
  mishapsPerThousand: { attempted: number; delayed: number; lost: number }
  services: Service[]
}

const LOCAL_KM = 50
const REGIONAL_KM = 200
const CONTINENT_KM = 2_000
/** A large, light parcel pays for the room it takes: 5,000 cm³ are a kilogram, as is usual for parcels by road. */
const MM3_PER_GRAM = 5_000

const LETTER_BANDS = [
  { upToGrams: 100, factor: 1 },
  { upToGrams: 250, factor: 1.2 },
  { upToGrams: 750, factor: 1.5 },
  { upToGrams: 2_000, factor: 2.1 },
]
const PARCEL_BANDS = [
  { upToGrams: 1_000, factor: 1 },
  { upToGrams: 2_000, factor: 1.15 },
  { upToGrams: 5_000, factor: 1.4 },
  { upToGrams: 10_000, factor: 1.9 },
  { upToGrams: 20_000, factor: 3 },
  { upToGrams: 30_000, factor: 4.2 },
]

export const SIMULATED: SimulatedSettings = {
  id: 'simulated',
  name: 'Simulated Post',
  currency: 'GBP',
  timeZone: 'Europe/London',
  collectionHour: 17,
  collectionDays: [1, 2, 3, 4, 5],
  // 952 is what GS1 keeps for demonstrations and examples: no company has it.
  gs1CompanyPrefix: '9521234',
  mishapsPerThousand: { attempted: 30, delayed: 20, lost: 1 },
  services: [
    {
      code: 'post',
      name: 'Tracked post',
      identifier: 's10',
      s10Kind: 'L',
      price: { local: 29_000, regional: 29_000, national: 31_000, continent: 82_000, world: 105_000 },
      bands: LETTER_BANDS,
      transitDays: { local: 2, regional: 2, national: 3, continent: 6, world: 10 },
      deliveryDays: [1, 2, 3, 4, 5, 6],
      deliveryHour: 18,
    },
    {
      code: 'parcel',
      name: 'Parcel',
      identifier: 'sscc',
      s10Kind: 'C',
      price: { local: 45_000, regional: 49_000, national: 56_000, continent: 129_000, world: 248_000 },
      bands: PARCEL_BANDS,
      transitDays: { local: 1, regional: 2, national: 2, continent: 4, world: 8 },
      deliveryDays: [1, 2, 3, 4, 5],
      deliveryHour: 20,
    },
    {
      code: 'express',
      name: 'Express',
      identifier: 'sscc',
      s10Kind: 'E',
      price: { local: 85_000, regional: 98_000, national: 119_000, continent: 284_000, world: 495_000 },
      bands: PARCEL_BANDS,
      transitDays: { local: 1, regional: 1, national: 1, continent: 2, world: 4 },
      deliveryDays: [1, 2, 3, 4, 5, 6],
      deliveryHour: 12,
    },
  ],
}

/** Where a place is not known, everything in the country is as far as the farthest, and everything abroad too. */
export function zoneOf(from: Party, to: Party): Zone {
  const abroad = from.country !== to.country
  const { latitude, longitude } = to
  if (
    from.latitude === undefined ||
    from.longitude === undefined ||
    latitude === undefined ||
    longitude === undefined
  ) {
    return abroad ? 'world' : 'national'
  }
  const distanceKm = kilometres(from.latitude, from.longitude, latitude, longitude)
  if (abroad) return distanceKm < CONTINENT_KM ? 'continent' : 'world'
  return distanceKm < LOCAL_KM ? 'local' : distanceKm < REGIONAL_KM ? 'regional' : 'national'
}

/** Ten-thousandths, in whole hundredths of the currency; undefined where the service takes nothing so heavy or so large. */
export function costOf(
  { price, bands }: Service,
  zone: Zone,
  { weightGrams, dimensionsMm }: Pick<RateRequest, 'weightGrams' | 'dimensionsMm'>,
): number | undefined {
  const { length, width, height } = dimensionsMm ?? { length: 0, width: 0, height: 0 }
  const chargedGrams = Math.max(weightGrams, (length * width * height) / MM3_PER_GRAM)
  const band = bands.find(({ upToGrams }) => chargedGrams <= upToGrams)
  return band && Math.round((price[zone] * band.factor) / 100) * 100
}
