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

const DAY_MS = 86_400_000
/** SKU 0 may not be backordered, SKU 1 may. */
const PLAIN = 0
const WAITS = 1

let shop: InstanceType<typeof Shop> | undefined
afterEach(() => shop?.dispose())

function opened(stock: number, partitions = 1): InstanceType<typeof Shop> {
  shop = new Shop(partitions)
  shop.open(stock)
  return shop
}
const statusOf = (id: string): string => orderStatus(shop!.order(id)!)
const linesOf = (id: string): string[] => {
  const order = shop!.order(id)!
  return order.lines.map((line) => lineStatus(order, line))
}
const tasks = (id: string) =>
  (
    shop!.partitions[shop!.partitionOf(id)]!.query(shop!.timeMs, 'payment.tasks', { limit: 50 }).body as {
      items: { action: string; amount: number }[]
    }
  ).items
const storedAt = (location: number, sku: number): number =>
  shop!.stockOf(sku).rows.find((row) => row.location === location)?.onHand ?? 0

describe.each([1, 2])('over %i partitions, an order', (partitions) => {
  function order(stock: number, ...ask: Parameters<InstanceType<typeof Shop>['buyers']['take']>): string {
    const id = opened(stock, partitions).buyers.take(...ask)
    shop!.settle()
    return id
  }

  afterEach(() => {
    shop!.settle()
    checkQuiet(shop!)
  })

  it('that is stuck at one step and at the next has one exception, and is not due for ever', () => {
    const id = order(5, [{ sku: PLAIN, quantity: 1 }])
    const stuck = () => shop!.order(id)!.exceptions.filter(({ type }) => type === 'stuck')
    // Longer than it may take to accept, then longer than it may take to pack.
    shop!.pass(5 * (DAY_MS / 24))
    shop!.pass(60_000)
    shop!.staff.advance(id, 1, 'accept', 'pick')
    shop!.pass(9 * (DAY_MS / 24))
    expect(shop!.order(id)!.fulfillments[0]!.status).toBe('picking')
    expect(stuck()).toHaveLength(1)
  })

  it('that is not sent by the time that its channel has promised is late, once, until it is sent', () => {
    const id = order(5, [{ sku: PLAIN, quantity: 1 }], { shipHours: 1 })
    const late = () =>
      shop!.order(id)!.exceptions.filter(({ type, fulfillment }) => type === 'late' && fulfillment === undefined)
    shop!.pass(2 * (DAY_MS / 24))
    expect(late()).toEqual([])
    shop!.pass(2 * (DAY_MS / 24))
    expect(late()).toMatchObject([{ status: 'open' }])
    shop!.staff.advance(id, 1, 'accept', 'pick', 'pack', 'ship')
    shop!.pass(DAY_MS / 24)
    expect(late()).toMatchObject([{ status: 'resolved' }])
  })

  it('that is sent by then is not late', () => {
    const id = order(5, [{ sku: PLAIN, quantity: 1 }], { shipHours: 1 })
    shop!.staff.advance(id, 1, 'accept', 'pick', 'pack', 'ship')
    shop!.pass(4 * (DAY_MS / 24))
    expect(shop!.order(id)!.exceptions).toEqual([])
  })

  it('is rejected where nothing of it can be had, and its money is let go', () => {
    const id = order(0, [{ sku: PLAIN, quantity: 1 }], { payment: 'authorized', isOurs: true })
    expect(statusOf(id)).toBe('rejected')
    expect(tasks(id)).toMatchObject([{ action: 'void' }])
  })

  it('is rejected whole where a part is missing and it takes no part', () => {
    const id = order(1, [
      { sku: PLAIN, quantity: 1 },
      { sku: 2, quantity: 9 },
    ])
    expect(statusOf(id)).toBe('rejected')
    expect(shop!.stockOf(PLAIN)).toMatchObject({ allocated: 0, reserved: 0 })
  })

  it('that takes a part goes on without what is missing', () => {
    const id = order(3, [{ sku: PLAIN, quantity: 9 }], { allowPartial: true })
    expect(shop!.order(id)!.lines[0]!.units, 'two locations have three each').toEqual([0, 0, 6, 0, 0, 0, 3, 0])
    expect(statusOf(id)).toBe('allocated')
    expect(shop!.order(id)!.exceptions).toEqual([])
  })

  it('that takes a part and may wait gets the part now and the rest later', () => {
    const id = order(3, [{ sku: WAITS, quantity: 9 }], { allowPartial: true })
    expect(linesOf(id)).toEqual(['backordered'])
    shop!.stockroom.adjust(WAITS, 1, 3)
    shop!.settle()
    expect(statusOf(id)).toBe('allocated')
  })

  it('of which the rest is cancelled after a part was delivered is delivered, and completed in time', () => {
    const id = order(
      1,
      [
        { sku: PLAIN, quantity: 1 },
        { sku: WAITS, quantity: 9 },
      ],
      { allowPartial: true },
    )
    const order1 = shop!.order(id)!
    for (const { number, status } of order1.fulfillments) {
      if (status === 'pending') shop!.staff.advance(id, number, 'accept', 'pick', 'pack', 'ship', 'deliver')
    }
    expect(statusOf(id)).toBe('partially_shipped')
    expect(shop!.buyers.tell(id, 'order.cancel', {})).toMatchObject({ status: 200 })
    shop!.settle()
    expect(statusOf(id)).toBe('delivered')
    shop!.pass(31 * DAY_MS)
    expect(statusOf(id)).toBe('completed')
  })

  it('that is cancelled has no exception left that somebody has to care for', () => {
    const id = order(1, [{ sku: PLAIN, quantity: 1 }])
    shop!.staff.advanceFulfillment({ order: id, number: 1, action: 'reject', by: 'staff', reason: 'no staff' })
    shop!.settle()
    const [other] = shop!.order(id)!.fulfillments.filter(({ status }) => status === 'pending')
    shop!.staff.advanceFulfillment({
      order: id,
      number: other!.number,
      action: 'reject',
      by: 'staff',
      reason: 'no staff',
    })
    shop!.settle()
    expect(statusOf(id)).toBe('backordered')
    shop!.buyers.tell(id, 'order.cancel', {})
    shop!.settle()
    expect(statusOf(id)).toBe('cancelled')
    expect(shop!.order(id)!.exceptions.filter(({ status }) => status !== 'resolved')).toEqual([])
  })

  it('gives back what nobody has picked, also from a fulfillment order of which a part is picked', () => {
    const id = order(5, [
      { sku: PLAIN, quantity: 1 },
      { sku: 2, quantity: 2 },
    ])
    expect(shop!.order(id)!.fulfillments.length).toBe(1)
    shop!.staff.advance(id, 1, 'accept')
    shop!.staff.advanceFulfillment({
      order: id,
      number: 1,
      action: 'pick',
      by: 'staff',
      lines: [{ sku: PLAIN, quantity: 1 }],
    })
    expect(shop!.buyers.tell(id, 'order.cancel', { lines: [{ sku: 2, quantity: 2 }] })).toMatchObject({ status: 200 })
    shop!.settle()
    expect(linesOf(id)).toEqual(['picking', 'cancelled'])
    expect(shop!.stockOf(2).allocated).toBe(0)
    shop!.staff.advance(id, 1, 'pack', 'ship', 'deliver')
    expect(statusOf(id)).toBe('delivered')
  })

  it('whose last unpicked line is cancelled while the others were not found has nothing left to pack', () => {
    const id = order(5, [
      { sku: PLAIN, quantity: 1 },
      { sku: 2, quantity: 2 },
    ])
    shop!.staff.advance(id, 1, 'accept')
    shop!.staff.advanceFulfillment({
      order: id,
      number: 1,
      action: 'pick',
      by: 'staff',
      lines: [{ sku: PLAIN, quantity: 0 }],
    })
    shop!.settle()
    shop!.buyers.tell(id, 'order.cancel', { lines: [{ sku: 2, quantity: 2 }] })
    shop!.settle()
    expect(shop!.order(id)!.fulfillments[0]!.status).toMatch(/cancelled|failed/)
  })

  it('cannot be changed once a location has begun to pick, whatever it has found so far', () => {
    const id = order(5, [
      { sku: PLAIN, quantity: 1 },
      { sku: 2, quantity: 2 },
    ])
    shop!.staff.advance(id, 1, 'accept')
    shop!.staff.advanceFulfillment({
      order: id,
      number: 1,
      action: 'pick',
      by: 'staff',
      lines: [{ sku: PLAIN, quantity: 0 }],
    })
    shop!.settle()
    const answer = shop!.buyers.tell(id, 'order.revise', { lines: [{ line: 2, quantity: 1 }] })
    expect(answer).toMatchObject({ status: 409, body: { code: 'invalid_transition' } })
  })

  it('is charged for what it gets and not for what was cancelled', () => {
    const id = order(
      5,
      [
        { sku: PLAIN, quantity: 1 },
        { sku: 3, quantity: 1 },
      ],
      { payment: 'authorized', isOurs: true },
    )
    const { totals } = shop!.order(id)!
    shop!.buyers.tell(id, 'order.cancel', { lines: [{ sku: 3, quantity: 1 }] })
    shop!.settle()
    const [live] = shop!.order(id)!.fulfillments.filter(({ status }) => status === 'pending')
    shop!.staff.advance(id, live!.number, 'accept', 'pick', 'pack', 'ship')
    const captured = tasks(id).filter(({ action }) => action === 'capture')
    expect(captured.length).toBe(1)
    expect(captured[0]!.amount).toBeLessThan(totals.total)
  })

  it('whose goods are not there leaves the stock of that location right', () => {
    const id = order(5, [{ sku: PLAIN, quantity: 2 }])
    const { location } = shop!.order(id)!.fulfillments[0]!
    shop!.staff.advance(id, 1, 'accept')
    shop!.staff.advanceFulfillment({ order: id, number: 1, action: 'fail', by: 'staff', reason: 'damaged' })
    expect(storedAt(location, PLAIN), 'an accepted one is picked before it fails').toBe(5)
    shop!.staff.advanceFulfillment({ order: id, number: 1, action: 'reject', by: 'staff', reason: 'damaged' })
    shop!.settle()
    expect(storedAt(location, PLAIN)).toBe(3)
    expect(statusOf(id), 'from elsewhere').toBe('allocated')
  })
})
