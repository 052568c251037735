/**
 * The thread that writes a partition's checkpoints, so that the partition never waits for more than its own log: each
 * checkpoint is one transaction of pages, documents, index entries and the watermark.
 */
import { dirname } from 'node:path'
import { workerData } from 'node:worker_threads'
import { writeItem } from './checkpoint-items.js'
import { type CheckpointBeginning, CheckpointReceiver, type CheckpointRingMemory } from './checkpoint-ring.js'
import { expectRoom } from './disk-space.js'
import { systemReason } from './errors.js'
import { openStore, readWatermark, type StoreDatabase, type Watermark, writeWatermark } from './store-format.js'
import { runThread, tellMain } from './thread-messages.js'

export interface CheckpointerData {
  file: string
  partition: number
  ring: CheckpointRingMemory
}

/** Receives one checkpoint up to its end and writes it. Throws where the disk refuses; then nothing of it is stored. */
function takeCheckpoint(
  db: StoreDatabase,
  directory: string,
  receiver: CheckpointReceiver,
  beginning: CheckpointBeginning,
  before: Watermark | undefined,
): Watermark {
  const { bytes, ...place } = beginning
  const watermark: Watermark = { ...place, pages: before?.pages ?? 0, documents: before?.documents ?? 0 }
  let ended = false
  let written = 0
  try {
    expectRoom(directory, bytes)
    db.transactionSync(() => {
      for (let item = receiver.next(); item.kind !== 'end'; item = receiver.next()) {
        written += writeItem(db, item, watermark)
      }
      ended = true
      // What was announced is about right only: documents are encoded as they are handed over.
      expectRoom(directory, written)
      writeWatermark(db, watermark)
    })
  } catch (error) {
    while (!ended) ended = receiver.next().kind === 'end'
    throw error
  }
  return watermark
}

async function run({ file, partition, ring }: CheckpointerData): Promise<void> {
  const db = openStore(file, false)
  let watermark = readWatermark(db, partition)
  db.resetReadTxn()
  const receiver = new CheckpointReceiver(ring)
  tellMain({ type: 'ready' })
  for (;;) {
    const item = receiver.next()
    if (item.kind === 'stop') break
    if (item.kind !== 'begin') throw new Error(`a checkpoint begins with its position, not with ${item.kind}`)
    try {
      watermark = takeCheckpoint(db, dirname(file), receiver, item.beginning, watermark)
      receiver.report(true)
    } catch (error) {
      tellMain({ type: 'checkpointFailed', partition, reason: systemReason(error) })
      receiver.report(false)
    }
  }
  await db.close()
}

await runThread(() => run(workerData as CheckpointerData))
