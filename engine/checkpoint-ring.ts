/**
 * Between a partition and its checkpointer: one checkpoint at a time goes through as `begin`, pages, documents and index
 * entries in any order, `end`; the outcome comes back in a shared word. The protocol's two sides stand here together.
 */
import { pack, unpack } from 'msgpackr'
import { Doorbell, type DoorbellMemory, makeDoorbell } from './doorbell.js'
import { CHECKPOINT_RING_BYTES, KEY_BYTES_MAX } from './limits.js'
import type { LogPosition } from './log/log.js'
import { type MailboxMemory, MailboxReader, MailboxWriter, makeMailbox } from './mailbox.js'

const Kind = { begin: 1, page: 2, document: 3, deletion: 4, end: 5, stop: 6, indexEntry: 7, indexDeletion: 8 } as const
const PENDING = 0
const DURABLE = 1
const FAILED = 2
/** A checkpointer that waits looks again this often even if a ring were lost. */
const WAIT_MS = 1_000
/** Items that are not worth a wake each. */
const ITEMS_PER_RING = 64

export interface CheckpointRingMemory {
  mailbox: MailboxMemory
  bell: DoorbellMemory
  outcome: SharedArrayBuffer
}

export const makeCheckpointRing = (): CheckpointRingMemory => ({
  mailbox: makeMailbox(CHECKPOINT_RING_BYTES),
  bell: makeDoorbell(),
  outcome: new SharedArrayBuffer(4),
})

export interface CheckpointBeginning {
  /** What it will write, about. */
  bytes: number
  owner: number
  position: LogPosition
  timeMs: number
}

/** The partition's side. Pages that are about to change are never refused: what has no room waits in memory here. */
export class CheckpointRing {
  private readonly writer: MailboxWriter
  private readonly bytes: Buffer
  private readonly bell: Doorbell
  private readonly state: Int32Array
  private unrung = 0
  private readonly waiting: { arena: number; page: number; content: Uint8Array }[] = []

  constructor(memory: CheckpointRingMemory) {
    this.writer = new MailboxWriter(memory.mailbox)
    this.bytes = Buffer.from(this.writer.bytes.buffer, this.writer.bytes.byteOffset, this.writer.bytes.byteLength)
    this.bell = new Doorbell(memory.bell)
    this.state = new Int32Array(memory.outcome)
  }

  begin(beginning: CheckpointBeginning): void {
    Atomics.store(this.state, 0, PENDING)
    this.send(Kind.begin, 0, 0, pack(beginning))
  }

  /** Whether a payload of `bytes` can be sent now; what waits goes first. */
  hasRoom(bytes: number): boolean {
    for (;;) {
      const next = this.waiting[0]
      const isFull = next
        ? !this.writer.write(Kind.page, next.arena, next.page, next.content)
        : this.writer.reserve(bytes + 1024) < 0
      // What is in it may not have been rung for yet.
      if (isFull) this.bell.ring()
      if (isFull || !next) return !isFull
      this.bell.ring()
      this.waiting.shift()
    }
  }

  page(arena: number, page: number, content: Uint8Array): void {
    if (this.waiting.length === 0 && this.writer.write(Kind.page, arena, page, content)) this.bell.ring()
    else this.waiting.push({ arena, page, content: content.slice() })
  }

  document(key: Buffer, content: Uint8Array): void {
    const both = Buffer.concat([key, content])
    this.sendQuietly(Kind.document, key.length, both)
  }

  delete(key: Buffer): void {
    this.sendQuietly(Kind.deletion, key.length, key)
  }

  indexEntry(key: string): void {
    this.sendKey(Kind.indexEntry, key)
  }

  deleteIndexEntry(key: string): void {
    this.sendKey(Kind.indexDeletion, key)
  }

  end(): void {
    this.send(Kind.end, 0, 0, new Uint8Array(0))
  }

  stop(): void {
    this.send(Kind.stop, 0, 0, new Uint8Array(0))
  }

  outcome(): 'durable' | 'failed' | undefined {
    const state = Atomics.load(this.state, 0)
    return state === PENDING ? undefined : state === DURABLE ? 'durable' : 'failed'
  }

  /** Sleeps until the checkpointer has read on or finished; only where the partition has nothing else to do. */
  waitBriefly(): void {
    this.bell.ring()
    Atomics.wait(this.state, 0, PENDING, 1)
  }

  /** Writes a key into the ring as it is encoded: there are many of them. */
  private sendKey(kind: number, key: string): void {
    let at = this.writer.reserve(KEY_BYTES_MAX)
    for (; at < 0; at = this.writer.reserve(KEY_BYTES_MAX)) this.waitBriefly()
    const length = this.bytes.write(key, at, KEY_BYTES_MAX)
    this.writer.commit(kind, length, 0, length)
    this.writer.publish()
    this.ringSeldom()
  }

  private sendQuietly(kind: number, keyLength: number, payload: Uint8Array): void {
    while (!this.writer.write(kind, keyLength, 0, payload)) this.waitBriefly()
    this.ringSeldom()
  }

  /** The checkpointer takes an item in less time than it takes to wake it: it is woken for some together. */
  private ringSeldom(): void {
    if (++this.unrung < ITEMS_PER_RING) return
    this.unrung = 0
    this.bell.ring()
  }

  private send(kind: number, ticket: number, detail: number, payload: Uint8Array): void {
    while (!this.writer.write(kind, ticket, detail, payload)) this.waitBriefly()
    this.bell.ring()
  }
}

export type CheckpointItem =
  | { kind: 'begin'; beginning: CheckpointBeginning }
  | { kind: 'page'; arena: number; page: number; content: Uint8Array }
  | { kind: 'document'; key: Buffer; content: Uint8Array }
  | { kind: 'deletion'; key: Buffer }
  | { kind: 'indexEntry'; key: Buffer }
  | { kind: 'indexDeletion'; key: Buffer }
  | { kind: 'end' }
  | { kind: 'stop' }

/** The checkpointer's side. */
export class CheckpointReceiver {
  private readonly reader: MailboxReader
  private readonly bell: Doorbell
  private readonly state: Int32Array

  constructor(memory: CheckpointRingMemory) {
    this.reader = new MailboxReader(memory.mailbox)
    this.bell = new Doorbell(memory.bell)
    this.state = new Int32Array(memory.outcome)
  }

  /** Waits for the next item. Its bytes are valid until the next call. */
  next(): CheckpointItem {
    this.reader.release()
    while (!this.reader.next()) {
      this.bell.announceSleep()
      if (this.reader.isEmpty()) this.bell.sleep(WAIT_MS)
      else this.bell.announceAwake()
    }
    const { kind, ticket, detail, offset, length } = this.reader
    const content = this.reader.bytes.subarray(offset, offset + length)
    switch (kind) {
      case Kind.begin:
        return { kind: 'begin', beginning: unpack(Buffer.from(content)) as CheckpointBeginning }
      case Kind.page:
        return { kind: 'page', arena: ticket, page: detail, content }
      case Kind.document:
        return { kind: 'document', key: Buffer.from(content.subarray(0, ticket)), content: content.subarray(ticket) }
      case Kind.deletion:
        return { kind: 'deletion', key: Buffer.from(content) }
      case Kind.indexEntry:
        return { kind: 'indexEntry', key: Buffer.from(content) }
      case Kind.indexDeletion:
        return { kind: 'indexDeletion', key: Buffer.from(content) }
      case Kind.end:
        return { kind: 'end' }
      case Kind.stop:
        return { kind: 'stop' }
      default:
        throw new Error(`the checkpoint ring has no entry of kind ${kind}`)
    }
  }

  report(durable: boolean): void {
    Atomics.store(this.state, 0, durable ? DURABLE : FAILED)
    Atomics.notify(this.state, 0)
  }
}
