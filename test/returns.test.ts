/** Returns as clients see them: never more than was sent, restocked where they come in, settled once. */
import { randomUUID } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { expectProblem, Shop } from './support/shop.js'

const shop = Shop.open()
const pounds = (amount: string) => ({ amount, currency: 'GBP' })

interface OrderDocument {
  id: string
  status: string
  lines: { status: string; units: Record<string, number> }[]
  fulfillments: { id: string; location: string; status: string }[]
  returns: ReturnDocument[]
  payment: { captured?: { amount: string }; refunded?: { amount: string } }
}
interface ReturnDocument {
  id: string
  status: string
  lines: { sku: string; quantity: number; received: number; reason: string }[]
  received: { sku: string; quantity: number; disposition?: string; unexpected?: boolean; location: string }[]
  refunds: { amount: { amount: string }; by: string; fee?: { amount: string } }[]
  exchange?: { order: string | null; total: { amount: string } }
}

/** An order of a SKU of its own that the customer has: its id. */
async function delivered(sku: string, quantity: number, fields: Record<string, unknown> = {}, upTo = 'deliver') {
  const placed = await shop.call<OrderDocument>('POST', '/v1/orders', {
    channel: 'web',
    externalId: randomUUID(),
    currency: 'GBP',
    customer: { name: 'Ada Byron', email: 'ada@example.com' },
    shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
    lines: [{ sku, quantity, unitPrice: pounds('10.00') }],
    ...fields,
  })
  expect(placed.status).toBe(201)
  const { id } = placed.body
  const [fulfillment] = (await orderOf(id)).fulfillments
  for (const action of ['accept', 'pick', 'pack', 'ship', 'deliver']) {
    const body = action === 'ship' ? { carrier: 'post' } : {}
    expect((await shop.call('POST', `/v1/fulfillments/${fulfillment!.id}/${action}`, body)).status).toBe(200)
    if (action === upTo) break
  }
  return id
}

const orderOf = async (id: string) => (await shop.call<OrderDocument>('GET', `/v1/orders/${id}`)).body
const ask = (order: string, sku: string, quantity: number, fields: Record<string, unknown> = {}) =>
  shop.call<ReturnDocument>('POST', '/v1/returns', {
    order,
    lines: [{ sku, quantity, reason: 'too small' }],
    ...fields,
  })
const step = (id: string, action: string, body: object = {}) =>
  shop.call<ReturnDocument>('POST', `/v1/returns/${id}/${action}`, body)
const onHand = async (sku: string, location: string) =>
  (await shop.server.stock(sku)).locations.find((one) => one.location === location)?.onHand ?? 0

test('fifty requests at once for the last unit that was sent give one return', async () => {
  const sku = await shop.newSku(5)
  const order = await delivered(sku, 1)
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(order, sku, 1)))
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
  for (const answer of answers) if (answer.status !== 201) expectProblem(answer, 409, 'not_returnable')
})

test('goods come back in many parts, never more than was sent, and are for sale at once where they came in', async () => {
  const sku = await shop.newSku(10)
  const order = await delivered(sku, 5)
  for (const count of [2, 1]) {
    const { body } = await ask(order, sku, count)
    await step(body.id, 'authorize', { label: false })
    const received = await step(body.id, 'receive', {
      location: 'S1',
      lines: [{ sku, quantity: count, disposition: 'restock' }],
    })
    expect(received.body).toMatchObject({ status: 'received', lines: [{ received: count }] })
  }
  expectProblem(await ask(order, sku, 3), 409, 'not_returnable')
  expect(await onHand(sku, 'S1')).toBe(3)
  const { lines, returns } = await orderOf(order)
  expect(lines[0]!.units).toEqual({ delivered: 2, returned: 3 })
  expect(returns).toHaveLength(2)
})

test('what is scrapped, refurbished or sent back to the vendor is not for sale', async () => {
  const sku = await shop.newSku(10)
  const order = await delivered(sku, 3)
  const { body } = await ask(order, sku, 3)
  await step(body.id, 'authorize', { label: false })
  expect((await step(body.id, 'receive', { location: 'S1' })).body.status).toBe('received')
  const some = await step(body.id, 'inspect', { lines: [{ sku, quantity: 1, disposition: 'scrap' }] })
  expect(some.body.status).toBe('received')
  expectProblem(await step(body.id, 'close'), 409, 'invalid_transition')
  const rest = [
    { sku, quantity: 1, disposition: 'refurbish' },
    { sku, quantity: 1, disposition: 'back_to_vendor' },
  ]
  expect((await step(body.id, 'inspect', { lines: rest })).body.status).toBe('inspected')
  expect(await onHand(sku, 'S1')).toBe(0)
  expect((await step(body.id, 'close')).body.status).toBe('closed')
  expectProblem(await step(body.id, 'receive', { location: 'S1' }), 409, 'invalid_transition')
})

test('the share of what was paid is given back by the provider, once for each unit, less the fee of the reason', async () => {
  const policy = { reasons: { 'changed my mind': { fee: 0.1 } } }
  expect((await shop.call('PUT', '/v1/settings/orders', { returns: policy })).status).toBe(200)
  const sku = await shop.newSku(10)
  const order = await delivered(sku, 3, {
    payment: { status: 'pending', amount: pounds('30.00'), provider: 'builtin' },
    shipping: pounds('5.00'),
    totals: { discount: pounds('2.00'), tax: pounds('1.00') },
  })
  await vi.waitFor(async () => expect((await orderOf(order)).payment.captured?.amount).toBe('34.00'), 5_000)
  const { body } = await ask(order, sku, 3, { lines: [{ sku, quantity: 3, reason: 'changed my mind' }] })
  await step(body.id, 'authorize', { label: false })
  await step(body.id, 'receive', { location: 'S1', lines: [{ sku, quantity: 1, disposition: 'restock' }], id: 'first' })
  await step(body.id, 'receive', { location: 'S1', lines: [{ sku, quantity: 1, disposition: 'restock' }], id: 'first' })
  const refused = [{ sku, quantity: 1, disposition: 'scrap', refuse: true }]
  const last = await step(body.id, 'receive', { location: 'S1', lines: refused })
  // 29.00 was paid for three, shipping aside: 9.66 for one, of which a tenth is kept; nothing for the spoilt one.
  expect(last.body.refunds).toMatchObject([{ amount: pounds('8.69'), fee: pounds('0.97'), by: 'provider' }])
  expect(last.body.lines).toMatchObject([{ received: 2 }])
  await vi.waitFor(async () => expect((await orderOf(order)).payment.refunded?.amount).toBe('8.69'), 5_000)
})

test('a wrong item and one too many are kept apart, named, and nothing is given for them', async () => {
  const [sku, other] = [await shop.newSku(10), await shop.newSku(10)]
  const order = await delivered(sku, 1)
  const { body } = await ask(order, sku, 1)
  await step(body.id, 'authorize', { label: false })
  const lines = [
    { sku, quantity: 2 },
    { sku: other, quantity: 1 },
  ]
  const received = await step(body.id, 'receive', { location: 'S1', lines })
  expect(received.body.received.filter(({ unexpected }) => unexpected)).toMatchObject([
    { sku, quantity: 1 },
    { sku: other, quantity: 1 },
  ])
  const open = await shop.call<{ items: { order: string; type: string }[] }>('GET', '/v1/exceptions?limit=500')
  expect(open.body.items).toContainEqual(expect.objectContaining({ order, type: 'wrong_return' }))
  expect((await orderOf(order)).lines[0]!.units).toEqual({ returned: 1 })
})

test('what is brought to a counter without having been announced is received in one call, and once', async () => {
  const sku = await shop.newSku(10)
  const order = await delivered(sku, 2)
  const body = { order, location: 'S1', lines: [{ sku, quantity: 2, disposition: 'restock' }] }
  const key = { 'Idempotency-Key': randomUUID() }
  const first = await shop.call<ReturnDocument>('POST', '/v1/returns/at-the-counter', body, key)
  expect(first).toMatchObject({ status: 201, body: { status: 'received' } })
  const again = await shop.call<ReturnDocument>('POST', '/v1/returns/at-the-counter', body, key)
  expect(again.body.id).toBe(first.body.id)
  expect(await onHand(sku, 'S1')).toBe(2)
  expect((await orderOf(order)).lines[0]!.status).toBe('returned')
})

test('an exchange is reserved when it is asked for, and sent when the goods have come', async () => {
  const [sku, wanted] = [await shop.newSku(10), await shop.newSku(1)]
  const order = await delivered(sku, 1)
  const exchange = [{ sku: wanted, quantity: 1, unitPrice: pounds('8.00') }]
  const { body, status } = await ask(order, sku, 1, { resolution: 'exchange', exchange })
  expect(status).toBe(201)
  await vi.waitFor(async () => expect((await shop.server.stock(wanted)).allocated).toBe(1), 5_000)
  const second = await ask(await delivered(sku, 1), sku, 1, { resolution: 'exchange', exchange })
  expectProblem(second, 409, 'insufficient_stock')
  await step(body.id, 'authorize', { label: false })
  await step(body.id, 'receive', { location: 'S1', lines: [{ sku, quantity: 1, disposition: 'restock' }] })
  const placed = await vi.waitFor(async () => {
    const { body: now } = await shop.call<ReturnDocument>('GET', `/v1/returns/${body.id}`)
    expect(now.exchange?.order).toBeTypeOf('string')
    return now.exchange!.order!
  }, 5_000)
  await vi.waitFor(async () => expect((await orderOf(placed)).status).toBe('allocated'), 5_000)
  await step(body.id, 'inspect')
  const closed = await step(body.id, 'close')
  expect(closed.body.refunds).toMatchObject([
    { amount: pounds('10.00'), by: 'exchange' },
    { amount: pounds('2.00'), by: 'channel' },
  ])
})

test('an exchange that comes to nothing gives its stock back', async () => {
  const [sku, wanted] = [await shop.newSku(10), await shop.newSku(1)]
  const exchange = [{ sku: wanted, quantity: 1, unitPrice: pounds('8.00') }]
  const { body } = await ask(await delivered(sku, 1), sku, 1, { resolution: 'exchange', exchange })
  await vi.waitFor(async () => expect((await shop.server.stock(wanted)).allocated).toBe(1), 5_000)
  expect((await step(body.id, 'cancel', { reason: 'kept' })).body.status).toBe('cancelled')
  await vi.waitFor(async () => expect((await shop.server.stock(wanted)).atp).toBe(1), 5_000)
})

test('an exchange of which nothing passes is given back when its return is closed, and one that was refused holds nothing', async () => {
  const [sku, wanted] = [await shop.newSku(10), await shop.newSku(1)]
  const exchange = [{ sku: wanted, quantity: 1, unitPrice: pounds('8.00') }]
  const order = await delivered(sku, 1)
  expectProblem(await ask(order, sku, 2, { resolution: 'exchange', exchange }), 409, 'not_returnable')
  expect((await shop.server.stock(wanted)).atp).toBe(1)
  const { body, status } = await ask(order, sku, 1, { resolution: 'exchange', exchange })
  expect(status).toBe(201)
  await vi.waitFor(async () => expect((await shop.server.stock(wanted)).allocated).toBe(1), 5_000)
  await step(body.id, 'authorize', { label: false })
  const lines = [{ sku, quantity: 1, disposition: 'scrap', refuse: true }]
  await step(body.id, 'receive', { location: 'S1', lines })
  await step(body.id, 'inspect')
  expect((await step(body.id, 'close')).body.status).toBe('closed')
  await vi.waitFor(async () => expect((await shop.server.stock(wanted)).atp).toBe(1), 5_000)
  expect((await shop.call<ReturnDocument>('GET', `/v1/returns/${body.id}`)).body.exchange?.order).toBeNull()
})

test('two requests alike without a key are two exchanges, each with goods of its own; one with a key is one', async () => {
  const [sku, wanted] = [await shop.newSku(10), await shop.newSku(3)]
  const exchange = [{ sku: wanted, quantity: 1, unitPrice: pounds('8.00') }]
  const order = await delivered(sku, 3)
  for (let i = 0; i < 2; i++) expect((await ask(order, sku, 1, { resolution: 'exchange', exchange })).status).toBe(201)
  await vi.waitFor(async () => expect((await shop.server.stock(wanted)).allocated).toBe(2), 5_000)
  const id = `swap-${randomUUID().slice(0, 8)}`
  const answers = [201, 200, 200]
  for (const status of answers) {
    expect((await ask(order, sku, 1, { resolution: 'exchange', exchange, id })).status).toBe(status)
  }
  await vi.waitFor(
    async () => expect(await shop.server.stock(wanted)).toMatchObject({ allocated: 3, reserved: 0 }),
    5_000,
  )
})

test('an exchange goes out when all that comes has come, and its price is set off against what passed', async () => {
  const [sku, wanted] = [await shop.newSku(10), await shop.newSku(1)]
  const exchange = [{ sku: wanted, quantity: 1, unitPrice: pounds('25.00') }]
  const order = await delivered(sku, 2)
  const { body } = await ask(order, sku, 2, { resolution: 'exchange', exchange })
  await step(body.id, 'authorize', { label: false })
  const one = [{ sku, quantity: 1, disposition: 'restock' }]
  await step(body.id, 'receive', { location: 'S1', lines: one })
  await step(body.id, 'receive', { location: 'W1', lines: one })
  const placed = await vi.waitFor(async () => {
    const { body: now } = await shop.call<ReturnDocument>('GET', `/v1/returns/${body.id}`)
    expect(now.exchange?.order).toBeTypeOf('string')
    return now.exchange!.order!
  }, 5_000)
  const { payment } = (await shop.call<{ payment: { amount: object } }>('GET', `/v1/orders/${placed}`)).body
  expect(payment.amount).toEqual(pounds('5.00'))
})

test('what is sent back before it was handed over leaves the parcel, which can still be delivered', async () => {
  const sku = await shop.newSku(10)
  const order = await delivered(sku, 2, {}, 'ship')
  const { body } = await ask(order, sku, 1)
  await step(body.id, 'authorize', { label: false })
  await step(body.id, 'receive', { location: 'W1', lines: [{ sku, quantity: 1, disposition: 'restock' }] })
  const [fulfillment] = (await orderOf(order)).fulfillments
  expect((await shop.call('POST', `/v1/fulfillments/${fulfillment!.id}/deliver`, {})).status).toBe(200)
  const now = await orderOf(order)
  expect(now).toMatchObject({ status: 'delivered', lines: [{ units: { delivered: 1, returned: 1 } }] })
})

test('a return under an id of the caller’s is one return, and the id of no other', async () => {
  const sku = await shop.newSku(10)
  const [order, other] = [await delivered(sku, 2), await delivered(sku, 2)]
  const id = `rma-${randomUUID().slice(0, 8)}`
  expect((await ask(order, sku, 1, { id })).status).toBe(201)
  expect((await ask(order, sku, 1, { id })).status).toBe(200)
  expectProblem(await ask(order, sku, 2, { id }), 409, 'conflict')
  expectProblem(await ask(other, sku, 1, { id }), 409, 'conflict')
  expect((await orderOf(order)).returns.map((one) => one.id)).toEqual([id])
  const listed = await shop.call<{ items: { id: string }[] }>('GET', '/v1/returns?status=requested&limit=500')
  expect(listed.body.items.map((one) => one.id)).toContain(id)
})

test('an order of which nothing was sent, and a reason that is refused, give no return', async () => {
  const sku = await shop.newSku(10)
  const order = await delivered(sku, 1, {}, 'accept')
  expectProblem(await ask(order, sku, 1), 409, 'invalid_transition')
  await shop.call('PUT', '/v1/settings/orders', { returns: { reasons: { hygiene: { isRefused: true } } } })
  const sent = await delivered(sku, 1)
  expectProblem(await ask(sent, sku, 1, { lines: [{ sku, quantity: 1, reason: 'hygiene' }] }), 409, 'reason_refused')
  expectProblem(await ask('nowhere', sku, 1), 404, 'unknown_order')
  expectProblem(await ask(sent, 'NOPE', 1), 404, 'unknown_sku')
})
