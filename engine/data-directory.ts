/**
 * A data directory: what it is, for how many partitions it was made, and who uses it now.
 *
 *   doorbuster.json               format, identity, partitions, generation, with a checksum
 *   lock                          the process that has it open
 *   generation-G/N/log.mdb        the log of partition N
 *   generation-G/N/store.mdb      its last checkpoint
 *
 * A reshard writes a new generation beside the old one and changes over by replacing doorbuster.json in one rename.
 */
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32c } from '@node-rs/crc32'
import { LOCK_FILE } from './directory-lock.js'
import { DamageError, DoorbusterError, systemReason } from './errors.js'
import { PARTITIONS_MAX } from './limits.js'
import type { PartitionFiles } from './partition-files.js'

export const DATA_FORMAT = 2
const DESCRIPTION_FILE = 'doorbuster.json'

export interface Description {
  format: number
  /** Names the directory for ever; a backup of it carries the same. */
  id: string
  partitions: number
  /** Grows with each reshard. */
  generation: number
  /** Whether its files have been made: from then on a missing one is damage. */
  made: boolean
}

export const generationDirectory = (directory: string, generation: number): string =>
  join(directory, `generation-${generation}`)

export const partitionDirectory = (directory: string, { generation }: Description, partition: number): string =>
  join(generationDirectory(directory, generation), String(partition))

export const logFile = (directory: string, description: Description, partition: number): string =>
  join(partitionDirectory(directory, description, partition), 'log.mdb')

export function partitionFiles(directory: string, description: Description, partition: number): PartitionFiles {
  return {
    log: logFile(directory, description, partition),
    store: storeFile(directory, description, partition),
    made: description.made,
    owner: ownerOf(description, partition),
  }
}

/** What the records and the checkpoints of a partition carry, so that those of another directory are not taken for its. */
export const ownerOf = ({ id }: Description, partition: number): number => crc32c(`${id}/${partition}`)

export const storeFile = (directory: string, description: Description, partition: number): string =>
  join(partitionDirectory(directory, description, partition), 'store.mdb')

/** Makes an empty data directory, or finds one; the caller holds its lock. Throws where it is another program's, another format's, or unwritable. */
export function openDataDirectory(directory: string, partitionsWanted: number | undefined, defaultPartitions: number) {
  const file = join(directory, DESCRIPTION_FILE)
  if (!existsSync(file)) {
    const partitions = partitionsWanted ?? defaultPartitions
    return createDataDirectory(directory, {
      format: DATA_FORMAT,
      id: randomUUID(),
      partitions,
      generation: 1,
      made: false,
    })
  }
  const description = readDescription(directory)
  if (partitionsWanted !== undefined && partitionsWanted !== description.partitions) {
    throw new DoorbusterError(
      'partitions_differ',
      `${directory} was made for ${description.partitions} partitions, not ${partitionsWanted}; leave the option out, or stop the server and run: doorbuster reshard --partitions ${partitionsWanted}`,
    )
  }
  removeOtherGenerations(directory, description)
  return description
}

/** What a process leaves that ended while it made the directory: empty partitions and a description under its first name. */
function isUnfinished(directory: string, name: string): boolean {
  if (name === `${DESCRIPTION_FILE}.new`) return true
  if (name !== 'generation-1') return false
  const partitions = readdirSync(join(directory, name))
  return partitions.every((partition) => readdirSync(join(directory, name, partition)).length === 0)
}

/** Makes sure that there is a directory that is a data directory or can become one. */
export function prepareDataDirectory(directory: string, partitions: number): void {
  const isOne = (): boolean => existsSync(join(directory, DESCRIPTION_FILE))
  try {
    if (!isOne()) makeEmptyDirectory(directory, partitions)
  } catch (error) {
    // Another process may have made it in the meantime.
    if (!isOne()) throw error
  }
}

/** Makes a directory, or finds an empty one. Throws where it holds anything; then nothing is changed. */
function makeEmptyDirectory(directory: string, partitions: number): void {
  if (!(Number.isInteger(partitions) && partitions >= 1 && partitions <= PARTITIONS_MAX)) {
    throw new DoorbusterError('bad_partitions', `--partitions is a whole number from 1 to ${PARTITIONS_MAX}`)
  }
  try {
    mkdirSync(directory, { recursive: true })
    const foreign = readdirSync(directory).filter(
      (name) => !name.startsWith(LOCK_FILE) && !isUnfinished(directory, name),
    )
    if (foreign.length > 0) {
      throw new DoorbusterError(
        'foreign_directory',
        `${directory} is not empty and is no data directory of Doorbuster (it holds ${foreign[0]}); choose another --data-dir`,
      )
    }
  } catch (error) {
    throw unusable(directory, error)
  }
}

function unusable(directory: string, error: unknown): DoorbusterError {
  if (error instanceof DoorbusterError) return error
  return new DoorbusterError(
    'data_directory_unusable',
    `the data directory ${directory} cannot be written (${systemReason(error)}); choose another --data-dir or mend its permissions`,
    { cause: error },
  )
}

/** Makes an empty directory into a data directory. */
export function createDataDirectory(directory: string, description: Description): Description {
  makeEmptyDirectory(directory, description.partitions)
  try {
    makePartitionDirectories(directory, description)
    writeDescription(directory, description)
    return description
  } catch (error) {
    throw unusable(directory, error)
  }
}

export function makePartitionDirectories(directory: string, description: Description): void {
  for (let partition = 0; partition < description.partitions; partition++) {
    mkdirSync(partitionDirectory(directory, description, partition), { recursive: true })
  }
}

/** Removes what a reshard leaves that was killed just before or just after it changed over. The caller holds the directory's lock. */
export function removeOtherGenerations(directory: string, { generation }: Description): void {
  for (const name of readdirSync(directory)) {
    const [, other] = /^generation-(\d+)$/.exec(name) ?? []
    if (other !== undefined && Number(other) !== generation) rmSync(join(directory, name), { recursive: true })
  }
}

/** Replaces the description in one step: from here on the directory is what it says. */
export function writeDescription(directory: string, description: Description): void {
  const fresh = join(directory, `${DESCRIPTION_FILE}.new`)
  writeFileSync(fresh, withChecksum(description), { flush: true })
  renameSync(fresh, join(directory, DESCRIPTION_FILE))
  // The rename itself is durable once the directory is.
  syncToDisk(directory)
}

/** Flushes a file or directory that is complete. */
export function syncToDisk(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function withChecksum(description: Description): string {
  const body = JSON.stringify(description)
  return `${JSON.stringify({ ...description, crc32c: crc32c(body) })}\n`
}

export function readDescription(directory: string): Description {
  const file = join(directory, DESCRIPTION_FILE)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new DoorbusterError(
      'no_data_directory',
      `${directory} is no data directory of Doorbuster (${systemReason(error)}); check --data-dir`,
      { cause: error },
    )
  }
  let seen: Partial<Description>
  try {
    seen = { ...(JSON.parse(text) as Partial<Description> | null) }
  } catch (error) {
    throw new DamageError(`${file} is damaged: it is not JSON; restore this data directory from a backup`, {
      cause: error,
    })
  }
  if (typeof seen.format === 'number' && seen.format > DATA_FORMAT) {
    throw new DoorbusterError(
      'newer_format',
      `${directory} has format ${seen.format}, and this version reads up to ${DATA_FORMAT}; use the version that wrote it`,
    )
  }
  const { format, id, partitions, generation, made } = seen
  if (
    format === undefined ||
    id === undefined ||
    partitions === undefined ||
    generation === undefined ||
    made === undefined
  ) {
    throw new DamageError(`${file} is damaged: it lacks a field; restore this data directory from a backup`)
  }
  const description: Description = { format, id, partitions, generation, made }
  if (text !== withChecksum(description)) {
    throw new DamageError(`${file} is damaged: it fails its checksum; restore this data directory from a backup`)
  }
  if (format < DATA_FORMAT) {
    throw new DoorbusterError(
      'older_format',
      `${directory} has format ${format}, and this version reads format ${DATA_FORMAT}; use the version that wrote it, or another --data-dir`,
    )
  }
  for (let partition = 0; partition < description.partitions; partition++) {
    if (!existsSync(partitionDirectory(directory, description, partition))) {
      throw new DamageError(`${directory} lacks partition ${partition}; restore this data directory from a backup`)
    }
  }
  return description
}
