/**
 * A key as the vault keeps it. A key whose bytes have changed on the disk would look like that of somebody who was erased
 * and came back, so each carries a checksum.
 *
 *   0      key, 32 bytes
 *   32     CRC-32C of the entry's name and the key, little-endian
 */
import { crc32c } from '@node-rs/crc32'
import { DamageError } from '../../engine/errors.js'

export const KEY_BYTES = 32
const ENTRY_BYTES = KEY_BYTES + 4

/** The name of the key from which those of the installation are derived. */
export const INSTALLATION = 'installation'

export const personEntry = (person: string): string => `key/${person}`

export function entryOf(name: string, key: Uint8Array): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES)
  entry.set(key)
  entry.writeUInt32LE(crc32c(key, crc32c(name)), KEY_BYTES)
  return entry
}

/** Throws DamageError where the entry is missing or is not what was written. */
export function keyFrom(file: string, name: string, entry: Buffer | undefined): Buffer {
  const key = entry?.subarray(0, KEY_BYTES)
  if (!entry || !key || entry.length !== ENTRY_BYTES || crc32c(key, crc32c(name)) !== entry.readUInt32LE(KEY_BYTES)) {
    throw new DamageError(
      `${file} is damaged: ${name} fails its checksum; restore it, or the data directory, from a backup`,
    )
  }
  return key
}
