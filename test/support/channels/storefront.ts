/** One order in nobody's words, and the port through which each kind of channel says it in its own. */
import type { ChannelType } from '../../../gateway/channels/channel.js'
import type { TestServer } from '../test-server.js'

export interface SaidLine {
  id: string
  sku: string
  quantity: number
  /** Of one, and of the whole line; without tax. */
  price: string
  discount: string
  tax: string
}

export interface SaidOrder {
  /** Digits, as some platforms have nothing else. */
  number: string
  lines: SaidLine[]
  shipping: string
  street: string
  /** When it was changed there, in seconds after some time. */
  changedSeconds: number
}

export const BUYER = { first: 'Ada', last: 'Byron', email: 'ada@example.com' }
export const TOWN = { city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' }

const FIRST_MS = Date.parse('2031-01-01T00:00:00Z')
export const changedAt = ({ changedSeconds }: SaidOrder): Date => new Date(FIRST_MS + changedSeconds * 1_000)

/** 43.35 with shipping, 38.40 without. */
export const saidOrder = (number: string, [first, second]: [string, string]): SaidOrder => ({
  number,
  lines: [
    { id: `${number}1`, sku: first, quantity: 3, price: '10.00', discount: '3.00', tax: '5.40' },
    { id: `${number}2`, sku: second, quantity: 1, price: '5.00', discount: '0.00', tax: '1.00' },
  ],
  shipping: '4.95',
  street: '12 St James Square',
  changedSeconds: 0,
})

const cents = (amount: string): number => Math.round(Number(amount) * 100)
export const amount = (value: number): string => (value / 100).toFixed(2)
/** Of all units, before the discount. */
export const gross = ({ price, quantity }: SaidLine): string => amount(cents(price) * quantity)
export const net = ({ price, quantity, discount }: SaidLine): string =>
  amount(cents(price) * quantity - cents(discount))
export const total = ({ lines, shipping }: SaidOrder): string =>
  amount(lines.reduce((sum, line) => sum + cents(net(line)) + cents(line.tax), cents(shipping)))

/** What was wrong with a signature, where a channel has them. */
export type Forgery = 'wrong' | 'missing' | 'changed'

/** What the platform was told of a parcel. */
export interface ToldParcel {
  tracking: string
  units: number
}

/** A platform with one connection to us: says what happens there, and remembers what it was told. */
export interface Storefront {
  readonly type: ChannelType
  readonly connection: string
  /** Whether an order says what its shipping costs; and goes to its buyer, and not over a counter. */
  readonly hasShipping: boolean
  readonly isSent: boolean
  /** An order with a SKU that nobody knows: kept and held, or named to who sent it, and taken when it is sent again. */
  readonly unknownSku: 'held' | 'named'
  connect(server: TestServer): Promise<void>
  /** Says that there is this order. Resolves once we have answered, where we are called. */
  place(order: SaidOrder): Promise<void>
  change?(order: SaidOrder): Promise<void>
  cancel?(order: SaidOrder): Promise<void>
  /** One unit of the first line, and so much money. */
  refund?(order: SaidOrder, amount: string): Promise<void>
  /** Whether a refund says that the unit may be sold again; whether it says what money went back, or that is reckoned here. */
  readonly restocks?: boolean
  readonly refundsMoney?: boolean
  /** The store is asked how an order is, so one that is cancelled before it is asked never comes. */
  readonly isAsked?: boolean
  /** The status that a forged delivery is answered with; undefined where this cannot be seen here. */
  forge?(order: SaidOrder, how: Forgery): Promise<number | undefined>
  externalId(order: SaidOrder): string
  /** What came in, as it is kept for the order. */
  original(order: SaidOrder, id: string): Promise<string>
  parcels?(order: SaidOrder): Promise<ToldParcel[]>
  readonly stock?: ReadonlyMap<string, number>
}

/** What came in of an order through the intake. */
export async function keptDelivery(server: TestServer, { type, connection }: Storefront, id: string): Promise<string> {
  const path = `/v1/channels/${type}/${connection}/deliveries?order=${id}`
  const { items } = (await server.call<{ items: { id: string }[] }>('GET', path)).body
  const whole = await Promise.all(
    items.map((one) => server.call('GET', `/v1/channel-deliveries/${encodeURIComponent(one.id)}`)),
  )
  return JSON.stringify(whole.map(({ body }) => body))
}

export async function putConnection(
  server: TestServer,
  { type, connection }: Storefront,
  body: { secret?: string; settings: object },
): Promise<void> {
  const { status, body: answer } = await server.call('PUT', `/v1/channels/${type}/${connection}`, body)
  if (status !== 200) throw new Error(`the connection was refused: ${JSON.stringify(answer)}`)
}

/** Posts bytes as a platform does, and fails where they are not taken. */
export async function post(url: string, body: string, headers: Record<string, string>): Promise<number> {
  const { status } = await fetch(url, { method: 'POST', headers, body })
  return status
}

export function taken(status: number): void {
  if (status !== 200 && status !== 202) throw new Error(`the platform was answered ${status}`)
}
