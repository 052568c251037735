/** The two LMDB files of a partition, looked over before LMDB, which trusts them, maps them. */
import { existsSync } from 'node:fs'
import { DamageError } from './errors.js'
import { checkLmdbStructure } from './log/lmdb-structure.js'

export interface PartitionFiles {
  log: string
  store: string
  /** Whether they have been made: from then on a missing one is damage. */
  made: boolean
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
