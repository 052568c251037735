/**
 * The thread that runs partitions: a plain loop without an event loop. It sleeps until a mailbox rings or a timer is
 * due, steps each of its partitions, and looks again.
 */
import { workerData } from 'node:worker_threads'
import type { CreateActors } from './actors.js'
import { CheckpointRing, type CheckpointRingMemory } from './checkpoint-ring.js'
import { Doorbell, type DoorbellMemory } from './doorbell.js'
import { WARM_PAGES_PER_STEP } from './limits.js'
import { type MailboxMemory, MailboxReader, MailboxWriter } from './mailbox.js'
import { Partition, type Peer } from './partition.js'
import { openPartitionLog, type PartitionFiles } from './partition-files.js'
import { Placement } from './placement.js'
import { ReplyWriter } from './reply-writer.js'
import { PartitionState } from './state.js'
import { StatsWriter } from './stats.js'
import { Store } from './store.js'
import { runThread, tellMain } from './thread-messages.js'

export interface PartitionMemory {
  partition: number
  files: PartitionFiles
  inbox: MailboxMemory
  outbox: MailboxMemory
  checkpoints: CheckpointRingMemory
  stats: SharedArrayBuffer
  /** Of the thread that runs it. */
  bell: DoorbellMemory
  /** From and to each other partition; the bell is that of the thread that runs it. */
  peers: { partition: number; from: MailboxMemory; to: MailboxMemory; bell: DoorbellMemory }[]
}

export interface PartitionThreadData {
  partitions: PartitionMemory[]
  partitionCount: number
  actorsModule: string
  bell: DoorbellMemory
  gatewayBell: DoorbellMemory
  /** 1 while parked partitions are to stand still. */
  parking: SharedArrayBuffer
  seed: Uint32Array
  warmRecords: number
  checkpoints: boolean
}

const data = workerData as PartitionThreadData
const parking = new Int32Array(data.parking)
const gatewayBell = new Doorbell(data.gatewayBell, () => tellMain({ type: 'bell' }))
const bell = new Doorbell(data.bell)

function openPartition(memory: PartitionMemory, createActors: CreateActors) {
  const ring = new CheckpointRing(memory.checkpoints)
  const store = new Store(memory.files.store, memory.partition, ring, memory.files.owner)
  const state = new PartitionState(
    store,
    memory.partition,
    new Placement(data.partitionCount),
    createActors,
    data.seed,
    data.warmRecords,
  )
  const started = performance.now()
  state.loadCheckpoint()
  const log = openPartitionLog(memory.files, memory.partition, state.position, false)
  const { records, commands, bytes } = state.replay(log)
  const milliseconds = performance.now() - started
  tellMain({
    type: 'recovered',
    partition: memory.partition,
    records,
    commands,
    milliseconds,
    sequence: state.position.sequence,
  })

  const peers: Peer[] = memory.peers.map((peer) => {
    const writer = new MailboxWriter(peer.to)
    const peerBell = new Doorbell(peer.bell)
    return {
      partition: peer.partition,
      inbox: new MailboxReader(peer.from),
      deliver(kind, number, payload) {
        if (!writer.write(kind, 0, number, payload)) return false
        peerBell.ring()
        return true
      },
    }
  })
  const stats = new StatsWriter(memory.stats)
  const partition = new Partition({
    state,
    log,
    inbox: new MailboxReader(memory.inbox),
    replies: new ReplyWriter(new MailboxWriter(memory.outbox), gatewayBell, memory.partition),
    peers,
    stats,
    now: Date.now,
    checkpoints: data.checkpoints,
    logBytesBehind: bytes,
    isParkingTime: () => Atomics.load(parking, 0) === 1,
  })
  return { partition, state, log, store, ring, stats }
}

async function run(): Promise<void> {
  const { createActors } = (await import(data.actorsModule)) as { createActors: CreateActors }
  const opened = data.partitions.map((memory) => openPartition(memory, createActors))
  tellMain({ type: 'ready' })

  const step = (): boolean => {
    let any = false
    for (const { partition } of opened) any = partition.step() || any
    return any
  }
  const warm = (): boolean => {
    let any = false
    for (const { state, stats } of opened) {
      const more = state.actors.warm(WARM_PAGES_PER_STEP)
      stats.set('memoryReady', more ? 0 : 1)
      any ||= more
    }
    return any
  }
  for (;;) {
    if (step()) continue
    if (opened.every(({ partition }) => partition.stopping)) break
    if (warm()) continue
    bell.announceSleep()
    // Looked at once more after the announcement, so that nothing that came in between waits for the next ring.
    if (step()) bell.announceAwake()
    else bell.sleep(Math.min(...opened.map(({ partition }) => partition.sleepMs())))
  }
  for (const { partition, ring, log, store } of opened) {
    partition.finish(() => ring.waitBriefly())
    ring.stop()
    await log.close()
    await store.close()
  }
}

await runThread(run)
