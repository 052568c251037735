/** Channels as platforms and their shops see them: signed, durable, told in any order, and told of what happens here. */
import { createHmac, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { PlatformServer } from '../gateway/channels/platform-server.contract.js'
import { place } from './support/catalogue.js'
import { expectProblem } from './support/shop.js'
import { TestServer, whenDone } from './support/test-server.js'

const SECRET = 'hush'
/** Of the sample's lines that are sent: one has no SKU there. */
const SKUS = ['TEE-RED-M', 'variant:902']
const fixture = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../gateway/channels/${path}`, import.meta.url), 'utf8'))
const signature = (body: string): string => createHmac('sha256', SECRET).update(body).digest('base64')

interface Delivered {
  status: number
  body: { state: string; orders: string[]; did: string[]; code?: string }
}
interface OrderDocument {
  id: string
  status: string
  channel: string
  externalId: string
  shipTo: { line1: string; city: string }
  lines: { line: number; sku: string; quantity: number; status: string; units: Record<string, number> }[]
  holds: { reason: string }[]
  fulfillments: { id: string; location: string }[]
}

/** A server with a Shopify shop whose SKUs it knows, unless `unknown`. */
async function shopServer(unknown = false, settings: Record<string, unknown> = {}, args: string[] = []) {
  const server = await TestServer.start({ args })
  const order = fixture('shopify/order.sample.json') as { id: number; line_items: { sku: string }[] }
  await server.call('PUT', '/v1/locations/W1', place('W1'))
  for (const sku of unknown ? [] : SKUS) {
    await server.call('PUT', `/v1/products/${encodeURIComponent(sku)}`, { name: sku })
    await server.call('PUT', `/v1/inventory/${encodeURIComponent(sku)}/W1`, { onHand: 1_000 })
  }
  const put = await server.call('PUT', '/v1/channels/shopify/shop', { name: 'The shop', secret: SECRET, settings })
  expect(put.status).toBe(200)
  const send = async (
    topic: string,
    payload: object,
    headers: Record<string, string> = {},
    sign = signature,
  ): Promise<Delivered> => {
    const body = JSON.stringify(payload)
    const answer = await fetch(`${server.url}/v1/channels/shopify/shop/webhooks`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-shopify-topic': topic,
        'x-shopify-hmac-sha256': sign(body),
        'x-shopify-webhook-id': randomUUID(),
        ...headers,
      },
      body,
    })
    return { status: answer.status, body: (await answer.json()) as Delivered['body'] }
  }
  const orderOf = async (id: string) => (await server.call<OrderDocument>('GET', `/v1/orders/${id}`)).body
  const listed = async () =>
    (await server.call<{ items: OrderDocument[] }>('GET', '/v1/orders?channel=shop&limit=500')).body.items
  return { server, order, send, orderOf, listed }
}

describe('a connection', () => {
  test('keeps its secret to itself', async () => {
    const { server } = await shopServer()
    for (const path of ['/v1/channels/shopify/shop', '/v1/channels']) {
      const answer = await server.call('GET', path)
      expect(answer.status).toBe(200)
      expect(JSON.stringify(answer.body)).not.toContain(SECRET)
      expect(JSON.stringify(answer.body)).toContain('"hasSecret":true')
    }
    expectProblem(await server.call('PUT', '/v1/channels/shopify/bad', { settings: { money: 'none' } }), 422, 'invalid')
    expectProblem(await server.call('PUT', '/v1/channels/woocommerce/shop', {}), 409, 'conflict')
  })
})

describe('a delivery', () => {
  test('is taken where it is signed, and nowhere else', async () => {
    const { order, send, listed } = await shopServer()
    const wrong = [(body: string) => signature(`${body} `), () => '', () => signature('other'), () => 'no base64 !']
    for (const sign of wrong) expect((await send('orders/create', order, {}, sign)).status).toBe(401)
    expect(await listed()).toHaveLength(0)
    const taken = await send('orders/create', order)
    expect(taken).toMatchObject({ status: 200, body: { state: 'done', did: ['placed'] } })
    expect(await listed()).toMatchObject([{ channel: 'shop', externalId: String(order.id) }])
  })

  test('sent fifty times at once makes one order', async () => {
    const { order, send, listed } = await shopServer()
    const same = { 'x-shopify-webhook-id': randomUUID() }
    const headers = Array.from({ length: 50 }, (_, at) => (at % 2 === 0 ? same : {}))
    const answers = await Promise.all(headers.map((own) => send('orders/create', order, own)))
    for (const { status } of answers) expect([200, 202]).toContain(status)
    await vi.waitFor(async () => expect(await listed()).toHaveLength(1), 10_000)
  })

  test('of an order comes to the same in whatever order its creation, change and cancellation come', async () => {
    const { order, send, listed, server } = await shopServer()
    const changed = structuredClone(order) as unknown as Record<string, unknown> & { shipping_address: object }
    changed.updated_at = '2031-01-01T00:00:00Z'
    changed.shipping_address = { ...changed.shipping_address, address1: '9 New Street' }
    const cancelled = {
      ...changed,
      cancelled_at: '2031-01-02T00:00:00Z',
      cancel_reason: 'customer',
      updated_at: '2031-01-02T00:00:00Z',
    }
    const steps: [string, (id: number) => object][] = [
      ['orders/create', (id) => ({ ...order, id })],
      ['orders/updated', (id) => ({ ...changed, id })],
      ['orders/cancelled', (id) => ({ ...cancelled, id })],
    ]
    const ways = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ]
    for (const [at, way] of ways.entries()) {
      for (const step of way) {
        const [topic, payload] = steps[step]!
        const { status, body } = await send(topic, payload(9_000 + at))
        expect([200, 202], JSON.stringify(body)).toContain(status)
      }
    }
    await vi.waitFor(async () => {
      const orders = await listed()
      expect(orders).toHaveLength(ways.length)
      for (const { status } of orders) expect(status).toBe('cancelled')
    }, 10_000)
    const stocked = await server.stock(order.line_items[0]!.sku)
    expect(stocked.atp).toBe(1_000)
  })

  test('with a SKU that nobody knows puts the order on hold, which goes on once the product is there', async () => {
    const { server, order, send, orderOf } = await shopServer(true)
    const { body } = await send('orders/create', order)
    const held = await orderOf(body.orders[0]!)
    expect(held).toMatchObject({ status: 'on_hold', holds: [{ reason: 'unknown_sku' }] })
    for (const sku of SKUS) {
      await server.call('PUT', `/v1/products/${encodeURIComponent(sku)}`, { name: sku })
      await server.call('PUT', `/v1/inventory/${encodeURIComponent(sku)}/W1`, { onHand: 1_000 })
    }
    await server.call('POST', `/v1/orders/${held.id}/resume`, { reason: 'known now' })
    await vi.waitFor(async () => expect((await orderOf(held.id)).status).toBe('allocated'), 5_000)
  })

  test('goes by aliases: one of theirs may be several of ours', async () => {
    const { server, order, send, orderOf } = await shopServer(true)
    await server.call('PUT', '/v1/products/OURS', { name: 'Ours' })
    await server.call('PUT', '/v1/inventory/OURS/W1', { onHand: 1_000 })
    for (const sku of SKUS) {
      const path = `/v1/channels/shopify/shop/aliases/${encodeURIComponent(sku)}`
      expect((await server.call('PUT', path, { sku: 'OURS', quantity: 3 })).status).toBe(200)
    }
    const { body } = await send('orders/create', order)
    const placed = await orderOf(body.orders[0]!)
    expect(placed.status).not.toBe('on_hold')
    for (const line of placed.lines) expect([line.sku, line.quantity % 3]).toEqual(['OURS', 0])
  })

  test('that nobody can read is kept with what is wrong with it, and makes nothing', async () => {
    const { server, send, listed } = await shopServer()
    const bad = await send('orders/create', { id: 5, line_items: 'none', __proto__: { polluted: true } })
    expect(bad).toMatchObject({ status: 202, body: { state: 'failed' } })
    const path = '/v1/channels/shopify/shop/deliveries?state=failed'
    const { items } = (await server.call<{ items: { id: string; errors: object[] }[] }>('GET', path)).body
    expect(items).toHaveLength(1)
    expect(items[0]!.errors.length).toBeGreaterThan(0)
    const kept = await server.call('GET', `/v1/channel-deliveries/${encodeURIComponent(items[0]!.id)}`)
    expect(JSON.stringify(kept.body)).toContain('line_items')
    expect(await listed()).toHaveLength(0)
  })

  test('that was answered is carried out after a kill', async () => {
    const { server, order, send } = await shopServer()
    const sent = Array.from({ length: 40 }, (_, at) =>
      send('orders/create', { ...order, id: 100 + at }).then(
        () => 100 + at,
        () => 0,
      ),
    )
    await Promise.any(sent)
    await server.kill()
    const answered = (await Promise.all(sent)).filter((id) => id > 0)
    const again = await TestServer.start({ dataDir: server.dataDir })
    await vi.waitFor(async () => {
      const { items } = (await again.call<{ items: OrderDocument[] }>('GET', '/v1/orders?channel=shop&limit=500')).body
      const ids = items.map(({ externalId }) => Number(externalId))
      for (const id of answered) expect(ids).toContain(id)
      expect(new Set(ids).size).toBe(ids.length)
    }, 20_000)
  })
})

describe('a refund', () => {
  test('of what was sent comes back into stock at the place that the channel names, once', async () => {
    const { server, order, send, orderOf } = await shopServer(false, { locations: { '77': 'S9' } })
    await server.call('PUT', '/v1/locations/S9', place('S9', { type: 'store' }))
    const { body } = await send('orders/create', order)
    const id = body.orders[0]!
    await vi.waitFor(async () => expect((await orderOf(id)).fulfillments).toHaveLength(1), 5_000)
    const [fulfillment] = (await orderOf(id)).fulfillments
    for (const action of ['accept', 'pick', 'pack', 'ship', 'deliver']) {
      await server.call(
        'POST',
        `/v1/fulfillments/${fulfillment!.id}/${action}`,
        action === 'ship' ? { carrier: 'X' } : {},
      )
    }
    const [line] = order.line_items as unknown as { id: number; sku: string }[]
    const refund = {
      id: 31,
      order_id: order.id,
      note: 'too small',
      refund_line_items: [
        { id: 1, line_item_id: line!.id, quantity: 1, restock_type: 'return', location_id: 77, line_item: line },
      ],
      transactions: [],
    }
    for (let times = 0; times < 3; times++) expect((await send('refunds/create', refund)).status).toBe(200)
    const now = await orderOf(id)
    expect(now.lines[0]!.units.returned).toBe(1)
    const stock = await server.stock(line!.sku)
    expect(stock.locations.find(({ location }) => location === 'S9')?.onHand).toBe(1)
  })
})

describe('a channel', () => {
  test('is told of what it may sell, less its buffer, when it changes, and of nothing else', async () => {
    const levels = new Map<string, number>()
    const shop = await new PlatformServer(({ method, path, body }) => {
      if (path.endsWith('/graphql.json')) {
        // It sells SKU-1 and SKU-2, and nothing else.
        const [sku] = /SKU-[12]/.exec(JSON.stringify(body)) ?? []
        const nodes = sku === undefined ? [] : [{ sku, inventoryItem: { legacyResourceId: sku.slice(-1) } }]
        return { body: { data: { productVariants: { nodes } } } }
      }
      if (method === 'GET' && path.endsWith('/inventory_levels.json')) return { body: { inventory_levels: [] } }
      if (method === 'POST' && path.endsWith('/inventory_levels/set.json')) {
        const { inventory_item_id: item, available } = body as { inventory_item_id: number; available: number }
        levels.set(`SKU-${item}`, available)
        return { body: {} }
      }
      return undefined
    }).start()
    whenDone(() => shop.stop())
    const settings = { apiUrl: `${shop.url}/admin/api/2024-10`, pushesStock: true, buffer: 10, stockLocation: '1' }
    const { server } = await shopServer(true, {}, ['--allow-http', '--allow-address', '127.0.0.1'])
    for (const sku of ['SKU-1', 'SKU-2', 'NOT-THERE']) {
      await server.call('PUT', `/v1/products/${sku}`, { name: sku })
      await server.call('PUT', `/v1/inventory/${sku}/W1`, { onHand: 100 })
    }
    const secret = JSON.stringify({ webhookSecret: SECRET, accessToken: 'token' })
    const put = await server.call('PUT', '/v1/channels/shopify/shop', { secret, settings })
    expect(put.status).toBe(200)
    await vi.waitFor(() => expect(Object.fromEntries(levels)).toEqual({ 'SKU-1': 90, 'SKU-2': 90 }), 10_000)
    levels.clear()
    await server.call('POST', '/v1/reservations', { id: randomUUID(), sku: 'SKU-1', quantity: 30 })
    await vi.waitFor(() => expect(Object.fromEntries(levels)).toEqual({ 'SKU-1': 60 }), 10_000)
  })
})
