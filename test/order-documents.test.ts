/** Orders on paper and in files: packing slips, waves and their pick lists, exports. */

import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { parse } from 'csv-parse/sync'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { DoorbusterClient } from '../gateway/client/index.js'
import { pagesOf } from '../gateway/documents/pdf-text.contract.js'
import { place, stockUp } from './support/catalogue.js'
import type { PageDocument } from './support/http-call.js'
import { expectProblem, Shop } from './support/shop.js'
import { TestServer } from './support/test-server.js'

interface FulfillmentDocument {
  readonly id: string
  readonly location: string
  readonly status: string
}

interface OrderDocument {
  readonly id: string
  readonly status: string
  readonly placedAt: string
  readonly notes: string | null
  readonly fulfillments: readonly FulfillmentDocument[]
}

interface WaveDocument {
  readonly id: string
  readonly location: string
  readonly createdAt: string
  readonly fulfillments: readonly string[]
  readonly zones: readonly { zone: string; lines: readonly Record<string, unknown>[] }[]
}

const order = (lines: readonly Record<string, unknown>[], fields: Record<string, unknown> = {}) => ({
  channel: 'web',
  currency: 'GBP',
  customer: { name: 'Ada Byron', email: 'ada@example.com' },
  shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
  lines: lines.map((line) => ({ unitPrice: { amount: '9.50', currency: 'GBP' }, ...line })),
  ...fields,
})

/** Until the order is sourced: that is done after it was answered. */
async function fulfillmentsOf(server: TestServer, id: string, count = 1): Promise<readonly FulfillmentDocument[]> {
  for (let tries = 0; tries < 200; tries++) {
    const { body } = await server.call<OrderDocument>('GET', `/v1/orders/${id}`)
    if (body.fulfillments.length >= count) return body.fulfillments
    await new Promise((done) => setTimeout(done, 25))
  }
  throw new Error(`order ${id} was not sourced`)
}

async function placed(server: TestServer, body: object, count = 1): Promise<readonly FulfillmentDocument[]> {
  const { status, body: answer } = await server.call<OrderDocument>('POST', '/v1/orders', body)
  expect({ status, answer }).toMatchObject({ status: 201 })
  return fulfillmentsOf(server, answer.id, count)
}

async function accept(server: TestServer, { id }: FulfillmentDocument): Promise<void> {
  expect((await server.call('POST', `/v1/fulfillments/${id}/accept`, {})).status).toBe(200)
}

async function pdf(server: TestServer, path: string): Promise<string[][]> {
  const response = await fetch(server.url + path)
  expect({ status: response.status, type: response.headers.get('content-type') }).toEqual({
    status: 200,
    type: 'application/pdf',
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  expect(bytes.subarray(0, 5).toString()).toBe('%PDF-')
  return pagesOf(bytes)
}

describe('A packing slip', () => {
  const shop = Shop.open()

  test('shows what is in the parcel and, apart, what comes in another', async () => {
    const [lamp, bulb] = [
      await shop.newSku(10, 'W1', { name: 'Red lamp' }),
      await shop.newSku(10, 'S1', { name: 'Bulb E27' }),
    ]
    const lines = [
      { sku: lamp, quantity: 3, gift: { message: 'Happy birthday!' }, note: 'Wrap in blue' },
      { sku: bulb, quantity: 2 },
    ]
    const fields = { externalId: 'SHOP-4711', notes: 'Leave with the neighbour' }
    const fulfillments = await placed(shop.server, order(lines, fields), 2)
    const { id } = fulfillments.find(({ location }) => location === 'W1')!
    const [page] = await pdf(shop.server, `/v1/fulfillments/${encodeURIComponent(id)}/packing-slip.pdf`)
    const apart = page!.indexOf('In other parcels or later')
    const [own, others] = [page!.slice(0, apart), page!.slice(apart)]
    for (const text of [
      ...[lamp, 'Red lamp', '3', 'Gift', 'Wrap in blue', 'Happy birthday!', 'Leave with the neighbour', 'SHOP-4711'],
      ...['Ada Byron', 'SW1Y 4LB London', 'Place W1', 'LS1 1AA Leeds', `Fulfillment ${id}`],
    ]) {
      expect(own).toContain(text)
    }
    expect(own).not.toContain(bulb)
    expect(others.slice(4, 7)).toEqual([bulb, 'Bulb E27', '2'])
  })

  test('shows the carrier and the tracking number once the parcel is shipped', async () => {
    const sku = await shop.newSku(5)
    const [fulfillment] = await placed(shop.server, order([{ sku, quantity: 1 }]))
    await accept(shop.server, fulfillment!)
    for (const [step, body] of [
      ['pick', {}],
      ['pack', {}],
      ['ship', { carrier: 'Hermes', trackingNumber: 'TRK-99' }],
    ] as const) {
      const { status } = await shop.call('POST', `/v1/fulfillments/${fulfillment!.id}/${step}`, body)
      expect({ step, status }).toEqual({ step, status: 200 })
    }
    const [page] = await pdf(shop.server, `/v1/fulfillments/${fulfillment!.id}/packing-slip.pdf`)
    expect(page!.some((text) => text.startsWith('Hermes, '))).toBe(true)
    expect(page).toContain('TRK-99')
    expect(page).not.toContain('In other parcels or later')
  })

  test('comes as bytes to a control message too', async () => {
    const sku = await shop.newSku(5)
    const [fulfillment] = await placed(shop.server, order([{ sku, quantity: 1 }]))
    const client = await DoorbusterClient.connect(shop.server.url)
    const { status, body } = await client.command('fulfillment.packingSlip', { id: fulfillment!.id })
    client.close()
    expect(status).toBe(200)
    expect(pagesOf(Buffer.from(body as Uint8Array))[0]).toContain(sku)
  })

  test('of no fulfillment, or of one that was given up, is a problem', async () => {
    for (const id of ['NONE-1', 'NONE', '-1']) {
      expectProblem(await shop.call('GET', `/v1/fulfillments/${id}/packing-slip.pdf`), 404, 'unknown_fulfillment')
    }
    const sku = await shop.newSku(5)
    const [fulfillment] = await placed(shop.server, order([{ sku, quantity: 1 }]))
    const rejected = await shop.call('POST', `/v1/fulfillments/${fulfillment!.id}/reject`, { reason: 'closed' })
    expect(rejected.status).toBe(200)
    const slip = await shop.call('GET', `/v1/fulfillments/${fulfillment!.id}/packing-slip.pdf`)
    expectProblem(slip, 409, 'fulfillment_over')
  })

  test('is described as PDF in the OpenAPI document', async () => {
    const { body } = await shop.call<{ paths: Record<string, Record<string, { responses: object }>> }>(
      'GET',
      '/openapi.json',
    )
    for (const path of ['/v1/fulfillments/{id}/packing-slip.pdf', '/v1/waves/pick-list.pdf']) {
      expect(body.paths[path]?.get?.responses).toMatchObject({ 200: { content: { 'application/pdf': {} } } })
    }
    expect(body.paths['/v1/orders/export']?.get?.responses).toMatchObject({ 200: { content: { 'text/csv': {} } } })
  })
})

describe('A wave', () => {
  const shop = Shop.open()
  const wave = (body: Record<string, unknown>) => shop.call<WaveDocument>('POST', '/v1/waves', body)
  const close = (id: string) => shop.call('PUT', `/v1/locations/${id}`, place(id, { active: false }))

  /** A warehouse with what it has in its zones. */
  async function warehouse(id: string, stock: Record<string, Record<string, string | number>>): Promise<void> {
    expect((await shop.call('PUT', `/v1/locations/${id}`, place(id))).status).toBe(200)
    for (const [sku, attributes] of Object.entries(stock)) {
      expect((await shop.call('PUT', `/v1/products/${sku}`, { name: `Article ${sku}`, attributes })).status).toBe(200)
      expect((await shop.call('PUT', `/v1/inventory/${sku}/${id}`, { onHand: 1_000 })).status).toBe(200)
    }
  }

  test('has one line for each SKU over all its fulfillments, by zone and bin', async () => {
    await warehouse('WAVE-A', {
      ICE: { zone: 'Cold', bin: 'C-10' },
      FISH: { zone: 'Cold', bin: 'C-9' },
      RICE: { zone: 'Dry', bin: 7, aisle: 'A1' },
      PAPER: {},
    })
    const first = await placed(
      shop.server,
      order([
        { sku: 'ICE', quantity: 5 },
        { sku: 'RICE', quantity: 1 },
      ]),
    )
    const second = await placed(
      shop.server,
      order([
        { sku: 'ICE', quantity: 3 },
        { sku: 'FISH', quantity: 2 },
        { sku: 'PAPER', quantity: 4 },
      ]),
    )
    const [a, b] = [first[0]!, second[0]!]
    expect((await wave({ location: 'WAVE-A' })).body.fulfillments).toEqual([])
    await accept(shop.server, a)
    await accept(shop.server, b)
    const { status, body } = await wave({ location: 'WAVE-A' })
    expect(status).toBe(200)
    expect([...body.fulfillments].sort()).toEqual([a.id, b.id].sort())
    expect(body).toMatchObject({ location: 'WAVE-A', id: expect.stringMatching(/^WAVE-A-\d{17}$/) })
    const lines = body.zones.map(({ zone, lines }) => [
      zone,
      lines.map(({ sku, bin, quantity }) => [sku, bin, quantity]),
    ])
    expect(lines).toEqual([
      [
        'Cold',
        [
          ['FISH', 'C-9', 2],
          ['ICE', 'C-10', 8],
        ],
      ],
      ['Dry', [['RICE', '7', 1]]],
      ['none', [['PAPER', undefined, 4]]],
    ])
    const ice = body.zones[0]!.lines[1]!.fulfillments as { fulfillment: string; quantity: number }[]
    expect(ice.sort((x, y) => y.quantity - x.quantity)).toEqual([
      { fulfillment: a.id, quantity: 5 },
      { fulfillment: b.id, quantity: 3 },
    ])
    const aisles = (await wave({ location: 'WAVE-A', zone: 'aisle' })).body.zones.map(({ zone }) => zone)
    expect(aisles).toEqual(['A1', 'none'])
    const odd = (await wave({ location: 'WAVE-A', zone: '__proto__' })).body.zones.map(({ zone }) => zone)
    expect(odd).toEqual(['none'])

    const pages = await pdf(shop.server, '/v1/waves/pick-list.pdf?location=WAVE-A&limit=10')
    expect(pages.length).toBe(1)
    for (const text of ['Zone Cold', 'C-9', 'FISH', 'Article FISH', 'ICE', '8', 'Zone Dry', 'Zone none', 'PAPER']) {
      expect(pages[0]).toContain(text)
    }
    await shop.call('POST', `/v1/fulfillments/${a.id}/pick`, {})
    expect((await wave({ location: 'WAVE-A' })).body.fulfillments).toEqual([b.id])
    await close('WAVE-A')
  })

  test('takes those due first, though hundreds were made later, and as many as it may', async () => {
    await warehouse('WAVE-B', { BOLT: {}, NUT: {} })
    const due = new Map<string, string>()
    const ids: string[] = []
    for (let at = 0; at < 250; at += 50) {
      const orders = Array.from({ length: 50 }, (_, i) => order([{ sku: 'BOLT', quantity: 1 }], { id: `B-${at + i}` }))
      const { status, body } = await shop.call<{ results: { id: string }[] }>('POST', '/v1/bulk/orders', { orders })
      expect(status).toBe(200)
      ids.push(...body.results.map(({ id }) => id))
    }
    for (const id of ids) {
      const [fulfillment] = await fulfillmentsOf(shop.server, id)
      const { body } = await shop.call<{ dueAt: string }>('GET', `/v1/fulfillments/${fulfillment!.id}`)
      due.set(fulfillment!.id, body.dueAt)
    }
    const commands = [...due.keys()].map((fulfillment) => ({ fulfillment, action: 'accept' }))
    expect((await shop.call('POST', '/v1/bulk/fulfillments', { commands })).status).toBe(200)
    const { body: all } = await wave({ location: 'WAVE-B', limit: 500 })
    expect(all.fulfillments.length).toBe(250)
    expect(new Set(all.fulfillments)).toEqual(new Set(due.keys()))
    const times = all.fulfillments.map((id) => due.get(id)!)
    expect(times).toEqual([...times].sort())
    const { body: some } = await wave({ location: 'WAVE-B', limit: 3 })
    expect(some.fulfillments).toEqual(all.fulfillments.slice(0, 3))
    expect(some.zones[0]!.lines).toMatchObject([{ sku: 'BOLT', quantity: 3 }])
  })

  test('of an unknown location, or over the limit, is a problem', async () => {
    expectProblem(await wave({ location: 'NOWHERE' }), 404, 'unknown_location')
    expectProblem(await shop.call('GET', '/v1/waves/pick-list.pdf?location=NOWHERE'), 404, 'unknown_location')
    expectProblem(await wave({ location: 'W1', limit: 501 }), 422, 'invalid')
    expectProblem(await wave({ location: 'W1', statuses: ['shipped'] }), 422, 'invalid')
    expectProblem(await shop.call('GET', '/v1/waves/pick-list.pdf'), 422, 'invalid')
  })
})

describe('An export of orders', () => {
  const ORDERS = 1_200
  const PER_REQUEST = 100
  /** Three bytes a character: an order is 8 KB of JSON, all of them more than the kernel holds for a reader. */
  const NOTES = '漢'.repeat(2_000)
  const HOSTILE = {
    name: '=HYPERLINK("http://evil.example","Click, \nhere")',
    externalId: '+1+1',
    postalCode: '@SUM(A1)',
    sku: '-2+3',
  }
  let server: TestServer
  const placedIds: string[] = []

  beforeAll(async () => {
    server = await TestServer.start({ args: ['--partitions', '2', '--threads', '1'] })
    await stockUp(server.url, ['TEE', HOSTILE.sku], 100_000, ['W1', 'S1'])
    for (const id of ['W1', 'S1']) {
      expect((await server.call('PUT', `/v1/locations/${id}`, place(id, { capacityPerDay: ORDERS }))).status).toBe(200)
    }
    for (let at = 0; at < ORDERS; at += PER_REQUEST) {
      const orders = Array.from({ length: PER_REQUEST }, (_, i) => {
        const number = at + i
        if (number === 700) {
          return order([{ sku: HOSTILE.sku, quantity: 2 }], {
            externalId: HOSTILE.externalId,
            customer: { name: HOSTILE.name },
            shipTo: { line1: '1', city: 'Leeds', postalCode: HOSTILE.postalCode, country: 'GB' },
          })
        }
        return order([{ sku: 'TEE', quantity: (number % 3) + 1 }], {
          channel: number % 4 === 0 ? 'market' : 'web',
          notes: NOTES,
        })
      })
      const { status, body } = await server.call<{ results: { status: number; id: string }[] }>(
        'POST',
        '/v1/bulk/orders',
        { orders },
      )
      expect(status).toBe(200)
      for (const { status: own, id } of body.results) {
        expect(own).toBeLessThan(300)
        placedIds.push(id)
      }
    }
    // Two partitions ask each other: what is exported is to stand still.
    await vi.waitFor(
      async () => {
        const { body } = await server.call('GET', '/v1/order-counts')
        expect(body).toMatchObject({ validating: 0, sourcing: 0 })
      },
      { timeout: 30_000 },
    )
  })

  const exported = (query: string) => fetch(`${server.url}/v1/orders/export${query}`)
  /** A reader that takes nothing until it is read. */
  const openUnread = async (): Promise<IncomingMessage> => {
    const response = await new Promise<IncomingMessage>((done, fail) =>
      get(`${server.url}/v1/orders/export?format=jsonl`, done).once('error', fail),
    )
    response.on('error', () => {})
    expect(response.statusCode).toBe(200)
    return response
  }
  const rowsOf = (text: string) => parse(text, { columns: true }) as Record<string, string>[]
  const finished = async (status: number): Promise<number> => {
    const text = await (await fetch(`${server.url}/metrics`)).text()
    const line = `doorbuster_requests_total{operation="order.export",status="${status}"} `
    return Number(
      text
        .split('\n')
        .find((own) => own.startsWith(line))
        ?.slice(line.length) ?? 0,
    )
  }
  const until = async (what: () => Promise<boolean>): Promise<void> => {
    for (let tries = 0; tries < 400 && !(await what()); tries++) await new Promise((done) => setTimeout(done, 25))
    expect(await what()).toBe(true)
  }

  test('has every order once, newest first, as JSON lines', async () => {
    const response = await exported('?format=jsonl')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/jsonl; charset=utf-8')
    const orders = (await response.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as OrderDocument)
    expect(orders.length).toBe(ORDERS)
    expect(new Set(orders.map(({ id }) => id))).toEqual(new Set(placedIds))
    const times = orders.map(({ placedAt }) => placedAt)
    expect(times).toEqual([...times].sort().reverse())
    expect(orders.filter(({ notes }) => notes === NOTES).length).toBe(ORDERS - 1)
    const one = await server.call('GET', `/v1/orders/${orders[5]!.id}`)
    expect(orders[5]).toEqual(one.body)
  })

  test('is the list as rows, one for each order line, as CSV', async () => {
    const response = await exported('')
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
    const text = await response.text()
    expect(text.split('\r\n')[0]).toBe(
      'order,externalId,channel,status,placedAt,customer,email,country,postalCode,line,sku,quantity,lineStatus,location,unitPrice,currency,partOf',
    )
    const rows = rowsOf(text)
    const listed: string[] = []
    for (let cursor = ''; ; ) {
      const { body } = await server.call<PageDocument<OrderDocument>>('GET', `/v1/orders?limit=500${cursor}`)
      listed.push(...body.items.map(({ id }) => id))
      if (body.nextCursor === null) break
      cursor = `&cursor=${body.nextCursor}`
    }
    expect(rows.map(({ order }) => order)).toEqual(listed)
    const row = rows.find(({ order }) => order === placedIds[1])!
    expect(row).toMatchObject({
      ...{ channel: 'web', status: 'allocated', customer: 'Ada Byron', email: 'ada@example.com', country: 'GB' },
      ...{ line: '1', sku: 'TEE', quantity: '2', lineStatus: 'allocated', unitPrice: '9.50', currency: 'GBP' },
    })
    expect(['W1', 'S1']).toContain(row.location)
  })

  test('has what matches and nothing else', async () => {
    const rows = async (query: string) => rowsOf(await (await exported(query)).text())
    const market = await rows('?channel=market')
    expect(market.length).toBe(ORDERS / 4 - 1)
    expect(new Set(market.map(({ channel }) => channel))).toEqual(new Set(['market']))
    expect((await rows('?customer=ada%40example.com&channel=web')).length).toBe((ORDERS * 3) / 4)
    expect(await rows('?status=cancelled')).toEqual([])
    expect(await rows('?to=2001-01-01T00:00:00Z')).toEqual([])
    expect((await rows('?from=2001-01-01T00:00:00Z&q=evil')).length).toBe(1)
    expect(await (await exported('?format=jsonl&status=cancelled')).text()).toBe('')
    expectProblem(await server.call('GET', '/v1/orders/export?location=NOWHERE'), 404, 'unknown_location')
    expectProblem(await server.call('GET', '/v1/orders/export?format=xlsx'), 422, 'invalid')
    expectProblem(await server.call('POST', '/v1/orders/export', {}), 405, 'method_not_allowed')
    const foreign = await server.call('GET', '/v1/orders/export', undefined, { Origin: 'http://evil.example' })
    expectProblem(foreign, 403, 'foreign_request')
  })

  test('lets no cell begin as a formula does', async () => {
    const [row] = rowsOf(await (await exported('?q=evil')).text())
    expect(row).toMatchObject({
      customer: `'${HOSTILE.name}`,
      externalId: `'${HOSTILE.externalId}`,
      postalCode: `'${HOSTILE.postalCode}`,
      sku: `'${HOSTILE.sku}`,
    })
  })

  test('waits for a reader that does not read, and is whole once it does', async () => {
    const before = await finished(200)
    const reader = await openUnread()
    await new Promise((done) => setTimeout(done, 1_500))
    expect(await finished(200)).toBe(before)
    const lines = (await text(reader)).trimEnd().split('\n')
    expect(new Set(lines.map((line) => (JSON.parse(line) as OrderDocument).id))).toEqual(new Set(placedIds))
    expect(lines.length).toBe(ORDERS)
    expect(await finished(200)).toBe(before + 1)
  })

  test('ends with its reader, who costs no memory', async () => {
    const before = await finished(499)
    const resident = server.residentBytes()
    const readers = 20
    for (let i = 0; i < readers; i++) (await openUnread()).destroy()
    await until(async () => (await finished(499)) === before + readers)
    expect(server.residentBytes() - resident).toBeLessThan(100 * 1_048_576)
  })

  test('is refused while as many run as can', async () => {
    const readers = await Promise.all(Array.from({ length: 8 }, openUnread))
    expectProblem(await server.call('GET', '/v1/orders/export'), 503, 'overloaded')
    for (const reader of readers) reader.destroy()
    await until(async () => (await exported('?status=cancelled')).status === 200)
  })

  test('does not look whole where the server stops before its end', async () => {
    const reader = await openUnread()
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    await expect(text(reader)).rejects.toThrow()
  })
})
