/** The contract's calls: every answer and problem that it names, and that what is refused changes nothing. */
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { place } from './support/catalogue.js'
import { type PageDocument, type ProblemDocument, problemFaults } from './support/http-call.js'
import { expectProblem, Shop } from './support/shop.js'

const shop = Shop.open()
const { call, reserve, settle, newSku } = shop

describe('lists', () => {
  test('are read page by page to the end, in one order, each item once', async () => {
    for (let i = 0; i < 7; i++) await newSku(1)
    for (const id of ['L1', 'L2', 'L3']) await call('PUT', `/v1/locations/${id}`, place(id))
    const [opensAt, closesAt] = [new Date(0).toISOString(), new Date(1).toISOString()]
    for (const id of ['SALE-1', 'SALE-2', 'SALE-3'])
      await call('PUT', `/v1/sales/${id}`, { opensAt, closesAt, skus: ['TEE'] })
    for (const list of ['/v1/products', '/v1/locations', '/v1/sales']) {
      const whole = (await call<PageDocument<unknown>>('GET', `${list}?limit=500`)).body
      expect(whole.nextCursor).toBeNull()
      expect(whole.items.length).toBeGreaterThanOrEqual(3)
      for (const limit of [1, 2, whole.items.length]) {
        const pages: unknown[] = []
        let cursor: string | null = ''
        for (let page = 0; cursor !== null && page <= whole.items.length; page++) {
          const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
          const { body } = await call<PageDocument<unknown>>('GET', `${list}?limit=${limit}${query}`)
          expect(body.items.length).toBeLessThanOrEqual(limit)
          pages.push(...body.items)
          cursor = body.nextCursor
        }
        expect({ list, limit, pages }).toEqual({ list, limit, pages: whole.items })
      }
    }
  })

  test('refuse limits and cursors that they did not give', async () => {
    for (const query of [
      'limit=0',
      'limit=501',
      'limit=-1',
      'limit=1.5',
      'limit=x',
      'limit=',
      'cursor=x',
      'cursor=-1',
      'cursor=1.5',
      'cursor=1e300',
      'cursor=0x1',
      'cursor=',
    ]) {
      const answer = await call('GET', `/v1/products?${query}`)
      expect({ query, faults: problemFaults(answer, 422, 'invalid') }).toEqual({ query, faults: [] })
    }
    const beyond = await call<PageDocument<unknown>>('GET', '/v1/products?cursor=1000000')
    expect(beyond.body).toEqual({ items: [], nextCursor: null })
  })
})

describe('names', () => {
  test('of all scripts and signs are what they are, in paths and in bodies', async () => {
    const names = [
      'Crème brûlée',
      '茶碗',
      'a b',
      '100%',
      'a+b',
      '?#&=;',
      'a/b',
      '//',
      'a\\b',
      '🎈',
      'pools',
      'adjustments',
    ]
    names.push(
      'supply',
      'batch',
      '"quoted"',
      "it's",
      '<b>',
      '%41',
      '%2F',
      '__proto__',
      'constructor',
      'null',
      '0',
      '-1',
    )
    names.push('e\u0301', '\u00e9', '\u202eabc', 'x'.repeat(128), 'é'.repeat(64))
    for (const sku of names) {
      const path = encodeURIComponent(sku)
      const put = await call('PUT', `/v1/products/${path}`, { name: sku })
      expect({ sku, status: put.status, name: put.body.sku }).toEqual({ sku, status: 200, name: sku })
      expect((await call('PUT', `/v1/inventory/${path}/W1`, { onHand: 5 })).status).toBe(200)
      const { status, body } = await reserve({ sku })
      expect({ sku, status, body: body.sku }).toEqual({ sku, status: 201, body: sku })
      expect((await shop.server.reservation(body.id)).sku).toBe(sku)
      const stock = await shop.server.stock(sku)
      expect({ sku: stock.sku, reserved: stock.reserved }).toEqual({ sku, reserved: 1 })
    }
    const { body } = await call<PageDocument<{ sku: string }>>('GET', '/v1/products?limit=500')
    const listed = body.items.map(({ sku }) => sku)
    expect(listed.filter((sku) => names.includes(sku)).sort()).toEqual([...names].sort())
  })

  test('that are empty, too long, spaced or hold control characters are refused', async () => {
    const names = [
      '\u0000',
      'a\u0000b',
      'a\nb',
      '\t',
      'a\u007f',
      '\u0085',
      ' a',
      'a ',
      ' ',
      '\u00a0a',
      'x'.repeat(129),
      'é'.repeat(65),
    ]
    for (const sku of names) {
      const put = await call('PUT', `/v1/products/${encodeURIComponent(sku)}`, { name: 'x' })
      expect({ sku, faults: problemFaults(put, 422, 'invalid') }).toEqual({ sku, faults: [] })
      const { status } = await reserve({ sku })
      expect({ sku, status }).toEqual({ sku, status: 422 })
      const location = await call('PUT', `/v1/locations/${encodeURIComponent(sku)}`, place('x'))
      expect({ sku, status: location.status }).toEqual({ sku, status: 422 })
    }
    expect((await reserve({ sku: '' })).status).toBe(422)
  })

  test('that are no text are refused: half a character is not another one', async () => {
    expect((await call('PUT', '/v1/products/%ef%bf%bd', { name: 'Replacement character' })).status).toBe(200)
    await call('PUT', '/v1/inventory/%ef%bf%bd/W1', { onHand: 5 })
    for (const sku of ['\\ud800', '\\udfff', 'a\\ud83c']) {
      const body = `{"id":"${randomUUID()}","sku":"${sku}","quantity":1}`
      expect({ sku, status: (await call('POST', '/v1/reservations', body)).status }).toEqual({ sku, status: 422 })
    }
    for (const path of ['%', '%zz', '%e9', '%c3', '%ed%a0%80', '%ff']) {
      const { status } = await call('GET', `/v1/products/${path}`)
      expect({ path, status }).toEqual({ path, status: 400 })
    }
  })
})

describe('a body that makes no sense', () => {
  const id = '00000000-0000-4000-8000-000000000001'
  const times = { opensAt: '2026-01-01T00:00:00Z', closesAt: '2027-01-01T00:00:00Z' }
  const supply = {
    id: 'S',
    sku: 'TEE',
    location: 'W1',
    quantity: 1,
    expectedAt: '2027-01-01T00:00:00Z',
    reference: 'r',
  }
  const adjustment = { id: 'A', sku: 'TEE', location: 'W1', delta: 1, reason: 'found' }
  const cases: [string, string, unknown[]][] = [
    [
      'PUT',
      '/v1/products/X',
      [
        {},
        { name: '' },
        { name: 5 },
        { name: 'x', weightGrams: -1 },
        { name: 'x', limitPerBuyer: 0 },
        { name: 'x', price: { amount: 1, currency: 'GBP' } },
        { name: 'x', price: { amount: '1,5', currency: 'GBP' } },
        { name: 'x', price: { amount: '1', currency: 'gbp' } },
        { name: 'x', kit: [{ sku: 'TEE', quantity: 0 }] },
        { name: 'x', attributes: { a: {} } },
      ],
    ],
    [
      'PUT',
      '/v1/locations/X',
      [
        {},
        place('X', { type: 'shop' }),
        place('X', { latitude: 91 }),
        place('X', { cutoff: '24:00' }),
        place('X', { timeZone: 'Mars/Olympus' }),
        place('X', { priority: 1.5 }),
        place('X', { capacityPerDay: -1 }),
        place('X', { address: {} }),
        place('X', { active: 'yes' }),
      ],
    ],
    [
      'PUT',
      '/v1/inventory/TEE/W1',
      [{}, { onHand: -1 }, { onHand: 1.5 }, { onHand: '5' }, { onHand: 2 ** 31 }, { onHand: 1, safetyStock: -1 }],
    ],
    [
      'POST',
      '/v1/inventory/adjustments',
      [
        {},
        ...[0, 0.5, '1', 2 ** 31, -(2 ** 31)].map((delta) => ({ ...adjustment, delta })),
        { ...adjustment, id: '' },
        { ...adjustment, reason: '' },
        { ...adjustment, sku: '' },
      ],
    ],
    [
      'POST',
      '/v1/inventory/supply',
      [
        {},
        { ...supply, quantity: 0 },
        { ...supply, expectedAt: 'tomorrow' },
        { ...supply, expectedAt: '2027-02-30T00:00:00Z' },
        { ...supply, expectedAt: 1 },
        { ...supply, reference: 5 },
      ],
    ],
    [
      'POST',
      '/v1/reservations',
      [
        {},
        { id, sku: 'TEE' },
        { id: 'x', sku: 'TEE', quantity: 1 },
        { id: `${id}0`, sku: 'TEE', quantity: 1 },
        ...[0, 604_801, 1.5, '60', null].map((ttlSeconds) => ({ id, sku: 'TEE', quantity: 1, ttlSeconds })),
        ...['', 0, -1, 1.5, 'x'.repeat(201), {}].map((buyer) => ({ id, sku: 'TEE', quantity: 1, buyer })),
        { id, sku: 'TEE', quantity: 1, location: '' },
        { id, sku: ['TEE'], quantity: 1 },
      ],
    ],
    [
      'POST',
      '/v1/reservations/batch',
      [
        {},
        { reservations: [] },
        { reservations: {} },
        { reservations: [{ id, sku: 'TEE', quantity: 0 }] },
        { reservations: Array.from({ length: 501 }, () => ({ id: randomUUID(), sku: 'TEE', quantity: 1 })) },
        { reservations: [{ id, sku: 'TEE', quantity: 1 }], allOrNothing: 'yes' },
      ],
    ],
    [
      'PUT',
      '/v1/sales/X',
      [
        {},
        { ...times, skus: [] },
        { ...times, skus: ['TEE'], quantity: 0 },
        { ...times, skus: ['TEE'], limitPerBuyer: 0 },
        { opensAt: times.closesAt, closesAt: times.opensAt, skus: ['TEE'] },
        { opensAt: times.opensAt, closesAt: times.opensAt, skus: ['TEE'] },
        { ...times, skus: [{ sku: 'TEE', quantity: 0 }] },
        { ...times, skus: ['TEE'], channels: Array.from({ length: 9 }, (_, i) => `c${i}`) },
      ],
    ],
    ['PUT', '/v1/inventory/TEE/pools/web', [{}, { quantity: -1 }, { quantity: 2 ** 31 }]],
    ['POST', '/v1/inventory/supply/NO/receive', [{}, { quantity: 0 }, { quantity: 1, id: '' }]],
    ['POST', '/v1/admin/backups', [{}, { directory: '' }, { directory: 5 }]],
  ]

  test('is refused with its errors by path, and nothing is half-applied', async () => {
    const before = await shop.server.settledDigest()
    for (const [method, path, bodies] of cases) {
      for (const body of bodies) {
        const answer = await call(method, path, body)
        const name = `${method} ${path} ${JSON.stringify(body).slice(0, 150)}`
        expect({ name, faults: problemFaults(answer, 422, 'invalid') }).toEqual({ name, faults: [] })
        const { errors } = answer.body as unknown as ProblemDocument
        expect({ name, errors: errors?.length }).toEqual({ name, errors: expect.toSatisfy((n: number) => n > 0) })
      }
    }
    expect(await shop.server.digest()).toBe(before)
  })

  test('says all that is wrong, each with its path', async () => {
    const answer = await reserve({ sku: '', quantity: 0, ttlSeconds: -1 })
    const { errors = [] } = answer.body as unknown as ProblemDocument
    expect(errors.map(({ path }) => path).sort()).toEqual(['quantity', 'sku', 'ttlSeconds'])
    const batch = await call<ProblemDocument>('POST', '/v1/reservations/batch', {
      reservations: [
        { id: randomUUID(), sku: 'TEE', quantity: 1 },
        { id: 'x', sku: 'TEE', quantity: 1 },
      ],
    })
    expect(batch.body.errors?.[0]?.path).toBe('reservations.1.id')
  })

  test('in a query is refused too', async () => {
    for (const query of [
      '',
      'sku=',
      'sku=TEE&quantity=0',
      'sku=TEE&quantity=1.5',
      'sku=TEE&quantity=x',
      'sku=TEE&quantity=2147483648',
      'sku=TEE&country=gb',
      'sku=TEE&country=GBR',
    ]) {
      const answer = await call('GET', `/v1/atp?${query}`)
      expect({ query, faults: problemFaults(answer, 422, 'invalid') }).toEqual({ query, faults: [] })
    }
    expectProblem(await call('GET', '/v1/atp?sku=NOPE'), 404, 'unknown_sku')
  })

  test('too large for one step is told so, and not to come back later', async () => {
    // Under 1 MiB of JSON, and more than that in the server: it will never fit, however often it is tried.
    const entries = Array.from({ length: 85_000 }, (_, i) => `"${i.toString(36)}":0.1`)
    const body = `{"name":"Large","attributes":{${entries.join(',')}}}`
    expect(body.length).toBeLessThan(1_048_576)
    const answer = await call('PUT', '/v1/products/LARGE', body)
    expect(answer.status).toEqual(expect.toSatisfy((status: number) => [200, 413, 422].includes(status)))
  })
})

describe('what is not there', () => {
  test('is told by its name', async () => {
    const unknown = randomUUID()
    expectProblem(await reserve({ sku: 'NOPE' }), 404, 'unknown_sku')
    expectProblem(await reserve({ sku: 'TEE', location: 'NOPE' }), 404, 'unknown_location')
    expectProblem(await call('GET', '/v1/products/NOPE'), 404, 'unknown_sku')
    expectProblem(await call('GET', '/v1/locations/NOPE'), 404, 'unknown_location')
    expectProblem(await call('GET', '/v1/inventory/NOPE'), 404, 'unknown_sku')
    expectProblem(await call('PUT', '/v1/inventory/NOPE/W1', { onHand: 1 }), 404, 'unknown_sku')
    expectProblem(await call('PUT', '/v1/inventory/TEE/NOPE', { onHand: 1 }), 404, 'unknown_location')
    expectProblem(await call('PUT', '/v1/inventory/NOPE/pools/web', { quantity: 1 }), 404, 'unknown_sku')
    expectProblem(await call('GET', `/v1/reservations/${unknown}`), 404, 'unknown_reservation')
    expectProblem(await settle(unknown, 'confirm'), 404, 'unknown_reservation')
    expectProblem(await settle(unknown, 'release'), 404, 'unknown_reservation')
    expectProblem(await call('POST', '/v1/inventory/supply/NOPE/receive', { quantity: 1 }), 404, 'unknown_supply')
    expectProblem(await call('GET', '/v1/sales/NOPE'), 404, 'unknown_sale')
    expectProblem(await call('GET', '/v1/reservations/not-a-uuid'), 422, 'invalid')
  })
})
