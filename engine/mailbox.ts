/**
 * A mailbox: a bounded ring of binary entries in shared memory with one producer thread and one consumer thread.
 * Entries are contiguous, so both sides work on plain typed arrays; nothing is cloned and no object is made for an entry.
 *
 *   control (int32)   0 written position · 16 read position (each on its own cache line), in bytes, modulo 2^32
 *   data              entries, each 16 bytes of header and a payload padded to 8:
 *                     u32 payload bytes (0xFFFFFFFF: the rest of the ring is unused) · u32 kind · u32 ticket · u32 detail
 */
import { assert } from './assert.js'

const WRITTEN = 0
const READ = 16
const CONTROL_BYTES = 128
const SKIP = 0xffff_ffff
export const ENTRY_HEADER_BYTES = 16

export interface MailboxMemory {
  shared: SharedArrayBuffer
}

/** Makes the memory of a mailbox; `bytes` is a power of two. */
export function makeMailbox(bytes: number): MailboxMemory {
  assert((bytes & (bytes - 1)) === 0 && bytes >= 4096, 'a mailbox is a power of two in bytes')
  return { shared: new SharedArrayBuffer(CONTROL_BYTES + bytes) }
}

const padded = (bytes: number): number => (bytes + 7) & ~7

abstract class MailboxEnd {
  protected readonly control: Int32Array
  protected readonly capacity: number
  /** The ring's bytes and words: `offset` of an entry counts bytes in `bytes`, `offset >>> 2` words in `words`. */
  readonly bytes: Uint8Array
  readonly words: Uint32Array

  constructor(memory: MailboxMemory) {
    this.control = new Int32Array(memory.shared, 0, CONTROL_BYTES / 4)
    this.capacity = memory.shared.byteLength - CONTROL_BYTES
    this.bytes = new Uint8Array(memory.shared, CONTROL_BYTES)
    this.words = new Uint32Array(memory.shared, CONTROL_BYTES)
  }
}

export class MailboxWriter extends MailboxEnd {
  private written = Atomics.load(this.control, WRITTEN) >>> 0
  private readSeen = Atomics.load(this.control, READ) >>> 0
  private reserved = 0

  /** The largest payload that fits at all. */
  get payloadMax(): number {
    return this.capacity / 2 - ENTRY_HEADER_BYTES
  }

  /**
   * Room for a payload of `length` bytes: its byte offset, or -1 where the consumer must read first. Write the payload
   * there, then `commit`; or reserve again and forget this.
   */
  reserve(length: number): number {
    const need = ENTRY_HEADER_BYTES + padded(length)
    assert(need <= this.capacity / 2, 'an entry takes at most half of its mailbox')
    let at = this.written & (this.capacity - 1)
    const tail = this.capacity - at
    const total = need <= tail ? need : tail + need
    // The consumer's position is read anew whenever the room known of is too small; otherwise a full ring stays full.
    if (this.capacity - ((this.written - this.readSeen) >>> 0) < total) {
      this.readSeen = Atomics.load(this.control, READ) >>> 0
      if (this.capacity - ((this.written - this.readSeen) >>> 0) < total) return -1
    }
    if (need > tail) {
      this.words[at >>> 2] = SKIP
      this.written = (this.written + tail) >>> 0
      at = 0
    }
    this.reserved = at
    return at + ENTRY_HEADER_BYTES
  }

  /** Completes the entry last reserved with its final `length`, without showing it yet. */
  commit(kind: number, ticket: number, detail: number, length: number): void {
    const word = this.reserved >>> 2
    this.words[word] = length
    this.words[word + 1] = kind
    this.words[word + 2] = ticket
    this.words[word + 3] = detail
    this.written = (this.written + ENTRY_HEADER_BYTES + padded(length)) >>> 0
  }

  /** Shows all committed entries to the consumer. */
  publish(): void {
    Atomics.store(this.control, WRITTEN, this.written | 0)
  }

  /** Reserve, copy, commit and publish in one; false where the mailbox is full. */
  write(kind: number, ticket: number, detail: number, payload: Uint8Array): boolean {
    const at = this.reserve(payload.length)
    if (at < 0) return false
    this.bytes.set(payload, at)
    this.commit(kind, ticket, detail, payload.length)
    this.publish()
    return true
  }

  /** Bytes not read yet. */
  pending(): number {
    return (this.written - (Atomics.load(this.control, READ) >>> 0)) >>> 0
  }
}

export class MailboxReader extends MailboxEnd {
  private read = Atomics.load(this.control, READ) >>> 0
  private writtenSeen = this.read

  /** The entry that `next` found. */
  kind = 0
  ticket = 0
  detail = 0
  /** Byte offset of its payload in `bytes`, a multiple of 8. */
  offset = 0
  length = 0

  /** Moves to the next entry; false where there is none. Its bytes stay valid until `release`. */
  next(): boolean {
    for (;;) {
      if (this.read === this.writtenSeen) {
        this.writtenSeen = Atomics.load(this.control, WRITTEN) >>> 0
        if (this.read === this.writtenSeen) return false
      }
      const at = this.read & (this.capacity - 1)
      const length = this.words[at >>> 2]!
      if (length === SKIP) {
        this.read = (this.read + this.capacity - at) >>> 0
        continue
      }
      this.length = length
      this.kind = this.words[(at >>> 2) + 1]!
      this.ticket = this.words[(at >>> 2) + 2]!
      this.detail = this.words[(at >>> 2) + 3]!
      this.offset = at + ENTRY_HEADER_BYTES
      this.read = (this.read + ENTRY_HEADER_BYTES + padded(length)) >>> 0
      return true
    }
  }

  /** Payload bytes of the entry that `next` would find, or -1: lets a batch stop before what it has no room for. */
  peekLength(): number {
    for (;;) {
      if (this.read === this.writtenSeen) {
        this.writtenSeen = Atomics.load(this.control, WRITTEN) >>> 0
        if (this.read === this.writtenSeen) return -1
      }
      const at = this.read & (this.capacity - 1)
      const length = this.words[at >>> 2]!
      if (length !== SKIP) return length
      this.read = (this.read + this.capacity - at) >>> 0
    }
  }

  /** Gives the room of all entries read so far back to the producer. */
  release(): void {
    Atomics.store(this.control, READ, this.read | 0)
  }

  isEmpty(): boolean {
    return Atomics.load(this.control, WRITTEN) >>> 0 === this.read
  }
}
