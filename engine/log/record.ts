/**
 * A log record: one batch, as it is appended and as it is applied.
 *
 *   header, 48 bytes, little-endian
 *     0  u32  CRC32C of everything behind it
 *     4  u32  bytes of the record
 *     8  f64  sequence, from 1
 *    16  f64  log time, milliseconds since 1970
 *    24  u32  CRC of the record before it: a record that is missing, moved or put in place of another breaks the chain
 *    28  u32  entries
 *    32  u32  commands (a frame of 256 reservations is 256)
 *    36  u32  owner: whose log it is (data-directory.ts)
 *    40  u32  format version
 *    44  u32  records since the checkpoint that was the last one when it was appended, itself included
 *   entry, 16 bytes and its payload, padded to 8
 *     0  u32  bytes of the payload
 *     4  u32  kind
 *     8  u32  detail: for a frame operation << 16 | count
 *    12  u32  origin: the partition that a message or acknowledgement is from
 */
import { crc32c } from '@node-rs/crc32'
import { assert } from '../assert.js'
import { DamageError } from '../errors.js'
import type { LogPosition } from './log.js'

export const RECORD_HEADER_BYTES = 48
export const RECORD_FORMAT = 1

export const EntryKind = {
  /** Packed records of one operation. */
  frame: 1,
  /** One command: msgpack [name, body]. */
  command: 2,
  /** A message of another partition: msgpack [number, name, body]. */
  message: 3,
  /** Another partition has logged our messages up to a number: f64. */
  acknowledgement: 4,
  /** Log time moves on: timers that are due run, at most TIMERS_PER_ENTRY. */
  advance: 5,
} as const
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind]

/** The batch that is being gathered: one buffer, written once, appended and applied from where it lies. */
export class BatchRecord {
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  private readonly doubles: Float64Array
  length = RECORD_HEADER_BYTES
  entries = 0
  commands = 0

  constructor(
    private readonly owner: number,
    bytesMax: number,
  ) {
    const buffer = new ArrayBuffer(RECORD_HEADER_BYTES + ((bytesMax + 7) & ~7))
    this.bytes = new Uint8Array(buffer)
    this.words = new Uint32Array(buffer)
    this.doubles = new Float64Array(buffer)
  }

  clear(): void {
    this.length = RECORD_HEADER_BYTES
    this.entries = 0
    this.commands = 0
  }

  /** Whether an entry with a payload of `bytes` still fits. */
  hasRoom(bytes: number): boolean {
    return this.length + 16 + ((bytes + 7) & ~7) <= this.bytes.length
  }

  /** Adds an entry; `from` may be a view on shared memory. */
  add(kind: EntryKind, detail: number, origin: number, commands: number, from: Uint8Array, at: number, length: number) {
    const word = this.length >>> 2
    this.words[word] = length
    this.words[word + 1] = kind
    this.words[word + 2] = detail
    this.words[word + 3] = origin
    const start = this.length + 16
    this.bytes.set(from.subarray(at, at + length), start)
    const end = start + ((length + 7) & ~7)
    this.bytes.fill(0, start + length, end)
    this.length = end
    this.entries++
    this.commands += commands
  }

  /** Drops all entries but those of other partitions, which cannot be refused. */
  retainPeers(): void {
    const { entries } = this
    let from = RECORD_HEADER_BYTES
    this.clear()
    for (let entry = 0; entry < entries; entry++) {
      const length = this.words[from >>> 2]!
      const kind = this.words[(from >>> 2) + 1]!
      const end = from + 16 + ((length + 7) & ~7)
      if (kind === EntryKind.message || kind === EntryKind.acknowledgement) {
        this.bytes.copyWithin(this.length, from, end)
        this.length += end - from
        this.entries++
        this.commands++
      }
      from = end
    }
  }

  /**
   * Completes the header; `checkpoint` is the sequence at which the last one was taken. The view that is returned is what
   * is appended.
   */
  seal(previous: LogPosition, timeMs: number, checkpoint = 0): Uint8Array {
    this.words[1] = this.length
    this.doubles[1] = previous.sequence + 1
    this.doubles[2] = timeMs
    this.words[6] = previous.crc
    this.words[7] = this.entries
    this.words[8] = this.commands
    this.words[9] = this.owner
    this.words[10] = RECORD_FORMAT
    this.words[11] = previous.sequence + 1 - checkpoint
    this.words[0] = crc32c(Buffer.from(this.bytes.buffer, 4, this.length - 4))
    return this.bytes.subarray(0, this.length)
  }

  /** Takes over a record that was read from the log, to be applied. */
  load(record: Uint8Array): void {
    assert(record.length <= this.bytes.length, 'a record is at most the longest batch')
    this.bytes.set(record)
    this.length = record.length
    this.entries = this.words[7]!
    this.commands = this.words[8]!
  }

  get crc(): number {
    return this.words[0]!
  }
  get sequence(): number {
    return this.doubles[1]!
  }
  get timeMs(): number {
    return this.doubles[2]!
  }
  /** The sequence of the checkpoint that was the last one when it was appended. */
  get checkpoint(): number {
    return this.sequence - this.words[11]!
  }
}

/**
 * Checks one record of a partition's log, `owner`'s, against what must come after `previous`; returns its own position.
 * Throws DamageError.
 */
export function checkRecord(
  record: Uint8Array,
  key: number,
  previous: LogPosition,
  partition: number,
  owner = partition,
): LogPosition {
  const damaged = (what: string): never => {
    throw new DamageError(
      `partition ${partition}: log record ${key} ${what}; restore this data directory from a backup`,
    )
  }
  if (key !== previous.sequence + 1) {
    throw new DamageError(
      `partition ${partition}: log record ${previous.sequence + 1} is missing (the next one is ${key}); restore this data directory from a backup`,
    )
  }
  if (record.length < RECORD_HEADER_BYTES) damaged(`is cut off at ${record.length} bytes`)
  const view = new DataView(record.buffer, record.byteOffset, record.length)
  const crc = view.getUint32(0, true)
  if (view.getUint32(4, true) !== record.length) damaged('has another length than it says')
  if (crc32c(Buffer.from(record.buffer, record.byteOffset + 4, record.length - 4)) !== crc)
    damaged('fails its checksum')
  if (view.getUint32(40, true) !== RECORD_FORMAT)
    damaged(`has format ${view.getUint32(40, true)}, not ${RECORD_FORMAT}`)
  if (view.getUint32(36, true) !== owner) damaged('belongs to another partition or another data directory')
  if (view.getFloat64(8, true) !== key) damaged(`stands where record ${view.getFloat64(8, true)} belongs`)
  if (view.getUint32(24, true) !== previous.crc) damaged('does not follow the record before it')
  return { sequence: key, crc }
}
