/**
 * The log of one partition: the order of everything that ever changed its state. Two implementations stand behind this
 * interface (embedded, clustered); `log.contract.ts` holds the cases that each must pass.
 */

/** Where a log stands: the last record's sequence and its checksum, which the next record carries. */
export interface LogPosition {
  sequence: number
  crc: number
}

/** Before the first record. */
export const LOG_START: LogPosition = { sequence: 0, crc: 0 }

export interface Log {
  /** Whose records it holds: each carries it. */
  readonly owner: number

  /** The last durable record. */
  readonly last: LogPosition

  /** The first record that is still kept, or last.sequence + 1 where none is. */
  readonly first: number

  /**
   * Appends one sealed record (record.ts), whose sequence is last.sequence + 1, and returns when it is durable: flushed
   * to disk, or held by a quorum that syncs. Throws LogWriteError where it is not; then nothing of it is in the log.
   */
  append(record: Uint8Array): void

  /**
   * The records after `from`, in order, each checked: checksum, sequence, and the chain back to `from`. Throws
   * DamageError with the partition, the sequence and what is wrong; a record is never skipped. A record's bytes are
   * valid until the next is asked for.
   */
  read(from: LogPosition): Iterable<Uint8Array>

  /** Says that records up to and including `sequence` are no longer needed; they go with later appends. */
  truncate(sequence: number): void

  close(): Promise<void>
}
