/**
 * `doorbuster story`: the life of one order over all neighbours, step by step, against a running server: it comes from a
 * Shopify shop, is split over a store and a warehouse, a line is not found and is sourced elsewhere, it is shipped, the
 * customer hears of it, one line comes back to another store, and the books balance.
 */
import { createHmac, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { DoorbusterError } from '../../engine/errors.js'
import { expected, say, Unexpected } from './example-steps.js'
import { withPlainErrors } from './plain-error.js'

export interface StoryOptions {
  /** A running server. */
  readonly url: string
}

const CURRENCY = 'GBP'
const WAIT_MS = 20_000
const LOOK_AGAIN_MS = 50

/** Resolves with the exit code: 0 where everything went as it should. */
export const story = ({ url }: StoryOptions): Promise<number> =>
  withPlainErrors(async () => {
    try {
      await new Story(url).tell()
    } catch (error) {
      // fetch says no more than this of a server that is not there.
      if (error instanceof TypeError && error.message.startsWith('fetch failed')) {
        throw new DoorbusterError('unreachable', `no server answers at ${url}; start one, or name it with --url`)
      }
      if (!(error instanceof Unexpected)) throw error
      say(`  ✗ ${error.message}`)
      return 1
    }
    say('\nAll went as it should.')
    return 0
  })

interface FulfillmentDocument {
  id: string
  location: string
  status: string
  lines: { sku: string; quantity: number }[]
}
interface OrderDocument {
  id: string
  status: string
  shipTo: { city: string }
  totals: { total: { amount: string } }
  fulfillments: FulfillmentDocument[]
}

interface ReturnDocument {
  id: string
  status: string
  refunds: { amount: Money }[]
}
interface Money {
  amount: string
}
/** Of the ERP's journal. */
interface EntryDocument {
  id: string
  lines: { account: string; debit?: Money; credit?: Money }[]
  units: { account: string; in?: number; out?: number }[]
}

class Story {
  private readonly run = randomUUID().slice(0, 8)
  private readonly secret = randomUUID()
  private readonly connection = `shop-${this.run}`
  private readonly places = { store: `STORE-${this.run}`, warehouse: `WH-${this.run}`, other: `OTHER-${this.run}` }
  private readonly skus = { coat: `COAT-${this.run}`, scarf: `SCARF-${this.run}`, boots: `BOOTS-${this.run}` }

  constructor(private readonly url: string) {}

  async tell(): Promise<void> {
    const { store, warehouse, other } = this.places
    const { coat, scarf, boots } = this.skus
    say('Two stores, a warehouse and a Shopify shop.')
    await this.open()

    say('\nAn order of three lines comes from Shopify.')
    const order = await this.placed()
    expected(order.shipTo.city === 'Leeds', 'it goes where the shop said', order.shipTo)
    expected(order.totals.total.amount === '175.00', 'it costs what the customer paid', order.totals)
    const parts = order.fulfillments.map(({ location }) => location).sort()
    expected(
      JSON.stringify(parts) === JSON.stringify([store, warehouse].sort()),
      'it is split over the store and the warehouse',
      parts,
    )

    say('\nThe store does not find the scarf.')
    const atStore = order.fulfillments.find(({ location }) => location === store)!
    await this.step(atStore.id, 'accept')
    await this.step(atStore.id, 'pick', {
      lines: [
        { sku: coat, quantity: 1 },
        { sku: scarf, quantity: 0 },
      ],
    })
    const again = await this.until(order.id, ({ fulfillments }) => fulfillments.length === 3)
    const elsewhere = again.fulfillments.find(({ location }) => location === other)
    expected(elsewhere?.lines[0]?.sku === scarf, 'the other store sends it', again.fulfillments)

    say('\nAll three parcels are shipped and delivered.')
    await this.send(atStore.id, ['pack', 'ship', 'deliver'])
    for (const { id, location } of again.fulfillments) {
      if (location !== store) await this.send(id, ['accept', 'pick', 'pack', 'ship', 'deliver'])
    }
    const delivered = await this.until(order.id, ({ status }) => status === 'delivered')
    expected(delivered.status === 'delivered', 'the order is delivered', delivered.status)

    say('\nThe customer brings the boots to the other store.')
    await this.comesBack(order.id, boots, other)

    say('\nThe customer has heard of it, and the books balance.')
    await this.hasHeard(order.id)
    await this.balances(order.id)
  }

  private async call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const document: unknown = await answer.json()
    if (!answer.ok) throw new Unexpected(`${method} ${path} is answered with 2xx, but: ${JSON.stringify(document)}`)
    // What the call is documented to answer.
    return document as Body
  }

  private async open(): Promise<void> {
    const { store, warehouse, other } = this.places
    const { coat, scarf, boots } = this.skus
    const place = (type: string, handling: string) => ({
      name: `${type} of the story`,
      type,
      address: { line1: '1 High Street', city: 'Leeds', postalCode: 'LS1 1AA', country: 'GB' },
      latitude: 53.8,
      longitude: -1.5,
      capacityPerDay: 1_000,
      cutoff: '16:00',
      timeZone: 'Europe/London',
      priority: 1,
      handlingCost: { amount: handling, currency: CURRENCY },
    })
    await this.call('PUT', `/v1/locations/${store}`, place('store', '1.00'))
    await this.call('PUT', `/v1/locations/${warehouse}`, place('warehouse', '1.00'))
    await this.call('PUT', `/v1/locations/${other}`, place('store', '60.00'))
    const stock = [
      [coat, store],
      [scarf, store],
      [scarf, other],
      [boots, warehouse],
    ] as const
    for (const [sku, location] of stock) {
      await this.call('PUT', `/v1/products/${sku}`, { name: sku, weightGrams: 800 })
      await this.call('PUT', `/v1/inventory/${sku}/${location}`, { onHand: 5 })
    }
    await this.call('PUT', `/v1/channels/shopify/${this.connection}`, { name: 'The story’s shop', secret: this.secret })
  }

  /** As Shopify would send it: the body signed with the shop's secret. */
  private async placed(): Promise<OrderDocument> {
    const { coat, scarf, boots } = this.skus
    const prices = { [coat]: '100.00', [scarf]: '15.00', [boots]: '60.00' }
    const body = JSON.stringify({
      id: Date.now(),
      name: '#1001',
      currency: CURRENCY,
      email: 'ada@example.com',
      financial_status: 'paid',
      taxes_included: false,
      total_price: '175.00',
      customer: { id: 7, first_name: 'Ada', last_name: 'Byron', email: 'ada@example.com' },
      shipping_address: {
        name: 'Ada Byron',
        address1: '12 Park Row',
        city: 'Leeds',
        zip: 'LS1 5HD',
        country_code: 'GB',
      },
      line_items: [coat, scarf, boots].map((sku, at) => ({
        id: 100 + at,
        sku,
        quantity: 1,
        price: prices[sku],
        title: sku,
        requires_shipping: true,
      })),
      shipping_lines: [],
    })
    const answer = await fetch(`${this.url}/v1/channels/shopify/${this.connection}/webhooks`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-shopify-topic': 'orders/create',
        'x-shopify-webhook-id': randomUUID(),
        'x-shopify-hmac-sha256': createHmac('sha256', this.secret).update(body).digest('base64'),
      },
      body,
    })
    const taken = (await answer.json()) as { orders?: string[] }
    const id = taken.orders?.[0]
    if (id === undefined) throw new Unexpected(`the delivery makes an order, but: ${JSON.stringify(taken)}`)
    return this.until(id, ({ status }) => status === 'allocated')
  }

  /** The order, once it is as it should be. */
  private async until(id: string, is: (order: OrderDocument) => boolean): Promise<OrderDocument> {
    return this.untilRead(() => this.call<OrderDocument>('GET', `/v1/orders/${id}`), is)
  }

  private async untilRead<T>(read: () => Promise<T>, is: (seen: T) => boolean): Promise<T> {
    for (const end = Date.now() + WAIT_MS; ; ) {
      const seen = await read()
      if (is(seen)) return seen
      if (Date.now() > end) throw new Unexpected(`it comes to what it should, but: ${JSON.stringify(seen)}`)
      await pause(LOOK_AGAIN_MS)
    }
  }

  private step(fulfillment: string, action: string, body: object = {}): Promise<unknown> {
    return this.call('POST', `/v1/fulfillments/${fulfillment}/${action}`, body)
  }

  private async send(fulfillment: string, actions: string[]): Promise<void> {
    for (const action of actions) {
      const parcel = { carrier: 'post', trackingNumber: `T-${fulfillment}`, packages: [{ weightGrams: 900 }] }
      await this.step(fulfillment, action, action === 'ship' ? parcel : {})
    }
    say(`  ✓ ${fulfillment} is delivered`)
  }

  private async comesBack(order: string, sku: string, location: string): Promise<void> {
    const asked = { order, lines: [{ sku, quantity: 1, reason: 'too small' }], location }
    const { id } = await this.call<{ id: string }>('POST', '/v1/returns', asked)
    await this.call('POST', `/v1/returns/${id}/authorize`, { label: false })
    const lines = [{ sku, quantity: 1, disposition: 'restock' }]
    const received = await this.call<ReturnDocument>('POST', `/v1/returns/${id}/receive`, { location, lines })
    expected(received.status === 'received', 'the return is received', received)
    expected(received.refunds[0]?.amount.amount === '60.00', 'the customer is given 60.00 back', received.refunds)
    const stock = await this.call<{ locations: { location: string; onHand: number; atp: number }[] }>(
      'GET',
      `/v1/inventory/${sku}`,
    )
    const here = stock.locations.find((row) => row.location === location)
    expected(here?.atp === 1, 'the boots are for sale there at once', here)
  }

  private async hasHeard(order: string): Promise<void> {
    const wanted = ['order_confirmation', 'shipped', 'delivered', 'return_received']
    const { items } = await this.untilRead(
      () => this.call<{ items: { kind: string; state: string }[] }>('GET', `/v1/messages?order=${order}&limit=500`),
      ({ items: seen }) =>
        wanted.every((kind) => seen.some((message) => message.kind === kind && message.state === 'sent')),
    )
    expected(items.length > 0, `messages were sent: ${[...new Set(items.map(({ kind }) => kind))].join(', ')}`, items)
  }

  private async balances(order: string): Promise<void> {
    const books = await this.untilRead(
      () => this.call<{ isBalanced: boolean; pending: number }>('GET', '/v1/erp/trial-balance'),
      ({ pending }) => pending === 0,
    )
    const { items } = await this.call<{ items: EntryDocument[] }>('GET', `/v1/erp/journal?order=${order}&limit=500`)
    const pence = ({ amount }: Money) => Math.round(Number(amount) * 100)
    for (const { id, lines, units } of items) {
      const money = lines.reduce((sum, { debit, credit }) => sum + (debit ? pence(debit) : -pence(credit!)), 0)
      const goods = units.reduce((sum, { in: more = 0, out = 0 }) => sum + more - out, 0)
      if (money !== 0 || goods !== 0)
        throw new Unexpected(`entry ${id} balances, but: ${JSON.stringify({ lines, units })}`)
    }
    const kept = items.flatMap(({ units }) => units.filter(({ account }) => account === 'customer'))
    const left = kept.reduce((sum, { in: more = 0, out = 0 }) => sum + more - out, 0)
    expected(left === 2, 'of three pieces the customer has two, by the journal', kept)
    const given = items.flatMap(({ lines }) => lines.filter(({ account }) => account === 'refunds'))
    expected(
      given.length === 1 && given[0]?.debit?.amount === '60.00',
      'and 60.00 is given back, by the journal',
      given,
    )
    expected(books.isBalanced, 'the journal balances, in money and in units', books)
  }
}
