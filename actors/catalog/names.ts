/**
 * Names and their indices: a SKU, location or channel is named once and is its index from then on. Kept as bytes outside
 * the heap, a million of them cost their length and some 25 bytes each.
 *
 *   entries arena   record 0: count of names · bytes used; record 1 + index: offset · length in bytes
 *   bytes arena     the names, UTF-8, one behind the other
 */
import { Arena } from '../../engine/arena.js'
import { HashIndex, type KeyedHash } from '../../engine/hash-index.js'
import type { Store } from '../../engine/store.js'
import { NAME_BYTES_MAX } from '../limits.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const scratch = new Uint8Array(NAME_BYTES_MAX * 4)

export class Names {
  private readonly index: HashIndex

  constructor(
    private readonly entries: Arena,
    private readonly bytes: Arena,
    private readonly hash: KeyedHash,
  ) {
    this.index = new HashIndex(entries.recordsMax)
  }

  /** Names that are part of a partition's state. */
  static inStore(store: Store, entriesId: number, bytesId: number, what: string, max: number, hash: KeyedHash): Names {
    const entries = store.arena(entriesId, `${what} names`, 8, max + 1)
    const bytes = store.arena(bytesId, `${what} name bytes`, 4, (max * NAME_BYTES_MAX) / 16)
    return new Names(entries, bytes, hash)
  }

  /** Names that are only a copy in memory. */
  static inMemory(max: number, hash: KeyedHash): Names {
    return new Names(
      new Arena(0, 'names', 8, max + 1),
      new Arena(0, 'name bytes', 4, (max * NAME_BYTES_MAX) / 16),
      hash,
    )
  }

  get count(): number {
    return this.entries.words[0]!
  }

  private hashOf(bytes: Uint8Array, from: number, length: number): number {
    let a = length
    let b = 0x811c_9dc5
    for (let i = from; i < from + length; i++) {
      a = Math.imul(a ^ bytes[i]!, 0x0100_0193)
      b = Math.imul(b ^ bytes[i]!, 0x5bd1_e995) + a
    }
    return this.hash.of(a, b, length, 0)
  }

  /** The index of a name, or -1. */
  find(name: string): number {
    const { written, read } = encoder.encodeInto(name, scratch)
    if (read < name.length) return -1
    return this.findBytes(scratch, written, this.hashOf(scratch, 0, written))
  }

  private findBytes(bytes: Uint8Array, length: number, hash: number): number {
    for (let entry = this.index.first(hash); ; entry = this.index.next(entry)) {
      const index = this.index.recordAt(entry)
      if (index < 0) return -1
      if (this.index.hashAt(entry) === hash && this.equals(index, bytes, length)) return index
    }
  }

  private equals(index: number, bytes: Uint8Array, length: number): boolean {
    const at = this.entries.words[2 + index * 2]!
    if (this.entries.words[3 + index * 2] !== length) return false
    for (let i = 0; i < length; i++) if (this.bytes.bytes[at + i] !== bytes[i]) return false
    return true
  }

  /** The index of a name, new or not; -1 where it is too long or there is no room for more. */
  add(name: string): number {
    const { written: length, read } = encoder.encodeInto(name, scratch)
    if (read < name.length || length > NAME_BYTES_MAX) return -1
    const hash = this.hashOf(scratch, 0, length)
    const known = this.findBytes(scratch, length, hash)
    if (known >= 0) return known
    const index = this.count
    const at = this.entries.words[1]!
    if (index + 1 >= this.entries.recordsMax || at + length > this.bytes.bytes.length) return -1
    if (!this.index.insert(hash, index)) return -1
    for (let i = 0; i < length; i++) {
      this.bytes.touch((at + i) >>> 2)
      this.bytes.bytes[at + i] = scratch[i]!
    }
    this.entries.touch(index + 1)
    this.entries.words[2 + index * 2] = at
    this.entries.words[3 + index * 2] = length
    this.entries.touch(0)
    this.entries.words[0] = index + 1
    this.entries.words[1] = at + length
    return index
  }

  name(index: number): string {
    const at = this.entries.words[2 + index * 2]!
    return decoder.decode(this.bytes.bytes.subarray(at, at + this.entries.words[3 + index * 2]!))
  }

  /** After the arenas were loaded. */
  rebuild(): void {
    for (let index = 0; index < this.count; index++) {
      const at = this.entries.words[2 + index * 2]!
      this.index.insert(this.hashOf(this.bytes.bytes, at, this.entries.words[3 + index * 2]!), index)
    }
  }
}
