/** A shop with customers whose data it keeps: their orders, and what they may ask for. */
import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { stockUp } from './catalogue.js'
import { TestServer, temporaryDirectory } from './test-server.js'

export interface OrderDocument {
  id: string
  status: string
  customer: { name: string; email?: string }
  shipTo: { line1: string; city: string }
  notes: string | null
  lines: { note?: string; gift?: { message?: string } }[]
  fulfillments: { id: string; status: string }[]
  timeline: { type: string; by: string }[]
}
export interface ExportDocument {
  orders: OrderDocument[]
  waitlist: { id: string; customer: { name: string } }[]
  erasures: { state: string; orders: number; by: string }[]
  nextCursor: string | null
}
export const pounds = (amount: string) => ({ amount, currency: 'GBP' })
export const threads = (partitions: number) => ['--partitions', String(partitions), '--threads', '2']

export async function shop(args: readonly string[] = threads(2), dataDir = temporaryDirectory()): Promise<TestServer> {
  const server = await TestServer.start({ args, dataDir })
  await stockUp(server.url, ['TEE'], 10_000, ['W1', 'S1'])
  return server
}

export const ada = { name: 'Ada Byron', email: 'ada@example.com' }
export const home = { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' }

export const orderOf = (fields: Record<string, unknown> = {}) => ({
  id: randomUUID(),
  channel: 'web',
  currency: 'GBP',
  customer: ada,
  shipTo: home,
  lines: [{ sku: 'TEE', quantity: 1, unitPrice: pounds('10.00') }],
  ...fields,
})

export const send = (server: TestServer, fields: Record<string, unknown> = {}, key?: string) =>
  server.call<OrderDocument>('POST', '/v1/orders', orderOf(fields), key === undefined ? {} : { 'idempotency-key': key })

export async function placed(server: TestServer, fields: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await send(server, fields)
  expect(status).toBe(201)
  return body.id
}

/** Takes the fulfillment that nobody has begun through these steps. */
export async function advance(server: TestServer, order: string, actions: readonly string[]): Promise<void> {
  const pending = async () => (await read(server, order)).fulfillments.find(({ status }) => status === 'pending')?.id
  await expect.poll(pending).toBeDefined()
  const fulfillment = await pending()
  for (const action of actions) {
    const body = action === 'ship' ? { carrier: 'post' } : {}
    expect((await server.call('POST', `/v1/fulfillments/${fulfillment}/${action}`, body)).status).toBe(200)
  }
}
export const DELIVER = ['accept', 'pick', 'pack', 'ship', 'deliver']

export const read = async (server: TestServer, order: string) =>
  (await server.call<OrderDocument>('GET', `/v1/orders/${order}`)).body

export const cancel = (server: TestServer, order: string) => server.call('POST', `/v1/orders/${order}/cancel`, {})

export const erase = (server: TestServer, customer: string, fields: Record<string, unknown> = {}) =>
  server.call<{ state: string; orders: number; waitlist: number }>('POST', '/v1/customers/erase', {
    customer,
    reason: 'asked for',
    by: 'privacy office',
    ...fields,
  })

export const exported = (server: TestServer, customer: string, more = '') =>
  server.call<ExportDocument>('GET', `/v1/customers/export?customer=${encodeURIComponent(customer)}${more}`)

export const wait = (server: TestServer, customer: Record<string, unknown>, headers = {}) =>
  server.call<{ id: string; status: string; customer: { name: string } }>(
    'POST',
    '/v1/waitlist',
    { sku: 'TEE', quantity: 20_000, customer },
    headers,
  )
