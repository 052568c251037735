import { createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeReading, describeSigning, type Json } from '../channel.contract.js'
import type { ChannelEvent, Connection, Delivery } from '../channel.js'
import { fetchHttp, noHttp, type PlatformRequest, PlatformServer, tableHttp } from '../platform-server.contract.js'
import { shopify } from './index.js'
import sample from './order.sample.json' with { type: 'json' }

const connection: Connection = {
  type: 'shopify',
  id: 'web',
  name: 'Web shop',
  secret: JSON.stringify({ webhookSecret: 'hush', accessToken: 'token-1' }),
  settings: { apiUrl: 'http://shop.invalid/admin/api/2024-10', locations: { '11': 'W1' }, stockLocation: '11' },
}

function delivery(topic: string, payload: unknown, headers: Record<string, string> = {}): Delivery {
  const body = Buffer.from(JSON.stringify(payload))
  const signature = createHmac('sha256', 'hush').update(body).digest('base64')
  return { headers: { 'x-shopify-topic': topic, 'x-shopify-hmac-sha256': signature, ...headers }, body }
}

const read = (topic: string, payload: unknown, settings: object = {}): Promise<ChannelEvent[]> =>
  shopify.read(delivery(topic, payload), { ...connection, settings: { ...connection.settings, ...settings } }, noHttp)

const order = (await read('orders/create', sample)).flatMap((event) =>
  event.type === 'order' ? [event.order] : [],
)[0]!

const GBP = (amount: string) => ({ amount, currency: 'GBP' })

describeReading('Shopify', () => ({
  sample: sample as Json,
  read: (changed) => read('orders/create', changed),
  order: {
    externalId: '5001',
    currency: 'GBP',
    customer: { id: '71', name: 'Ada Byron', email: 'ada@example.com', phone: '+44 20 7946 0000' },
    shipTo: {
      name: 'Ada Byron, Analytical Engines',
      line1: '12 St James’s Square',
      line2: 'Second floor',
      city: 'London',
      region: 'England',
      postalCode: 'SW1Y 4JH',
      country: 'GB',
      latitude: 51.5072,
      longitude: -0.1357,
    },
    lines: [
      {
        sku: 'TEE-RED-M',
        quantity: 3,
        unitPrice: GBP('10.00'),
        discount: GBP('3.00'),
        taxes: [{ name: 'VAT', rate: 0.2, amount: GBP('5.40') }],
        note: 'Print: Countess of Lovelace',
      },
      {
        sku: 'variant:902',
        quantity: 1,
        unitPrice: GBP('4.50'),
        taxes: [{ name: 'VAT', rate: 0.2, amount: GBP('0.90') }],
      },
    ],
    lineIds: ['101', '102'],
    shipping: GBP('4.80'),
    totals: { total: GBP('42.60') },
    payment: { status: 'captured', amount: GBP('42.60'), reference: '#1001' },
    notes: 'Leave it with the porter\nNot shipped: 1 × Gift card\nShipping method: Standard',
  },
  total: '42.60',
  quantity: 'line_items.0.quantity',
  amount: 'line_items.0.price',
  required: ['id', 'currency', 'line_items.0.id', 'line_items.0.quantity', 'line_items.0.price'],
}))

describeSigning('Shopify', () => ({
  channel: shopify,
  connection,
  delivery: delivery('orders/create', sample, { 'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043' }),
  header: 'x-shopify-hmac-sha256',
  coversBody: true,
  id: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
  ignored: {
    'a topic that nobody asked for': delivery('products/update', sample),
    'a topic that is missing': { headers: {}, body: Buffer.from('{}') },
    'a test delivery': delivery('orders/create', sample, { 'x-shopify-test': 'true' }),
    'a test order': delivery('orders/create', { ...sample, test: true }),
    'an order of nothing but a gift card': delivery('orders/create', {
      ...sample,
      line_items: sample.line_items.slice(2),
    }),
    'an order cancelled before it was told': delivery('orders/create', {
      ...sample,
      cancelled_at: '2024-03-01T10:00:00Z',
    }),
  },
}))

describe('Shopify’s events', () => {
  it('are taken with the webhook secret alone, as plain text', () => {
    expect(shopify.isSigned(delivery('orders/create', sample), { ...connection, secret: 'hush' })).toBe(true)
  })

  it('say how an order now is, and when', async () => {
    const [event] = await read('orders/updated', sample)
    expect(event).toEqual({ type: 'update', order, at: '2024-03-01T09:05:00.000Z' })
  })

  it('say that an order is cancelled, by either topic', async () => {
    const cancelled = { ...sample, cancelled_at: '2024-03-01T10:00:00Z', cancel_reason: 'customer' }
    const expected = [{ type: 'cancel', externalId: '5001', reason: 'customer' }]
    expect(await read('orders/cancelled', cancelled)).toEqual(expected)
    expect(await read('orders/updated', cancelled)).toEqual(expected)
  })

  it('leave out units that an edit took off, with their share of discount and tax, and lines with none left', async () => {
    const [first, second, card] = sample.line_items
    const edited = {
      ...sample,
      line_items: [
        { ...first, current_quantity: 2, fulfillable_quantity: 2 },
        { ...second, current_quantity: 0, fulfillable_quantity: 0 },
        card,
      ],
    }
    const [event] = await read('orders/updated', edited)
    expect(event).toMatchObject({
      order: {
        lines: [{ sku: 'TEE-RED-M', quantity: 2, discount: GBP('2.00'), taxes: [{ amount: GBP('3.60') }] }],
        lineIds: ['101'],
      },
    })
    expect(event).not.toHaveProperty('order.totals.total')
  })

  it('keep units that were sent and came back', async () => {
    const [first, second] = sample.line_items
    const returned = {
      ...sample,
      line_items: [{ ...first, current_quantity: 1, fulfillable_quantity: 0 }, second],
      fulfillments: [
        { status: 'success', line_items: [{ id: 101, quantity: 3 }] },
        { status: 'cancelled', line_items: [{ id: 102, quantity: 1 }] },
      ],
    }
    expect((await read('orders/updated', returned))[0]).toMatchObject({
      order: { lines: [{ quantity: 3 }, { quantity: 1 }] },
    })
  })

  it('show prices that include tax net, and come to what the customer paid', async () => {
    const inclusive = {
      ...sample,
      taxes_included: true,
      total_price: '26.00',
      current_total_price: '26.00',
      line_items: [
        {
          id: 101,
          sku: 'TEE-RED-M',
          quantity: 2,
          price: '12.00',
          requires_shipping: true,
          discount_allocations: [{ amount: '4.00' }],
          tax_lines: [{ title: 'VAT', rate: 0.2, price: '3.33' }],
        },
      ],
      shipping_lines: [{ title: 'Standard', price: '6.00', tax_lines: [{ title: 'VAT', price: '1.00' }] }],
    }
    const [event] = await read('orders/create', inclusive)
    expect(event).toMatchObject({
      order: {
        lines: [{ unitPrice: GBP('10.002'), discount: GBP('3.334'), taxes: [{ amount: GBP('3.33') }] }],
        shipping: GBP('6.00'),
        totals: { total: GBP('26.00') },
      },
    })
  })

  it('are in the currency that the customer saw, where the connection says so', async () => {
    const both = (shop: string, seen: string) => ({
      shop_money: { amount: shop, currency_code: 'GBP' },
      presentment_money: { amount: seen, currency_code: 'EUR' },
    })
    const [, second] = sample.line_items
    const abroad = {
      ...sample,
      presentment_currency: 'EUR',
      line_items: [{ ...second, price_set: both('4.50', '5.40'), tax_lines: [] }],
      shipping_lines: [],
      total_discounts: '0.00',
      tax_lines: [],
      total_price_set: both('4.50', '5.40'),
      current_total_price_set: both('4.50', '5.40'),
    }
    const [event] = await read('orders/create', abroad, { money: 'presentment' })
    await expect(
      read('orders/create', { ...sample, presentment_currency: 'EUR' }, { money: 'presentment' }),
    ).rejects.toThrow('an amount is not told in EUR')
    expect(event).toMatchObject({
      order: {
        currency: 'EUR',
        lines: [{ unitPrice: { amount: '5.40', currency: 'EUR' } }],
        totals: { total: { amount: '5.40' } },
      },
    })
  })

  it('let a customer without an e-mail address, or with one that is none, be known by telephone', async () => {
    const { email: _email, customer, ...rest } = sample
    const bare = { ...rest, phone: null, customer: { ...customer, email: null } }
    expect((await read('orders/create', bare))[0]).toMatchObject({ order: { customer: { phone: '+44 20 7946 0000' } } })
    const [odd] = await read('orders/create', { ...sample, email: 'ada at example' })
    expect(odd).toMatchObject({ order: { notes: expect.stringContaining('ada at example') } })
    expect(odd).not.toHaveProperty('order.customer.email')
  })

  it('send an order without a shipping address to whoever pays, or have it collected where it was placed', async () => {
    const counter = { ...sample, shipping_address: null, billing_address: sample.shipping_address, location_id: 11 }
    expect((await read('orders/create', counter))[0]).toMatchObject({
      order: { shipTo: order.shipTo, delivery: { method: 'pickup', location: 'W1' } },
    })
    const nowhere = { ...sample, shipping_address: null }
    await expect(read('orders/create', nowhere)).rejects.toMatchObject({ errors: [{ path: 'shipping_address' }] })
  })

  it.each([
    ['pending', 'pending'],
    ['authorized', 'authorized'],
    ['partially_paid', 'pending'],
    ['partially_refunded', 'captured'],
  ])('of the financial status %s have the payment %s', async (financial_status, status) => {
    expect((await read('orders/create', { ...sample, financial_status }))[0]).toMatchObject({
      order: { payment: { status } },
    })
  })

  it('tell units that never left from those that came back, and how much was given back', async () => {
    const refund = {
      id: 9001,
      order_id: 5001,
      note: 'changed her mind',
      refund_line_items: [
        { line_item_id: 101, quantity: 1, restock_type: 'cancel' },
        { line_item_id: 101, quantity: 1, restock_type: 'return', location_id: 11, line_item: { sku: 'TEE-RED-M' } },
        { line_item_id: 102, quantity: 1, restock_type: 'no_restock' },
      ],
      transactions: [
        { kind: 'refund', status: 'success', amount: '10.80', currency: 'GBP' },
        { kind: 'refund', status: 'pending', amount: '5.40', currency: 'GBP' },
        { kind: 'refund', status: 'failure', amount: '99.00', currency: 'GBP' },
      ],
    }
    expect(await read('refunds/create', refund)).toEqual([
      { type: 'cancel', externalId: '5001', reason: 'changed her mind', units: [{ lineId: '101', quantity: 1 }] },
      {
        type: 'refund',
        externalId: '5001',
        refundId: '9001',
        amount: '16.20',
        reason: 'changed her mind',
        units: [
          { lineId: '101', sku: 'TEE-RED-M', quantity: 1, restock: true, location: '11' },
          { lineId: '102', quantity: 1, restock: false },
        ],
      },
    ])
  })

  it('name the SKU of an inventory level by asking the shop', async () => {
    const http = tableHttp({
      '/admin/api/2024-10/inventory_items/808.json': { inventory_item: { id: 808, sku: 'TEE-RED-M' } },
    })
    const level = { inventory_item_id: 808, location_id: 11, available: 7, updated_at: '2024-03-01T12:00:00+01:00' }
    expect(await shopify.read(delivery('inventory_levels/update', level), connection, http)).toEqual([
      { type: 'stock', sku: 'TEE-RED-M', location: '11', available: 7, at: '2024-03-01T11:00:00.000Z' },
    ])
  })
})

describe('a Shopify shop that is told', () => {
  const shop = {
    fulfillments: [] as { tracking_number: string; location: number; line_items: { id: number; quantity: number }[] }[],
  }
  const open = [
    {
      id: 1,
      status: 'closed',
      assigned_location_id: 11,
      line_items: [{ id: 10, line_item_id: 101, fulfillable_quantity: 0 }],
    },
    {
      id: 2,
      status: 'open',
      assigned_location_id: 12,
      line_items: [{ id: 20, line_item_id: 101, fulfillable_quantity: 3 }],
    },
    {
      id: 3,
      status: 'open',
      assigned_location_id: 11,
      line_items: [{ id: 30, line_item_id: 101, fulfillable_quantity: 2 }],
    },
  ]
  let available = 3
  let server: PlatformServer
  let told: Connection

  function answer({ method, path, headers, body, query }: PlatformRequest) {
    if (headers['x-shopify-access-token'] !== 'token-1') return { status: 401, body: {} }
    // The shapes that the adapter under test sends.
    const sent = body as {
      fulfillment: {
        tracking_info: { number: string }
        line_items_by_fulfillment_order: {
          fulfillment_order_id: number
          fulfillment_order_line_items: { id: number; quantity: number }[]
        }[]
      }
      variables: { search: string }
      available: number
    }
    switch (`${method} ${path}`) {
      case 'GET /orders/5001/fulfillments.json':
        return { body: { fulfillments: shop.fulfillments.map((one) => ({ ...one, status: 'success' })) } }
      case 'GET /orders/5001/fulfillment_orders.json':
        return { body: { fulfillment_orders: open } }
      case 'GET /orders/5001.json':
        return { body: { order: { line_items: [{ id: 101, sku: 'TEE-RED-M' }] } } }
      case 'POST /fulfillments.json':
        for (const part of sent.fulfillment.line_items_by_fulfillment_order) {
          const from = open.find(({ id }) => id === part.fulfillment_order_id)!
          const line_items = part.fulfillment_order_line_items.map(({ id, quantity }) => {
            const item = from.line_items.find((one) => one.id === id)!
            item.fulfillable_quantity -= quantity
            return { id: item.line_item_id, quantity }
          })
          const tracking_number = sent.fulfillment.tracking_info.number
          shop.fulfillments.push({ tracking_number, location: from.assigned_location_id, line_items })
        }
        return { status: 201, body: { fulfillment: {} } }
      case 'POST /graphql.json': {
        const nodes =
          sent.variables.search === 'sku:"TEE-RED-M"'
            ? [{ sku: 'TEE-RED-M', inventoryItem: { legacyResourceId: '808' } }]
            : []
        return { body: { data: { productVariants: { nodes } } } }
      }
      case 'GET /inventory_levels.json':
        return {
          body: { inventory_levels: [{ inventory_item_id: Number(query.get('inventory_item_ids')), available }] },
        }
      case 'POST /inventory_levels/set.json':
        available = sent.available
        return { body: { inventory_level: {} } }
      default:
        return undefined
    }
  }

  beforeEach(async () => {
    server = await new PlatformServer(answer).start()
    told = { ...connection, settings: { ...connection.settings, apiUrl: server.url } }
  })
  afterEach(() => server.stop())

  it('makes one fulfillment of a parcel, at the location it left from, however often it is told', async () => {
    const parcel = {
      externalId: '5001',
      fulfillment: 'F1',
      carrier: 'Royal Mail',
      trackingNumber: 'RM1',
      location: '11',
      units: [{ lineId: '101', sku: 'TEE-RED-M', quantity: 2 }],
    }
    await shopify.shipped(parcel, told, fetchHttp)
    await shopify.shipped(parcel, told, fetchHttp)
    expect(shop.fulfillments).toEqual([
      { tracking_number: 'RM1', location: 11, line_items: [{ id: 101, quantity: 2 }] },
    ])
  })

  it('knows a parcel without a number by its id here, and a line by its SKU', async () => {
    const parcel = { externalId: '5001', fulfillment: 'F2', carrier: 'Van', units: [{ sku: 'TEE-RED-M', quantity: 1 }] }
    await shopify.shipped(parcel, told, fetchHttp)
    await shopify.shipped(parcel, told, fetchHttp)
    expect(shop.fulfillments.filter(({ tracking_number }) => tracking_number === 'F2')).toHaveLength(1)
  })

  it('is not told of more units than are open there', async () => {
    const parcel = {
      externalId: '5001',
      fulfillment: 'F3',
      carrier: 'Van',
      units: [{ lineId: '101', sku: 'TEE-RED-M', quantity: 50 }],
    }
    await expect(shopify.shipped(parcel, told, fetchHttp)).rejects.toThrow(
      'no open fulfillment order for 48 of line 101',
    )
  })

  it('is told no order id that leads elsewhere', async () => {
    const parcel = {
      externalId: '../shop',
      fulfillment: 'F4',
      carrier: 'Van',
      units: [{ lineId: '1', sku: 'X', quantity: 1 }],
    }
    await expect(shopify.shipped(parcel, told, fetchHttp)).rejects.toThrow('no id of this platform')
    expect(server.requests).toEqual([])
  })

  it('has its stock set where it differs, and the SKUs named that it does not know', async () => {
    const levels = [
      { sku: 'GONE', available: 1 },
      { sku: 'TEE-RED-M', available: 5 },
    ]
    await expect(shopify.stock(levels, told, fetchHttp)).rejects.toThrow('no variant with SKU GONE')
    await expect(shopify.stock(levels, told, fetchHttp)).rejects.toThrow('GONE')
    expect(available).toBe(5)
    expect(server.requests.filter(({ path }) => path === '/inventory_levels/set.json')).toHaveLength(1)
  })

  it('can’t be told without a token, and the error says what to put', async () => {
    const parcel = { externalId: '5001', fulfillment: 'F1', carrier: 'Van', units: [] }
    await expect(shopify.shipped(parcel, { ...told, secret: 'hush' }, fetchHttp)).rejects.toThrow(
      'has no accessToken: put it as JSON',
    )
  })
})

const shared = resolve('../shared/data/channels/shopify')
describe.skipIf(!existsSync(shared))(
  'Shopify’s samples that nobody here wrote (../shared/data/channels/shopify)',
  () => {
    const file = (name: string): unknown => JSON.parse(readFileSync(resolve(shared, name), 'utf8'))
    const USD = (amount: string) => ({ amount, currency: 'USD' })

    it('order.json becomes an order with its lines, tax and address', async () => {
      const [event] = await read('orders/create', file('order.json'))
      expect(event).toMatchObject({
        type: 'order',
        order: {
          externalId: '450789469',
          currency: 'USD',
          customer: { id: '207119551', name: 'Bob Norman', email: 'bob.norman@hostmail.com' },
          shipTo: {
            line1: 'Chestnut Street 92',
            city: 'Louisville',
            region: 'Kentucky',
            postalCode: '40202',
            country: 'US',
          },
          lines: ['GREEN', 'RED', 'BLACK'].map((colour) => ({
            sku: `IPOD2008${colour}`,
            quantity: 1,
            unitPrice: USD('199.00'),
          })),
          lineIds: ['466157049', '518995019', '703073504'],
          shipping: USD('0.00'),
          payment: { status: 'authorized', amount: USD('409.94') },
        },
      })
      // The sample’s own total is of two lines; so it is not claimed.
      expect(event).toHaveProperty('order.totals', { tax: USD('11.94') })
    })

    it('refund.json becomes a refund of two units that may be sold again', async () => {
      expect(await read('refunds/create', file('refund.json'))).toEqual([
        {
          type: 'refund',
          externalId: '450789469',
          refundId: '509562969',
          amount: '209.00',
          reason: 'it broke during shipping',
          units: [
            { lineId: '703073504', sku: 'IPOD2008BLACK', quantity: 1, restock: true },
            { lineId: '466157049', sku: 'IPOD2008GREEN', quantity: 1, restock: true },
          ],
        },
      ])
    })

    it('each of inventory_levels.json becomes a count', async () => {
      const { inventory_levels: levels } = file('inventory_levels.json') as {
        inventory_levels: { inventory_item_id: number; available: number }[]
      }
      for (const level of levels) {
        const path = `/admin/api/2024-10/inventory_items/${level.inventory_item_id}.json`
        const http = tableHttp({ [path]: { inventory_item: { sku: 'IPOD2008GREEN' } } })
        const events = await shopify.read(delivery('inventory_levels/update', level), connection, http)
        expect(events).toMatchObject([{ type: 'stock', sku: 'IPOD2008GREEN', available: level.available }])
      }
    })
  },
)
