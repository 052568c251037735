/**
 * A log that lives in memory, for tests that recover often: it keeps the promises of `Log` apart from outliving the
 * process. What was appended stands in `records`, where a test may damage it.
 */
import { assert } from '../assert.js'
import { LogWriteError } from '../errors.js'
import { TRUNCATE_PER_APPEND } from '../limits.js'
import { LOG_START, type Log, type LogPosition } from './log.js'
import { checkRecord } from './record.js'

export class MemoryLog implements Log {
  readonly owner: number
  last: LogPosition
  first: number
  private truncateTo = 0

  constructor(
    readonly records: Map<number, Uint8Array>,
    private readonly partition: number,
    position: LogPosition = LOG_START,
    private readonly refusing = false,
  ) {
    this.owner = partition
    const sequences = [...records.keys()].sort((a, b) => a - b)
    this.first = sequences[0] ?? position.sequence + 1
    const newest = sequences.at(-1)
    this.last = newest === undefined ? position : { sequence: newest, crc: crcOf(records.get(newest)!) }
  }

  append(record: Uint8Array): void {
    const sequence = this.last.sequence + 1
    const { buffer, byteOffset, length } = record
    assert(new DataView(buffer, byteOffset, length).getFloat64(8, true) === sequence, 'records are appended in order')
    if (this.refusing)
      throw new LogWriteError(`partition ${this.partition}: the log cannot be written (it is a test's)`)
    this.records.set(sequence, record.slice())
    this.last = { sequence, crc: crcOf(record) }
    for (let i = 0; i < TRUNCATE_PER_APPEND && this.first <= this.truncateTo; i++) this.records.delete(this.first++)
  }

  *read(from: LogPosition): Iterable<Uint8Array> {
    let previous = from
    const sequences = [...this.records.keys()].filter((sequence) => sequence > from.sequence)
    for (const sequence of sequences.sort((a, b) => a - b)) {
      const record = this.records.get(sequence)!
      previous = checkRecord(record, sequence, previous, this.partition)
      yield record
    }
  }

  truncate(sequence: number): void {
    assert(sequence <= this.last.sequence, 'only what was appended is truncated')
    this.truncateTo = Math.max(this.truncateTo, sequence)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

const crcOf = ({ buffer, byteOffset, length }: Uint8Array): number =>
  length < 4 ? 0 : new DataView(buffer, byteOffset, length).getUint32(0, true)
