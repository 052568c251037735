import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { changed, describeReading, describeSigning, type Json } from '../channel.contract.js'
import type { ChannelEvent, Connection, Delivery } from '../channel.js'
import { fetchHttp, noHttp, type PlatformRequest, PlatformServer, tableHttp } from '../platform-server.contract.js'
import { bigcommerce } from './index.js'
import sample from './order.sample.json' with { type: 'json' }

const connection: Connection = {
  type: 'bigcommerce',
  id: 'big',
  name: 'Big store',
  secret: JSON.stringify({ webhookSecret: 'hush', clientSecret: 'client', accessToken: 'token-1' }),
  settings: { apiUrl: 'http://store.invalid/stores/abc' },
}

const delivery = (hook: unknown, headers: Record<string, string> = { 'x-doorbuster-secret': 'hush' }): Delivery => ({
  headers,
  body: Buffer.from(JSON.stringify(hook)),
})

interface Store {
  hook: unknown
  order: unknown
  products: unknown
  addresses: unknown
}

const read = ({ hook, order, products, addresses }: Store, settings: object = {}): Promise<ChannelEvent[]> => {
  const answers = Object.fromEntries(
    ['218', '250'].flatMap((id) => [
      [`/stores/abc/v2/orders/${id}`, order],
      [`/stores/abc/v2/orders/${id}/products`, products],
      [`/stores/abc/v2/orders/${id}/shipping_addresses`, addresses],
    ]),
  )
  return bigcommerce.read(
    delivery(hook),
    { ...connection, settings: { ...connection.settings, ...settings } },
    tableHttp(answers),
  )
}

const scope = (name: string, data: object = {}) => ({
  ...sample.hook,
  scope: name,
  data: { ...sample.hook.data, ...data },
})
const USD = (amount: string) => ({ amount, currency: 'USD' })

describeReading('BigCommerce', () => ({
  sample: { order: sample.order, products: sample.products, addresses: sample.addresses } as Json,
  read: (changed) => read({ hook: sample.hook, ...(changed as unknown as Omit<Store, 'hook'>) }),
  order: {
    externalId: '250',
    currency: 'USD',
    customer: { id: '11', name: 'Ada Byron', email: 'ada@example.com', phone: '1234567890' },
    shipTo: {
      name: 'Ada Byron, Acme',
      line1: '666 Sussex St',
      city: 'San Antonio',
      region: 'Texas',
      postalCode: '78251',
      country: 'US',
    },
    lines: [
      {
        sku: 'TOWEL-M',
        quantity: 2,
        unitPrice: USD('10.00'),
        discount: USD('2.00'),
        taxes: [{ name: 'Tax', amount: USD('1.65') }],
        note: 'Size: M',
        gift: { message: 'For you' },
      },
      {
        sku: 'product:86',
        quantity: 1,
        unitPrice: USD('15.00'),
        discount: USD('1.00'),
        taxes: [{ name: 'Tax', amount: USD('0.85') }],
      },
    ],
    lineIds: ['65', '66'],
    shipping: USD('6.00'),
    totals: { total: USD('40.50') },
    payment: { status: 'captured', amount: USD('40.50'), reference: 'ch_1' },
    notes: 'Ring twice\nNot shipped: 1 × Pattern (PDF)\nShipping method: Ground',
  },
  total: '40.50',
  quantity: 'products.0.quantity',
  amount: 'products.0.total_ex_tax',
  required: [
    'order.id',
    'order.status_id',
    'order.currency_code',
    'products.0.id',
    'products.0.quantity',
    'products.0.total_ex_tax',
  ],
}))

const ignored = {
  'a scope that nobody asked for': delivery({ scope: 'store/cart/created', data: { id: 'abc-1' } }),
  'stock that an order took': delivery(scope('store/sku/inventory/order/updated')),
  'stock of no variant': delivery(scope('store/product/inventory/updated')),
}

describeSigning('BigCommerce with the secret in a header', () => ({
  channel: bigcommerce,
  connection: { ...connection, secret: 'hush' },
  delivery: delivery(sample.hook),
  header: 'x-doorbuster-secret',
  coversBody: false,
  id: sample.hook.hash,
  ignored,
}))

function signedDelivery(): Delivery {
  const now = new Date()
  const body = JSON.stringify(sample.hook)
  return {
    headers: {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      'webhook-signature': new Webhook(Buffer.from('client'), { format: 'raw' }).sign('msg_1', now, body),
    },
    body: Buffer.from(body),
  }
}

describeSigning('BigCommerce as a standard webhook', () => ({
  channel: bigcommerce,
  connection,
  delivery: signedDelivery(),
  header: 'webhook-signature',
  coversBody: true,
  id: sample.hook.hash,
  ignored,
}))

describe('BigCommerce’s events', () => {
  it('are signed with a secret of any form, and an old signature is worth nothing', () => {
    const { headers, body } = signedDelivery()
    const old = new Date(Date.now() - 3_600_000)
    const signature = new Webhook(Buffer.from('client'), { format: 'raw' }).sign('msg_1', old, Buffer.from(body))
    const stale = {
      ...headers,
      'webhook-timestamp': String(Math.floor(old.getTime() / 1_000)),
      'webhook-signature': signature,
    }
    expect(bigcommerce.isSigned({ headers: stale, body }, connection)).toBe(false)
    expect(
      bigcommerce.isSigned({ headers, body }, { ...connection, secret: JSON.stringify({ clientSecret: 'client' }) }),
    ).toBe(true)
  })

  it('say how an order now is when its status changes', async () => {
    const [event] = await read({ ...sample, hook: scope('store/order/statusUpdated') })
    expect(event).toMatchObject({ type: 'update', at: '2024-03-01T09:05:00.000Z', order: { externalId: '250' } })
  })

  it.each([
    [5, 'cancelled in the shop'],
    [6, 'declined in the shop'],
  ])('of the status %i cancel an order that was taken, and are nothing new', async (status_id, reason) => {
    const store = { ...sample, order: { ...sample.order, status_id } }
    expect(await read({ ...store, hook: scope('store/order/updated') })).toEqual([
      { type: 'cancel', externalId: '250', reason },
    ])
    expect(await read(store)).toMatchObject([{ type: 'ignored' }])
  })

  it('say nothing of an order that its customer has not finished', async () => {
    expect(await read({ ...sample, order: { ...sample.order, status_id: 0 } })).toMatchObject([{ type: 'ignored' }])
  })

  it('make an order for each address that something goes to', async () => {
    const addresses = [
      ...sample.addresses,
      { ...sample.addresses[0], id: 52, city: 'Austin', cost_inc_tax: '0.0000', handling_cost_inc_tax: '2.0000' },
    ]
    const products = changed(sample.products as Json, '1.order_address_id', 52)
    const events = await read({ ...sample, products, addresses })
    expect(events).toMatchObject([
      { order: { externalId: '250', lineIds: ['65'], shipTo: { city: 'San Antonio' }, shipping: USD('4.50') } },
      { order: { externalId: '250:52', lineIds: ['66'], shipTo: { city: 'Austin' }, shipping: USD('1.50') } },
    ])
    await expect(
      read({ ...sample, products: changed(products, '0.order_address_id', 9), addresses }),
    ).rejects.toMatchObject({
      errors: [{ path: 'products.0.order_address_id' }],
    })
  })

  it('show prices that the store enters with tax net, and come to what the customer paid', async () => {
    const [event] = await read(sample, { pricesIncludeTax: true })
    // 21.65 − 2.00, of which 1.65 tax; and 15.85 − 1.00 with 0.85; 6.00 of shipping.
    expect(event).toMatchObject({
      order: { totals: { total: USD('40.50') }, lines: [{ quantity: 2 }, { quantity: 1 }] },
    })
  })

  it('tell a refund by its own id, with what was given back', async () => {
    const http = tableHttp({
      '/stores/abc/v3/orders/250/payment_actions/refunds': {
        data: [
          { id: 3, total_amount: 1, items: [] },
          {
            id: 4,
            total_amount: 10.5,
            reason: 'torn',
            items: [
              { item_type: 'PRODUCT', item_id: 65, quantity: 1 },
              { item_type: 'SHIPPING', item_id: 51 },
            ],
          },
        ],
      },
    })
    const hook = scope('store/order/refund/created', { refund: { refund_id: 4 } })
    expect(await bigcommerce.read(delivery(hook), connection, http)).toEqual([
      {
        type: 'refund',
        externalId: '250',
        refundId: '4',
        amount: '10.50',
        reason: 'torn',
        units: [{ lineId: '65', quantity: 1, restock: false }],
      },
    ])
  })

  it('name the SKU of stock that somebody set by asking the store', async () => {
    const http = tableHttp({
      '/stores/abc/v3/catalog/products/206/variants/509': { data: { sku: 'TOWEL-M', inventory_level: 9 } },
    })
    const inventory = { product_id: 206, variant_id: 509, method: 'absolute', value: 5 }
    const stock = { type: 'stock', sku: 'TOWEL-M', location: '1', at: '2024-03-01T09:00:00.000Z' }
    const hook = (method: string) =>
      delivery(scope('store/sku/inventory/updated', { inventory: { ...inventory, method } }))
    expect(await bigcommerce.read(hook('absolute'), connection, http)).toEqual([{ ...stock, available: 5 }])
    expect(await bigcommerce.read(hook('relative'), connection, http)).toEqual([{ ...stock, available: 9 }])
  })

  it('can’t be read without a token, and the error says what to put', async () => {
    await expect(bigcommerce.read(delivery(sample.hook), { ...connection, secret: 'hush' }, noHttp)).rejects.toThrow(
      'no accessToken',
    )
  })
})

describe('a BigCommerce store that is told', () => {
  const store = {
    shipments: [] as { order_address_id: number; comments: string; items: unknown[] }[],
    stock: new Map<string, number>(),
  }
  let server: PlatformServer
  let told: Connection

  function answer({ method, path, headers, body, query }: PlatformRequest) {
    if (headers['x-auth-token'] !== 'token-1') return { status: 401, body: {} }
    // The shapes that the adapter under test sends.
    const sent = body as (typeof store.shipments)[number] & { items: { sku: string; quantity: number }[] }
    const page = <Row>(rows: Row[]) => {
      const from = (Number(query.get('page')) - 1) * Number(query.get('limit'))
      const found = rows.slice(from, from + Number(query.get('limit')))
      return found.length === 0 ? {} : { body: found }
    }
    switch (`${method} ${path}`) {
      case 'GET /v2/orders/250/products':
        return page([
          ...sample.products,
          ...Array.from({ length: 300 }, (_, at) => ({ id: 1_000 + at, sku: `P${at}`, order_address_id: 52 })),
        ])
      case 'GET /v2/orders/250/shipments':
        return page(store.shipments)
      case 'POST /v2/orders/250/shipments':
        store.shipments.push(sent)
        return { status: 201, body: {} }
      case 'PUT /v3/inventory/adjustments/absolute':
        for (const { sku, quantity } of sent.items) store.stock.set(sku, quantity)
        return { body: {} }
      default:
        return undefined
    }
  }

  beforeEach(async () => {
    server = await new PlatformServer(answer).start()
    told = { ...connection, settings: { apiUrl: server.url } }
  })
  afterEach(() => server.stop())

  it('has one shipment of a parcel for each address, however often it is told', async () => {
    const parcel = {
      externalId: '250',
      fulfillment: 'F1',
      carrier: 'UPS',
      trackingNumber: '1Z',
      units: [
        { lineId: '65', sku: 'TOWEL-M', quantity: 2 },
        { sku: 'P299', quantity: 1 },
      ],
    }
    await bigcommerce.shipped(parcel, told, fetchHttp)
    await bigcommerce.shipped(parcel, told, fetchHttp)
    expect(store.shipments).toMatchObject([
      {
        order_address_id: 51,
        items: [{ order_product_id: 65, quantity: 2 }],
        tracking_number: '1Z',
        shipping_method: 'UPS',
      },
      { order_address_id: 52, items: [{ order_product_id: 1_299, quantity: 1 }] },
    ])
    await bigcommerce.shipped(
      { ...parcel, externalId: '250:52', fulfillment: 'F2', units: parcel.units.slice(1) },
      told,
      fetchHttp,
    )
    expect(store.shipments).toHaveLength(3)
  })

  it('has its stock set, ten SKUs a call', async () => {
    const levels = Array.from({ length: 23 }, (_, at) => ({ sku: `P${at}`, available: at }))
    await bigcommerce.stock(levels, told, fetchHttp)
    expect(server.requests).toHaveLength(3)
    expect([...store.stock]).toEqual(levels.map(({ sku, available }) => [sku, available]))
  })
})

const shared = resolve('../shared/data/channels/bigcommerce')
describe.skipIf(!existsSync(shared))(
  'BigCommerce’s samples that nobody here wrote (../shared/data/channels/bigcommerce)',
  () => {
    const file = (name: string): Json => JSON.parse(readFileSync(resolve(shared, `${name}.json`), 'utf8'))

    it('order, order_products and order_shipping_addresses become an order with lines, money and address', async () => {
      // The samples are of three orders; the address is the first, and with one there is no doubt which.
      const [address] = file('order_shipping_addresses') as Json[]
      const store = { order: file('order'), products: file('order_products'), addresses: [address] }
      for (const hook of ['store_order_created', 'store_order_statusUpdated']) {
        const [event] = await read({ ...store, hook: file(hook) })
        expect(event).toMatchObject({
          type: hook === 'store_order_created' ? 'order' : 'update',
          order: {
            externalId: '218',
            currency: 'USD',
            customer: { id: '11', name: 'Jane Doe', email: 'janedoe@example.com', phone: '1234567890' },
            shipTo: {
              name: 'Trishy Test, Acme Pty Ltd',
              line1: '666 Sussex St',
              city: 'San Antonio',
              postalCode: '78251',
              country: 'US',
            },
            lines: [
              {
                sku: 'S-ORAN',
                quantity: 1,
                unitPrice: USD('55.99'),
                discount: USD('1.59'),
                taxes: [{ amount: USD('9.24') }],
              },
              { sku: 'ABS', quantity: 1, unitPrice: USD('0.00') },
            ],
            lineIds: ['65', '66'],
            shipping: USD('12.00'),
            totals: {},
            payment: { status: 'authorized', amount: USD('69.84') },
          },
        })
      }
    })

    it('store_sku_inventory_order_updated is ignored: the order says it', async () => {
      const events = await bigcommerce.read(delivery(file('store_sku_inventory_order_updated')), connection, noHttp)
      expect(events).toMatchObject([{ type: 'ignored' }])
    })
  },
)
