/** What tests of messages to customers have in common: orders, their steps, and what is told of them. */
import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { Mailbox, SmsGateway } from './post-office.js'
import type { TestServer } from './test-server.js'

export const WAIT = { timeout: 20_000, interval: 25 }
const pounds = (amount: string) => ({ amount, currency: 'GBP' })
export const PHONE = '+447400123456'
export const SMS_TOKEN = 'a-token-of-the-tests'

export interface OrderDocument {
  id: string
  fulfillments: { id: string; status: string }[]
}
export interface MessageDocument {
  id: string
  kind: string
  medium: string
  state: string
  reason?: string
  report?: string
  detail?: string
  sendAt?: string
  content?: { to: string; subject: string; text: string; html: string }
}

let emails = 0
export const newEmail = (): string => `ada-${emails++}@example.com`

export const newOrder = (customer: object, fields: object = {}) => ({
  id: `O-${randomUUID()}`,
  channel: 'web',
  externalId: randomUUID().slice(0, 8),
  currency: 'GBP',
  customer: { name: 'Ada Byron', ...customer },
  shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
  lines: [{ sku: 'TEE', quantity: 1, unitPrice: pounds('10.00') }],
  ...fields,
})

export async function place(server: TestServer, customer: object, fields: object = {}): Promise<OrderDocument> {
  const { status, body } = await server.call<OrderDocument>('POST', '/v1/orders', newOrder(customer, fields))
  expect(status).toBe(201)
  return body
}

export async function advance(
  server: TestServer,
  { id, fulfillments }: OrderDocument,
  ...actions: string[]
): Promise<void> {
  const current = fulfillments[0] ?? (await server.call<OrderDocument>('GET', `/v1/orders/${id}`)).body.fulfillments[0]
  for (const action of actions) {
    const body = action === 'ship' ? { carrier: 'Swift', trackingNumber: 'SP123456785GB' } : {}
    const answer = await server.call('POST', `/v1/fulfillments/${current!.id}/${action}`, { id: action, ...body })
    expect(answer.status).toBe(200)
  }
}
export const THROUGH = ['accept', 'pick', 'pack', 'ship', 'deliver']

export const messagesOf = async (server: TestServer, order: string) =>
  (await server.call<{ items: MessageDocument[] }>('GET', `/v1/messages?order=${order}`)).body.items

const neverQuiet = { from: '00:00', to: '00:00' }
export const brand = (fields: object = {}) => ({ name: 'Lamp & Shade', quietHours: neverQuiet, ...fields })

/** Options of a server that sends by these. */
export const sendingBy = (mailbox: Mailbox, gateway: SmsGateway): string[] => [
  ...['--smtp-url', mailbox.url, '--mail-from', 'Lamp & Shade <orders@shop.example>'],
  ...['--sms-url', gateway.url, '--sms-account', 'AC1', '--sms-token', SMS_TOKEN, '--sms-from', 'LampShade'],
  ...['--public-url', 'https://shop.example', '--partitions', '2', '--threads', '1'],
]
