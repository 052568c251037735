/**
 * A partition in a temporary directory that a test drives: its clock, batches, checkpoints and crashes are the test's;
 * its state, log, store and what is written to them are the product's.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack, unpack } from 'msgpackr'
import type { CreateActors } from './actors.js'
import { type Arena, PAGE_SHIFT } from './arena.js'
import { writeItem } from './checkpoint-items.js'
import {
  type CheckpointBeginning,
  CheckpointReceiver,
  CheckpointRing,
  type CheckpointRingMemory,
  makeCheckpointRing,
} from './checkpoint-ring.js'
import { BATCH_BYTES_MAX } from './limits.js'
import { LmdbLog } from './log/lmdb-log.js'
import { LOG_START, type Log } from './log/log.js'
import { MemoryLog } from './log/memory-log.contract.js'
import { BatchRecord, EntryKind } from './log/record.js'
import { Placement } from './placement.js'
import type { EngineEvent, Outcome } from './protocol.js'
import { type Answers, PartitionState } from './state.js'
import { Store } from './store.js'
import { openStore, readWatermark, type Watermark, writeWatermark } from './store-format.js'

/** What a batch is made of. */
export type Entry =
  | { kind: 'frame'; operation: number; count: number; records: Uint8Array }
  | { kind: 'command'; name: string; body: unknown }
  | { kind: 'message'; from: number; payload: Uint8Array }
  | { kind: 'acknowledgement'; from: number; upTo: number }
  | { kind: 'advance' }

/** What an entry was answered: two words for each record of a frame, the outcome of a command. */
export interface Answer {
  words?: number[]
  outcome?: Outcome
  later?: number
}

export interface Answered {
  /** One for each entry. */
  answers: Answer[]
  /** Commands of earlier batches that were answered now, by their numbers. */
  answeredLater: Map<number, Outcome>
  events: EngineEvent[]
}

/** As a client on the other side of a mailbox would see it. */
const detached = <T>(value: T): T => unpack(pack(value)) as T

/** Where the reply records of one frame after the other are written. */
const replyWords = new Uint32Array(2 * 65_536)

class Collector implements Answers {
  readonly words = replyWords
  readonly answers: Answer[]
  readonly answeredLater = new Map<number, Outcome>()
  readonly events: EngineEvent[] = []

  constructor(entries: number) {
    this.answers = Array.from({ length: entries }, () => ({}))
  }
  beginFrame(): number {
    return 0
  }
  endFrame(entry: number, count: number): void {
    this.answers[entry] = { words: [...this.words.subarray(0, 2 * count)] }
  }
  outcome(entry: number, outcome: Outcome): void {
    this.answers[entry] = { outcome: detached(outcome) }
  }
  later(entry: number, commandNumber: number): void {
    this.answers[entry] = { later: commandNumber }
  }
  answer(commandNumber: number, outcome: Outcome): void {
    this.answeredLater.set(commandNumber, detached(outcome))
  }
  event(event: EngineEvent): void {
    this.events.push(detached(event))
  }
}

interface Touched {
  records: Set<number>
  pages: Set<number>
}

/**
 * A store that says which arenas it holds, so that two of them can be compared byte by byte, and which records were
 * changed without a word: a checkpoint would miss them.
 */
export class OpenStore extends Store {
  readonly registered: Arena[] = []
  private readonly touched = new Map<Arena, Touched>()
  private before: Uint8Array[] = []

  override register(arena: Arena): Arena {
    this.registered.push(arena)
    const touched: Touched = { records: new Set(), pages: new Set() }
    this.touched.set(arena, touched)
    const touchPage = arena.touchPage.bind(arena)
    arena.touch = (record) => {
      touched.records.add(record)
      touchPage((record * arena.recordBytes) >>> PAGE_SHIFT)
    }
    arena.touchPage = (page) => {
      touched.pages.add(page)
      touchPage(page)
    }
    return super.register(arena)
  }

  watchWrites(): void {
    this.before = this.registered.map(({ bytes }) => bytes.slice())
    for (const { records, pages } of this.touched.values()) {
      records.clear()
      pages.clear()
    }
  }

  /** What was written since, though nobody had said that it would be. */
  unannouncedWrites(): string[] {
    return this.registered.flatMap((arena, i) => {
      const before = this.before[i]!
      if (sameBytes(arena.bytes, before)) return []
      const { records, pages } = this.touched.get(arena)!
      const found: string[] = []
      for (let at = 0; at < before.length; at += arena.recordBytes) {
        const record = at / arena.recordBytes
        if (records.has(record) || pages.has(at >>> PAGE_SHIFT)) continue
        const end = at + arena.recordBytes
        if (!sameBytes(arena.bytes.subarray(at, end), before.subarray(at, end))) {
          found.push(`record ${record} of arena "${arena.name}" was written without having been touched`)
        }
      }
      return found
    })
  }
}

/** A ring that says when a checkpoint has gone through it whole. */
export class WatchedRing extends CheckpointRing {
  complete = false
  override begin(beginning: CheckpointBeginning): void {
    this.complete = false
    super.begin(beginning)
  }
  override end(): void {
    super.end()
    this.complete = true
  }
}

/** What the checkpointer's thread does with one checkpoint that lies in its ring. */
export function writeCheckpoint(file: string, partition: number, receiver: CheckpointReceiver): void {
  const first = receiver.next()
  if (first.kind !== 'begin') throw new Error(`a checkpoint begins with its position, not with ${first.kind}`)
  const db = openStore(file, false)
  const before = readWatermark(db, partition)
  db.resetReadTxn()
  const { beginning } = first
  const watermark: Watermark = { ...beginning, pages: before?.pages ?? 0, documents: before?.documents ?? 0 }
  db.transactionSync(() => {
    for (let item = receiver.next(); item.kind !== 'end'; item = receiver.next()) writeItem(db, item, watermark)
    writeWatermark(db, watermark)
  })
  void db.close()
}

export interface DrivenOptions {
  createActors: CreateActors
  partition?: number
  partitions?: number
  /** Where a store has been made already, and whose it is. */
  directory?: string
  owner?: number
  /** Keeps a copy of the state that each checkpoint is to hold: only where the arenas are small. */
  copies?: boolean
}

/** A state to the byte. */
export interface StateCopy {
  arenas: Uint8Array[]
  documents: [string, Uint8Array][]
}

/** A state beside the driven one: recovered from the same log, or from another store. */
export interface Recovered {
  state: PartitionState
  store: OpenStore
}

export class DrivenPartition {
  readonly directory: string
  readonly partition: number
  readonly placement: Placement
  private readonly owner: number
  private readonly createActors: CreateActors
  private readonly batch: BatchRecord
  private others = 0
  /** All records ever appended, also those that the log has truncated. */
  readonly records = new Map<number, Uint8Array>()
  private ring!: WatchedRing
  private ringMemory!: CheckpointRingMemory
  private receiver!: CheckpointReceiver
  store!: OpenStore
  state!: PartitionState
  log!: Log
  /** The state as it was when the checkpoint that is being taken was begun. */
  private begun: StateCopy | undefined
  private readonly copies: boolean

  constructor(options: DrivenOptions) {
    const { createActors, partition = 0, partitions = 1, copies = true, directory, owner = partition } = options
    this.directory = directory ?? mkdtempSync(join(tmpdir(), 'doorbuster-'))
    this.copies = copies
    this.createActors = createActors
    this.partition = partition
    this.placement = new Placement(partitions)
    this.owner = owner
    this.batch = new BatchRecord(owner, BATCH_BYTES_MAX)
    this.open()
  }

  private file(name: string): string {
    return join(this.directory, name)
  }

  /** As a partition's thread opens it: the checkpoint, then the log behind it. */
  private open(): void {
    this.ringMemory = makeCheckpointRing()
    this.ring = new WatchedRing(this.ringMemory)
    this.receiver = new CheckpointReceiver(this.ringMemory)
    this.store = new OpenStore(this.file('store.mdb'), this.partition, this.ring, this.owner)
    this.state = this.stateOver(this.store)
    this.state.loadCheckpoint()
    const { partition, owner, state } = this
    this.log = new LmdbLog({ file: this.file('log.mdb'), partition, owner, position: state.position })
    this.state.replay(this.log)
    this.begun = undefined
  }

  private stateOver(store: Store): PartitionState {
    const seed = crypto.getRandomValues(new Uint32Array(4))
    return new PartitionState(store, this.partition, this.placement, this.createActors, seed)
  }

  /** Makes one batch of the entries, appends it and applies it. */
  run(timeMs: number, entries: Entry[]): Answered {
    const { batch } = this
    batch.clear()
    for (const entry of entries) addEntry(batch, entry)
    const record = batch.seal(this.state.position, timeMs, this.state.checkpoint)
    this.records.set(batch.sequence, record.slice())
    this.log.append(record)
    const collector = new Collector(entries.length)
    if (this.copies) this.store.watchWrites()
    this.state.apply(batch, collector)
    const faults = this.copies ? this.store.unannouncedWrites() : []
    if (faults.length > 0) throw new Error(faults.join('; '))
    return collector
  }

  query(timeMs: number, name: string, body: unknown): Outcome {
    return detached(this.state.actors.query(timeMs, name, detached(body)))
  }

  digest(): string {
    return this.state.digest().toString()
  }

  /** Begins a checkpoint, unless one is being taken. */
  beginCheckpoint(): void {
    if (this.store.checkpointing) return
    this.store.beginCheckpoint(this.state.position, this.state.timeMs)
    this.begun = this.copies ? copyOf(this.store) : { arenas: [], documents: [] }
  }

  /**
   * Hands over one slice of the checkpoint; returns the state as it was begun with, once that is durable. `refused`: the
   * disk takes nothing of it.
   */
  continueCheckpoint(refused = false): StateCopy | undefined {
    if (!this.store.checkpointing) return undefined
    if (this.ring.complete) {
      if (refused) while (this.receiver.next().kind !== 'end');
      else writeCheckpoint(this.file('store.mdb'), this.partition, this.receiver)
      this.receiver.report(!refused)
    }
    return this.store.continueCheckpoint() ? this.begun : undefined
  }

  /** Takes a checkpoint to its end; returns the state that it is to hold. */
  checkpoint(): StateCopy {
    this.beginCheckpoint()
    for (;;) {
      const begun = this.continueCheckpoint()
      if (begun) return begun
    }
  }

  truncateLog(): void {
    this.log.truncate(this.store.watermark?.position.sequence ?? 0)
  }

  /** The process is gone, and a new one opens what is on disk. */
  async restart(): Promise<void> {
    await this.close()
    this.open()
  }

  /** The state of the last durable checkpoint alone. */
  async fromCheckpoint(use: (recovered: Recovered) => void): Promise<void> {
    const store = new OpenStore(this.file('store.mdb'), this.partition, undefined, this.owner)
    const state = this.stateOver(store)
    state.loadCheckpoint()
    use({ state, store })
    await store.close()
  }

  /** The state that the whole log gives over an empty store. */
  async fromLog(use: (recovered: Recovered) => void | Promise<void>): Promise<void> {
    const store = new OpenStore(this.file(`other-${++this.others}.mdb`), this.partition, 'offline')
    const state = this.stateOver(store)
    if (this.log.first === 1) {
      const log = new LmdbLog({
        file: this.file('log.mdb'),
        partition: this.partition,
        position: LOG_START,
        readOnly: true,
      })
      state.replay(log, true)
      await log.close()
    } else state.replay(new MemoryLog(this.records, this.partition), true)
    await use({ state, store })
    await store.close()
  }

  /** What `writeWhole` of a state leaves on disk, loaded again. */
  async fromWhole({ state, store }: Recovered, use: (recovered: Recovered) => void): Promise<void> {
    store.writeWhole({ position: state.position, timeMs: state.timeMs })
    const again = new OpenStore(this.file(`other-${this.others}.mdb`), this.partition, 'offline')
    const stateAgain = this.stateOver(again)
    stateAgain.loadCheckpoint()
    use({ state: stateAgain, store: again })
    await again.close()
  }

  async close(): Promise<void> {
    await this.log.close()
    await this.store.close()
  }

  async dispose(): Promise<void> {
    await this.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

function addEntry(batch: BatchRecord, entry: Entry): void {
  const add = (kind: EntryKind, detail: number, origin: number, commands: number, payload: Uint8Array): void =>
    batch.add(kind, detail, origin, commands, payload, 0, payload.length)
  switch (entry.kind) {
    case 'frame':
      add(EntryKind.frame, ((entry.operation << 16) | entry.count) >>> 0, 0, entry.count, entry.records)
      break
    case 'command':
      add(EntryKind.command, 0, 0, 1, pack([entry.name, entry.body]))
      break
    case 'message':
      add(EntryKind.message, 0, entry.from, 1, entry.payload)
      break
    case 'acknowledgement':
      add(EntryKind.acknowledgement, 0, entry.from, 1, pack(entry.upTo))
      break
    default:
      add(EntryKind.advance, 0, 0, 1, new Uint8Array(0))
  }
}

export const copyOf = (store: OpenStore): StateCopy => ({
  arenas: store.registered.map(({ bytes }) => bytes.slice()),
  documents: documentsOf(store),
})

const documentsOf = (store: Store): [string, Uint8Array][] =>
  [...store.documents()].map(([key, value]) => [key, Uint8Array.from(value)])

/** Where a store differs from a state, in sentences; empty where they are the same to the byte. */
export function differences(store: OpenStore, { arenas, documents }: StateCopy): string[] {
  const found: string[] = []
  store.registered.forEach((arena, i) => {
    const at = firstDifference(arena.bytes, arenas[i]!)
    if (at >= 0) found.push(`arena "${arena.name}" differs in record ${Math.floor(at / arena.recordBytes)}`)
  })
  const own = new Map(documentsOf(store))
  const other = new Map(documents)
  for (const key of new Set([...own.keys(), ...other.keys()])) {
    if (!sameBytes(own.get(key), other.get(key))) found.push(`document ${key} differs`)
  }
  return found
}

const sameBytes = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a !== undefined && b !== undefined && Buffer.compare(a, b) === 0

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  return sameBytes(a, b) ? -1 : a.findIndex((byte, i) => byte !== b[i])
}
