import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Actors } from './actors.js'
import {
  createDataDirectory,
  DATA_FORMAT,
  type Description,
  ownerOf,
  partitionDirectory,
  readDescription,
} from './data-directory.js'
import { Digest } from './digest.js'
import { DrivenPartition, type Entry } from './driven-partition.contract.js'
import { DamageError } from './errors.js'
import { reshard } from './reshard.js'
import { createActors, TALLIES, TallyActors } from './tally-actors.contract.js'

const NOW = 1_700_000_000_000
let directory: string
let description: Description

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'doorbuster-reshard-'))
  const made = { format: DATA_FORMAT, id: 'x', partitions: 2, generation: 1, made: true }
  description = createDataDirectory(directory, made)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const opened = (partition: number, { partitions } = description): DrivenPartition =>
  new DrivenPartition({
    createActors,
    directory: partitionDirectory(directory, description, partition),
    owner: ownerOf(description, partition),
    partition,
    partitions,
    copies: false,
  })

const command = (name: string, body: unknown): Entry => ({ kind: 'command', name, body })

/** Runs a batch in each partition, takes a checkpoint where it is asked for, and leaves the files closed. */
async function fill(checkpoints: boolean, of: (partition: number) => Entry[]): Promise<string> {
  const total = new Digest()
  for (let partition = 0; partition < description.partitions; partition++) {
    const driven = opened(partition)
    driven.run(NOW, of(partition))
    if (checkpoints) driven.checkpoint()
    total.addDigest(driven.digest())
    await driven.close()
  }
  return total.toString()
}

const tally = (actors: Actors): TallyActors => {
  if (!(actors instanceof TallyActors)) throw new Error('these are the actors of this test')
  return actors
}

/** Every tally goes to the partition that its slot belongs to. */
function redistribute(from: Actors[], to: Actors[]): void {
  for (const old of from.map(tally)) {
    for (let slot = 0; slot < TALLIES; slot++) {
      const fresh = tally(to[slot % to.length]!)
      fresh.arena.touch(slot)
      fresh.arena.words[slot * 8]! += old.tally(slot)
    }
  }
}

describe('a data directory for another number of partitions', () => {
  it.each([true, false])(
    'holds the same as before, and more can be done with it (checkpoints: %s)',
    async (checkpoints) => {
      const digest = await fill(checkpoints, (partition) =>
        [1, 2, 3].map((n) => command('add', { slot: 2 * n + partition, by: n })),
      )
      const result = await reshard(directory, description, 3, createActors, redistribute)
      expect(result.digest).toBe(digest)
      description = readDescription(directory)
      expect(description).toMatchObject({ partitions: 3, generation: 2 })
      const total = new Digest()
      for (let partition = 0; partition < 3; partition++) {
        const driven = opened(partition)
        total.addDigest(driven.digest())
        driven.run(NOW + 1, [command('add', { slot: 9, by: 1 })])
        await driven.restart()
        expect(tally(driven.state.actors).tally(9)).toBe(1)
        await driven.close()
      }
      expect(total.toString()).toBe(digest)
    },
  )

  it('gives no event a number that another had', async () => {
    await fill(true, () => ['a', 'b', 'c'].map((text) => command('publish', { text })))
    await reshard(directory, description, 3, createActors, redistribute)
    description = readDescription(directory)
    for (let partition = 0; partition < 3; partition++) {
      const driven = opened(partition)
      const { events } = driven.run(NOW + 1, [command('publish', { text: 'd' })])
      expect(events[0]!.number).toBeGreaterThan(3)
      // Who has not read all there was is told.
      expect(driven.state.outbox.eventsAfter(2, 10).missed).toBe(true)
      await driven.close()
    }
  })

  it('is not made while messages are under way, and nothing is changed', async () => {
    await fill(false, () => [command('tell', { to: 1, text: 'late' })])
    await expect(reshard(directory, description, 3, createActors, redistribute)).rejects.toMatchObject({
      code: 'messages_waiting',
    })
    expect(readDescription(directory)).toEqual(description)
  })

  it('is not made where something would be lost, and nothing is changed', async () => {
    const digest = await fill(true, (partition) => [command('add', { slot: partition, by: 5 })])
    await expect(reshard(directory, description, 3, createActors, () => {})).rejects.toThrow(DamageError)
    expect(readDescription(directory)).toEqual(description)
    const again = await reshard(directory, description, 4, createActors, redistribute)
    expect(again.digest).toBe(digest)
  })
})
