/**
 * The host: starts and stops the threads of a data directory. A thread that dies takes the process down, since recovery
 * is the cure and a half-dead server is none.
 */
import { getRandomValues } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { makeCheckpointRing } from './checkpoint-ring.js'
import type { CheckpointerData } from './checkpointer.js'
import { type Description, partitionFiles, writeDescription } from './data-directory.js'
import { type DoorbellMemory, makeDoorbell } from './doorbell.js'
import { DoorbusterError } from './errors.js'
import { MAILBOX_BYTES, PEER_MAILBOX_BYTES, YOUNG_GENERATION_MB } from './limits.js'
import { type MailboxMemory, makeMailbox } from './mailbox.js'
import { checkPartitionFiles } from './partition-files.js'
import { PartitionLinks } from './partition-links.js'
import type { PartitionMemory, PartitionThreadData } from './partition-thread.js'
import { makeStats } from './stats.js'
import type { ThreadMessage } from './thread-messages.js'

export interface HostOptions {
  dataDir: string
  description: Description
  threads: number
  /** Address of the module that exports `createActors`. */
  actorsModule: string
  checkpoints?: boolean
  /** New records that memory is got ready for while there is nothing else to do, over all partitions. */
  warmRecords?: number
  onRecovered?: (recovered: Extract<ThreadMessage, { type: 'recovered' }>) => void
  /** A thread died: say why and end the process. */
  onFatal: (error: Error) => void
  onCheckpointFailed?: (partition: number, reason: string) => void
}

/** Memory for all partitions of a data directory, each run by the thread whose bell is given. */
function makePartitionMemories({ dataDir, description }: HostOptions, bells: DoorbellMemory[]): PartitionMemory[] {
  const { partitions } = description
  const bellOf = (partition: number): DoorbellMemory => bells[partition % bells.length]!
  const between = new Map<string, MailboxMemory>()
  const mailboxBetween = (from: number, to: number): MailboxMemory => {
    const key = `${from}-${to}`
    const memory = between.get(key) ?? makeMailbox(PEER_MAILBOX_BYTES)
    between.set(key, memory)
    return memory
  }
  // A partition is a peer of its own too, where there are several: what it sends to itself goes the same way.
  const peers = partitions === 1 ? [] : Array.from({ length: partitions }, (_, other) => other)
  return Array.from({ length: partitions }, (_, partition) => ({
    partition,
    files: partitionFiles(dataDir, description, partition),
    inbox: makeMailbox(MAILBOX_BYTES),
    outbox: makeMailbox(MAILBOX_BYTES),
    checkpoints: makeCheckpointRing(),
    stats: makeStats(),
    bell: bellOf(partition),
    peers: peers.map((other) => ({
      partition: other,
      from: mailboxBetween(other, partition),
      to: mailboxBetween(partition, other),
      bell: bellOf(other),
    })),
  }))
}

/**
 * Resolves once all have started; rejects with the first that could not, but not before the others have come to an end
 * of their own: a thread that is stopped inside LMDB takes the process down before it has said why.
 */
async function allStarted(starting: Promise<void>[]): Promise<void> {
  await Promise.allSettled(starting)
  await Promise.all(starting)
}

export class Host {
  private readonly workers: Worker[] = []
  private exited = 0
  private stopping = false
  private onExit: (() => void) | undefined

  private constructor(
    private readonly options: HostOptions,
    private readonly memories: PartitionMemory[],
    private readonly bells: DoorbellMemory[],
    readonly links: PartitionLinks,
  ) {}

  /** Starts everything and resolves once all partitions have recovered; rejects with what is wrong. */
  static async start(options: HostOptions): Promise<Host> {
    const { dataDir, description, threads } = options
    for (let partition = 0; partition < description.partitions; partition++) {
      checkPartitionFiles(partitionFiles(dataDir, description, partition), partition)
    }
    const bells = Array.from({ length: Math.min(threads, description.partitions) }, makeDoorbell)
    const memories = makePartitionMemories(options, bells)
    const host = new Host(options, memories, bells, new PartitionLinks(memories))
    try {
      await allStarted(memories.map((memory) => host.startCheckpointer(memory)))
      await allStarted(bells.map((_, thread) => host.startPartitionThread(thread)))
    } catch (error) {
      host.stopping = true
      await Promise.all(host.workers.map((worker) => worker.terminate()))
      throw error
    }
    if (!description.made) writeDescription(dataDir, { ...description, made: true })
    return host
  }

  private startPartitionThread(thread: number): Promise<void> {
    const { actorsModule, checkpoints, warmRecords, description } = this.options
    const workerData: PartitionThreadData = {
      partitions: this.memories.filter(({ partition }) => partition % this.bells.length === thread),
      partitionCount: description.partitions,
      actorsModule,
      bell: this.bells[thread]!,
      gatewayBell: this.links.bellMemory,
      parking: this.links.parkingMemory,
      seed: getRandomValues(new Uint32Array(4)),
      checkpoints: checkpoints ?? true,
      warmRecords: Math.ceil((warmRecords ?? 0) / description.partitions),
    }
    return this.startThread(new URL('./partition-thread.js', import.meta.url), workerData)
  }

  private startCheckpointer({ partition, files, checkpoints }: PartitionMemory): Promise<void> {
    const workerData: CheckpointerData = { file: files.store, partition, ring: checkpoints }
    return this.startThread(new URL('./checkpointer.js', import.meta.url), workerData)
  }

  /** Resolves once the thread says that it is ready. */
  private startThread(file: URL, workerData: unknown): Promise<void> {
    const worker = new Worker(file, { workerData, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB } })
    this.workers.push(worker)
    return new Promise((resolve, reject) => {
      let ready = false
      const die = (error: Error): void => {
        if (!ready) reject(error)
        else this.options.onFatal(error)
      }
      worker.on('message', (message: ThreadMessage) => {
        if (message.type === 'ready') {
          ready = true
          resolve()
        } else if (message.type === 'died') die(new DoorbusterError(message.code, message.message))
        else this.fromThread(message)
      })
      worker.on('error', die)
      worker.on('exit', (code) => {
        this.exited++
        this.onExit?.()
        if (this.stopping) return
        die(new DoorbusterError('thread_ended', `a thread of the engine ended by itself (exit code ${code})`))
      })
    })
  }

  private fromThread(message: ThreadMessage): void {
    switch (message.type) {
      case 'bell':
        this.links.drain()
        break
      case 'recovered':
        this.options.onRecovered?.(message)
        break
      case 'checkpointFailed':
        this.options.onCheckpointFailed?.(message.partition, message.reason)
        break
      default:
    }
  }

  /** Everything that is here is answered, checkpointed, and the threads end. */
  async stop(): Promise<void> {
    const { links } = this
    this.stopping = true
    links.unpark()
    for (let partition = 0; partition < links.partitions; partition++) {
      while (!links.sendStop(partition)) {
        links.drain()
        await new Promise((done) => setImmediate(done))
      }
    }
    await new Promise<void>((done) => {
      this.onExit = () => {
        if (this.exited === this.workers.length) done()
      }
      this.onExit()
    })
    links.drain()
  }
}
