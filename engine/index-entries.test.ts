import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

vi.mock('./limits.js', async (original) => ({
  ...(await original<typeof import('./limits.js')>()),
  CHECKPOINT_RING_BYTES: 1024 * 1024,
  CHECKPOINT_DOCUMENTS_PER_STEP: 1,
  CHECKPOINT_ENTRIES_PER_STEP: 2,
}))

const { DrivenStore } = await import('./driven-store.contract.js')
const { KEY_BYTES_MAX } = await import('./limits.js')
const { checkLmdbStructure } = await import('./log/lmdb-structure.js')
const { compareKeys } = await import('./store-format.js')
type Store = InstanceType<typeof DrivenStore>['store']

let driven: InstanceType<typeof DrivenStore>
let store: Store
beforeEach(() => {
  driven = new DrivenStore()
  store = driven.store
})
afterEach(() => driven.dispose())

// Names that begin with one another, and neighbours of the byte that ends a name.
const INDEXES = ['status', 'status/held', 'status/held2', 'status\u0001', 's']
const index = fc.oneof({ weight: 2, arbitrary: fc.constant('status') }, fc.constantFrom(...INDEXES))
const character = fc.constantFrom('a', 'b', '\u0000', '\u0001', 'é', '\ud7ff', '\uffff', '😀')
const entry = fc.oneof(
  // Few enough to come again, many times.
  { weight: 3, arbitrary: fc.constantFrom('a', 'ab', 'é', '😀') },
  fc.string({ unit: character, minLength: 1, maxLength: 2 }),
)
const before = fc.option(fc.string({ unit: character, maxLength: 3 }), { nil: undefined })
const limit = fc.oneof(fc.nat(4), fc.constant(Number.POSITIVE_INFINITY))
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('put' as const), index, entry, tells: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('delete' as const), index, entry }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('range' as const), index, before, limit }) },
  { weight: 3, arbitrary: fc.constant({ do: 'begin' as const }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('continue' as const), refused: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), refused: fc.boolean() }) },
)

type Model = Map<string, Set<string>>
const emptyModel = (): Model => new Map(INDEXES.map((index) => [index, new Set<string>()]))
const copyOfModel = (model: Model): Model => new Map([...model].map(([index, entries]) => [index, new Set(entries)]))

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
const rangeOf = (model: Model, index: string, before?: string, limit = Number.POSITIVE_INFINITY): string[] =>
  [...model.get(index)!]
    .filter((entry) => before === undefined || byBytes(entry, before) < 0)
    .sort((a, b) => byBytes(b, a))
    .slice(0, limit)

const all = (store: Store, index: string): string[] => store.indexRange(index, undefined, Number.POSITIVE_INFINITY)

function expectSame(store: Store, model: Model): void {
  for (const index of INDEXES) expect(all(store, index)).toEqual(rangeOf(model, index))
}

describe('index entries', () => {
  it('are a sorted set, and a checkpoint holds them as they were when it was begun', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 100, size: 'max' }), async (steps) => {
        const driven = new DrivenStore()
        const { store } = driven
        const model = emptyModel()
        let begun = emptyModel()
        let stored = emptyModel()
        const go = (refused: boolean): void => {
          if (store.checkpointing && driven.continue(refused)) stored = begun
        }
        try {
          for (const step of steps) {
            if (step.do === 'put') {
              const entries = model.get(step.index)!
              store.indexPut(step.index, step.entry, step.tells && !entries.has(step.entry))
              entries.add(step.entry)
            } else if (step.do === 'delete') {
              store.indexDelete(step.index, step.entry)
              model.get(step.index)!.delete(step.entry)
            } else if (step.do === 'range') {
              const found = store.indexRange(step.index, step.before, step.limit)
              expect(found).toEqual(rangeOf(model, step.index, step.before, step.limit))
            } else if (step.do === 'begin' && !store.checkpointing) {
              driven.begin()
              begun = copyOfModel(model)
            } else if (step.do === 'continue') go(step.refused)
            else if (step.do === 'end') while (store.checkpointing) go(step.refused)
          }
          expectSame(store, model)
          await driven.reloaded((again) => expectSame(again, stored))
          while (store.checkpointing) go(true)
          expectSame(store, model)
          driven.checkpoint()
          expectSame(store, model)
          await driven.reloaded((again) => expectSame(again, model))
        } finally {
          await driven.dispose()
        }
      }),
      { numRuns: 150 },
    )
  })

  it('are read page by page, from the newest down', () => {
    for (let i = 0; i < 25; i++) store.indexPut('status/held', `2024-01-${10 + i}`)
    driven.checkpoint()
    for (let i = 25; i < 40; i++) store.indexPut('status/held', `2024-01-${10 + i}`)
    const pages: string[][] = []
    for (let page: string[]; ; pages.push(page)) {
      page = store.indexRange('status/held', pages.at(-1)?.at(-1), 10)
      if (page.length === 0) break
    }
    expect(pages.map(({ length }) => length)).toEqual([10, 10, 10, 10])
    expect(pages.flat()).toEqual(Array.from({ length: 40 }, (_, i) => `2024-01-${49 - i}`))
  })

  it('cost a checkpoint nothing where they came and went since the last one', () => {
    store.indexPut('status', 'a', true)
    store.indexDelete('status', 'a')
    expect(driven.wanted()).toEqual({})
    store.indexPut('status', 'a')
    store.indexDelete('status', 'a')
    expect(driven.wanted()).toEqual({ indexDeletion: 1 })
    store.indexPut('status', 'b', true)
    store.indexPut('status', 'b')
    store.indexDelete('status', 'b')
    expect(driven.wanted()).toEqual({ indexDeletion: 1 })
  })

  it('are deleted from the store although they were new in a checkpoint that is still being taken', async () => {
    store.indexPut('status', 'a', true)
    driven.begin()
    store.indexDelete('status', 'a')
    store.indexPut('status', 'a', true)
    store.indexDelete('status', 'a')
    driven.end()
    expect(all(store, 'status')).toEqual([])
    driven.checkpoint()
    await driven.reloaded((again) => expect(all(again, 'status')).toEqual([]))
  })

  it('are deleted from the store although they came back while a checkpoint that failed would have deleted them', () => {
    store.indexPut('status', 'a')
    driven.checkpoint()
    store.indexDelete('status', 'a')
    driven.begin()
    store.indexPut('status', 'a', true)
    driven.end(true)
    store.indexDelete('status', 'a')
    expect(all(store, 'status')).toEqual([])
  })

  it('are found once, however often they came and went between two looks', () => {
    const put = (entry: string): void => store.indexPut('status', entry, true)
    for (const entry of ['a', 'b', 'c', 'd']) put(entry)
    expect(all(store, 'status')).toEqual(['d', 'c', 'b', 'a'])
    for (const entry of ['b', 'b', 'cc', 'cc']) {
      store.indexDelete('status', entry)
      put(entry)
    }
    store.indexDelete('status', 'cc')
    put('cc')
    expect(all(store, 'status')).toEqual(['d', 'cc', 'c', 'b', 'a'])
  })

  it('are neither counted nor read when a store is loaded, and its structure is sound', async () => {
    for (let i = 0; i < 500; i++) store.indexPut(`index ${i % 3}`, `${i}`)
    store.put('document', Buffer.from('x'))
    driven.checkpoint()
    expect(store.watermark).toMatchObject({ pages: 0, documents: 1 })
    expect(checkLmdbStructure(driven.file).faults).toEqual([])
    await driven.reloaded((again) => {
      expect([...again.documents()].map(([key]) => key)).toEqual(['document'])
      expect(all(again, 'index 1')).toHaveLength(167)
    })
  })

  it('are written with a store that is made from nothing', async () => {
    await driven.whole(
      (store) => {
        store.indexPut('status', 'a')
        store.indexPut('status', 'b')
        store.indexDelete('status', 'a')
        store.indexPut('s', 'c', true)
      },
      (store) => expect([all(store, 'status'), all(store, 's')]).toEqual([['b'], ['c']]),
    )
  })

  it('are as long as a key may be, and no longer', async () => {
    const longest = 'é'.repeat((KEY_BYTES_MAX - 2 - 'status'.length) / 2)
    store.indexPut('status', longest)
    store.indexPut('status', longest.slice(1))
    driven.checkpoint()
    await driven.reloaded((again) => {
      expect(all(again, 'status')).toEqual([longest, longest.slice(1)])
      expect(again.indexRange('status', `${longest}x`, 9), 'below what is longer than a key').toHaveLength(2)
      expect(again.indexRange('status', longest, 9)).toHaveLength(1)
    })
    expect(() => store.indexPut('status', `${longest}x`)).toThrow('fits into a key')
    expect(() => store.indexPut('status', '')).toThrow('assertion failed')
    expect(() => store.indexPut('a\u0000b', 'x')).toThrow('an index has a name')
  })
})

describe('the order of keys', () => {
  it('is that of their bytes in UTF-8', () => {
    const text = fc.string({ unit: fc.oneof(character, fc.constantFrom('\ue000', '𝒳', 'z')), maxLength: 4 })
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(byBytes(a, b))
      }),
      { numRuns: 1_000 },
    )
  })
})
