/** What customers are told of their orders, as they get it: by a real mail server, an SMS gateway, or as files. */
import { createHmac, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { pagesOf } from '../gateway/documents/pdf-text.contract.js'
import { stockUp } from './support/catalogue.js'
import type { ProblemDocument } from './support/http-call.js'
import { Mailbox, SmsGateway } from './support/post-office.js'
import { expectProblem } from './support/shop.js'
import { TestServer, temporaryDirectory } from './support/test-server.js'

const WAIT = { timeout: 20_000, interval: 25 }
const pounds = (amount: string) => ({ amount, currency: 'GBP' })
const PHONE = '+447400123456'
const SMS_TOKEN = 'a-token-of-the-tests'

interface OrderDocument {
  id: string
  fulfillments: { id: string; status: string }[]
}
interface MessageDocument {
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
const newEmail = (): string => `ada-${emails++}@example.com`

const newOrder = (customer: object, fields: object = {}) => ({
  id: `O-${randomUUID()}`,
  channel: 'web',
  externalId: randomUUID().slice(0, 8),
  currency: 'GBP',
  customer: { name: 'Ada Byron', ...customer },
  shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
  lines: [{ sku: 'TEE', quantity: 1, unitPrice: pounds('10.00') }],
  ...fields,
})

async function place(server: TestServer, customer: object, fields: object = {}): Promise<OrderDocument> {
  const { status, body } = await server.call<OrderDocument>('POST', '/v1/orders', newOrder(customer, fields))
  expect(status).toBe(201)
  return body
}

async function advance(server: TestServer, { id, fulfillments }: OrderDocument, ...actions: string[]): Promise<void> {
  const current = fulfillments[0] ?? (await server.call<OrderDocument>('GET', `/v1/orders/${id}`)).body.fulfillments[0]
  for (const action of actions) {
    const body = action === 'ship' ? { carrier: 'Swift', trackingNumber: 'SP123456785GB' } : {}
    const answer = await server.call('POST', `/v1/fulfillments/${current!.id}/${action}`, { id: action, ...body })
    expect(answer.status).toBe(200)
  }
}
const THROUGH = ['accept', 'pick', 'pack', 'ship', 'deliver']

const messagesOf = async (server: TestServer, order: string) =>
  (await server.call<{ items: MessageDocument[] }>('GET', `/v1/messages?order=${order}`)).body.items

const neverQuiet = { from: '00:00', to: '00:00' }
const brand = (fields: object = {}) => ({ name: 'Lamp & Shade', quietHours: neverQuiet, ...fields })

describe('with a mail server and an SMS gateway', () => {
  let mailbox: Mailbox
  let gateway: SmsGateway
  let server: TestServer
  const args = (): string[] => [
    ...['--smtp-url', mailbox.url, '--mail-from', 'Lamp & Shade <orders@shop.example>'],
    ...['--sms-url', gateway.url, '--sms-account', 'AC1', '--sms-token', SMS_TOKEN, '--sms-from', 'LampShade'],
    ...['--public-url', 'https://shop.example', '--partitions', '2', '--threads', '1'],
  ]
  const subjects = (address: string): string[] =>
    mailbox.of(address).map(({ subject }) => subject.replace(/ [\w-]{8}(?= |$)/, ''))
  const put = async (path: string, body: object): Promise<void> =>
    expect(await server.call('PUT', path, body)).toMatchObject({ status: 200 })

  beforeAll(async () => {
    mailbox = await Mailbox.open()
    gateway = await SmsGateway.open()
    server = await TestServer.start({ args: args() })
    await stockUp(server.url, ['TEE'], 1_000, ['W1', 'S1'])
    await put('/v1/brands/default', brand())
  })

  test('each thing that happens in the life of an order is told once, by mail and by SMS', async () => {
    const email = newEmail()
    const order = await place(server, { email, phone: '07400 123456' })
    await advance(server, order, ...THROUGH)
    const told = ['Your order at Lamp & Shade', 'Your order is on its way', 'Your order was delivered']
    await vi.waitFor(() => expect(subjects(email).sort()).toEqual(told), WAIT)
    await vi.waitFor(() => expect(gateway.of(PHONE)).toHaveLength(3), WAIT)
    expect(mailbox.mails.filter(({ to }) => to === email)).toHaveLength(3)
    const shipped = mailbox.of(email).find(({ subject }) => subject.includes('on its way'))!
    expect(shipped.text).toContain('SP123456785GB')
    expect(shipped.text).toContain('Hello Ada Byron')
    expect(shipped.html).toContain('Lamp &amp; Shade')
    await vi.waitFor(async () => {
      const messages = await messagesOf(server, order.id)
      expect(messages.map(({ state }) => state)).toEqual(Array(6).fill('sent'))
      expect(messages[0]?.content?.to).toBeDefined()
    }, WAIT)
  })

  test('a change, a return and money back are told', async () => {
    const email = newEmail()
    const order = await place(
      server,
      { email },
      { payment: { status: 'pending', amount: pounds('10.00'), provider: 'builtin' } },
    )
    expect((await server.call('PATCH', `/v1/orders/${order.id}`, { notes: 'Leave it with the porter' })).status).toBe(
      200,
    )
    await vi.waitFor(() => expect(subjects(email)).toContain('Your order was changed'), WAIT)
    await advance(server, order, ...THROUGH)
    await vi.waitFor(async () => {
      const { body } = await server.call<{ payment: { captured?: unknown } }>('GET', `/v1/orders/${order.id}`)
      expect(body.payment.captured).toBeDefined()
    }, WAIT)
    const lines = [{ sku: 'TEE', quantity: 1, reason: 'too small' }]
    const { body: found } = await server.call<{ id: string }>('POST', '/v1/returns', { order: order.id, lines })
    await server.call('POST', `/v1/returns/${found.id}/authorize`, { label: false })
    const back = { location: 'S1', lines: [{ sku: 'TEE', quantity: 1, disposition: 'restock' }] }
    expect((await server.call('POST', `/v1/returns/${found.id}/receive`, back)).status).toBe(200)
    await vi.waitFor(() => {
      expect(subjects(email)).toContain('We have your return for order')
      expect(subjects(email)).toContain('Money back for your order')
    }, WAIT)
    expect(new Set(subjects(email)).size).toBe(subjects(email).length)
    const refunded = mailbox.of(email).find(({ subject }) => subject.startsWith('Money back'))!
    expect(refunded.text).toContain('£10.00')
  })

  test('of what is collected in a store only that it was ordered and is ready is told', async () => {
    const email = newEmail()
    const order = await place(server, { email }, { delivery: { method: 'pickup', location: 'S1' } })
    await advance(server, order, 'accept', 'pick', 'pack', 'deliver')
    const last = await place(server, { email })
    await advance(server, last, ...THROUGH)
    await vi.waitFor(() => expect(subjects(email)).toContain('Your order was delivered'), WAIT)
    expect((await messagesOf(server, order.id)).map(({ kind }) => kind).sort()).toEqual([
      'order_confirmation',
      'ready_for_pickup',
    ])
  })

  test('a server that is killed again and again in between tells each thing once', async () => {
    const dataDir = temporaryDirectory()
    const own = [...args()]
    let running = await TestServer.start({ dataDir, args: own })
    await stockUp(running.url, ['TEE'], 1_000, ['W1'])
    await running.call('PUT', '/v1/brands/default', brand())
    const customers = Array.from({ length: 5 }, newEmail)
    const orders: OrderDocument[] = []
    for (const email of customers) orders.push(await place(running, { email }))
    for (const action of THROUGH) {
      for (const order of orders) await advance(running, order, action)
      await running.kill()
      running = await TestServer.start({ dataDir, args: own })
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
    let running = await TestServer.start({ dataDir, args: args() })
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
        running = await TestServer.start({ dataDir, args: args() })
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
    const first = await TestServer.start({ dataDir, args: args() })
    await stockUp(first.url, ['TEE'], 1_000, ['W1'])
    const order = await place(first, { email })
    await vi.waitFor(() => expect(mailbox.of(email)).toHaveLength(1), WAIT)
    await first.kill()
    mailbox.silentTo = undefined
    const second = await TestServer.start({ dataDir, args: args() })
    await vi.waitFor(async () => expect((await messagesOf(second, order.id))[0]?.state).toBe('sent'), WAIT)
    expect(mailbox.mails.filter(({ to }) => to === email)).toHaveLength(2)
    expect(mailbox.of(email)).toHaveLength(1)
  })

  test('an SMS waits for the end of the quiet hours, a mail does not', async () => {
    const email = newEmail()
    const hour = (shift: number) =>
      new Date(Date.now() + shift * 3_600_000).toLocaleTimeString('en-GB', {
        timeZone: 'Europe/London',
        hour: '2-digit',
        minute: '2-digit',
      })
    await put('/v1/brands/night', brand({ channels: ['night'], quietHours: { from: hour(-1), to: hour(2) } }))
    const order = await place(server, { email, phone: '+447400999111' }, { channel: 'night' })
    await vi.waitFor(() => expect(mailbox.of(email)).toHaveLength(1), WAIT)
    await vi.waitFor(async () => {
      const sms = (await messagesOf(server, order.id)).find(({ medium }) => medium === 'sms')
      expect(sms?.state).toBe('queued')
      expect(Date.parse(sms!.sendAt!)).toBeGreaterThan(Date.now() + 3_600_000)
    }, WAIT)
    expect(gateway.of('+447400999111')).toEqual([])
  })

  test('who has said no gets nothing, by the id or the address, and is spoken to in the language that was asked for', async () => {
    const [no, german] = [newEmail(), newEmail()]
    const id = randomUUID()
    await put(`/v1/customers/${id}/consent`, { email: { transactional: false } })
    await put(`/v1/customers/${encodeURIComponent(german)}/consent`, {
      locale: 'de',
      sms: { kinds: { shipped: false } },
    })
    const refused = await place(server, { id, email: no })
    const told = await place(server, { email: german })
    await vi.waitFor(() => expect(mailbox.of(german)[0]?.subject).toMatch(/^Ihre Bestellung/), WAIT)
    await vi.waitFor(async () => {
      expect(await messagesOf(server, refused.id)).toMatchObject([{ state: 'suppressed', reason: 'no_consent' }])
    }, WAIT)
    expect(mailbox.of(no)).toEqual([])
    expect((await messagesOf(server, told.id)).map(({ state }) => state)).toEqual(['sent'])
    const { body } = await server.call('GET', `/v1/customers/${encodeURIComponent(german)}/consent`)
    expect(body).toMatchObject({ locale: 'de' })
  })

  const bounce = (original: string, address: string): string =>
    [
      'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
      '',
      '--b',
      'Content-Type: message/delivery-status',
      '',
      'Reporting-MTA: dns; mx.example.com',
      '',
      `Final-Recipient: rfc822; ${address}`,
      'Action: failed',
      'Status: 5.1.1',
      '',
      '--b',
      'Content-Type: text/rfc822-headers',
      '',
      `Message-ID: ${original}`,
      '',
      '--b--',
      '',
    ].join('\r\n')
  const report = (raw: string) =>
    server.call<{ applied: number; ignored: number }>('POST', '/v1/messages/reports', { report: raw })

  test('a bounce stops all further mail, but only to the address that its mail was really sent to', async () => {
    const [email, other] = [newEmail(), newEmail()]
    const first = await place(server, { email })
    await place(server, { email: other })
    await vi.waitFor(() => expect([...mailbox.of(email), ...mailbox.of(other)]).toHaveLength(2), WAIT)
    const { messageId } = mailbox.of(email)[0]!
    const forged = messageId.replace(/.(?=@)/, (last) => (last === 'A' ? 'B' : 'A'))
    expect((await report(bounce(messageId, other))).body).toEqual({ applied: 0, ignored: 1 })
    expect((await report(bounce(forged, email))).body).toEqual({ applied: 0, ignored: 1 })
    expect((await report(bounce(messageId, email))).body).toEqual({ applied: 1, ignored: 0 })
    expectProblem(await report('no report'), 422, 'invalid')
    expect(await messagesOf(server, first.id)).toMatchObject([{ state: 'sent', report: 'bounce' }])
    const second = await place(server, { email })
    await place(server, { email: other })
    await vi.waitFor(() => expect(mailbox.of(other)).toHaveLength(2), WAIT)
    await vi.waitFor(async () => {
      expect(await messagesOf(server, second.id)).toMatchObject([{ state: 'suppressed', reason: 'suppressed' }])
    }, WAIT)
    expect(mailbox.of(email)).toHaveLength(1)
    const lifted = await server.call('POST', '/v1/suppressions/lift', { medium: 'email', address: email })
    expect(lifted.body).toEqual({ wasSuppressed: true })
    await place(server, { email })
    await vi.waitFor(() => expect(mailbox.of(email)).toHaveLength(2), WAIT)
  })

  test('a mail that its server refuses fails, is seen, and goes out when it is sent again', async () => {
    const email = newEmail()
    mailbox.unknown.add(email)
    const order = await place(server, { email })
    const failed = await vi.waitFor(async () => {
      const [message] = await messagesOf(server, order.id)
      expect(message).toMatchObject({ state: 'failed', reason: 'bad_address' })
      return message!
    }, WAIT)
    expect(failed.detail).toContain('not known here')
    const all = await server.call<{ items: MessageDocument[] }>('GET', '/v1/messages?state=failed')
    expect(all.body.items.map(({ id }) => id)).toContain(failed.id)
    expect(server.stderr).not.toContain(email)
    mailbox.unknown.delete(email)
    await server.call('POST', '/v1/suppressions/lift', { medium: 'email', address: email })
    expect((await server.call('POST', `/v1/messages/${failed.id}/resend`)).status).toBe(202)
    await vi.waitFor(() => expect(mailbox.of(email)).toHaveLength(1), WAIT)
    await vi.waitFor(async () => expect((await messagesOf(server, order.id))[0]?.state).toBe('sent'), WAIT)
    expectProblem(await server.call('POST', '/v1/messages/nothing/resend'), 404, 'unknown_message')
  })

  test('the SMS gateway says by a signed form that a number is dead, and nobody else can', async () => {
    const phone = '+447400222333'
    const order = await place(server, { phone })
    await vi.waitFor(() => expect(gateway.of(phone)).toHaveLength(1), WAIT)
    await vi.waitFor(async () => expect((await messagesOf(server, order.id))[0]?.state).toBe('sent'), WAIT)
    const { callback } = gateway.of(phone)[0]!
    const form = new URLSearchParams({ MessageSid: 'SM1', MessageStatus: 'undelivered', ErrorCode: '30005', To: phone })
    const text = [...form].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => name + value)
    const signature = createHmac('sha1', SMS_TOKEN)
      .update(callback + text.join(''))
      .digest('base64')
    const { pathname, search } = new URL(callback!)
    const send = (signed: string) =>
      server.call('POST', pathname + search, form.toString(), {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': signed,
      })
    expectProblem(await send(`A${signature.slice(1)}`), 403, 'forged')
    expect((await send(signature)).body).toEqual({ applied: true })
    const next = await place(server, { phone })
    await vi.waitFor(async () => {
      expect(await messagesOf(server, next.id)).toMatchObject([{ state: 'suppressed', reason: 'suppressed' }])
    }, WAIT)
  })

  test('a brand’s own template is used for its channel, and one with faults is refused with all of them', async () => {
    await put(
      '/v1/brands/bulbs',
      brand({ name: 'Bulbs', channels: ['bulbs'], from: { address: 'bulbs@shop.example' } }),
    )
    const own = { kind: 'order_confirmation', brand: 'bulbs', locale: 'en' }
    await put('/v1/message-templates/bulbs-confirmation', {
      ...own,
      subject: 'Bright news of {{ order.number }}',
      text: 'Dear {{ customer.name }}, {{ order.total | money }} it is.',
    })
    const email = newEmail()
    await place(server, { email, phone: '+447400444555' }, { channel: 'bulbs' })
    await vi.waitFor(() => expect(mailbox.of(email)).toHaveLength(1), WAIT)
    const [mail] = mailbox.of(email)
    expect(mail?.subject).toMatch(/^Bright news of/)
    expect(mail?.text.trim()).toBe('Dear Ada Byron, £10.00 it is.')
    expect(mail?.raw).toContain('bulbs@shop.example')
    const faulty = await server.call<ProblemDocument>('PUT', '/v1/message-templates/bad', {
      ...own,
      subject: 'Hello {{ customer.nme }}',
      text: '{% if %}',
      html: '{{ order.total | no_such_filter }}',
    })
    expectProblem(faulty, 422, 'invalid')
    expect(faulty.body.errors?.map(({ path }) => path)).toEqual(expect.arrayContaining(['subject', 'text', 'html']))
    expectProblem(await server.call('GET', '/v1/message-templates/bad'), 404, 'unknown_template')
    const shown = await server.call('POST', '/v1/message-templates/preview', { sms: 'Hello {{ customer.name }}' })
    expect(shown.body).toMatchObject({ sms: 'Hello Ada Byron', smsLength: { segments: 1 } })
    const taken = await server.call('PUT', '/v1/brands/others', brand({ channels: ['bulbs'] }))
    expectProblem(taken, 409, 'channel_taken')
    // The one without an sms part is not sent by SMS.
    expect(gateway.of('+447400444555')).toEqual([])
  })

  test('the link in a message opens the order’s page, and changed by one character nothing', async () => {
    const email = newEmail()
    const order = await place(server, { email })
    await advance(server, order, 'accept', 'pick', 'pack', 'ship')
    await vi.waitFor(() => expect(subjects(email)).toContain('Your order is on its way'), WAIT)
    const link = /https:\/\/shop\.example(\/v1\/track\/[\w-]+)/.exec(mailbox.of(email)[0]!.text)?.[1]
    expect(link).toBeDefined()
    const page = await server.call<string>('GET', link!)
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(page.headers.get('cache-control')).toContain('no-store')
    expect(page.body).toContain('SP123456785GB')
    expect(page.body).toContain('Lamp &amp; Shade')
    expect(page.body).not.toContain('Ada')
    for (const at of [10, Math.floor(link!.length / 2), link!.length - 1]) {
      const other = link!.charAt(at) === 'A' ? 'B' : 'A'
      const changed = await server.call('GET', link!.slice(0, at) + other + link!.slice(at + 1))
      expect(changed.status).toBe(404)
    }
  })

  test('the message of a return has a link under which its label is printed, and opens nothing else', async () => {
    const email = newEmail()
    const order = await place(server, { email })
    await advance(server, order, ...THROUGH)
    const lines = [{ sku: 'TEE', quantity: 1, reason: 'too small' }]
    const asked = await server.call<{ id: string }>('POST', '/v1/returns', { order: order.id, lines })
    const path = `/v1/returns/${asked.body.id}`
    expect((await server.call('POST', `${path}/authorize`, { location: 'S1' })).status).toBe(200)
    const mail = await vi.waitFor(() => {
      const found = mailbox.of(email).find(({ subject }) => subject.startsWith('Your return'))
      expect(found).toBeDefined()
      return found!
    }, WAIT)
    const link = /https:\/\/shop\.example(\/v1\/return-labels\/[\w-]+)/.exec(mail.text)?.[1]
    expect(link).toBeDefined()
    expect(mail.html).toContain(link!)
    const printed = await fetch(server.url + link)
    expect(printed.status).toBe(200)
    expect(printed.headers.get('content-type')).toBe('application/pdf')
    expect(printed.headers.get('cache-control')).toContain('no-store')
    const text = pagesOf(Buffer.from(await printed.arrayBuffer()))
      .flat()
      .join(' ')
    const { body: known } = await server.call<{ label: { trackingNumber: string } }>('GET', path)
    expect(text.replace(/\s/g, '')).toContain(known.label.trackingNumber)
    for (const at of [20, Math.floor(link!.length / 2), link!.length - 1]) {
      const other = link!.charAt(at) === 'A' ? 'B' : 'A'
      expect((await server.call('GET', link!.slice(0, at) + other + link!.slice(at + 1))).status).toBe(404)
    }
    // Neither link opens what the other one does.
    const status = /\/v1\/track\/([\w-]+)/.exec(mail.text)![1]!
    expect((await server.call('GET', `/v1/return-labels/${status}`)).status).toBe(404)
    expect((await server.call('GET', link!.replace('return-labels', 'track'))).status).toBe(404)
    const wish = { customer: email, reason: 'asked for', by: 'privacy office' }
    expect((await server.call('POST', '/v1/customers/erase', wish)).status).toBe(200)
    expectProblem(await server.call('GET', link!), 404, 'erased')
  })
})

test('with nothing configured messages are files in the outbox folder, and the API shows them', async () => {
  const server = await TestServer.start()
  await stockUp(server.url, ['TEE'], 1_000, ['W1'])
  await server.call('PUT', '/v1/brands/default', brand())
  const order = await place(server, { email: 'ada@example.com', phone: PHONE })
  const messages = await vi.waitFor(async () => {
    const items = await messagesOf(server, order.id)
    expect(items.map(({ medium, state }) => `${medium} ${state}`).sort()).toEqual(['email sent', 'sms sent'])
    return items
  }, WAIT)
  const outbox = join(server.dataDir, 'outbox')
  const files = readdirSync(outbox)
  expect(files).toHaveLength(2)
  const mail = readFileSync(join(outbox, files.find((name) => name.endsWith('.eml'))!), 'utf8')
  expect(mail).toContain('ada@example.com')
  expect(messages.find(({ medium }) => medium === 'email')?.content).toMatchObject({ to: 'ada@example.com' })
})

test('options that cannot be used are refused with a sentence', async () => {
  const refused = async (...args: string[]) => (await TestServer.refused({ args })).stderr
  expect(await refused('--smtp-url', 'smtp://127.0.0.1:25')).toContain('--mail-from')
  expect(await refused('--public-url', 'http://shop.example')).toContain('--public-url')
  expect(await refused('--sms-account', 'AC1')).toContain('--sms-token')
  expect(await refused('--allow-address', '300.1.2.3')).toContain('300.1.2.3')
})
