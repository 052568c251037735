/** What customers are told of their orders, as they get it: by a real mail server, an SMS gateway, or as files. */
import { createHmac, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { pagesOf } from '../gateway/documents/pdf-text.contract.js'
import { MESSAGE_KINDS } from '../gateway/notify/message-kinds.js'
import { place as placeFields, stockUp } from './support/catalogue.js'
import {
  advance,
  brand,
  type MessageDocument,
  messagesOf,
  newEmail,
  type OrderDocument,
  PHONE,
  place,
  SMS_TOKEN,
  sendingBy,
  THROUGH,
  WAIT,
} from './support/customer-messages.js'
import type { ProblemDocument } from './support/http-call.js'
import { Mailbox, SmsGateway } from './support/post-office.js'
import { expectProblem } from './support/shop.js'
import { TestServer } from './support/test-server.js'

const pounds = (amount: string) => ({ amount, currency: 'GBP' })

describe('with a mail server and an SMS gateway', () => {
  let mailbox: Mailbox
  let gateway: SmsGateway
  let server: TestServer
  const subjects = (address: string): string[] =>
    mailbox.of(address).map(({ subject }) => subject.replace(/ [\w-]{8}(?= |$)/, ''))
  const put = async (path: string, body: object): Promise<void> =>
    expect(await server.call('PUT', path, body)).toMatchObject({ status: 200 })

  beforeAll(async () => {
    mailbox = await Mailbox.open()
    gateway = await SmsGateway.open()
    server = await TestServer.start({ args: sendingBy(mailbox, gateway) })
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

  /** A report of a mail server about a mail, with what it says for machines. */
  const reportOf = (type: 'delivery-status' | 'feedback-report', machine: string[], original: string): string =>
    [
      `Content-Type: multipart/report; report-type=${type}; boundary="b"`,
      '',
      '--b',
      `Content-Type: message/${type}`,
      '',
      ...machine,
      '',
      '--b',
      'Content-Type: text/rfc822-headers',
      '',
      `Message-ID: ${original}`,
      '',
      '--b--',
      '',
    ].join('\r\n')
  const bounce = (original: string, address: string): string => {
    const recipient = [`Final-Recipient: rfc822; ${address}`, 'Action: failed', 'Status: 5.1.1']
    return reportOf('delivery-status', ['Reporting-MTA: dns; mx.example.com', '', ...recipient], original)
  }
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

  test('a complaint stops all further mail to whoever complained, and to nobody else', async () => {
    const [email, other] = [newEmail(), newEmail()]
    const first = await place(server, { email })
    await place(server, { email: other })
    await vi.waitFor(() => expect([...mailbox.of(email), ...mailbox.of(other)]).toHaveLength(2), WAIT)
    // As providers send it: the address is blacked out.
    const machine = ['Feedback-Type: abuse', 'User-Agent: Example/1.0', 'Version: 1']
    const complaint = reportOf('feedback-report', machine, mailbox.of(email)[0]!.messageId)
    expect((await report(complaint)).body).toEqual({ applied: 1, ignored: 0 })
    expect(await messagesOf(server, first.id)).toMatchObject([{ state: 'sent', report: 'complaint' }])
    const second = await place(server, { email })
    await place(server, { email: other })
    await vi.waitFor(async () => {
      expect(await messagesOf(server, second.id)).toMatchObject([{ state: 'suppressed', reason: 'suppressed' }])
    }, WAIT)
    await vi.waitFor(() => expect(mailbox.of(other)).toHaveLength(2), WAIT)
    expect(mailbox.of(email)).toHaveLength(1)
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

/** A parcel takes seconds from the door of the warehouse to the customer's. */
const FAST = ['--simulated-carrier-speed', '2000000']

test('customers are told of everything that there is a message for, each once, by mail and by SMS', async () => {
  const [mailbox, gateway] = [await Mailbox.open(), await SmsGateway.open()]
  const server = await TestServer.start({ args: [...sendingBy(mailbox, gateway), ...FAST] })
  await stockUp(server.url, ['TEE'], 100, ['W1', 'S1'])
  // From abroad it takes longer.
  const address = { line1: '1 Rue Royale', city: 'Paris', postalCode: '75008', country: 'FR' }
  const abroad = placeFields('P1', { address, latitude: 48.87, longitude: 2.32, timeZone: 'Europe/Paris' })
  expect((await server.call('PUT', '/v1/locations/P1', abroad)).status).toBe(200)
  expect((await server.call('PUT', '/v1/products/RARE', { name: 'Rare' })).status).toBe(200)
  for (const location of ['W1', 'P1']) await server.call('PUT', `/v1/inventory/RARE/${location}`, { onHand: 1 })
  await server.call('PUT', '/v1/brands/default', brand())
  const email = newEmail()
  const customer = { email, phone: PHONE }
  const post = async (path: string, body: object = {}): Promise<{ id: string }> => {
    const answer = await server.call<{ id: string }>('POST', path, body)
    expect(answer.status, `${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300)
    return answer.body
  }
  const fulfillmentOf = (order: string) =>
    vi.waitFor(async () => {
      const { fulfillments } = (await server.call<OrderDocument>('GET', `/v1/orders/${order}`)).body
      expect(fulfillments).not.toEqual([])
      return fulfillments[0]!.id
    }, WAIT)

  const life = await place(server, customer, {
    payment: { status: 'pending', amount: pounds('10.00'), provider: 'builtin' },
  })
  expect((await server.call('PATCH', `/v1/orders/${life.id}`, { notes: 'Leave it with the porter' })).status).toBe(200)
  const parcel = await fulfillmentOf(life.id)
  await post(`/v1/fulfillments/${parcel}/labels`, { packages: [{ weightGrams: 500 }] })
  for (const action of ['accept', 'pick', 'pack', 'ship']) await post(`/v1/fulfillments/${parcel}/${action}`)
  await vi.waitFor(async () => {
    const { body } = await server.call('GET', `/v1/orders/${life.id}`)
    expect(body).toMatchObject({ status: 'delivered', payment: { captured: pounds('10.00') } })
  }, WAIT)
  const lines = [{ sku: 'TEE', quantity: 1 }]
  const back = await post('/v1/returns', { order: life.id, lines: [{ ...lines[0], reason: 'too small' }] })
  await post(`/v1/returns/${back.id}/authorize`, { location: 'S1' })
  await post(`/v1/returns/${back.id}/receive`, { location: 'S1', lines: [{ ...lines[0], disposition: 'restock' }] })

  const held = await place(server, customer)
  await post(`/v1/orders/${held.id}/hold`, { reason: 'a look at it' })
  await post(`/v1/orders/${held.id}/cancel`, { reason: 'changed my mind' })
  const collected = await place(server, customer, { delivery: { method: 'pickup', location: 'S1' } })
  await advance(server, collected, 'accept', 'pick', 'pack')
  const late = await place(server, customer, { lines: [{ sku: 'RARE', quantity: 1, unitPrice: pounds('10.00') }] })
  await post(`/v1/fulfillments/${await fulfillmentOf(late.id)}/reject`, { reason: 'too busy' })

  const messages = await vi.waitFor(async () => {
    const orders = [life, held, collected, late]
    const found = (await Promise.all(orders.map(({ id }) => messagesOf(server, id)))).flat()
    expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(MESSAGE_KINDS))
    expect(found.filter(({ state }) => state !== 'sent')).toEqual([])
    return found
  }, WAIT)
  // Each order is confirmed, each round that a parcel goes on is told, and what else there is once.
  const { body: way } = await server.call<{ fulfillments: { trackingNumber: string }[] }>(
    'GET',
    `/v1/orders/${life.id}`,
  )
  const tracking = `/v1/tracking/${way.fulfillments[0]!.trackingNumber}`
  const { body: known } = await server.call<{ events: { type: string }[] }>('GET', tracking)
  const rounds = known.events.filter(({ type }) => type === 'out_for_delivery').length
  const others = MESSAGE_KINDS.filter((kind) => kind !== 'out_for_delivery' && kind !== 'order_confirmation')
  const confirmed = Array(4).fill('order_confirmation')
  const expected = [...others, ...confirmed, ...Array(rounds).fill('out_for_delivery')].sort()
  for (const medium of ['email', 'sms']) {
    const kinds = messages.filter((one) => one.medium === medium).map(({ kind }) => kind)
    expect(kinds.sort()).toEqual(expected)
  }
  expect(mailbox.mails.filter(({ to }) => to === email)).toHaveLength(expected.length)
  expect(gateway.received.filter(({ to }) => to === PHONE)).toHaveLength(expected.length)
  const dead = await server.call<{ items: object[] }>('GET', '/v1/dead-letters')
  expect(dead.body.items).toEqual([])
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
