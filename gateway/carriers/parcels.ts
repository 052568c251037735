/** Parcels as orders have them: what they weigh, from where to where they go. */
import type { LocationEntry } from '../../actors/catalog/catalog.js'
import type { Fulfillment } from '../../actors/order/order.js'
import type { OrderReturn } from '../../actors/return/order-return.js'
import type { Address } from '../documents/packing-slip.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import type { AddressDocument } from '../personal-data/people.js'
import type { Party } from './carrier.js'

/** Goods without a weight in the catalogue: a carrier takes no parcel of nothing. */
const GRAMS_WHERE_UNKNOWN = 1_000

/** Degrees are known both or not at all. */
function party(name: string, { latitude, longitude, line2, region, ...address }: AddressDocument): Party {
  const { line1, city, postalCode, country } = address
  return {
    ...{ name, line1, city, postalCode, country },
    ...(line2 ? { line2 } : {}),
    ...(region ? { region } : {}),
    ...(latitude === undefined || longitude === undefined ? {} : { latitude, longitude }),
  }
}

export const customerParty = ({ customer, shipTo }: OpenedOrder): Party => party(shipTo.name ?? customer.name, shipTo)

export function locationParty({ location }: LocationEntry): Party {
  // As location.put has checked it.
  const { name, address, latitude, longitude } = location as unknown as {
    name: string
    address: Address
    latitude: number
    longitude: number
  }
  return party(name, { ...address, latitude, longitude })
}

export const addressParty = (name: string, address: AddressDocument): Party => party(name, address)

const gramsOf = ({ lines }: OpenedOrder, units: readonly { line: number; quantity: number }[]): number =>
  units.reduce((sum, { line, quantity }) => sum + (lines[line - 1]?.weightGrams ?? 0) * quantity, 0)

export interface PackageRequest {
  weightGrams: number
  dimensionsMm?: { length: number; width: number; height: number }
}

/** The packages as they were packed; those that nobody has weighed share what the goods weigh. */
export function packagesOf(order: OpenedOrder, { lines, packages }: Fulfillment): PackageRequest[] {
  const goods = gramsOf(order, lines) || GRAMS_WHERE_UNKNOWN
  if (packages.length === 0) return [{ weightGrams: goods }]
  const share = Math.max(1, Math.ceil(goods / packages.length))
  return packages.map(({ weightGrams }) => ({ weightGrams: weightGrams || share }))
}

export const returnGrams = (order: OpenedOrder, { lines }: OrderReturn): number =>
  gramsOf(order, lines) || GRAMS_WHERE_UNKNOWN

/** Where a return goes that names no location: back to where its goods came from. */
export function shippedFrom({ fulfillments }: OpenedOrder, { lines }: OrderReturn): number | undefined {
  const numbers = new Set(lines.map(({ line }) => line))
  const left = fulfillments.filter(({ status }) => status === 'shipped' || status === 'delivered')
  const own = left.find((fulfillment) => fulfillment.lines.some(({ line }) => numbers.has(line)))
  return (own ?? left[0])?.location
}
