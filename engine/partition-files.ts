/** The two LMDB files of a partition, looked over before LMDB, which trusts them, maps them. */
import { existsSync } from 'node:fs'
import { DamageError } from './errors.js'
import { LmdbLog } from './log/lmdb-log.js'
import { checkLmdbStructure } from './log/lmdb-structure.js'
import type { LogPosition } from './log/log.js'
import { appendOpening, isEmpty } from './log/opening.js'

export interface PartitionFiles {
  log: string
  store: string
  /** Whether they have been made: from then on a missing one is damage. */
  made: boolean
  /** See `ownerOf` in data-directory.ts. */
  owner: number
}

/** Opens a partition's log behind `position`. Throws DamageError where it has lost its records. */
export function openPartitionLog(
  { log: file, made, owner }: PartitionFiles,
  partition: number,
  position: LogPosition,
  readOnly: boolean,
): LmdbLog {
  const log = new LmdbLog({ file, partition, owner, position, readOnly })
  if (!isEmpty(log)) return log
  if (made) {
    throw new DamageError(`partition ${partition}: ${file} holds no record; restore this data directory from a backup`)
  }
  if (!readOnly) appendOpening(log, 0)
  return log
}

/** Throws DamageError that names the file, the page and what is wrong with it. */
export function checkPartitionFiles({ log, store, made }: PartitionFiles, partition: number): void {
  for (const file of [store, log]) {
    if (!existsSync(file)) {
      if (made)
        throw new DamageError(`partition ${partition}: ${file} is missing; restore this data directory from a backup`)
      continue
    }
    const [fault] = checkLmdbStructure(file).faults
    if (fault) {
      throw new DamageError(
        `partition ${partition}: ${file} is damaged at page ${fault.page}: ${fault.what}; restore this data directory from a backup`,
      )
    }
  }
}
