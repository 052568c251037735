/**
 * Whether a disk has room for a write. LMDB is not let run into a full disk: what it does after a write that failed halfway
 * is not to be relied on (its heap was seen corrupted), so a write that might not fit is refused before it begins.
 */
import { statfsSync } from 'node:fs'
import { DISK_HEADROOM_BYTES } from './limits.js'

/** Throws where the disk of `directory` has no room for `bytes` and what their bookkeeping takes. */
export function expectRoom(directory: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(directory)
  if (bavail * bsize < 1.25 * bytes + DISK_HEADROOM_BYTES) throw new Error('no space left on the disk')
}
