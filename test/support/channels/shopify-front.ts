/** A Shopify shop: its webhooks, and of its Admin API what is asked for parcels and stock. */
import { createHmac, randomUUID } from 'node:crypto'
import { type PlatformRequest, PlatformServer } from '../../../gateway/channels/platform-server.contract.js'
import type { TestServer } from '../test-server.js'
import {
  BUYER,
  changedAt,
  type Forgery,
  keptDelivery,
  post,
  putConnection,
  type SaidLine,
  type SaidOrder,
  type Storefront,
  TOWN,
  type ToldParcel,
  taken,
  total,
} from './storefront.js'

const SECRET = 'hush'
const ITEM_AT = 900_000
const LOCATION = 71

interface SentFulfillment {
  fulfillment: {
    tracking_info: { number: string }
    line_items_by_fulfillment_order: {
      fulfillment_order_line_items: { id: number; quantity: number }[]
      fulfillment_order_id: number
    }[]
  }
}

export class ShopifyFront implements Storefront {
  readonly type = 'shopify'
  readonly connection = 'shopify-front'
  readonly hasShipping = true
  readonly isSent = true
  readonly unknownSku = 'held'
  readonly restocks = true
  readonly refundsMoney = true
  readonly stock = new Map<string, number>()
  private readonly known = new Map<string, { lines: Pick<SaidLine, 'id' | 'quantity'>[] }>()
  private readonly fulfillments = new Map<string, { tracking: string; lines: { id: number; quantity: number }[] }[]>()
  /** SKUs by the number of their inventory item. */
  private readonly items: string[] = []
  private server!: TestServer
  private readonly platform = new PlatformServer((request) => this.answer(request))

  async connect(server: TestServer): Promise<void> {
    this.server = server
    await this.platform.start()
    await putConnection(server, this, {
      secret: JSON.stringify({ webhookSecret: SECRET, accessToken: 'token' }),
      settings: {
        apiUrl: `${this.platform.url}/admin`,
        pushesStock: true,
        stockLocation: String(LOCATION),
        locations: { [LOCATION]: 'W1' },
      },
    })
  }

  stop = (): Promise<void> => this.platform.stop()
  externalId = ({ number }: SaidOrder): string => number
  original = (_order: SaidOrder, id: string): Promise<string> => keptDelivery(this.server, this, id)
  parcels = async ({ number }: Pick<SaidOrder, 'number'>): Promise<ToldParcel[]> =>
    (this.fulfillments.get(number) ?? []).map(({ tracking, lines }) => ({
      tracking,
      units: lines.reduce((sum, { quantity }) => sum + quantity, 0),
    }))

  place = (order: SaidOrder): Promise<void> => this.send('orders/create', this.payload(order))
  change = (order: SaidOrder): Promise<void> => this.send('orders/updated', this.payload(order))
  cancel = (order: SaidOrder): Promise<void> =>
    this.send('orders/cancelled', { ...this.payload(order), cancelled_at: changedAt(order), cancel_reason: 'customer' })

  refund(order: SaidOrder, amount: string): Promise<void> {
    const [line] = order.lines
    return this.send('refunds/create', {
      id: Number(`${order.number}9`),
      order_id: Number(order.number),
      note: 'too small',
      refund_line_items: [
        { line_item_id: Number(line!.id), quantity: 1, restock_type: 'return', location_id: LOCATION },
      ],
      transactions: [{ kind: 'refund', status: 'success', amount, currency: 'GBP' }],
    })
  }

  forge(order: SaidOrder, how: Forgery): Promise<number> {
    const body = JSON.stringify(this.payload(order))
    const right = this.signature(body)
    const signature = { wrong: this.signature(`${body} `), missing: undefined, changed: right }[how]
    return this.deliver('orders/create', how === 'changed' ? body.replace('12 St', '13 St') : body, signature)
  }

  private signature = (body: string): string => createHmac('sha256', SECRET).update(body).digest('base64')

  /** Sends what Shopify itself has written; `lines` are those that are still to be sent. */
  async say(topic: string, payload: object, number: string, lines: Pick<SaidLine, 'id' | 'quantity'>[]): Promise<void> {
    this.known.set(number, { lines })
    await this.send(topic, payload)
  }

  private async send(topic: string, payload: object): Promise<void> {
    const body = JSON.stringify(payload)
    taken(await this.deliver(topic, body, this.signature(body)))
  }

  private deliver(topic: string, body: string, signature: string | undefined): Promise<number> {
    return post(`${this.server.url}/v1/channels/shopify/${this.connection}/webhooks`, body, {
      'content-type': 'application/json',
      'x-shopify-topic': topic,
      'x-shopify-webhook-id': randomUUID(),
      ...(signature === undefined ? {} : { 'x-shopify-hmac-sha256': signature }),
    })
  }

  private payload(order: SaidOrder): object {
    this.known.set(order.number, order)
    return {
      id: Number(order.number),
      currency: 'GBP',
      taxes_included: false,
      financial_status: 'paid',
      updated_at: changedAt(order),
      email: BUYER.email,
      total_price: total(order),
      customer: { first_name: BUYER.first, last_name: BUYER.last },
      shipping_address: {
        first_name: BUYER.first,
        last_name: BUYER.last,
        address1: order.street,
        city: TOWN.city,
        zip: TOWN.postalCode,
        country_code: TOWN.country,
      },
      shipping_lines: [{ title: 'Standard', price: order.shipping, tax_lines: [] }],
      line_items: order.lines.map(({ id, sku, quantity, price, discount, tax }) => ({
        id: Number(id),
        sku,
        quantity,
        price,
        total_discount: discount,
        tax_lines: [{ title: 'VAT', rate: 0.2, price: tax }],
      })),
    }
  }

  private answer({ method, path, body, query }: PlatformRequest) {
    const [, number = '', what] = /^\/admin\/orders\/(\d+)\/(\w+)\.json$/.exec(path) ?? []
    const order = this.known.get(number)
    if (what === 'fulfillments') {
      const known = this.fulfillments.get(number) ?? []
      const fulfillments = known.map(({ tracking, lines }) => ({ tracking_number: tracking, line_items: lines }))
      return { body: { fulfillments } }
    }
    if (what === 'fulfillment_orders' && order) {
      const lines = order.lines.map(({ id, quantity }) => ({
        id: Number(id),
        line_item_id: Number(id),
        fulfillable_quantity: quantity,
      }))
      const one = { id: Number(number), status: 'open', assigned_location_id: LOCATION, line_items: lines }
      return { body: { fulfillment_orders: [one] } }
    }
    if (method === 'POST' && path === '/admin/fulfillments.json') {
      const { fulfillment } = body as SentFulfillment // as the adapter sends it
      for (const part of fulfillment.line_items_by_fulfillment_order) {
        const key = String(part.fulfillment_order_id)
        const told = { tracking: fulfillment.tracking_info.number, lines: part.fulfillment_order_line_items }
        this.fulfillments.set(key, [...(this.fulfillments.get(key) ?? []), told])
      }
      return { status: 201, body: {} }
    }
    if (path === '/admin/graphql.json') {
      const [, sku] = /sku:"(.*)"/.exec((body as { variables: { search: string } }).variables.search) ?? []
      const at = this.items.push(sku!) - 1 + ITEM_AT
      return { body: { data: { productVariants: { nodes: [{ sku, inventoryItem: { legacyResourceId: at } }] } } } }
    }
    if (path === '/admin/inventory_levels.json') {
      const item = Number(query.get('inventory_item_ids'))
      const available = this.stock.get(this.items[item - ITEM_AT]!)
      const levels = available === undefined ? [] : [{ inventory_item_id: item, available }]
      return { body: { inventory_levels: levels } }
    }
    if (path === '/admin/inventory_levels/set.json') {
      const { inventory_item_id: item, available } = body as { inventory_item_id: number; available: number }
      this.stock.set(this.items[item - ITEM_AT]!, available)
      return { body: {} }
    }
    return undefined
  }
}
