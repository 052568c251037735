/**
 * A data directory: what it is, for how many partitions it was made, and who uses it now.
 *
 *   doorbuster.json         format, partitions, identity, with a checksum
 *   lock                    the process that has it open
 *   partition-N/log.mdb     the log
 *   partition-N/store.mdb   the last checkpoint
 */
import { randomUUID } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32c } from '@node-rs/crc32'
import { DamageError, DoorbusterError } from './errors.js'
import { PARTITIONS_MAX } from './limits.js'

export const DATA_FORMAT = 1
const DESCRIPTION_FILE = 'doorbuster.json'
const LOCK_FILE = 'lock'

export interface Description {
  format: number
  /** Names the directory for ever; a backup of it carries the same. */
  id: string
  partitions: number
}

export const logFile = (directory: string, partition: number): string =>
  join(directory, `partition-${partition}`, 'log.mdb')
export const storeFile = (directory: string, partition: number): string =>
  join(directory, `partition-${partition}`, 'store.mdb')

function systemReason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Makes an empty data directory, or finds one. Throws where it is another program's, another format's, or unwritable. */
export function openDataDirectory(directory: string, partitionsWanted: number | undefined, defaultPartitions: number) {
  const file = join(directory, DESCRIPTION_FILE)
  if (!existsSync(file)) return createDataDirectory(directory, partitionsWanted ?? defaultPartitions)
  const description = readDescription(directory)
  if (partitionsWanted !== undefined && partitionsWanted !== description.partitions) {
    throw new DoorbusterError(
      'partitions_differ',
      `${directory} was made for ${description.partitions} partitions, not ${partitionsWanted}; leave the option out, or stop the server and run: doorbuster reshard --partitions ${partitionsWanted}`,
    )
  }
  return description
}

export function createDataDirectory(directory: string, partitions: number, id: string = randomUUID()): Description {
  if (!(Number.isInteger(partitions) && partitions >= 1 && partitions <= PARTITIONS_MAX)) {
    throw new DoorbusterError('bad_partitions', `--partitions is a whole number from 1 to ${PARTITIONS_MAX}`)
  }
  try {
    mkdirSync(directory, { recursive: true })
    const foreign = readdirSync(directory).filter((name) => name !== LOCK_FILE)
    if (foreign.length > 0) {
      throw new DoorbusterError(
        'foreign_directory',
        `${directory} is not empty and is no data directory of Doorbuster (it holds ${foreign[0]}); choose another --data-dir`,
      )
    }
    for (let partition = 0; partition < partitions; partition++) mkdirSync(join(directory, `partition-${partition}`))
    const description: Description = { format: DATA_FORMAT, id, partitions }
    writeFileSync(join(directory, DESCRIPTION_FILE), withChecksum(description), { flag: 'wx', flush: true })
    return description
  } catch (error) {
    if (error instanceof DoorbusterError) throw error
    throw new DoorbusterError(
      'data_directory_unusable',
      `the data directory ${directory} cannot be written (${systemReason(error)}); choose another --data-dir or mend its permissions`,
      { cause: error },
    )
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
    seen = JSON.parse(text) as Partial<Description>
  } catch (error) {
    throw new DamageError(`${file} is damaged: it is not JSON; restore this data directory from a backup`, { cause: error })
  }
  if (typeof seen.format === 'number' && seen.format > DATA_FORMAT) {
    throw new DoorbusterError(
      'newer_format',
      `${directory} has format ${seen.format}, and this version reads up to ${DATA_FORMAT}; use the version that wrote it`,
    )
  }
  const description: Description = { format: seen.format!, id: seen.id!, partitions: seen.partitions! }
  if (text !== withChecksum(description)) {
    throw new DamageError(`${file} is damaged: it fails its checksum; restore this data directory from a backup`)
  }
  for (let partition = 0; partition < description.partitions; partition++) {
    if (!existsSync(join(directory, `partition-${partition}`))) {
      throw new DamageError(`${directory} lacks partition-${partition}; restore this data directory from a backup`)
    }
  }
  return description
}

/** Tells one life of a process from another with the same number: Linux's start time, in ticks since the boot. */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Takes the directory for this process; returns how to give it back. A lock whose process is gone (killed, or the machine
 * restarted) is taken over. Throws `locked` where another process has it open.
 */
export function lockDataDirectory(directory: string): () => void {
  const lock = join(directory, LOCK_FILE)
  const own = join(directory, `${LOCK_FILE}.${process.pid}`)
  const content = JSON.stringify({ pid: process.pid, start: processStart(process.pid) ?? '', boot: bootId() })
  try {
    writeFileSync(own, content)
  } catch (error) {
    throw new DoorbusterError(
      'data_directory_unusable',
      `the data directory ${directory} cannot be written (${systemReason(error)}); choose another --data-dir or mend its permissions`,
      { cause: error },
    )
  }
  try {
    for (let tries = 0; tries < 10; tries++) {
      try {
        // A link is made whole or not at all, and never over what is there.
        linkSync(own, lock)
        return () => rmSync(lock, { force: true })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = readHolder(lock)
      if (holder && holder.boot === bootId() && isAlive(holder.pid) && processStart(holder.pid) === (holder.start || undefined)) {
        throw new DoorbusterError(
          'locked',
          `${directory} is in use by process ${holder.pid}; stop that server first, or choose another --data-dir`,
        )
      }
      rmSync(lock, { force: true })
    }
    throw new DoorbusterError('locked', `${directory} is being opened by several processes at once; start one`)
  } finally {
    rmSync(own, { force: true })
  }
}

function readHolder(lock: string): { pid: number; start: string; boot: string } | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as { pid: number; start: string; boot: string }
  } catch {
    return undefined
  }
}
