/**
 * The state of one partition and the one way it changes: a record of the log is applied. The partition's loop, recovery,
 * verification and resharding all come through here.
 */
import { Unpackr } from 'msgpackr'
import type { Actors, CreateActors, Step } from './actors.js'
import { LATER } from './actors.js'
import { assert } from './assert.js'
import { Digest } from './digest.js'
import { DamageError } from './errors.js'
import { BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, TIMERS_PER_ENTRY } from './limits.js'
import { LOG_START, type Log, type LogPosition } from './log/log.js'
import { BatchRecord, EntryKind, RECORD_HEADER_BYTES } from './log/record.js'
import { Outbox } from './outbox.js'
import type { Placement } from './placement.js'
import type { EngineEvent, Outcome } from './protocol.js'
import type { Store } from './store.js'

/** Bytes in a body are copied: actors keep them, and the batch's memory is the next batch's. */
const unpackr = new Unpackr({ useRecords: false, copyBuffers: true })

/** Where answers go while a batch is applied. They may leave at once: the batch is durable already. */
export interface Answers {
  /** Room for the reply records of a frame: the word offset in `words`. */
  beginFrame(entry: number, count: number): number
  readonly words: Uint32Array
  endFrame(entry: number, count: number, timeMs: number): void
  /** The outcome of the command in this entry. */
  outcome(entry: number, outcome: Outcome): void
  /** The command in this entry is answered later, by this number. */
  later(entry: number, commandNumber: number): void
  answer(commandNumber: number, outcome: Outcome): void
  event(event: EngineEvent, packed: Uint8Array): void
}

/** Nobody waits for answers during recovery. */
class NoAnswers implements Answers {
  readonly words = new Uint32Array(2 * 65_536)
  beginFrame(): number {
    return 0
  }
  endFrame(): void {}
  outcome(): void {}
  later(): void {}
  answer(): void {}
  event(): void {}
}

/** The longest record that can be in a log: the largest batch and, alone in it, the largest single entry. */
export const RECORD_BYTES_MAX = BATCH_BYTES_MAX * 2

export class PartitionState implements Step {
  readonly outbox: Outbox
  readonly actors: Actors
  position: LogPosition = LOG_START
  timeMs = 0
  commandNumber = 0
  private answers: Answers = new NoAnswers()

  constructor(
    readonly store: Store,
    readonly partition: number,
    readonly placement: Placement,
    createActors: CreateActors,
    seed: Uint32Array,
    warmRecords = 0,
  ) {
    this.outbox = new Outbox(store, partition)
    this.actors = createActors({ store, placement, partition, seed, warmRecords })
  }

  /** Brings back the last checkpoint. */
  loadCheckpoint(): void {
    this.store.load()
    this.position = this.store.watermark?.position ?? LOG_START
    this.timeMs = this.store.watermark?.timeMs ?? 0
    this.actors.rebuild()
  }

  /** The sequence of the last checkpoint. */
  get checkpoint(): number {
    return this.store.watermark?.position.sequence ?? 0
  }

  /**
   * Applies the log behind the checkpoint; returns what it was. `anew`: a whole log over an empty store, although there
   * were checkpoints. Throws DamageError.
   */
  replay(log: Log, anew = false): { records: number; commands: number; bytes: number } {
    if (log.first > this.position.sequence + 1 || log.last.sequence < this.position.sequence) {
      throw new DamageError(
        `partition ${this.partition}: the log holds records ${log.first} to ${log.last.sequence} but the checkpoint ends at ${this.position.sequence}; restore this data directory from a backup`,
      )
    }
    const batch = new BatchRecord(log.owner, RECORD_BYTES_MAX)
    const answers = new NoAnswers()
    let records = 0
    let commands = 0
    let bytes = 0
    for (const record of log.read(this.position)) {
      batch.load(record)
      if (!anew && batch.checkpoint > this.checkpoint) {
        throw new DamageError(
          `partition ${this.partition}: the checkpoint at ${batch.checkpoint}, on which log record ${batch.sequence} builds, is missing; restore this data directory from a backup`,
        )
      }
      this.apply(batch, answers)
      records++
      commands += batch.commands
      bytes += record.length
    }
    if (this.position.sequence !== log.last.sequence) {
      throw new DamageError(
        `partition ${this.partition}: the log ends at ${this.position.sequence}, not ${log.last.sequence}`,
      )
    }
    return { records, commands, bytes }
  }

  /** Applies one durable record. */
  apply(batch: BatchRecord, answers: Answers): void {
    assert(batch.sequence === this.position.sequence + 1, 'records are applied in order')
    assert(batch.timeMs >= this.timeMs, 'log time never goes back')
    this.answers = answers
    this.timeMs = batch.timeMs
    this.position = { sequence: batch.sequence, crc: batch.crc }
    let at = RECORD_HEADER_BYTES
    for (let entry = 0; entry < batch.entries; entry++) {
      const word = at >>> 2
      const length = batch.words[word]!
      const detail = batch.words[word + 2]!
      this.commandNumber = batch.sequence * BATCH_ENTRIES_MAX + entry
      switch (batch.words[word + 1]) {
        case EntryKind.frame: {
          const count = detail & 0xffff
          const replyAt = answers.beginFrame(entry, count)
          this.actors.frame(this, detail >>> 16, count, batch.words, word + 4, answers.words, replyAt)
          answers.endFrame(entry, count, batch.timeMs)
          break
        }
        case EntryKind.advance:
          this.actors.advance(this, TIMERS_PER_ENTRY)
          break
        default:
          this.applyMessage(batch, entry, word, batch.bytes.subarray(at + 16, at + 16 + length))
      }
      at += 16 + ((length + 7) & ~7)
    }
  }

  private applyMessage(batch: BatchRecord, entry: number, word: number, payload: Uint8Array): void {
    const origin = batch.words[word + 3]!
    switch (batch.words[word + 1]) {
      case EntryKind.command: {
        const [name, body] = unpackr.unpack(payload) as [string, unknown]
        const outcome = this.actors.command(this, name, body)
        if (outcome === LATER) this.answers.later(entry, this.commandNumber)
        else this.answers.outcome(entry, outcome)
        break
      }
      case EntryKind.message: {
        const [number, name, body] = unpackr.unpack(payload) as [number, string, unknown]
        if (this.outbox.accept(origin, number)) this.actors.message(this, origin, name, body)
        break
      }
      case EntryKind.acknowledgement:
        this.outbox.acknowledge(origin, unpackr.unpack(payload) as number)
        break
      default:
        throw new DamageError(
          `partition ${this.partition}: log record ${batch.sequence} has an entry of an unknown kind`,
        )
    }
  }

  send(partition: number, name: string, body: unknown): void {
    this.outbox.send(partition, name, body)
  }

  hasRoom(messages: number): boolean {
    return this.outbox.hasRoom(messages)
  }

  publish(type: string, subject: string, data: unknown): void {
    const event = this.outbox.publish(this.timeMs, type, subject, data)
    this.answers.event(event, this.outbox.packedEvent)
  }

  answer(commandNumber: number, outcome: Outcome): void {
    this.answers.answer(commandNumber, outcome)
  }

  /** The digest of everything that this partition holds. */
  digest(): Digest {
    const digest = new Digest()
    this.actors.digest(digest)
    return digest
  }
}
