/** Takes the lock of a data directory at a moment that it is told, in a process of its own. Run from the build. */
import { lockDataDirectory } from '../../engine/directory-lock.js'

export interface LockOrder {
  readonly directory: string
  /** Since 1970: spun for, so that two of them come at the same time. */
  readonly atMs: number
}

let unlock: (() => void) | undefined

async function contend({ directory, atMs }: LockOrder): Promise<string> {
  unlock?.()
  unlock = undefined
  while (Date.now() < atMs);
  try {
    unlock = await lockDataDirectory(directory)
    return 'held'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

process.on('message', (order: LockOrder) => {
  void contend(order).then((said) => process.send!(said))
})
