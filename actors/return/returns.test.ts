import { afterEach, describe, expect, it, vi } from 'vitest'
import { getSimplePaths } from 'xstate/graph'

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

const { Shop } = await import('../order/model/shop.contract.js')
const { checkQuiet } = await import('../order/model/checks.contract.js')
const { exchangeNeed } = await import('./exchanges.js')

import type { OrderReturn } from './order-return.js'
import type { InspectedUnits } from './receipts.js'
import { RETURN_EVENTS, RETURN_STATUSES, returnMachine } from './return-machine.js'
import type { ReturnRequest } from './return-requests.js'
import { returnTable } from './return-table.js'
import type { ReturnAction } from './returns.js'

/** 1.00, 2.00 and 3.00 each; shipping of an order is 0.50. */
const [ONE, TWO] = [0, 1]
const SHIPPING = 5_000

let shop: InstanceType<typeof Shop> | undefined
afterEach(async () => {
  shop!.settle()
  checkQuiet(shop!)
  await shop!.dispose()
})

type Lines = { sku: number; quantity: number }[]

describe.each([1, 2])('over %i partitions, a return', (partitions) => {
  /** An order of which everything was sent; what is ours to take has been taken. */
  function sent(lines: Lines, over: Parameters<InstanceType<typeof Shop>['buyers']['take']>[1] = {}): string {
    shop = new Shop(partitions)
    shop.open(9)
    const id = shop.buyers.take(lines, over)
    shop.settle()
    ship(id)
    return id
  }
  function ship(id: string): void {
    for (const { number, status } of shop!.order(id)!.fulfillments) {
      if (status === 'pending') shop!.staff.advance(id, number, 'accept', 'pick', 'pack', 'ship')
    }
  }
  const provide = (): void => {
    for (let i = 0; i < 5; i++) shop!.buyers.provide({ do: 'provide', which: 0, done: true })
  }
  const tasks = (id: string) =>
    (
      shop!.partitions[shop!.partitionOf(id)]!.query(shop!.timeMs, 'payment.tasks', { limit: 50 }).body as {
        items: { action: string; amount: number }[]
      }
    ).items
  function asked(order: string, lines: ReturnRequest['lines'], more: Partial<ReturnRequest> = {}): OrderReturn {
    const request = { order, lines, fingerprint: '', by: 'buyer', resolution: 'refund' as const, ...more }
    expect(shop!.returns.request(request)).toMatchObject({ status: 201 })
    const found = shop!.order(order)!.returns!.at(-1)!
    go(order, found.number, 'authorize')
    return found
  }
  const go = (
    order: string,
    number: number,
    action: 'authorize' | 'receive' | 'inspect' | 'close',
    lines?: InspectedUnits[],
  ) =>
    shop!.returns.advance({
      ...{ order, number, action, by: 'staff', id: shop!.newId('s'), location: 2 },
      ...(lines ? { lines } : {}),
    })
  const back = (order: string, lines: ReturnRequest['lines'], more: Partial<ReturnRequest> = {}): OrderReturn => {
    const { number } = asked(order, lines, more)
    const came = lines.map(({ sku, quantity }) => ({ sku, quantity, disposition: 'restock' as const }))
    expect(go(order, number, 'receive', came)).toMatchObject({ status: 200 })
    return shop!.order(order)!.returns![number - 1]!
  }
  const amounts = ({ refunds }: OrderReturn) => refunds.map(({ amount, by }) => ({ amount, by }))

  it('of a parcel that was lost meanwhile is kept apart when it turns up, and what is sent again is not touched', () => {
    const id = sent([{ sku: ONE, quantity: 2 }])
    const { number } = asked(id, [{ sku: ONE, quantity: 2, reason: 'too small' }])
    shop!.staff.advance(id, 1, 'fail')
    expect(go(id, number, 'receive', [{ sku: ONE, quantity: 1 }])).toMatchObject({ status: 200 })
    expect(shop!.order(id)!.returns![0]).toMatchObject({
      pieces: [{ sku: ONE, quantity: 1 }],
      lines: [{ received: 0 }],
    })
    expect(shop!.order(id)!.exceptions.map(({ type }) => type)).toContain('wrong_return')
    shop!.settle()
    ship(id)
    expect(go(id, number, 'receive', [{ sku: ONE, quantity: 1 }])).toMatchObject({ status: 200 })
    expect(shop!.order(id)!.returns![0]).toMatchObject({ lines: [{ received: 1 }] })
  })

  it('gives no more than is left of what was paid behind a credit', () => {
    const id = sent([{ sku: TWO, quantity: 2 }], { payment: 'authorized', isOurs: true })
    provide()
    expect(shop!.buyers.tell(id, 'order.credit', { amount: 40_000 })).toMatchObject({ status: 200 })
    provide()
    expect(amounts(back(id, [{ sku: TWO, quantity: 2, reason: 'too small' }]))).toEqual([
      { amount: SHIPPING, by: 'provider' },
    ])
  })

  it('leaves for a credit no more than the customer paid beyond what was given back', () => {
    const id = sent([{ sku: TWO, quantity: 2 }])
    back(id, [{ sku: TWO, quantity: 1, reason: 'too small' }])
    const tooMuch = shop!.buyers.tell(id, 'order.credit', { amount: 20_000 + SHIPPING + 1 })
    expect(tooMuch).toMatchObject({ status: 409, body: { code: 'credit_too_large' } })
    expect(shop!.buyers.tell(id, 'order.credit', { amount: 20_000 + SHIPPING })).toMatchObject({ status: 200 })
  })

  it('is refunded by the provider that is about to take the money', () => {
    const id = sent([{ sku: ONE, quantity: 1 }], { payment: 'authorized', isOurs: true })
    expect(amounts(back(id, [{ sku: ONE, quantity: 1, reason: 'too small' }]))).toEqual([
      { amount: 10_000, by: 'provider' },
    ])
    expect(tasks(id).map(({ action }) => action)).toEqual(['capture'])
    provide()
    expect(shop!.order(id)!.payment).toMatchObject({ captured: 15_000, refunded: 10_000, refundRequested: 0 })
  })

  it('gives shipping back once everything that was sent is back through our fault, less the share of what was cancelled', () => {
    shop = new Shop(partitions)
    shop.open(9)
    const id = shop.buyers.take([
      { sku: ONE, quantity: 1 },
      { sku: TWO, quantity: 2 },
    ])
    shop.settle()
    expect(shop.buyers.tell(id, 'order.cancel', { lines: [{ sku: ONE, quantity: 1 }] })).toMatchObject({ status: 200 })
    shop.settle()
    ship(id)
    expect(amounts(back(id, [{ sku: TWO, quantity: 1, reason: 'damaged' }]))).toEqual([
      { amount: 20_000, by: 'channel' },
    ])
    expect(amounts(back(id, [{ sku: TWO, quantity: 1, reason: 'damaged' }]))).toEqual([
      { amount: 20_000 + 4_000, by: 'channel' },
    ])
  })

  it('asks no provider for more than it took, when the rest of an order is cancelled behind a credit', () => {
    shop = new Shop(partitions)
    shop.open(9)
    const id = shop.buyers.take(
      [
        { sku: ONE, quantity: 1 },
        { sku: TWO, quantity: 2 },
      ],
      { payment: 'authorized', isOurs: true },
    )
    shop.settle()
    const mine = shop.order(id)!.fulfillments.find(({ lines }) => lines.some(({ sku }) => sku === ONE))!
    shop.staff.advance(id, mine.number, 'accept', 'pick', 'pack', 'ship')
    provide()
    const { captured } = shop.order(id)!.payment!
    expect(shop.buyers.tell(id, 'order.credit', { amount: 50_000 })).toMatchObject({ status: 200 })
    shop.buyers.tell(id, 'order.cancel', {})
    shop.settle()
    const asked = tasks(id).reduce((sum, { action, amount }) => sum + (action === 'refund' ? amount : 0), 0)
    expect(asked).toBeLessThanOrEqual(captured)
  })
})

describe('An exchange', () => {
  const terms = { lines: [{ sku: 1, quantity: 1, unitPrice: 1, reservation: 'r' }], total: 1 }
  const line = { quantity: 2, received: 0 }
  const piece = { sku: 0, quantity: 1, location: 0, atMs: 0 }
  const need = (over: object) =>
    exchangeNeed({ exchange: terms, lines: [line], pieces: [], status: 'authorized', ...over } as never)

  it('is kept as long as the goods may come, given back when nothing comes of it, and placed when some have passed', () => {
    shop = new Shop(1)
    shop.open(0)
    expect(need({})).toBe('confirm')
    for (const status of ['rejected', 'cancelled', 'closed']) expect(need({ status })).toBe('release')
    const passed = { pieces: [{ ...piece, at: 0, disposition: 'restock' }] }
    expect(need(passed), 'one more is to come').toBe('confirm')
    const all = { lines: [{ ...line, received: 2 }] }
    expect(need({ ...passed, ...all })).toBe('place')
    expect(need({ ...all, pieces: [...passed.pieces, piece] }), 'one is still to be looked at').toBe('confirm')
    expect(need({ ...passed, status: 'closed' })).toBe('place')
    expect(need({ pieces: [{ ...piece, disposition: 'restock' }], status: 'closed' }), 'not of this order').toBe(
      'release',
    )
    const refused = { pieces: [{ ...piece, at: 0, disposition: 'scrap', isRefused: true }], status: 'closed' }
    expect(need(refused)).toBe('release')
    expect(need({ ...passed, exchange: { ...terms, order: 'o' } })).toBeUndefined()
  })
})

describe('Along every path of its machine, a return', () => {
  const ACTIONS: Record<string, ReturnAction> = {
    AUTHORIZE: 'authorize',
    REJECT: 'reject',
    TRANSIT: 'transit',
    RECEIVE: 'receive',
    INSPECT: 'inspect',
    CLOSE: 'close',
    CANCEL: 'cancel',
  }
  const paths = getSimplePaths(returnMachine, { events: RETURN_EVENTS.map((type) => ({ type })) })

  it('comes where the machine says, and from there refuses what is not possible and names what is', () => {
    shop = new Shop(1)
    shop.open(2)
    expect(new Set(paths.map(({ state }) => state.value))).toEqual(new Set(RETURN_STATUSES))
    for (const { state, steps } of paths) {
      const events = steps.map(({ event }) => event.type).filter((type) => type in ACTIONS)
      for (const last of RETURN_EVENTS) {
        shop.stockroom.adjust(ONE, 0, 3)
        const id = shop.buyers.take([{ sku: ONE, quantity: 3 }])
        shop.staff.advance(id, 1, 'accept', 'pick', 'pack', 'ship')
        const lines = [{ sku: ONE, quantity: 3, reason: 'too small' }]
        shop.returns.request({ order: id, lines, fingerprint: '', by: 'buyer', resolution: 'refund' })
        const step = (type: string) =>
          shop!.returns.advance({
            ...{ order: id, number: 1, action: ACTIONS[type]!, by: 'staff', id: shop!.newId('s'), location: 2 },
            ...(type === 'RECEIVE' ? { lines: [{ sku: ONE, quantity: 1 }] } : {}),
          })
        for (const type of events) expect(step(type), `${events}`).toMatchObject({ status: 200 })
        const before = shop.order(id)!.returns![0]!.status
        expect(before).toBe(state.value)
        const isPossible = returnTable.next(before, { type: last }) !== null
        // The counter checks that a refusal names the status and what is possible.
        expect(step(last).status, `${last} of what is ${before}`).toBe(isPossible ? 200 : 409)
      }
    }
  })
})
