import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

vi.mock('../limits.js', async (original) => ({
  ...(await original<typeof import('../limits.js')>()),
  SKUS_MAX: 1_024,
  STOCK_BLOCKS_MAX: 64,
  RESERVATIONS_MAX: 1_024,
  CHANNELS_MAX: 64,
  POOLS_MAX: 64,
  BUYERS_MAX: 256,
  OPEN_ORDERS_MAX: 1_024,
}))
vi.mock('../../engine/limits.js', async (original) => ({
  ...(await original<typeof import('../../engine/limits.js')>()),
  CHECKPOINT_RING_BYTES: 1024 * 1024,
}))

const { DrivenPartition } = await import('../../engine/driven-partition.contract.js')
const { command, frame, namedRecord, replies, reserveRecord } = await import('./inventory-sequences.contract.js')
const { ALL } = await import('./pools.js')
const { ANY_LOCATION, Operation, Status } = await import('./wire.js')
const { createActors } = await import('../main.js')
type Driven = InstanceType<typeof DrivenPartition>

const NOW = 1_700_000_000_000
const OPENS = NOW + 10_000
const CLOSES = NOW + 20_000

let partition: Driven
let ids: number
beforeEach(() => {
  ids = 0
  partition = new DrivenPartition({ createActors })
  const product = { index: 0, sku: 'A', product: { name: 'A' } }
  const place = { index: 0, id: 'W', location: { active: true, priority: 0 } }
  const count = { sku: 0, location: 0, onHand: 10, safetyStock: 0 }
  partition.run(NOW, [
    command('product.put', { items: [product] }),
    command('location.put', place),
    command('inventory.count', { items: [count] }),
  ])
})
afterEach(() => partition.dispose())

function putSale(changes: object = {}): void {
  const terms = { id: 's', name: 's', opensAtMs: OPENS, closesAtMs: CLOSES, limitPerBuyer: 0, channels: [] }
  const sale = { ...terms, items: [{ sku: 0, quantity: 4 }], ...changes }
  const [answer] = partition.run(partition.state.timeMs, [command('sale.put', sale)]).answers
  expect(answer!.outcome!.status).toBe(200)
}

/** What somebody is answered who asks for so many at a time; timers have run by then, as they do. */
function ask(timeMs: number, quantity: number, { buyer = 0n, channel = 0 } = {}): number {
  while (partition.state.actors.isDue(timeMs)) partition.run(timeMs, [{ kind: 'advance' }])
  const line = { id: `r${ids++}`, sku: 0, quantity, ttlSeconds: 900, location: ANY_LOCATION, buyer, channel }
  const [answer] = partition.run(timeMs, [frame(Operation.reserve, [reserveRecord(line)])]).answers
  const [reply] = replies(answer!)
  // Given back at once, so that one question does not change the next answer.
  partition.run(timeMs, [frame(Operation.release, [namedRecord(line.id, 0)])])
  return reply!.status
}

const taken = (): unknown => partition.query(NOW, 'sale.taken', { id: 's' }).body

describe('a sale', () => {
  it.each([
    ['a millisecond before it opens', OPENS - 1, Status.done, Status.done, Status.saleClosed],
    ['as it opens', OPENS, Status.buyerLimit, Status.insufficientStock, Status.insufficientStock],
    [
      'a millisecond before it closes',
      CLOSES - 1,
      Status.buyerLimit,
      Status.insufficientStock,
      Status.insufficientStock,
    ],
    ['as it closes', CLOSES, Status.done, Status.done, Status.done],
    ['a millisecond after it', CLOSES + 1, Status.done, Status.done, Status.done],
  ])('sets apart, limits and serves by its own time: %s', (_when, timeMs, limited, more, nearlyAll) => {
    putSale({ limitPerBuyer: 1 })
    expect(ask(timeMs, 2, { buyer: 7n }), 'two for one buyer').toBe(limited)
    putSale({ limitPerBuyer: 0 })
    expect(ask(timeMs, 6), 'what is not set apart').toBe(more)
    expect(ask(timeMs, 7), 'one more than is not set apart').toBe(nearlyAll)
  })

  it('gives those of its channels what is set apart, and others the rest', () => {
    putSale({ channels: [3] })
    expect(ask(OPENS, 4, { channel: 3 })).toBe(Status.done)
    expect(ask(OPENS, 5, { channel: 3 })).toBe(Status.insufficientStock)
    expect(ask(OPENS, 6, { channel: 2 })).toBe(Status.done)
    expect(ask(OPENS, 7, { channel: 2 })).toBe(Status.saleClosed)
    expect(ask(OPENS, 11, { channel: 2 })).toBe(Status.insufficientStock)
  })

  it('of the whole stock leaves nothing to others before it opens', () => {
    putSale({ items: [{ sku: 0, quantity: ALL }] })
    expect(ask(OPENS - 1, 1)).toBe(Status.saleClosed)
    expect(ask(OPENS, 10)).toBe(Status.done)
    expect(ask(OPENS, 11)).toBe(Status.insufficientStock)
    expect(ask(CLOSES, 10)).toBe(Status.done)
  })

  it('counts what was taken out of it until it is given back, also after it has closed', () => {
    putSale()
    const line = { id: 'r99', sku: 0, quantity: 3, ttlSeconds: 900, location: ANY_LOCATION, buyer: 0n, channel: 0 }
    partition.run(OPENS, [frame(Operation.reserve, [reserveRecord(line)])])
    expect(taken()).toEqual({ items: [{ sku: 0, taken: 3 }] })
    expect(ask(OPENS, 1)).toBe(Status.done)
    expect(ask(OPENS, 2)).toBe(Status.insufficientStock)
    expect(ask(CLOSES + 100, 7)).toBe(Status.done)
    expect(taken()).toEqual({ items: [{ sku: 0, taken: 3 }] })
    partition.run(CLOSES + 200, [frame(Operation.release, [namedRecord('r99', 0)])])
    expect(taken()).toEqual({ items: [{ sku: 0, taken: 0 }] })
  })

  it('keeps what was taken out of it when it is changed while it runs', () => {
    putSale()
    const line = { id: 'r99', sku: 0, quantity: 3, ttlSeconds: 900, location: ANY_LOCATION, buyer: 7n, channel: 0 }
    partition.run(OPENS, [frame(Operation.reserve, [reserveRecord(line)])])
    putSale({ items: [{ sku: 0, quantity: 5 }], limitPerBuyer: 4 })
    expect(taken()).toEqual({ items: [{ sku: 0, taken: 3 }] })
    expect(ask(OPENS, 1, { buyer: 7n })).toBe(Status.done)
    expect(ask(OPENS, 2, { buyer: 7n })).toBe(Status.buyerLimit)
    expect(ask(OPENS, 2, { buyer: 8n })).toBe(Status.done)
    expect(ask(OPENS, 3, { buyer: 8n })).toBe(Status.insufficientStock)
    expect(partition.state.actors.check()).toEqual([])
  })

  it('tells of its closing once, also where another sale of the SKU is put at that very time', () => {
    putSale()
    partition.run(CLOSES, [])
    putSale({ id: 't', opensAtMs: CLOSES, closesAtMs: CLOSES + 10_000 })
    const { events } = partition.run(CLOSES + 64, [{ kind: 'advance' }])
    expect(events.map(({ type, data }) => [type, data])).toEqual([['sale.closed', { sale: 's', sku: 0 }]])
    expect(partition.run(CLOSES + 128, [{ kind: 'advance' }]).events).toEqual([])
  })
})
