/** A data directory that no server has open: its state, read whole; and what is wrong with it. */
import { getRandomValues } from 'node:crypto'
import type { CreateActors } from './actors.js'
import { type Description, partitionFiles } from './data-directory.js'
import { DamageError } from './errors.js'
import { checkPartitionFiles, openPartitionLog } from './partition-files.js'
import { Placement } from './placement.js'
import { PartitionState } from './state.js'
import { Store } from './store.js'

export interface OfflinePartition {
  state: PartitionState
  /** What the log held behind the checkpoint. */
  replayed: { records: number; commands: number }
}

/** Reads a partition, checkpoint and log, and changes nothing. Throws DamageError. */
export async function readPartition(
  directory: string,
  description: Description,
  partition: number,
  createActors: CreateActors,
): Promise<OfflinePartition> {
  const files = partitionFiles(directory, description, partition)
  checkPartitionFiles(files, partition)
  const store = new Store(files.store, partition, undefined, files.owner)
  const placement = new Placement(description.partitions)
  const state = new PartitionState(store, partition, placement, createActors, getRandomValues(new Uint32Array(4)))
  state.loadCheckpoint()
  const log = openPartitionLog(files, partition, state.position, true)
  try {
    return { state, replayed: state.replay(log) }
  } finally {
    await log.close()
  }
}

export interface PartitionReport {
  partition: number
  /** Sequence of the last record. */
  sequence: number
  records: number
  commands: number
  entities: number
  digest: string
  /** What is wrong, in sentences; empty where all is well. */
  faults: string[]
}

/** Checks a partition: checksums, sequence, replay, and that its books balance. */
export async function verifyPartition(
  directory: string,
  description: Description,
  partition: number,
  createActors: CreateActors,
): Promise<PartitionReport> {
  const empty = { partition, sequence: 0, records: 0, commands: 0, entities: 0, digest: '' }
  try {
    const { state, replayed } = await readPartition(directory, description, partition, createActors)
    const digest = state.digest()
    const faults = state.actors.check().map((fault) => `partition ${partition}: ${fault}`)
    await state.store.close()
    const { records, commands } = replayed
    const { sequence } = state.position
    return { partition, sequence, records, commands, entities: digest.entities, digest: digest.toString(), faults }
  } catch (error) {
    if (!(error instanceof DamageError)) throw error
    return { ...empty, faults: [error.message] }
  }
}
