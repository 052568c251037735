/**
 * Secondary indexes of documents: sets of texts by name, read from the top down. They lie in the store; in memory is only
 * what changed since the last checkpoint, and a range is made of both. An entry is nothing but its key: it has no value
 * that could be wrong, and it is neither counted nor read when a partition starts.
 */
import type { CheckpointRing } from './checkpoint-ring.js'
import { entriesOf, IndexChanges } from './index-changes.js'
import { INDEX_ENTRY_BYTES, KEY_BYTES_MAX } from './limits.js'
import {
  assertIndexEntry,
  assertIndexName,
  INDEX_VALUE,
  indexEnd,
  indexKey,
  indexKeyText,
  type StoreDatabase,
} from './store-format.js'

export class IndexEntries {
  /** Changes since the last checkpoint was begun, and those that are being checkpointed. */
  private current = new IndexChanges()
  private taking: IndexChanges | undefined

  /** How often entries were put or deleted in each of them. */
  private currentCount = 0
  private takingCount = 0

  constructor(private readonly db: StoreDatabase) {}

  /** Entries that are being checkpointed, about. */
  get taken(): number {
    return this.takingCount
  }

  /** Entries that have changed and are not stored yet, about. */
  get changes(): number {
    return this.currentCount + this.takingCount
  }

  put(index: string, entry: string, isNew: boolean): void {
    assertIndexEntry(index, entry)
    this.currentCount++
    // What the index does not hold may still be in the store, while a checkpoint that deletes it is being taken.
    this.current.put(index, entry, isNew && !this.taking?.has(index, entry))
  }

  delete(index: string, entry: string): void {
    assertIndexEntry(index, entry)
    this.currentCount++
    this.current.delete(index, entry)
  }

  range(index: string, before: string | undefined, limit: number): string[] {
    assertIndexName(index)
    const found: string[] = []
    if (limit <= 0) return found
    const current = this.current.descending(index, before)
    const taking = this.taking?.descending(index, before)
    for (const entry of entriesOf(current, taking, this.stored(index, before))) {
      if (found.push(entry) === limit) break
    }
    this.db.resetReadTxn()
    return found
  }

  private *stored(index: string, before: string | undefined): Generator<string> {
    const highest = before === undefined ? indexEnd(index) : indexKey(index, before)
    // What is longer than a key can be lies behind the key that it begins with.
    const start = highest.subarray(0, KEY_BYTES_MAX)
    const end = indexKey(index, '')
    const exclusiveStart = start.length === highest.length
    for (const key of this.db.getKeys({ start, exclusiveStart, end, reverse: true })) {
      yield key.toString('utf8', end.length)
    }
  }

  /** Begins a checkpoint of the entries as they are now; returns the bytes that it will write, about. */
  beginCheckpoint(): number {
    this.taking = this.current
    this.takingCount = this.currentCount
    this.currentCount = 0
    this.current = new IndexChanges()
    return this.taking.size * INDEX_ENTRY_BYTES
  }

  /** Hands over one entry at a time. */
  *handingOver(ring: CheckpointRing): Generator<void> {
    for (const [index, entry, change] of this.taking!.all()) {
      if (change === 'deleted') ring.deleteIndexEntry(indexKeyText(index, entry))
      else ring.indexEntry(indexKeyText(index, entry))
      yield
    }
  }

  /** The checkpoint is durable, or it failed and all of it goes with the next one. */
  endCheckpoint(durable: boolean): void {
    if (!durable) {
      this.current.addOlder(this.taking!)
      this.currentCount += this.takingCount
    }
    this.takingCount = 0
    this.taking = undefined
  }

  /** Writes all of an index that was made from nothing, within a transaction. */
  writeWhole(): void {
    for (const [index, entry, change] of this.current.all()) {
      if (change !== 'deleted') this.db.putSync(indexKey(index, entry), INDEX_VALUE)
    }
  }
}
