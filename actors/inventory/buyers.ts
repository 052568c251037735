/**
 * Units that a buyer has taken against a limit: of a SKU, or of one pool (a sale). Only limited SKUs are counted, and a
 * record lives as long as the buyer holds something.
 *
 *   record, 4 words   0-1 buyer · 2 scope: SKU, or POOL_SCOPE | pool · 3 units (0: free, and then word 0 is the next free + 1)
 *   record 0          0 records ever used · 1 first free + 1
 */
import type { Arena } from '../../engine/arena.js'
import { assert } from '../../engine/assert.js'
import { HashIndex, type KeyedHash } from '../../engine/hash-index.js'
import type { Store } from '../../engine/store.js'
import { ArenaId } from '../arenas.js'
import { BUYERS_MAX } from '../limits.js'

const WORDS = 4
const UNITS = 3
export const POOL_SCOPE = 0x8000_0000

export class Buyers {
  private readonly arena: Arena
  private readonly words: Uint32Array
  private readonly index = new HashIndex(BUYERS_MAX)

  constructor(
    store: Store,
    private readonly hash: KeyedHash,
  ) {
    this.arena = store.arena(ArenaId.buyers, 'buyers', WORDS * 4, BUYERS_MAX)
    this.words = this.arena.words
  }

  private find(low: number, high: number, scope: number): number {
    const { index, words } = this
    const hash = this.hash.of(low, high, scope, 1)
    for (let entry = index.first(hash); ; entry = index.next(entry)) {
      const record = index.recordAt(entry)
      if (record < 0) return -1
      const base = record * WORDS
      if (words[base] === low && words[base + 1] === high && words[base + 2] === scope) return record
    }
  }

  units(low: number, high: number, scope: number): number {
    const record = this.find(low, high, scope)
    return record < 0 ? 0 : this.words[record * WORDS + UNITS]!
  }

  /** Whether one more buyer can be counted. */
  get hasRoom(): boolean {
    return this.words[1] !== 0 || this.words[0]! + 1 < BUYERS_MAX
  }

  add(low: number, high: number, scope: number, units: number): void {
    const { words, arena } = this
    let record = this.find(low, high, scope)
    if (record < 0) {
      arena.touch(0)
      record = words[1]! - 1
      if (record >= 0) words[1] = words[record * WORDS]!
      else {
        record = words[0]! + 1
        words[0] = record
      }
      assert(this.index.insert(this.hash.of(low, high, scope, 1), record), 'the index has room for a buyer')
      arena.touch(record)
      words[record * WORDS] = low
      words[record * WORDS + 1] = high
      words[record * WORDS + 2] = scope
    }
    arena.touch(record)
    words[record * WORDS + UNITS]! += units
  }

  remove(low: number, high: number, scope: number, units: number): void {
    const { words, arena } = this
    const record = this.find(low, high, scope)
    assert(record >= 0 && words[record * WORDS + UNITS]! >= units, 'a buyer gives back what was counted')
    arena.touch(record)
    words[record * WORDS + UNITS]! -= units
    if (words[record * WORDS + UNITS] !== 0) return
    this.index.remove(this.hash.of(low, high, scope, 1), record)
    arena.touch(0)
    words[record * WORDS] = words[1]!
    words[1] = record + 1
  }

  rebuild(): void {
    this.forEach((record, low, high, scope) => {
      this.index.insert(this.hash.of(low, high, scope, 1), record)
    })
  }

  forEach(visit: (record: number, low: number, high: number, scope: number, units: number) => void): void {
    const { words } = this
    for (let record = 1; record <= words[0]!; record++) {
      const base = record * WORDS
      if (words[base + UNITS]! > 0)
        visit(record, words[base]!, words[base + 1]!, words[base + 2]!, words[base + UNITS]!)
    }
  }
}
