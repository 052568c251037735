/**
 * The commonest command of a sale, told by a few comparisons: a reservation with nothing unusual about it. Whatever is not
 * plain is checked by its schema like any other command; what is plain passes that schema unchanged.
 */
import { QUANTITY_MAX, TTL_SECONDS_DEFAULT, TTL_SECONDS_MAX } from '../../actors/inventory/wire.js'
import { NAME_BYTES_MAX } from '../../actors/limits.js'
import type { ReservationRequest } from '../reserve-record.js'

const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/
/** A name that is as many bytes as characters, with no space at its ends. */
const PLAIN_NAME = /^[!-~](?:[ -~]*[!-~])?$/

const isPlainName = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= NAME_BYTES_MAX && PLAIN_NAME.test(value)

const isWithin = (value: unknown, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most

/** The reservation that a body asks for, where it says no more than id, SKU, quantity, time and location. */
export function plainReservation(body: unknown): ReservationRequest | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  for (const field in body) {
    if (field !== 'id' && field !== 'sku' && field !== 'quantity' && field !== 'ttlSeconds' && field !== 'location') {
      return undefined
    }
  }
  // Any object may be read by the names of its fields.
  const { id, sku, quantity, ttlSeconds = TTL_SECONDS_DEFAULT, location } = body as Record<string, unknown>
  if (typeof id !== 'string' || !UUID.test(id) || !isPlainName(sku)) return undefined
  if (!isWithin(quantity, QUANTITY_MAX) || !isWithin(ttlSeconds, TTL_SECONDS_MAX)) return undefined
  if (location === undefined) return { id, sku, quantity, ttlSeconds }
  return isPlainName(location) ? { id, sku, quantity, ttlSeconds, location } : undefined
}
