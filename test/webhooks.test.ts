/** Outgoing webhooks as their receivers see them: signed, repeated until taken, given up visibly, asked for again. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook as Verifier } from 'standardwebhooks'
import { beforeAll, expect, test, vi } from 'vitest'
import { stockUp } from './support/catalogue.js'
import { expectProblem } from './support/shop.js'
import { TestServer, temporaryDirectory, whenDone } from './support/test-server.js'

const WAIT = { timeout: 90_000, interval: 25 }
const pounds = (amount: string) => ({ amount, currency: 'GBP' })
const ALLOWED = ['--allow-http', '--allow-address', '127.0.0.1', '--partitions', '2', '--threads', '1']

interface Received {
  id: string
  body: string
  headers: Record<string, string>
  event: { type: string; subject: string; id: string }
}
interface DeliveryDocument {
  id: string
  state: string
  event: string
  type: string
  attempts: { status?: number; error?: string }[]
}

/** A receiver on a port of its own, which can go away and come back on it. */
class Receiver {
  readonly received: Received[] = []
  status = 200
  port = 0
  private server: Server | undefined

  static async open(): Promise<Receiver> {
    const receiver = new Receiver()
    await receiver.start()
    whenDone(() => receiver.stop())
    return receiver
  }

  async start(): Promise<void> {
    this.server = createServer((request, response) => {
      void text(request).then((body) => {
        const headers = Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
        )
        const event = JSON.parse(body) as Received['event']
        if (this.status < 300) this.received.push({ id: headers['webhook-id'] ?? '', body, headers, event })
        response.writeHead(this.status).end()
      })
    })
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve))
    this.port = (this.server.address() as AddressInfo).port
  }

  stop(): Promise<unknown> {
    this.server?.closeAllConnections()
    return new Promise((resolve) => (this.server ? this.server.close(resolve) : resolve(undefined)))
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`
  }

  of = (order: string): string[] =>
    this.received.filter(({ event }) => event.subject === `order/${order}`).map(({ event }) => event.type)
}

let server: TestServer
let orders = 0
beforeAll(async () => {
  server = await TestServer.start({ args: ALLOWED })
  await stockUp(server.url, ['TEE'], 1_000, ['W1'])
})

async function place(at: TestServer = server): Promise<string> {
  const id = `O-${orders++}`
  const { status } = await at.call('POST', '/v1/orders', {
    id,
    channel: 'web',
    currency: 'GBP',
    customer: { name: 'Ada Byron' },
    shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
    lines: [{ sku: 'TEE', quantity: 1, unitPrice: pounds('10.00') }],
  })
  expect(status).toBe(201)
  return id
}

const put = (id: string, body: object, at: TestServer = server) =>
  at.call<{ secret?: string; secretCount: number }>('PUT', `/v1/webhooks/${id}`, body)
const deliveries = async (id: string, query = '', at: TestServer = server) =>
  (
    await at.call<{ items: DeliveryDocument[]; nextCursor: string | null }>(
      'GET',
      `/v1/webhooks/${id}/deliveries${query}`,
    )
  ).body

test('each event that a webhook wants is delivered once, signed by its secret, which is shown once', async () => {
  const before = await place()
  const receiver = await Receiver.open()
  const made = await put('signed', { url: receiver.url, events: ['order.*'] })
  expect(made.status).toBe(200)
  expect(made.body.secret).toMatch(/^whsec_/)
  const order = await place()
  await vi.waitFor(() => expect(receiver.of(order)).toContain('order.allocated'), WAIT)
  await vi.waitFor(async () => expect((await deliveries('signed', '?state=waiting')).items).toEqual([]), WAIT)
  expect(receiver.of(order).filter((type) => type === 'order.received')).toHaveLength(1)
  expect(receiver.received.every(({ event }) => event.type.startsWith('order.'))).toBe(true)
  // What happened before it was made is not told.
  expect(receiver.of(before)).toEqual([])
  const verifier = new Verifier(made.body.secret!)
  for (const { body, headers } of receiver.received) {
    expect(verifier.verify(body, headers)).toMatchObject({ specversion: '1.0' })
    expect(() => verifier.verify(`${body} `, headers)).toThrow()
  }
  expect(receiver.received.map(({ id }) => id)).toEqual(receiver.received.map(({ event }) => event.id))
  const again = await put('signed', { url: receiver.url, events: ['order.*'] })
  expect(again.body).toMatchObject({ secretCount: 1 })
  expect(again.body.secret).toBeUndefined()
  expect(JSON.stringify((await server.call('GET', '/v1/webhooks/signed')).body)).not.toContain('whsec_')
  expect(JSON.stringify((await server.call('GET', '/v1/webhooks')).body)).not.toContain('whsec_')
})

test('after a rotation the new secret and the old one are good', async () => {
  const receiver = await Receiver.open()
  const { secret: old } = (await put('rotated', { url: receiver.url, events: ['order.received'] })).body
  const key = { 'idempotency-key': 'rotation' }
  const rotated = await server.call<{ secret: string }>('POST', '/v1/webhooks/rotated/rotate-secret', undefined, key)
  expect(rotated.body).toMatchObject({ secretCount: 2 })
  await place()
  await vi.waitFor(() => expect(receiver.received).toHaveLength(1), WAIT)
  const { body, headers } = receiver.received[0]!
  for (const secret of [old!, rotated.body.secret]) expect(new Verifier(secret).verify(body, headers)).toBeDefined()
})

test('what a receiver misses while it is away comes when it is back, also where the server is killed meanwhile', async () => {
  const dataDir = temporaryDirectory()
  const receiver = await Receiver.open()
  let own = await TestServer.start({ dataDir, args: ALLOWED })
  await stockUp(own.url, ['TEE'], 1_000, ['W1'])
  expect((await put('away', { url: receiver.url, events: ['order.received'] }, own)).status).toBe(200)
  await receiver.stop()
  const missed = [await place(own), await place(own), await place(own)]
  await vi.waitFor(async () => expect((await deliveries('away', '?state=waiting', own)).items).toHaveLength(3), WAIT)
  await own.kill()
  own = await TestServer.start({ dataDir, args: ALLOWED })
  await receiver.start()
  await vi.waitFor(() => expect(new Set(receiver.received.map(({ event }) => event.subject)).size).toBe(3), WAIT)
  for (const order of missed) expect(receiver.of(order)).toEqual(['order.received'])
  await vi.waitFor(async () => expect((await deliveries('away', '?state=delivered', own)).items).toHaveLength(3), WAIT)
  const [first] = (await deliveries('away', '?limit=1', own)).items
  expect(first?.state).toBe('delivered')
})

test('a receiver that says that it is gone ends the webhook; put again, what was given up is delivered when asked for', async () => {
  const receiver = await Receiver.open()
  const body = { url: receiver.url, events: ['order.received'] }
  expect((await put('gone', body)).status).toBe(200)
  receiver.status = 410
  await place()
  const dead = await vi.waitFor(async () => {
    const { items } = await deliveries('gone', '?state=dead')
    expect(items).toHaveLength(1)
    return items[0]!
  }, WAIT)
  expect(dead.attempts.at(-1)).toMatchObject({ status: 410 })
  expect((await server.call('GET', '/v1/webhooks/gone')).body).toMatchObject({ enabled: false })
  const redeliver = (id: string) => server.call('POST', `/v1/webhooks/gone/deliveries/${id}/redeliver`)
  expectProblem(await redeliver(dead.id), 409, 'webhook_off')
  receiver.status = 200
  expect((await put('gone', { ...body, enabled: true })).status).toBe(200)
  expect((await redeliver(dead.id)).status).toBe(202)
  await vi.waitFor(() => expect(receiver.received.map(({ id }) => id)).toEqual([dead.event]), WAIT)
  await vi.waitFor(async () => expect((await deliveries('gone')).items[0]?.state).toBe('delivered'), WAIT)
  expectProblem(await redeliver('nothing'), 404, 'unknown_delivery')
})

test('deliveries come in pages, newest first', async () => {
  const receiver = await Receiver.open()
  await put('paged', { url: receiver.url, events: ['order.received'] })
  for (let count = 0; count < 3; count++) await place()
  await vi.waitFor(async () => expect((await deliveries('paged', '?state=delivered')).items).toHaveLength(3), WAIT)
  const all = (await deliveries('paged')).items.map(({ id }) => id)
  expect(all).toEqual([...all].sort().reverse())
  const first = await deliveries('paged', '?limit=2')
  const rest = await deliveries('paged', `?limit=2&cursor=${first.nextCursor}`)
  expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(all)
})

test('addresses within the network are refused unless the operator allows them, and so is plain HTTP', async () => {
  const strict = await TestServer.start()
  const events = ['>']
  for (const url of [
    'https://127.0.0.1/',
    'https://localhost/',
    'https://10.0.0.1/',
    'https://169.254.169.254/',
    'http://shop.example/',
  ]) {
    const answer = await put('refused', { url, events }, strict)
    expectProblem(answer, 422, 'invalid')
  }
  expect((await put('fine', { url: 'https://shop.example/hook', events }, strict)).status).toBe(200)
  expectProblem(await put('fine', { url: 'https://shop.example/hook', events: ['Order!'] }, strict), 422, 'invalid')
  expectProblem(await strict.call('GET', '/v1/webhooks/nothing'), 404, 'unknown_webhook')
  const link = await server.call('PUT', '/v1/webhooks/link', { url: 'http://169.254.169.254/', events })
  expectProblem(link, 422, 'invalid')
})

test('an event that a reader has given up is seen, and handled when it is sent again', async () => {
  const letters = await server.call<{ items: unknown[] }>('GET', '/v1/dead-letters?consumer=messages')
  expect(letters).toMatchObject({ status: 200, body: { items: [] } })
  // What goes wrong with three lines only: the sample is short, the customer's order is not.
  const template = {
    kind: 'order_confirmation',
    locale: 'en',
    subject: 'Order',
    text: '{% for line in order.lines %}{% if forloop.index > 2 %}{{ line.sku | money }}{% endif %}{% endfor %}Order',
  }
  expect((await server.call('PUT', '/v1/message-templates/long', template)).status).toBe(200)
  const id = `O-${orders++}`
  await server.call('POST', '/v1/orders', {
    id,
    channel: 'web',
    currency: 'GBP',
    customer: { name: 'Ada Byron', email: 'ada@example.com' },
    shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
    lines: Array.from({ length: 3 }, () => ({ sku: 'TEE', quantity: 1, unitPrice: pounds('10.00') })),
  })
  const letter = await vi.waitFor(async () => {
    const { body } = await server.call<{ items: { id: string; reason: string }[] }>(
      'GET',
      '/v1/dead-letters?consumer=messages',
    )
    expect(body.items).toHaveLength(1)
    return body.items[0]!
  }, WAIT)
  expect(letter.reason).toContain('text')
  const resend = () => server.call('POST', `/v1/dead-letters/${encodeURIComponent(letter.id)}/resend`)
  expectProblem(await resend(), 409, 'still_failing')
  expect((await server.call('PUT', '/v1/message-templates/long', { ...template, enabled: false })).status).toBe(200)
  expect((await resend()).status).toBe(200)
  await vi.waitFor(async () => {
    const { body } = await server.call<{ items: { state: string }[] }>('GET', `/v1/messages?order=${id}`)
    expect(body.items.map(({ state }) => state)).toEqual(['sent'])
  }, WAIT)
  expectProblem(await resend(), 404, 'unknown_dead_letter')
})
