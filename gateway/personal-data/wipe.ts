/**
 * Wipes secrets out of an LMDB file where nothing reads them any more. LMDB writes a changed page elsewhere and gives the
 * old one up as it is, and what is deleted stays in the gap of its page, so a deleted value is found in the file until its
 * place is needed again, which may be never.
 */
import assert from 'node:assert'
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'

const CHUNK_BYTES = 1_048_576

/**
 * Overwrites each occurrence of the secrets in the file with zeros, on disk once it returns. The caller has deleted them
 * and holds the write lock, so that what is found is in no page that is read, and none is given to another use meanwhile.
 * Reads the whole file: about a second for a gigabyte and a secret.
 */
export function wipe(file: string, secrets: readonly Uint8Array[]): void {
  const longest = Math.max(0, ...secrets.map(({ length }) => length))
  assert(
    secrets.every(({ length }) => length >= 16),
    'a secret is long enough to be no other value by chance',
  )
  const handle = openSync(file, 'r+')
  try {
    // What lies across two chunks is whole in the second.
    const chunk = Buffer.alloc(CHUNK_BYTES + longest)
    let carried = 0
    for (let at = 0; ; ) {
      const read = readSync(handle, chunk, carried, CHUNK_BYTES, at)
      if (read === 0) break
      const seen = chunk.subarray(0, carried + read)
      for (const secret of secrets) {
        for (let found = seen.indexOf(secret); found >= 0; found = seen.indexOf(secret)) {
          seen.fill(0, found, found + secret.length)
          writeSync(handle, seen, found, secret.length, at - carried + found)
        }
      }
      at += read
      const kept = Math.min(seen.length, Math.max(0, longest - 1))
      seen.copyWithin(0, seen.length - kept)
      carried = kept
    }
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
