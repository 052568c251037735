/**
 * The state of one partition: arenas, which are always in memory; documents and entries of secondary indexes, which are
 * read from the last checkpoint when they are asked for and stay in memory only while they are newer than it. Memory is
 * bounded by what is live, not by history.
 *
 * A checkpoint is begun between two batches and handed to the checkpointer (checkpointer.ts) in slices while batches go
 * on. What it holds is the state at the instant of its beginning: see arena.ts for pages; documents and index entries
 * changed meanwhile go to a second map, and a live document (live-documents.ts) is encoded before it changes.
 */
import { Arena, PAGE_BYTES } from './arena.js'
import { assert } from './assert.js'
import type { CheckpointRing } from './checkpoint-ring.js'
import { DamageError } from './errors.js'
import { IndexEntries } from './index-entries.js'
import {
  CHECKPOINT_DOCUMENTS_PER_STEP,
  CHECKPOINT_ENTRIES_PER_STEP,
  CHECKPOINT_HANDED_OVER_BYTES,
  CHECKPOINT_PAGES_PER_STEP,
} from './limits.js'
import type { LogPosition } from './log/log.js'
import {
  compareKeys,
  documentKey,
  INDEXES,
  openStore,
  openValue,
  packValue,
  pageKey,
  parseKey,
  readWatermark,
  type StoreDatabase,
  type Watermark,
  writeWatermark,
} from './store-format.js'

/** A document that lies decoded in the store (live-documents.ts). */
export interface LiveDocument {
  encode(): Uint8Array
  /** Encodes it for a checkpoint, by the checkpoint's number: it has no part in that one any more. */
  handOver(checkpoint: number): Uint8Array
  readonly handedOverTo: number
  /** The bytes that it is likely to have. */
  readonly bytesAbout: number
}

const DELETED = Symbol('deleted')
type DocumentChange = Uint8Array | LiveDocument | typeof DELETED
type Overlay = Map<string, DocumentChange>

const bytesOf = (document: Uint8Array | LiveDocument): Uint8Array =>
  document instanceof Uint8Array ? document : document.encode()

export class Store {
  private readonly db: StoreDatabase
  private readonly arenas = new Map<number, Arena>()
  /** Documents changed since the last checkpoint was begun, and those that are being checkpointed. */
  private current: Overlay = new Map()
  private taking: Overlay | undefined
  private handOver: Iterator<number> | undefined
  /** Checkpoints begun. */
  private checkpoints = 0
  private takingPosition: LogPosition | undefined
  /** Bytes of pages in the checkpoint that was begun last. */
  checkpointBytes = 0
  /** Steps that documents and index entries of the checkpoint take where nothing hurries it, and how many it has had. */
  private handOverShares = 0
  private handedOverShares = 0
  /** The last checkpoint. */
  watermark: Watermark | undefined

  private readonly ring: CheckpointRing | undefined
  private readonly indexes: IndexEntries

  /**
   * `writer` takes the checkpoints: a checkpointer's ring; `offline`, for a store that is written once as a whole; none,
   * and the store is only read. `owner` is what its watermark carries.
   */
  constructor(
    file: string,
    private readonly partition: number,
    writer: CheckpointRing | 'offline' | undefined,
    private readonly owner = partition,
  ) {
    this.db = openStore(file, writer === undefined)
    this.indexes = new IndexEntries(this.db)
    this.ring = writer === 'offline' ? undefined : writer
  }

  /** Adds an arena; all are added before `load`. Ids are for ever: 0 to 255, one meaning each. */
  register(arena: Arena): Arena {
    assert(!this.arenas.has(arena.id), `arena id ${arena.id} is free`)
    this.arenas.set(arena.id, arena)
    return arena
  }

  arena(id: number, name: string, recordBytes: number, recordsMax: number): Arena {
    return this.register(new Arena(id, name, recordBytes, recordsMax))
  }

  /**
   * Reads the last checkpoint into the arenas. Throws DamageError where anything in it is damaged, unknown or missing.
   * Index entries are not looked at: there may be more of them than of all else, and they are keys, not values.
   */
  load(): void {
    const where = `partition ${this.partition}: the store`
    this.watermark = readWatermark(this.db, this.partition)
    if (this.watermark && this.watermark.owner !== this.owner) {
      throw new DamageError(
        `${where} belongs to another partition or another data directory; restore this data directory from a backup`,
      )
    }
    let pages = 0
    let documents = 0
    const load = (key: Buffer, value: Buffer): void => {
      const parsed = parseKey(key)
      if (parsed?.kind === 'page') {
        const arena = this.arenas.get(parsed.arena)
        if (!arena) throw new DamageError(`${where} holds pages of an unknown kind (${parsed.arena})`)
        arena.loadPage(parsed.page, openValue(key, value, `${where}'s page ${parsed.page} of ${arena.name}`))
        pages++
      } else if (parsed?.kind === 'document') {
        openValue(key, value, `partition ${this.partition}: the stored document ${parsed.key}`)
        documents++
      } else if (key.toString() !== 'w') throw new DamageError(`${where} holds an unknown key ${key.toString('hex')}`)
    }
    for (const { key, value } of this.db.getRange({ end: INDEXES.start })) load(key, value)
    for (const { key, value } of this.db.getRange({ start: INDEXES.end })) load(key, value)
    this.db.resetReadTxn()
    const expected = this.watermark ?? { pages: 0, documents: 0 }
    if (pages !== expected.pages || documents !== expected.documents) {
      throw new DamageError(
        `${where} holds ${pages} pages and ${documents} documents where its watermark says ${expected.pages} and ${expected.documents}; restore this data directory from a backup`,
      )
    }
  }

  get(key: string): Uint8Array | undefined {
    const newest = this.unstored(key)
    if (newest !== undefined) return newest === DELETED ? undefined : bytesOf(newest)
    const stored = documentKey(key)
    const value = this.db.getBinary(stored)
    // Without an event loop nobody else lets go of the read transaction, which would keep old pages alive.
    this.db.resetReadTxn()
    if (value === undefined) return undefined
    return openValue(stored, value, `partition ${this.partition}: the stored document ${key}`)
  }

  put(key: string, value: Uint8Array): void {
    this.change(key, value)
  }

  /** Puts a document that may change until the step ends; called before the first change in each step. */
  putLive(key: string, document: LiveDocument): void {
    this.change(key, document)
  }

  delete(key: string): void {
    this.change(key, DELETED)
  }

  private change(key: string, change: DocumentChange): void {
    const taken = this.taking?.get(key)
    // Its content may live on in what comes next and change there, so the checkpoint gets it as it is now.
    if (taken !== undefined && taken !== DELETED && !(taken instanceof Uint8Array)) {
      if (taken.handedOverTo !== this.checkpoints) this.taking!.set(key, taken.encode())
    }
    this.current.set(key, change)
  }

  /** What was made of a document since the last checkpoint was begun. */
  changed(key: string): DocumentChange | undefined {
    return this.current.get(key)
  }

  /** What was made of a document since the last checkpoint that is stored. */
  unstored(key: string): DocumentChange | undefined {
    return this.current.get(key) ?? this.taking?.get(key)
  }

  /** All documents in the order of their keys: for digests, verification and resharding, not for the hot path. */
  *documents(): Iterable<[string, Uint8Array]> {
    const newest: Overlay = new Map([...(this.taking ?? []), ...this.current])
    const fresh = [...newest].sort(([a], [b]) => compareKeys(a, b))
    let i = 0
    for (const { key: stored, value } of this.db.getRange({ start: documentKey(''), end: Buffer.from('e') })) {
      const key = stored.toString('utf8', 1)
      while (i < fresh.length && compareKeys(fresh[i]![0], key) < 0) {
        const [freshKey, freshValue] = fresh[i++]!
        if (freshValue !== DELETED) yield [freshKey, bytesOf(freshValue)]
      }
      if (newest.has(key)) continue
      yield [key, openValue(stored, value, `partition ${this.partition}: the stored document ${key}`)]
    }
    this.db.resetReadTxn()
    for (; i < fresh.length; i++) {
      const [freshKey, freshValue] = fresh[i]!
      if (freshValue !== DELETED) yield [freshKey, bytesOf(freshValue)]
    }
  }

  /**
   * Puts an entry into a secondary index: both are well-formed text, the index's name without the character 0, at most
   * KEY_BYTES_MAX - 2 bytes together. `isNew`: the index does not hold it now; where it is deleted before the next
   * checkpoint, neither costs that anything.
   */
  indexPut(index: string, entry: string, isNew = false): void {
    this.indexes.put(index, entry, isNew)
  }

  indexDelete(index: string, entry: string): void {
    this.indexes.delete(index, entry)
  }

  /** Entries of an index in descending order of their bytes, strictly below `before`, at most `limit` of them. */
  indexRange(index: string, before: string | undefined, limit: number): string[] {
    return this.indexes.range(index, before, limit)
  }

  get checkpointing(): boolean {
    return this.takingPosition !== undefined
  }

  /** Begins a checkpoint of the state as it is now, after the record at `position`. */
  beginCheckpoint(position: LogPosition, timeMs: number): void {
    assert(!this.checkpointing, 'one checkpoint at a time')
    this.takingPosition = position
    let pages = 0
    for (const arena of this.arenas.values()) pages += arena.beginCheckpoint(this.copyPage)
    this.checkpointBytes = pages * PAGE_BYTES
    this.checkpoints++
    this.taking = this.current
    let bytes = this.checkpointBytes + this.indexes.beginCheckpoint()
    for (const value of this.taking.values()) {
      if (value !== DELETED) bytes += value instanceof Uint8Array ? value.length : value.bytesAbout
    }
    this.handedOverShares = 0
    this.handOverShares =
      this.taking.size / CHECKPOINT_DOCUMENTS_PER_STEP + this.indexes.taken / CHECKPOINT_ENTRIES_PER_STEP
    this.ring!.begin({ bytes, owner: this.owner, position, timeMs })
    this.current = new Map()
    this.handOver = this.handingOver(this.taking)
  }

  /** Hands over one document or index entry at a time; gives the share of a step that each took. */
  private *handingOver(documents: Overlay): Generator<number> {
    const ring = this.ring!
    for (const [key, document] of documents) {
      if (document === DELETED) ring.delete(documentKey(key))
      else if (document instanceof Uint8Array) ring.document(documentKey(key), document)
      else ring.document(documentKey(key), document.handOver(this.checkpoints))
      yield 1 / CHECKPOINT_DOCUMENTS_PER_STEP
    }
    for (const _entry of this.indexes.handingOver(ring)) yield 1 / CHECKPOINT_ENTRIES_PER_STEP
  }

  private readonly copyPage = (arena: Arena, page: number): void => {
    this.ring!.page(arena.id, page, arena.pageBytes(page))
  }

  /** Documents and index entries that have changed and are not stored yet, about. */
  get changes(): number {
    return this.current.size + (this.taking?.size ?? 0) + this.indexes.changes
  }

  /** Whether all that there is room for is handed over. */
  get isWaitedFor(): boolean {
    return this.checkpointing && (this.handOver === undefined || !this.ring!.hasRoom(PAGE_BYTES))
  }

  /** Sleeps until the checkpointer has read on, or a moment. */
  waitForCheckpointer(): void {
    this.ring!.waitBriefly()
  }

  /**
   * Hands over one slice, as far as the checkpointer keeps up: the larger, the more was appended to the log since the
   * checkpoint was begun. Returns true when it is durable.
   */
  continueCheckpoint(appendedBytes = 0): boolean {
    const ring = this.ring!
    let budget = CHECKPOINT_PAGES_PER_STEP
    for (const arena of this.arenas.values()) {
      while (budget > 0 && arena.wantedPages > 0) {
        if (!ring.hasRoom(PAGE_BYTES)) return false
        budget -= arena.continueCheckpoint(1)
      }
    }
    if (budget === 0) return false
    const due = this.handOverShares * (appendedBytes / CHECKPOINT_HANDED_OVER_BYTES)
    const shares = Math.max(this.handedOverShares, due) + 1
    while (this.handOver) {
      if (this.handedOverShares >= shares || !ring.hasRoom(PAGE_BYTES)) return false
      const next = this.handOver.next()
      if (next.done) {
        this.handOver = undefined
        ring.end()
      } else this.handedOverShares += next.value
    }
    const outcome = ring.outcome()
    if (outcome === undefined) return false
    if (outcome === 'failed') this.giveUpCheckpoint()
    else this.completeCheckpoint()
    return outcome === 'durable'
  }

  private completeCheckpoint(): void {
    for (const arena of this.arenas.values()) arena.endCheckpoint(true)
    this.indexes.endCheckpoint(true)
    this.taking = undefined
    this.takingPosition = undefined
    this.db.resetReadTxn()
    this.watermark = readWatermark(this.db, this.partition)
    this.db.resetReadTxn()
  }

  /** The checkpointer could not write: what was handed over is dirty again and goes with the next checkpoint. */
  private giveUpCheckpoint(): void {
    for (const arena of this.arenas.values()) arena.endCheckpoint(false)
    this.current = new Map([...(this.taking ?? []), ...this.current])
    this.indexes.endCheckpoint(false)
    this.taking = undefined
    this.takingPosition = undefined
  }

  /** Writes a state that was made from nothing, as its first checkpoint. */
  writeWhole({ position, timeMs }: Pick<Watermark, 'position' | 'timeMs'>): void {
    this.db.transactionSync(() => {
      let pages = 0
      for (const arena of this.arenas.values()) {
        arena.beginCheckpoint((_arena, page) => {
          const key = pageKey(arena.id, page)
          this.db.putSync(key, packValue(key, arena.pageBytes(page)))
          pages++
        })
        arena.continueCheckpoint(Number.POSITIVE_INFINITY)
        arena.endCheckpoint(true)
      }
      let documents = 0
      for (const [name, value] of this.current) {
        if (value === DELETED) continue
        const key = documentKey(name)
        this.db.putSync(key, packValue(key, bytesOf(value)))
        documents++
      }
      this.indexes.writeWhole()
      writeWatermark(this.db, { owner: this.owner, position, timeMs, pages, documents })
    })
  }

  close(): Promise<void> {
    return this.db.close()
  }
}
