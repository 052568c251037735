/** A reservation as clients ask for it, and the packed record that it becomes. */
import type { z } from 'zod'
import { ANY_LOCATION } from '../actors/inventory/wire.js'
import type { Outcome } from '../engine/protocol.js'
import type { Directory } from './directory.js'
import type { People } from './personal-data/people.js'
import { unknownLocation, unknownSku } from './problems.js'
import type * as schemas from './schemas.js'

export type ReservationRequest = z.output<typeof schemas.reservation>

export const RESERVE_BYTES = 40
const U64_MAX = (1n << 64n) - 1n

/** The 16 bytes of a UUID. */
export const idBytes = (id: string): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex')

/**
 * The 64 bits that stand for a buyer: a number is itself, as packed frames carry it; any other text, which may be an
 * address, is a keyed hash of it, the same as long as the data directory or a backup of it lives.
 */
export function buyerNumber(buyer: string | number, { vault }: Pick<People, 'vault'>): bigint {
  if (typeof buyer === 'number') return BigInt(buyer)
  if (/^[1-9]\d{0,19}$/.test(buyer) && BigInt(buyer) <= U64_MAX) return BigInt(buyer)
  // 0 stands for no buyer.
  return vault.blindNumber(`buyer:${buyer}`) || 1n
}

/** Values of hexadecimal digits by their character's code. */
const HEX = Uint8Array.from({ length: 128 }, (_, code) => Number.parseInt(String.fromCharCode(code), 16) || 0)
/** Where the pairs of digits of a UUID stand. */
const PAIRS = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34)

/** Writes the record; returns the SKU's index, or the outcome that says what is unknown. */
export function writeReserveRecord(
  request: ReservationRequest,
  { directory, people }: { directory: Directory; people: Pick<People, 'vault'> },
  into: DataView,
  at: number,
  sku = directory.find('skus', request.sku),
): number | Outcome {
  if (sku < 0) return unknownSku(request.sku)
  let location = ANY_LOCATION
  if (request.location !== undefined) {
    location = directory.find('locations', request.location)
    if (location < 0) return unknownLocation(request.location)
  }
  // A channel that nothing was ever set apart for is like none.
  const channel = request.channel === undefined ? 0 : Math.max(0, directory.find('channels', request.channel))
  const { id } = request
  for (let i = 0; i < 16; i++) {
    const pair = PAIRS[i]!
    into.setUint8(at + i, (HEX[id.charCodeAt(pair)]! << 4) | HEX[id.charCodeAt(pair + 1)]!)
  }
  into.setBigUint64(at + 16, request.buyer === undefined ? 0n : buyerNumber(request.buyer, people), true)
  into.setUint32(at + 24, sku, true)
  into.setUint32(at + 28, request.quantity, true)
  into.setUint32(at + 32, request.ttlSeconds, true)
  into.setUint16(at + 36, location, true)
  into.setUint16(at + 38, channel, true)
  return sku
}
