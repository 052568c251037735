/**
 * `doorbuster checkout-example`: what the checkout of a website or an app does, step by step, over REST and the WebSocket.
 * It runs against a server and says at each step what it expects, so it is at once an example to copy and a trial of it.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { DoorbusterError } from '../../engine/errors.js'
import { DoorbusterClient } from '../client/index.js'
import { expected, say, Unexpected } from './example-steps.js'
import { withPlainErrors } from './plain-error.js'

export interface CheckoutOptions {
  /** A running server. */
  readonly url: string
  /** An API key. */
  readonly token?: string | undefined
}

const CURRENCY = 'GBP'
const PRICE = { amount: '24.90', currency: CURRENCY }
const ON_HAND = 3
/** Long enough to pay; what a customer leaves behind is for sale again after it. */
const HOLD_SECONDS = 900
/** For the customer who goes away: as short as one can be, so that nobody has to wait for it here. */
const SHORT_HOLD_SECONDS = 1
const WAIT_MS = 20_000
const LOOK_AGAIN_MS = 50

interface Held {
  id: string
  status: string
  expiresAt: string
  remaining: number
}
interface PlacedOrder {
  id: string
  status: string
  lines: { location: string | null; units?: Record<string, number> }[]
  payment: { status: string; authorized?: { amount: string } }
}

/** Resolves with the exit code: 0 where every step went as it should. */
export const checkoutExample = (options: CheckoutOptions): Promise<number> => withPlainErrors(() => checkOut(options))

async function checkOut({ url, token }: CheckoutOptions): Promise<number> {
  const shop = new ExampleShop(url, token)
  const client = await DoorbusterClient.connect(url, { token })
  try {
    const sku = await shop.open()
    await byRest(shop, client, sku)
    await bySocket(shop, client, sku)
    await goneAway(shop, sku)
  } catch (error) {
    if (!(error instanceof Unexpected)) throw error
    say(`  ✗ ${error.message}`)
    return 1
  } finally {
    client.close()
  }
  say('\nAll went as it should.')
  return 0
}

/** An article and a place of the example's own, and the calls of its checkout. */
class ExampleShop {
  private readonly run = randomUUID().slice(0, 8)

  constructor(
    private readonly url: string,
    private readonly token: string | undefined,
  ) {}

  async call<Body>(
    method: string,
    path: string,
    body?: unknown,
    key?: string,
  ): Promise<{ status: number; body: Body }> {
    let answer: Response
    try {
      answer = await fetch(new URL(path, this.url), {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    } catch (error) {
      throw new DoorbusterError('unavailable', `no server answers at ${this.url}; start one with doorbuster serve`, {
        cause: error,
      })
    }
    // As the API's documents describe it; a test runs this example.
    return { status: answer.status, body: (await answer.json()) as Body }
  }

  async open(): Promise<string> {
    const place = `CHECKOUT-${this.run}`
    const sku = `CHECKOUT-${this.run}`
    say(`An article of the example's own: ${ON_HAND} of ${sku} at ${place}`)
    const location = {
      name: 'Checkout example',
      type: 'warehouse',
      address: { line1: '1 Kirkgate', city: 'Leeds', postalCode: 'LS1 1AA', country: 'GB' },
      latitude: 53.8,
      longitude: -1.55,
      capacityPerDay: 100,
      cutoff: '16:00',
      timeZone: 'Europe/London',
      priority: 1,
      handlingCost: { amount: '0.50', currency: CURRENCY },
    }
    const made = [
      await this.call('PUT', `/v1/locations/${place}`, location),
      await this.call('PUT', `/v1/products/${sku}`, { name: 'Checkout example', price: PRICE }),
      await this.call('PUT', `/v1/inventory/${sku}/${place}`, { onHand: ON_HAND }),
    ]
    expected(
      made.every(({ status }) => status === 200),
      'PUT location, product and count',
      made.map(({ status, body }) => ({ status, body })),
    )
    return sku
  }

  reserve(sku: string, quantity: number, ttlSeconds: number) {
    return this.call<Held>('POST', '/v1/reservations', { id: randomUUID(), sku, quantity, ttlSeconds })
  }

  /** The basket that was reserved, as an order that the built-in payment provider is to authorize. */
  order(sku: string, quantity: number, reservationId: string): object {
    return {
      channel: 'website',
      externalId: `${this.run}-${reservationId}`,
      currency: CURRENCY,
      customer: { name: 'Ada Byron', email: 'ada@example.com' },
      shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
      lines: [{ sku, quantity, unitPrice: PRICE, reservationId }],
      payment: { status: 'pending', provider: 'builtin', amount: { amount: '24.90', currency: CURRENCY } },
    }
  }

  async atp(sku: string): Promise<number> {
    return (await this.call<{ atp: number }>('GET', `/v1/inventory/${sku}`)).body.atp
  }

  /** Looks again until it is as it should be. */
  async until<Body>(path: string, holds: (body: Body) => boolean): Promise<Body> {
    const giveUp = performance.now() + WAIT_MS
    for (;;) {
      const { body } = await this.call<Body>('GET', path)
      if (holds(body) || performance.now() > giveUp) return body
      await pause(LOOK_AGAIN_MS)
    }
  }
}

const isPaidAndAllocated = ({ status, payment }: PlacedOrder): boolean =>
  status === 'allocated' && payment.status === 'authorized'

async function byRest(shop: ExampleShop, client: DoorbusterClient, sku: string): Promise<void> {
  say('\nOver REST: the customer goes to the checkout')
  const held = await shop.reserve(sku, 1, HOLD_SECONDS)
  expected(held.status === 201 && held.body.status === 'held', `reserved until ${held.body.expiresAt}`, held)
  expected((await shop.atp(sku)) === ON_HAND - 1, 'nobody else can have that unit', held)
  say('  the customer pays: the order names the reservation, and the payment provider is asked')
  const events: unknown[] = []
  const unsubscribe = client.subscribe(['event.>'], (_topic, event) => events.push(event))
  const body = shop.order(sku, 1, held.body.id)
  const placed = await shop.call<PlacedOrder>('POST', '/v1/orders', body, held.body.id)
  expected(placed.status === 201, `order ${placed.body.id} is placed`, placed)
  const again = await shop.call<PlacedOrder>('POST', '/v1/orders', body, held.body.id)
  expected(again.body.id === placed.body.id, 'sent again, it is the same order', again)
  const paid = await shop.until<PlacedOrder>(`/v1/orders/${placed.body.id}`, isPaidAndAllocated)
  unsubscribe()
  expected(isPaidAndAllocated(paid), `paid (${paid.payment.status}) and confirmed (${paid.status})`, paid)
  expected((await shop.atp(sku)) === ON_HAND - 1, 'the order took the reserved unit over, and no other', paid)
  say(`  ${events.length} events were told of it over the socket`)
}

async function bySocket(shop: ExampleShop, client: DoorbusterClient, sku: string): Promise<void> {
  say('\nOver the WebSocket: an app, with packed reservations')
  const indices = await client.intern([sku])
  const index = indices.skus[0] ?? -1
  expected(index >= 0, 'interned the SKU once', indices)
  const id = randomUUID()
  const [reply] = await client.reserve([{ id, sku: index, quantity: 1, ttlSeconds: HOLD_SECONDS }])
  expected(reply?.status === 'done', `reserved; ${reply?.remaining} are left`, reply)
  const placed = await client.command('order.create', shop.order(sku, 1, id), { repeatable: true })
  const order = placed.body as PlacedOrder // as order.create answers
  expected(placed.status === 201, `order ${order.id} is placed`, placed)
  const paid = await shop.until<PlacedOrder>(`/v1/orders/${order.id}`, isPaidAndAllocated)
  expected(isPaidAndAllocated(paid), `paid (${paid.payment.status}) and confirmed (${paid.status})`, paid)
  const other = randomUUID()
  const [kept] = await client.reserve([{ id: other, sku: index, quantity: 1 }])
  expected(kept?.status === 'done', 'another basket holds the last unit', kept)
  const [none] = await client.reserve([{ id: randomUUID(), sku: index, quantity: 1 }])
  expected(none?.status === 'insufficient_stock', 'the next customer is told at once that it is sold out', none)
  const [released] = await client.release([{ id: other, sku: index }])
  expected(released?.status === 'done', 'the basket is emptied: the unit is given back', released)
}

async function goneAway(shop: ExampleShop, sku: string): Promise<void> {
  say('\nThe customer goes away')
  const held = await shop.reserve(sku, 1, SHORT_HOLD_SECONDS)
  expected(held.status === 201, `reserved for ${SHORT_HOLD_SECONDS} s`, held)
  const path = `/v1/reservations/${held.body.id}`
  const over = await shop.until<Held>(path, ({ status }) => status === 'expired')
  expected(over.status === 'expired', 'the hold has expired by itself', over)
  expected((await shop.atp(sku)) === 1, 'the unit is for sale again', over)
  const late = await shop.call<{ code: string }>('POST', `${path}/confirm`)
  expected(late.status === 409 && late.body.code === 'expired', 'whoever comes back late is told so', late)
}
