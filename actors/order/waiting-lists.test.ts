import { afterEach, describe, expect, it, vi } from 'vitest'

vi.mock('../limits.js', async (original) => ({
  ...(await original<typeof import('../limits.js')>()),
  SKUS_MAX: 1_024,
  STOCK_BLOCKS_MAX: 64,
  RESERVATIONS_MAX: 1_024,
  CHANNELS_MAX: 64,
  POOLS_MAX: 64,
  BUYERS_MAX: 256,
  LOCATIONS_MAX: 64,
  OPEN_ORDERS_MAX: 256,
  WAKES_PER_ENTRY: 2,
}))

const { Shop } = await import('./model/shop.contract.js')
const { checkQuiet } = await import('./model/checks.contract.js')
const { command } = await import('../inventory/inventory-sequences.contract.js')
const { orderStatus } = await import('./order-status.js')

/** May be backordered; in the second partition, where there are two. */
const SKU = 1

let shop: InstanceType<typeof Shop> | undefined
afterEach(() => shop?.dispose())
const statusOf = (id: string): string => orderStatus(shop!.order(id)!)

describe.each([1, 3])('over %i partitions, orders that wait', (partitions) => {
  function opened(): InstanceType<typeof Shop> {
    shop = new Shop(partitions)
    shop.open(0)
    return shop
  }
  afterEach(() => {
    shop!.settle()
    checkQuiet(shop!)
  })

  /** Orders that wait, one second after the other. */
  function waiting(...orders: { quantity?: number; priority?: number }[]): string[] {
    const ids = orders.map(({ quantity = 1, priority = 5 }) => {
      shop!.pass(1_000)
      return shop!.buyers.take([{ sku: SKU, quantity }], { priority })
    })
    shop!.settle()
    for (const id of ids) expect(statusOf(id)).toBe('backordered')
    return ids
  }
  // A location whose days have room for all.
  const arrives = (units: number, location = 2): void => {
    shop!.stockroom.adjust(SKU, location, units)
    shop!.settle()
  }
  const served = (ids: string[]): string[] => ids.filter((id) => statusOf(id) === 'allocated')

  it('are served in the order in which they came', () => {
    opened()
    const ids = waiting({}, {}, {}, {}, {}, {})
    for (let count = 1; count <= ids.length; count++) {
      arrives(1)
      expect(served(ids)).toEqual(ids.slice(0, count))
    }
  })

  it('are served by priority before the order in which they came', () => {
    opened()
    const ids = waiting({ priority: 9 }, { priority: 5 }, { priority: 1 }, { priority: 5 })
    const turns = [2, 1, 3, 0].map((at) => ids[at]!)
    for (let count = 1; count <= ids.length; count++) {
      arrives(1)
      expect(served(ids).sort()).toEqual(turns.slice(0, count).sort())
    }
  })

  it('are all served by a delivery that is enough for all', () => {
    opened()
    const ids = waiting({}, { quantity: 3 }, {}, { quantity: 2 }, {})
    arrives(8)
    expect(served(ids)).toEqual(ids)
  })

  it('let others pass whom there is enough for, where there is too little for them', () => {
    opened()
    const [large, small] = waiting({ quantity: 5 }, { quantity: 1 })
    arrives(2)
    expect(served([large!, small!])).toEqual([small])
    arrives(4)
    expect(served([large!, small!])).toEqual([large, small])
  })

  it('are served before who comes while stock arrives, at one place or at several', () => {
    const shop = opened()
    const ids = waiting({ quantity: 2 }, { quantity: 2 })
    const owner = shop.placement.partitionOf(SKU)
    const adjust = (id: string, location: number) =>
      command('inventory.adjust', { id, sku: SKU, location, delta: 2, reason: 'found' })
    // In one batch, before anybody is served; who comes wants all of it.
    const late = shop.buyers.request([{ sku: SKU, quantity: 4 }])
    const isThere = shop.partitionOf(late.id) === owner
    shop.enter(SKU, 1, 2)
    shop.enter(SKU, 2, 2)
    shop.run(owner, [adjust('x', 1), adjust('y', 2), ...(isThere ? [command('order.place', late)] : [])])
    if (!isThere) shop.send(shop.partitionOf(late.id), 'order.place', late)
    shop.settle()
    expect(served(ids)).toEqual(ids)
    expect(statusOf(late.id)).not.toBe('allocated')
  })

  it('leave to who comes what they do not take', () => {
    const shop = opened()
    const [first] = waiting({ quantity: 2 })
    shop.buyers.tell(first!, 'order.hold', {})
    const owner = shop.placement.partitionOf(SKU)
    const late = shop.buyers.request([{ sku: SKU, quantity: 2 }])
    const adjust = command('inventory.adjust', { id: 'x', sku: SKU, location: 2, delta: 2, reason: 'found' })
    const isThere = shop.partitionOf(late.id) === owner
    shop.enter(SKU, 2, 2)
    shop.run(owner, [adjust, ...(isThere ? [command('order.place', late)] : [])])
    if (!isThere) shop.send(shop.partitionOf(late.id), 'order.place', late)
    shop.settle()
    expect(statusOf(late.id)).toBe('allocated')
  })

  it('are served before who comes and takes a part', () => {
    const shop = opened()
    const ids = waiting({ quantity: 2 })
    const owner = shop.placement.partitionOf(SKU)
    const adjust = (id: string, location: number) =>
      command('inventory.adjust', { id, sku: SKU, location, delta: 2, reason: 'found' })
    const late = shop.buyers.request([{ sku: SKU, quantity: 4 }], { allowPartial: true })
    const isThere = shop.partitionOf(late.id) === owner
    shop.enter(SKU, 1, 2)
    shop.enter(SKU, 2, 2)
    shop.run(owner, [adjust('x', 1), adjust('y', 2), ...(isThere ? [command('order.place', late)] : [])])
    if (!isThere) shop.send(shop.partitionOf(late.id), 'order.place', late)
    shop.settle()
    expect(served(ids)).toEqual(ids)
    expect(shop.order(late.id)!.lines[0]!.units[2], 'what the others leave').toBe(2)
  })

  it('leave the list when they are cancelled, and the next one is served instead', () => {
    opened()
    const [first, second] = waiting({}, {})
    shop!.buyers.tell(first!, 'order.cancel', {})
    shop!.settle()
    arrives(1)
    expect(statusOf(first!)).toBe('cancelled')
    expect(statusOf(second!)).toBe('allocated')
  })

  it('are passed over while they are on hold, and keep their place', () => {
    opened()
    const ids = waiting({}, {})
    shop!.buyers.tell(ids[0]!, 'order.hold', {})
    arrives(1)
    expect(ids.map(statusOf)).toEqual(['on_hold', 'allocated'])
    shop!.buyers.tell(ids[0]!, 'order.resume', {})
    shop!.settle()
    expect(statusOf(ids[0]!)).toBe('backordered')
    arrives(1)
    expect(statusOf(ids[0]!)).toBe('allocated')
  })

  it('get what another order gives back', () => {
    const shop = opened()
    shop.stockroom.adjust(SKU, 1, 1)
    const owner = shop.buyers.take([{ sku: SKU, quantity: 1 }])
    shop.settle()
    const [next] = waiting({})
    shop.buyers.tell(owner, 'order.cancel', {})
    shop.settle()
    expect(statusOf(next!)).toBe('allocated')
  })

  it('get what a location has that comes back into service', () => {
    const shop = opened()
    shop.stockroom.adjust(SKU, 1, 1)
    shop.stockroom.putLocation(1, false, 1)
    shop.settle()
    const [next] = waiting({})
    shop.stockroom.putLocation(1, true, 1)
    shop.settle()
    expect(statusOf(next!)).toBe('allocated')
  })

  it.each([0, 1, 2, 3, 4, 5])('do not miss what arrives while they decide to wait, %i messages later', (later) => {
    const shop = opened()
    const id = shop.buyers.take([{ sku: SKU, quantity: 1 }])
    for (let i = 0; i < later; i++) shop.deliverAll()
    shop.stockroom.adjust(SKU, 2, 1)
    shop.settle()
    expect(statusOf(id)).toBe('allocated')
  })

  it('for more than a buyer may have do not ask for ever', () => {
    const shop = opened()
    const product = { name: 'Thing 1', weightGrams: 500, backorder: true, limitPerBuyer: 2 }
    shop.run(shop.placement.partitionOf(SKU), [
      command('product.put', { items: [{ index: SKU, sku: `SKU-${SKU}`, product }] }),
    ])
    shop.stockroom.adjust(3, 1, 5)
    shop.stockroom.adjust(SKU, 1, 5)
    const id = shop.buyers.take([
      { sku: 3, quantity: 1 },
      { sku: SKU, quantity: 3 },
    ])
    shop.settle()
    expect(statusOf(id)).toBe('backordered')
    shop.stockroom.adjust(3, 1, 1)
    shop.settle()
    expect(statusOf(id)).toBe('backordered')
    expect(shop.order(id)!.timeline.length, 'steps until it had found out').toBeLessThan(30)
  })
})
