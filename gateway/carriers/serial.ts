/**
 * Serial numbers without a counter: the same key gives the same number on every machine, so that a purchase can be
 * repeated without anything that remembers it.
 */
import { createHash } from 'node:crypto'
import { DoorbusterError } from '../../engine/errors.js'

/**
 * A whole number from 0 to below `capacity`, evenly spread over keys (SHA-256). Of n keys two meet with a probability of
 * about n² / (2 × capacity): whoever gives out many keeps what is taken.
 */
export function serialOf(key: string, capacity: number): number {
  const digest = createHash('sha256').update(key).digest()
  return Number(digest.readBigUInt64BE() % BigInt(capacity))
}

/** The identifier, or a part of one, does not stand for anything. */
export class IdentifierError extends DoorbusterError {
  constructor(message: string) {
    super('bad_identifier', message)
  }
}

/** The text in at most 60 characters, for the end of a message. */
export const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)

/** A serial number as so many digits. Throws where it has more of them, or is no whole number. */
export function serialDigits(serial: number, digits: number): string {
  if (Number.isSafeInteger(serial) && serial >= 0 && serial < 10 ** digits) return String(serial).padStart(digits, '0')
  throw new IdentifierError(`the serial number must be a whole number of at most ${digits} digits, not ${serial}`)
}
