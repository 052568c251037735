import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { pack } from 'msgpackr'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

// A ring of three pages: a checkpoint has to wait for its writer.
vi.mock('./limits.js', async (original) => ({
  ...(await original<typeof import('./limits.js')>()),
  CHECKPOINT_RING_BYTES: 128 * 1024,
}))

const { CheckpointRing, makeCheckpointRing } = await import('./checkpoint-ring.js')
const { compile } = await import('./compiled.contract.js')
const { copyOf, differences, OpenStore } = await import('./driven-partition.contract.js')
const { LOG_START } = await import('./log/log.js')
const { BatchRecord, EntryKind } = await import('./log/record.js')
const { Placement } = await import('./placement.js')
const { PartitionState } = await import('./state.js')
const { createActors, TALLIES } = await import('./tally-actors.contract.js')

const PARTITION = 2
const NOW = 1_700_000_000_000
let compiled: ReturnType<typeof compile>
let directory: string
let worker: Worker
let ended: Promise<number>
let ring: InstanceType<typeof CheckpointRing>
let store: InstanceType<typeof OpenStore>
let state: InstanceType<typeof PartitionState>
const batch = new BatchRecord(PARTITION, 1024 * 1024)

beforeAll(() => {
  compiled = compile('engine/checkpointer')
})
afterAll(() => compiled.dispose())

const file = (): string => join(directory, 'store.mdb')
const stateOver = (over: InstanceType<typeof OpenStore>) =>
  new PartitionState(over, PARTITION, new Placement(4), createActors, new Uint32Array([1, 2, 3, 4]))

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'doorbuster-checkpointer-'))
  const memory = makeCheckpointRing()
  const workerData = { file: file(), partition: PARTITION, ring: memory }
  worker = new Worker(compiled.address('engine/checkpointer'), { workerData })
  ended = new Promise((resolve) => worker.once('exit', resolve))
  await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  ring = new CheckpointRing(memory)
  store = new OpenStore(file(), PARTITION, ring)
  state = stateOver(store)
})
afterEach(async () => {
  ring.stop()
  expect(await ended).toBe(0)
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

const answers = {
  words: new Uint32Array(2 * TALLIES),
  beginFrame: () => 0,
  endFrame: () => {},
  outcome: () => {},
  later: () => {},
  answer: () => {},
  event: () => {},
}

function run(name: string, body: unknown): void {
  batch.clear()
  const payload = pack([name, body])
  batch.add(EntryKind.command, 0, 0, 1, payload, 0, payload.length)
  batch.seal(state.position, NOW)
  state.apply(batch, answers)
}

/** Takes a checkpoint while `meanwhile` goes on; returns the state that it is to hold. */
function checkpoint(meanwhile: (slice: number) => void = () => {}) {
  store.beginCheckpoint(state.position, state.timeMs)
  const begun = copyOf(store)
  for (let slice = 0; !store.continueCheckpoint(); slice++) {
    expect(store.checkpointing, 'the checkpoint was not given up').toBe(true)
    meanwhile(slice)
    ring.waitBriefly()
  }
  return begun
}

async function expectStored(begun: ReturnType<typeof copyOf>): Promise<void> {
  const again = new OpenStore(file(), PARTITION, undefined)
  stateOver(again).loadCheckpoint()
  expect(differences(again, begun)).toEqual([])
  expect(again.watermark).toEqual(store.watermark)
  await again.close()
}

describe('the thread that writes checkpoints', () => {
  it('writes the state of one instant through a ring that is smaller than it, while it changes', async () => {
    for (let slot = 0; slot < TALLIES; slot += 64) run('add', { slot, by: slot + 1 })
    for (let i = 0; i < 300; i++) run('note', { key: `n${i}`, text: 'x'.repeat(i) })
    const position = { ...state.position }
    let changed = 0
    const begun = checkpoint((slice) => {
      // The last pages first, so that they are handed over before their turn.
      for (let i = 0; i < 20; i++) run('add', { slot: TALLIES - 1 - ((slice * 20 + i) % TALLIES), by: 1 })
      run('note', { key: `n${slice % 300}`, text: 'changed' })
      changed++
    })
    expect(changed).toBeGreaterThan(0)
    expect(store.watermark).toMatchObject({ position, timeMs: NOW, documents: 300 })
    await expectStored(begun)
  })

  it('keeps count of what it holds from one checkpoint to the next', async () => {
    const keys = ['a', 'b', 'c', 'd']
    for (let round = 0; round < 6; round++) {
      for (const [i, key] of keys.entries()) {
        if ((round + i) % 3 === 0) run('erase', { key })
        else run('note', { key, text: `${round}` })
      }
      run('note', { key: `brief ${round}`, text: '' })
      run('erase', { key: `brief ${round}` })
      run('add', { slot: (round * 700) % TALLIES, by: 1 })
      await expectStored(checkpoint())
    }
    expect(checkpoint()).toBeDefined()
    expect(store.watermark!.pages).toBe(4)
  })

  it('writes index entries and counts none of them', async () => {
    for (let i = 0; i < 5_000; i++) store.indexPut('notes', `${i}`.padStart(4, '0'))
    run('note', { key: 'a', text: 'one' })
    await expectStored(checkpoint())
    for (let i = 0; i < 5_000; i += 2) store.indexDelete('notes', `${i}`.padStart(4, '0'))
    await expectStored(checkpoint())
    expect(store.watermark).toMatchObject({ documents: 1 })
    expect(store.indexRange('notes', '0006', 9)).toEqual(['0005', '0003', '0001'])
    expect(store.indexRange('notes', undefined, 5_000)).toHaveLength(2_500)
  })

  it('writes a checkpoint of nothing', async () => {
    await expectStored(checkpoint())
    expect(store.watermark).toEqual({ owner: PARTITION, position: LOG_START, timeMs: 0, pages: 0, documents: 0 })
  })
})
