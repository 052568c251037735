import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Arena } from '../../engine/arena.js'
import { KeyedHash } from '../../engine/hash-index.js'
import { NAME_BYTES_MAX } from '../limits.js'
import { Names } from './names.js'

const hash = new KeyedHash(new Uint32Array([1, 2, 3, 4]))
const MAX = 2_000

const name = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', 'A', 'a', 'AB', 'B', 'Ä', 'A\u0308', '😀', '\0'),
)

describe('names', () => {
  it('have their indices for ever, in the order in which they came', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 100, size: 'max' }), (all) => {
        const names = Names.inMemory(MAX, hash)
        const known: string[] = []
        for (const one of all) {
          const expected = known.includes(one) ? known.indexOf(one) : known.push(one) - 1
          expect(names.add(one)).toBe(expected)
        }
        expect(names.count).toBe(known.length)
        for (const [index, one] of known.entries()) {
          expect(names.find(one)).toBe(index)
          expect(names.name(index)).toBe(one)
        }
        for (const one of ['never named', '\u{1F602}', 'x'.repeat(300)]) expect(names.find(one)).toBe(-1)
      }),
    )
  })

  it('are found again once their arenas were loaded', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 50 }), (all) => {
        const arenas = (): [Arena, Arena] => [new Arena(1, 'names', 8, MAX + 1), new Arena(2, 'bytes', 4, MAX * 8)]
        const [entries, bytes] = arenas()
        const names = new Names(entries, bytes, hash)
        for (const one of all) names.add(one)
        const [loadedEntries, loadedBytes] = arenas()
        loadedEntries.bytes.set(entries.bytes)
        loadedBytes.bytes.set(bytes.bytes)
        const again = new Names(loadedEntries, loadedBytes, new KeyedHash(new Uint32Array([9, 8, 7, 6])))
        again.rebuild()
        expect(all.map((one) => again.find(one))).toEqual([...all.keys()])
        expect(again.add('one more')).toBe(all.length)
        expect(again.add(all[0] ?? 'one more')).toBe(0)
      }),
    )
  })

  it('are at most so many bytes long, whatever they are made of', () => {
    const names = Names.inMemory(MAX, hash)
    expect(names.add('x'.repeat(NAME_BYTES_MAX))).toBe(0)
    expect(names.add('x'.repeat(NAME_BYTES_MAX + 1))).toBe(-1)
    expect(names.add('ä'.repeat(NAME_BYTES_MAX / 2))).toBe(1)
    expect(names.add('ä'.repeat(NAME_BYTES_MAX / 2 + 1))).toBe(-1)
    expect(names.add('x'.repeat(100_000))).toBe(-1)
    expect(names.find('x'.repeat(100_000))).toBe(-1)
    expect(names.count).toBe(2)
    expect(names.add('next')).toBe(2)
  })

  it('are at most so many, and the known ones are still found when there is no room', () => {
    const names = Names.inMemory(10, hash)
    for (let i = 0; i < 10; i++) expect(names.add(`n${i}`)).toBe(i)
    expect(names.add('one too many')).toBe(-1)
    expect(names.find('one too many')).toBe(-1)
    expect(names.add('n3')).toBe(3)
    expect(names.count).toBe(10)
  })

  it('can be very many', () => {
    const names = Names.inMemory(100_000, hash)
    const wrong: number[] = []
    for (let i = 0; i < 100_000; i++) if (names.add(`SKU-${i}`) !== i) wrong.push(i)
    for (let i = 0; i < 100_000; i++) if (names.find(`SKU-${i}`) !== i || names.name(i) !== `SKU-${i}`) wrong.push(i)
    expect(wrong).toEqual([])
  })
})
