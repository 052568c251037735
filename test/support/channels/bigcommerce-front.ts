/** A BigCommerce store: webhooks that carry an id, and the API that the order is then read from. */
import { randomUUID } from 'node:crypto'
import { type PlatformRequest, PlatformServer } from '../../../gateway/channels/platform-server.contract.js'
import type { TestServer } from '../test-server.js'
import {
  amount as asAmount,
  BUYER,
  changedAt,
  type Forgery,
  gross,
  keptDelivery,
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
const CANCELLED = 5
const AWAITING_SHIPMENT = 9

interface SentShipment {
  tracking_number: string
  comments: string
  items: { quantity: number }[]
}

export class BigCommerceFront implements Storefront {
  readonly type = 'bigcommerce'
  readonly connection = 'bigcommerce-front'
  readonly hasShipping = true
  readonly isSent = true
  readonly unknownSku = 'held'
  // Its refunds do not say what may be sold again.
  readonly restocks = false
  readonly refundsMoney = true
  readonly isAsked = true
  readonly stock = new Map<string, number>()
  stockCalls = 0
  private readonly orders = new Map<string, { order: SaidOrder; status: number; refund?: string }>()
  private readonly written = new Map<string, Record<string, unknown>>()
  private readonly shipments = new Map<string, SentShipment[]>()
  private server!: TestServer
  private readonly platform = new PlatformServer((request) => this.answer(request))

  async connect(server: TestServer): Promise<void> {
    this.server = server
    await this.platform.start()
    await putConnection(server, this, {
      secret: JSON.stringify({ webhookSecret: SECRET, accessToken: 'token' }),
      settings: { apiUrl: `${this.platform.url}/stores/abc`, pushesStock: true },
    })
  }

  stop = (): Promise<void> => this.platform.stop()
  externalId = ({ number }: SaidOrder): string => number
  original = (_order: SaidOrder, id: string): Promise<string> => keptDelivery(this.server, this, id)
  parcels = async ({ number }: Pick<SaidOrder, 'number'>): Promise<ToldParcel[]> =>
    (this.shipments.get(number) ?? []).map(({ tracking_number: tracking, items }) => ({
      tracking,
      units: items.reduce((sum, { quantity }) => sum + quantity, 0),
    }))

  place = (order: SaidOrder): Promise<void> => this.say(order, 'created')
  change = (order: SaidOrder): Promise<void> => this.say(order, 'updated')
  cancel = (order: SaidOrder): Promise<void> => this.say(order, 'statusUpdated', CANCELLED)

  async refund(order: SaidOrder, amount: string): Promise<void> {
    const refund = `${order.number}9`
    this.keep(order, AWAITING_SHIPMENT, amount)
    const data = { type: 'order', id: Number(order.number), refund: { refund_id: Number(refund) } }
    taken(await this.deliver({ scope: 'store/order/refund/created', data }, SECRET))
  }

  forge(order: SaidOrder, how: Forgery): Promise<number | undefined> {
    // The secret stands beside the body, so a changed byte of it cannot be seen; what it says is read from the store.
    if (how === 'changed') return Promise.resolve(undefined)
    this.keep(order, AWAITING_SHIPMENT)
    const data = { type: 'order', id: Number(order.number) }
    return this.deliver({ scope: 'store/order/created', data }, how === 'wrong' ? 'hash' : undefined)
  }

  /** A store whose API answers for the order what BigCommerce itself has written. */
  async sayAsWritten(hook: object, number: string, answers: Record<string, unknown>): Promise<void> {
    this.written.set(number, answers)
    taken(await this.deliver(hook, SECRET))
  }

  private async say(order: SaidOrder, what: string, status = AWAITING_SHIPMENT): Promise<void> {
    this.keep(order, status)
    const data = { type: 'order', id: Number(order.number) }
    taken(await this.deliver({ scope: `store/order/${what}`, data }, SECRET))
  }

  /** The store knows an order as it is, whichever of its webhooks arrives first. */
  private keep(order: SaidOrder, status: number, refund?: string): void {
    const known = this.orders.get(order.number)
    if (known && known.order.changedSeconds > order.changedSeconds) return
    this.orders.set(order.number, { order, status, ...(refund === undefined ? {} : { refund }) })
  }

  private deliver(hook: object, secret: string | undefined): Promise<number> {
    const body = JSON.stringify({ ...hook, store_id: '1', producer: 'stores/abc', hash: randomUUID() })
    return post(`${this.server.url}/v1/channels/bigcommerce/${this.connection}/webhooks`, body, {
      'content-type': 'application/json',
      ...(secret === undefined ? {} : { 'x-doorbuster-secret': secret }),
    })
  }

  private answer({ method, path, body }: PlatformRequest) {
    if (method === 'PUT' && path.endsWith('/v3/inventory/adjustments/absolute')) {
      this.stockCalls++
      for (const { sku, quantity } of (body as { items: { sku: string; quantity: number }[] }).items) {
        this.stock.set(sku, quantity)
      }
      return { body: {} }
    }
    const [, version, number = '', what] = /^\/stores\/abc\/(v\d)\/orders\/(\d+)(?:\/(.+))?$/.exec(path) ?? []
    if (what === 'shipments') {
      const shipments = this.shipments.get(number) ?? []
      if (method === 'GET') {
        return { body: shipments.map(({ comments }) => ({ order_address_id: 1, comments })) }
      }
      this.shipments.set(number, [...shipments, body as SentShipment])
      return { status: 201, body: {} }
    }
    const written = this.written.get(number)
    if (written) return { body: written[what ?? 'order'] }
    const known = this.orders.get(number)
    if (!known) return undefined
    const { order, status, refund } = known
    if (version === 'v3') {
      const items = [{ item_type: 'PRODUCT', item_id: Number(order.lines[0]!.id), quantity: 1 }]
      return { body: { data: [{ id: Number(`${number}9`), total_amount: refund, reason: 'too small', items }] } }
    }
    if (what === 'products') {
      const products = order.lines.map((line) => ({
        id: Number(line.id),
        order_address_id: 1,
        sku: line.sku,
        type: 'physical',
        quantity: line.quantity,
        total_ex_tax: gross(line),
        total_inc_tax: asAmount(Math.round(Number(gross(line)) * 100 + Number(line.tax) * 100)),
        total_tax: line.tax,
        applied_discounts: [{ amount: line.discount }],
      }))
      return { body: products }
    }
    const person = {
      first_name: BUYER.first,
      last_name: BUYER.last,
      street_1: order.street,
      city: TOWN.city,
      zip: TOWN.postalCode,
      country_iso2: TOWN.country,
      email: BUYER.email,
    }
    if (what === 'shipping_addresses') return { body: [{ ...person, id: 1 }] }
    return {
      body: {
        id: Number(number),
        date_modified: changedAt(order).toUTCString(),
        status_id: status,
        payment_status: 'captured',
        currency_code: 'GBP',
        total_inc_tax: total(order),
        shipping_cost_inc_tax: order.shipping,
        discount_amount: '0.00',
        coupon_discount: '0.00',
        billing_address: person,
      },
    }
  }
}
