/**
 * The thread that writes a partition's checkpoints, so that the partition never waits for more than its own log: each
 * checkpoint is one transaction of pages, documents and the watermark.
 */
import { dirname } from 'node:path'
import { workerData } from 'node:worker_threads'
import { type CheckpointBeginning, CheckpointReceiver, type CheckpointRingMemory } from './checkpoint-ring.js'
import { expectRoom } from './disk-space.js'
import { systemReason } from './errors.js'
import {
  openStore,
  packValue,
  pageKey,
  readWatermark,
  type StoreDatabase,
  type Watermark,
  writeWatermark,
} from './store-format.js'
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
  try {
    expectRoom(directory, bytes)
    db.transactionSync(() => {
      for (;;) {
        const item = receiver.next()
        switch (item.kind) {
          case 'page': {
            const key = pageKey(item.arena, item.page)
            if (!db.doesExist(key)) watermark.pages++
            db.putSync(key, packValue(key, item.content))
            break
          }
          case 'document':
            if (!db.doesExist(item.key)) watermark.documents++
            db.putSync(item.key, packValue(item.key, item.content))
            break
          case 'deletion':
            if (db.removeSync(item.key)) watermark.documents--
            break
          case 'end':
            ended = true
            writeWatermark(db, watermark)
            return
          default:
            throw new Error(`a checkpoint cannot hold ${item.kind}`)
        }
      }
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
