import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HashIndex, KeyedHash } from './hash-index.js'

/** All records that a walk from a hash finds under it. */
function found(index: HashIndex, hash: number): number[] {
  const records: number[] = []
  for (let entry = index.first(hash); index.recordAt(entry) >= 0; entry = index.next(entry)) {
    if (index.hashAt(entry) === hash) records.push(index.recordAt(entry))
  }
  return records.sort((a, b) => a - b)
}

/** Inserts and removals beside a plain map from record to hash; after each, what is looked for is found. */
function compare(recordsMax: number, operations: { insert: boolean; record: number; hash: number }[]): void {
  const index = new HashIndex(recordsMax)
  const hashOf = new Map<number, number>()
  for (const { insert, record, hash } of operations) {
    const known = hashOf.get(record)
    if (insert && known === undefined) {
      expect(index.insert(hash, record)).toBe(true)
      hashOf.set(record, hash)
    } else if (!insert && known !== undefined) {
      index.remove(known, record)
      hashOf.delete(record)
    }
  }
  const byHash = new Map<number, number[]>()
  for (const [record, hash] of hashOf) byHash.set(hash, [...(byHash.get(hash) ?? []), record])
  for (const [hash, records] of byHash) expect(found(index, hash)).toEqual(records.sort((a, b) => a - b))
  for (const { hash } of operations) if (!byHash.has(hash)) expect(found(index, hash)).toEqual([])
}

const hashes = {
  spread: fc.integer({ min: 0, max: 0xffff_ffff }),
  /** All in one place of a segment, and in one segment until it is split very often. */
  crowded: fc.integer({ min: 0, max: 0x3ff }).map((low) => (0xabcd_e000 | (low & 0x7)) >>> 0),
  /** At the very ends of segments, where the walk turns round. */
  ends: fc.integer({ min: 0, max: 15 }).map((n) => ((n << 28) | 0x3ff) >>> 0),
}

describe('the hash index', () => {
  for (const [name, hash] of Object.entries(hashes)) {
    it(`finds what a map finds (${name} hashes)`, () => {
      const operation = fc.record({ insert: fc.boolean(), record: fc.nat(400), hash })
      fc.assert(
        fc.property(fc.array(operation, { maxLength: 400, size: 'max' }), (operations) => compare(4_096, operations)),
        { numRuns: 60 },
      )
    })
  }

  it('splits until all have room, and finds and removes each of many', () => {
    const index = new HashIndex(200_000)
    const hash = new KeyedHash(new Uint32Array([1, 2, 3, 4]))
    const hashes = Array.from({ length: 100_000 }, (_, record) => hash.of(record, 0, 7, record >>> 3))
    const refused = hashes.filter((value, record) => !index.insert(value, record))
    expect(refused).toEqual([])
    const isThere = (record: number): boolean => found(index, hashes[record]!).includes(record)
    const all = [...hashes.keys()]
    expect(all.filter((record) => !isThere(record))).toEqual([])
    const kept = (record: number): boolean => record % 3 === 0
    for (const record of all) if (!kept(record)) index.remove(hashes[record]!, record)
    expect(all.filter((record) => isThere(record) !== kept(record))).toEqual([])
  })

  it('splits a segment whose hashes share all their first bits', () => {
    const index = new HashIndex(20_000)
    // 12 equal bits at the top, then all different: a dozen splits in which one half stays empty.
    const hashOf = (record: number): number => (0xfff0_0000 | (record << 8)) >>> 0
    for (let record = 0; record < 2_000; record++) expect(index.insert(hashOf(record), record)).toBe(true)
    for (let record = 0; record < 2_000; record++) expect(found(index, hashOf(record))).toEqual([record])
  })

  it('refuses, and still finds all that it has, where more hashes are equal than a segment holds', () => {
    const index = new HashIndex(100_000)
    const taken: number[] = []
    for (let record = 0; record < 1_000; record++) if (index.insert(0x1234_5678, record)) taken.push(record)
    expect(found(index, 0x1234_5678)).toEqual(taken)
    expect(taken.length).toBeGreaterThanOrEqual(768)
    for (let record = 2_000; record < 3_000; record++) {
      expect(index.insert((record * 0x9e37_79b1) >>> 0, record), 'others are not refused').toBe(true)
    }
  })

  it('does not lose others when one of a run is removed', () => {
    // Three that share a place, one that follows them, one whose own place lies between.
    const all = [5, 5, 5, 6, 7]
    for (let gone = 0; gone < all.length; gone++) {
      const index = new HashIndex(100)
      for (const [record, hash] of all.entries()) index.insert(hash, record)
      index.remove(all[gone]!, gone)
      for (const [record, hash] of all.entries()) expect(found(index, hash).includes(record)).toBe(record !== gone)
    }
  })

  it('asserts where a record to remove is not there', () => {
    const index = new HashIndex(100)
    index.insert(1, 1)
    expect(() => index.remove(1, 2)).toThrow('assertion failed')
  })
})

describe('the keyed hash', () => {
  const seed = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => new Uint32Array(bytes.slice().buffer))
  const word = fc.integer({ min: 0, max: 0xffff_ffff })

  it('gives ids that differ only a little different hashes', () => {
    fc.assert(
      fc.property(seed, fc.tuple(word, word, word, word), (seed, [a, b, c, d]) => {
        const hash = new KeyedHash(seed)
        const seen = new Set<number>()
        for (let bit = 0; bit < 32; bit++) {
          const flip = (1 << bit) >>> 0
          seen.add(hash.of((a ^ flip) >>> 0, b, c, d))
          seen.add(hash.of(a, (b ^ flip) >>> 0, c, d))
          seen.add(hash.of(a, b, (c ^ flip) >>> 0, d))
          seen.add(hash.of(a, b, c, (d ^ flip) >>> 0))
        }
        expect(seen.size).toBeGreaterThan(126)
      }),
    )
  })

  /**
   * Whoever can choose ids must not be able to choose ids that meet, whatever the key is: a segment that is flooded
   * refuses others, and differently after a restart with another key.
   */
  it('has no ids that meet under every key', () => {
    // A difference in the highest bits of one word that the next word takes back once the first was mixed in.
    const mixers = [15, 13, 16]
    fc.assert(
      fc.property(seed, fc.nat(2), fc.tuple(word, word, word, word), (seed, first, base) => {
        const hash = new KeyedHash(seed)
        const seen = new Set<number>()
        for (let i = 0; i < 32; i++) {
          for (let j = 0; j < 32; j++) {
            const words = [...base] as [number, number, number, number]
            const back = (j << 27) >>> 0
            words[first] = (words[first]! ^ (i << 27)) >>> 0
            words[first + 1] = (words[first + 1]! ^ back ^ (back >>> mixers[first]!)) >>> 0
            seen.add(hash.of(...words))
          }
        }
        expect(seen.size, 'different hashes of 1,024 different ids').toBeGreaterThan(1_000)
      }),
      { numRuns: 20 },
    )
  })
})
