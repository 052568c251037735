/** Many orders in one request: each with its outcome, and once for its Idempotency-Key, also where the server was killed meanwhile. */
import { randomUUID } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { stockUp } from './support/catalogue.js'
import { TestServer, temporaryDirectory } from './support/test-server.js'

const ORDERS = 400
interface OrderDocument {
  id: string
  status: string
  timeline: { type: string }[]
}
interface Results {
  results: { order: string; status: number; code?: string }[]
}

async function placed(server: TestServer): Promise<string[]> {
  await stockUp(server.url, ['TEE'], 10_000, ['W1'])
  const order = () => ({
    id: randomUUID(),
    channel: 'web',
    currency: 'GBP',
    customer: { name: 'Ada Byron', email: 'ada@example.com' },
    shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
    lines: [{ sku: 'TEE', quantity: 1, unitPrice: { amount: '10.00', currency: 'GBP' } }],
  })
  const orders = Array.from({ length: ORDERS }, order)
  expect((await server.call('POST', '/v1/bulk/orders', { orders })).status).toBe(200)
  return orders.map(({ id }) => id)
}

test.each([
  ['cancel', 'cancelled', 'order.cancelled'],
  ['hold', 'on_hold', 'order.on_hold'],
] as const)(
  'a bulk %s that a crash cut off is finished by its repeat, and nothing of it is done twice',
  async (action, status, step) => {
    const dataDir = temporaryDirectory()
    const server = await TestServer.start({ dataDir })
    const orders = await placed(server)
    const key = { 'Idempotency-Key': randomUUID() }
    const request = { orders, reason: 'recalled' }
    const cut = server.call('POST', `/v1/bulk/orders/${action}`, request, key).catch(() => undefined)
    await vi.waitFor(
      async () => {
        const { body } = await server.call<OrderDocument>('GET', `/v1/orders/${orders[0]}`)
        expect(body.status).toBe(status)
      },
      { timeout: 20_000, interval: 1 },
    )
    await server.kill()
    await cut

    const next = await TestServer.start({ dataDir })
    const again = await next.call<Results>('POST', `/v1/bulk/orders/${action}`, request, key)
    expect(again.body.results.filter((one) => one.status !== 200)).toEqual([])
    expect(again.body.results.map(({ order }) => order)).toEqual(orders)
    const repeated = await next.call<Results>('POST', `/v1/bulk/orders/${action}`, request, key)
    expect(repeated.body).toEqual(again.body)
    for (const id of [orders[0], orders[ORDERS / 2], orders[ORDERS - 1]]) {
      const { body } = await next.call<OrderDocument>('GET', `/v1/orders/${id}`)
      expect(body.status).toBe(status)
      expect(body.timeline.filter(({ type }) => type === step)).toHaveLength(1)
    }
  },
)
