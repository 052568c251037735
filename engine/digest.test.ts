import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Digest } from './digest.js'

type Entity = { words: number[] } | { key: string; content: Uint8Array }

const word = fc.integer({ min: 0, max: 0xffff_ffff })
const entity: fc.Arbitrary<Entity> = fc.oneof(
  fc.record({ words: fc.array(word, { minLength: 1, maxLength: 14 }) }),
  fc.record({ key: fc.string(), content: fc.uint8Array({ maxLength: 40 }) }),
)
const entities = fc.array(entity, { maxLength: 30 })

function digestOf(entities: Entity[]): string {
  const digest = new Digest()
  for (const entity of entities) {
    if ('words' in entity) digest.addWords(7, entity.words, 0, entity.words.length)
    else digest.addDocument(entity.key, entity.content)
  }
  return digest.toString()
}

describe('a digest', () => {
  it('does not depend on the order', () => {
    fc.assert(
      fc.property(
        entities.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          expect(digestOf(shuffled)).toBe(digestOf(all))
        },
      ),
    )
  })

  it('of a whole is the sum of those of its parts', () => {
    fc.assert(
      fc.property(fc.array(entities, { maxLength: 4 }), (parts) => {
        const total = new Digest()
        for (const part of parts) total.addDigest(digestOf(part))
        expect(total.toString()).toBe(digestOf(parts.flat()))
      }),
    )
  })

  it('changes with any bit of any word, and with the kind', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 14 }), fc.nat(13), fc.nat(31), (words, at, bit) => {
        const of = (kind: number, some: number[]): string => {
          const digest = new Digest()
          digest.addWords(kind, some, 0, some.length)
          return digest.toString()
        }
        const flipped = words.map((value, i) => (i === at % words.length ? (value ^ (1 << bit)) >>> 0 : value))
        expect(of(1, flipped)).not.toBe(of(1, words))
        expect(of(2, words)).not.toBe(of(1, words))
      }),
      { numRuns: 500 },
    )
  })

  it('tells records of a table apart that differ in little', () => {
    const seen = new Set<string>()
    for (let a = 0; a < 100; a++) for (let b = 0; b < 100; b++) seen.add(digestOf([{ words: [a, b, 0, 0] }]))
    expect(seen.size).toBe(10_000)
  })

  it('changes where two entities exchange a part', () => {
    expect(digestOf([{ words: [1, 5] }, { words: [2, 6] }])).not.toBe(digestOf([{ words: [1, 6] }, { words: [2, 5] }]))
    const bytes = (text: string): Uint8Array => Buffer.from(text)
    const [one, other] = [
      { key: 'a', content: bytes('x') },
      { key: 'b', content: bytes('y') },
    ]
    expect(digestOf([one, other])).not.toBe(
      digestOf([
        { ...one, content: other.content },
        { ...other, content: one.content },
      ]),
    )
  })

  it('tells where a key ends and its content begins', () => {
    const bytes = (text: string): Uint8Array => Buffer.from(text)
    expect(digestOf([{ key: 'ab', content: bytes('c') }])).not.toBe(digestOf([{ key: 'a', content: bytes('bc') }]))
  })

  it('counts an entity each time', () => {
    const twice = digestOf([{ words: [1, 2] }, { words: [1, 2] }])
    expect(twice).not.toBe(digestOf([{ words: [1, 2] }]))
    expect(twice).not.toBe(digestOf([]))
  })

  it('is sixteen hexadecimal digits, and those of nothing are nought', () => {
    expect(digestOf([])).toBe('0'.repeat(16))
    fc.assert(
      fc.property(entities, (all) => {
        expect(digestOf(all)).toMatch(/^[0-9a-f]{16}$/)
      }),
    )
  })

  it('looks at the words from where it is told', () => {
    const digest = new Digest()
    digest.addWords(7, [9, 9, 1, 2, 9], 2, 2)
    expect(digest.toString()).toBe(digestOf([{ words: [1, 2] }]))
    expect(digest.entities).toBe(1)
  })
})
