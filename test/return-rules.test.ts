/** A retailer's terms of returns as data: how long, for which reasons, in which condition, who pays, what does not come back. */
import { randomUUID } from 'node:crypto'
import { beforeEach, expect, test, vi } from 'vitest'
import { expectProblem, Shop } from './support/shop.js'

const shop = Shop.open()
const pounds = (amount: string) => ({ amount, currency: 'GBP' })

interface ReturnDocument {
  id: string
  status: string
  payer: string
  label: { cost: { amount: string } } | null
  lines: { quantity: number; received: number; reason: string; fee?: number }[]
  received: { sku: string; quantity: number; location: string; disposition?: string; unexpected?: boolean }[]
  refunds: { amount: { amount: string }; fee?: { amount: string }; by: string }[]
}

const settings = (body: object) => shop.call('PUT', '/v1/settings/orders', body)
const reasons = {
  damaged: { payer: 'retailer', refundsShipping: true, takesFinalSale: true },
  warranty: { payer: 'retailer', extraDays: 700, takesFinalSale: true },
  regret: { fee: 0.1 },
  hygiene: { isRefused: true },
}
const conditions = { opened: { fee: 0.25 }, worn: { isRefused: true } }
beforeEach(async () => {
  const returns = { autoAuthorize: false, payer: 'customer', reasons, conditions }
  expect((await settings({ returnDays: 30, returns })).status).toBe(200)
})

/** An order that the customer has: its id. */
async function delivered(sku: string, quantity: number, fields: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await shop.call<{ id: string; fulfillments: { id: string }[] }>('POST', '/v1/orders', {
    channel: 'web',
    externalId: randomUUID(),
    currency: 'GBP',
    customer: { name: 'Ada Byron', email: 'ada@example.com' },
    shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
    lines: [{ sku, quantity, unitPrice: pounds('20.00') }],
    ...fields,
  })
  expect(status).toBe(201)
  const { body: order } = await shop.call<{ fulfillments: { id: string }[] }>('GET', `/v1/orders/${body.id}`)
  for (const action of ['accept', 'pick', 'pack', 'ship', 'deliver']) {
    const step = action === 'ship' ? { carrier: 'post' } : {}
    expect((await shop.call('POST', `/v1/fulfillments/${order.fulfillments[0]!.id}/${action}`, step)).status).toBe(200)
  }
  return body.id
}
const ask = (order: string, sku: string, line: object = {}, more: object = {}) =>
  shop.call<ReturnDocument>('POST', '/v1/returns', {
    order,
    lines: [{ sku, quantity: 1, reason: 'too small', ...line }],
    ...more,
  })
const step = (id: string, action: string, body: object = {}) =>
  shop.call<ReturnDocument>('POST', `/v1/returns/${id}/${action}`, body)
const back = async (order: string, sku: string, line: object = {}) => {
  const { body, status } = await ask(order, sku, line)
  expect({ status, body }).toMatchObject({ status: 201 })
  await step(body.id, 'authorize', { label: false })
  return (await step(body.id, 'receive', { location: 'S1', lines: [{ sku, quantity: 1, disposition: 'restock' }] }))
    .body
}

test('behind the window nothing comes back but what is under warranty', async () => {
  const sku = await shop.newSku(10)
  const order = await delivered(sku, 3)
  expect((await ask(order, sku)).status).toBe(201)
  expect((await settings({ returnDays: 0 })).status).toBe(200)
  const since = Date.now()
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(since + 1))
  expectProblem(await ask(order, sku), 409, 'return_window_over')
  const exchange = [{ sku, quantity: 1, unitPrice: pounds('0.00') }]
  const claimed = await ask(order, sku, { reason: 'warranty' }, { resolution: 'warranty', exchange })
  expect(claimed).toMatchObject({ status: 201, body: { status: 'requested', payer: 'retailer' } })
})

test('before it has arrived the window has not begun', async () => {
  expect((await settings({ returnDays: 0 })).status).toBe(200)
  const sku = await shop.newSku(10)
  const { body } = await shop.call<{ id: string }>('POST', '/v1/orders', {
    channel: 'web',
    externalId: randomUUID(),
    currency: 'GBP',
    customer: { name: 'Ada Byron', email: 'ada@example.com' },
    shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
    lines: [{ sku, quantity: 1, unitPrice: pounds('20.00') }],
  })
  for (const action of ['accept', 'pick', 'pack', 'ship']) {
    await shop.call('POST', `/v1/fulfillments/${body.id}-1/${action}`, action === 'ship' ? { carrier: 'post' } : {})
  }
  expect((await ask(body.id, sku)).status).toBe(201)
})

test('a reason that is refused, and a condition that is refused, give no return', async () => {
  const sku = await shop.newSku(10)
  const order = await delivered(sku, 2)
  expectProblem(await ask(order, sku, { reason: 'hygiene' }), 409, 'reason_refused')
  expectProblem(await ask(order, sku, { condition: 'worn' }), 409, 'condition_refused')
  const { body } = await ask(order, sku)
  await step(body.id, 'authorize', { label: false })
  const worn = [{ sku, quantity: 1, disposition: 'scrap', condition: 'worn' }]
  const found = await step(body.id, 'receive', { location: 'S1', lines: worn })
  expect(found.body.refunds, 'what turns out to be worn').toEqual([])
})

test('of what is kept, the reason and the condition decide, whichever keeps more', async () => {
  const sku = await shop.newSku(10)
  const order = await delivered(sku, 4)
  const amounts = []
  for (const line of [{}, { reason: 'regret' }, { condition: 'opened' }, { reason: 'regret', condition: 'opened' }]) {
    const { refunds } = await back(order, sku, line)
    amounts.push([refunds[0]!.amount.amount, refunds[0]!.fee?.amount])
  }
  expect(amounts).toEqual([
    ['20.00', undefined],
    ['18.00', '2.00'],
    ['15.00', '5.00'],
    ['15.00', '5.00'],
  ])
})

test('the label is paid for by whom the reason names: once, out of what is given', async () => {
  const sku = await shop.newSku(10)
  const order = await delivered(sku, 6)
  const refundOf = async (reason: string, place = 'W1') => {
    const { body } = await ask(order, sku, { reason, quantity: 2 })
    const { body: authorized } = await step(body.id, 'authorize')
    const one = { location: place, lines: [{ sku, quantity: 1, disposition: 'restock' }] }
    await step(body.id, 'receive', one)
    const { refunds } = (await step(body.id, 'receive', one)).body
    const given = refunds.reduce((sum, { amount }) => sum + Number(amount.amount) * 100, 0)
    return { payer: authorized.payer, given, cost: Number(authorized.label!.cost.amount) * 100 }
  }
  const own = await refundOf('too small')
  expect(own).toMatchObject({ payer: 'customer', given: 4_000 - own.cost })
  expect(own.cost).toBeGreaterThan(0)
  expect(await refundOf('damaged')).toMatchObject({ payer: 'retailer', given: 4_000 })
  const byHand = await refundOf('too small', 'S1')
  expect(byHand, 'brought to a store instead').toMatchObject({ payer: 'customer', given: 4_000 })
})

test('what was sold for good comes back for a fault alone, also where it is sold otherwise now', async () => {
  const sku = await shop.newSku(10, 'W1', { finalSale: true })
  const order = await delivered(sku, 2)
  expectProblem(await ask(order, sku), 409, 'final_sale')
  expect((await ask(order, sku, { reason: 'damaged' })).status).toBe(201)
  expect((await shop.call('PUT', `/v1/products/${sku}`, { name: 'On sale no longer' })).status).toBe(200)
  expectProblem(await ask(order, sku), 409, 'final_sale')
  const later = await delivered(sku, 1)
  expect((await ask(later, sku)).status).toBe(201)
})

test('it may be dropped at any store and for any location, whatever was announced, and is for sale there at once', async () => {
  const sku = await shop.newSku(10)
  const order = await delivered(sku, 2)
  const { body } = await ask(order, sku, { quantity: 2 }, { location: 'W1' })
  await step(body.id, 'authorize', { label: false })
  for (const location of ['S1', 'W1']) {
    const before = (await shop.server.stock(sku)).atp
    const some = await step(body.id, 'receive', { location, lines: [{ sku, quantity: 1, disposition: 'restock' }] })
    expect(some.body.received.at(-1)).toMatchObject({ location, quantity: 1 })
    expect((await shop.server.stock(sku)).atp).toBe(before + 1)
  }
  // Sold from there in the next breath.
  const placed = await shop.call<{ id: string }>('POST', '/v1/reservations', {
    ...{ id: randomUUID(), sku, quantity: 1, location: 'S1' },
  })
  expect(placed.status).toBe(201)
})

test('short, over and wrong: what comes is entered as it came, and what is still expected may come later', async () => {
  const [sku, other] = [await shop.newSku(10), await shop.newSku(10)]
  const order = await delivered(sku, 4)
  const { body } = await ask(order, sku, { quantity: 2 })
  await step(body.id, 'authorize', { label: false })
  const short = await step(body.id, 'receive', { location: 'S1', lines: [{ sku, quantity: 1 }] })
  expect(short.body.lines).toMatchObject([{ quantity: 2, received: 1 }])
  const more = [
    { sku, quantity: 4 },
    { sku: other, quantity: 1 },
  ]
  const over = await step(body.id, 'receive', { location: 'S1', lines: more })
  // One that was announced, two more that had been sent, one of which nobody knows, and one of something else.
  expect(over.body.lines).toMatchObject([
    { quantity: 2, received: 2, reason: 'too small' },
    { quantity: 2, received: 2, reason: 'unannounced' },
  ])
  expect(over.body.received.filter(({ unexpected }) => unexpected)).toMatchObject([
    { sku, quantity: 1 },
    { sku: other, quantity: 1 },
  ])
  const looked = await step(body.id, 'inspect', {
    lines: [
      { sku, quantity: 5, disposition: 'back_to_vendor' },
      { sku: other, quantity: 1, disposition: 'restock' },
    ],
  })
  expect(looked.body).toMatchObject({ status: 'inspected', refunds: [{ amount: pounds('80.00') }] })
  expect((await shop.server.stock(sku)).onHand).toBe(6)
  expect((await shop.server.stock(other)).onHand).toBe(11)
  expect((await step(body.id, 'close')).body.status).toBe('closed')
})
