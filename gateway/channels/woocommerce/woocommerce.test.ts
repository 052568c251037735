import { createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeReading, describeSigning, type Json } from '../channel.contract.js'
import type { ChannelEvent, Connection, Delivery, OutwardHttp } from '../channel.js'
import { fetchHttp, noHttp, type PlatformRequest, PlatformServer, tableHttp } from '../platform-server.contract.js'
import { woocommerce } from './index.js'
import sample from './order.sample.json' with { type: 'json' }

const connection: Connection = {
  type: 'woocommerce',
  id: 'woo',
  name: 'Woo shop',
  secret: 'hush',
  settings: { locations: { Counter: 'W1' } },
}
const withKey: Connection = {
  ...connection,
  secret: JSON.stringify({ webhookSecret: 'hush', consumerKey: 'ck_1', consumerSecret: 'cs_1' }),
  settings: { apiUrl: 'http://shop.invalid/wp-json/wc/v3' },
}

function delivery(topic: string, payload: unknown, headers: Record<string, string> = {}): Delivery {
  const body = Buffer.from(JSON.stringify(payload))
  const signature = createHmac('sha256', 'hush').update(body).digest('base64')
  return { headers: { 'x-wc-webhook-topic': topic, 'x-wc-webhook-signature': signature, ...headers }, body }
}

const read = (topic: string, payload: unknown, by = connection, http: OutwardHttp = noHttp): Promise<ChannelEvent[]> =>
  woocommerce.read(delivery(topic, payload), by, http)

const EUR = (amount: string) => ({ amount, currency: 'EUR' })

describeReading('WooCommerce', () => ({
  sample: sample as Json,
  read: (changed) => read('order.created', changed),
  order: {
    externalId: '801',
    currency: 'EUR',
    customer: { id: '7', name: 'Ada Byron', email: 'ada@example.com', phone: '+49 30 1234567' },
    shipTo: {
      name: 'Ada Byron',
      line1: 'Unter den Linden 6',
      city: 'Berlin',
      region: 'DE-BE',
      postalCode: '10117',
      country: 'DE',
    },
    lines: [
      {
        // 10.00 for three, of which 2.00 by the coupon and 0.68 of 2.38 by the fee below zero; 0.0002 do not divide.
        sku: 'TEE-RED-M',
        quantity: 3,
        unitPrice: EUR('3.3334'),
        discount: EUR('2.6802'),
        taxes: [{ name: 'MwSt.', rate: 0.19, amount: EUR('1.52') }],
        note: 'Size: M',
      },
      {
        sku: 'product:22',
        quantity: 1,
        unitPrice: EUR('20.00'),
        discount: EUR('1.70'),
        taxes: [{ name: 'MwSt.', rate: 0.19, amount: EUR('3.80') }],
      },
    ],
    lineIds: ['11', '12'],
    shipping: EUR('7.14'),
    totals: { total: EUR('38.08') },
    payment: { status: 'captured', amount: EUR('38.08'), reference: 'pi_1' },
    notes: 'Ring twice\nFee: Gift wrap 1.19\nFee: Loyalty -2.38\nCoupons: spring\nShipping method: DHL',
  },
  total: '38.08',
  quantity: 'line_items.0.quantity',
  amount: 'line_items.0.total',
  required: ['id', 'status', 'currency', 'line_items.0.id', 'line_items.0.quantity', 'line_items.0.total'],
}))

describeSigning('WooCommerce', () => ({
  channel: woocommerce,
  connection,
  delivery: delivery('order.created', sample, { 'x-wc-webhook-delivery-id': '36e520ebabc2fa725092ff4a47acedf2' }),
  header: 'x-wc-webhook-signature',
  coversBody: true,
  id: '36e520ebabc2fa725092ff4a47acedf2',
  ignored: {
    'the ping of a new webhook': { headers: {}, body: Buffer.from('webhook_id=14') },
    'a topic that nobody asked for': delivery('coupon.updated', sample),
    'a topic that is missing': { headers: {}, body: Buffer.from('{}') },
    'a draft of the checkout': delivery('order.updated', { ...sample, status: 'checkout-draft' }),
    'an automatic draft, of which there is nothing but its id': delivery('order.created', {
      id: 5,
      status: 'auto-draft',
    }),
    'an order cancelled before it was told': delivery('order.created', { ...sample, status: 'cancelled' }),
    'an order without lines': delivery('order.created', { ...sample, line_items: [] }),
  },
}))

describe('WooCommerce’s events', () => {
  it('take a ping unsigned, since it comes so, and nothing else', () => {
    expect(woocommerce.isSigned({ headers: {}, body: Buffer.from('webhook_id=14') }, connection)).toBe(true)
    expect(woocommerce.isSigned({ headers: {}, body: Buffer.from('webhook_id=14&id=1') }, connection)).toBe(false)
    const forged = { 'x-wc-webhook-signature': 'AAAA' }
    expect(woocommerce.isSigned({ headers: forged, body: Buffer.from('webhook_id=14') }, connection)).toBe(false)
  })

  it.each([
    ['order.deleted', { id: 801 }],
    ['order.updated', { ...sample, status: 'cancelled' }],
    ['order.updated', { ...sample, status: 'trash' }],
  ])('cancel an order: %s', async (topic, payload) => {
    expect(await read(topic, payload)).toMatchObject([{ type: 'cancel', externalId: '801' }])
  })

  it.each([
    ['pending', 'pending', null],
    ['on-hold', 'pending', null],
    ['failed', 'pending', null],
    ['completed', 'captured', '2024-03-01T09:01:00'],
  ])('of the status %s have a payment that is %s', async (status, payment, date_paid_gmt) => {
    const [event] = await read('order.updated', { ...sample, status, date_paid_gmt })
    expect(event).toMatchObject({
      type: 'update',
      at: '2024-03-01T09:05:00.000Z',
      order: { payment: { status: payment } },
    })
  })

  it('that are begun on without being paid leave the payment to the shop (cash on delivery)', async () => {
    const [event] = await read('order.created', { ...sample, date_paid_gmt: null })
    expect(event).not.toHaveProperty('order.payment')
  })

  it('have it collected where the shop’s method says', async () => {
    const shipping_lines = [{ method_id: 'pickup_location', method_title: 'Counter', total: '0.00', total_tax: '0.00' }]
    expect((await read('order.created', { ...sample, shipping_lines }))[0]).toMatchObject({
      order: { delivery: { method: 'pickup', location: 'W1' }, shipping: EUR('1.19') },
    })
  })

  it('tell refunds in part, and ask the shop for their units', async () => {
    const refunded = { ...sample, refunds: [{ id: 900, reason: 'torn', total: '-3.17' }] }
    const money = { type: 'refund', externalId: '801', refundId: '900', amount: '3.17', reason: 'torn' }
    expect((await read('order.updated', refunded))[1]).toEqual({ ...money, units: [] })
    const http = tableHttp({
      '/wp-json/wc/v3/orders/801/refunds/900': {
        line_items: [
          {
            sku: 'TEE-RED-M',
            quantity: -1,
            meta_data: [
              { key: '_refunded_item_id', value: '11' },
              { key: '_restock_refunded_items', value: '1' },
            ],
          },
          { sku: 'MUG', quantity: 0, meta_data: [] },
        ],
      },
    })
    expect((await read('order.updated', refunded, withKey, http))[1]).toEqual({
      ...money,
      units: [{ lineId: '11', sku: 'TEE-RED-M', quantity: 1, restock: true }],
    })
  })
})

describe('a WooCommerce shop that is told', () => {
  const shop = {
    notes: [] as { note: string; customer_note: boolean }[],
    status: 'processing',
    stock: new Map([
      ['93/94', 2],
      ['22', 8],
    ]),
  }
  let server: PlatformServer
  let told: Connection

  function answer({ method, path, query, headers, body }: PlatformRequest) {
    if (headers.authorization !== `Basic ${Buffer.from('ck_1:cs_1').toString('base64')}`)
      return { status: 401, body: {} }
    // The shapes that the adapter under test sends.
    const sent = body as { note: string; customer_note: boolean; status: string; stock_quantity: number }
    switch (`${method} ${path}`) {
      case 'GET /orders/801/notes':
        return { body: shop.notes }
      case 'POST /orders/801/notes':
        shop.notes.push(sent)
        return { status: 201, body: {} }
      case 'GET /orders/801':
        return { body: { status: shop.status } }
      case 'PUT /orders/801':
        shop.status = sent.status
        return { body: {} }
      case 'GET /products': {
        const product = (id: number, parent_id: number, sku: string, stock: number | undefined) => ({
          id,
          parent_id,
          sku,
          manage_stock: true,
          stock_quantity: stock,
        })
        const all = [product(94, 93, 'TEE-RED-M', shop.stock.get('93/94')), product(22, 0, 'MUG', shop.stock.get('22'))]
        return { body: all.filter(({ sku }) => query.get('sku')?.split(',').includes(sku)) }
      }
      case 'PUT /products/93/variations/94':
        shop.stock.set('93/94', sent.stock_quantity)
        return { body: {} }
      case 'PUT /products/22':
        shop.stock.set('22', sent.stock_quantity)
        return { body: {} }
      default:
        return undefined
    }
  }

  beforeEach(async () => {
    server = await new PlatformServer(answer).start()
    told = { ...withKey, settings: { apiUrl: `${server.url}/` } }
  })
  afterEach(() => server.stop())

  it('has one note of a parcel, however often it is told', async () => {
    const parcel = {
      externalId: '801',
      fulfillment: 'F1',
      carrier: 'DHL',
      trackingNumber: '00340',
      units: [{ lineId: '11', sku: 'TEE-RED-M', quantity: 3 }],
    }
    await woocommerce.shipped(parcel, told, fetchHttp)
    await woocommerce.shipped(parcel, told, fetchHttp)
    await woocommerce.shipped({ ...parcel, fulfillment: 'F11' }, told, fetchHttp)
    expect(shop.notes.map(({ note }) => note)).toEqual([
      'Shipped by DHL, tracking number 00340: 3 × TEE-RED-M. [F1]',
      'Shipped by DHL, tracking number 00340: 3 × TEE-RED-M. [F11]',
    ])
  })

  it('has its order completed once it is shipped, and never opened again', async () => {
    await woocommerce.statusChanged!({ externalId: '801', status: 'allocated' }, told, fetchHttp)
    expect(shop.status).toBe('processing')
    await woocommerce.statusChanged!({ externalId: '801', status: 'shipped' }, told, fetchHttp)
    await woocommerce.statusChanged!({ externalId: '801', status: 'delivered' }, told, fetchHttp)
    expect(shop.status).toBe('completed')
    shop.status = 'refunded'
    await woocommerce.statusChanged!({ externalId: '801', status: 'shipped' }, told, fetchHttp)
    expect(shop.status).toBe('refunded')
  })

  it('has the stock of products and variations set where it differs, and the SKUs named that it does not know', async () => {
    const levels = ['TEE-RED-M', 'MUG', 'TEE-RED-M,MUG'].map((sku) => ({ sku, available: 8 }))
    await expect(woocommerce.stock(levels, told, fetchHttp)).rejects.toThrow('no product with SKU TEE-RED-M,MUG')
    expect([...shop.stock.values()]).toEqual([8, 8])
    expect(server.requests.filter(({ method }) => method === 'PUT').map(({ path }) => path)).toEqual([
      '/products/93/variations/94',
    ])
  })
})

const shared = resolve('../shared/data/channels/woocommerce/order.json')
describe.skipIf(!existsSync(shared))(
  'WooCommerce’s sample that nobody here wrote (../shared/data/channels/woocommerce)',
  () => {
    it('order.json becomes an order with its lines, money and address', async () => {
      const USD = (amount: string) => ({ amount, currency: 'USD' })
      const tax = (amount: string) => [{ name: 'State Tax', amount: USD(amount) }]
      expect(await read('order.created', JSON.parse(readFileSync(shared, 'utf8')))).toEqual([
        {
          type: 'order',
          order: {
            externalId: '727',
            currency: 'USD',
            customer: { name: 'John Doe', email: 'john.doe@example.com', phone: '(555) 555-5555' },
            shipTo: {
              name: 'John Doe',
              line1: '969 Market',
              city: 'San Francisco',
              region: 'CA',
              postalCode: '94103',
              country: 'US',
            },
            lines: [
              { sku: 'product:93', quantity: 2, unitPrice: USD('3.00'), taxes: tax('0.45') },
              {
                sku: 'Bar3',
                quantity: 1,
                unitPrice: USD('12.00'),
                taxes: tax('0.90'),
                note: 'pa_color: black; size: M Test',
              },
            ],
            lineIds: ['315', '316'],
            shipping: USD('10.00'),
            totals: { total: USD('29.35') },
            payment: { status: 'captured', amount: USD('29.35'), reference: '' },
            notes: 'Shipping method: Flat Rate',
          },
        },
      ])
    })
  },
)
