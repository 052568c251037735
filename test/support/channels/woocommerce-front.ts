/** A WooCommerce shop: its webhooks, and of its REST API what is asked for refunds, notes, statuses and stock. */
import { createHmac, randomUUID } from 'node:crypto'
import { type PlatformRequest, PlatformServer } from '../../../gateway/channels/platform-server.contract.js'
import type { TestServer } from '../test-server.js'
import {
  BUYER,
  changedAt,
  type Forgery,
  gross,
  keptDelivery,
  net,
  post,
  putConnection,
  type SaidOrder,
  type Storefront,
  TOWN,
  type ToldParcel,
  taken,
  total,
} from './storefront.js'

const SECRET = 'hush'
const API = '/wp-json/wc/v3'

export class WooCommerceFront implements Storefront {
  readonly type = 'woocommerce'
  readonly connection = 'woocommerce-front'
  readonly hasShipping = true
  readonly isSent = true
  readonly unknownSku = 'held'
  readonly restocks = true
  readonly refundsMoney = true
  readonly stock = new Map<string, number>()
  /** Statuses that orders were given here. */
  readonly statuses = new Map<string, string>()
  private readonly notes = new Map<string, string[]>()
  private readonly refunded = new Map<string, SaidOrder>()
  private readonly products: string[] = []
  private server!: TestServer
  /** It answers nobody as it should. */
  isAway = false
  private readonly platform = new PlatformServer((request) =>
    this.isAway ? { status: 503, body: {} } : this.answer(request),
  )

  async connect(server: TestServer): Promise<void> {
    this.server = server
    await this.platform.start()
    await putConnection(server, this, {
      secret: JSON.stringify({ webhookSecret: SECRET, consumerKey: 'ck', consumerSecret: 'cs' }),
      settings: { apiUrl: `${this.platform.url}${API}`, pushesStock: true },
    })
  }

  stop = (): Promise<void> => this.platform.stop()
  externalId = ({ number }: SaidOrder): string => number
  original = (_order: SaidOrder, id: string): Promise<string> => keptDelivery(this.server, this, id)
  parcels = async ({ number }: Pick<SaidOrder, 'number'>): Promise<ToldParcel[]> =>
    (this.notes.get(number) ?? []).map((note) => ({
      tracking: /tracking number (\S+):/.exec(note)?.[1] ?? '',
      units: [...note.matchAll(/(\d+) × /g)].reduce((sum, [, quantity]) => sum + Number(quantity), 0),
    }))

  place = (order: SaidOrder): Promise<void> => this.send('order.created', this.payload(order))
  change = (order: SaidOrder): Promise<void> => this.send('order.updated', this.payload(order))
  cancel = (order: SaidOrder): Promise<void> =>
    this.send('order.updated', { ...this.payload(order), status: 'cancelled' })

  refund(order: SaidOrder, amount: string): Promise<void> {
    this.refunded.set(order.number, order)
    const refunds = [{ id: Number(`${order.number}9`), reason: 'too small', total: `-${amount}` }]
    return this.send('order.updated', { ...this.payload(order), refunds })
  }

  forge(order: SaidOrder, how: Forgery): Promise<number> {
    const body = JSON.stringify(this.payload(order))
    const right = this.signature(body)
    const signature = { wrong: this.signature(`${body} `), missing: undefined, changed: right }[how]
    return this.deliver('order.created', how === 'changed' ? body.replace('12 St', '13 St') : body, signature)
  }

  private signature = (body: string): string => createHmac('sha256', SECRET).update(body).digest('base64')

  async send(topic: string, payload: object): Promise<void> {
    const body = JSON.stringify(payload)
    taken(await this.deliver(topic, body, this.signature(body)))
  }

  private deliver(topic: string, body: string, signature: string | undefined): Promise<number> {
    return post(`${this.server.url}/v1/channels/woocommerce/${this.connection}/webhooks`, body, {
      'content-type': 'application/json',
      'x-wc-webhook-topic': topic,
      'x-wc-webhook-delivery-id': randomUUID(),
      ...(signature === undefined ? {} : { 'x-wc-webhook-signature': signature }),
    })
  }

  private payload(order: SaidOrder): object {
    const address = {
      first_name: BUYER.first,
      last_name: BUYER.last,
      address_1: order.street,
      city: TOWN.city,
      postcode: TOWN.postalCode,
      country: TOWN.country,
    }
    const at = changedAt(order).toISOString().slice(0, 19)
    return {
      id: Number(order.number),
      status: 'processing',
      currency: 'GBP',
      date_modified_gmt: at,
      date_paid_gmt: at,
      total: total(order),
      billing: { ...address, email: BUYER.email },
      shipping: address,
      shipping_lines: [{ method_title: 'Standard', total: order.shipping, total_tax: '0.00' }],
      tax_lines: [{ rate_id: 1, label: 'VAT' }],
      line_items: order.lines.map((line) => ({
        id: Number(line.id),
        sku: line.sku,
        quantity: line.quantity,
        subtotal: gross(line),
        total: net(line),
        total_tax: line.tax,
        taxes: [{ id: 1, total: line.tax }],
      })),
    }
  }

  private answer({ method, path, body, query }: PlatformRequest) {
    const [, number = '', what = ''] = new RegExp(`^${API}/orders/(\\d+)(?:/(\\w+))?`).exec(path) ?? []
    if (what === 'refunds') {
      const [line] = this.refunded.get(number)!.lines
      const meta_data = [
        { key: '_refunded_item_id', value: line!.id },
        { key: '_restock_refunded_items', value: '1' },
      ]
      return { body: { line_items: [{ sku: line!.sku, quantity: -1, meta_data }] } }
    }
    if (what === 'notes') {
      const notes = this.notes.get(number) ?? []
      if (method === 'GET') return { body: notes.map((note) => ({ note })) }
      this.notes.set(number, [...notes, (body as { note: string }).note])
      return { status: 201, body: {} }
    }
    if (number !== '') {
      if (method === 'PUT') this.statuses.set(number, (body as { status: string }).status)
      return { body: { status: this.statuses.get(number) ?? 'processing' } }
    }
    const sku = query.get('sku')
    if (path === `${API}/products` && sku !== null) {
      const id = this.products.push(sku)
      return { body: [{ id, sku, manage_stock: true, stock_quantity: this.stock.get(sku) ?? null }] }
    }
    const [, product] = new RegExp(`^${API}/products/(\\d+)$`).exec(path) ?? []
    if (product === undefined || method !== 'PUT') return undefined
    this.stock.set(this.products[Number(product) - 1]!, (body as { stock_quantity: number }).stock_quantity)
    return { body: {} }
  }
}
