/** Reservations over HTTP: held once, answered the same, never beyond the stock, whoever asks and how often. */
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { place } from './support/catalogue.js'
import type { ProblemDocument } from './support/http-call.js'
import { expectProblem, Shop } from './support/shop.js'
import { TestServer } from './support/test-server.js'

const shop = Shop.open()
const { call, reserve, batch, settle, statusOf, newSku } = shop

describe('a reservation', () => {
  test('is held, confirmed and released, and each step may be repeated', async () => {
    const sku = await newSku(10)
    const { status, body } = await reserve({ sku, quantity: 4, ttlSeconds: 600 })
    expect(status).toBe(201)
    expect(body).toMatchObject({ sku, quantity: 4, location: 'W1', status: 'held', remaining: 6 })
    expect(Date.parse(body.expiresAt)).toBeGreaterThan(Date.now())
    expect(await shop.server.reservation(body.id)).toEqual(body)
    for (let i = 0; i < 2; i++) {
      const confirmed = await settle(body.id, 'confirm')
      expect({ status: confirmed.status, now: confirmed.body.status }).toEqual({ status: 200, now: 'confirmed' })
      expect(await shop.server.stock(sku)).toMatchObject({ onHand: 10, reserved: 0, allocated: 4, atp: 6 })
    }
    for (let i = 0; i < 2; i++) {
      const released = await settle(body.id, 'release')
      expect({ status: released.status, now: released.body.status }).toEqual({ status: 200, now: 'released' })
      expect(await shop.server.stock(sku)).toMatchObject({ onHand: 10, reserved: 0, allocated: 0, atp: 10 })
    }
    expectProblem(await settle(body.id, 'confirm'), 409, 'conflict')
  })

  test('under an id that was used gives the first answer, or a conflict; in capitals it is the same id', async () => {
    const sku = await newSku(10)
    const other = await newSku(10)
    const fields = { id: randomUUID(), sku, quantity: 2, location: 'W1', buyer: 'ann', ttlSeconds: 600 }
    const first = await reserve(fields)
    await reserve({ sku })
    for (const id of [fields.id, fields.id.toUpperCase()]) {
      const again = await reserve({ ...fields, id })
      expect(again.status).toBeLessThan(300)
      expect({ ...again.body, id: again.body.id.toLowerCase() }).toEqual(first.body)
    }
    for (const change of [
      { quantity: 3 },
      { location: undefined },
      { location: 'S1' },
      { buyer: 'bob' },
      { buyer: undefined },
      { ttlSeconds: 601 },
      { sku: other },
    ])
      expectProblem(await reserve({ ...fields, ...change }), 409, 'conflict')
    await settle(fields.id, 'release')
    const late = await reserve(fields)
    expect(late.body).toEqual({ ...first.body, status: 'released' })
    expect((await shop.server.stock(sku)).reserved).toBe(1)
    expect((await shop.server.stock(other)).reserved).toBe(0)
  })

  test('that was refused may be tried again under its id', async () => {
    const sku = await newSku(0)
    const id = randomUUID()
    expectProblem(await reserve({ id, sku }), 409, 'insufficient_stock')
    await call('PUT', `/v1/inventory/${sku}/W1`, { onHand: 1 })
    expect((await reserve({ id, sku, ttlSeconds: 60 })).status).toBe(201)
  })

  test('asked for many times at once is held once', async () => {
    const sku = await newSku(100)
    const fields = { id: randomUUID(), sku, quantity: 3 }
    const answers = await Promise.all(Array.from({ length: 60 }, () => reserve(fields)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(59)
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    expect(await shop.server.stock(sku)).toMatchObject({ reserved: 3, atp: 97 })
  })

  test('of the last unit is one buyer’s, of however many', async () => {
    const sku = await newSku(1)
    const answers = await Promise.all(Array.from({ length: 100 }, () => reserve({ sku })))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    for (const answer of answers) if (answer.status !== 201) expectProblem(answer, 409, 'insufficient_stock')
  })

  test('without a location is given the first by priority, then by what is there; none is split', async () => {
    for (const [id, priority] of [
      ['P1', 1],
      ['P2', 2],
      ['P2B', 2],
      ['OFF', 0],
    ] as const)
      await call('PUT', `/v1/locations/${id}`, place(id, { priority, active: id !== 'OFF' }))
    const sku = await newSku(3, 'P1')
    for (const [id, onHand] of [
      ['P2', 5],
      ['P2B', 6],
      ['OFF', 100],
    ] as const)
      await call('PUT', `/v1/inventory/${sku}/${id}`, { onHand })
    expect((await shop.server.stock(sku)).atp, 'what is out of service is no stock').toBe(14)
    expect((await reserve({ sku, quantity: 2 })).body.location).toBe('P1')
    expect((await reserve({ sku, quantity: 2 })).body.location).toBe('P2B')
    expect((await reserve({ sku, quantity: 5 })).body.location).toBe('P2')
    expectProblem(await reserve({ sku, quantity: 5 }), 409, 'insufficient_stock')
    expectProblem(await reserve({ sku, location: 'OFF' }), 404, 'unknown_location')
    expectProblem(await reserve({ sku, location: 'P2' }), 409, 'insufficient_stock')
    await call('PUT', '/v1/locations/OFF', place('OFF', { priority: 0 }))
    expect((await reserve({ sku, quantity: 50 })).body.location).toBe('OFF')
  })

  test('lives as long as it was asked to, and no longer', { timeout: 30_000 }, async () => {
    const sku = await newSku(10)
    const short = await reserve({ sku, quantity: 4, ttlSeconds: 1 })
    const confirmed = await reserve({ sku, quantity: 1, ttlSeconds: 1 })
    await settle(confirmed.body.id, 'confirm')
    const long = await reserve({ sku, quantity: 1, ttlSeconds: 604_800 })
    const standard = await reserve({ sku })
    expect(Date.parse(standard.body.expiresAt) - Date.now()).toBeGreaterThan(800_000)
    expect(Date.parse(long.body.expiresAt) - Date.now()).toBeGreaterThan(604_000_000)
    await expect.poll(() => statusOf(short.body.id), { timeout: 15_000 }).toBe('expired')
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(short.body.expiresAt))
    expect(await shop.server.stock(sku)).toMatchObject({ reserved: 2, allocated: 1, atp: 7 })
    expectProblem(await settle(short.body.id, 'confirm'), 409, 'expired')
    expect((await settle(short.body.id, 'release')).status).toBeLessThan(300)
    const again = await reserve({ id: short.body.id, sku, quantity: 4, ttlSeconds: 1 })
    expect(again.body).toEqual({ ...short.body, status: 'expired' })
    expect(await statusOf(confirmed.body.id)).toBe('confirmed')
  })

  test('beyond what one buyer may have is refused, whatever the buyer’s other holds are', async () => {
    const sku = await newSku(100, 'W1', { limitPerBuyer: 5 })
    const first = await reserve({ sku, quantity: 3, buyer: 'ann' })
    expect(first.status).toBe(201)
    expectProblem(await reserve({ sku, quantity: 3, buyer: 'ann' }), 409, 'buyer_limit')
    expect((await reserve({ sku, quantity: 2, buyer: 'ann' })).status).toBe(201)
    expect((await reserve({ sku, quantity: 5, buyer: 'bob' })).status).toBe(201)
    expectProblem(await reserve({ sku, quantity: 6 }), 409, 'buyer_limit')
    await settle(first.body.id, 'confirm')
    expectProblem(await reserve({ sku, quantity: 1, buyer: 'ann' }), 409, 'buyer_limit')
    await settle(first.body.id, 'release')
    expect((await reserve({ sku, quantity: 3, buyer: 'ann' })).status).toBe(201)
    const race = await Promise.all(Array.from({ length: 30 }, () => reserve({ sku, buyer: 'eve' })))
    expect(race.filter(({ status }) => status === 201)).toHaveLength(5)
    await call('PUT', `/v1/products/${sku}`, { name: 'Own', limitPerBuyer: 6 })
    expect((await reserve({ sku, buyer: 'eve' })).status).toBe(201)
    await call('PUT', `/v1/products/${sku}`, { name: 'Own' })
    expect((await reserve({ sku, quantity: 20, buyer: 'eve' })).status).toBe(201)
    await call('PUT', `/v1/products/${sku}`, { name: 'Own', limitPerBuyer: 27 })
    expectProblem(await reserve({ sku, quantity: 2, buyer: 'eve' }), 409, 'buyer_limit')
    expect((await reserve({ sku, quantity: 1, buyer: 'eve' })).status).toBe(201)
  })
})

describe('a batch', () => {
  const lines = (...wanted: [string, number][]) =>
    wanted.map(([sku, quantity]) => ({ id: randomUUID(), sku, quantity }))

  test('of all or nothing is held whole, or says which lines stand in the way', async () => {
    const [a, b] = [await newSku(10), await newSku(2)]
    const whole = await batch(lines([a, 4], [b, 1], [a, 4]))
    expect(whole.status).toBe(201)
    expect(whole.body.reservations.map(({ sku, status, remaining }) => [sku, status, remaining])).toEqual([
      [a, 'held', 6],
      [b, 'held', 1],
      [a, 'held', 2],
    ])
    const before = await shop.server.settledDigest()
    const refused = await batch(lines([a, 1], [b, 2], ['NOPE', 1]))
    expect([404, 409]).toContain(refused.status)
    const second = await batch(lines([a, 1], [b, 2], [a, 2]))
    expectProblem(second, 409, 'insufficient_stock')
    const { errors = [] } = second.body as unknown as ProblemDocument
    expect(errors.map(({ path }) => path)).toEqual(['reservations.1', 'reservations.2'])
    expect(await shop.server.digest()).toBe(before)
  })

  test('that takes what it can tells each line’s outcome, in the order of the request', async () => {
    const [a, b] = [await newSku(5), await newSku(1)]
    const wanted = lines([a, 3], ['NOPE', 1], [a, 3], [b, 1], [b, 1], [a, 2])
    const { status, body } = await batch(wanted, false)
    expect(status).toBe(201)
    expect(body.reservations.map(({ id, status, code }) => [id, status, code])).toEqual([
      [wanted[0]!.id, 'held', undefined],
      [wanted[1]!.id, 'refused', 'unknown_sku'],
      [wanted[2]!.id, 'refused', 'insufficient_stock'],
      [wanted[3]!.id, 'held', undefined],
      [wanted[4]!.id, 'refused', 'insufficient_stock'],
      [wanted[5]!.id, 'held', undefined],
    ])
    expect((await shop.server.stock(a)).atp).toBe(0)
  })

  test('sent again gives the same answer and holds nothing more', async () => {
    const sku = await newSku(20)
    const wanted = lines([sku, 3], [sku, 4])
    const first = await batch(wanted)
    const again = await batch(wanted)
    expect(again.status).toBeLessThan(300)
    expect(again.body).toEqual(first.body)
    expect((await shop.server.stock(sku)).reserved).toBe(7)
    // With one line more it is another batch, and what is held of it stays as it is whatever becomes of the rest.
    expectProblem(await batch([...wanted, ...lines([sku, 14])]), 409, 'insufficient_stock')
    expect((await shop.server.stock(sku)).reserved).toBe(7)
    expect((await batch([...wanted, ...lines([sku, 13])])).status).toBe(201)
    expect((await shop.server.stock(sku)).reserved).toBe(20)
  })

  test('that names one id twice counts it once, and with two contents is a conflict', async () => {
    const sku = await newSku(20)
    const [line] = lines([sku, 2])
    const twice = await batch([line!, line!])
    expect(twice.status).toBe(201)
    expect((await shop.server.stock(sku)).reserved).toBe(2)
    const [other] = lines([sku, 2])
    expectProblem(await batch([other!, { ...other!, quantity: 3 }]), 409, 'conflict')
    expect((await shop.server.stock(sku)).reserved).toBe(2)
  })

  test('of 500 lines is taken, also many at once, and never oversells', { timeout: 60_000 }, async () => {
    const sku = await newSku(2_000)
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        batch(Array.from({ length: 500 }, () => ({ id: randomUUID(), sku, quantity: 1 }))),
      ),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(4)
    expect((await shop.server.stock(sku)).reserved).toBe(2_000)
  })
})

describe('an Idempotency-Key', () => {
  const keyed = (key: string) => ({ 'idempotency-key': key })

  test('gives the first answer again, refusals too, and refuses another request', async () => {
    const sku = await newSku(10)
    const key = randomUUID()
    const body = { id: randomUUID(), sku, quantity: 2 }
    const first = await reserve(body, keyed(key))
    expect(first.headers.has('idempotent-replayed')).toBe(false)
    await reserve({ sku })
    const again = await reserve(body, keyed(key))
    expect({ status: again.status, body: again.body }).toEqual({ status: first.status, body: first.body })
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expectProblem(await reserve({ ...body, quantity: 3 }, keyed(key)), 409, 'conflict')
    expectProblem(await call('POST', `/v1/reservations/${body.id}/confirm`, undefined, keyed(key)), 409, 'conflict')
    const refusal = randomUUID()
    const tooMuch = { id: randomUUID(), sku, quantity: 100 }
    expectProblem(await reserve(tooMuch, keyed(refusal)), 409, 'insufficient_stock')
    const refusedAgain = await reserve(tooMuch, keyed(refusal))
    expectProblem(refusedAgain, 409, 'insufficient_stock')
    expect(refusedAgain.headers.get('idempotent-replayed')).toBe('true')
  })

  test('is honoured on every POST', async () => {
    const sku = await newSku(10)
    const { body: held } = await reserve({ sku })
    const supply = {
      id: randomUUID(),
      sku,
      location: 'W1',
      quantity: 9,
      expectedAt: '2030-01-01T00:00:00Z',
      reference: 'r',
    }
    const calls: [string, unknown][] = [
      ['/v1/inventory/adjustments', { id: randomUUID(), sku, location: 'W1', delta: 1, reason: 'found' }],
      ['/v1/inventory/supply', supply],
      [`/v1/inventory/supply/${supply.id}/receive`, { quantity: 2 }],
      ['/v1/reservations/batch', { reservations: [{ id: randomUUID(), sku, quantity: 1 }] }],
      [`/v1/reservations/${held.id}/confirm`, undefined],
      [`/v1/reservations/${held.id}/release`, undefined],
    ]
    for (const [path, body] of calls) {
      const key = randomUUID()
      const first = await call('POST', path, body, keyed(key))
      expect({ path, status: first.status }).toEqual({
        path,
        status: expect.toSatisfy((status: number) => status < 300),
      })
      const before = await shop.server.stock(sku)
      const again = await call('POST', path, body, keyed(key))
      expect({ path, status: again.status, body: again.body }).toEqual({ path, status: first.status, body: first.body })
      expect({ path, replayed: again.headers.get('idempotent-replayed') }).toEqual({ path, replayed: 'true' })
      expect(await shop.server.stock(sku)).toEqual(before)
    }
  })

  test('used by many at once is carried out once', async () => {
    const sku = await newSku(100)
    const supply = {
      id: randomUUID(),
      sku,
      location: 'W1',
      quantity: 50,
      expectedAt: '2030-01-01T00:00:00Z',
      reference: 'r',
    }
    await call('POST', '/v1/inventory/supply', supply)
    const key = randomUUID()
    const answers = await Promise.all(
      Array.from({ length: 25 }, () =>
        call('POST', `/v1/inventory/supply/${supply.id}/receive`, { quantity: 1 }, keyed(key)),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(answers.filter(({ headers }) => !headers.has('idempotent-replayed'))).toHaveLength(1)
    expect((await shop.server.stock(sku)).onHand).toBe(101)
  })

  test('that is too long is refused', async () => {
    expectProblem(await reserve({ sku: 'TEE' }, keyed('k'.repeat(201))), 422, 'invalid')
    expect((await reserve({ sku: 'TEE' }, keyed('k'.repeat(200)))).status).toBe(201)
  })

  test('is remembered over a stop and over a kill', { timeout: 90_000 }, async () => {
    let own = await TestServer.start()
    const { dataDir } = own
    await own.call('PUT', '/v1/locations/W1', place('W1'))
    await own.call('PUT', '/v1/products/TEE', { name: 'Tee' })
    await own.call('PUT', '/v1/inventory/TEE/W1', { onHand: 10 })
    const body = { id: randomUUID(), sku: 'TEE', quantity: 2 }
    const first = await own.call('POST', '/v1/reservations', body, keyed('over'))
    const refused = await own.call(
      'POST',
      '/v1/reservations',
      { ...body, id: randomUUID(), quantity: 99 },
      keyed('none'),
    )
    expect(refused.status).toBe(409)
    for (const end of ['kill', 'stop'] as const) {
      await own[end]()
      own = await TestServer.start({ dataDir })
      const again = await own.call('POST', '/v1/reservations', body, keyed('over'))
      expect({ status: again.status, body: again.body }).toEqual({ status: first.status, body: first.body })
      expect(again.headers.get('idempotent-replayed')).toBe('true')
      const other = await own.call('POST', '/v1/reservations', { ...body, quantity: 3 }, keyed('over'))
      expectProblem(other, 409, 'conflict')
    }
    expect((await own.stock('TEE')).reserved).toBe(2)
  })
})
