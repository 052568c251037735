/**
 * The embedded log: an LMDB environment with one value for each batch. A synchronous transaction without overlapping
 * sync returns after fdatasync; while the thread waits for the disk its mailboxes fill, and that is the group commit.
 * LMDB commits all or nothing, so a record that can be read was flushed whole; an append that the end of the process
 * cut off has left nothing to read.
 */
import { dirname } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { assert } from '../assert.js'
import { expectRoom } from '../disk-space.js'
import { DamageError, LogWriteError, systemReason } from '../errors.js'
import { LOG_MAP_BYTES, TRUNCATE_PER_APPEND } from '../limits.js'
import type { Log, LogPosition } from './log.js'
import { checkRecord, RECORD_HEADER_BYTES } from './record.js'

export interface LmdbLogOptions {
  file: string
  partition: number
  /** What its records carry to say whose they are; the partition's number where there is no data directory. */
  owner?: number
  /** Where the log continues if it holds no record: the checkpoint's position. */
  position: LogPosition
  readOnly?: boolean
}

/** Keys are 8 bytes big-endian, so that LMDB's order is the sequence. */
function keyOf(sequence: number): Buffer {
  const key = Buffer.allocUnsafe(8)
  key.writeBigUInt64BE(BigInt(sequence))
  return key
}

function sequenceOf(key: Buffer, partition: number): number {
  if (key.length !== 8) {
    throw new DamageError(
      `partition ${partition}: the log has the key ${key.toString('hex')}, which is no sequence; restore this data directory from a backup`,
    )
  }
  return Number(key.readBigUInt64BE())
}

export class LmdbLog implements Log {
  private readonly db: RootDatabase<Buffer, Buffer>
  private readonly partition: number
  private readonly directory: string
  readonly owner: number
  last: LogPosition
  first: number
  private truncateTo = 0

  constructor(options: LmdbLogOptions) {
    this.partition = options.partition
    this.directory = dirname(options.file)
    this.owner = options.owner ?? options.partition
    this.db = open<Buffer, Buffer>({
      path: options.file,
      noSubdir: true,
      overlappingSync: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      mapSize: LOG_MAP_BYTES,
      noMemInit: true,
      readOnly: options.readOnly ?? false,
    })
    const [firstKey] = [...this.db.getKeys({ limit: 1 })]
    const [lastKey] = [...this.db.getKeys({ limit: 1, reverse: true })]
    if (firstKey === undefined || lastKey === undefined) {
      this.first = options.position.sequence + 1
      this.last = options.position
    } else {
      this.first = sequenceOf(firstKey, this.partition)
      const sequence = sequenceOf(lastKey, this.partition)
      // Its checksum is tested when it is read; here it only says what the next record must carry.
      const record = this.db.getBinary(lastKey)!
      this.last = { sequence, crc: record.length < RECORD_HEADER_BYTES ? 0 : record.readUInt32LE(0) }
    }
    this.db.resetReadTxn()
  }

  append(record: Uint8Array): void {
    const sequence = this.last.sequence + 1
    const value = Buffer.from(record.buffer, record.byteOffset, record.length)
    assert(value.readDoubleLE(8) === sequence, 'records are appended in order')
    let first = this.first
    try {
      expectRoom(this.directory, record.length)
      this.db.transactionSync(() => {
        this.db.putSync(keyOf(sequence), value)
        for (let i = 0; i < TRUNCATE_PER_APPEND && first <= this.truncateTo; i++) this.db.removeSync(keyOf(first++))
      })
    } catch (cause) {
      throw new LogWriteError(
        `partition ${this.partition}: the log cannot be written (${systemReason(cause)}); free disk space, or restart once the disk is repaired`,
        { cause },
      )
    }
    this.first = first
    this.last = { sequence, crc: value.readUInt32LE(0) }
  }

  *read(from: LogPosition): Iterable<Uint8Array> {
    let previous = from
    for (const { key, value } of this.db.getRange({ start: keyOf(from.sequence + 1) })) {
      previous = checkRecord(value, sequenceOf(key, this.partition), previous, this.partition, this.owner)
      yield value
    }
    this.db.resetReadTxn()
  }

  truncate(sequence: number): void {
    assert(sequence <= this.last.sequence, 'only what was appended is truncated')
    this.truncateTo = Math.max(this.truncateTo, sequence)
  }

  close(): Promise<void> {
    return this.db.close()
  }
}
