/** Orders from outside: what a channel, staff and a manager do, and what they get to see; on one partition and on three. */
import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { place } from './support/catalogue.js'
import { run, verify } from './support/command-line.js'
import type { StockDocument } from './support/http-call.js'
import { asListed } from './support/order-document.js'
import { TestServer } from './support/test-server.js'

interface Fulfillment {
  id: string
  location: string
  kind: string
  status: string
  lines: { line: number; sku: string; quantity: number; picked: number }[]
  purchaseOrder?: { id: string; status: string }
}
interface OrderDocument {
  id: string
  status: string
  shipTo: { postalCode: string }
  shippingService: string
  lines: {
    line: number
    sku: string
    quantity: number
    status: string
    units?: Record<string, number>
    partOf?: number
  }[]
  totals: Record<string, { amount: string }>
  payment: { status: string; captured?: { amount: string }; refunded?: { amount: string } }
  credits: { amount: { amount: string } }[]
  holds: { reason: string }[]
  tags: string[]
  fulfillments: Fulfillment[]
  exceptions: { type: string; status: string; level: string }[]
  notChosen: { location: string; reason: string }[]
  promise: { shipBy: string; deliverBy: string } | null
  rules: { rule: string; matched: boolean; fault?: string }[]
  timeline: { at: string; type: string; by: string; detail?: string }[]
  code?: string
  detail?: string
  errors?: { path: string; message: string }[]
}

describe.each([{ partitions: 1 }, { partitions: 3 }])('Orders over $partitions partitions', ({ partitions }) => {
  let server: TestServer
  let next = 0

  beforeAll(async () => {
    server = await TestServer.start({ args: ['--partitions', String(partitions), '--threads', '2'] })
    const places: [string, object][] = [
      ['W0', { type: 'warehouse', latitude: 52, longitude: -1 }],
      ['W1', { type: 'warehouse', latitude: 55.8, longitude: -4.3 }],
      ['S0', { type: 'store', latitude: 51.5, longitude: -0.1, priority: 2 }],
      ['S1', { type: 'store', latitude: 53.4, longitude: -2.9, priority: 2 }],
      ['D0', { type: 'dropship', latitude: 53, longitude: -2, priority: 4 }],
    ]
    for (const [id, fields] of places) await put(`/v1/locations/${id}`, place(id, fields as Record<string, unknown>))
  })

  async function put(path: string, body: object): Promise<void> {
    const answer = await server.call('PUT', path, body)
    expect({ path, status: answer.status, body: answer.body }).toMatchObject({ status: 200 })
  }

  const gbp = (amount: string) => ({ amount, currency: 'GBP' })

  /** A SKU of the test's own, stocked as it says. */
  async function sku(stock: Record<string, number> = {}, product: object = {}): Promise<string> {
    const name = `SKU-${next++}`
    await put(`/v1/products/${name}`, { name, weightGrams: 300, ...product })
    for (const [location, onHand] of Object.entries(stock)) await put(`/v1/inventory/${name}/${location}`, { onHand })
    return name
  }

  const body = (lines: [string, number][], more: object = {}) => ({
    channel: 'web',
    currency: 'GBP',
    customer: { name: 'A Buyer', email: 'buyer@example.com' },
    shipTo: { line1: '2 High Street', city: 'York', postalCode: 'YO1 7HH', country: 'GB' },
    lines: lines.map(([name, quantity]) => ({ sku: name, quantity, unitPrice: gbp('10.00') })),
    ...more,
  })

  const post = (path: string, content: object = {}) => server.call<OrderDocument>('POST', path, content)
  const get = async (id: string) => (await server.call<OrderDocument>('GET', `/v1/orders/${id}`)).body
  const stockOf = async (name: string) => (await server.call<StockDocument>('GET', `/v1/inventory/${name}`)).body

  /** Waits until nothing is asked of other partitions any more. */
  async function settled(id: string, wanted?: string): Promise<OrderDocument> {
    await expect
      .poll(async () => (await get(id)).status, { timeout: 10_000, interval: 20 })
      .toSatisfy((status: string) => (wanted ? status === wanted : !['sourcing', 'validating'].includes(status)))
    return get(id)
  }

  async function order(lines: [string, number][], more: object = {}, wanted?: string): Promise<OrderDocument> {
    const answer = await post('/v1/orders', body(lines, more))
    expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 201 })
    return settled(answer.body.id, wanted)
  }

  async function step(fulfillment: string, action: string, content: object = {}): Promise<void> {
    const answer = await server.call(`POST`, `/v1/fulfillments/${fulfillment}/${action}`, content)
    expect({ action, status: answer.status, body: answer.body }).toMatchObject({ status: 200 })
  }

  async function deliver(fulfillment: string): Promise<void> {
    for (const action of ['accept', 'pick', 'pack']) await step(fulfillment, action)
    await step(fulfillment, 'ship', { carrier: 'simulated', packages: [{ weightGrams: 300 }] })
    await step(fulfillment, 'deliver')
  }

  test('are allocated, picked, packed, shipped, delivered, and stock is what is left', async () => {
    const [a, b, c] = [await sku({ W0: 9, S0: 1 }), await sku({ W0: 9 }), await sku({ W0: 9 })]
    const placed = await order(
      [
        [a, 2],
        [b, 1],
        [c, 3],
      ],
      {},
      'allocated',
    )
    expect(placed.fulfillments.map(({ location }) => location)).toEqual(['W0'])
    expect(placed.totals.total!.amount).toBe('60.00')
    expect(placed.promise).not.toBeNull()
    await deliver(placed.fulfillments[0]!.id)
    const done = await settled(placed.id, 'delivered')
    expect(done.lines.map(({ status }) => status)).toEqual(['delivered', 'delivered', 'delivered'])
    expect(await stockOf(a)).toMatchObject({ onHand: 8, allocated: 0, reserved: 0, atp: 8 })
    expect(await stockOf(c)).toMatchObject({ onHand: 6, allocated: 0 })
    const types = done.timeline.map(({ type }) => type)
    expect(types[0]).toBe('order.received')
    expect(types).toEqual(expect.arrayContaining(['order.allocated', 'fulfillment.picked', 'fulfillment.delivered']))
    expect((await post(`/v1/orders/${placed.id}/cancel`, { reason: 'late' })).body).toMatchObject({
      code: 'invalid_transition',
      current: 'delivered',
    })
  })

  test('say everything that is wrong with them in one answer', async () => {
    const a = await sku({ W0: 5 })
    const wrong = body(
      [
        [a, 1],
        ['NOPE', 1],
      ],
      { totals: { total: gbp('1.00') }, payment: { status: 'captured', amount: { amount: '1', currency: 'EUR' } } },
    )
    const answer = await post('/v1/orders', wrong)
    expect(answer.status).toBe(422)
    expect(answer.body.errors!.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['lines.1.sku', 'totals.total', 'payment.amount']),
    )
    for (const bad of [
      body([]),
      body([[a, 0]]),
      body([[a, 1]], { currency: 'XXXX' }),
      body([[a, 1]], { shipTo: undefined }),
      body([[a, 1]], { delivery: { method: 'pickup' } }),
      body([[a, 1]], { id: 'no spaces please' }),
      body([[a, 2 ** 31]]),
    ]) {
      const refused = await post('/v1/orders', bad)
      expect({ status: refused.status, detail: typeof refused.body.detail }).toEqual({ status: 422, detail: 'string' })
    }
    expect((await stockOf(a)).atp).toBe(5)
  })

  test('may have 1,000 lines, and not 6,000', async () => {
    const a = await sku({ W0: 10_000 })
    const many = await order(
      Array.from({ length: 1_000 }, (): [string, number] => [a, 1]),
      {},
      'allocated',
    )
    expect(many.fulfillments.flatMap(({ lines }) => lines)).toHaveLength(1_000)
    expect((await stockOf(a)).allocated).toBe(1_000)
    const tooMany = await post('/v1/orders', body(Array.from({ length: 6_000 }, (): [string, number] => [a, 1])))
    expect({ status: tooMany.status, path: tooMany.body.errors![0]!.path }).toEqual({ status: 422, path: 'lines' })
    expect((await post(`/v1/orders/${many.id}/cancel`, { reason: 'test' })).status).toBe(200)
    expect((await stockOf(a)).atp).toBe(10_000)
  })

  test('are one for a channel’s own id, and an id is one order', async () => {
    const a = await sku({ W0: 100 })
    const externalId = randomUUID()
    const [first, again, other] = await Promise.all([
      post('/v1/orders', body([[a, 1]], { externalId })),
      post('/v1/orders', body([[a, 1]], { externalId })),
      post('/v1/orders', body([[a, 2]], { externalId, id: `own-${next}` })),
    ])
    expect([first.status, again.status, other.status].every((status) => status < 300)).toBe(true)
    expect(new Set([first.body.id, again.body.id, other.body.id]).size).toBe(1)
    const id = randomUUID()
    expect((await post('/v1/orders', body([[a, 1]], { id }))).status).toBe(201)
    expect((await post('/v1/orders', body([[a, 1]], { id }))).body.id).toBe(id)
    expect((await post('/v1/orders', body([[a, 3]], { id }))).body.code).toBe('conflict')
    await expect.poll(async () => (await stockOf(a)).allocated).toBeLessThanOrEqual(3)
  })

  test('without stock are rejected, wait, or go in part, as they say', async () => {
    const [scarce, plenty] = [await sku({ W0: 2 }), await sku({ W0: 50 })]
    await order(
      [
        [scarce, 3],
        [plenty, 1],
      ],
      {},
      'rejected',
    )
    expect(await stockOf(plenty)).toMatchObject({ atp: 50, allocated: 0 })
    const part = await order(
      [
        [scarce, 3],
        [plenty, 1],
      ],
      { allowPartial: true },
      'allocated',
    )
    expect(part.lines[0]).toMatchObject({ units: { allocated: 2, cancelled: 1 } })
    const waits = await order(
      [
        [scarce, 1],
        [plenty, 1],
      ],
      { allowBackorder: true },
      'backordered',
    )
    const later = await order([[scarce, 1]], { allowBackorder: true, priority: 1 }, 'backordered')
    await put(`/v1/inventory/${scarce}/W0`, { onHand: 3 })
    await settled(later.id, 'allocated')
    expect((await get(waits.id)).status).toBe('backordered')
    await put(`/v1/inventory/${scarce}/W0`, { onHand: 4 })
    await settled(waits.id, 'allocated')
    expect(await stockOf(scarce)).toMatchObject({ atp: 0, allocated: 4 })
    await order([[scarce, 1]], { allowBackorder: true }, 'backordered')
    // Planned together off the main thread: what has no stock is left as it is.
    const planned = await post('/v1/reoptimisations', { reason: 'wave' })
    expect(planned.body).toMatchObject({ orders: 1, moved: 1, left: 0 })
    await put(`/v1/inventory/${scarce}/W0`, { onHand: 5 })
    await expect.poll(async () => (await stockOf(scarce)).allocated).toBe(5)
  })

  test('are promised from dated supply where stock is short', async () => {
    const a = await sku()
    const expectedAt = new Date(Date.now() + 20 * 86_400_000).toISOString()
    await post('/v1/inventory/supply', { id: `PO-${a}`, sku: a, location: 'W0', quantity: 5, expectedAt } as object)
    const waits = await order([[a, 2]], { allowBackorder: true }, 'backordered')
    expect(Date.parse(waits.promise!.shipBy)).toBeGreaterThanOrEqual(Date.parse(expectedAt))
    await post(`/v1/inventory/supply/PO-${a}/receive`, { quantity: 5 } as object)
    await settled(waits.id, 'allocated')
  })

  test('picked short or rejected are sourced elsewhere, and the stock there is put right', async () => {
    const a = await sku({ W0: 5, W1: 5, S1: 5 })
    const placed = await order([[a, 3]], {}, 'allocated')
    const [first] = placed.fulfillments
    await step(first!.id, 'accept')
    await step(first!.id, 'pick', { lines: [{ sku: a, quantity: 1 }] })
    await expect.poll(async () => (await get(placed.id)).fulfillments.length).toBe(2)
    const second = (await settled(placed.id)).fulfillments[1]!
    expect(second.location).not.toBe(first!.location)
    expect(second.lines[0]!.quantity).toBe(2)
    await step(second.id, 'reject', { reason: 'too busy' })
    await expect.poll(async () => (await get(placed.id)).fulfillments.length).toBe(3)
    const third = (await settled(placed.id)).fulfillments[2]!
    expect([first!.location, second.location]).not.toContain(third.location)
    const rows = (await stockOf(a)).locations
    expect(rows.find(({ location }) => location === first!.location)).toMatchObject({ onHand: 3, allocated: 1 })
    expect(rows.find(({ location }) => location === second.location)).toMatchObject({ onHand: 5, allocated: 0 })
    expect((await get(placed.id)).exceptions.map(({ type, status }) => [type, status])).toEqual([
      ['short', 'resolved'],
      ['rejected', 'resolved'],
    ])
  })

  test('refuse steps out of turn, twice, and from another location', async () => {
    const a = await sku({ W0: 5 })
    const { fulfillments } = await order([[a, 2]], {}, 'allocated')
    const { id } = fulfillments[0]!
    const refused = (action: string, content: object = {}) => post(`/v1/fulfillments/${id}/${action}`, content)
    expect((await refused('ship', { carrier: 'x' })).body.code).toBe('invalid_transition')
    expect((await refused('accept', { location: 'S0' })).body.code).toBe('wrong_location')
    await step(id, 'accept', { id: 'slip-1' })
    await step(id, 'accept', { id: 'slip-1' })
    expect((await refused('accept')).body.code).toBe('invalid_transition')
    expect((await refused('pick', { lines: [{ sku: a, quantity: 3 }] })).body.code).toBe('picked_too_many')
    await step(id, 'pick')
    expect((await refused('deliver')).body.code).toBe('invalid_transition')
    const order_ = await get(id.slice(0, id.lastIndexOf('-')))
    expect((await post(`/v1/orders/${order_.id}/cancel`, { reason: 'too late' })).body.code).toBe('invalid_transition')
    expect((await server.call('PATCH', `/v1/orders/${order_.id}`, { notes: 'x' })).status).toBe(409)
    expect((await post('/v1/fulfillments/nothing-1/accept')).status).toBe(404)
  })

  test('can be held, changed and cancelled in part until they are picked', async () => {
    const [a, b] = [await sku({ W0: 20 }), await sku({ W0: 20 })]
    const placed = await order(
      [
        [a, 5],
        [b, 5],
      ],
      {},
      'allocated',
    )
    expect((await post(`/v1/orders/${placed.id}/hold`, { reason: 'call the customer' })).body.status).toBe('on_hold')
    expect((await post(`/v1/fulfillments/${placed.fulfillments[0]!.id}/accept`)).body.code).toBe('on_hold')
    expect((await post(`/v1/orders/${placed.id}/resume`)).body.status).toBe('allocated')
    await post(`/v1/orders/${placed.id}/cancel`, { reason: 'fewer', lines: [{ sku: a, quantity: 2 }] })
    await expect.poll(async () => (await stockOf(a)).allocated).toBe(3)
    const changed = await server.call<OrderDocument>('PATCH', `/v1/orders/${placed.id}`, {
      lines: [{ line: 2, quantity: 7 }],
      shipTo: { line1: '1 Quay', city: 'Hull', postalCode: 'HU1 1AA', country: 'GB' },
    })
    expect(changed.status).toBe(200)
    const now = await settled(placed.id, 'allocated')
    expect(now.shipTo.postalCode).toBe('HU1 1AA')
    await expect.poll(async () => (await stockOf(b)).allocated).toBe(7)
    expect((await post(`/v1/orders/${placed.id}/cancel`, { reason: 'all of it' })).body.status).toBe('cancelled')
    await expect.poll(async () => (await stockOf(b)).atp).toBe(20)
    expect((await stockOf(a)).atp).toBe(20)
    expect((await post('/v1/bulk/orders/cancel', { orders: [placed.id, 'none'] })).body).toMatchObject({
      results: [{ status: 409 }, { status: 404 }],
    })
  })

  // A SKU of another partition cannot be added.
  test.runIf(partitions === 1)(
    'take a new line with its discount and taxes, and say what is wrong with one',
    async () => {
      const [a, b] = [await sku({ W0: 20 }, {}), await sku({ W0: 20 })]
      const placed = await order([[a, 1]], {}, 'allocated')
      const gbp = (amount: string) => ({ amount, currency: 'GBP' })
      const added = {
        sku: b,
        quantity: 2,
        unitPrice: gbp('10.00'),
        discount: gbp('1.50'),
        taxes: [{ name: 'VAT', amount: gbp('3.70') }],
      }
      const wrong = await server.call('PATCH', `/v1/orders/${placed.id}`, {
        lines: [
          { ...added, discount: gbp('20.01'), taxes: [{ name: 'VAT', amount: { amount: '1.00', currency: 'USD' } }] },
        ],
      })
      expect(wrong).toMatchObject({
        status: 422,
        body: { errors: [{ path: 'lines.0.taxes.0.amount' }, { path: 'lines.0.discount' }] },
      })
      expect((await server.call('PATCH', `/v1/orders/${placed.id}`, { lines: [added] })).status).toBe(200)
      const now = await settled(placed.id, 'allocated')
      const [before, after] = [placed, now].map(({ totals }) => ({
        subtotal: Number(totals.subtotal!.amount),
        discount: Number(totals.discount!.amount),
        tax: Number(totals.tax!.amount),
        total: Number(totals.total!.amount),
      }))
      expect(after!.subtotal - before!.subtotal).toBeCloseTo(20)
      expect(after!.discount - before!.discount).toBeCloseTo(1.5)
      expect(after!.tax - before!.tax).toBeCloseTo(3.7)
      expect(after!.total - before!.total).toBeCloseTo(22.2)
    },
  )

  test('with kits reserve the components, and a kit’s ATP is its scarcest one', async () => {
    const [cup, box] = [await sku({ W0: 10 }), await sku({ W0: 3 })]
    const kit = await sku(
      {},
      {
        kit: [
          { sku: cup, quantity: 2 },
          { sku: box, quantity: 1 },
        ],
      },
    )
    const { body: promise } = await server.call<{ atp: number }>('GET', `/v1/atp?sku=${kit}&quantity=2`)
    expect(promise.atp).toBe(3)
    const placed = await order([[kit, 2]], {}, 'allocated')
    expect(placed.totals.total!.amount).toBe('20.00')
    expect(placed.lines.filter(({ partOf }) => partOf === 1).map(({ quantity }) => quantity)).toEqual([4, 2])
    await post(`/v1/orders/${placed.id}/cancel`, { reason: 'one less', lines: [{ line: 1, quantity: 1 }] })
    await expect.poll(async () => (await stockOf(cup)).allocated).toBe(2)
    await expect.poll(async () => (await stockOf(box)).allocated).toBe(1)
    await order([[kit, 3]], {}, 'rejected')
  })

  test('take substitutes, gifts, a buyer’s reservation, and a store to collect from', async () => {
    const [gone, instead] = [await sku({ W0: 0 }), await sku({ W0: 5, S0: 5 })]
    const swapped = await post('/v1/orders', {
      ...body([]),
      lines: [{ sku: gone, quantity: 1, unitPrice: gbp('1'), substitutes: [instead], gift: { message: 'For you' } }],
    })
    expect((await settled(swapped.body.id, 'allocated')).lines[0]).toMatchObject({
      sku: instead,
      substitutedFor: gone,
      gift: { message: 'For you' },
    })
    const reservationId = randomUUID()
    await server.call('POST', '/v1/reservations', { id: reservationId, sku: instead, quantity: 2, location: 'S0' })
    const taken = await post('/v1/orders', {
      ...body([]),
      lines: [{ sku: instead, quantity: 2, unitPrice: gbp('1'), reservationId }],
    })
    const allocated = await settled(taken.body.id, 'allocated')
    expect(allocated.fulfillments[0]!.location).toBe('S0')
    expect(await stockOf(instead)).toMatchObject({ reserved: 0, allocated: 3 })
    const pickup = await order([[instead, 1]], { delivery: { method: 'pickup', location: 'S0' } }, 'allocated')
    const [collect] = pickup.fulfillments
    expect(collect).toMatchObject({ kind: 'pickup', location: 'S0' })
    for (const action of ['accept', 'pick', 'pack', 'deliver']) await step(collect!.id, action)
    await settled(pickup.id, 'delivered')
    const toStore = await order([[instead, 1]], { delivery: { method: 'ship_to_store', location: 'S1' } }, 'allocated')
    expect(toStore.shipTo.postalCode).toBe('LS1 1AA')
  })

  test('of a drop-ship supplier raise a purchase order that lives with them', async () => {
    const a = await sku({ D0: 5 })
    const placed = await order([[a, 1]], {}, 'allocated')
    const [supplier] = placed.fulfillments
    expect(supplier).toMatchObject({ kind: 'dropship', purchaseOrder: { id: `PO-${supplier!.id}`, status: 'raised' } })
    await deliver(supplier!.id)
    expect((await get(placed.id)).fulfillments[0]!.purchaseOrder!.status).toBe('closed')
  })

  test('lost on the way are shipped again, and a credit is given once there was a sale', async () => {
    const a = await sku({ W0: 5 })
    const placed = await order(
      [[a, 1]],
      { payment: { status: 'authorized', amount: gbp('10.00'), provider: 'builtin' } },
      'allocated',
    )
    const [first] = placed.fulfillments
    for (const action of ['accept', 'pick', 'pack']) await step(first!.id, action)
    await step(first!.id, 'ship', { carrier: 'simulated', packages: [{ weightGrams: 1 }] })
    await expect
      .poll(async () => (await get(placed.id)).payment)
      .toMatchObject({ status: 'captured', captured: gbp('10.00') })
    await step(first!.id, 'fail', { reason: 'lost by the carrier' })
    await expect.poll(async () => (await get(placed.id)).fulfillments.length).toBe(2)
    await deliver((await settled(placed.id)).fulfillments[1]!.id)
    await settled(placed.id, 'delivered')
    expect((await stockOf(a)).onHand).toBe(3)
    expect(
      (await post(`/v1/orders/${placed.id}/credits`, { amount: gbp('4.00'), reason: 'late' })).body.credits,
    ).toHaveLength(1)
    await expect.poll(async () => (await get(placed.id)).payment).toMatchObject({ refunded: gbp('4.00') })
    expect((await post(`/v1/orders/${placed.id}/credits`, { amount: gbp('7.00'), reason: 'again' })).body.code).toBe(
      'credit_too_large',
    )
  })

  test('wait for their payment, and give it back when they are cancelled', async () => {
    const a = await sku({ W0: 5 })
    const elsewhere = await order([[a, 1]], { payment: { status: 'pending', amount: gbp('10.00') } }, 'received')
    expect((await post(`/v1/orders/${elsewhere.id}/payment`, { event: 'refunded', amount: gbp('1') })).body.code).toBe(
      'invalid_transition',
    )
    await post(`/v1/orders/${elsewhere.id}/payment`, { event: 'authorized', amount: gbp('10.00'), reference: 'x' })
    await settled(elsewhere.id, 'allocated')
    const ours = await order([[a, 1]], { payment: { status: 'pending', amount: gbp('10.00'), provider: 'builtin' } })
    await settled(ours.id, 'allocated')
    await post(`/v1/orders/${ours.id}/cancel`, { reason: 'no' })
    await expect.poll(async () => (await get(ours.id)).payment.status).toBe('voided')
    const paid = await order([[a, 3]], { payment: { status: 'captured', amount: gbp('30.00'), provider: 'builtin' } })
    await post(`/v1/orders/${paid.id}/cancel`, { reason: 'one less', lines: [{ sku: a, quantity: 1 }] })
    await expect.poll(async () => (await get(paid.id)).payment).toMatchObject({ refunded: gbp('10.00') })
    await post(`/v1/orders/${paid.id}/cancel`, { reason: 'none' })
    await expect.poll(async () => (await get(paid.id)).payment).toMatchObject({ refunded: gbp('30.00') })
  })

  test('go through rules that are tried before they are switched on', async () => {
    const a = await sku({ W0: 50 }, { attributes: { hazardous: true } })
    const b = await sku({ W0: 50 })
    const past = await order([[a, 9]], {}, 'allocated')
    const rule = {
      order: 1,
      condition: `order.channel == 'rules-${partitions}' && lines.exists(l, l.quantity > 5)`,
      actions: [
        { type: 'hold', reason: 'many' },
        { type: 'tag', tag: 'bulk' },
      ],
    }
    const trial = await post('/v1/rules/try', {
      rules: [{ id: 'r', ...rule, condition: 'lines.exists(l, l.quantity > 5)' }],
      orders: [past.id],
    })
    expect(trial.body).toMatchObject({ items: [{ order: past.id, holds: ['many'] }] })
    expect((await get(past.id)).status).toBe('allocated')
    await put(`/v1/rules/many-${partitions}`, rule)
    await put(`/v1/rules/split-${partitions}`, {
      order: 2,
      condition: 'true',
      actions: [{ type: 'splitBy', attribute: 'hazardous' }],
    })
    await put(`/v1/rules/bad-${partitions}`, {
      order: 3,
      condition: `order.channel == 'rules-${partitions}' && lines[0].attributes["none"] == 1`,
      actions: [{ type: 'tag', tag: 'never' }],
    })
    expect(
      (await server.call('PUT', '/v1/rules/x', { condition: 'order.nothing', actions: [{ type: 'tag', tag: 'x' }] }))
        .status,
    ).toBe(422)
    const held = await order(
      [
        [a, 9],
        [b, 1],
      ],
      { channel: `rules-${partitions}` },
      'on_hold',
    )
    expect(held.tags).toEqual(['bulk'])
    expect(held.holds.map(({ reason }) => reason)).toEqual(['many', `rule_failed:bad-${partitions}`])
    expect(held.rules.map(({ matched }) => matched)).toEqual([true, true, false])
    expect(held.fulfillments).toEqual([])
    await post(`/v1/orders/${held.id}/resume`)
    expect((await settled(held.id, 'allocated')).fulfillments).toHaveLength(2)
    await put(`/v1/rules/many-${partitions}`, { ...rule, enabled: false })
    await put(`/v1/rules/split-${partitions}`, {
      condition: 'true',
      actions: [{ type: 'tag', tag: 'x' }],
      enabled: false,
    })
    await put(`/v1/rules/bad-${partitions}`, {
      condition: 'true',
      actions: [{ type: 'tag', tag: 'x' }],
      enabled: false,
    })
  })

  test('count against the limit of a buyer', async () => {
    const a = await sku({ W0: 50 }, { limitPerBuyer: 2 })
    const customer = { name: 'L', email: `limited-${partitions}@example.com` }
    await order([[a, 2]], { customer }, 'allocated')
    await order([[a, 1]], { customer }, 'rejected')
    await order([[a, 1]], { customer: { name: 'M', email: `other-${partitions}@example.com` } }, 'allocated')
  })

  test('are held where they look like fraud', async () => {
    const a = await sku({ W0: 5_000 })
    const fraud = await order([[a, 1_000]], { customer: { name: 'X', email: 'x@mailinator.com' } }, 'on_hold')
    expect(fraud.holds[0]!.reason).toContain('fraud')
  })

  test('leave a location that goes out of service, and do not come to one whose day is full', async () => {
    const a = await sku({ S1: 5, W1: 5 })
    await put(
      '/v1/locations/S2',
      place('S2', { type: 'store', capacityPerDay: partitions, latitude: 53.9, longitude: -1 }),
    )
    await put(`/v1/inventory/${a}/S2`, { onHand: 5 })
    const placed = []
    for (let i = 0; i < 4; i++) placed.push(await order([[a, 1]], {}, 'allocated'))
    const here = placed.filter(({ fulfillments }) => fulfillments[0]!.location === 'S2')
    expect(here.length).toBeLessThanOrEqual(partitions)
    const moved = placed.find(({ fulfillments }) => fulfillments[0]!.location !== 'S2')!
    const { location } = moved.fulfillments[0]!
    const { body: before } = await server.call<Record<string, unknown>>('GET', `/v1/locations/${location}`)
    const { id: _id, index: _index, ...rest } = before
    await put(`/v1/locations/${location}`, { ...rest, active: false })
    await expect
      .poll(
        async () =>
          (await get(moved.id)).fulfillments.filter(({ status }) => status === 'pending').map((f) => f.location),
        { timeout: 10_000 },
      )
      .not.toContain(location)
    expect((await get(moved.id)).fulfillments[0]!.status).toBe('cancelled')
    await put(`/v1/locations/${location}`, { ...rest, active: true })
    await put('/v1/locations/S2', place('S2', { type: 'store', active: false }))
  })

  test('are found by everything that one knows of them, page by page', async () => {
    const a = await sku({ W0: 500 })
    const email = `zoe-${partitions}@example.com`
    const ids: string[] = []
    for (let i = 0; i < 7; i++) {
      ids.push(
        (
          await order(
            [[a, 1]],
            { customer: { name: `Zoë Quirk-${partitions}`, email }, externalId: `Z-${partitions}-${i}` },
            'allocated',
          )
        ).id,
      )
    }
    const list = async (query: string) => {
      const found: string[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const answer: { body: { items: OrderDocument[]; nextCursor: string | null } } = await server.call(
          'GET',
          `/v1/orders?limit=3&${query}${cursor === '' ? '' : `&cursor=${cursor}`}`,
        )
        found.push(...answer.body.items.map(({ id }) => id))
        cursor = answer.body.nextCursor
      }
      return found
    }
    expect(await list(`customer=${encodeURIComponent(email)}`)).toEqual([...ids].reverse())
    expect(await list(`q=${encodeURIComponent(`zoë quirk ${partitions}`)}`)).toEqual([...ids].reverse())
    expect(await list(`externalId=Z-${partitions}-3`)).toEqual([ids[3]])
    expect((await list('status=allocated&channel=web')).slice(0, 7)).toEqual([...ids].reverse())
    expect((await list('location=W0')).slice(0, 7)).toEqual([...ids].reverse())
    expect(await list(`to=2020-01-01T00:00:00Z`)).toEqual([])
    expect((await server.call('GET', '/v1/orders?cursor=bm8')).status).toBe(422)
    const { body: whole } = await server.call<OrderDocument>('GET', `/v1/orders/${ids[3]}`)
    const { body: page } = await server.call('GET', `/v1/orders?externalId=Z-${partitions}-3`)
    expect(page).toEqual({ items: [asListed(whole)], nextCursor: null })
    const { body: counts } = await server.call<Record<string, number>>('GET', '/v1/order-counts')
    expect(counts.allocated).toBe((await list('status=allocated')).length)
    const { body: work } = await server.call<{ items: Fulfillment[] }>(
      'GET',
      '/v1/fulfillments?location=W0&status=pending&limit=3',
    )
    expect(work.items.map(({ id }) => id)).toEqual([6, 5, 4].map((i) => `${ids[i]}-1`))
  })

  test('move stock by transfers and serve those who wait for it in turn', async () => {
    const a = await sku({ W0: 5, W1: 0 })
    const transfer = await server.call<{ id: string; status: string }>('POST', '/v1/transfers', {
      sku: a,
      from: 'W0',
      to: 'W1',
      quantity: 5,
    })
    expect(transfer.status).toBe(201)
    expect((await stockOf(a)).atp).toBe(0)
    const [first, second] = [randomUUID(), randomUUID()]
    for (const id of [first, second]) {
      const joined = await server.call('POST', '/v1/waitlist', {
        id,
        sku: a,
        quantity: 3,
        customer: { name: 'W', email: 'w@example.com' },
      })
      expect(joined.status).toBe(201)
    }
    const { id } = transfer.body
    expect((await server.call('POST', `/v1/transfers/${id}/receive`, { quantity: 1 })).status).toBe(409)
    expect((await server.call('POST', `/v1/transfers/${id}/ship`, {})).status).toBe(200)
    expect(await stockOf(a)).toMatchObject({ onHand: 0 })
    expect((await server.call('POST', `/v1/transfers/${id}/receive`, { quantity: 5 })).body).toMatchObject({
      status: 'received',
    })
    const entry = async (who: string) =>
      (await server.call<{ status: string }>('GET', `/v1/waitlist/${who}`)).body.status
    await expect.poll(() => entry(first)).toBe('served')
    expect(await entry(second)).toBe('waiting')
    expect(await stockOf(a)).toMatchObject({ onHand: 5, reserved: 3 })
    expect((await server.call('GET', `/v1/reservations/${first}`)).body).toMatchObject({ status: 'held', quantity: 3 })
  })

  test('may be changed until their remorse window ends, and are escalated when nobody begins them', async () => {
    const settings = (fields: object) => put('/v1/settings/orders', fields)
    const a = await sku({ W0: 5, W1: 5 })
    await settings({ remorseSeconds: 3_600 })
    const placed = await order([[a, 1]], {}, 'received')
    expect((await stockOf(a)).allocated).toBe(0)
    expect((await post(`/v1/orders/${placed.id}/release`, { reason: 'now' })).status).toBe(200)
    await settled(placed.id, 'allocated')
    await settings({ remorseSeconds: 1, deadlines: { accept: 1, escalate: 1 } })
    const late = await order([[a, 1]])
    await expect.poll(async () => (await get(late.id)).fulfillments.length, { timeout: 20_000 }).toBe(2)
    const now = await get(late.id)
    expect(now.fulfillments[0]!.status).toBe('cancelled')
    expect(now.fulfillments[1]!.location).not.toBe(now.fulfillments[0]!.location)
    expect(now.exceptions[0]).toMatchObject({ type: 'stuck' })
    await settings({ remorseSeconds: 0, deadlines: { accept: 14_400, escalate: 14_400 } })
    const { body: open } = await server.call<{ items: { id: string }[] }>('GET', '/v1/exceptions?limit=500')
    for (const { id } of open.items) {
      expect((await server.call('POST', `/v1/exceptions/${id}/acknowledge`, { reason: 'seen' })).status).toBe(200)
      expect((await server.call('POST', `/v1/exceptions/${id}/resolve`, { reason: 'done' })).status).toBe(200)
    }
    expect((await server.call<{ items: unknown[] }>('GET', '/v1/exceptions')).body.items).toEqual([])
  })

  test('are the same after a restart, and over another number of partitions', { timeout: 120_000 }, async () => {
    const a = await sku({ W0: 5 })
    const open = await order([[a, 2]], {}, 'allocated')
    const waits = await order([[a, 9]], { allowBackorder: true }, 'backordered')
    const digest = await server.settledDigest()
    const { body: counts } = await server.call('GET', '/v1/order-counts')
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    const { dataDir } = server
    for (const others of [2, 4, partitions]) {
      const { code, stderr } = await run(['reshard', '--partitions', String(others), '--data-dir', dataDir])
      expect({ code, stderr }).toMatchObject({ code: 0 })
      expect(await verify(dataDir)).toMatchObject({ digest, faults: [] })
    }
    expect((await run(['reshard', '--partitions', '2', '--data-dir', dataDir])).code).toBe(0)
    server = await TestServer.start({ dataDir })
    expect(await server.digest()).toBe(digest)
    expect((await server.call('GET', '/v1/order-counts')).body).toEqual(counts)
    await deliver(open.fulfillments[0]!.id)
    await settled(open.id, 'delivered')
    await put(`/v1/inventory/${a}/W0`, { onHand: 20 })
    await settled(waits.id, 'allocated')
    await order([[a, 1]], {}, 'allocated')
    expect(await stockOf(a)).toMatchObject({ onHand: 20, allocated: 10, reserved: 0 })
    await server.stop()
    expect(await verify(dataDir)).toMatchObject({ faults: [] })
  })
})
