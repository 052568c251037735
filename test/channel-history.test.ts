/** A retailer's real file through channels: invoices as a shop's webhooks and as files, and what becomes of each order. */
import { createHmac, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { stringify } from 'csv-stringify/sync'
import { describe, expect, test, vi } from 'vitest'
import { DoorbusterClient } from '../gateway/client/index.js'
import { stockUp } from './support/catalogue.js'
import type { StockDocument } from './support/http-call.js'
import { type Invoice, readInvoices } from './support/invoices.js'
import { TestServer } from './support/test-server.js'

const FILE = resolve(process.env.RETAIL_FILE ?? '../shared/data/online-retail-2010-12-to-2011-09.csv.gz')
const INVOICES = 2_000
const AT_ONCE = 24
const ORDERS_PER_FILE = 150
const SECRET = 'hush'
const ADDRESS = { city: 'Leeds', country: 'GB' }

interface OrderDocument {
  externalId: string
  status: string
  lines: { sku: string; quantity: number; units: Record<string, number> }[]
  totals: { total: { amount: string } }
  holds: { reason: string }[]
}

const cents = ({ lines }: Invoice): number =>
  lines.reduce((sum, { price, quantity }) => sum + Math.round(Number(price) * 100) * quantity, 0)

/** Each at most `AT_ONCE` at a time. */
async function each<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = all.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const one of left) await work(one)
    }),
  )
}

async function bySheet(server: TestServer, invoices: readonly Invoice[]): Promise<void> {
  const head = [
    'order number',
    'currency',
    'customer',
    'line1',
    'city',
    'postcode',
    'country',
    'sku',
    'quantity',
    'price',
  ]
  for (let at = 0; at < invoices.length; at += ORDERS_PER_FILE) {
    const rows = invoices.slice(at, at + ORDERS_PER_FILE).flatMap(({ number, customer, lines }) =>
      lines.map(({ sku, quantity, price }) => {
        const { city, country } = ADDRESS
        return [number, 'GBP', customer || 'Guest', '1 Kirkgate', city, 'LS1 1AA', country, sku, quantity, price]
      }),
    )
    const file = { name: `${at}.csv`, content: stringify([head, ...rows]) }
    const { status, body } = await server.call('POST', '/v1/channels/files/sheets/files', file)
    expect([status, body.bad], JSON.stringify(body).slice(0, 500)).toEqual([201, 0])
  }
}

function byWebhook(server: TestServer, invoices: readonly Invoice[]): Promise<void> {
  return each(invoices, async ({ number, customer, lines }) => {
    const body = JSON.stringify({
      id: Number(number),
      currency: 'GBP',
      financial_status: 'paid',
      customer: { id: Number(customer || 0), first_name: 'Customer', last_name: customer || 'Guest' },
      shipping_address: { address1: '1 Kirkgate', city: ADDRESS.city, zip: 'LS1 1AA', country_code: ADDRESS.country },
      line_items: lines.map(({ sku, quantity, price }, at) => ({
        id: Number(number) * 1_000 + at,
        sku,
        quantity,
        price,
      })),
    })
    const answer = await fetch(`${server.url}/v1/channels/shopify/shop/webhooks`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-shopify-topic': 'orders/create',
        'x-shopify-webhook-id': randomUUID(),
        'x-shopify-hmac-sha256': createHmac('sha256', SECRET).update(body).digest('base64'),
      },
      body,
    })
    expect([200, 202]).toContain(answer.status)
  })
}

async function ordersOf(server: TestServer, channel: string): Promise<Map<string, OrderDocument>> {
  const found = new Map<string, OrderDocument>()
  let cursor: string | null = ''
  while (cursor !== null) {
    const query = new URLSearchParams({ channel, limit: '200', ...(cursor === '' ? {} : { cursor }) })
    const { body }: { body: { items: OrderDocument[]; nextCursor: string | null } } = await server.call(
      'GET',
      `/v1/orders?${query}`,
    )
    for (const order of body.items) found.set(order.externalId, order)
    cursor = body.nextCursor
  }
  return found
}

/** Units by SKU, of the lines of some orders. */
function sumOf(orders: Iterable<OrderDocument>, of: (line: OrderDocument['lines'][number]) => number) {
  const sum = new Map<string, number>()
  for (const { lines } of orders) {
    for (const line of lines) sum.set(line.sku, (sum.get(line.sku) ?? 0) + of(line))
  }
  return sum
}

describe.skipIf(!existsSync(FILE))(
  `${INVOICES} invoices of ${FILE.split('/').at(-1)} (skipped where it is missing)`,
  () => {
    test('through channels are orders of which each has what its stock explains', { timeout: 180_000 }, async () => {
      const invoices = (await readInvoices(FILE, INVOICES * 2))
        .filter(({ kind, number }) => kind === 'order' && /^\d+$/.test(number))
        .slice(0, INVOICES)
      expect(invoices).toHaveLength(INVOICES)
      const demand = new Map<string, number>()
      for (const { sku, quantity } of invoices.flatMap(({ lines }) => lines)) {
        demand.set(sku, (demand.get(sku) ?? 0) + quantity)
      }
      const server = await TestServer.start()
      await stockUp(server.url, [...demand.keys()], 0)
      await server.call('PUT', '/v1/locations/W1', { ...(await placeOf(server)), capacityPerDay: 1_000_000 })
      const client = await DoorbusterClient.connect(server.url, { deadlineMs: 30_000 })
      const items = [...demand].map(([sku, units]) => ({ sku, location: 'W1', onHand: Math.floor(units * 0.8) }))
      for (let at = 0; at < items.length; at += 500) {
        await client.command('inventory.putMany', { items: items.slice(at, at + 500) })
      }
      await server.call('PUT', '/v1/channels/shopify/shop', { secret: SECRET })
      await server.call('PUT', '/v1/channels/files/sheets', {})
      const [shops, sheets] = [0, 1].map((half) => invoices.filter((_, at) => at % 2 === half)) as [
        Invoice[],
        Invoice[],
      ]
      await Promise.all([byWebhook(server, shops), bySheet(server, sheets)])
      await vi.waitFor(
        async () => {
          const { body } = await server.call<Record<string, number>>('GET', '/v1/order-counts')
          const { allocated = 0, backordered = 0, on_hold: held = 0 } = body
          expect(allocated + backordered + held, JSON.stringify(body)).toBe(INVOICES)
        },
        { timeout: 60_000, interval: 200 },
      )

      for (const [channel, said] of [
        ['shop', shops],
        ['sheets', sheets],
      ] as const) {
        const orders = await ordersOf(server, channel)
        expect(orders.size).toBe(said.length)
        for (const invoice of said) {
          const order = orders.get(invoice.number)!
          expect(order.lines.map(({ sku, quantity }) => ({ sku, quantity }))).toEqual(
            invoice.lines.map(({ sku, quantity }) => ({ sku, quantity })),
          )
          expect(Math.round(Number(order.totals.total.amount) * 100), invoice.number).toBe(cents(invoice))
        }
      }
      const all = [...(await ordersOf(server, 'shop')).values(), ...(await ordersOf(server, 'sheets')).values()]
      const stock = new Map<string, StockDocument>()
      const skus = [...demand.keys()]
      for (let at = 0; at < skus.length; at += 500) {
        const { body } = await client.command('inventory.getMany', { skus: skus.slice(at, at + 500) })
        for (const one of (body as { items: StockDocument[] }).items) stock.set(one.sku, one)
      }
      client.close()
      // What orders say they have is what stock says it has given, to the unit.
      const allocated = sumOf(all, ({ units }) => units.allocated ?? 0)
      const differing = skus.filter((sku) => {
        const { onHand, reserved, allocated: given, atp } = stock.get(sku)!
        return given !== allocated.get(sku) || reserved !== 0 || atp !== onHand - given
      })
      expect(differing).toEqual([])
      // And who waits, waits for something that is not there.
      const unexplained = all.filter((order) => {
        if (order.status === 'allocated') return order.lines.some(({ quantity, units }) => units.allocated !== quantity)
        if (order.status === 'on_hold') return order.holds.length === 0
        const wanted = sumOf([order], ({ units }) => (units.backordered ?? 0) + (units.open ?? 0))
        return ![...wanted].some(([sku, units]) => units > stock.get(sku)!.atp)
      })
      expect(unexplained.map(({ externalId }) => externalId)).toEqual([])
      const having = (wanted: string): number => all.filter(({ status }) => status === wanted).length
      expect(having('allocated')).toBeGreaterThan(INVOICES / 4)
      expect(having('backordered')).toBeGreaterThan(0)
    })
  },
)

const placeOf = async (server: TestServer) => (await server.call('GET', '/v1/locations/W1')).body
