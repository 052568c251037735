/** Stock as the world changes it: counts, adjustments, supply, channel pools, sales. */
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { place } from './support/catalogue.js'
import { newId, PackedSocket, Status } from './support/packed-socket.js'
import { expectProblem, type SaleDocument, Shop } from './support/shop.js'

const shop = Shop.open()
const { call, reserve, settle, sale, newSku } = shop
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()

describe('a count or adjustment', () => {
  test('below what is promised is accepted, shown as a shortage, and promises nothing more', async () => {
    const sku = await newSku(10)
    const held = await reserve({ sku, quantity: 6 })
    const confirmed = await reserve({ sku, quantity: 3 })
    await settle(confirmed.body.id, 'confirm')
    expect((await call('PUT', `/v1/inventory/${sku}/W1`, { onHand: 5, safetyStock: 1 })).status).toBe(200)
    const short = { onHand: 5, reserved: 6, allocated: 3, safetyStock: 1, atp: 0, shortage: 4 }
    const stock = await shop.server.stock(sku)
    expect(stock).toMatchObject(short)
    expect(stock.locations[0]).toMatchObject({ location: 'W1', ...short })
    expectProblem(await reserve({ sku }), 409, 'insufficient_stock')
    await settle(held.body.id, 'release')
    expect(await shop.server.stock(sku)).toMatchObject({ reserved: 0, allocated: 3, atp: 1, shortage: 0 })
    expect((await settle(confirmed.body.id, 'release')).status).toBe(200)
    expect(await shop.server.stock(sku)).toMatchObject({ onHand: 5, atp: 4 })
  })

  test('adds up over locations, safety stock at one of them is no other’s', async () => {
    const sku = await newSku(10)
    await call('PUT', `/v1/inventory/${sku}/S1`, { onHand: 3, safetyStock: 8 })
    const stock = await shop.server.stock(sku)
    expect(stock).toMatchObject({ onHand: 13, safetyStock: 8, atp: 10 })
    expect(stock.locations.map(({ location, atp }) => [location, atp])).toEqual([
      ['W1', 10],
      ['S1', 0],
    ])
    expect((await reserve({ sku, quantity: 10 })).status).toBe(201)
  })

  test('is done once for each id, and refused where stock would be less than nothing', async () => {
    const sku = await newSku(10)
    const adjustment = { id: randomUUID(), sku, location: 'W1', delta: -4, reason: 'damaged' }
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => call('POST', '/v1/inventory/adjustments', adjustment)),
    )
    expect(answers.every(({ status }) => status === 201)).toBe(true)
    expect((await shop.server.stock(sku)).onHand).toBe(6)
    for (const change of [{ delta: -3 }, { reason: 'lost' }, { location: 'S1' }, { sku: 'TEE' }])
      expectProblem(await call('POST', '/v1/inventory/adjustments', { ...adjustment, ...change }), 409, 'conflict')
    const over = await call('POST', '/v1/inventory/adjustments', { ...adjustment, id: randomUUID(), delta: -7 })
    expect(over.status).toBe(409)
    const beyond = { ...adjustment, id: randomUUID(), delta: 2 ** 31 - 1 }
    expect((await call('POST', '/v1/inventory/adjustments', beyond)).status).toBe(409)
    expect((await shop.server.stock(sku)).onHand).toBe(6)
  })

  test('of the largest figures there are stays exact', async () => {
    const most = 2 ** 31 - 1
    const sku = await newSku(most)
    for (const location of ['S1', 'L1', 'L2', 'L3']) {
      await call('PUT', `/v1/locations/${location}`, place(location))
      await call('PUT', `/v1/inventory/${sku}/${location}`, { onHand: most })
    }
    const { body, status } = await reserve({ sku, quantity: most })
    expect(status).toBe(201)
    expect(body.remaining).toBe(2 ** 32 - 1)
    expect((await shop.server.stock(sku)).atp).toBe(4 * most)
    for (let i = 0; i < 4; i++) expect((await reserve({ sku, quantity: most })).status).toBe(201)
    expectProblem(await reserve({ sku }), 409, 'insufficient_stock')
    expect(await shop.server.stock(sku)).toMatchObject({ onHand: 5 * most, reserved: 5 * most, atp: 0 })
  })
})

describe('supply', () => {
  const announce = (sku: string, fields: Record<string, unknown> = {}) => {
    const body = {
      id: randomUUID(),
      sku,
      location: 'W1',
      quantity: 50,
      expectedAt: inDays(5),
      reference: 'PO-1',
      ...fields,
    }
    return call<{ id: string }>('POST', '/v1/inventory/supply', body)
  }
  const receive = (id: string, quantity: number, receipt?: string) =>
    call('POST', `/v1/inventory/supply/${id}/receive`, { quantity, ...(receipt === undefined ? {} : { id: receipt }) })

  test('is shown until it is received, in parts, and not beyond what was announced', async () => {
    const sku = await newSku(1)
    const { status, body } = await announce(sku)
    expect(status).toBe(201)
    await announce(sku, { location: 'S1', quantity: 7, expectedAt: inDays(2) })
    const incoming = async () =>
      (await shop.server.stock(sku)).locations.map((row) => [
        row.location,
        row.incoming.map(({ quantity }) => quantity),
      ])
    expect(await incoming()).toEqual([
      ['W1', [50]],
      ['S1', [7]],
    ])
    expect((await receive(body.id, 20)).status).toBe(200)
    expect(await shop.server.stock(sku)).toMatchObject({ onHand: 21, atp: 21 })
    expect((await incoming())[0]).toEqual(['W1', [30]])
    expect((await receive(body.id, 31)).status).toBe(409)
    for (let i = 0; i < 3; i++) expect((await receive(body.id, 10, 'slip-1')).status).toBe(200)
    expect((await shop.server.stock(sku)).onHand).toBe(31)
    expectProblem(await receive(body.id, 11, 'slip-1'), 409, 'conflict')
    expect((await receive(body.id, 20)).status).toBe(200)
    expect((await incoming())[0]).toEqual(['W1', []])
    expect((await receive(body.id, 1)).status).toBe(409)
    expect((await shop.server.stock(sku)).onHand).toBe(51)
  })

  test('announced twice is one, and under a used id with other content a conflict', async () => {
    const sku = await newSku(0)
    const fields = { id: randomUUID(), expectedAt: inDays(3) }
    const first = await announce(sku, fields)
    const again = await announce(sku, fields)
    expect({ status: again.status, body: again.body }).toEqual({ status: 201, body: first.body })
    for (const change of [
      { quantity: 51 },
      { reference: 'PO-2' },
      { expectedAt: inDays(4) },
      { location: 'S1' },
      { sku: 'TEE' },
    ])
      expectProblem(await announce(sku, { ...fields, ...change }), 409, 'conflict')
    expect((await shop.server.stock(sku)).locations.flatMap(({ incoming }) => incoming)).toHaveLength(1)
  })

  test('is what a promise waits for, and only as much as stock lacks', async () => {
    const sku = await newSku(10)
    await reserve({ sku, quantity: 4 })
    await announce(sku, { quantity: 20, expectedAt: inDays(5) })
    await announce(sku, { quantity: 20, expectedAt: inDays(30) })
    const promise = async (quantity: number) => {
      const query = `sku=${sku}&quantity=${quantity}&country=GB&postalCode=LS1%201AA`
      type Promised = { atp: number; promise: { canShipAt: string; location: string; deliverBy: string } | null }
      const { status, body } = await call<Promised>('GET', `/v1/atp?${query}`)
      expect(status).toBe(200)
      expect(body.atp).toBe(6)
      return body.promise && { ...body.promise, days: (Date.parse(body.promise.canShipAt) - Date.now()) / 86_400_000 }
    }
    const [now, soon, later] = [await promise(6), await promise(7), await promise(27)]
    expect(now?.days).toBeLessThan(4.5)
    expect(soon?.days).toBeGreaterThanOrEqual(5)
    expect(soon?.days).toBeLessThan(10)
    expect(later?.days).toBeGreaterThanOrEqual(30)
    expect(now?.location).toBe('W1')
    expect(Date.parse(now?.deliverBy ?? '')).toBeGreaterThan(Date.parse(now?.canShipAt ?? ''))
    expect(await promise(47)).toBeNull()
  })
})

describe('a channel’s pool', () => {
  test('is the channel’s alone, and what it lacks comes from the rest', async () => {
    const sku = await newSku(10)
    expect((await call('PUT', `/v1/inventory/${sku}/pools/web`, { quantity: 6 })).status).toBe(200)
    expectProblem(await reserve({ sku, quantity: 5 }), 409, 'insufficient_stock')
    expectProblem(await reserve({ sku, quantity: 5, channel: 'phone' }), 409, 'insufficient_stock')
    expect((await reserve({ sku, quantity: 4 })).status).toBe(201)
    expectProblem(await reserve({ sku }), 409, 'insufficient_stock')
    const web = await reserve({ sku, quantity: 4, channel: 'web' })
    expect(web.status).toBe(201)
    expect((await reserve({ sku, quantity: 2, channel: 'web' })).status).toBe(201)
    expectProblem(await reserve({ sku, channel: 'web' }), 409, 'insufficient_stock')
    await settle(web.body.id, 'release')
    expectProblem(await reserve({ sku }), 409, 'insufficient_stock')
    expect((await call('PUT', `/v1/inventory/${sku}/pools/web`, { quantity: 0 })).status).toBe(200)
    expect((await reserve({ sku, quantity: 4 })).status).toBe(201)
  })

  test('made after a channel has reserved does not make its repeats conflicts', async () => {
    const sku = await newSku(10)
    const fields = { id: randomUUID(), sku, channel: `first-${randomUUID()}` }
    const first = await reserve(fields)
    expect(first.status).toBe(201)
    await call('PUT', `/v1/inventory/${sku}/pools/${fields.channel}`, { quantity: 5 })
    const again = await reserve(fields)
    expect(again.status).toBeLessThan(300)
    expect(again.body).toEqual(first.body)
  })

  test('serves the sockets of its channel, also those that were connected before it was made', async () => {
    const sku = await newSku(3)
    const channel = `late-${randomUUID()}`
    const socket = await PackedSocket.connect(shop.server.url, { channel })
    const { skus } = await socket.intern([sku])
    const record = () => ({ id: newId(), sku: skus[0]! })
    const first = record()
    expect((await socket.reserve([first]))[0]?.status).toBe(Status.done)
    await call('PUT', `/v1/inventory/${sku}/pools/${channel}`, { quantity: 2 })
    const [a, b, c] = await socket.reserve([record(), record(), record()])
    expect([a, b, c].map((reply) => reply?.status)).toEqual([Status.done, Status.done, Status.insufficientStock])
    socket.close()
    // On the next connection what was not answered is sent again, so it must be the same request there.
    const later = await PackedSocket.connect(shop.server.url, { channel })
    expect((await later.reserve([first]))[0]).toMatchObject({ status: Status.done, replayed: true })
    later.close()
  })
})

describe('a sale', () => {
  test('sets stock apart before it opens, sells it while it is open, and gives the rest back', {
    timeout: 30_000,
  }, async () => {
    const sku = await newSku(10)
    const id = randomUUID()
    await sale(id, [sku], { opensAt: inDays(1), closesAt: inDays(2), quantity: 7 })
    expect((await call<SaleDocument>('GET', `/v1/sales/${id}`)).body).toMatchObject({ id, status: 'scheduled' })
    expect((await reserve({ sku, quantity: 3 })).status).toBe(201)
    expectProblem(await reserve({ sku }), 409, 'sale_closed')
    const opened = await sale(id, [{ sku, quantity: 7 }], { limitPerBuyer: 2 })
    expect(opened.body).toMatchObject({ status: 'open', skus: [{ sku, quantity: 7, taken: 0 }] })
    expect((await reserve({ sku, quantity: 2, buyer: 'ann' })).status).toBe(201)
    expectProblem(await reserve({ sku, buyer: 'ann' }), 409, 'buyer_limit')
    expect((await reserve({ sku, quantity: 2, buyer: 'bob' })).status).toBe(201)
    const { body } = await call<SaleDocument>('GET', `/v1/sales/${id}`)
    expect(body.skus).toEqual([{ sku, quantity: 7, taken: 4 }])
    await sale(id, [{ sku, quantity: 7 }], { limitPerBuyer: 2, closesAt: new Date(Date.now() + 700).toISOString() })
    const status = async () => (await call<SaleDocument>('GET', `/v1/sales/${id}`)).body.status
    await expect.poll(status, { timeout: 10_000 }).toBe('closed')
    expect((await reserve({ sku, quantity: 3, buyer: 'ann' })).status).toBe(201)
    expect((await shop.server.stock(sku)).atp).toBe(0)
  })

  test('of all stock is sold to the last unit, to all buyers at once, none beyond the limit', async () => {
    const sku = await newSku(40)
    await sale(randomUUID(), [sku], { limitPerBuyer: 2 })
    const buyers = Array.from({ length: 30 }, (_, i) => `buyer-${i}`)
    const answers = await Promise.all(
      [...buyers, ...buyers, ...buyers].map(async (buyer) => ({ buyer, answer: await reserve({ sku, buyer }) })),
    )
    const held = answers.filter(({ answer }) => answer.status === 201)
    expect(held).toHaveLength(40)
    for (const buyer of buyers) expect(held.filter((one) => one.buyer === buyer).length).toBeLessThanOrEqual(2)
    expect((await shop.server.stock(sku)).atp).toBe(0)
  })

  test('for some channels serves those alone', async () => {
    const sku = await newSku(10)
    await sale(randomUUID(), [sku], { quantity: 8, channels: ['app', 'web'] })
    expectProblem(await reserve({ sku, quantity: 3 }), 409, 'sale_closed')
    expectProblem(await reserve({ sku, quantity: 3, channel: 'phone' }), 409, 'sale_closed')
    for (const channel of ['app', 'web']) expect((await reserve({ sku, quantity: 4, channel })).status).toBe(201)
    expectProblem(await reserve({ sku, channel: 'web' }), 409, 'insufficient_stock')
    expect((await reserve({ sku, quantity: 2 })).status).toBe(201)
  })

  test('changed gives up what it no longer names, and keeps what was taken', async () => {
    const [a, b] = [await newSku(5), await newSku(5)]
    const id = randomUUID()
    await sale(id, [a, b], { quantity: 5, channels: ['app'] })
    expect((await reserve({ sku: a, quantity: 2, channel: 'app' })).status).toBe(201)
    expectProblem(await reserve({ sku: b }), 409, 'sale_closed')
    const changed = await sale(id, [a], { quantity: 3, channels: ['app'] })
    expect(changed.body.skus).toEqual([{ sku: a, quantity: 3, taken: 2 }])
    expect((await reserve({ sku: b, quantity: 5 })).status).toBe(201)
    expect((await reserve({ sku: a, quantity: 2 })).status).toBe(201)
    expectProblem(await reserve({ sku: a, quantity: 2, channel: 'app' }), 409, 'insufficient_stock')
    expect((await reserve({ sku: a, channel: 'app' })).status).toBe(201)
  })

  test('that cannot be made whole is not made at all', async () => {
    const [a, b] = [await newSku(10), await newSku(1_000)]
    let refused: Awaited<ReturnType<typeof sale>> | undefined
    for (let i = 0; i < 100 && !refused; i++) {
      const made = await sale(`full-${b}-${i}`, [b], { quantity: 1 })
      if (made.status >= 300) refused = made
    }
    expect(refused, 'there is an end to the sales of one SKU').toBeDefined()
    const before = await shop.server.settledDigest()
    const both = await sale('both', [a, b], { quantity: 9 })
    expect(both.status).toBe(refused?.status)
    expect((await call('GET', '/v1/sales/both')).status).toBe(404)
    expect(await shop.server.digest()).toBe(before)
    expect((await reserve({ sku: a, quantity: 10 })).status).toBe(201)
    expectProblem(await sale('unknown', [a, 'NOPE'], { quantity: 1 }), 404, 'unknown_sku')
    expect((await call('GET', '/v1/sales/unknown')).status).toBe(404)
  })

  test('after sale of one SKU is possible for ever: a closed one is no burden', async () => {
    const sku = await newSku(10)
    const past = { opensAt: inDays(-2), closesAt: inDays(-1), quantity: 1 }
    for (let i = 0; i < 70; i++) {
      const { status } = await sale(`weekly-${i}`, [sku], past)
      expect({ i, status }).toEqual({ i, status: 200 })
    }
    expect((await reserve({ sku, quantity: 10 })).status).toBe(201)
  })
})
