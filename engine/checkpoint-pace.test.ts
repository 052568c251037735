import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { pack } from 'msgpackr'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'

const CHANGES_MAX = 3_000
vi.mock('./limits.js', async (original) => ({
  ...(await original<typeof import('./limits.js')>()),
  CHANGES_MAX: 3_000,
  CHECKPOINT_LOG_BYTES: 16 * 1024,
  CHECKPOINT_HANDED_OVER_BYTES: 8 * 1024,
}))

const { CheckpointRing, makeCheckpointRing } = await import('./checkpoint-ring.js')
const { compile } = await import('./compiled.contract.js')
const { Doorbell, makeDoorbell } = await import('./doorbell.js')
const { DrivenStore } = await import('./driven-store.contract.js')
const { LmdbLog } = await import('./log/lmdb-log.js')
const { LOG_START } = await import('./log/log.js')
const { MailboxReader, MailboxWriter, makeMailbox } = await import('./mailbox.js')
const { Partition } = await import('./partition.js')
const { Placement } = await import('./placement.js')
const { Inbound } = await import('./protocol.js')
const { ReplyWriter } = await import('./reply-writer.js')
const { PartitionState } = await import('./state.js')
const { makeStats, StatsWriter } = await import('./stats.js')
const { Store } = await import('./store.js')
const { createActors } = await import('./tally-actors.contract.js')

const HANDED_OVER_BYTES = 8 * 1024
const PARTITION = 0

let compiled: ReturnType<typeof compile>
beforeAll(() => {
  compiled = compile('engine/checkpointer')
})
afterAll(() => compiled.dispose())

describe('a checkpoint', () => {
  it('is handed over by the time that so much is appended, however much it is and however few the steps', async () => {
    const driven = new DrivenStore()
    onTestFinished(() => driven.dispose())
    for (const steps of [1, 10]) {
      for (let i = 0; i < 5_000; i++) driven.store.put(`note/${i}`, new Uint8Array(10))
      for (let i = 0; i < 20_000; i++) driven.store.indexPut('notes', `${steps}/${i}`)
      driven.begin()
      for (let step = 1; step <= steps; step++) driven.store.continueCheckpoint((step / steps) * HANDED_OVER_BYTES)
      expect(driven.continue(), `in ${steps} steps`).toBe(true)
    }
    expect(driven.store.changes).toBe(0)
  })

  it('is handed over in small slices where nothing is appended', async () => {
    const driven = new DrivenStore()
    onTestFinished(() => driven.dispose())
    for (let i = 0; i < 5_000; i++) driven.store.put(`note/${i}`, new Uint8Array(10))
    driven.begin()
    for (let step = 1; step <= 10; step++) driven.store.continueCheckpoint(0)
    expect(driven.continue()).toBe(false)
    driven.end()
  })
})

describe('a partition that changes much', () => {
  it('waits for its checkpointer before it takes more, so that what is not stored yet is bounded', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'doorbuster-pace-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const file = join(directory, 'store.mdb')
    const memory = makeCheckpointRing()
    const workerData = { file, partition: PARTITION, ring: memory }
    const worker = new Worker(compiled.address('engine/checkpointer'), { workerData })
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    const ring = new CheckpointRing(memory)
    const store = new Store(file, PARTITION, ring)
    const state = new PartitionState(store, PARTITION, new Placement(1), createActors, new Uint32Array(4))
    state.loadCheckpoint()
    const log = new LmdbLog({ file: join(directory, 'log.mdb'), partition: PARTITION, position: LOG_START })
    const [inbox, outbox] = [makeMailbox(1024 * 1024), makeMailbox(1024 * 1024)]
    const partition = new Partition({
      state,
      log,
      inbox: new MailboxReader(inbox),
      replies: new ReplyWriter(new MailboxWriter(outbox), new Doorbell(makeDoorbell(), () => {}), PARTITION),
      peers: [],
      stats: new StatsWriter(makeStats()),
      now: Date.now,
      checkpoints: true,
      logBytesBehind: 0,
      isParkingTime: () => false,
    })
    const mailbox = new MailboxWriter(inbox)
    let most = 0
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 1_000; i++) {
        const note = pack(['note', { key: `${round}-${i}`, text: 'what has changed' }])
        expect(mailbox.write(Inbound.command, 0, 0, note)).toBe(true)
      }
      partition.step()
      most = Math.max(most, store.changes)
    }
    expect(most).toBeLessThanOrEqual(CHANGES_MAX)
    expect(store.watermark!.documents).toBeGreaterThanOrEqual(30 * 1_000 - CHANGES_MAX)
    ring.stop()
    expect(await ended).toBe(0)
    await log.close()
    await store.close()
  })
})
