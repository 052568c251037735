/** The socket: packed frames and control messages, honest ones, hostile ones, too many and too slow. */
import { randomUUID } from 'node:crypto'
import { Packr } from 'msgpackr'
import { beforeAll, describe, expect, test } from 'vitest'
import { FrameSocket, uuidBytes } from '../gateway/client/index.js'
import { messageFault } from '../gateway/websocket/msgpack-guard.js'
import type { ReservationDocument } from './support/http-call.js'
import {
  ANY_LOCATION,
  holdFrame,
  newId,
  Operation,
  PackedSocket,
  reserveFrame,
  Status,
} from './support/packed-socket.js'
import { Random, seed } from './support/random.js'
import { RawHttp } from './support/raw-http.js'
import { Shop } from './support/shop.js'

const random = new Random(seed)
const shop = Shop.open()
const { call, newSku, reserve, sale, settle } = shop
const packr = new Packr({ useRecords: false, variableMapSize: true })
const MIB = 1_048_576

let tee = 0
beforeAll(async () => {
  const socket = await PackedSocket.connect(shop.server.url)
  tee = (await socket.intern(['TEE'])).skus[0]!
  socket.close()
})

const record = (sku = tee) => ({ id: newId(), sku })
const connect = () => PackedSocket.connect(shop.server.url)
const indexOf = async (socket: PackedSocket, sku: string) => (await socket.intern([sku])).skus[0]!

/** Sends one message on a socket of its own; resolves with how the server closed it, or `undefined` where it did not. */
async function closeOf(bytes: Uint8Array): Promise<{ code: number; reason: string } | undefined> {
  const socket = await FrameSocket.connect(shop.server.url)
  const closed = new Promise<{ code: number; reason: string }>((done) => {
    socket.onClose = (code, reason) => done({ code, reason })
  })
  socket.send(bytes)
  // What it takes is answered: an intern behind it tells that it was not closed.
  const answered = new Promise<undefined>((done) => {
    socket.onControl = (message) => {
      if ((packr.unpack(message) as { ref?: unknown }).ref === 'behind') done(undefined)
    }
  })
  socket.send(packr.pack({ op: 'intern', ref: 'behind', skus: [], locations: [] }))
  const close = await Promise.race([closed, answered])
  socket.terminate()
  return close
}

describe('a packed frame', () => {
  test('is answered record by record with each status there is', { timeout: 30_000 }, async () => {
    const socket = await connect()
    const [limited, sold, inSale] = [await newSku(10, 'W1', { limitPerBuyer: 2 }), await newSku(0), await newSku(5)]
    await sale(randomUUID(), [inSale], { quantity: 5, channels: ['elsewhere'] })
    const { skus, locations } = await socket.intern([limited, sold, inSale], ['W1', 'S1'])
    const [a, b, c] = skus as [number, number, number]
    const [w1] = locations as [number]
    const first = { ...record(), quantity: 2, location: w1 }
    const short = { ...record(), ttlSeconds: 1 }
    const cases: [number, Parameters<typeof socket.reserve>[0][number]][] = [
      [Status.done, first],
      [Status.done, first],
      [Status.conflict, { ...first, quantity: 3 }],
      [Status.insufficientStock, record(b)],
      [Status.insufficientStock, { ...record(), quantity: 2 ** 31 - 1 }],
      [Status.unknownSku, record(0xffff_fff0)],
      [Status.unknownSku, record(0xffff_ffff)],
      [Status.unknownLocation, { ...record(), location: 4_000 }],
      [Status.unknownLocation, { ...record(), location: 0xfffe }],
      [Status.done, { ...record(a), quantity: 2, buyer: 7 }],
      [Status.buyerLimit, { ...record(a), buyer: 7 }],
      [Status.buyerLimit, { ...record(a), quantity: 3 }],
      [Status.saleClosed, record(c)],
      [Status.invalid, { ...record(), quantity: 0 }],
      [Status.invalid, { ...record(), quantity: 2 ** 31 }],
      [Status.invalid, { ...record(), quantity: 0xffff_ffff }],
      [Status.invalid, { ...record(), ttlSeconds: 604_801 }],
      [Status.done, short],
    ]
    const replies = await socket.reserve(cases.map(([, wanted]) => wanted))
    expect(replies.map(({ status }) => status)).toEqual(cases.map(([status]) => status))
    expect(replies.map(({ replayed }) => replayed)).toEqual(cases.map((_, i) => i === 1))
    expect(replies[1]).toEqual({ ...replies[0], replayed: true })
    expect(replies[0]).toMatchObject({ location: w1 })
    for (const [i, { status, location }] of replies.entries())
      if (status !== Status.done) expect({ i, location }).toEqual({ i, location: ANY_LOCATION })
    const ended = [first, { id: first.id, sku: a }, record(), first, short]
    expect((await socket.confirm(ended)).map(({ status }) => status)).toEqual([
      Status.done,
      Status.unknownReservation,
      Status.unknownReservation,
      Status.done,
      Status.done,
    ])
    expect((await socket.release([first, first])).map(({ status, replayed }) => [status, replayed])).toEqual([
      [Status.done, false],
      [Status.done, true],
    ])
    expect((await socket.confirm([first])).map(({ status }) => status)).toEqual([Status.conflict])
    const late = { ...record(), ttlSeconds: 1 }
    await socket.reserve([late])
    const released = async () => (await socket.release([late]))[0]?.replayed
    const confirmed = async () => (await socket.confirm([late]))[0]?.status
    await new Promise((done) => setTimeout(done, 1_100))
    expect(await confirmed()).toBe(Status.expired)
    expect(await released()).toBe(true)
    socket.close()
  })

  test('whose flags are not 0 is refused as invalid, record by record', async () => {
    const socket = await FrameSocket.connect(shop.server.url)
    const bytes = Buffer.from(reserveFrame(9, [record(), record(), record()]))
    bytes.writeUInt16LE(1, 8 + 40 + 38)
    const reply = new Promise<Buffer>((done) => {
      socket.onFrame = (frame) => done(Buffer.from(frame))
    })
    socket.send(bytes)
    const answer = await reply
    expect([0, 1, 2].map((i) => answer[8 + 8 * i])).toEqual([Status.done, Status.invalid, Status.done])
    socket.terminate()
  })

  test('holds what HTTP sees, and the other way round', async () => {
    const socket = await connect()
    const sku = await newSku(10)
    const index = await indexOf(socket, sku)
    const id = randomUUID()
    const [reply] = await socket.reserve([{ id: uuidBytes(id), sku: index, quantity: 3, ttlSeconds: 600 }])
    expect(await shop.server.reservation(id)).toMatchObject({
      sku,
      quantity: 3,
      status: 'held',
      remaining: reply?.remaining,
    })
    const again = await reserve({ id, sku, quantity: 3, ttlSeconds: 600 })
    expect({ status: again.status, remaining: again.body.remaining }).toEqual({ status: 200, remaining: 7 })
    const { body } = await reserve({ sku, quantity: 2, ttlSeconds: 600 })
    const [repeat] = await socket.reserve([{ id: uuidBytes(body.id), sku: index, quantity: 2, ttlSeconds: 600 }])
    expect(repeat).toMatchObject({ status: Status.done, replayed: true, remaining: body.remaining })
    await settle(id, 'confirm')
    expect((await socket.release([{ id: uuidBytes(id), sku: index }]))[0]?.status).toBe(Status.done)
    expect(await shop.server.stock(sku)).toMatchObject({ reserved: 2, allocated: 0, atp: 8 })
    socket.close()
  })

  test('is one of very many in flight, and each is answered once with its number', { timeout: 60_000 }, async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, connect))
    const sku = await newSku(100_000)
    const index = await indexOf(sockets[0]!, sku)
    const replies = await Promise.all(
      sockets.flatMap((socket) =>
        Array.from({ length: 100 }, (_, i) => socket.reserve(Array.from({ length: (i % 7) + 1 }, () => record(index)))),
      ),
    )
    const held = replies.flat()
    expect(held.every(({ status }) => status === Status.done)).toBe(true)
    expect((await shop.server.stock(sku)).reserved).toBe(held.length)
    // Each of them saw another stock: none was decided on the same one.
    expect(new Set(held.map(({ remaining }) => remaining)).size).toBe(held.length)
    for (const socket of sockets) socket.close()
  })

  test('of 4,096 records is taken, of one more it is not', async () => {
    const socket = await connect()
    const sku = await newSku(5_000)
    const index = await indexOf(socket, sku)
    const replies = await socket.reserve(Array.from({ length: 4_096 }, () => record(index)))
    expect(replies.filter(({ status }) => status === Status.done)).toHaveLength(4_096)
    socket.close()
    const records = Array.from({ length: 4_097 }, () => record(index))
    for (const bytes of [reserveFrame(1, records), holdFrame(Operation.release, 1, records)]) {
      const close = await closeOf(bytes)
      expect(close).toEqual({ code: 1009, reason: expect.stringMatching(/4096/) })
    }
    expect((await shop.server.stock(sku)).reserved).toBe(4_096)
  })
})

describe('a hostile message', () => {
  const honest = () => Buffer.from(reserveFrame(1, [record(), record()]))
  const changed = (at: number, ...bytes: number[]) => {
    const frame = honest()
    frame.set(bytes, at)
    return frame
  }
  const deep = (depth: number) =>
    Buffer.concat([Buffer.from([0x81, 0xa2, 0x6f, 0x70]), Buffer.alloc(depth, 0x91), Buffer.from([0xc0])])
  const control = (message: unknown) => packr.pack(message)
  const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

  const frames: [string, () => Uint8Array, number][] = [
    ['an empty message', () => Buffer.alloc(0), 1007],
    ['one byte', () => Buffer.from([1]), 1007],
    ['a header alone', () => honest().subarray(0, 8), 1007],
    ['a frame of no records', () => changed(2, 0, 0).subarray(0, 8), 1007],
    ['a frame cut off in a record', () => honest().subarray(0, -7), 1007],
    ['a frame cut off between records', () => honest().subarray(0, -40), 1007],
    ['a frame with bytes behind it', () => Buffer.concat([honest(), Buffer.alloc(4)]), 1007],
    ['a count too high', () => changed(2, 3, 0), 1007],
    ['the highest count', () => changed(2, 0xff, 0xff), 1009],
    [
      'as many records as a count can say',
      () =>
        reserveFrame(
          1,
          Array.from({ length: 65_535 }, () => record()),
        ),
      1009,
    ],
    ['operation 0', () => changed(1, 0), 1007],
    ['operation 99', () => changed(1, 99), 1007],
    ['a reply', () => changed(1, 0x81), 1007],
    ['confirmations as long as reservations', () => changed(1, 2), 1007],
    ['version 2', () => changed(0, 2), 1007],
  ]
  const controls: [string, () => Uint8Array, number][] = [
    ['an array', () => control([1, 2]), 1007],
    ['a text', () => control('intern'), 1007],
    ['nil', () => hex('c0'), 1007],
    ['the byte that means nothing', () => hex('c1'), 1007],
    ['an empty map', () => hex('80'), 1007],
    ['a map cut off', () => hex('81 a2 6f'), 1007],
    [
      'bytes behind the map',
      () => Buffer.concat([control({ op: 'intern', skus: [], locations: [] }), Buffer.from([0])]),
      1007,
    ],
    ['a map of four billion', () => hex('df ff ff ff ff a2 6f 70'), 1007],
    ['an array of four billion', () => hex('81 a2 6f 70 dd ff ff ff ff'), 1007],
    ['a text of four billion', () => hex('81 a2 6f 70 db ff ff ff ff 61'), 1007],
    ['bytes of four billion', () => hex('81 a2 6f 70 c6 ff ff ff ff 61'), 1007],
    ['an extension', () => hex('81 a2 6f 70 c7 04 01 00 00 00 00'), 1007],
    ['an extension of the decoder’s own', () => hex('81 a2 6f 70 d4 72 40'), 1007],
    ['a large extension', () => hex('81 a2 6f 70 c9 ff ff ff ff 01'), 1007],
    ['a date', () => hex('81 a2 6f 70 d6 ff 00 00 00 00'), 1007],
    ['a map as a key', () => hex('81 81 01 02 03'), 1007],
    ['an array of maps as a key', () => hex('81 92 81 01 02 01 03'), 1007],
    ['an array as a key', () => hex('81 91 01 03'), 1007],
    ['nil as a key', () => hex('81 c0 03'), 1007],
    ['a map as a key deep inside', () => hex('82 a2 6f 70 a6 69 6e 74 65 72 6e a1 78 81 81 01 02 03'), 1007],
    ['nested 40 deep', () => deep(40), 1007],
    ['nested 200,000 deep', () => deep(200_000), 1007],
    ['no operation', () => control({ ref: 1 }), 1007],
    ['an unknown operation', () => control({ op: 'drop', ref: 1 }), 1007],
    ['an operation that is no text', () => control({ op: 5, ref: 1 }), 1007],
    ['names that are no texts', () => control({ op: 'intern', ref: 1, skus: [1], locations: [] }), 1007],
    ['names that are no list', () => control({ op: 'intern', ref: 1, skus: 'TEE', locations: [] }), 1007],
    ['10,001 names', () => control({ op: 'intern', ref: 1, skus: Array.from({ length: 10_001 }, () => 'x') }), 1007],
    ['a ref that is a map', () => control({ op: 'intern', ref: {}, skus: [], locations: [] }), 1007],
    ['a ref that is too long', () => control({ op: 'intern', ref: 'r'.repeat(201), skus: [], locations: [] }), 1007],
    ['topics that are no list', () => control({ op: 'subscribe', ref: 1, topics: 'event.>' }), 1007],
    [
      'a control message of more than 256 KiB',
      () => control({ op: 'command', name: 'x', body: 'y'.repeat(262_144) }),
      1009,
    ],
  ]

  test.each([...frames, ...controls])(
    'that is %s closes its socket with the reason',
    { timeout: 30_000 },
    async (_name, bytes, code) => {
      const before = await shop.server.settledDigest()
      const close = await closeOf(bytes())
      expect(close?.code).toBe(code)
      expect(close?.reason).toMatch(/\w{3}/)
      expect(await shop.server.digest()).toBe(before)
    },
  )

  test.each([0x01, 0x81])('of 5 MiB, beginning with %i, is cut off', async (first) => {
    const before = await shop.server.settledDigest()
    const bytes = Buffer.alloc(5 * MIB, first)
    expect([1006, 1009]).toContain((await closeOf(bytes))?.code)
    expect(await shop.server.digest()).toBe(before)
  })

  test('in text closes its socket', async () => {
    const connection = await upgraded()
    connection.send(websocketFrame(0x81, Buffer.from('{"op":"intern"}')))
    await connection.closed
    expect((await call('GET', '/readyz')).status).toBe(200)
  })

  test('that breaks the WebSocket protocol closes its socket, and the server lives', { timeout: 60_000 }, async () => {
    const mask = Buffer.alloc(4)
    const broken: [string, Buffer][] = [
      ['reserved bits', websocketFrame(0xf2, honest())],
      ['an unknown opcode', websocketFrame(0x83, honest())],
      ['a continuation of nothing', websocketFrame(0x80, honest())],
      ['a length of 2^63', Buffer.concat([Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), mask])],
      ['a ping that is too long', websocketFrame(0x89, Buffer.alloc(126))],
      ['a close of one byte', websocketFrame(0x88, Buffer.from([3]))],
      ['a close with an invalid code', websocketFrame(0x88, Buffer.from([0, 1]))],
      ['random bytes', random.bytes(2_000)],
    ]
    for (const [name, bytes] of broken) {
      const connection = await upgraded()
      connection.send(bytes)
      connection.send(websocketFrame(0x88, Buffer.from([3, 0xe8])))
      await connection.closed
      expect({ name, status: (await call('GET', '/readyz')).status }).toEqual({ name, status: 200 })
    }
  })

  test('in pieces is the same message', async () => {
    const sku = await newSku(10)
    const socket = await connect()
    const index = await indexOf(socket, sku)
    const frame = Buffer.from(reserveFrame(1, [record(index), record(index)]))
    const connection = await upgraded()
    connection.send(websocketFrame(0x02, frame.subarray(0, 1)))
    for (let at = 1; at < frame.length - 10; at += 10)
      connection.send(websocketFrame(0x00, frame.subarray(at, at + 10)))
    expect((await shop.server.stock(sku)).reserved, 'nothing of it is taken before its end').toBe(0)
    const sent = 1 + Math.ceil((frame.length - 11) / 10) * 10
    connection.send(websocketFrame(0x80, frame.subarray(sent)))
    const reserved = async () => (await shop.server.stock(sku)).reserved
    await expect.poll(reserved).toBe(2)
    connection.end()
    socket.close()
  })
})

/** A connection that has become a WebSocket, to write whatever bytes on. */
async function upgraded(): Promise<RawHttp> {
  const connection = await RawHttp.connect(shop.server.port)
  const head = {
    Host: `127.0.0.1:${shop.server.port}`,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': random.bytes(16).toString('base64'),
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'doorbuster.v1',
  }
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`)
  connection.send(`GET /v1/socket HTTP/1.1\r\n${lines.join('')}\r\n`)
  expect((await connection.responses(1))[0]?.status).toBe(101)
  return connection
}

/** A frame of RFC 6455, masked with zeros. */
function websocketFrame(first: number, payload: Uint8Array): Buffer {
  const { length } = payload
  const head =
    length < 126 ? Buffer.from([first, 0x80 | length]) : Buffer.from([first, 0xfe, length >> 8, length & 0xff])
  return Buffer.concat([head, Buffer.alloc(4), payload])
}

describe('a control message', () => {
  test('is answered with its ref in plain msgpack, also where it has none', async () => {
    const socket = await FrameSocket.connect(shop.server.url)
    const answers: Record<string, unknown>[] = []
    const faults: (string | undefined)[] = []
    let wake = () => {}
    socket.onControl = (bytes) => {
      faults.push(messageFault(bytes))
      answers.push(packr.unpack(Buffer.from(bytes)) as Record<string, unknown>)
      wake()
    }
    const requests = [
      { op: 'intern', skus: ['TEE', 'NOPE'], locations: ['W1', 'NOPE'] },
      { op: 'intern', ref: 'a text', skus: [], locations: [] },
      { op: 'intern', ref: 2 ** 40, skus: [], locations: [] },
      { op: 'intern', ref: -5, skus: [], locations: [] },
      { op: 'command', name: 'product.get', body: { sku: 'TEE' } },
      { op: 'command', ref: 7, name: 'product.get', body: { sku: 'NOPE' } },
      { op: 'command', ref: 8, name: 'no.such', body: {} },
      { op: 'command', ref: 9, name: 'product.get' },
      { op: 'command', ref: 10, name: 'inventory.get', body: [1, 2] },
      { op: 'subscribe', topics: ['event.none'] },
      { op: 'unsubscribe', topics: ['event.none'] },
    ]
    for (const request of requests) {
      const { length } = answers
      socket.send(packr.pack(request))
      while (answers.length === length && !socket.closed) {
        await new Promise<void>((done) => {
          wake = done
          socket.onClose = () => done()
        })
      }
      expect({ request, closed: socket.closed }).toEqual({ request, closed: undefined })
      expect(answers.at(-1)?.ref ?? undefined).toBe('ref' in request ? request.ref : undefined)
    }
    expect(faults).toEqual(requests.map(() => undefined))
    expect(answers[0]).toMatchObject({
      op: 'interned',
      skus: [tee, -1],
      locations: [expect.toSatisfy((i) => i >= 0), -1],
    })
    expect(answers.slice(4, 9).map(({ op, status }) => [op, status])).toEqual([
      ['reply', 200],
      ['reply', 404],
      ['reply', 404],
      ['reply', 422],
      ['reply', 422],
    ])
    socket.terminate()
  })

  test('is answered as HTTP answers the same call', async () => {
    const socket = await connect()
    const sku = await newSku(10)
    const fields = { id: randomUUID(), sku, quantity: 3 }
    const created = await socket.command<ReservationDocument>('reservation.create', fields)
    expect(created.status).toBe(201)
    expect(await shop.server.reservation(fields.id)).toEqual(created.body)
    for (const [name, body, method, path, sent] of [
      ['reservation.create', { ...fields, quantity: 4 }, 'POST', '/v1/reservations', { ...fields, quantity: 4 }],
      ['reservation.create', { sku }, 'POST', '/v1/reservations', { sku }],
      ['reservation.get', { id: fields.id }, 'GET', `/v1/reservations/${fields.id}`, undefined],
      ['reservation.get', { id: 'x' }, 'GET', '/v1/reservations/x', undefined],
      ['inventory.get', { sku }, 'GET', `/v1/inventory/${sku}`, undefined],
      ['inventory.get', { sku: 'NOPE' }, 'GET', '/v1/inventory/NOPE', undefined],
      ['product.list', { limit: 2 }, 'GET', '/v1/products?limit=2', undefined],
      ['sale.get', { id: 'NOPE' }, 'GET', '/v1/sales/NOPE', undefined],
    ] as const) {
      const [packed, http] = [await socket.command(name, body), await call(method, path, sent)]
      expect({ name, status: packed.status, body: packed.body }).toEqual({ name, status: http.status, body: http.body })
    }
    socket.close()
  })

  test('is one of many, and more than may wait are told to come back', async () => {
    const socket = await connect()
    const answers = await Promise.all(
      Array.from({ length: 3_000 }, () => socket.command('inventory.get', { sku: 'TEE' })),
    )
    const statuses = new Set(answers.map(({ status }) => status))
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([])
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(1_000)
    expect((await socket.command('inventory.get', { sku: 'TEE' })).status).toBe(200)
    socket.close()
  })
})
