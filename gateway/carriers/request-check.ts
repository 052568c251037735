/** What every carrier would refuse: it is refused here, in the same words, before any is asked. */
import { CarrierRefusal, type Party, type PurchaseRequest, type RateRequest } from './carrier.js'

/** A lorry's load: nothing heavier is a parcel, whatever the carrier. */
const WEIGHT_GRAMS_MAX = 40_000_000
const SIDE_MM_MAX = 20_000
/** The end of the year 9999: later times have no date that all can write. */
export const TIME_MS_MAX = 253_402_300_799_999
const KEY_LENGTH_MAX = 200

function check(right: boolean, message: string): asserts right {
  if (!right) throw new CarrierRefusal('bad_parcel', message)
}

const wholeBetween = (value: number, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && value >= least && value <= most

const within = (degrees: number | undefined, most: number): boolean =>
  degrees === undefined || Math.abs(degrees) <= most

function checkParty(who: string, { country, latitude, longitude }: Party): void {
  check(/^[A-Z]{2}$/.test(country), `the ${who}'s country must be an ISO 3166-1 alpha-2 code, such as GB`)
  check((latitude === undefined) === (longitude === undefined), `the ${who} needs latitude and longitude, or neither`)
  check(within(latitude, 90), `the ${who}'s latitude must be from -90 to 90`)
  check(within(longitude, 180), `the ${who}'s longitude must be from -180 to 180`)
}

export function checkTime(what: string, timeMs: number): void {
  check(wholeBetween(timeMs, 0, TIME_MS_MAX), `${what} must be a time in whole milliseconds, not ${timeMs}`)
}

/** Throws CarrierRefusal `bad_parcel`. */
export function checkRateRequest({ from, to, weightGrams, dimensionsMm, readyMs }: RateRequest): void {
  checkParty('sender', from)
  checkParty('recipient', to)
  check(
    wholeBetween(weightGrams, 1, WEIGHT_GRAMS_MAX),
    `a parcel's weight must be whole grams from 1, not ${weightGrams}`,
  )
  for (const [side, length] of Object.entries(dimensionsMm ?? {})) {
    check(wholeBetween(length, 1, SIDE_MM_MAX), `a parcel's ${side} must be whole millimetres from 1, not ${length}`)
  }
  checkTime('when a parcel is ready', readyMs)
}

/** Throws CarrierRefusal `bad_parcel`. */
export function checkPurchase(request: PurchaseRequest, key: string): void {
  checkRateRequest(request)
  check(
    key.length > 0 && key.length <= KEY_LENGTH_MAX,
    `a label is bought under a key of 1 to ${KEY_LENGTH_MAX} characters`,
  )
}
