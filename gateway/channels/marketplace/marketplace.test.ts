import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeReading, type Json } from '../channel.contract.js'
import type { ChannelEvent, Connection, OutwardHttp } from '../channel.js'
import { fetchHttp, type PlatformAnswer, type PlatformRequest, PlatformServer } from '../platform-server.contract.js'
import { marketplace } from './index.js'
import sample from './order.sample.json' with { type: 'json' }

const connection: Connection = {
  type: 'marketplace',
  id: 'seller',
  name: 'Seller account',
  secret: JSON.stringify({ clientId: 'app', clientSecret: 'app-secret', refreshToken: 'grant' }),
  settings: {
    apiUrl: 'http://seller.invalid',
    tokenUrl: 'http://seller.invalid/auth/o2/token',
    marketplaceIds: ['ATVPDKIKX0DER'],
    sellerId: 'A1SELLER',
    takeFrom: '2024-03-01T00:00:00Z',
  },
}

const USD = (amount: string) => ({ amount, currency: 'USD' })

/** An account of one order, whatever it looks like. */
const account = (order: unknown, items: unknown, address?: unknown): OutwardHttp => ({
  json: async ({ url }) => {
    const { pathname } = new URL(url)
    if (pathname.endsWith('/token')) return { access_token: 'access' }
    if (pathname.endsWith('/restrictedDataToken')) return { restrictedDataToken: 'restricted' }
    if (pathname.endsWith('/orderItems')) return { payload: { OrderItems: items } }
    if (pathname.endsWith('/address')) return { payload: { ShippingAddress: address } }
    return { payload: { Orders: [order], LastUpdatedBefore: '2024-03-01T10:00:00Z' } }
  },
})

async function read(
  { order, items }: { order: unknown; items: unknown },
  settings: object = {},
): Promise<ChannelEvent[]> {
  const by = { ...connection, settings: { ...connection.settings, ...settings } }
  const { told } = await marketplace.poll(by, account(order, items), undefined)
  return told.flatMap((one) => marketplace.read(one, by))
}

describeReading('the marketplace', () => ({
  sample: sample as Json,
  // The sample is an object of these two, changed in places.
  read: (changed) => read(changed as unknown as { order: unknown; items: unknown }),
  order: {
    externalId: '902-3159896-1390916',
    currency: 'USD',
    customer: { name: 'Ada Byron', email: 'abc123@marketplace.example.com', phone: '480-386-0930 ext. 73824' },
    shipTo: {
      name: 'Ada Byron',
      line1: '1 Main St',
      line2: 'Apt 2, Floor 3',
      city: 'Seattle',
      region: 'WA',
      postalCode: '98121-2778',
      country: 'US',
    },
    lines: [
      {
        sku: 'LAMP-1',
        quantity: 2,
        unitPrice: USD('20.00'),
        discount: USD('2.00'),
        taxes: [{ name: 'Tax', amount: USD('3.50') }],
        gift: { message: 'Many happy returns' },
      },
    ],
    lineIds: ['10828615607642'],
    shipping: USD('5.00'),
    totals: { total: USD('46.50') },
    shipBy: '2024-03-04T07:59:59Z',
    notes: 'Not to be sent before 2024-03-02T08:00:00Z\nShipping method: Std US D2D Dom',
  },
  total: '46.50',
  quantity: 'items.0.QuantityOrdered',
  amount: 'items.0.ItemPrice.Amount',
  required: [
    'order.AmazonOrderId',
    'order.OrderStatus',
    'items.0.OrderItemId',
    'items.0.ItemPrice',
    'order.LastUpdateDate',
  ],
  faultPath: (path) => path.replace(/^order\./, '').replace(/^items\./, 'OrderItems.'),
}))

describe('an order of the marketplace', () => {
  const withStatus = (OrderStatus: string, rest: object = {}) =>
    read({ ...sample, order: { ...sample.order, OrderStatus, ...rest } })

  it('is said as new and as it now is, since a poll can’t tell which', async () => {
    expect((await read(sample)).map(({ type }) => type)).toEqual(['order', 'update'])
  })

  it.each(['Pending', 'PendingAvailability', 'Shipped', 'Unfulfillable'])(
    'that is %s needs nothing',
    async (status) => {
      expect(await withStatus(status)).toMatchObject([{ type: 'ignored', reason: expect.stringContaining(status) }])
    },
  )

  it('that is cancelled is cancelled, and what the marketplace sends itself is not taken', async () => {
    expect(await withStatus('Canceled')).toMatchObject([{ type: 'cancel', externalId: '902-3159896-1390916' }])
    expect(await withStatus('Unshipped', { FulfillmentChannel: 'AFN' })).toMatchObject([{ type: 'ignored' }])
  })

  it('whose buyer asks for it has those units cancelled', async () => {
    const asked = { IsBuyerRequestedCancel: 'true', BuyerCancelReason: 'ordered twice' }
    const items = [{ ...sample.items[0], BuyerRequestedCancel: asked }]
    expect((await read({ ...sample, items }))[2]).toEqual({
      type: 'cancel',
      externalId: '902-3159896-1390916',
      reason: 'the buyer asks for it: ordered twice',
      units: [{ lineId: '10828615607642', sku: 'LAMP-1', quantity: 2 }],
    })
  })

  it('in a country where prices carry the tax has them net, and comes to what the buyer paid', async () => {
    const order = { ...sample.order, OrderTotal: { CurrencyCode: 'USD', Amount: '42.50' } }
    const [event] = await read({ ...sample, order }, { pricesIncludeTax: true })
    expect(event).toMatchObject({ order: { totals: { total: USD('42.50') }, shipping: USD('4.50') } })
  })

  it('whose address does not come with the list has it asked for', async () => {
    const { ShippingAddress: address, ...order } = sample.order
    const { told } = await marketplace.poll(connection, account(order, sample.items, address), undefined)
    expect(marketplace.read(told[0], connection)[0]).toMatchObject({ order: { shipTo: { city: 'Seattle' } } })
  })

  it('that can’t be read holds no other up', async () => {
    const { ShippingAddress: _none, ...order } = sample.order
    const { told, cursor } = await marketplace.poll(connection, account(order, sample.items), undefined)
    expect(told).toMatchObject([{ order, items: sample.items }])
    expect(() => marketplace.read(told[0], connection)).toThrow('ShippingAddress')
    expect(cursor).toBe('2024-03-01T10:00:00.000Z')
  })
})

const START = Date.parse('2024-03-01T00:00:00Z')
const at = (seconds: number): string => new Date(START + seconds * 1_000).toISOString()

/** The platform: orders that show from some second on, a clock that the test turns, packages, listings and feeds. */
class Seller {
  nowSeconds = 0
  readonly orders: { id: string; changed: number; shows: number }[] = []
  readonly packages = new Map<string, unknown>()
  readonly listings = new Map<string, number>()
  readonly documents: string[] = []
  readonly feeds: unknown[] = []

  add(id: string, changed: number, shows = changed): void {
    this.orders.push({ id, changed, shows })
  }

  answer({ method, path, query, headers, body }: PlatformRequest, url: string): PlatformAnswer | undefined {
    if (path === '/auth/o2/token') return { body: { access_token: 'access' } }
    if (path === '/upload') {
      this.documents.push(String(body))
      return {}
    }
    const token = headers['x-amz-access-token']
    const isRestricted = path === '/orders/v0/orders'
    if (token !== (isRestricted ? 'restricted' : 'access')) return { status: 403, body: {} }
    if (isRestricted) return this.page(query)
    // The shapes that the adapter under test sends.
    const sent = body as { packageDetail: { packageReferenceId: string }; patches: { value: { quantity: number }[] }[] }
    if (path.endsWith('/restrictedDataToken')) return { body: { restrictedDataToken: 'restricted' } }
    if (path.endsWith('/orderItems')) return { body: { payload: { OrderItems: sample.items } } }
    if (path.endsWith('/shipmentConfirmation')) {
      this.packages.set(`${path} ${sent.packageDetail.packageReferenceId}`, sent)
      return {}
    }
    if (method === 'PATCH') {
      this.listings.set(decodeURIComponent(path.split('/').at(-1) ?? ''), sent.patches[0]?.value[0]?.quantity ?? -1)
      return { body: { status: 'ACCEPTED' } }
    }
    if (path === '/feeds/2021-06-30/documents')
      return { status: 201, body: { feedDocumentId: 'doc-1', url: `${url}/upload` } }
    if (path === '/feeds/2021-06-30/feeds') {
      this.feeds.push(body)
      return { status: 202, body: { feedId: '1' } }
    }
    return undefined
  }

  private page(query: URLSearchParams): PlatformAnswer {
    const before = query.get('LastUpdatedBefore') ?? at(this.nowSeconds)
    const found = this.orders.filter(
      ({ changed, shows }) =>
        shows <= this.nowSeconds && at(changed) >= (query.get('LastUpdatedAfter') ?? '') && at(changed) <= before,
    )
    const from = Number(query.get('NextToken') ?? 0)
    const to = from + Number(query.get('MaxResultsPerPage'))
    const Orders = found
      .slice(from, to)
      .map(({ id, changed }) => ({ ...sample.order, AmazonOrderId: id, LastUpdateDate: at(changed) }))
    return {
      body: { payload: { Orders, LastUpdatedBefore: before, ...(to < found.length ? { NextToken: String(to) } : {}) } },
    }
  }
}

describe('a marketplace that is polled and told', () => {
  let seller: Seller
  let server: PlatformServer
  let told: Connection

  beforeEach(async () => {
    seller = new Seller()
    server = await new PlatformServer((request) => seller.answer(request, server.url)).start()
    const settings = {
      ...connection.settings,
      apiUrl: server.url,
      tokenUrl: `${server.url}/auth/o2/token`,
      overlapSeconds: 60,
    }
    told = { ...connection, settings }
  })
  afterEach(() => server.stop())

  /** The same platform without a socket between, where it is asked thousands of times. */
  const direct: OutwardHttp = {
    json: async ({ method, url, headers = {}, body }) => {
      const { pathname: path, searchParams: query } = new URL(url)
      return seller.answer({ method, path, query, headers, body }, server.url)?.body
    },
  }

  async function polled(cursor: string | undefined, http = fetchHttp): Promise<{ ids: string[]; cursor: string }> {
    const found = await marketplace.poll(told, http, cursor)
    const events = found.told.flatMap((one) => marketplace.read(one, told))
    return {
      ids: events.flatMap((event) => (event.type === 'order' ? [event.order.externalId] : [])),
      cursor: found.cursor,
    }
  }

  it('tells a change that shows later than it was made', async () => {
    seller.add('A-1', 10)
    seller.add('B-1', 90, 130)
    seller.nowSeconds = 100
    const first = await polled(undefined)
    expect(first).toEqual({ ids: ['A-1'], cursor: at(100) })
    seller.nowSeconds = 140
    expect(await polled(first.cursor)).toEqual({ ids: ['B-1'], cursor: at(140) })
  })

  it('read twice from one cursor says the same', async () => {
    seller.add('A-1', 10)
    seller.nowSeconds = 100
    expect(await polled(undefined)).toEqual(await polled(undefined))
  })

  it('with more orders than one poll takes tells each, part by part, and those that show meanwhile', async () => {
    for (let order = 0; order < 550; order++) seller.add(`A-${order}`, 1_270 + (order % 30))
    seller.add('LATE-1', 1_250, 1_301)
    seller.nowSeconds = 1_300
    const seen = new Set<string>()
    let cursor: string | undefined
    for (let last = ''; cursor !== last; ) {
      last = cursor ?? ''
      const found = await polled(cursor, direct)
      expect(found.ids.length).toBeLessThanOrEqual(500)
      for (const id of found.ids) seen.add(id)
      cursor = found.cursor
      // It shows once the part that it belongs in has been read, and long before the last part is.
      if (Date.parse(cursor.split('/')[0] ?? '') > Date.parse(at(1_255))) seller.nowSeconds = 1_400
    }
    expect(seen.size).toBe(551)
    expect(cursor).toBe(at(1_400))
  })

  it('that is away says so, and is asked from the same cursor again', async () => {
    const away = { ...told, settings: { ...told.settings, apiUrl: `${server.url}/away` } }
    await expect(marketplace.poll(away, fetchHttp, undefined)).rejects.toThrow('answered 403')
    await expect(marketplace.poll(told, fetchHttp, 'yesterday')).rejects.toThrow('no cursor of a poll')
  })

  it('has one package of a parcel, however often it is told', async () => {
    const parcel = {
      externalId: '902-3159896-1390916',
      fulfillment: 'F1',
      carrier: 'UPS',
      trackingNumber: '1Z',
      units: [{ lineId: '10828615607642', sku: 'LAMP-1', quantity: 2 }],
    }
    const byCode = { ...told, settings: { ...told.settings, carriers: { UPS: 'UPS' } } }
    await marketplace.shipped(parcel, byCode, fetchHttp)
    await marketplace.shipped(parcel, byCode, fetchHttp)
    expect([...seller.packages.values()]).toMatchObject([
      {
        marketplaceId: 'ATVPDKIKX0DER',
        packageDetail: {
          packageReferenceId: expect.stringMatching(/^[1-9]\d*$/),
          carrierCode: 'UPS',
          trackingNumber: '1Z',
          orderItems: [{ orderItemId: '10828615607642', quantity: 2 }],
        },
      },
    ])
    await marketplace.shipped({ ...parcel, fulfillment: 'F2' }, told, fetchHttp)
    expect(seller.packages.size).toBe(2)
  })

  it('has the quantity of its listings set, by any SKU that leads nowhere else', async () => {
    await marketplace.stock([{ sku: 'LAMP/1 ?', available: 5 }], told, fetchHttp)
    expect([...seller.listings]).toEqual([['LAMP/1 ?', 5]])
    await expect(marketplace.stock([{ sku: '..', available: 5 }], told, fetchHttp)).rejects.toThrow('no SKU')
  })

  it('gets orders acknowledged by a document and the feed that names it', async () => {
    await marketplace.acknowledge([{ externalId: '902-1', order: 'a<b>&"c"' }], told, fetchHttp)
    await marketplace.acknowledge([], told, fetchHttp)
    expect(seller.documents).toEqual([expect.stringContaining('<AmazonOrderID>902-1</AmazonOrderID>')])
    expect(seller.documents[0]).toContain('<MerchantOrderID>a&lt;b&gt;&amp;&quot;c&quot;</MerchantOrderID>')
    expect(seller.feeds).toMatchObject([{ feedType: 'POST_ORDER_ACKNOWLEDGEMENT_DATA', inputFeedDocumentId: 'doc-1' }])
  })
})
