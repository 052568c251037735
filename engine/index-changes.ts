/**
 * Entries of secondary indexes that were put or deleted since a checkpoint was begun, index by index, so that a range
 * over one index looks only at that index's changes. The order of the changed entries is found when somebody asks for a
 * range, and kept up from then on: an index that nobody reads and nothing is deleted from costs a list.
 */
import { assertIndexName, compareKeys } from './store-format.js'

/** `new`: put, and known not to be in the store: where it is deleted again, nobody has to know. */
type EntryChange = 'put' | 'new' | 'deleted'
type Changes = Generator<[entry: string, change: EntryChange]>

class ChangedEntries {
  private readonly changes = new Map<string, EntryChange>()
  /** Entries that were put and not looked at since: a map of them is made when somebody asks. */
  private appended: string[] = []
  /** The entries in order, and those that came since; an entry stays among them when its change is forgotten. */
  private ordered: string[] | undefined
  private added: string[] = []

  put(entry: string, isNew: boolean): void {
    if (!isNew) {
      this.appended.push(entry)
      return
    }
    const before = this.of(entry)
    if (before !== 'new') this.set(entry, before === undefined ? 'new' : 'put')
  }

  delete(entry: string): void {
    if (this.of(entry) === 'new') this.changes.delete(entry)
    else this.set(entry, 'deleted')
  }

  of(entry: string): EntryChange | undefined {
    this.lookAt()
    return this.changes.get(entry)
  }

  /** At most so many entries are changed. */
  get size(): number {
    return this.changes.size + this.appended.length
  }

  /** One change of each entry. */
  latest(): Iterable<[entry: string, change: EntryChange]> {
    this.lookAt()
    return this.changes
  }

  /** Every change, the last one of an entry last. */
  *all(): Changes {
    // Somebody may look at them meanwhile.
    const { appended } = this
    yield* this.changes
    for (const entry of appended) yield [entry, 'put']
  }

  private lookAt(): void {
    if (this.appended.length === 0) return
    for (const entry of this.appended) if (this.changes.get(entry) !== 'new') this.set(entry, 'put')
    this.appended = []
  }

  private set(entry: string, change: EntryChange): void {
    const size = this.changes.size
    this.changes.set(entry, change)
    if (!this.ordered || this.changes.size === size) return
    this.added.push(entry)
    if (this.ordered.length + this.added.length <= 2 * this.changes.size) return
    // Most of them were forgotten: they are put in order anew when somebody asks again.
    this.ordered = undefined
    this.added = []
  }

  /** All changed entries in ascending order, some more than once, and some that are changed no more. */
  inOrder(): string[] {
    this.lookAt()
    if (!this.ordered) this.ordered = [...this.changes.keys()].sort(compareKeys)
    // What is in order already costs a sort next to nothing.
    else if (this.added.length > 0) this.ordered = [...this.ordered, ...this.added].sort(compareKeys)
    this.added = []
    return this.ordered
  }
}

export class IndexChanges {
  /** In most indexes, one for each name or number, all that changes is one entry that is put: it stands for itself. */
  private readonly indexes = new Map<string, ChangedEntries | string>()

  has(index: string, entry: string): boolean {
    const changed = this.indexes.get(index)
    return typeof changed === 'string' ? changed === entry : changed?.of(entry) !== undefined
  }

  /** `isNew`: neither the store nor an older change knows the entry. */
  put(index: string, entry: string, isNew: boolean): void {
    const changed = this.indexes.get(index)
    if (changed === undefined && !isNew) {
      assertIndexName(index)
      this.indexes.set(index, entry)
    } else if (changed !== entry) this.changesOf(index, changed).put(entry, isNew)
  }

  delete(index: string, entry: string): void {
    this.changesOf(index, this.indexes.get(index)).delete(entry)
  }

  private changesOf(index: string, known: ChangedEntries | string | undefined): ChangedEntries {
    if (known !== undefined && typeof known !== 'string') return known
    assertIndexName(index)
    const changed = new ChangedEntries()
    if (known !== undefined) changed.put(known, false)
    this.indexes.set(index, changed)
    return changed
  }

  /** Takes over what was changed before these, and may be in the store or not. */
  addOlder(older: IndexChanges): void {
    for (const [index, changed] of older.indexes) {
      const changes = typeof changed === 'string' ? ([[changed, 'put']] as const) : changed.latest()
      for (const [entry, change] of changes) {
        if (this.has(index, entry)) continue
        if (change === 'deleted') this.delete(index, entry)
        else this.put(index, entry, false)
      }
    }
  }

  get size(): number {
    let size = 0
    for (const changed of this.indexes.values()) size += typeof changed === 'string' ? 1 : changed.size
    return size
  }

  /** Every change, the last one of an entry last. */
  *all(): Generator<[index: string, entry: string, change: EntryChange]> {
    for (const [index, changed] of this.indexes) {
      if (typeof changed === 'string') yield [index, changed, 'put']
      else for (const [entry, change] of changed.all()) yield [index, entry, change]
    }
  }

  /** The changes of one index in descending order, strictly below `before`. */
  *descending(index: string, before: string | undefined): Changes {
    const changed = this.indexes.get(index)
    if (changed === undefined) return
    if (typeof changed === 'string') {
      if (before === undefined || compareKeys(changed, before) < 0) yield [changed, 'put']
      return
    }
    const entries = changed.inOrder()
    let last: string | undefined
    for (let i = before === undefined ? entries.length : placeOf(entries, before); i-- > 0; last = entries[i]) {
      const entry = entries[i]!
      const change = changed.of(entry)
      if (change !== undefined && entry !== last) yield [entry, change]
    }
  }
}

/** The number of entries below `entry`. */
function placeOf(entries: string[], entry: string): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(entries[middle]!, entry) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** What an index holds, from what is stored and two layers of changes of it, all of them in descending order. */
export function* entriesOf(newer: Changes, older: Changes | undefined, stored: Iterable<string>): Generator<string> {
  const changes = older ? mergedChanges(newer, older) : newer
  let next = changes.next()
  for (const entry of stored) {
    while (!next.done && compareKeys(next.value[0], entry) > 0) {
      if (next.value[1] !== 'deleted') yield next.value[0]
      next = changes.next()
    }
    // An entry that was changed has its turn as a change, before the next one.
    if (next.done || next.value[0] !== entry) yield entry
  }
  for (; !next.done; next = changes.next()) if (next.value[1] !== 'deleted') yield next.value[0]
}

function* mergedChanges(newer: Changes, older: Changes): Changes {
  let a = newer.next()
  let b = older.next()
  while (!a.done && !b.done) {
    const order = compareKeys(a.value[0], b.value[0])
    if (order >= 0) {
      yield a.value
      a = newer.next()
      if (order === 0) b = older.next()
    } else {
      yield b.value
      b = older.next()
    }
  }
  for (; !a.done; a = newer.next()) yield a.value
  for (; !b.done; b = older.next()) yield b.value
}
