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
}))

const { Shop } = await import('./model/shop.contract.js')
const { checkQuiet } = await import('./model/checks.contract.js')
const { orderStatus } = await import('./order-status.js')

/** Longer than any hold lives that nobody has confirmed. */
const LONG_MS = 16 * 60_000

let shop: InstanceType<typeof Shop> | undefined
afterEach(() => shop?.dispose())

describe.each([3])('over %i partitions, an order whose messages take longer than its holds live', (partitions) => {
  /** Places an order of several partitions; time passes when so many rounds of messages have arrived. */
  function placed(rounds: number): string {
    shop = new Shop(partitions)
    shop.open(5)
    const id = shop.buyers.take([
      { sku: 0, quantity: 2 },
      { sku: 1, quantity: 2 },
      { sku: 2, quantity: 2 },
    ])
    for (let i = 0; i < rounds; i++) shop.deliverAll()
    shop.wait(LONG_MS)
    return id
  }

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])('holds its units all the same, or again, %i rounds on', (rounds) => {
    const id = placed(rounds)
    shop!.settle()
    checkQuiet(shop!)
    expect(orderStatus(shop!.order(id)!)).toBe('allocated')
  })

  it.each([3, 4, 5, 6, 7])('has been picked before it hears that it holds nothing, %i rounds on', (rounds) => {
    const id = placed(rounds)
    for (const { number, status } of [...(shop!.order(id)?.fulfillments ?? [])]) {
      if (status === 'pending') shop!.staff.advance(id, number, 'accept', 'pick')
    }
    shop!.settle()
    for (const { state } of shop!.partitions) expect(state.actors.check()).toEqual([])
    expect(orderStatus(shop!.order(id)!)).toBe('allocated')
  })
})
