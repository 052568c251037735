/** What every kind of channel must do, whatever its words: one table of cases that all of them pass. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { BigCommerceFront } from './support/channels/bigcommerce-front.js'
import { EdiFront } from './support/channels/edi-front.js'
import { FileFront } from './support/channels/file-front.js'
import { MarketplaceFront } from './support/channels/marketplace-front.js'
import { ShopifyFront } from './support/channels/shopify-front.js'
import { amount, BUYER, type SaidOrder, type Storefront, saidOrder, total } from './support/channels/storefront.js'
import { TillFront } from './support/channels/till-front.js'
import { WooCommerceFront } from './support/channels/woocommerce-front.js'
import { Shop } from './support/shop.js'

const shop = Shop.open(['--allow-http', '--allow-address', '127.0.0.1'])
/** Long enough for a busy machine; nothing waits for it where all is well. */
const PATIENCE = { timeout: 30_000, interval: 50 }

interface OrderDocument {
  id: string
  status: string
  currency: string
  customer: { name: string; email?: string }
  shipTo: { line1: string; city: string; postalCode: string; country: string }
  lines: { sku: string; quantity: number; unitPrice: { amount: string }; units: Record<string, number> }[]
  totals: { total: { amount: string }; discount: { amount: string }; tax: { amount: string } }
  holds: { reason: string }[]
  fulfillments: { id: string; status: string }[]
  returns: { refunds: { amount: { amount: string } }[] }[]
  payment: { status: string; refunded?: { amount: string } }
}

let made = 700_000
const ON_HAND = 100

/** An order of two SKUs of its own. */
async function newOrder(front: Storefront): Promise<SaidOrder> {
  const skus: [string, string] = [await shop.newSku(ON_HAND), await shop.newSku(ON_HAND)]
  const order = saidOrder(String(made++), skus)
  return front.hasShipping ? order : { ...order, shipping: '0.00' }
}

async function found({ connection, externalId }: Storefront, order: SaidOrder): Promise<OrderDocument[]> {
  const query = new URLSearchParams({ channel: connection, externalId: externalId(order) })
  return (await shop.call<{ items: OrderDocument[] }>('GET', `/v1/orders?${query}`)).body.items
}

/** The one order that it becomes, once it is as wanted. */
const becomes = (front: Storefront, order: SaidOrder, wanted: (one: OrderDocument) => void): Promise<OrderDocument> =>
  vi.waitFor(async () => {
    const orders = await found(front, order)
    expect(orders).toHaveLength(1)
    wanted(orders[0]!)
    return orders[0]!
  }, PATIENCE)

const decided = ({ status }: OrderDocument): void => {
  expect(['received', 'validating', 'sourcing']).not.toContain(status)
}

/** What is gone or promised of the SKU. */
async function goneOf(sku: string): Promise<number> {
  const { onHand, reserved, allocated } = await shop.server.stock(sku)
  return ON_HAND - onHand + reserved + allocated
}

async function delivered(order: OrderDocument, tracking: string): Promise<void> {
  for (const { id, status } of order.fulfillments) {
    if (status === 'delivered') continue
    for (const action of ['accept', 'pick', 'pack', 'ship', 'deliver']) {
      const body = action === 'ship' ? { carrier: 'post', trackingNumber: tracking } : {}
      const answer = await shop.call('POST', `/v1/fulfillments/${id}/${action}`, body)
      expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    }
  }
}

function permutations<T>(all: T[]): T[][] {
  if (all.length < 2) return [all]
  return all.flatMap((one, at) => permutations(all.toSpliced(at, 1)).map((rest) => [one, ...rest]))
}

const FRONTS: Record<string, () => Storefront & { stop?(): Promise<void> }> = {
  Shopify: () => new ShopifyFront(),
  WooCommerce: () => new WooCommerceFront(),
  BigCommerce: () => new BigCommerceFront(),
  'the marketplace': () => new MarketplaceFront(),
  'a till': () => new TillFront(),
  EDI: () => new EdiFront(),
  files: () => new FileFront(),
}

describe.each(Object.entries(FRONTS))('an order by %s', (_name, newFront) => {
  const front = newFront()
  beforeAll(() => front.connect(shop.server), 60_000)
  afterAll(() => front.stop?.())

  test('has the lines, the money and the address that were said, and what came in is kept with it', async () => {
    const order = await newOrder(front)
    await front.place(order)
    const placed = await becomes(front, order, decided)
    expect(placed.lines.map(({ sku, quantity }) => [sku, quantity])).toEqual(
      order.lines.map(({ sku, quantity }) => [sku, quantity]),
    )
    expect(placed).toMatchObject({
      currency: 'GBP',
      customer: { name: `${BUYER.first} ${BUYER.last}`, email: BUYER.email },
      totals: { total: { amount: total(order) }, discount: { amount: '3.00' }, tax: { amount: '6.40' } },
    })
    if (front.isSent) {
      const { line1, city, postalCode, country } = placed.shipTo
      expect([line1, city, postalCode, country]).toEqual([order.street, 'London', 'SW1Y 4LB', 'GB'])
    }
    const words = [order.number, order.lines[0]!.sku, BUYER.email, ...(front.isSent ? [order.street] : [])]
    await vi.waitFor(async () => {
      const original = await front.original(order, placed.id)
      for (const word of words) expect(original).toContain(word)
    }, PATIENCE)
  })

  test('said fifty times at once is one order, and takes its stock once', async () => {
    const order = await newOrder(front)
    await Promise.all(Array.from({ length: 50 }, () => front.place(order)))
    await becomes(front, order, decided)
    await front.place(order)
    expect(await found(front, order)).toHaveLength(1)
    for (const { sku, quantity } of order.lines) expect(await goneOf(sku)).toBe(quantity)
  })

  test.runIf(front.change)('is changed by what is newer, and by nothing that is older', async () => {
    const order = await newOrder(front)
    await front.place(order)
    await becomes(front, order, decided)
    const [first, second] = order.lines as [SaidOrder['lines'][0], SaidOrder['lines'][0]]
    const changed = {
      ...order,
      street: '9 New Street',
      lines: [{ ...first, quantity: 1, discount: '0.00', tax: '2.00' }, second],
      changedSeconds: 20,
    }
    await front.change!(changed)
    const live = ({ lines }: OrderDocument): number[] =>
      lines.map(({ quantity, units }) => quantity - (units.cancelled ?? 0))
    const isChanged = (one: OrderDocument): void => {
      expect(one.shipTo.line1).toBe('9 New Street')
      expect(live(one)).toEqual([1, 1])
    }
    await becomes(front, order, isChanged)
    await vi.waitFor(async () => expect(await goneOf(first.sku)).toBe(1), PATIENCE)
    // EDI has no times of changes: there the last one counts.
    if (front.type === 'edi') return
    await front.change!({ ...changed, street: '1 Old Street', changedSeconds: 10 })
    await front.place({ ...order, changedSeconds: 5 })
    const later = await newOrder(front)
    await front.place(later)
    await becomes(front, later, decided)
    await becomes(front, order, isChanged)
  })

  test.runIf(front.cancel)('comes to the same in whatever order it, its change and its cancellation come', async () => {
    const steps = ['place', ...(front.change ? ['change'] : []), 'cancel'] as ('place' | 'change' | 'cancel')[]
    const ways = permutations(steps)
    const orders = await Promise.all(ways.map(() => newOrder(front)))
    for (const [at, way] of ways.entries()) {
      const order = orders[at]!
      for (const step of way) {
        const said = { ...order, changedSeconds: steps.indexOf(step) * 10 }
        await front[step]!(step === 'change' ? { ...said, street: '9 New Street' } : said)
      }
      // A till sends its queue again until all of it is done.
      if (front.type === 'pos') for (const step of ['place', 'cancel'] as const) await front[step]!(order)
    }
    for (const [at, order] of orders.entries()) {
      const isOff = front.isAsked && ways[at]!.indexOf('cancel') < ways[at]!.indexOf('place')
      if (isOff && (await found(front, order)).length === 0) continue
      if (front.isSent) await becomes(front, order, ({ status }) => expect(status).toBe('cancelled'))
      else await becomes(front, order, ({ lines }) => expect(lines[0]!.units.returned).toBe(3))
      for (const { sku } of order.lines) await vi.waitFor(async () => expect(await goneOf(sku)).toBe(0), PATIENCE)
    }
  })

  test('with a SKU that nobody knows is not lost', async () => {
    const order = await newOrder(front)
    const unknown = `UNKNOWN-${order.number}`
    order.lines[1]!.sku = unknown
    await front.place(order)
    if (front.unknownSku === 'held') {
      const held = await becomes(front, order, ({ status }) => expect(status).toBe('on_hold'))
      expect(held.holds).toMatchObject([{ reason: 'unknown_sku' }])
      expect(held.lines.map(({ sku }) => sku)).toContain(unknown)
    } else expect(await found(front, order)).toEqual([])
    await shop.call('PUT', `/v1/products/${unknown}`, { name: 'Known now' })
    await shop.call('PUT', `/v1/inventory/${unknown}/W1`, { onHand: ON_HAND })
    if (front.unknownSku === 'held') {
      const [held] = await found(front, order)
      await shop.call('POST', `/v1/orders/${held!.id}/resume`, { reason: 'known now' })
    } else await front.place(order)
    await becomes(front, order, ({ status }) => expect(['allocated', 'delivered']).toContain(status))
  })

  test('goes by aliases: one of theirs is several of ours, and the money stays', async () => {
    const order = await newOrder(front)
    const ours = order.lines[0]!.sku
    const theirs = `PACK-${order.number}`
    order.lines[0]!.sku = theirs
    const path = `/v1/channels/${front.type}/${front.connection}/aliases/${theirs}`
    expect((await shop.call('PUT', path, { sku: ours, quantity: 4 })).status).toBe(200)
    await front.place(order)
    const placed = await becomes(front, order, decided)
    expect(placed.lines[0]).toMatchObject({ sku: ours, quantity: 12 })
    expect(placed.totals.total.amount).toBe(total(order))
    expect(await goneOf(ours)).toBe(12)
  })

  test.runIf(front.refund)('is refunded in part, once, however often that is said', async () => {
    const order = await newOrder(front)
    await front.place(order)
    await delivered(await becomes(front, order, decided), 'T-1')
    // A unit of the first line: a third of what was paid for it.
    const given = amount((3_000 - 300 + 540) / 3)
    for (let times = 0; times < 3; times++) await front.refund!(order, given)
    const refunded = await becomes(front, order, ({ lines, payment, returns }) => {
      if (front.restocks) expect(lines[0]!.units).toEqual({ delivered: 2, returned: 1 })
      if (front.refundsMoney) expect(payment.refunded?.amount).toBe(given)
      else expect(returns.flatMap(({ refunds }) => refunds)).toMatchObject([{ amount: { amount: given } }])
    })
    expect(refunded.lines[1]!.units).toEqual({ delivered: 1 })
    expect(await goneOf(order.lines[0]!.sku)).toBe(front.restocks ? 2 : 3)
  })

  test.runIf(front.forge)('that is not signed as it should be is refused, and nothing of it is kept', async () => {
    const order = await newOrder(front)
    for (const how of ['wrong', 'missing', 'changed'] as const) {
      const status = await front.forge!(order, how)
      if (status !== undefined) expect(status, how).toBe(401)
    }
    expect(await found(front, order)).toEqual([])
    // Replayed: it is what it was.
    await front.place(order)
    await front.place(order)
    const placed = await becomes(front, order, decided)
    expect(await front.original(order, placed.id)).not.toContain('13 St')
  })

  test.runIf(front.parcels)('that is sent has its channel told of the parcel, once', async () => {
    const order = await newOrder(front)
    await front.place(order)
    const tracking = `TRACK${order.number}`
    await delivered(await becomes(front, order, decided), tracking)
    await vi.waitFor(async () => expect(await front.parcels!(order)).toEqual([{ tracking, units: 4 }]), PATIENCE)
  })

  test.runIf(front.stock)('takes from what its channel sees', async () => {
    const order = await newOrder(front)
    const [{ sku }] = order.lines as [SaidOrder['lines'][0]]
    await vi.waitFor(() => expect(front.stock!.get(sku)).toBe(ON_HAND), PATIENCE)
    await front.place(order)
    await vi.waitFor(() => expect(front.stock!.get(sku)).toBe(ON_HAND - 3), PATIENCE)
  })
})

test('a shop that is away holds up no other, and is told of all in the end', async () => {
  const [away, there] = [new WooCommerceFront(), new BigCommerceFront()]
  for (const front of [away, there]) await front.connect(shop.server)
  const orders: SaidOrder[] = []
  away.isAway = true
  for (let count = 0; count < 12; count++) {
    const order = await newOrder(away)
    orders.push(order)
    await away.place(order)
    await delivered(await becomes(away, order, decided), `AWAY${order.number}`)
  }
  const other = await newOrder(there)
  await there.place(other)
  await delivered(await becomes(there, other, decided), 'THERE')
  await vi.waitFor(async () => expect(await there.parcels(other)).toEqual([{ tracking: 'THERE', units: 4 }]), PATIENCE)
  away.isAway = false
  for (const order of orders) {
    const parcels = [{ tracking: `AWAY${order.number}`, units: 4 }]
    await vi.waitFor(async () => expect(await away.parcels(order)).toEqual(parcels), { ...PATIENCE, timeout: 60_000 })
    await vi.waitFor(() => expect(away.statuses.get(order.number)).toBe('completed'), PATIENCE)
  }
  for (const front of [away, there]) await front.stop()
}, 120_000)
