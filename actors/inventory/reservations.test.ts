import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

vi.mock('../limits.js', async (original) => ({
  ...(await original<typeof import('../limits.js')>()),
  SKUS_MAX: 1_024,
  STOCK_BLOCKS_MAX: 64,
  RESERVATIONS_MAX: 4,
  ENDED_KEPT: 3,
  CHANNELS_MAX: 64,
  POOLS_MAX: 64,
  BUYERS_MAX: 256,
  OPEN_ORDERS_MAX: 1_024,
}))
vi.mock('../../engine/limits.js', async (original) => ({
  ...(await original<typeof import('../../engine/limits.js')>()),
  CHECKPOINT_RING_BYTES: 1024 * 1024,
}))

const { differences, DrivenPartition } = await import('../../engine/driven-partition.contract.js')
const { command, frame, namedRecord, replies, reserveRecord } = await import('./inventory-sequences.contract.js')
const { ANY_LOCATION, NO_LOCATION, Operation, Status } = await import('./wire.js')
const { createActors } = await import('../main.js')
type Driven = InstanceType<typeof DrivenPartition>

const NOW = 1_700_000_000_000
const LINE = { id: 'r1', sku: 0, quantity: 2, ttlSeconds: 60, location: ANY_LOCATION, buyer: 7n, channel: 0 }

let partition: Driven
beforeEach(() => {
  partition = new DrivenPartition({ createActors })
  const product = (index: number) => ({ index, sku: `SKU-${index}`, product: { name: 'Thing' } })
  const place = (index: number) => ({ index, id: `W${index}`, location: { active: true, priority: index } })
  const count = (sku: number, location: number) => ({ sku, location, onHand: 10, safetyStock: 0 })
  partition.run(NOW, [
    command('product.put', { items: [product(0), product(1)] }),
    command('location.put', place(0)),
    command('location.put', place(1)),
    command('inventory.count', { items: [count(0, 0), count(0, 1), count(1, 0)] }),
  ])
})
afterEach(() => partition.dispose())

function one(timeMs: number, operation: number, record: Buffer) {
  const [answer] = partition.run(timeMs, [frame(operation, [record])]).answers
  return replies(answer!)[0]!
}
const reserve = (changes: Partial<typeof LINE> = {}, timeMs = NOW) =>
  one(timeMs, Operation.reserve, reserveRecord({ ...LINE, ...changes }))
const confirm = (timeMs = NOW, id = LINE.id, sku = 0) => one(timeMs, Operation.confirm, namedRecord(id, sku))
const release = (timeMs = NOW, id = LINE.id, sku = 0) => one(timeMs, Operation.release, namedRecord(id, sku))
const letTimersRun = (timeMs: number): void => {
  while (partition.state.actors.isDue(timeMs)) partition.run(timeMs, [{ kind: 'advance' }])
}
const HELD = { status: Status.done, replayed: false, location: 0, remaining: 18 }

describe('the id of a reservation', () => {
  it('gives the first answer again, whatever has happened to the stock since', () => {
    expect(reserve()).toEqual(HELD)
    reserve({ id: 'r2', quantity: 5 })
    expect(reserve()).toEqual({ ...HELD, replayed: true })
    partition.run(NOW, [command('location.put', { index: 0, id: 'W0', location: { active: false, priority: 0 } })])
    expect(reserve()).toEqual({ ...HELD, replayed: true })
  })

  it.each([
    ['another SKU', { sku: 1 }],
    ['another quantity', { quantity: 3 }],
    ['another time to live', { ttlSeconds: 61 }],
    ['another buyer', { buyer: 8n }],
    ['a buyer that differs in its upper half', { buyer: 7n + (1n << 32n) }],
    ['no buyer', { buyer: 0n }],
    ['the location that it was in fact given', { location: 0 }],
    ['another location', { location: 1 }],
  ])('is a conflict with %s, and changes nothing', (_what, changes) => {
    reserve()
    expect(reserve(changes)).toMatchObject({ status: Status.conflict, replayed: false, location: NO_LOCATION })
    expect(reserve()).toEqual({ ...HELD, replayed: true })
  })

  it.each([
    ['another location', { location: 1 }],
    ['any location', { location: ANY_LOCATION }],
  ])('that asked for one location is a conflict with %s', (_what, changes) => {
    reserve({ location: 0 })
    expect(reserve(changes)).toMatchObject({ status: Status.conflict })
  })

  it('takes the time to live that is said and the default as the same', () => {
    expect(reserve({ ttlSeconds: 0 })).toEqual(HELD)
    expect(reserve({ ttlSeconds: 900 })).toEqual({ ...HELD, replayed: true })
  })

  it('is free again after a refusal', () => {
    expect(reserve({ quantity: 11 })).toMatchObject({ status: Status.insufficientStock, remaining: 20 })
    expect(reserve()).toEqual(HELD)
  })

  it('keeps its first answer after it has ended, until it is forgotten', () => {
    reserve()
    release()
    expect(reserve()).toEqual({ ...HELD, replayed: true })
    for (const id of ['r2', 'r3', 'r4']) {
      reserve({ id })
      release(NOW, id)
    }
    expect(release()).toMatchObject({ status: Status.unknownReservation })
    expect(reserve()).toEqual(HELD)
  })
})

describe('a reservation', () => {
  it('is held until its very last millisecond', () => {
    reserve()
    expect(confirm(NOW + 59_999)).toMatchObject({ status: Status.done, replayed: false, remaining: 18 })
    expect(confirm(NOW + 900_000)).toMatchObject({ status: Status.done, replayed: true })
    letTimersRun(NOW + 900_000)
    expect(release(NOW + 900_000)).toMatchObject({ status: Status.done, replayed: false, remaining: 20 })
  })

  it('has expired in the millisecond after it, though its timer has not run', () => {
    reserve()
    expect(confirm(NOW + 60_000)).toMatchObject({ status: Status.expired, remaining: 20 })
    expect(confirm(NOW + 60_000)).toMatchObject({ status: Status.expired, remaining: 20 })
    expect(release(NOW + 60_000)).toMatchObject({ status: Status.done, replayed: true, remaining: 20 })
  })

  it('gives its stock back by itself within a tick of its time', () => {
    reserve()
    letTimersRun(NOW + 59_999)
    expect(reserve({ id: 'r2', quantity: 10 }, NOW + 59_999).remaining).toBe(8)
    letTimersRun(NOW + 60_064)
    expect(reserve({ id: 'r3', quantity: 1 }, NOW + 60_064).remaining).toBe(9)
  })

  it('that was released cannot be confirmed any more', () => {
    reserve()
    expect(release()).toMatchObject({ status: Status.done, replayed: false, remaining: 20 })
    expect(release()).toMatchObject({ status: Status.done, replayed: true, remaining: 20 })
    expect(confirm()).toMatchObject({ status: Status.conflict, remaining: 20 })
  })

  it('is found only under its own SKU', () => {
    reserve()
    expect(confirm(NOW, 'r1', 1)).toEqual({
      status: Status.unknownReservation,
      replayed: false,
      location: NO_LOCATION,
      remaining: 0,
    })
    expect(release(NOW, 'r1', 1)).toMatchObject({ status: Status.unknownReservation })
  })

  it('for which there is no room is refused, with ATP as it is, and holds nothing', () => {
    for (const id of ['r1', 'r2', 'r3', 'r4']) expect(reserve({ id, quantity: 1 }).status).toBe(Status.done)
    const refused = { status: Status.overloaded, replayed: false, location: NO_LOCATION, remaining: 16 }
    expect(reserve({ id: 'r5', quantity: 1 })).toEqual(refused)
    expect(partition.state.actors.check()).toEqual([])
    // What has ended makes room for what is live.
    release(NOW, 'r2')
    expect(reserve({ id: 'r5', quantity: 1 })).toMatchObject({ status: Status.done, remaining: 16 })
    expect(release(NOW, 'r2')).toMatchObject({ status: Status.unknownReservation })
  })

  it('that takes the place of one that is forgotten is not in a checkpoint that was begun before', async () => {
    for (const id of ['r1', 'r2', 'r3', 'r4']) reserve({ id, quantity: 1 })
    release(NOW, 'r1')
    release(NOW, 'r2')
    partition.beginCheckpoint()
    expect(reserve({ id: 'r5', quantity: 1 })).toMatchObject({ status: Status.done })
    const begun = partition.checkpoint()
    await partition.fromCheckpoint(({ store }) => expect(differences(store, begun)).toEqual([]))
  })
})
