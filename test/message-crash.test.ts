/** A server that is killed while it tells customers of their orders: each thing is told once, by which receivers know it. */
import { beforeAll, expect, test, vi } from 'vitest'
import { stockUp } from './support/catalogue.js'
import {
  advance,
  brand,
  messagesOf,
  newEmail,
  newOrder,
  type OrderDocument,
  place,
  sendingBy,
  THROUGH,
  WAIT,
} from './support/customer-messages.js'
import { Mailbox, SmsGateway } from './support/post-office.js'
import { TestServer, temporaryDirectory } from './support/test-server.js'

let mailbox: Mailbox
let gateway: SmsGateway
let args: string[]
beforeAll(async () => {
  mailbox = await Mailbox.open()
  gateway = await SmsGateway.open()
  args = sendingBy(mailbox, gateway)
})

test('a server that is killed again and again in between tells each thing once', async () => {
  const dataDir = temporaryDirectory()
  let running = await TestServer.start({ dataDir, args })
  await stockUp(running.url, ['TEE'], 1_000, ['W1'])
  await running.call('PUT', '/v1/brands/default', brand())
  const customers = Array.from({ length: 5 }, newEmail)
  const orders: OrderDocument[] = []
  for (const email of customers) orders.push(await place(running, { email }))
  for (const action of THROUGH) {
    for (const order of orders) await advance(running, order, action)
    await running.kill()
    running = await TestServer.start({ dataDir, args })
  }
  await vi.waitFor(async () => {
    for (const { id } of orders) {
      const messages = await messagesOf(running, id)
      expect(messages.map(({ kind, state }) => `${kind} ${state}`).sort()).toEqual([
        'delivered sent',
        'order_confirmation sent',
        'shipped sent',
      ])
    }
  }, WAIT)
  for (const email of customers) expect(mailbox.of(email)).toHaveLength(3)
}, 180_000)
test('a burst of messages in whose middle the server is killed again and again reaches each customer once', async () => {
  const dataDir = temporaryDirectory()
  let running = await TestServer.start({ dataDir, args })
  await stockUp(running.url, ['TEE'], 1_000, ['W1'])
  await running.call('PUT', '/v1/brands/default', brand())
  const customers = Array.from({ length: 120 }, (_, at) => ({
    name: 'Ada Byron',
    email: newEmail(),
    phone: `+4474009${String(10_000 + at)}`,
  }))
  const taken = () => ({
    mails: mailbox.mails.filter(({ to }) => customers.some(({ email }) => email === to)),
    texts: gateway.received.filter(({ to }) => customers.some(({ phone }) => phone === to)),
  })
  const reached = () => new Set(taken().mails.map(({ to }) => to)).size
  const orders = customers.map((customer) => newOrder(customer))
  const half = orders.length / 2
  let kills = 0
  for (const some of [orders.slice(0, half), orders.slice(half)]) {
    expect((await running.call('POST', '/v1/bulk/orders', { orders: some })).status).toBe(200)
    const before = reached()
    for (const share of [0.2, 0.5, 0.8]) {
      // Some are on their way just now: what the server was told of them it takes to its grave.
      const enough = () => expect(reached() - before).toBeGreaterThan(share * half)
      await vi.waitFor(enough, { ...WAIT, interval: 1 })
      if (reached() - before < half) kills++
      await running.kill()
      running = await TestServer.start({ dataDir, args })
    }
    await vi.waitFor(async () => {
      for (const { id } of some) {
        const messages = await messagesOf(running, id)
        expect(messages.map(({ medium, state }) => `${medium} ${state}`).sort()).toEqual(['email sent', 'sms sent'])
      }
    }, WAIT)
  }
  expect(kills, 'the server was killed while messages were left').toBeGreaterThan(1)
  const { mails, texts } = taken()
  // An event of an order is one Message-ID and one idempotency key, however often a crash has let it be sent.
  for (const { email, phone } of customers) {
    expect(new Set(mails.filter(({ to }) => to === email).map(({ messageId }) => messageId)).size, email).toBe(1)
    expect(new Set(texts.filter(({ to }) => to === phone).map(({ key }) => key)).size, phone).toBe(1)
  }
  expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(customers.length)
  expect(new Set(texts.map(({ key }) => key)).size).toBe(customers.length)
  // At most what was under way at each kill.
  expect(mails.length - customers.length).toBeLessThanOrEqual(8 * 6)
}, 180_000)
test('a mail whose server was killed before it heard that it was taken comes again as the same mail', async () => {
  const dataDir = temporaryDirectory()
  const email = newEmail()
  mailbox.silentTo = email
  const first = await TestServer.start({ dataDir, args })
  await stockUp(first.url, ['TEE'], 1_000, ['W1'])
  const order = await place(first, { email })
  await vi.waitFor(() => expect(mailbox.of(email)).toHaveLength(1), WAIT)
  await first.kill()
  mailbox.silentTo = undefined
  const second = await TestServer.start({ dataDir, args })
  await vi.waitFor(async () => expect((await messagesOf(second, order.id))[0]?.state).toBe('sent'), WAIT)
  expect(mailbox.mails.filter(({ to }) => to === email)).toHaveLength(2)
  expect(mailbox.of(email)).toHaveLength(1)
})
