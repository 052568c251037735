/** A marketplace that calls nobody: it is asked what has changed, and told what was done. */
import { type PlatformRequest, PlatformServer } from '../../../gateway/channels/platform-server.contract.js'
import type { TestServer } from '../test-server.js'
import {
  BUYER,
  changedAt,
  gross,
  keptDelivery,
  putConnection,
  type SaidOrder,
  type Storefront,
  TOWN,
  type ToldParcel,
  total,
} from './storefront.js'

const MARKETPLACE = 'A1F83G8C2ARO7P'

interface SentPackage {
  packageDetail: { packageReferenceId: string; trackingNumber: string; orderItems: { quantity: number }[] }
}

export class MarketplaceFront implements Storefront {
  readonly type = 'marketplace'
  readonly connection = 'marketplace-front'
  readonly hasShipping = true
  readonly isSent = true
  readonly unknownSku = 'held'
  readonly stock = new Map<string, number>()
  /** Orders that were acknowledged, as often as they were. */
  readonly acknowledged: string[] = []
  /** All that ever was said: each is told again and again, as lists that overlap do. */
  private readonly said: { order: SaidOrder; status: string; asksToCancel: boolean }[] = []
  private readonly packages = new Map<string, Map<string, ToldParcel>>()
  private server!: TestServer
  private readonly platform = new PlatformServer((request) => this.answer(request))

  async connect(server: TestServer): Promise<void> {
    this.server = server
    await this.platform.start()
    await putConnection(server, this, {
      secret: JSON.stringify({ clientId: 'id', clientSecret: 'secret', refreshToken: 'grant' }),
      settings: {
        apiUrl: this.platform.url,
        tokenUrl: `${this.platform.url}/auth/token`,
        marketplaceIds: [MARKETPLACE],
        sellerId: 'A1SELLER',
        takeFrom: '2024-01-01T00:00:00Z',
        pollSeconds: 1,
        pushesStock: true,
      },
    })
  }

  stop = (): Promise<void> => this.platform.stop()
  externalId = ({ number }: SaidOrder): string => number
  original = (_order: SaidOrder, id: string): Promise<string> => keptDelivery(this.server, this, id)
  parcels = async ({ number }: SaidOrder): Promise<ToldParcel[]> => [...(this.packages.get(number)?.values() ?? [])]

  place = async (order: SaidOrder): Promise<void> => this.say(order)
  change = async (order: SaidOrder): Promise<void> => this.say(order)
  cancel = async (order: SaidOrder): Promise<void> => this.say(order, 'Canceled')
  /** The buyer asks for the first line to be cancelled. */
  askToCancel = (order: SaidOrder): void => this.say(order, 'Unshipped', true)

  private say(order: SaidOrder, status = 'Unshipped', asksToCancel = false): void {
    this.said.push({ order, status, asksToCancel })
  }

  private answer({ method, path, body }: PlatformRequest) {
    if (path === '/auth/token') return { body: { access_token: 'access' } }
    if (path.endsWith('/restrictedDataToken')) return { body: { restrictedDataToken: 'restricted' } }
    if (path === '/orders/v0/orders') {
      return { body: { payload: { Orders: this.said.map(listed), LastUpdatedBefore: new Date().toISOString() } } }
    }
    if (path === '/feeds/2021-06-30/documents') {
      return { body: { feedDocumentId: 'doc', url: `${this.platform.url}/upload` } }
    }
    if (path === '/feeds/2021-06-30/feeds') return { status: 202, body: {} }
    if (path === '/upload') {
      for (const [, id] of String(body).matchAll(/<AmazonOrderID>(.*?)</g)) this.acknowledged.push(id!)
      return {}
    }
    const [, sku] = /^\/listings\/2021-08-01\/items\/A1SELLER\/(.+)$/.exec(path) ?? []
    if (sku !== undefined && method === 'PATCH') {
      const { patches } = body as { patches: { value: { quantity: number }[] }[] }
      this.stock.set(decodeURIComponent(sku), patches[0]!.value[0]!.quantity)
      return { body: {} }
    }
    const [, number = '', what] = /^\/orders\/v0\/orders\/(\d+)\/(\w+)$/.exec(path) ?? []
    if (what === 'shipmentConfirmation') {
      const { packageReferenceId: id, trackingNumber, orderItems } = (body as SentPackage).packageDetail
      const units = orderItems.reduce((sum, { quantity }) => sum + quantity, 0)
      const packages = this.packages.get(number) ?? new Map<string, ToldParcel>()
      this.packages.set(number, packages.set(id, { tracking: trackingNumber, units }))
      return {}
    }
    const known = this.said.filter(({ order }) => order.number === number)
    const last = known.sort((a, b) => a.order.changedSeconds - b.order.changedSeconds).at(-1)
    if (what !== 'orderItems' || !last) return undefined
    const money = (Amount: string) => ({ Amount, CurrencyCode: 'GBP' })
    const items = last.order.lines.map((line, at) => ({
      OrderItemId: line.id,
      SellerSKU: line.sku,
      QuantityOrdered: line.quantity,
      ItemPrice: money(gross(line)),
      ItemTax: money(line.tax),
      PromotionDiscount: money(line.discount),
      ...(at === 0 ? { ShippingPrice: money(last.order.shipping) } : {}),
      ...(at === 0 && last.asksToCancel ? { BuyerRequestedCancel: { IsBuyerRequestedCancel: true } } : {}),
    }))
    return { body: { payload: { OrderItems: items } } }
  }
}

const listed = ({ order, status }: { order: SaidOrder; status: string }) => ({
  AmazonOrderId: order.number,
  OrderStatus: status,
  FulfillmentChannel: 'MFN',
  LastUpdateDate: changedAt(order).toISOString(),
  LatestShipDate: '2031-01-05T00:00:00Z',
  OrderTotal: { Amount: total(order), CurrencyCode: 'GBP' },
  MarketplaceId: MARKETPLACE,
  ShippingAddress: {
    Name: `${BUYER.first} ${BUYER.last}`,
    AddressLine1: order.street,
    City: TOWN.city,
    PostalCode: TOWN.postalCode,
    CountryCode: TOWN.country,
  },
  BuyerInfo: { BuyerName: `${BUYER.first} ${BUYER.last}`, BuyerEmail: BUYER.email },
})
