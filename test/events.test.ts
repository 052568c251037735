/** Events: published once, in order, read from anywhere on and again after a restart; stock as it changes. */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { FrameSocket } from '../gateway/client/index.js'
import { place } from './support/catalogue.js'
import { EventReader } from './support/event-reader.js'
import type { StockDocument } from './support/http-call.js'
import { PackedSocket } from './support/packed-socket.js'
import { Random, seed } from './support/random.js'
import { RawHttp } from './support/raw-http.js'
import { Shop } from './support/shop.js'
import { TestServer } from './support/test-server.js'

const random = new Random(seed)
const shop = Shop.open()
const { call, newSku, reserve } = shop
const MIB = 1_048_576

/** A SKU of which one is held: each count of 0 publishes a shortage, each of 1 ends it. */
async function shortable(): Promise<string> {
  const sku = await newSku(1)
  expect((await reserve({ sku, ttlSeconds: 86_400 })).status).toBe(201)
  return sku
}

async function publish(sku: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) for (const onHand of [0, 1]) await call('PUT', `/v1/inventory/${sku}/W1`, { onHand })
}

/** Very many shortages, as packed counts: two records for each. */
async function publishMany(sku: string, times: number): Promise<void> {
  const socket = await PackedSocket.connect(shop.server.url)
  const { skus, locations } = await socket.intern([sku], ['W1'])
  socket.close()
  const raw = await FrameSocket.connect(shop.server.url)
  for (let left = times; left > 0; left -= 2_000) {
    const count = Math.min(left, 2_000) * 2
    const frame = Buffer.alloc(8 + 16 * count)
    frame.set([1, 4])
    frame.writeUInt16LE(count, 2)
    for (let i = 0; i < count; i++) {
      frame.writeUInt32LE(skus[0]!, 8 + 16 * i)
      frame.writeUInt32LE(i % 2, 12 + 16 * i)
      frame.writeUInt16LE(locations[0]!, 20 + 16 * i)
    }
    await new Promise<void>((done) => {
      raw.onFrame = () => done()
      raw.send(frame)
    })
  }
  raw.terminate()
}

describe('the event stream', () => {
  test('tells what happened as CloudEvents, in order, each once', async () => {
    const sku = await shortable()
    const reader = await EventReader.open(shop.server.url)
    expect(reader.response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    await publish(sku, 3)
    const own = () => reader.events.filter(({ data }) => (data.data as { sku?: string }).sku === sku)
    await expect.poll(() => own().length, { timeout: 10_000 }).toBe(3)
    for (const { data, type, id } of own()) {
      expect(type).toBe('inventory.shortage')
      expect(data).toMatchObject({
        specversion: '1.0',
        type,
        source: expect.any(String),
        id: expect.any(String),
        subject: expect.stringContaining(sku),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        data: { sku, location: 'W1', shortage: 1 },
      })
      expect(id).not.toBe('')
    }
    expect(new Set(reader.events.map(({ data }) => data.id)).size).toBe(reader.events.length)
    reader.close()
  })

  test('goes on behind any event that was seen, by `after` and by Last-Event-ID', async () => {
    const sku = await shortable()
    await publish(sku, 6)
    const first = await EventReader.open(shop.server.url)
    await first.until(6)
    const seen = [...first.events]
    first.close()
    for (const at of [0, 2, seen.length - 2]) {
      const { id } = seen[at]!
      for (const reader of [
        await EventReader.open(shop.server.url, `?after=${encodeURIComponent(id)}`),
        await EventReader.open(shop.server.url, '', { 'last-event-id': id }),
      ]) {
        await reader.until(seen.length - at - 1)
        expect(reader.events.slice(0, seen.length - at - 1)).toEqual(seen.slice(at + 1))
        reader.close()
      }
    }
  })

  test('refuses a cursor that it did not give', async () => {
    for (const after of ['x', '-1', '1.2.3.4', '1.5', '1e400', '0x1', '1e1', ' ', '+1', '999999999999999999999']) {
      const reader = await EventReader.open(shop.server.url, `?after=${encodeURIComponent(after)}`)
      expect({ after, status: reader.response.status }).toEqual({ after, status: 422 })
      expect(reader.response.headers.get('content-type')).toMatch(/^application\/problem\+json/)
      reader.close()
    }
  })

  test('is the same after a stop and after a kill', { timeout: 60_000 }, async () => {
    let server = await TestServer.start({ args: ['--partitions', '2', '--threads', '2'] })
    const { dataDir } = server
    const put = (path: string, body: unknown) => server.call('PUT', path, body)
    await put('/v1/locations/W1', place('W1'))
    for (const sku of ['A', 'B']) {
      await put(`/v1/products/${sku}`, { name: sku })
      await put(`/v1/inventory/${sku}/W1`, { onHand: 1 })
      await server.call('POST', '/v1/reservations', { id: randomUUID(), sku, quantity: 1, ttlSeconds: 86_400 })
    }
    const short = async () => {
      for (const sku of ['A', 'B']) for (const onHand of [0, 1]) await put(`/v1/inventory/${sku}/W1`, { onHand })
    }
    const read = async (count: number, query = '') => {
      const reader = await EventReader.open(server.url, query)
      await reader.until(count)
      reader.close()
      return reader.events.slice(0, count)
    }
    await short()
    const before = await read(2)
    for (const end of ['kill', 'stop'] as const) {
      await server[end]()
      server = await TestServer.start({ dataDir })
      expect(await read(2)).toEqual(before)
    }
    await short()
    const behind = await read(2, `?after=${before.at(-1)!.id}`)
    const ids = [...before, ...behind].map(({ data }) => data.id)
    expect(new Set(ids).size).toBe(4)
  })

  test('ends when the server stops', async () => {
    const server = await TestServer.start()
    const reader = await EventReader.open(server.url)
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    await reader.until(1_000)
    expect(reader.ended).toBe(true)
  })

  test('says so to a reader that has missed some', { timeout: 120_000 }, async () => {
    const sku = await shortable()
    const first = await EventReader.open(shop.server.url)
    await publish(sku, 1)
    const [{ id } = { id: '' }] = await first.until(1)
    first.close()
    // More than are kept: those right behind the first are gone.
    await publishMany(sku, 1_010_000)
    const reader = await EventReader.open(shop.server.url, `?after=${id}`)
    const [next] = await reader.until(1)
    const told = [...reader.comments, next?.type ?? '', JSON.stringify(next?.data)].join(' ')
    expect(told).toMatch(/miss|gap|no longer|lost|skipped/i)
    reader.close()
  })

  test('is one of many, and readers that do not read cost no more than their share', { timeout: 180_000 }, async () => {
    await publishMany(await shortable(), 90_000)
    const memory = shop.server.residentBytes()
    const readers = await Promise.all(Array.from({ length: 6 }, () => RawHttp.connect(shop.server.port)))
    for (const reader of readers) {
      reader.pause()
      reader.send(`GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:${shop.server.port}\r\n\r\n`)
    }
    // Until it has grown by nothing for a while: all that it will ever write for them is written.
    let most = memory
    for (let still = 0; still < 15 && most - memory < 100 * MIB; still++) {
      expect((await reserve({ sku: 'TEE' })).status, 'others are served').toBe(201)
      await setTimeout(200)
      const now = shop.server.residentBytes()
      if (now < most + 2 * MIB) continue
      still = 0
      most = now
    }
    for (const reader of readers) reader.end()
    // They are 40 MB behind each.
    expect((most - memory) / MIB).toBeLessThan(90)
  })
})

describe('a subscription', () => {
  const connect = () => PackedSocket.connect(shop.server.url)

  /** Collects what comes of a socket's subscriptions. */
  function collect(socket: PackedSocket) {
    const events: { topic: string; event: Record<string, unknown> }[] = []
    socket.onEvent = (topic, event) => void events.push({ topic, event })
    return events
  }

  test('to a SKU’s stock brings it as it is and as it becomes', async () => {
    const [a, b] = [await newSku(10), await newSku(10)]
    const socket = await connect()
    const events = collect(socket)
    await socket.control({ op: 'subscribe', topics: [`inventory.${a}`, 'inventory.NO-SUCH'] })
    await reserve({ sku: a, quantity: 3 })
    await reserve({ sku: b, quantity: 3 })
    const last = () => events.at(-1)?.event as StockDocument | undefined
    await expect.poll(() => last()?.reserved, { timeout: 10_000 }).toBe(3)
    expect(last()).toEqual(await shop.server.stock(a))
    expect(new Set(events.map(({ topic }) => topic))).toEqual(new Set([`inventory.${a}`]))
    for (let i = 0; i < 30; i++) await reserve({ sku: 'TEE' })
    const { length } = events
    await reserve({ sku: a, quantity: 1 })
    await expect.poll(() => last()?.reserved, { timeout: 10_000 }).toBe(4)
    expect(events.length).toBeGreaterThan(length)
    socket.close()
  })

  test('of a second socket brings the stock as it is, too', async () => {
    const sku = await newSku(10)
    const [one, two] = [await connect(), await connect()]
    const [first, second] = [collect(one), collect(two)]
    await one.control({ op: 'subscribe', topics: [`inventory.${sku}`] })
    await expect.poll(() => first.length, { timeout: 10_000 }).toBe(1)
    await two.control({ op: 'subscribe', topics: [`inventory.${sku}`] })
    await expect.poll(() => second.length, { timeout: 10_000 }).toBe(1)
    expect(second[0]).toEqual(first[0])
    one.close()
    two.close()
  })

  test('to events brings all, or those of a type, until it is ended', async () => {
    const sku = await shortable()
    const [all, some, none] = [await connect(), await connect(), await connect()]
    const [every, shortages, others] = [collect(all), collect(some), collect(none)]
    await all.control({ op: 'subscribe', topics: ['event.>'] })
    await some.control({ op: 'subscribe', topics: ['event.inventory.shortage'] })
    await none.control({ op: 'subscribe', topics: ['event.order.created', `inventory.${sku}.x`] })
    await publish(sku, 2)
    const moved = (topic: string) => topic === 'event.inventory.moved'
    // Each count is told as a movement besides.
    const alerts = () => every.filter((one) => !moved((one as { topic: string }).topic))
    await expect.poll(() => alerts().length, { timeout: 10_000 }).toBe(2)
    await expect.poll(() => shortages.length, { timeout: 10_000 }).toBe(2)
    expect(shortages).toEqual(alerts())
    expect(alerts()[0]).toMatchObject({
      topic: 'event.inventory.shortage',
      event: { specversion: '1.0', data: { sku } },
    })
    expect(others).toEqual([])
    await all.control({ op: 'unsubscribe', topics: ['event.>'] })
    await publish(sku, 1)
    await expect.poll(() => shortages.length, { timeout: 10_000 }).toBe(3)
    expect(alerts()).toHaveLength(2)
    for (const socket of [all, some, none]) socket.close()
  })

  test('to more topics than there may be closes the socket with the reason', async () => {
    const socket = await connect()
    const topics = Array.from({ length: 1_024 }, (_, i) => `inventory.${random.below(1_000_000)}-${i}`)
    await socket.control({ op: 'subscribe', topics })
    void socket.control({ op: 'subscribe', topics: ['event.>'] }).catch(() => {})
    expect(await socket.closed).toEqual({ code: 1008, reason: expect.stringMatching(/1024/) })
  })
})
