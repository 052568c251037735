import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import pino from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { OutwardError } from './outward-error.js'
import { OutwardClient } from './outward-http.js'
import type { OutwardOptions } from './outward-request.js'
import { fullJitterMs, retryAfterMs } from './retry-delay.js'

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function serve(handler: Handler): Promise<{ url: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    let body = ''
    request.on('data', (piece) => {
      body += piece
    })
    request.on('end', () => handler(request, response, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

/** A client whose waits are noted and not waited for. */
function clientOf(options: OutwardOptions = {}): { client: OutwardClient; waits: number[] } {
  const waits: number[] = []
  const client = new OutwardClient({
    policy: { allowHttp: true, allowed: ['127.0.0.1'] },
    random: () => 0.5,
    sleep: async (ms) => {
      waits.push(ms)
    },
    ...options,
  })
  closing.push(() => client.close())
  return { client, waits }
}

const failureOf = (call: Promise<unknown>): Promise<OutwardError> =>
  call.then(
    () => Promise.reject(new Error('it was answered')),
    (error) => error as OutwardError, // the client rejects with nothing else, which the tests check by its code
  )

describe('a call', () => {
  it('sends JSON and gives the JSON that is answered', async () => {
    const { url } = await serve((request, response, body) => {
      const { 'content-type': type, accept, authorization } = request.headers
      response.end(JSON.stringify({ method: request.method, path: request.url, type, accept, authorization, body }))
    })
    const { client } = clientOf()
    const headers = { Authorization: 'Bearer token' }
    expect(await client.json({ method: 'POST', url: `${url}/orders?limit=1#top`, headers, body: { a: 'é' } })).toEqual({
      method: 'POST',
      path: '/orders?limit=1',
      type: 'application/json',
      accept: 'application/json',
      authorization: 'Bearer token',
      body: '{"a":"é"}',
    })
  })

  it('that is answered with nothing gives undefined', async () => {
    const { url } = await serve((_request, response) => response.writeHead(204).end())
    expect(await clientOf().client.json({ method: 'DELETE', url })).toBeUndefined()
  })

  it('that is answered with what is no JSON fails, and the text is not in the message', async () => {
    const { url } = await serve((_request, response) => response.end('<html>Ada Byron</html>'))
    const error = await failureOf(clientOf().client.json({ method: 'GET', url }))
    expect(error).toMatchObject({ code: 'not_json', isWorthRetrying: false })
    expect(`${error.stack}${String(error.cause)}`).not.toContain('Ada')
  })

  it('with a header or a body that cannot be sent fails without being sent', async () => {
    const { url, requests } = await serve((_request, response) => response.end())
    const { client } = clientOf()
    const split = client.json({ method: 'GET', url, headers: { 'x-name': 'a\r\nx-evil: 1' } })
    expect(await failureOf(split)).toMatchObject({ code: 'invalid_request' })
    expect(await failureOf(client.json({ method: 'POST', url, body: { big: 1n } }))).toMatchObject({
      code: 'invalid_request',
    })
    expect(requests).toHaveLength(0)
  })

  it('that fails tells status and a bounded beginning of the answer, and no secrets where it is logged', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(422).end(`no such customer: Ada Byron ${'x'.repeat(100_000)}`)
    })
    const headers = { authorization: 'Bearer hidden-token' }
    const request = { method: 'POST' as const, url: `${url}/hidden-path?key=hidden-query`, headers, body: {} }
    const error = await failureOf(clientOf().client.json(request))
    expect(error).toMatchObject({ code: 'http_status', status: 422, isWorthRetrying: false })
    expect(error.excerpt).toMatch(/^no such customer: Ada Byron x+$/)
    expect(error.excerpt.length).toBeLessThanOrEqual(1_024)
    let logged = ''
    pino({}, { write: (line: string) => (logged += line) }).error({ err: error }, 'a call failed')
    expect(logged).toContain('was answered 422')
    expect(logged).not.toMatch(/hidden|Ada/)
  })
})

describe('an answer', () => {
  it('without end is cut off', async () => {
    let closed: (() => void) | undefined
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve
    })
    let written = 0
    const { url } = await serve((_request, response) => {
      response.on('close', () => closed!())
      const piece = Buffer.alloc(16_384, '1')
      const write = (): void => {
        while (!response.destroyed && response.write(piece)) written += piece.length
      }
      response.on('drain', write)
      write()
    })
    const { client } = clientOf({ responseBytesMax: 100_000 })
    expect(await failureOf(client.json({ method: 'GET', url }))).toMatchObject({
      code: 'too_large',
      isWorthRetrying: false,
    })
    await isClosed
    expect(written).toBeLessThan(16 * 1_048_576)
  })

  it('without end is cut off where it is an error, or where its body is of no interest', async () => {
    const { url } = await serve((request, response) => {
      response.writeHead(Number(request.url!.slice(1)))
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(1_000))) {}
      }
      response.on('drain', write)
      write()
    })
    const { client } = clientOf()
    expect(await failureOf(client.send({ method: 'POST', url: `${url}/400` }))).toMatchObject({ status: 400 })
    const answer = await client.send({ method: 'POST', url: `${url}/200`, answer: 'unread' })
    expect([answer.status, answer.body.length]).toEqual([200, 0])
  })

  it('that does not begin, stalls or drips is timed out', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/silent') return
      response.writeHead(200)
      response.write('[')
      if (request.url === '/stalls') return
      const drip = setInterval(() => response.write('1,'), 20)
      response.on('close', () => clearInterval(drip))
    })
    const { client } = clientOf({ timeouts: { headersMs: 300, bodyMs: 300, totalMs: 900 }, retries: 0 })
    for (const path of ['silent', 'stalls', 'drips']) {
      const error = await failureOf(client.json({ method: 'GET', url: `${url}/${path}` }))
      expect(error).toMatchObject({ code: 'timeout', isWorthRetrying: true })
    }
  })
})

describe('a call that fails in passing', () => {
  it('is repeated after chance waits that grow, until it is answered', async () => {
    const { url, requests } = await serve((_request, response) => {
      response.writeHead(requests.length < 4 ? 503 : 200).end('[]')
    })
    const { client, waits } = clientOf()
    expect(await client.json({ method: 'GET', url })).toEqual([])
    expect(requests).toHaveLength(4)
    expect(waits).toEqual([250, 500, 1_000])
  })

  it('is repeated a bounded number of times, and then fails as the last one did', async () => {
    const { url, requests } = await serve((_request, response) => response.writeHead(500).end('down'))
    const { client } = clientOf({ retries: 2 })
    expect(await failureOf(client.json({ method: 'PUT', url, body: 1 }))).toMatchObject({
      status: 500,
      excerpt: 'down',
    })
    expect(requests).toHaveLength(3)
  })

  it('is repeated where there was no connection', async () => {
    const { url } = await serve(() => {})
    await closing.pop()!()
    const { client, waits } = clientOf({ retries: 2 })
    expect(await failureOf(client.json({ method: 'GET', url }))).toMatchObject({ code: 'unreachable' })
    expect(waits).toHaveLength(2)
  })

  it('is not repeated where doing it twice would be wrong, unless the caller says or makes it safe', async () => {
    const { url, requests } = await serve((_request, response) => response.writeHead(503).end())
    const { client } = clientOf({ retries: 1 })
    const post = { method: 'POST' as const, url, body: {} }
    await failureOf(client.json(post))
    await failureOf(client.json({ ...post, method: 'PATCH' }))
    expect(requests).toHaveLength(2)
    await failureOf(client.json({ ...post, isRepeatable: true }))
    expect(requests).toHaveLength(4)
    await failureOf(client.json({ ...post, idempotencyKey: 'order-7' }))
    expect(requests.slice(4).map(({ headers }) => headers['idempotency-key'])).toEqual(['order-7', 'order-7'])
  })

  it('is not repeated where the answer says that it never will be different', async () => {
    const { url, requests } = await serve((_request, response) => response.writeHead(404).end())
    await failureOf(clientOf().client.json({ method: 'GET', url }))
    expect(requests).toHaveLength(1)
  })

  it.each([
    ['7', 7_000],
    ['Sun, 06 Nov 1994 08:49:47 GMT', 10_000],
    ['Sunday, 06-Nov-94 08:49:47 GMT', 10_000],
    ['Sun Nov  6 08:49:47 1994', 10_000],
    ['Sun, 06 Nov 1994 08:00:00 GMT', 250],
    ['soon', 250],
    ['-1', 250],
  ])('is repeated when the other side says, and never before our own wait: %s', async (header, waitMs) => {
    const { url, requests } = await serve((_request, response) => {
      response.writeHead(requests.length === 1 ? 429 : 200, { 'retry-after': header }).end('1')
    })
    const { client, waits } = clientOf({ now: () => Date.UTC(1994, 10, 6, 8, 49, 37) })
    await client.json({ method: 'GET', url })
    expect(waits).toEqual([waitMs])
  })

  it('and asks for a long wait is given back with it', async () => {
    const { url, requests } = await serve((_request, response) => {
      response.writeHead(429, { 'retry-after': '3600' }).end()
    })
    const { client, waits } = clientOf()
    const error = await failureOf(client.json({ method: 'GET', url }))
    expect(error).toMatchObject({ status: 429, retryAfterMs: 3_600_000, isWorthRetrying: true })
    expect([requests.length, waits.length]).toEqual([1, 0])
  })

  it('waits anywhere between nothing and a bound that grows and ends', () => {
    const call = fc.tuple(fc.integer({ min: 1, max: 100 }), fc.double({ min: 0, max: 1, noNaN: true }))
    fc.assert(
      fc.property(call, ([failures, chance]) => {
        const waitMs = fullJitterMs(failures, () => chance)
        expect(waitMs).toBeGreaterThanOrEqual(0)
        expect(waitMs).toBeLessThanOrEqual(Math.min(15_000, 500 * 2 ** (failures - 1)))
      }),
    )
  })

  it('reads any Retry-After without failing, and at most as a day', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.nat().map(String), fc.date().map(String)), (header) => {
        const ms = retryAfterMs(header, 0)
        if (ms !== undefined) expect(ms >= 0 && ms <= 86_400_000).toBe(true)
      }),
    )
    expect(retryAfterMs('9'.repeat(400), 0)).toBe(86_400_000)
  })
})

describe('calls of one host', () => {
  /** A server that answers when told to. */
  async function heldServer(): Promise<{
    url: string
    held: ServerResponse[]
    arrived: (count: number) => Promise<void>
  }> {
    const held: ServerResponse[] = []
    const waiting: { count: number; resolve: () => void }[] = []
    const { url } = await serve((_request, response) => {
      held.push(response)
      for (const { count, resolve } of waiting) if (held.length >= count) resolve()
    })
    const arrived = (count: number): Promise<void> =>
      held.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve }))
    return { url, held, arrived }
  }

  it('are under way so many at once, wait so many, and are refused beyond that', async () => {
    const { url, held, arrived } = await heldServer()
    const { client } = clientOf({ limits: { atOnce: 2, queuedMax: 3 }, retries: 0 })
    const calls = Array.from({ length: 5 }, () => client.json({ method: 'GET', url }))
    await arrived(2)
    const refused = await failureOf(client.json({ method: 'GET', url: `${url}/?key=hidden` }))
    expect(refused).toMatchObject({ code: 'overloaded', isWorthRetrying: true })
    expect(refused.message).toMatch(/^3 calls of 127\.0\.0\.1:\d+ wait already; try again later\.$/)
    expect(held).toHaveLength(2)
    for (let answered = 0; answered < 5; answered++) {
      await arrived(answered + 1)
      expect(held.length - answered).toBeLessThanOrEqual(2)
      held[answered]!.end('{}')
    }
    expect(await Promise.all(calls)).toEqual([{}, {}, {}, {}, {}])
  })

  it('do not hold up those of another connection to the same host', async () => {
    const { url, held, arrived } = await heldServer()
    const { client } = clientOf({ limits: { atOnce: 1 } })
    const slow = client.forConnection('shop-1').json({ method: 'GET', url })
    await arrived(1)
    const other = client.forConnection('shop-2').json({ method: 'GET', url })
    await arrived(2)
    held[1]!.end('"other"')
    expect(await other).toBe('other')
    held[0]!.end('"slow"')
    expect(await slow).toBe('slow')
  })

  it('are stopped, under way, waiting for their turn or for another attempt, when the caller or the client stops', async () => {
    const { url, arrived } = await heldServer()
    const { client } = clientOf({ limits: { atOnce: 1 } })
    const own = new AbortController()
    const calls = [failureOf(client.json({ method: 'GET', url })), failureOf(client.json({ method: 'GET', url }))]
    const mine = failureOf(client.json({ method: 'GET', url, signal: own.signal }))
    await arrived(1)
    own.abort()
    expect(await mine).toMatchObject({ code: 'stopped', isWorthRetrying: false })
    await client.close()
    for (const call of calls) expect(await call).toMatchObject({ code: 'stopped' })
    expect(await failureOf(client.json({ method: 'GET', url }))).toMatchObject({ code: 'stopped' })

    const { url: failing } = await serve((_request, response) => response.writeHead(503, { 'retry-after': '20' }).end())
    const stop = new AbortController()
    const waiting = new OutwardClient({
      policy: { allowHttp: true, allowed: ['127.0.0.1'] },
      signal: stop.signal,
      sleep: (_ms, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('woken')))
          stop.abort()
        }),
    })
    closing.push(() => waiting.close())
    expect(await failureOf(waiting.json({ method: 'GET', url: failing }))).toMatchObject({ code: 'stopped' })
  })
})

it('all errors of outward calls are of one kind', () => {
  const error = new OutwardError('timeout', 'GET shop.example was not answered in time.')
  expect(error).toMatchObject({ name: 'OutwardError', code: 'timeout', status: undefined })
})
