/**
 * An index from a 32-bit hash to record numbers: extendible hashing over segments of open addressing. It grows by
 * splitting one full segment, a few microseconds, never by a rehash of the whole, which would be a pause that every
 * buyer feels. The hash stands beside the record number, so a miss reads no record.
 *
 *   segment   1,024 entries of two words: hash · record + 1 (0: empty); linear probing, at most 3/4 full
 *   directory 2^depth words: segment number by the hash's top bits
 *
 * It is derived from the records and rebuilt at recovery; its layout never decides what is answered.
 */
import { assert } from './assert.js'
import { WarmMemory } from './warm-memory.js'

const SEGMENT_SHIFT = 10
const SEGMENT_ENTRIES = 1 << SEGMENT_SHIFT
const SEGMENT_MASK = SEGMENT_ENTRIES - 1
const SEGMENT_FULL = (SEGMENT_ENTRIES * 3) / 4
/** A directory deeper than this cannot tell hashes apart any more; what remains equal is one flooded segment. */
const DEPTH_MAX = 22
/** The old entries of the segment that is being split; one split at a time in a thread. */
const old = new Uint32Array(SEGMENT_ENTRIES * 2)

export class HashIndex {
  private readonly words: Uint32Array
  private directory = new Uint32Array(1)
  private depth = 0
  private segments = 1
  private readonly segmentDepth: Uint8Array
  private readonly segmentCount: Uint16Array
  private readonly warmMemory: WarmMemory

  constructor(recordsMax: number) {
    // A split leaves two segments at least 3/8 full on average; room is address space, taken as it is touched.
    const segmentsMax = Math.ceil(recordsMax / (SEGMENT_ENTRIES * 0.3)) + 16
    this.words = new Uint32Array(segmentsMax * SEGMENT_ENTRIES * 2)
    this.segmentDepth = new Uint8Array(segmentsMax)
    this.segmentCount = new Uint16Array(segmentsMax)
    this.warmMemory = new WarmMemory(this.words)
  }

  /** Touches memory for `records` more, a few system pages at a time; false where there is nothing left to do. */
  warm(records: number, pages: number): boolean {
    const ahead = Math.ceil(records / (SEGMENT_ENTRIES * 0.5))
    return this.warmMemory.warm((this.segments + ahead) * SEGMENT_ENTRIES * 2, pages)
  }

  /** First entry to look at for `hash`: walk with `recordAt` / `next` until `recordAt` gives -1. */
  first(hash: number): number {
    const segment = this.directory[this.depth === 0 ? 0 : hash >>> (32 - this.depth)]!
    return (segment << SEGMENT_SHIFT) | (hash & SEGMENT_MASK)
  }

  next(entry: number): number {
    return (entry & ~SEGMENT_MASK) | ((entry + 1) & SEGMENT_MASK)
  }

  /** The record at `entry`, or -1 where the entry is empty and the walk ends. */
  recordAt(entry: number): number {
    return this.words[entry * 2 + 1]! - 1
  }

  hashAt(entry: number): number {
    return this.words[entry * 2]!
  }

  /** False where so many ids share a hash that nothing can be added: refuse the record. */
  insert(hash: number, record: number): boolean {
    for (;;) {
      const start = this.first(hash)
      const segment = start >>> SEGMENT_SHIFT
      if (this.segmentCount[segment]! < SEGMENT_FULL) {
        this.place(start, hash, record)
        this.segmentCount[segment]!++
        return true
      }
      if (!this.split(segment)) return false
    }
  }

  private place(start: number, hash: number, record: number): void {
    let entry = start
    while (this.words[entry * 2 + 1] !== 0) entry = this.next(entry)
    this.words[entry * 2] = hash
    this.words[entry * 2 + 1] = record + 1
  }

  /** Removes the entry of `record`; the entries behind it move up, so no tombstones pile up. */
  remove(hash: number, record: number): void {
    let hole = this.first(hash)
    while (this.words[hole * 2 + 1] !== record + 1) {
      assert(this.words[hole * 2 + 1] !== 0, 'the record to remove is in the index')
      hole = this.next(hole)
    }
    this.segmentCount[hole >>> SEGMENT_SHIFT]!--
    let entry = hole
    for (;;) {
      entry = this.next(entry)
      if (this.words[entry * 2 + 1] === 0) break
      const home = this.words[entry * 2]! & SEGMENT_MASK
      // It may move into the hole only where its own home does not lie behind the hole.
      if (((entry - home) & SEGMENT_MASK) >= ((entry - hole) & SEGMENT_MASK)) {
        this.words[hole * 2] = this.words[entry * 2]!
        this.words[hole * 2 + 1] = this.words[entry * 2 + 1]!
        hole = entry
      }
    }
    this.words[hole * 2] = 0
    this.words[hole * 2 + 1] = 0
  }

  /** Parts a full segment in two by the next bit of the hash. */
  private split(segment: number): boolean {
    const depth = this.segmentDepth[segment]!
    if (depth === DEPTH_MAX || this.segments === this.segmentDepth.length) return false
    if (depth === this.depth) this.doubleDirectory()
    const fresh = this.segments++
    this.segmentDepth[segment] = depth + 1
    this.segmentDepth[fresh] = depth + 1
    const bit = 0x8000_0000 >>> depth

    const base = segment << SEGMENT_SHIFT
    old.set(this.words.subarray(base * 2, (base + SEGMENT_ENTRIES) * 2))
    // The directory's entries of the old segment are one run; its upper half now belongs to the new one.
    const anyHash = old[old.findIndex((word, i) => i % 2 === 1 && word !== 0) - 1]!
    const run = 1 << (this.depth - depth)
    const from = depth === 0 ? 0 : (anyHash >>> (32 - depth)) << (this.depth - depth)
    this.directory.fill(fresh, from + run / 2, from + run)

    this.words.fill(0, base * 2, (base + SEGMENT_ENTRIES) * 2)
    this.segmentCount[segment] = 0
    for (let i = 0; i < SEGMENT_ENTRIES; i++) {
      const record = old[i * 2 + 1]!
      if (record === 0) continue
      const hash = old[i * 2]!
      const target = (hash & bit) !== 0 ? fresh : segment
      this.place((target << SEGMENT_SHIFT) | (hash & SEGMENT_MASK), hash, record - 1)
      this.segmentCount[target]!++
    }
    return true
  }

  private doubleDirectory(): void {
    const wider = new Uint32Array(this.directory.length * 2)
    for (let i = 0; i < this.directory.length; i++) wider.fill(this.directory[i]!, i * 2, i * 2 + 2)
    this.directory = wider
    this.depth++
  }
}

/**
 * A keyed 32-bit hash of up to four words: two multilinear hashes over pairs of their 16-bit halves, of each the upper
 * half, which is universal (MULTILINEAR-HM of Lemire and Kaser, "Strongly universal string hashing is fast", 2014): whoever does not know the keys
 * cannot choose ids that meet in one segment. The keys are drawn anew by each process; nothing that is answered depends
 * on them.
 */
export class KeyedHash {
  private readonly keys: Int32Array

  constructor(seed: Uint32Array) {
    this.keys = Int32Array.from({ length: 16 }, (_, i) => mixed(seed[i & 3]! ^ Math.imul(i + 1, 0x9e37_79b9)))
  }

  of(w0: number, w1: number, w2: number, w3: number): number {
    const { keys } = this
    const a = w0 & 0xffff
    const b = w0 >>> 16
    const c = w1 & 0xffff
    const d = w1 >>> 16
    const e = w2 & 0xffff
    const f = w2 >>> 16
    const g = w3 & 0xffff
    const h = w3 >>> 16
    // Each sum is cut to 32 bits at once, or the processor would add doubles.
    const high =
      (((Math.imul((a + keys[0]!) | 0, (b + keys[1]!) | 0) + Math.imul((c + keys[2]!) | 0, (d + keys[3]!) | 0)) | 0) +
        ((Math.imul((e + keys[4]!) | 0, (f + keys[5]!) | 0) + Math.imul((g + keys[6]!) | 0, (h + keys[7]!) | 0)) | 0)) |
      0
    const low =
      (((Math.imul((a + keys[8]!) | 0, (b + keys[9]!) | 0) + Math.imul((c + keys[10]!) | 0, (d + keys[11]!) | 0)) | 0) +
        ((Math.imul((e + keys[12]!) | 0, (f + keys[13]!) | 0) + Math.imul((g + keys[14]!) | 0, (h + keys[15]!) | 0)) |
          0)) |
      0
    return ((high & 0xffff_0000) | (low >>> 16)) >>> 0
  }
}

/** Spreads every bit of a word over all (the finalizer of MurmurHash3). */
function mixed(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35)
  return h ^ (h >>> 16)
}
