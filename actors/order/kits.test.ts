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
const { lineStatus } = await import('./lines.js')
const { orderStatus } = await import('./order-status.js')

/** One of SKU 0 and two of SKU 1 make one. */
const KIT = 4
/** Two of SKU 2, which may not be backordered, and one of SKU 3 make one. */
const SCARCE_KIT = 5

let shop: InstanceType<typeof Shop> | undefined
afterEach(() => shop?.dispose())

describe.each([1, 3])('over %i partitions, a kit', (partitions) => {
  afterEach(() => {
    shop!.settle()
    checkQuiet(shop!)
  })

  type Over = Parameters<InstanceType<typeof Shop>['buyers']['take']>[1]
  function order(stock: number, quantity: number, over: Over = {}, sku = KIT): string {
    shop = new Shop(partitions)
    shop.open(stock)
    const id = shop.buyers.take([{ sku, quantity }], over)
    shop.settle()
    return id
  }
  const units = (id: string): number[][] => shop!.order(id)!.lines.map((line) => line.units)
  const allocated = (): number[] => [0, 1].map((sku) => shop!.stockOf(sku).allocated)
  const cancel = (id: string, quantity: number, line = 1) => {
    const answer = shop!.buyers.tell(id, 'order.cancel', { lines: [{ line, quantity }] })
    shop!.settle()
    return answer
  }

  it('reserves its components, so many of each as go into it', () => {
    const id = order(10, 3)
    expect(shop!.order(id)!.lines.map(({ sku, quantity, parent }) => [sku, quantity, parent])).toEqual([
      [KIT, 3, undefined],
      [0, 3, 1],
      [1, 6, 1],
    ])
    expect(allocated()).toEqual([3, 6])
    expect(shop!.stockOf(KIT)).toMatchObject({ allocated: 0, reserved: 0 })
    expect(orderStatus(shop!.order(id)!)).toBe('allocated')
  })

  it('is cancelled with all its components, also by quantity', () => {
    const id = order(10, 3)
    expect(cancel(id, 2)).toMatchObject({ status: 200 })
    expect(units(id).map(([, , held, , , , cancelled]) => [held, cancelled])).toEqual([
      [undefined, undefined],
      [1, 2],
      [2, 4],
    ])
    expect(allocated()).toEqual([1, 2])
    expect(cancel(id, 2)).toMatchObject({ status: 409, body: { code: 'not_cancellable' } })
    expect(cancel(id, 1)).toMatchObject({ status: 200 })
    expect(orderStatus(shop!.order(id)!)).toBe('cancelled')
    expect(allocated()).toEqual([0, 0])
  })

  it('cannot lose one component alone', () => {
    const id = order(10, 3)
    expect(cancel(id, 1, 2)).toMatchObject({ status: 409, body: { code: 'not_cancellable' } })
    expect(shop!.buyers.tell(id, 'order.cancel', { lines: [{ sku: 1, quantity: 1 }] })).toMatchObject({ status: 409 })
    expect(shop!.buyers.tell(id, 'order.revise', { lines: [{ line: 2, quantity: 1 }] })).toMatchObject({ status: 422 })
    expect(allocated()).toEqual([3, 6])
  })

  it('is had as often as its scarcest component allows, and no more', () => {
    // Two locations have two of each, and two of SKU 2 go into one.
    const id = order(2, 3, {}, SCARCE_KIT)
    expect(orderStatus(shop!.order(id)!)).toBe('rejected')
    expect([2, 3].map((sku) => shop!.stockOf(sku).allocated)).toEqual([0, 0])
    expect(orderStatus(shop!.order(shop!.buyers.take([{ sku: SCARCE_KIT, quantity: 2 }]))!)).toMatch(
      /allocated|validating/,
    )
  })

  it('is as far as the least advanced of its components', () => {
    const id = order(10, 1, { allowSplit: true })
    const status = () => lineStatus(shop!.order(id)!, shop!.order(id)!.lines[0]!)
    expect(status()).toBe('allocated')
    const [first, ...others] = shop!.order(id)!.fulfillments
    shop!.staff.advance(id, first!.number, 'accept', 'pick')
    expect(status()).toBe(others.length > 0 ? 'allocated' : 'picking')
    shop!.staff.advance(id, first!.number, 'pack', 'ship', 'deliver')
    for (const { number } of others) shop!.staff.advance(id, number, 'accept', 'pick', 'pack', 'ship', 'deliver')
    expect(status()).toBe('delivered')
  })

  it('is not sent without a component to who takes a part', () => {
    const id = order(2, 3, { allowPartial: true }, SCARCE_KIT)
    const [, first, second] = units(id)
    expect([first![2], second![2]], 'what two kits need').toEqual([4, 2])
  })

  it('is refused to who takes a part where no whole one can be had', () => {
    shop = new Shop(partitions)
    shop.open(0)
    shop.stockroom.adjust(3, 1, 5)
    const id = shop.buyers.take([{ sku: SCARCE_KIT, quantity: 1 }], { allowPartial: true })
    shop.settle()
    expect(orderStatus(shop.order(id)!)).toBe('rejected')
    expect(shop.stockOf(3)).toMatchObject({ allocated: 0, reserved: 0 })
  })
})
