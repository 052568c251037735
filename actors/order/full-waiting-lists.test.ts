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
  WAITING_PER_SKU_MAX: 2,
}))

const { Shop } = await import('./model/shop.contract.js')
const { checkQuiet } = await import('./model/checks.contract.js')
const { orderStatus } = await import('./order-status.js')
const { WAITING_RETRY_MS } = await import('../limits.js')

/** May be backordered; in the second partition, where there are two. */
const SKU = 1

let shop: InstanceType<typeof Shop> | undefined
afterEach(() => shop?.dispose())

describe.each([1, 3])('over %i partitions, an order that found a waiting list full', (partitions) => {
  const statusesOf = (ids: string[]): string[] => ids.map((id) => orderStatus(shop!.order(id)!))
  const passes = (ms: number): void => {
    shop!.pass(ms)
    shop!.settle()
  }
  function waiting(count: number): string[] {
    shop = new Shop(partitions)
    shop.open(0)
    const ids = Array.from({ length: count }, () => {
      passes(1_000)
      return shop!.buyers.take([{ sku: SKU, quantity: 1 }])
    })
    shop.settle()
    expect(statusesOf(ids)).toEqual(ids.map(() => 'backordered'))
    return ids
  }
  const arrive = (units: number): void => {
    shop!.stockroom.adjust(SKU, 2, units)
    shop!.settle()
  }
  afterEach(() => {
    shop!.settle()
    checkQuiet(shop!)
  })

  it('takes what is left once it asks again', () => {
    const ids = waiting(4)
    arrive(4)
    expect(statusesOf(ids)).toEqual(['allocated', 'allocated', 'backordered', 'backordered'])
    passes(WAITING_RETRY_MS + 4_000)
    expect(statusesOf(ids)).toEqual(ids.map(() => 'allocated'))
  })

  it('gets a place once there is room, and is woken from it', () => {
    const ids = waiting(4)
    arrive(2)
    passes(WAITING_RETRY_MS + 4_000)
    expect(statusesOf(ids)).toEqual(['allocated', 'allocated', 'backordered', 'backordered'])
    expect(shop!.order(ids[3]!)!.retryMs).toBeUndefined()
    arrive(2)
    expect(statusesOf(ids)).toEqual(ids.map(() => 'allocated'))
  })

  it('asks as often as the list is full, and no more once it is cancelled', () => {
    const ids = waiting(3)
    const last = ids[2]!
    for (let times = 0; times < 3; times++) {
      const due = shop!.order(last)!.retryMs!
      passes(WAITING_RETRY_MS + 4_000)
      expect(shop!.order(last)!.retryMs).toBeGreaterThan(due)
    }
    shop!.buyers.tell(last, 'order.cancel', {})
    passes(WAITING_RETRY_MS + 4_000)
    expect(statusesOf([last])).toEqual(['cancelled'])
  })
})
