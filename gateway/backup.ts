/**
 * Backups: every partition's log and checkpoint at one instant, while the server goes on. All partitions stand still
 * together for as long as it takes to say where their logs are; that is the cut. Then the files are copied, and what the
 * logs hold behind the cut is dropped when the backup is restored. The vault is copied last, so that it holds every key
 * that they need; what an erasure means for backups says personal-data/vault-file.ts.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import {
  createDataDirectory,
  type Description,
  logFile,
  partitionDirectory,
  readDescription,
  storeFile,
  syncToDisk,
} from '../engine/data-directory.js'
import { DamageError, DoorbusterError, systemReason } from '../engine/errors.js'
import { copyEnvironment, dropBehind } from '../engine/log/lmdb-copy.js'
import type { LogPosition } from '../engine/log/log.js'
import type { Dispatch } from './dispatch.js'
import { copyVault } from './personal-data/vault-file.js'

const MANIFEST = 'backup.json'

/** Where each partition's log was at the instant of the backup. */
interface Manifest {
  cuts: LogPosition[]
}

function makeTarget(directory: string): void {
  if (!isAbsolute(directory))
    throw new DoorbusterError('bad_directory', `${directory} is not an absolute path; name one`)
  if (existsSync(directory))
    throw new DoorbusterError('bad_directory', `${directory} exists already; name a new directory`)
  try {
    mkdirSync(dirname(directory), { recursive: true })
  } catch (error) {
    throw new DoorbusterError('bad_directory', `${directory} cannot be made (${systemReason(error)}); name another`, {
      cause: error,
    })
  }
}

async function copyInto(
  directory: string,
  dataDir: string,
  description: Description,
  cuts: LogPosition[],
): Promise<void> {
  // Complete under another name first, so that a directory of the name that was asked for is always a whole backup.
  const partial = `${directory}.partial`
  rmSync(partial, { recursive: true, force: true })
  try {
    createDataDirectory(partial, description)
    for (let partition = 0; partition < description.partitions; partition++) {
      for (const file of [storeFile, logFile]) {
        await copyEnvironment(file(dataDir, description, partition), file(partial, description, partition))
        syncToDisk(file(partial, description, partition))
      }
    }
    await copyVault(dataDir, partial)
    const manifest: Manifest = { cuts }
    writeFileSync(join(partial, MANIFEST), JSON.stringify(manifest), { flush: true })
    renameSync(partial, directory)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    if (error instanceof DoorbusterError) throw error
    throw new DoorbusterError(
      'backup_failed',
      `the backup could not be written to ${directory} (${systemReason(error)})`,
      {
        cause: error,
      },
    )
  }
}

/** Servers that are being backed up: their logs are kept and their partitions parked for one backup at a time. */
const underWay = new WeakSet<Dispatch>()

/** Backs up the data directory of a running server. */
export async function backupWhileServing(
  dispatch: Dispatch,
  dataDir: string,
  directory: string,
): Promise<LogPosition[]> {
  if (underWay.has(dispatch))
    throw new DoorbusterError('backup_running', 'another backup is being taken; try again when it is done')
  makeTarget(directory)
  underWay.add(dispatch)
  try {
    return await copyAtOneInstant(dispatch, dataDir, directory)
  } finally {
    underWay.delete(dispatch)
  }
}

async function copyAtOneInstant(dispatch: Dispatch, dataDir: string, directory: string): Promise<LogPosition[]> {
  const { links } = dispatch
  const partitions = Array.from({ length: links.partitions }, (_, partition) => partition)
  const all = async (send: (partition: number, ticket: number) => boolean): Promise<unknown[]> => {
    const outcomes = await Promise.all(partitions.map((partition) => dispatch.ask((ticket) => send(partition, ticket))))
    const refused = outcomes.find(({ status }) => status !== 200)
    if (refused)
      throw new DoorbusterError('backup_failed', `the backup was refused: ${JSON.stringify(refused.body)}; try again`)
    return outcomes.map(({ body }) => body)
  }
  try {
    await all((partition, ticket) => links.sendKeepLog(partition, ticket, true))
    links.beginPark()
    const cuts = (await all((partition, ticket) => links.sendPark(partition, ticket))) as LogPosition[]
    links.unpark()
    await copyInto(directory, dataDir, readDescription(dataDir), cuts)
    return cuts
  } finally {
    links.unpark()
    await all((partition, ticket) => links.sendKeepLog(partition, ticket, false))
  }
}

/** Backs up a data directory that nobody has open; the caller holds its lock. */
export function backupStopped(dataDir: string, directory: string): Promise<void> {
  makeTarget(directory)
  // Everything that the logs hold belongs to it.
  return copyInto(directory, dataDir, readDescription(dataDir), [])
}

/** Makes a data directory from a backup. The target is new or empty. */
export async function restore(backup: string, dataDir: string): Promise<void> {
  const description = readDescription(backup)
  let manifest: Manifest
  try {
    manifest = JSON.parse(readFileSync(join(backup, MANIFEST), 'utf8')) as Manifest
  } catch (error) {
    throw new DamageError(`${backup} is not a complete backup (${systemReason(error)}); use another`, { cause: error })
  }
  createDataDirectory(dataDir, description)
  for (let partition = 0; partition < description.partitions; partition++) {
    const target = partitionDirectory(dataDir, description, partition)
    mkdirSync(target, { recursive: true })
    for (const file of [storeFile, logFile]) {
      cpSync(file(backup, description, partition), file(dataDir, description, partition))
    }
    const cut = manifest.cuts[partition]
    if (cut) await dropBehind(logFile(dataDir, description, partition), cut.sequence)
  }
  await copyVault(backup, dataDir)
}
