/** HTTP as a protocol: who may call, how, how much and how slowly; whatever comes, the server answers the next one. */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { stockUp } from './support/catalogue.js'
import { type ProblemDocument, problemFaults } from './support/http-call.js'
import { Random, seed } from './support/random.js'
import { RawHttp, type RawResponse, requestText } from './support/raw-http.js'
import { TestServer } from './support/test-server.js'

const random = new Random(seed)
let server: TestServer
let port = 0

beforeAll(async () => {
  server = await TestServer.start()
  port = server.port
  await stockUp(server.url, ['TEE'], 1_000_000)
})

afterEach(async () => {
  expect((await server.call('GET', '/healthz')).status, 'the server lives').toBe(200)
})

const exchange = (method: string, path: string, headers?: Record<string, string>, body?: string) =>
  RawHttp.exchange(port, requestText(port, method, path, headers, body))
const problemOf = (response: RawResponse | undefined) => JSON.parse(response?.body ?? 'null') as ProblemDocument | null
const reservation = () => JSON.stringify({ id: randomUUID(), sku: 'TEE', quantity: 1 })

describe('a request', () => {
  const paths = ['/', '/healthz', '/readyz', '/metrics', '/openapi.json', '/docs', '/v1/products', '/v1/events']

  test.each([
    ['evil.example', undefined],
    ['evil.example:80', undefined],
    ['127.0.0.1', undefined],
    ['127.0.0.1:1', undefined],
    ['127.0.0.1.evil.example:PORT', undefined],
    ['', undefined],
    ['127.0.0.1:PORT', 'http://evil.example'],
    ['127.0.0.1:PORT', 'null'],
    ['127.0.0.1:PORT', 'https://127.0.0.1:PORT'],
    ['127.0.0.1:PORT', 'http://127.0.0.1:1'],
    ['127.0.0.1:PORT', 'http://127.0.0.1:PORT.evil.example'],
  ])('with Host "%s" and Origin %s is foreign', async (host, origin) => {
    const own = (text: string) => text.replace('PORT', String(port))
    const headers = { Host: own(host), ...(origin === undefined ? {} : { Origin: own(origin) }) }
    for (const path of paths) {
      const response = await exchange('GET', path, headers)
      expect({ path, status: response?.status }).toEqual({ path, status: 403 })
      expect(problemOf(response)?.code).toBe('foreign_request')
    }
    const before = (await server.stock('TEE')).reserved
    const post = await exchange('POST', '/v1/reservations', headers, reservation())
    expect(post?.status).toBe(403)
    expect((await server.stock('TEE')).reserved).toBe(before)
  })

  test('by any name of this machine is not foreign, nor is the server’s own page', async () => {
    for (const host of ['127.0.0.1', 'localhost', 'LocalHost', '[::1]']) {
      const response = await exchange('GET', '/readyz', { Host: `${host}:${port}` })
      expect({ host, status: response?.status }).toEqual({ host, status: 200 })
    }
    for (const name of ['127.0.0.1', 'localhost']) {
      const response = await exchange('POST', '/v1/reservations', { Origin: `http://${name}:${port}` }, reservation())
      expect({ name, status: response?.status }).toEqual({ name, status: 201 })
      expect(response?.headers.has('access-control-allow-origin')).toBe(false)
    }
  })

  test('to upgrade is refused where it is foreign, or names another subprotocol', async () => {
    const attempt = (headers: Record<string, string>, protocol: string) =>
      new Promise<number>((done) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/socket`, protocol, { headers })
        socket.once('unexpected-response', (_request, response) => {
          done(response.statusCode ?? 0)
          socket.terminate()
        })
        socket.once('open', () => {
          done(101)
          socket.terminate()
        })
        socket.on('error', () => {})
      })
    expect(await attempt({}, 'doorbuster.v1')).toBe(101)
    expect(await attempt({ Origin: `http://localhost:${port}` }, 'doorbuster.v1')).toBe(101)
    expect(await attempt({ Origin: 'http://evil.example' }, 'doorbuster.v1')).toBe(403)
    expect(await attempt({ Host: 'evil.example' }, 'doorbuster.v1')).toBe(403)
    expect(await attempt({}, 'doorbuster.v2')).toBe(400)
  })

  test('of a wrong method is answered with 405 and Allow', async () => {
    const cases: [string, string, string][] = [
      ['/v1/reservations', 'GET', 'POST'],
      ['/v1/reservations/batch', 'PUT', 'POST'],
      [`/v1/reservations/${randomUUID()}`, 'DELETE', 'GET'],
      [`/v1/reservations/${randomUUID()}/confirm`, 'GET', 'POST'],
      ['/v1/products/TEE', 'POST', 'GET, PUT'],
      ['/v1/products', 'POST', 'GET'],
      ['/v1/inventory/TEE/W1', 'GET', 'PUT'],
      ['/v1/inventory/TEE', 'PATCH', 'GET'],
      ['/v1/inventory/adjustments', 'DELETE', 'POST'],
      ['/v1/sales/X', 'DELETE', 'GET, PUT'],
      ['/healthz', 'POST', 'GET'],
      ['/metrics', 'DELETE', 'GET'],
      ['/v1/events', 'POST', 'GET'],
    ]
    for (const [path, method, allow] of cases) {
      const answer = await server.call(method, path, method === 'GET' ? undefined : {})
      expect({ path, method, faults: problemFaults(answer, 405, 'method_not_allowed') }).toEqual({
        path,
        method,
        faults: [],
      })
      const allowed = (answer.headers.get('allow') ?? '').split(', ').sort().join(', ')
      expect({ path, allowed }).toEqual({ path, allowed: allow })
    }
  })

  test('with HEAD or OPTIONS leaves the connection in step', async () => {
    for (const method of ['HEAD', 'OPTIONS']) {
      for (const path of ['/healthz', '/v1/products']) {
        const connection = await RawHttp.connect(port)
        connection.send(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
        // A response to HEAD has no body, whatever length it tells.
        if (method === 'HEAD') await expectNoBody(connection, method, path)
        else expect((await connection.responses(1))[0]?.status).toBe(405)
        connection.end()
      }
    }
  })

  test('for nothing that is there is answered with 404 and a problem', async () => {
    for (const path of [
      '/v1',
      '/v1/',
      '/v1/nothing',
      '/v2/products',
      '/v1/products/',
      '/favicon.ico',
      '/..%2f..%2fetc/passwd',
    ]) {
      const answer = await server.call('GET', path)
      expect({ path, status: answer.status }).toEqual({ path, status: path === '/v1/products/' ? answer.status : 404 })
      expect(answer.headers.get('content-type')).toMatch(/problem\+json/)
    }
  })

  test('for the specifications and pages is answered with what they are', async () => {
    const types: [string, RegExp][] = [
      ['/openapi.json', /^application\/json/],
      ['/asyncapi.json', /^application\/json/],
      ['/docs', /^text\/html/],
      ['/', /^text\/html/],
      ['/metrics', /^text\/plain/],
      ['/healthz', /^application\/json/],
    ]
    for (const [path, type] of types) {
      const { status, headers } = await server.call('GET', path)
      expect({ path, status, type: headers.get('content-type') }).toEqual({
        path,
        status: 200,
        type: expect.stringMatching(type),
      })
    }
    const { body } = await server.call<{ paths: Record<string, object>; openapi: string }>('GET', '/openapi.json')
    expect(body.openapi).toMatch(/^3\.1/)
    for (const path of ['/v1/reservations/batch', '/v1/inventory/supply', '/v1/atp', '/v1/sales/{id}', '/v1/events'])
      expect(Object.keys(body.paths)).toContain(path)
  })
})

/** The response to a HEAD request must end with its head: the next one on the connection follows at once. */
async function expectNoBody(connection: RawHttp, method: string, path: string): Promise<void> {
  connection.send(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`)
  const text = await connection.rest()
  const heads = text.split('\r\n\r\n')
  expect({ method, path, second: heads[1]?.slice(0, 13) }).toEqual({
    method,
    path,
    second: expect.stringMatching(/^HTTP\/1\.1 (200|4)/),
  })
}

describe('a body', () => {
  const post = (body: string | Uint8Array, headers?: Record<string, string>) =>
    server.call('POST', '/v1/reservations', body, headers)

  test('over 1 MiB is refused with 413, one of 1 MiB is read', async () => {
    const padded = (bytes: number) => {
      const text = reservation()
      return `${text.slice(0, -1)}${' '.repeat(bytes - text.length)}}`
    }
    expect((await post(padded(1_048_576))).status).toBe(201)
    const announced = await exchange('POST', '/v1/reservations', {}, padded(1_048_577))
    expect(announced?.status).toBe(413)
    expect(problemOf(announced)?.code).toBe('body_too_large')
    // In chunks nothing is announced.
    const connection = await RawHttp.connect(port)
    connection.send(chunkedHead())
    for (let i = 0; i < 16; i++) connection.send(`10000\r\n${' '.repeat(65_536)}\r\n`)
    connection.send('1\r\n \r\n')
    const [response] = await connection.responses(1)
    expect(response?.status).toBe(413)
    connection.end()
  })

  test('in chunks is read, whatever their sizes', async () => {
    for (const size of [1, 7, 40]) {
      const text = reservation()
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
        text.slice(i * size, (i + 1) * size),
      )
      const framed = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')
      const response = await RawHttp.exchange(port, `${chunkedHead()}${framed}0\r\n\r\n`)
      expect({ size, status: response?.status }).toEqual({ size, status: 201 })
    }
  })

  test('of another type is refused with 415', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'application/jsonx',
    ]) {
      const answer = await post(reservation(), { 'content-type': type })
      expect({ type, status: answer.status }).toEqual({ type, status: 415 })
      expect(answer.headers.get('content-type')).toMatch(/problem\+json/)
    }
    for (const type of ['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/vnd.doorbuster+json'])
      expect({ type, status: (await post(reservation(), { 'content-type': type })).status }).toEqual({
        type,
        status: 201,
      })
  })

  test('that is no JSON, or no object, is refused with its reason', async () => {
    const deep = 400_000
    const texts = [
      '',
      '{',
      '[]',
      'null',
      'true',
      '"x"',
      '1',
      '{"id":}',
      "{'id':1}",
      '{"id":1,}',
      'NaN',
      '\u{feff}{}',
      '{"a":\u0000}',
    ]
    texts.push('['.repeat(deep), `${'['.repeat(deep)}${']'.repeat(deep)}`, '{"a":'.repeat(deep / 4))
    texts.push(`{"a":${'['.repeat(deep)}${']'.repeat(deep)}}`)
    for (const text of texts) {
      const answer = await post(text)
      const name = text.slice(0, 20)
      expect({ name, status: answer.status }).toEqual({ name, status: expect.toSatisfy((s) => s === 400 || s === 422) })
      expect({ name, faults: problemFaults(answer, answer.status, 'invalid') }).toEqual({ name, faults: [] })
      expect((answer.body as unknown as ProblemDocument).errors?.length).toBeGreaterThan(0)
    }
  })

  test('that is no UTF-8 is refused: another text than was sent would be taken', async () => {
    const bytes = Buffer.from(reservation().replace('TEE', 'T@E'))
    bytes[bytes.indexOf('@')] = 0xe9
    expect((await post(bytes)).status).toBe(400)
    const product = Buffer.from('{"name":"Caf@"}')
    product[product.indexOf('@')] = 0xe9
    expect((await server.call('PUT', '/v1/products/CAFE', product)).status).toBe(400)
  })

  test('with numbers beyond all bounds is refused, and nothing is taken for another number', async () => {
    const before = (await server.stock('TEE')).reserved
    const numbers = [
      '1e400',
      '-1e400',
      '9007199254740993',
      '2147483648',
      '4294967297',
      '1e-400',
      '0',
      '-0',
      '-1',
      '1.0000001',
    ]
    numbers.push(`1${'0'.repeat(400)}`, '0.1e1e', '0x10', '01', '"1"', 'null', 'true', '[1]', '{}')
    for (const number of numbers) {
      const { status } = await post(`{"id":"${randomUUID()}","sku":"TEE","quantity":${number}}`)
      expect({ number, status }).toEqual({ number, status: expect.toSatisfy((s) => s === 400 || s === 422) })
    }
    expect((await server.stock('TEE')).reserved).toBe(before)
    // These are whole numbers, however they are written.
    for (const number of ['1.0', '1e0', '10e-1'])
      expect((await post(`{"id":"${randomUUID()}","sku":"TEE","quantity":${number}}`)).status).toBe(201)
  })

  test('whose fields have the names of an object’s own does no harm', async () => {
    for (const extra of ['"__proto__":{"quantity":5}', '"constructor":1', '"toString":null', '"hasOwnProperty":1']) {
      const id = randomUUID()
      const answer = await post(`{"id":"${id}","sku":"TEE","quantity":1,${extra}}`)
      expect({ extra, status: answer.status }).toEqual({ extra, status: 201 })
    }
    const attributes = '{"__proto__":"x","constructor":"y","colour":"red"}'
    expect((await server.call('PUT', '/v1/products/PROTO', `{"name":"P","attributes":${attributes}}`)).status).toBe(200)
    const text = await (await fetch(`${server.url}/v1/products/PROTO`)).text()
    expect(text).toContain('"colour":"red"')
    expect(text).toContain('"constructor":"y"')
  })

  test('that is cut off, or whose sender goes away, changes nothing', async () => {
    const before = (await server.stock('TEE')).reserved
    for (let i = 0; i < 30; i++) {
      const connection = await RawHttp.connect(port)
      const text = requestText(port, 'POST', '/v1/reservations', {}, reservation())
      connection.send(text.slice(0, random.below(text.length - 1)))
      connection.end()
      await connection.closed
    }
    expect((await server.stock('TEE')).reserved).toBe(before)
  })
})

const chunkedHead = (): string =>
  `POST /v1/reservations HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`

describe('a connection', () => {
  test('that speaks no HTTP, or two lengths at once, is closed or told so', async () => {
    const head = `POST /v1/reservations HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n`
    const body = reservation()
    const hostile = [
      'hello\r\n\r\n',
      '\r\n\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      `GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:${port}\r\n\r\n`,
      'GET /healthz HTTP/1.1\r\n\r\n',
      `GET /healthz\u0000 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX\u0000: 1\r\n\r\n`,
      `GET /healthz HTTP/1.1\nHost: 127.0.0.1:${port}\n\n`,
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${'X-A: b\r\n'.repeat(5_000)}\r\n`,
      `${head}Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n\r\n${body}`,
      `${head}Content-Length: -5\r\n\r\n${body}`,
      `${head}Content-Length: 5x\r\n\r\n${body}`,
      `${head}Content-Length: 99999999999999999999999\r\n\r\n${body}`,
      `${head}Transfer-Encoding: gzip\r\n\r\n${body}`,
      `${head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n${body}`,
      `${head}Transfer-Encoding: chunked\r\n\r\nxyz\r\n${body}`,
      `${head}Transfer-Encoding: chunked\r\n\r\n-1\r\n${body}`,
      random.bytes(5_000),
      '\u0016\u0003\u0001\u0002\u0000\u0001\u0000',
    ]
    const before = (await server.stock('TEE')).reserved
    for (const bytes of hostile) {
      const connection = await RawHttp.connect(port)
      connection.send(bytes)
      const name = bytes.slice(0, 30).toString()
      // Whatever it is answered with, a request that comes behind it on the same connection is never taken for part of it.
      const answered = connection.responses(1)
      const [response] = await Promise.race([answered, connection.closed.then(() => []), quiet()])
      if (response)
        expect({ name, status: response.status }).toEqual({ name, status: expect.toSatisfy((s) => s >= 400) })
      connection.end()
    }
    expect((await server.stock('TEE')).reserved).toBe(before)
  })

  test('on which nothing comes, or too slowly, is cut off, while others are served', { timeout: 120_000 }, async () => {
    const slow = async (...first: string[]) => {
      const connection = await RawHttp.connect(port)
      for (const text of first) connection.send(text)
      return connection
    }
    const trickled = async (head: string, endlessly: string) => {
      const connection = await slow(head)
      const timer = setInterval(() => connection.send(endlessly), 500)
      void connection.closed.then(() => clearInterval(timer))
      return connection
    }
    const start = `POST /v1/reservations HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n`
    const connections = {
      'says nothing': await slow(),
      'stops in its head': await slow('GET /healthz HTTP/1.1\r\nHo'),
      'stops in its body': await slow(`${start}Content-Length: 1000\r\n\r\n{"id":`),
      'trickles its head': await trickled('GET /healthz HTTP/1.1\r\n', 'X-A: b\r\n'),
      'trickles its body': await trickled(`${start}Content-Length: 100000\r\n\r\n`, ' '),
      'trickles its chunks': await trickled(chunkedHead(), '1\r\n \r\n'),
    }
    const cut = new Set<string>()
    const all = Promise.all(
      Object.entries(connections).map(async ([name, connection]) => {
        await connection.closed
        cut.add(name)
      }),
    )
    let served = 0
    const until = performance.now() + 75_000
    while (cut.size < Object.keys(connections).length && performance.now() < until) {
      await Promise.race([all, quiet()])
      const { status } = await server.call('POST', '/v1/reservations', JSON.parse(reservation()))
      if (status === 201) served++
    }
    expect([...cut].sort()).toEqual(Object.keys(connections).sort())
    expect(served).toBeGreaterThan(0)
    for (const connection of Object.values(connections)) connection.end()
  })

  test('serves one request after the other, and those that come at once in their order or not at all', async () => {
    const one = await RawHttp.connect(port)
    for (let i = 0; i < 50; i++) {
      one.send(requestText(port, 'POST', '/v1/reservations', {}, reservation()))
      expect((await one.responses(1))[0]?.status).toBe(201)
    }
    one.end()
    const ids = Array.from({ length: 8 }, () => randomUUID())
    const several = await RawHttp.connect(port)
    const requests = ids.map((id) =>
      requestText(port, 'POST', '/v1/reservations', {}, JSON.stringify({ id, sku: 'TEE', quantity: 1 })),
    )
    several.send(requests.join(''))
    const responses = await Promise.race([several.responses(ids.length), quiet(5_000).then(() => [])])
    several.end()
    responses.forEach(({ status, body }, i) => {
      expect({ i, status, id: (JSON.parse(body) as { id: string }).id }).toEqual({ i, status: 201, id: ids[i] })
    })
    // What was not answered may be repeated.
    for (const id of ids) {
      const { status } = await server.call('POST', '/v1/reservations', { id, sku: 'TEE', quantity: 1 })
      expect(status).toBeLessThan(300)
    }
  })

  test('is one of very many, and all are served', async () => {
    const idle = await Promise.all(Array.from({ length: 400 }, () => RawHttp.connect(port)))
    const busy = await Promise.all(
      Array.from({ length: 100 }, () =>
        RawHttp.exchange(port, requestText(port, 'POST', '/v1/reservations', {}, reservation())),
      ),
    )
    expect(busy.filter((response) => response?.status === 201)).toHaveLength(100)
    for (const connection of idle) connection.end()
  })
})

/** A moment in which something might have come. */
const quiet = (milliseconds = 300): Promise<RawResponse[]> =>
  new Promise((done) => setTimeout(() => done([]), milliseconds))
