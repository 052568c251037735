/** Takes the lock of a data directory at a moment that it is told, in a process of its own. Run from the build. */
import { lockDataDirectory } from '../../engine/directory-lock.js'

export interface LockOrder {
  readonly directory: string
  /** Since 1970: spun for, so that two of them come at the same time. */
  readonly atMs: number
}

let unlock: (() => void) | undefined

process.on('message', ({ directory, atMs }: LockOrder) => {
  unlock?.()
  unlock = undefined
  while (Date.now() < atMs);
  try {
    unlock = lockDataDirectory(directory)
    process.send!('held')
  } catch (error) {
    process.send!(error instanceof Error ? error.message : String(error))
  }
})
