/** Over several partitions everything is as over one: ids, batches, sales, locations, lists. */
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { place } from './support/catalogue.js'
import type { PageDocument } from './support/http-call.js'
import { ANY_LOCATION, newId, PackedSocket, Status } from './support/packed-socket.js'
import { expectProblem, type SaleDocument, Shop } from './support/shop.js'

const shop = Shop.open(['--partitions', '3', '--threads', '2'])
const { call, reserve, batch, settle, statusOf, sale, newSku } = shop

/** SKUs are dealt out in turn, so three new ones are in three partitions. */
const threeSkus = async (onHand: number) => [await newSku(onHand), await newSku(onHand), await newSku(onHand)] as const

describe('an id', () => {
  test('is the own of each partition: with SKUs of different ones it names different reservations', async () => {
    const skus = await threeSkus(10)
    const socket = await PackedSocket.connect(shop.server.url)
    const { skus: indices } = await socket.intern(skus)
    const id = newId()
    const records = indices.map((sku) => ({ id, sku }))
    expect((await socket.reserve(records)).map(({ status }) => status)).toEqual(skus.map(() => Status.done))
    expect((await socket.reserve(records)).map(({ replayed }) => replayed)).toEqual(skus.map(() => true))
    expect((await socket.release(records.slice(1))).map(({ status }) => status)).toEqual([Status.done, Status.done])
    const reserved = await Promise.all(skus.map(async (sku) => (await shop.server.stock(sku)).reserved))
    expect(reserved).toEqual([1, 0, 0])
    socket.close()
  })

  test('used for a SKU of the same partition is a conflict', async () => {
    const [a] = await threeSkus(10)
    const [b] = await threeSkus(10)
    const id = randomUUID()
    expect((await reserve({ id, sku: a })).status).toBe(201)
    expectProblem(await reserve({ id, sku: b }), 409, 'conflict')
    const adjustment = { id, sku: a, location: 'W1', delta: 1, reason: 'found' }
    expect((await call('POST', '/v1/inventory/adjustments', adjustment)).status).toBe(201)
    expectProblem(await call('POST', '/v1/inventory/adjustments', { ...adjustment, sku: b }), 409, 'conflict')
  })
})

describe('a batch', () => {
  test('of all or nothing is held whole or not at all, answered once it is decided', async () => {
    const [a, b, c] = await threeSkus(10)
    const lines = [a, b, c, a].map((sku) => ({ id: randomUUID(), sku, quantity: 3 }))
    const held = await batch(lines)
    expect(held.status).toBe(201)
    expect(held.body.reservations.map(({ sku, status }) => [sku, status])).toEqual(
      lines.map(({ sku }) => [sku, 'held']),
    )
    for (const { id } of lines) expect((await settle(id, 'confirm')).status).toBe(200)
    const refused = [a, b, c].map((sku) => ({ id: randomUUID(), sku, quantity: sku === c ? 8 : 4 }))
    expectProblem(await batch(refused), 409, 'insufficient_stock')
    for (const { id } of refused) expect((await call('GET', `/v1/reservations/${id}`)).status).toBe(404)
    expect((await shop.server.stock(a)).atp).toBe(4)
    // What was refused may be tried again, as it is or otherwise.
    const again = refused.map((line) => ({ ...line, quantity: 4 }))
    expect((await batch(again)).status).toBe(201)
    expect(await shop.server.stock(a)).toMatchObject({ reserved: 4, allocated: 6, atp: 0 })
  })

  test('competes with others and with single buyers, and nobody oversells', { timeout: 60_000 }, async () => {
    const skus = await threeSkus(60)
    const batches = Array.from({ length: 60 }, () => skus.map((sku) => ({ id: randomUUID(), sku, quantity: 1 })))
    const singles = Array.from({ length: 60 }, (_, i) => ({ id: randomUUID(), sku: skus[i % 3]!, quantity: 1 }))
    const [answers, alone] = await Promise.all([
      Promise.all(batches.map((lines) => batch(lines))),
      Promise.all(singles.map((line) => reserve(line))),
    ])
    const whole = answers.filter(({ status }) => status === 201).length
    const bought = skus.map((sku) => alone.filter(({ status, body }) => status === 201 && body.sku === sku).length)
    for (const [i, sku] of skus.entries()) {
      const { reserved, atp } = await shop.server.stock(sku)
      expect({ sku, reserved, atp }).toEqual({ sku, reserved: whole + bought[i]!, atp: 60 - whole - bought[i]! })
    }
    for (const [i, { status }] of answers.entries()) {
      const statuses = await Promise.all(batches[i]!.map(({ id }) => statusOf(id)))
      const expected = status === 201 ? 'held' : 'unknown_reservation'
      for (const seen of statuses)
        expect({ i, seen: typeof seen === 'string' ? seen : 'unknown_reservation' }).toEqual({ i, seen: expected })
    }
  })

  test('sent many times at once is held once', async () => {
    const skus = await threeSkus(100)
    const lines = skus.map((sku) => ({ id: randomUUID(), sku, quantity: 2 }))
    const answers = await Promise.all(Array.from({ length: 30 }, () => batch(lines)))
    expect(answers.map(({ status }) => status).filter((status) => status !== 201 && status !== 503)).toEqual([])
    expect(answers.some(({ status }) => status === 201)).toBe(true)
    for (const sku of skus) expect((await shop.server.stock(sku)).reserved).toBe(2)
    expect((await batch(lines)).status).toBe(201)
  })

  test('that expires before anybody confirms it gives all its stock back', { timeout: 30_000 }, async () => {
    const skus = await threeSkus(5)
    const lines = skus.map((sku) => ({ id: randomUUID(), sku, quantity: 5, ttlSeconds: 1 }))
    expect((await batch(lines)).status).toBe(201)
    const atps = () => Promise.all(skus.map(async (sku) => (await shop.server.stock(sku)).atp))
    await expect.poll(atps, { timeout: 15_000 }).toEqual([5, 5, 5])
    for (const { id } of lines) expect(await statusOf(id)).toBe('expired')
  })
})

describe('a frame', () => {
  test('is answered whole, in the order of its records', async () => {
    const skus = await threeSkus(50)
    const socket = await PackedSocket.connect(shop.server.url)
    const { skus: indices, locations } = await socket.intern(skus, ['W1'])
    const records = Array.from({ length: 200 }, (_, i) => ({
      id: newId(),
      sku: i === 77 ? 0xffff_fff0 : indices[i % 3]!,
    }))
    const replies = await socket.reserve(records)
    const done = replies.filter(({ status }) => status === Status.done)
    expect(done).toHaveLength(150)
    expect(done.every(({ location }) => location === locations[0])).toBe(true)
    expect(replies[77]).toMatchObject({ status: Status.unknownSku, location: ANY_LOCATION })
    replies.forEach(({ status, remaining }, i) => {
      if (i < 70)
        expect({ i, status, remaining }).toEqual({ i, status: Status.done, remaining: 49 - Math.floor(i / 3) })
    })
    const released = await socket.release(records.map(({ id, sku }) => ({ id, sku })))
    expect(released.map(({ status }) => status)).toEqual(
      replies.map(({ status }) => (status === Status.done ? Status.done : Status.unknownReservation)),
    )
    socket.close()
  })
})

describe('what all partitions must know', () => {
  test('is known to all once it is answered', async () => {
    const skus = await threeSkus(5)
    for (const id of ['NEW-1', 'NEW-2', 'NEW-3']) {
      expect((await call('PUT', `/v1/locations/${id}`, place(id, { priority: 0 }))).status).toBe(200)
      for (const sku of skus) {
        expect((await call('PUT', `/v1/inventory/${sku}/${id}`, { onHand: 5 })).status).toBe(200)
        expect((await reserve({ sku, location: id })).status).toBe(201)
      }
      await call('PUT', `/v1/locations/${id}`, place(id, { active: false }))
      for (const sku of skus) expectProblem(await reserve({ sku, location: id }), 404, 'unknown_location')
    }
  })

  test('is a sale over SKUs of all of them', async () => {
    const skus = await threeSkus(10)
    expect((await sale('WIDE', [...skus], { quantity: 10, limitPerBuyer: 2 })).status).toBe(200)
    for (const sku of skus) {
      expect((await reserve({ sku, quantity: 2, buyer: 'ann' })).status).toBe(201)
      expectProblem(await reserve({ sku, quantity: 1, buyer: 'ann' }), 409, 'buyer_limit')
    }
    const { body } = await call<SaleDocument>('GET', '/v1/sales/WIDE')
    expect(body.skus).toEqual(skus.map((sku) => ({ sku, quantity: 10, taken: 2 })))
  })

  test('or cannot be, is refused whole: a sale that one of them has no room for', {
    timeout: 60_000,
  }, async () => {
    for (const place of [0, 1, 2]) {
      const skus = await threeSkus(10)
      const full = skus[place]!
      let status = 200
      for (let i = 0; i < 100 && status === 200; i++)
        status = (await sale(`full-${full}-${i}`, [full], { quantity: 1 })).status
      expect(status).not.toBe(200)
      const partly = `partly-${place}`
      expect((await sale(partly, [...skus], { quantity: 9 })).status).toBe(status)
      expect((await call('GET', `/v1/sales/${partly}`)).status).toBe(404)
      for (const sku of skus) if (sku !== full) expect((await reserve({ sku, quantity: 10 })).status).toBe(201)
    }
  })
})

test('lists come in one order over all partitions', async () => {
  const { body } = await call<PageDocument<{ sku: string }>>('GET', '/v1/products?limit=500')
  const made = body.items.map(({ sku }) => sku).filter((sku) => sku.startsWith('OWN-'))
  expect(made).toEqual([...made].sort((x, y) => Number(x.slice(4)) - Number(y.slice(4))))
})
