/** Writes a stopped data directory anew for another number of partitions. */
import { getRandomValues } from 'node:crypto'
import { rmSync } from 'node:fs'
import type { Actors, CreateActors } from './actors.js'
import {
  type Description,
  generationDirectory,
  logFile,
  makePartitionDirectories,
  ownerOf,
  removeOtherGenerations,
  storeFile,
  writeDescription,
} from './data-directory.js'
import { Digest } from './digest.js'
import { DamageError, DoorbusterError } from './errors.js'
import { LmdbLog } from './log/lmdb-log.js'
import { appendOpening } from './log/opening.js'
import { readPartition } from './offline.js'
import { Placement } from './placement.js'
import { PartitionState } from './state.js'
import { Store } from './store.js'

/** How the actors deal everything that they hold out to others. */
export type Redistribute = (from: Actors[], to: Actors[], timeMs: number) => void

/**
 * The new generation is complete on disk before the directory changes over to it, and the digest of the whole must be the
 * same; until then a failure leaves everything as it was. Returns that digest.
 */
export async function reshard(
  directory: string,
  before: Description,
  partitions: number,
  createActors: CreateActors,
  redistribute: Redistribute,
): Promise<{ description: Description; digest: string }> {
  const description: Description = { ...before, partitions, generation: before.generation + 1, made: true }
  const fresh = generationDirectory(directory, description.generation)
  const from: PartitionState[] = []
  const total = new Digest()
  for (let partition = 0; partition < before.partitions; partition++) {
    const { state } = await readPartition(directory, before, partition, createActors)
    if (state.outbox.waiting > 0) {
      throw new DoorbusterError(
        'messages_waiting',
        'messages between partitions wait to be delivered; start the server once and stop it',
      )
    }
    total.addDigest(state.digest().toString())
    from.push(state)
  }

  removeOtherGenerations(directory, before)
  makePartitionDirectories(directory, description)
  try {
    const placement = new Placement(partitions)
    const to = Array.from({ length: partitions }, (_, partition) => {
      const store = new Store(
        storeFile(directory, description, partition),
        partition,
        'offline',
        ownerOf(description, partition),
      )
      return new PartitionState(store, partition, placement, createActors, getRandomValues(new Uint32Array(4)))
    })
    const timeMs = Math.max(...from.map((state) => state.timeMs))
    redistribute(
      from.map(({ actors }) => actors),
      to.map(({ actors }) => actors),
      timeMs,
    )
    const position = { sequence: Math.max(...from.map((state) => state.position.sequence)), crc: 0 }
    const lastEvent = Math.max(...from.map((state) => state.outbox.lastEvent))
    const after = new Digest()
    for (const state of to) {
      after.addDigest(state.digest().toString())
      if (lastEvent > 0) state.outbox.continueEventsAfter(lastEvent)
      state.store.writeWhole({ position, timeMs })
      await state.store.close()
      const { partition } = state
      const file = logFile(directory, description, partition)
      const log = new LmdbLog({ file, partition, owner: ownerOf(description, partition), position })
      appendOpening(log, timeMs)
      await log.close()
    }
    if (after.toString() !== total.toString()) {
      throw new DamageError(`the digest would change from ${total} to ${after}; nothing was changed`)
    }
    for (const state of from) await state.store.close()
    writeDescription(directory, description)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    throw error
  }
  removeOtherGenerations(directory, description)
  return { description, digest: total.toString() }
}
