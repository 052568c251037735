import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

vi.mock('./limits.js', async (original) => ({
  ...(await original<typeof import('./limits.js')>()),
  CHECKPOINT_RING_BYTES: 1024 * 1024,
  CHECKPOINT_DOCUMENTS_PER_STEP: 1,
}))

const { DrivenStore } = await import('./driven-store.contract.js')
const { LiveDocuments } = await import('./live-documents.js')
const { Digest } = await import('./digest.js')
type Store = InstanceType<typeof DrivenStore>['store']

interface Order {
  lines: number[]
}

const KEYS = ['order/a', 'order/b', 'order/c', 'order/d', 'order/e', 'order/é', 'order/😀']
const encode = (order: Order): Uint8Array => Buffer.from(JSON.stringify(order))
const decode = (bytes: Uint8Array): Order => JSON.parse(Buffer.from(bytes).toString()) as Order

/** How often a document was encoded and decoded. */
let encoded = 0
let decoded = 0
const ordersOf = (store: Store, cleanMax: number) =>
  new LiveDocuments<Order>(
    store,
    (order) => {
      encoded++
      return encode(order)
    },
    (bytes) => {
      decoded++
      return decode(bytes)
    },
    cleanMax,
  )

let driven: InstanceType<typeof DrivenStore>
let orders: ReturnType<typeof ordersOf>
beforeEach(() => {
  driven = new DrivenStore()
  orders = ordersOf(driven.store, 2)
  encoded = 0
  decoded = 0
})
afterEach(() => driven.dispose())

/** What a store holds, document by document. */
const held = (store: Store): [string, string][] =>
  [...store.documents()].map(([key, bytes]) => [key, Buffer.from(bytes).toString()])

const digestOf = (store: Store): string => {
  const digest = new Digest()
  for (const [key, bytes] of store.documents()) digest.addDocument(key, bytes)
  return digest.toString()
}

const key = fc.constantFrom(...KEYS)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add' as const), key, line: fc.nat(99) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('change' as const), key, line: fc.nat(99) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('get' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  // What belonged to one document goes on as part of another.
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), key, to: key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('put plainly' as const), line: fc.nat(99) }) },
  { weight: 3, arbitrary: fc.constant({ do: 'begin' as const }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('continue' as const), refused: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), refused: fc.boolean() }) },
)

/** Encoded documents by their keys: what the store is to hold. */
type Model = Map<string, string>
const listed = (model: Model): [string, string][] =>
  [...model].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

describe('live documents', () => {
  it('are what was made of them, and a checkpoint holds them as they were when it was begun', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), fc.nat(4), async (steps, cleanMax) => {
        const driven = new DrivenStore()
        const { store } = driven
        const orders = ordersOf(store, cleanMax)
        const model: Model = new Map()
        let begun: Model = new Map()
        let stored: Model = new Map()
        const text = (order: Order): string => encode(order).toString()
        const go = (refused: boolean): void => {
          if (store.checkpointing && driven.continue(refused)) stored = begun
        }
        try {
          for (const step of steps) {
            if (step.do === 'add') {
              orders.add(step.key, { lines: [step.line] })
              model.set(step.key, text({ lines: [step.line] }))
            } else if (step.do === 'change') {
              const order = orders.change(step.key)
              order?.lines.push(step.line)
              const known = model.get(step.key)
              if (known !== undefined) {
                const { lines } = decode(Buffer.from(known))
                model.set(step.key, text({ lines: [...lines, step.line] }))
              }
              expect(order && text(order)).toBe(model.get(step.key))
            } else if (step.do === 'get') {
              const order = orders.get(step.key)
              expect(order && text(order)).toBe(model.get(step.key))
            } else if (step.do === 'delete') {
              orders.delete(step.key)
              model.delete(step.key)
            } else if (step.do === 'move') {
              const order = orders.change(step.key)
              if (!order || step.key === step.to) continue
              orders.delete(step.key)
              order.lines.push(7)
              orders.add(step.to, order)
              model.set(step.to, text(order))
              model.delete(step.key)
            } else if (step.do === 'put plainly') {
              store.put('plain', Buffer.from(`${step.line}`))
              model.set('plain', `${step.line}`)
            } else if (step.do === 'begin' && !store.checkpointing) {
              driven.begin()
              begun = new Map(model)
            } else if (step.do === 'continue') go(step.refused)
            else if (step.do === 'end') while (store.checkpointing) go(step.refused)
            for (const [key, known] of model) expect(Buffer.from(store.get(key)!).toString()).toBe(known)
          }
          expect(held(store)).toEqual(listed(model))
          expect(KEYS.map((key) => orders.get(key) !== undefined)).toEqual(KEYS.map((key) => model.has(key)))
          await driven.reloaded((again) => expect(held(again)).toEqual(listed(stored)))
          const digest = digestOf(store)
          while (store.checkpointing) go(true)
          driven.checkpoint()
          await driven.reloaded((again) => expect(digestOf(again)).toBe(digest))
          expect(digestOf(store)).toBe(digest)
        } finally {
          await driven.dispose()
        }
      }),
      { numRuns: 100 },
    )
  })

  it('are encoded once for each checkpoint, however often they change', () => {
    orders.add('order/a', { lines: [] })
    for (let line = 0; line < 7; line++) orders.change('order/a')!.lines.push(line)
    driven.checkpoint()
    expect(encoded).toBe(1)
    for (let line = 0; line < 7; line++) orders.change('order/a')!.lines.push(line)
    driven.checkpoint()
    expect([encoded, decoded]).toEqual([2, 0])
    expect(driven.wanted()).toEqual({})
  })

  it('are encoded before they change only where a checkpoint has still to take them', () => {
    for (const key of KEYS.slice(0, 2)) orders.add(key, { lines: [] })
    driven.begin()
    driven.continue()
    expect(encoded, 'the first was handed over').toBe(1)
    orders.change('order/a')!.lines.push(1)
    expect(encoded).toBe(1)
    orders.change('order/b')!.lines.push(1)
    orders.change('order/b')!.lines.push(2)
    expect(encoded).toBe(2)
    driven.end()
    expect(encoded).toBe(2)
  })

  it('go with the next checkpoint where the disk refused one', async () => {
    for (const key of KEYS) orders.add(key, { lines: [1] })
    driven.begin()
    for (let i = 0; i < 3; i++) driven.continue()
    orders.change('order/a')!.lines.push(2)
    orders.change('order/e')!.lines.push(2)
    orders.delete('order/b')
    driven.end(true)
    await driven.reloaded((again) => expect(held(again)).toEqual([]))
    expect(driven.wanted()).toEqual({ document: KEYS.length - 1, deletion: 1 })
    const before = held(driven.store)
    driven.checkpoint()
    await driven.reloaded((again) => expect(held(again)).toEqual(before))
    expect(before).toContainEqual(['order/e', '{"lines":[1,2]}'])
  })

  it('stay the same object from reading to changing, and are forgotten when so many others were used', () => {
    for (const key of KEYS) orders.add(key, { lines: [] })
    driven.checkpoint()
    const [a, b] = [orders.get('order/a'), orders.get('order/b')]
    expect(decoded).toBe(2)
    expect(orders.change('order/a')).toBe(a)
    driven.checkpoint()
    expect(orders.get('order/b')).toBe(b)
    orders.get('order/c')
    expect(orders.get('order/b'), 'was used later than the first').toBe(b)
    expect(orders.get('order/a')).not.toBe(a)
    expect(decoded).toBe(4)
  })

  it('are not forgotten before their checkpoint is durable', () => {
    const none = ordersOf(driven.store, 0)
    none.add('order/a', { lines: [1] })
    const order = none.get('order/a')
    driven.begin()
    driven.continue()
    expect(none.get('order/a')).toBe(order)
    expect(none.change('order/a')).toBe(order)
    driven.end()
    driven.checkpoint()
    expect(none.get('order/a')).toEqual(order)
    expect(none.get('order/a')).not.toBe(order)
  })

  it('are read where somebody put their bytes, as resharding does', () => {
    driven.store.put('order/a', encode({ lines: [3] }))
    orders.change('order/a')!.lines.push(4)
    expect(held(driven.store)).toEqual([['order/a', '{"lines":[3,4]}']])
  })

  it('are written with a store that is made from nothing', async () => {
    await driven.whole(
      (store) => {
        const orders = ordersOf(store, 2)
        orders.add('order/a', { lines: [1] })
        orders.add('order/b', { lines: [] })
        orders.delete('order/b')
        store.put('plain', Buffer.from('x'))
      },
      (store) => {
        expect(held(store)).toEqual([
          ['order/a', '{"lines":[1]}'],
          ['plain', 'x'],
        ])
        expect(store.watermark!.documents).toBe(2)
      },
    )
  })

  it('belong to those who made them', () => {
    orders.add('order/a', { lines: [] })
    const others = new LiveDocuments<{ name: string }>(
      driven.store,
      () => Buffer.from(''),
      () => ({ name: '' }),
      1,
    )
    expect(() => others.get('order/a')).toThrow('assertion failed')
    expect(() => others.change('order/a')).toThrow('assertion failed')
  })
})
