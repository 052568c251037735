import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { Webhook as Verifier } from 'standardwebhooks'
import { afterEach, describe, expect, it } from 'vitest'
import type { CloudEvent } from '../events.js'
import { OutwardClient } from '../outward/outward-http.js'
import { afterAttempt, attempt, type Delivery, newDelivery, redelivery } from './delivery.js'
import { ATTEMPTS_MAX, DELAYS_MS } from './schedule.js'
import { newSecret, type Webhook } from './webhook.js'

interface Received {
  headers: Record<string, string>
  body: string
}

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const event: CloudEvent = {
  specversion: '1.0',
  id: '0-42',
  source: '/doorbuster',
  type: 'order.received',
  subject: 'order/7',
  time: '2026-03-04T05:06:07.000Z',
  datacontenttype: 'application/json',
  data: { id: '7', customer: 'Ada Byron', note: 'crème brûlée 🍮' },
}

const plain = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))

async function receiver(
  answer: (response: ServerResponse, count: number) => void = (response) => void response.writeHead(204).end(),
): Promise<{ webhook: Webhook; received: Received[]; client: OutwardClient; close: () => Promise<unknown> }> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      received.push({ headers: plain(request.headers), body: Buffer.concat(pieces).toString() })
      answer(response, received.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = (): Promise<unknown> => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  closing.push(close)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=hidden-query`
  const client = new OutwardClient({
    policy: { allowHttp: true, allowed: ['127.0.0.1'] },
    timeouts: { headersMs: 200 },
  })
  closing.push(() => client.close())
  return { webhook: { id: 'erp', url, secrets: [newSecret()], events: ['>'], enabled: true }, received, client, close }
}

describe('an attempt', () => {
  it('is a POST of the event that a receiver verifies by the Standard Webhooks library', async () => {
    const { webhook, received, client } = await receiver()
    const nowMs = Date.now()
    const result = await attempt(webhook, newDelivery('d1', webhook, event, nowMs), event, client, nowMs)
    expect(result).toEqual({ atMs: nowMs, durationMs: expect.any(Number), status: 204 })
    const { headers, body } = received[0]!
    expect(new Verifier(webhook.secrets[0]!).verify(body, headers)).toEqual(event)
    expect(headers).toMatchObject({ 'webhook-id': '0-42', 'content-type': 'application/json' })
    expect(Number(headers['webhook-timestamp'])).toBe(Math.floor(nowMs / 1_000))
  })

  it('is verified by each secret that is active, and by no other', async () => {
    const { webhook, received, client } = await receiver()
    const old = webhook.secrets[0]!
    const fresh = newSecret()
    const rotated = { ...webhook, secrets: [fresh, old] }
    const nowMs = Date.now()
    await attempt(rotated, newDelivery('d1', rotated, event, nowMs), event, client, nowMs)
    const { headers, body } = received[0]!
    for (const secret of [old, fresh]) expect(new Verifier(secret).verify(body, headers)).toEqual(event)
    expect(() => new Verifier(newSecret()).verify(body, headers)).toThrow(/signature/)
  })

  it('is refused by a verifier where a byte of it is changed, a header is missing, or it is replayed later', async () => {
    const { webhook, received, client } = await receiver()
    const nowMs = Date.now()
    const delivery = newDelivery('d1', webhook, event, nowMs)
    await attempt(webhook, delivery, event, client, nowMs)
    const { headers, body } = received[0]!
    const verifier = new Verifier(webhook.secrets[0]!)
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 127 }), (at, change) => {
        const changed = body.slice(0, at) + String.fromCharCode(body.charCodeAt(at) ^ change) + body.slice(at + 1)
        expect(() => verifier.verify(changed, headers)).toThrow()
      }),
      { numRuns: 50 },
    )
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
      const { [name]: taken, ...others } = headers
      expect(() => verifier.verify(body, others)).toThrow(/Missing/)
      expect(() => verifier.verify(body, { ...headers, [name]: `${taken}0` })).toThrow()
    }
    const earlierMs = nowMs - 6 * 60_000
    await attempt(webhook, delivery, event, client, earlierMs)
    const replayed = received[1]!
    expect(() => verifier.verify(replayed.body, replayed.headers)).toThrow(/too old/)
    const forged = { ...replayed.headers, 'webhook-timestamp': headers['webhook-timestamp']! }
    expect(() => verifier.verify(replayed.body, forged)).toThrow(/No matching/)
  })

  it('says what came of it and never fails: errors, redirects, timeouts, no connection, no address, no secret', async () => {
    const answers: ((response: ServerResponse) => void)[] = [
      (response) => response.writeHead(500).end('Ada Byron'),
      (response) => response.writeHead(302, { location: 'https://elsewhere.example' }).end(),
      (response) => response.writeHead(429, { 'retry-after': '60' }).end(),
      () => {},
      (response) => response.destroy(),
    ]
    const { webhook, client, close } = await receiver((response, count) => answers[count - 1]!(response))
    const delivery = newDelivery('d1', webhook, event, 0)
    const results = []
    for (const _ of answers) results.push(await attempt(webhook, delivery, event, client, 0))
    await close()
    results.push(await attempt(webhook, delivery, event, client, 0))
    results.push(await attempt({ ...webhook, url: 'http://169.254.169.254/' }, delivery, event, client, 0))
    results.push(await attempt({ ...webhook, secrets: ['whsec_'] }, delivery, event, client, 0))
    expect(results).toMatchObject([
      { status: 500, error: expect.stringContaining('was answered 500') },
      { status: 302, error: expect.stringContaining('not followed') },
      { status: 429, retryAfterMs: 60_000 },
      { error: expect.stringContaining('not answered in time') },
      { error: expect.stringContaining('cannot be reached') },
      { error: expect.stringContaining('ECONNREFUSED') },
      { error: expect.stringContaining('may not be called') },
      { error: expect.stringContaining('cannot be signed') },
    ])
    expect(JSON.stringify(results)).not.toMatch(/Ada|hidden/)
  })

  it('ends well where the receiver answers 200 and then without end', async () => {
    const { webhook, client } = await receiver((response) => {
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000))) {}
      }
      response.on('drain', write)
      write()
    })
    const delivery = newDelivery('d1', webhook, event, 0)
    expect(await attempt(webhook, delivery, event, client, 0)).toMatchObject({ status: 200 })
  })
})

describe('a delivery', () => {
  const webhook: Webhook = { id: 'erp', url: 'https://erp.example/', secrets: [], events: ['>'], enabled: true }
  const failure = { atMs: 0, durationMs: 1, error: 'POST erp.example cannot be reached.' }

  it('is tried again at growing distances and is dead after the last attempt', () => {
    let delivery: Delivery = newDelivery('d1', webhook, event, 1_000)
    let nowMs = 1_000
    const distances: number[] = []
    while (delivery.state === 'waiting') {
      expect(delivery.nextMs).toBeGreaterThanOrEqual(nowMs)
      distances.push(delivery.nextMs - nowMs)
      nowMs = delivery.nextMs
      delivery = afterAttempt(delivery, { ...failure, atMs: nowMs }, nowMs, 0.5).delivery
    }
    expect(distances).toEqual([0, ...DELAYS_MS])
    expect(delivery).toMatchObject({ state: 'dead', tries: ATTEMPTS_MAX })
    expect(delivery.attempts).toHaveLength(ATTEMPTS_MAX)
    expect(delivery).not.toHaveProperty('nextMs')
  })

  it.each([
    [200, 'delivered', false],
    [204, 'delivered', false],
    [301, 'waiting', false],
    [400, 'waiting', false],
    [404, 'waiting', false],
    [410, 'dead', true],
    [500, 'waiting', false],
  ])('that is answered %i is %s', (status, state, isGone) => {
    const error = status < 300 ? {} : { error: `POST erp.example was answered ${status}.` }
    const result = { atMs: 5, durationMs: 1, status, ...error }
    const after = afterAttempt(newDelivery('d1', webhook, event, 0), result, 6, 0)
    expect(after).toMatchObject({ delivery: { state, attempts: [result] }, isGone })
  })

  it('that is asked for again keeps its id, its event and what was tried, and has a whole round of attempts', () => {
    const dead = afterAttempt(newDelivery('d1', webhook, event, 0), { ...failure, status: 410 }, 0, 0).delivery
    const again = redelivery(dead, 9_000)
    expect(again).toEqual({ ...dead, state: 'waiting', queuedAtMs: 9_000, nextMs: 9_000, tries: 0 })
    expect(afterAttempt(again, failure, 9_000, 0.5).delivery).toMatchObject({ state: 'waiting', nextMs: 14_000 })
  })

  it('remembers a bounded number of attempts, however often it is asked for', () => {
    let delivery: Delivery = newDelivery('d1', webhook, event, 0)
    for (let round = 0; round < 100; round++)
      delivery = afterAttempt(redelivery(delivery, round), { ...failure, atMs: round }, round, 0).delivery
    expect(delivery.attempts).toHaveLength(33)
    expect(delivery.attempts.at(-1)).toMatchObject({ atMs: 99 })
  })

  it('is not made of an event whose id could not be told from what is signed behind it', () => {
    for (const id of ['a.b', '', 'a\r\nb', 'x'.repeat(201)])
      expect(() => newDelivery('d1', webhook, { ...event, id }, 0)).toThrow(RangeError)
  })

  it('has the same webhook-id and body with each attempt', async () => {
    const { webhook: erp, received, client } = await receiver((response) => response.writeHead(503).end())
    const first = newDelivery('d1', erp, event, Date.now())
    const second = afterAttempt(first, await attempt(erp, first, event, client, Date.now()), Date.now(), 0).delivery
    await attempt(erp, redelivery(second, Date.now()), event, client, Date.now() + 60_000)
    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual(['0-42', '0-42'])
    expect(received[0]!.body).toBe(received[1]!.body)
    expect(received[0]!.headers['webhook-signature']).not.toBe(received[1]!.headers['webhook-signature'])
  })
})
