/**
 * The gateway's side of the mailboxes of all partitions: what it sends, and who is told what comes back.
 */
import { pack, unpack } from 'msgpackr'
import { Doorbell, type DoorbellMemory, makeDoorbell } from './doorbell.js'
import { BATCH_BYTES_MAX } from './limits.js'
import { type MailboxMemory, MailboxReader, MailboxWriter } from './mailbox.js'
import { type EngineEvent, Inbound, Outbound, type Outcome, type Stat } from './protocol.js'
import { readStats } from './stats.js'

/** Who is told what the partitions answer. Bytes and words are valid only during the call. */
export interface AnswerListener {
  /** Reply records of two words each from `at` in `words`; `timeMs` is the batch's log time. */
  frameReply(ticket: number, count: number, timeMs: number, words: Uint32Array, at: number): void
  reply(ticket: number, outcome: Outcome): void
  /** Nothing of what the ticket asked was done: the log cannot be written. */
  refused(ticket: number, reason: string): void
  /** `bytes`: of the event as it was sent. */
  event(event: EngineEvent, bytes: number): void
}

/** The memory that is shared with one partition, and the bell of the thread that runs it. */
export interface LinkMemory {
  inbox: MailboxMemory
  outbox: MailboxMemory
  stats: SharedArrayBuffer
  bell: DoorbellMemory
}

interface Link {
  writer: MailboxWriter
  reader: MailboxReader
  doubles: Float64Array
  bell: Doorbell
  stats: SharedArrayBuffer
}

const EMPTY = new Uint8Array(0)

/** A command or query as it goes through a mailbox and, a command, into the log. */
export const packRequest = (name: string, body: unknown): Uint8Array => pack([name, body])

export class PartitionLinks {
  private readonly links: Link[]
  readonly bellMemory = makeDoorbell()
  private readonly bell = new Doorbell(this.bellMemory)
  /** 1 while parked partitions are to stand still. */
  readonly parkingMemory = new SharedArrayBuffer(4)
  private readonly parking = new Int32Array(this.parkingMemory)
  private listener: AnswerListener | undefined

  constructor(memories: LinkMemory[]) {
    this.links = memories.map(({ inbox, outbox, stats, bell }) => {
      const reader = new MailboxReader(outbox)
      const { buffer, byteOffset, byteLength } = reader.bytes
      const doubles = new Float64Array(buffer, byteOffset, byteLength >>> 3)
      return { writer: new MailboxWriter(inbox), reader, doubles, bell: new Doorbell(bell), stats }
    })
  }

  get partitions(): number {
    return this.links.length
  }

  /** Answers go to `listener` from now on. */
  listen(listener: AnswerListener): void {
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
      this.bell.announceSleep()
      if (this.links.every(({ reader }) => reader.isEmpty())) return
      this.bell.announceAwake()
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
          listener.event(unpack(this.payload(reader)) as EngineEvent, reader.length)
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

  /** The longest request (`packRequest`) that one batch can hold. */
  readonly requestBytesMax = BATCH_BYTES_MAX - 64

  /** False where the partition has too much to do. */
  sendCommand(partition: number, ticket: number, request: Uint8Array): boolean {
    return this.send(partition, Inbound.command, ticket, 0, request)
  }

  sendQuery(partition: number, ticket: number, request: Uint8Array): boolean {
    return this.send(partition, Inbound.query, ticket, 0, request)
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
  }

  /** Finish what is here, checkpoint, end. False where the mailbox is full. */
  sendStop(partition: number): boolean {
    return this.send(partition, Inbound.stop, 0, 0, EMPTY)
  }
}
