/**
 * The host: starts the threads of a data directory and is the gateway's side of their mailboxes. A thread that dies takes
 * the process down, since recovery is the cure and a half-dead server is none.
 */
import { getRandomValues } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { pack, unpack } from 'msgpackr'
import { makeCheckpointRing } from './checkpoint-ring.js'
import type { CheckpointerData } from './checkpointer.js'
import { type Description, partitionFiles, writeDescription } from './data-directory.js'
import { Doorbell, makeDoorbell } from './doorbell.js'
import { DoorbusterError } from './errors.js'
import { BATCH_BYTES_MAX, MAILBOX_BYTES, PEER_MAILBOX_BYTES } from './limits.js'
import { type MailboxMemory, MailboxReader, MailboxWriter, makeMailbox } from './mailbox.js'
import { checkPartitionFiles } from './partition-files.js'
import type { PartitionMemory, PartitionThreadData, PartitionThreadMessage } from './partition-thread.js'
import { type EngineEvent, Inbound, Outbound, type Outcome, type Stat } from './protocol.js'
import { makeStats, readStats } from './stats.js'

export interface HostOptions {
  dataDir: string
  description: Description
  threads: number
  /** Address of the module that exports `createActors`. */
  actorsModule: string
  checkpoints?: boolean
  /** New records that memory is got ready for while there is nothing else to do, over all partitions. */
  warmRecords?: number
  onRecovered?: (recovered: Extract<PartitionThreadMessage, { type: 'recovered' }>) => void
  /** A thread died: say why and end the process. */
  onFatal: (error: Error) => void
  onCheckpointFailed?: (partition: number, reason: string) => void
}

/** Who is told what the partitions answer. Bytes and words are valid only during the call. */
export interface HostListener {
  /** Reply records of two words each from `at` in `words`; `timeMs` is the batch's log time. */
  frameReply(ticket: number, count: number, timeMs: number, words: Uint32Array, at: number): void
  reply(ticket: number, outcome: Outcome): void
  /** Nothing of what the ticket asked was done: the log cannot be written. */
  refused(ticket: number, reason: string): void
  event(event: EngineEvent): void
}

interface Link {
  writer: MailboxWriter
  reader: MailboxReader
  doubles: Float64Array
  bell: Doorbell
  stats: SharedArrayBuffer
}

const EMPTY = new Uint8Array(0)

export class Host {
  private readonly links: Link[] = []
  private readonly gatewayBell: Doorbell
  private readonly gatewayBellMemory = makeDoorbell()
  private readonly parking = new Int32Array(new SharedArrayBuffer(4))
  private readonly workers: Worker[] = []
  private listener: HostListener | undefined
  private exited = 0
  private stopping = false
  private onExit: (() => void) | undefined

  private constructor(readonly partitions: number) {
    this.gatewayBell = new Doorbell(this.gatewayBellMemory)
  }

  /** Starts everything and resolves once all partitions have recovered; rejects with what is wrong. */
  static async start(options: HostOptions): Promise<Host> {
    const { dataDir, description } = options
    for (let partition = 0; partition < description.partitions; partition++) {
      checkPartitionFiles(partitionFiles(dataDir, description, partition), partition)
    }
    const host = new Host(description.partitions)
    await host.startThreads(options)
    if (!description.made) writeDescription(dataDir, { ...description, made: true })
    return host
  }

  private async startThreads(options: HostOptions): Promise<void> {
    const { description, dataDir } = options
    const { partitions } = description
    const threads = Math.min(options.threads, partitions)
    const bells = Array.from({ length: threads }, makeDoorbell)
    const bellOf = (partition: number) => bells[partition % threads]!
    const between = new Map<string, MailboxMemory>()
    const mailboxBetween = (from: number, to: number): MailboxMemory => {
      const key = `${from}-${to}`
      const memory = between.get(key) ?? makeMailbox(PEER_MAILBOX_BYTES)
      between.set(key, memory)
      return memory
    }

    const memories = Array.from({ length: partitions }, (_, partition): PartitionMemory => {
      // A partition is a peer of its own too, where there are several: what it sends to itself goes the same way.
      const others = partitions === 1 ? [] : Array.from({ length: partitions }, (_unused, i) => i)
      return {
        partition,
        files: partitionFiles(dataDir, description, partition),
        inbox: makeMailbox(MAILBOX_BYTES),
        outbox: makeMailbox(MAILBOX_BYTES),
        checkpoints: makeCheckpointRing(),
        stats: makeStats(),
        peers: others.map((other) => ({
          partition: other,
          from: mailboxBetween(other, partition),
          to: mailboxBetween(partition, other),
          bell: bellOf(other),
        })),
      }
    })
    for (const { inbox, outbox, stats, partition } of memories) {
      const reader = new MailboxReader(outbox)
      const { buffer, byteOffset, byteLength } = reader.bytes
      const doubles = new Float64Array(buffer, byteOffset, byteLength >>> 3)
      const writer = new MailboxWriter(inbox)
      this.links.push({ writer, reader, doubles, bell: new Doorbell(bellOf(partition)), stats })
    }

    await Promise.all(memories.map((memory) => this.startCheckpointer(memory, options)))
    await Promise.all(
      bells.map((bell, thread) => {
        const workerData: PartitionThreadData = {
          partitions: memories.filter(({ partition }) => partition % threads === thread),
          partitionCount: partitions,
          actorsModule: options.actorsModule,
          bell,
          gatewayBell: this.gatewayBellMemory,
          parking: this.parking.buffer as SharedArrayBuffer,
          seed: getRandomValues(new Uint32Array(4)),
          checkpoints: options.checkpoints ?? true,
          warmRecords: Math.ceil((options.warmRecords ?? 0) / partitions),
        }
        return this.startThread(new URL('./partition-thread.js', import.meta.url), workerData, options, (message) =>
          this.fromPartitionThread(message as PartitionThreadMessage, options),
        )
      }),
    )
  }

  private startCheckpointer(memory: PartitionMemory, options: HostOptions): Promise<void> {
    const workerData: CheckpointerData = {
      file: memory.files.store,
      partition: memory.partition,
      ring: memory.checkpoints,
    }
    return this.startThread(new URL('./checkpointer.js', import.meta.url), workerData, options, (message) => {
      const { type, reason } = message as { type: string; reason?: string }
      if (type === 'failed') options.onCheckpointFailed?.(memory.partition, reason ?? '')
    })
  }

  private startThread(
    file: URL,
    workerData: unknown,
    options: HostOptions,
    onMessage: (message: unknown) => void,
  ): Promise<void> {
    const worker = new Worker(file, { workerData })
    this.workers.push(worker)
    return new Promise((resolve, reject) => {
      let ready = false
      const die = (error: Error): void => {
        if (!ready) reject(error)
        else options.onFatal(error)
      }
      worker.on('message', (message: unknown) => {
        if ((message as { type: string }).type === 'ready') {
          ready = true
          resolve()
        } else onMessage(message)
      })
      worker.on('error', die)
      worker.on('exit', (code) => {
        this.exited++
        this.onExit?.()
        if (!this.stopping) {
          die(new DoorbusterError('thread_ended', `a thread of the engine ended by itself (exit code ${code})`))
        }
      })
    })
  }

  private fromPartitionThread(message: PartitionThreadMessage, options: HostOptions): void {
    switch (message.type) {
      case 'bell':
        this.drain()
        break
      case 'recovered':
        options.onRecovered?.(message)
        break
      default:
    }
  }

  /** Answers go to `listener` from now on. */
  listen(listener: HostListener): void {
    this.listener = listener
    this.drain()
  }

  /** Hands all answers that have arrived to the listener, then waits for the next ring. */
  drain(): void {
    if (!this.listener) return
    for (;;) {
      let any = false
      for (const link of this.links) any = this.drainLink(link) || any
      if (any) continue
      this.gatewayBell.announceSleep()
      if (this.links.every(({ reader }) => reader.isEmpty())) return
      this.gatewayBell.announceAwake()
    }
  }

  private drainLink(link: Link): boolean {
    const { reader } = link
    const listener = this.listener!
    let any = false
    while (reader.next()) {
      any = true
      switch (reader.kind) {
        case Outbound.frameReply: {
          const timeMs = link.doubles[reader.offset >>> 3]!
          listener.frameReply(reader.ticket, reader.detail, timeMs, reader.words, (reader.offset + 8) >>> 2)
          break
        }
        case Outbound.reply:
          listener.reply(reader.ticket, unpack(this.payload(reader)) as Outcome)
          break
        case Outbound.event:
          listener.event(unpack(this.payload(reader)) as EngineEvent)
          break
        case Outbound.refused:
          listener.refused(reader.ticket, this.payload(reader).toString())
          break
        default:
          throw new Error(`a gateway's mailbox has no entry of kind ${reader.kind}`)
      }
    }
    reader.release()
    return any
  }

  private payload(reader: MailboxReader): Buffer {
    return Buffer.from(reader.bytes.subarray(reader.offset, reader.offset + reader.length))
  }

  /**
   * Room in a partition's mailbox for the packed records of one operation: the byte offset to write them at in
   * `bytesOf(partition)`, or -1 where the partition has too much to do. Then call `sendFrame`.
   */
  reserveFrame(partition: number, bytes: number): number {
    return this.links[partition]!.writer.reserve(bytes)
  }

  bytesOf(partition: number): Uint8Array {
    return this.links[partition]!.writer.bytes
  }

  wordsOf(partition: number): Uint32Array {
    return this.links[partition]!.writer.words
  }

  sendFrame(partition: number, ticket: number, operation: number, count: number, bytes: number): void {
    const link = this.links[partition]!
    link.writer.commit(Inbound.frame, ticket, ((operation << 16) | count) >>> 0, bytes)
    link.writer.publish()
    link.bell.ring()
  }

  /** False where the partition has too much to do, or the command is larger than a batch. */
  sendCommand(partition: number, ticket: number, name: string, body: unknown): boolean {
    return this.sendPacked(partition, Inbound.command, ticket, pack([name, body]))
  }

  sendQuery(partition: number, ticket: number, name: string, body: unknown): boolean {
    return this.sendPacked(partition, Inbound.query, ticket, pack([name, body]))
  }

  private sendPacked(partition: number, kind: number, ticket: number, payload: Uint8Array): boolean {
    return payload.length <= BATCH_BYTES_MAX - 64 && this.send(partition, kind, ticket, 0, payload)
  }

  private send(partition: number, kind: number, ticket: number, detail: number, payload: Uint8Array): boolean {
    const link = this.links[partition]!
    if (!link.writer.write(kind, ticket, detail, payload)) return false
    link.bell.ring()
    return true
  }

  /** Bytes that wait in a partition's mailbox. */
  pendingBytes(partition: number): number {
    return this.links[partition]!.writer.pending()
  }

  stats(partition: number): Record<Stat, number> {
    return readStats(this.links[partition]!.stats)
  }

  /** Keeps (or no longer keeps) log and checkpoint as they are, for a backup; the reply comes when it holds. */
  sendKeepLog(partition: number, ticket: number, keep: boolean): boolean {
    return this.send(partition, Inbound.keepLog, ticket, keep ? 1 : 0, EMPTY)
  }

  /** From here on a partition that is sent `sendPark` stands still after its answer, until `unpark`. */
  beginPark(): void {
    Atomics.store(this.parking, 0, 1)
  }

  sendPark(partition: number, ticket: number): boolean {
    return this.send(partition, Inbound.park, ticket, 0, EMPTY)
  }

  unpark(): void {
    Atomics.store(this.parking, 0, 0)
    Atomics.notify(this.parking, 0)
  }

  /** Everything that is here is answered, checkpointed, and the threads end. */
  async stop(): Promise<void> {
    this.stopping = true
    this.unpark()
    for (let partition = 0; partition < this.links.length; partition++) {
      while (!this.send(partition, Inbound.stop, 0, 0, EMPTY)) {
        this.drain()
        await new Promise((done) => setImmediate(done))
      }
    }
    await new Promise<void>((done) => {
      this.onExit = () => {
        if (this.exited === this.workers.length) done()
      }
      this.onExit()
    })
    this.drain()
  }
}
