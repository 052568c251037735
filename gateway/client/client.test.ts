import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { type ClientOptions, DoorbusterClient } from './client.js'
import { FrameSocket } from './frame-socket.js'
import { StockServer } from './stock-server.contract.js'

const open: { close(): void | Promise<void> }[] = []

async function server(): Promise<StockServer> {
  const started = new StockServer()
  await started.listening()
  open.push({ close: () => started.stop() })
  return started
}

async function connect(to: StockServer, options: ClientOptions = {}): Promise<DoorbusterClient> {
  const client = await DoorbusterClient.connect(to.url, { backoff: { firstMs: 5, longestMs: 20 }, ...options })
  open.push(client)
  return client
}

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

const requests = (count: number, sku = 1) =>
  Array.from({ length: count }, () => ({ id: randomUUID(), sku, quantity: 1 }))

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 2))
}

describe('the client', () => {
  it('interns names, and tells unknown ones by -1', async () => {
    const client = await connect(await server())
    expect(await client.intern(['SKU-7', 'NOPE'], ['L3'])).toEqual({ skus: [7, -1], locations: [3] })
  })

  it('passes a command with its status and body, leaving out what is undefined', async () => {
    const client = await connect(await server())
    const reply = await client.command('reservation.create', { id: 'a', location: undefined, nested: { n: 2 ** 40 } })
    expect(reply).toEqual({ status: 200, body: { echo: { id: 'a', nested: { n: 2 ** 40 } } } })
  })

  it('answers each record in order: held until the stock is gone, then refused', async () => {
    const stock = await server()
    stock.stock.set(1, 3)
    const client = await connect(stock)
    const asked = requests(5)
    const replies = await client.reserve(asked)
    const refused = 'insufficient_stock'
    expect(replies.map((reply) => reply.status)).toEqual(['done', 'done', 'done', refused, refused])
    expect(replies[0]).toEqual({ status: 'done', replayed: false, location: 2, remaining: 2 })
    expect(replies[4]?.location).toBeNull()
    const [again] = await client.reserve(asked.slice(0, 1))
    expect(again).toMatchObject({ status: 'done', replayed: true })
    const [released] = await client.release([asked[0] ?? { id: '', sku: 0 }])
    expect(released).toMatchObject({ status: 'done', remaining: 1 })
    expect((await client.confirm([{ id: randomUUID(), sku: 1 }]))[0]?.status).toBe('unknown_reservation')
  })

  it('packs what a thousand callers ask in one tick into frames of 256, and keeps the order of kinds', async () => {
    const stock = await server()
    stock.stock.set(1, 10_000)
    const client = await connect(stock)
    const asked = requests(1_000)
    const held = asked.map((request) => client.reserve([request]))
    const released = client.release(asked.slice(0, 10))
    expect((await Promise.all(held)).every(([reply]) => reply?.status === 'done')).toBe(true)
    expect((await released).every((reply) => reply.status === 'done')).toBe(true)
    expect(stock.frames.map((frame) => [frame[1], frame.readUInt16LE(2)])).toEqual([
      [1, 256],
      [1, 256],
      [1, 256],
      [1, 232],
      [3, 10],
    ])
  })

  it('keeps to its bound of frames in flight and fills the frames that wait', async () => {
    const stock = await server()
    stock.stock.set(1, 10_000)
    const kept: [Buffer, WebSocket][] = []
    stock.intercept = (bytes, socket) => kept.push([Buffer.from(bytes), socket]) > 0
    const client = await connect(stock, { framesInFlight: 1 })
    const replies = []
    for (let i = 0; i < 20; i++) {
      replies.push(client.reserve(requests(1)))
      await new Promise((done) => setImmediate(done))
    }
    await until(() => kept.length === 1)
    stock.intercept = undefined
    for (const [bytes, socket] of kept) socket.send(stock.answer(bytes))
    await Promise.all(replies)
    expect(stock.frames.map((frame) => frame.readUInt16LE(2))).toEqual([1, 19])
  })

  it('refuses as overloaded what may not wait, and takes nothing of that call', async () => {
    const stock = await server()
    stock.intercept = () => true
    const client = await connect(stock, { framesInFlight: 1, recordsWaiting: 10, deadlineMs: 1_000 })
    const first = client.reserve(requests(10)).catch((error) => error.code)
    await until(() => stock.frames.length === 1)
    const second = client.reserve(requests(8)).catch((error) => error.code)
    await expect(client.reserve(requests(3))).rejects.toMatchObject({ code: 'overloaded' })
    expect(await Promise.all([first, second])).toEqual(['deadline_exceeded', 'deadline_exceeded'])
  })

  it('gives up at its deadline, drops the silent connection and goes on with a new one', async () => {
    const stock = await server()
    stock.stock.set(1, 5)
    stock.intercept = () => true
    const client = await connect(stock, { framesInFlight: 1, deadlineMs: 1_000 })
    await expect(client.reserve(requests(1))).rejects.toMatchObject({ code: 'deadline_exceeded' })
    stock.intercept = undefined
    await until(() => client.isConnected)
    expect((await client.reserve(requests(1)))[0]?.status).toBe('done')
  })

  it('connects again by itself and sends again what was unanswered, which is held once', async () => {
    const stock = await server()
    stock.stock.set(1, 100)
    const port = Number(new URL(stock.url).port)
    // Applied, but the connection breaks before the answer: the worst moment.
    stock.intercept = (bytes) => {
      stock.answer(bytes)
      return true
    }
    const client = await connect(stock)
    const seen: unknown[] = []
    client.subscribe(['inventory.SKU-1', 'event.>'], (topic, event) => seen.push([topic, event]))
    const replies = client.reserve(requests(40))
    const command = client.command('order.create', { id: 'o-1' })
    await until(() => stock.frames.length === 1)
    await stock.stop()
    stock.intercept = undefined
    stock.control.length = 0
    await new Promise((done) => setTimeout(done, 30))
    await stock.restartOn(port)
    expect((await replies).every((reply) => reply.status === 'done' && reply.replayed)).toBe(true)
    expect(await command).toMatchObject({ status: 200 })
    expect(stock.stock.get(1)).toBe(60)
    const [socket] = stock.sockets
    expect(stock.control[0]).toMatchObject({ op: 'subscribe', topics: ['inventory.SKU-1', 'event.>'] })
    if (!socket) throw new Error('no connection')
    for (const topic of ['inventory.SKU-1', 'inventory.SKU-2', 'event.order.created']) {
      stock.send(socket, { op: 'event', topic, event: { n: 1 } })
    }
    await until(() => seen.length === 2)
    expect(seen).toEqual([
      ['inventory.SKU-1', { n: 1 }],
      ['event.order.created', { n: 1 }],
    ])
  })

  it('unsubscribes from what no one else in it listens to', async () => {
    const stock = await server()
    const client = await connect(stock)
    const stop = client.subscribe(['event.>', 'order.1'], () => {})
    client.subscribe(['order.1'], () => {})
    stop()
    stop()
    await until(() => stock.control.length === 3)
    expect(stock.control[2]).toMatchObject({ op: 'unsubscribe', topics: ['event.>'] })
  })

  it('does not repeat a command that has no id: the caller learns that it may have been done', async () => {
    const stock = await server()
    stock.interceptControl = (_message, socket) => {
      socket.terminate()
      return true
    }
    const client = await connect(stock)
    await expect(client.command('order.create', { lines: [] })).rejects.toMatchObject({ code: 'connection_lost' })
  })

  it.each([
    ['nonsense in msgpack', Buffer.from([0x81, 0xa2, 0x6f])],
    ['a reply of another length', Buffer.from([1, 0x81, 9, 0, 0, 0, 0, 0])],
    ['a reply to frame 1 in another shape', Buffer.from([1, 0x83, 0, 0, 1, 0, 0, 0])],
    ['an unknown status', Buffer.from([1, 0x81, 1, 0, 1, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0])],
    ['an empty message', Buffer.alloc(0)],
  ])('closes with an error when the server sends %s', async (_name, bytes) => {
    const stock = await server()
    stock.intercept = (_frame, socket) => {
      socket.send(bytes)
      return true
    }
    const client = await connect(stock)
    await expect(client.reserve(requests(1))).rejects.toMatchObject({ code: 'protocol' })
    await expect(client.reserve(requests(1))).rejects.toMatchObject({ code: 'protocol' })
  })

  it('stops, with the reason, when the server calls its message malformed', async () => {
    const stock = await server()
    stock.intercept = (_frame, socket) => {
      socket.close(1007, 'quantity is 0')
      return true
    }
    const client = await connect(stock)
    await expect(client.reserve(requests(1))).rejects.toThrow(/1007: quantity is 0/)
  })

  it('says at once when nobody listens, when the URL is none, and after close', async () => {
    await expect(DoorbusterClient.connect('http://127.0.0.1:1')).rejects.toMatchObject({ code: 'unavailable' })
    await expect(DoorbusterClient.connect('localhost')).rejects.toMatchObject({ code: 'invalid' })
    const client = await connect(await server())
    await expect(client.reserve([{ id: 'x', sku: 1, quantity: 1 }])).rejects.toMatchObject({ code: 'invalid' })
    await expect(client.reserve([{ id: randomUUID(), sku: 1, quantity: 0 }])).rejects.toMatchObject({ code: 'invalid' })
    client.close()
    await expect(client.reserve(requests(1))).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('the bare socket', () => {
  it('tells frames from control messages and says why it closed', async () => {
    const stock = await server()
    stock.stock.set(1, 1)
    const socket = await FrameSocket.connect(stock.url)
    const frame = Buffer.alloc(48)
    frame.set([1, 1, 1, 0, 77])
    frame.writeUInt32LE(1, 8 + 24)
    frame.writeUInt32LE(1, 8 + 28)
    const reply = await new Promise<Buffer>((done) => {
      socket.onFrame = (bytes) => done(Buffer.from(bytes))
      socket.send(frame)
    })
    expect([reply[1], reply.readUInt32LE(4), reply[8]]).toEqual([0x81, 77, 0])
    const closed = new Promise((done) => {
      socket.onClose = (code, reason) => done([code, reason])
    })
    for (const each of stock.sockets) each.close(1009, 'too large')
    expect(await closed).toEqual([1009, 'too large'])
  })
})
