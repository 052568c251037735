/**
 * Samples that nobody here wrote, all the way: in as the platform sends them, an order, sent, and told to the platform. What
 * EDI partners send and are sent is in `edi.test.ts`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { BigCommerceFront } from './support/channels/bigcommerce-front.js'
import { ShopifyFront } from './support/channels/shopify-front.js'
import { WooCommerceFront } from './support/channels/woocommerce-front.js'
import { Shop } from './support/shop.js'

const SAMPLES = resolve('../shared/data/channels')
const shop = Shop.open(['--allow-http', '--allow-address', '127.0.0.1'])
const PATIENCE = { timeout: 30_000, interval: 50 }
const ON_HAND = 50

interface OrderDocument {
  id: string
  status: string
  currency: string
  lines: { sku: string; quantity: number; units: Record<string, number> }[]
  shipTo: { line1: string; city: string; country: string }
  totals: { total: { amount: string } }
  payment: { refunded?: { amount: string } }
  fulfillments: { id: string; status: string }[]
}

const sample = (path: string): unknown => JSON.parse(readFileSync(resolve(SAMPLES, path), 'utf8'))

async function orderOf(channel: string, externalId: string): Promise<OrderDocument> {
  const query = new URLSearchParams({ channel, externalId })
  const { items } = (await shop.call<{ items: OrderDocument[] }>('GET', `/v1/orders?${query}`)).body
  expect(items).toHaveLength(1)
  return items[0]!
}

/** The order is allocated, and then goes on its way with this tracking number. */
async function sent(channel: string, externalId: string, trackingNumber: string): Promise<OrderDocument> {
  const order = await vi.waitFor(async () => {
    const now = await orderOf(channel, externalId)
    expect(now.status).toBe('allocated')
    return now
  }, PATIENCE)
  for (const { id } of order.fulfillments) {
    for (const action of ['accept', 'pick', 'pack', 'ship', 'deliver']) {
      const body = action === 'ship' ? { carrier: 'UPS', trackingNumber } : {}
      const answer = await shop.call('POST', `/v1/fulfillments/${id}/${action}`, body)
      expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    }
  }
  return order
}

const told = ({ currency, lines, shipTo: { line1, city, country }, totals }: OrderDocument) => ({
  lines: lines.map(({ sku, quantity }) => `${quantity} ${sku}`),
  to: [line1, city, country],
  total: `${totals.total.amount} ${currency}`,
})

describe.skipIf(!existsSync(SAMPLES))('samples of ../shared/data/channels (skipped where they are missing)', () => {
  const [shopify, woocommerce, bigcommerce] = [new ShopifyFront(), new WooCommerceFront(), new BigCommerceFront()]
  afterAll(() => Promise.all([shopify, woocommerce, bigcommerce].map((front) => front.stop())))
  beforeAll(async () => {
    const skus = ['IPOD2008GREEN', 'IPOD2008RED', 'IPOD2008BLACK', 'product:93', 'Bar3', 'S-ORAN', 'ABS']
    for (const sku of skus) {
      const path = encodeURIComponent(sku)
      expect((await shop.call('PUT', `/v1/products/${path}`, { name: sku })).status).toBe(200)
      expect((await shop.call('PUT', `/v1/inventory/${path}/W1`, { onHand: ON_HAND })).status).toBe(200)
    }
  }, 60_000)

  test('Shopify’s order is taken, sent, told, and what comes back of it is refunded', async () => {
    const front = shopify
    await front.connect(shop.server)
    const number = '450789469'
    const lines = ['466157049', '518995019', '703073504'].map((id) => ({ id, quantity: 1 }))
    await front.say('orders/create', sample('shopify/order.json') as object, number, lines)
    const order = await sent(front.connection, number, '1Z-SHOPIFY')
    expect(told(order)).toEqual({
      lines: ['1 IPOD2008GREEN', '1 IPOD2008RED', '1 IPOD2008BLACK'],
      to: ['Chestnut Street 92', 'Louisville', 'US'],
      total: '608.94 USD',
    })
    const parcel = { tracking: '1Z-SHOPIFY', units: 3 }
    await vi.waitFor(async () => expect(await front.parcels({ number })).toEqual([parcel]), PATIENCE)
    await front.say('refunds/create', sample('shopify/refund.json') as object, number, [])
    await vi.waitFor(async () => {
      const now = await orderOf(front.connection, number)
      expect(now.lines.map(({ units }) => units)).toEqual([{ returned: 1 }, { delivered: 1 }, { returned: 1 }])
      expect((await shop.server.stock('IPOD2008GREEN')).onHand).toBe(ON_HAND)
    }, PATIENCE)
  })

  test('WooCommerce’s order is taken, sent and told', async () => {
    const front = woocommerce
    await front.connect(shop.server)
    await front.send('order.created', sample('woocommerce/order.json') as object)
    const order = await sent(front.connection, '727', '1Z-WOO')
    expect(told(order)).toEqual({
      lines: ['2 product:93', '1 Bar3'],
      to: ['969 Market', 'San Francisco', 'US'],
      total: '29.35 USD',
    })
    const parcel = { tracking: '1Z-WOO', units: 3 }
    await vi.waitFor(async () => expect(await front.parcels({ number: '727' })).toEqual([parcel]), PATIENCE)
    await vi.waitFor(() => expect(front.statuses.get('727')).toBe('completed'), PATIENCE)
  })

  test('BigCommerce’s order is read from the store, taken, sent and told', async () => {
    const front = bigcommerce
    await front.connect(shop.server)
    // The samples are of several orders; the webhook names the one that the API is asked for.
    const [address] = sample('bigcommerce/order_shipping_addresses.json') as unknown[]
    await front.sayAsWritten(sample('bigcommerce/store_order_created.json') as object, '250', {
      order: { ...(sample('bigcommerce/order.json') as object), id: 250 },
      products: sample('bigcommerce/order_products.json'),
      shipping_addresses: [address],
    })
    const order = await sent(front.connection, '250', '1Z-BIG')
    expect(told(order)).toEqual({
      lines: ['1 S-ORAN', '1 ABS'],
      to: ['666 Sussex St', 'San Antonio', 'US'],
      total: '75.64 USD',
    })
    const parcel = { tracking: '1Z-BIG', units: 2 }
    await vi.waitFor(async () => expect(await front.parcels({ number: '250' })).toEqual([parcel]), PATIENCE)
  })
})
