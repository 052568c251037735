/** More than can be done, and readers that are too slow: refused, dropped, bounded, and over when it is over. */
import { randomUUID } from 'node:crypto'
import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import { FrameSocket } from '../gateway/client/index.js'
import { stockUp } from './support/catalogue.js'
import { problemFaults } from './support/http-call.js'
import { frameMaker, holdFrame, newId, Operation, PackedSocket, reserveFrame, Status } from './support/packed-socket.js'
import { Random, seed } from './support/random.js'
import { Shop } from './support/shop.js'
import { TestServer } from './support/test-server.js'

const random = new Random(seed)
const shop = Shop.open()
const { call, newSku, reserve } = shop
const packr = new Packr({ useRecords: false, variableMapSize: true })
const MIB = 1_048_576

/** What the process may grow by while it is abused; mailboxes and what a reader may lag behind are part of it. */
const GROWTH_MAX = 250 * MIB

async function indexOf(sku: string): Promise<number> {
  const socket = await PackedSocket.connect(shop.server.url)
  const { skus } = await socket.intern([sku])
  socket.close()
  return skus[0]!
}

describe('fuzz', () => {
  const MESSAGES = Number(process.env.FUZZ ?? 3_000)

  /** Valid messages that change nothing: there is no stock, and no such reservation. */
  function seedMessage(sku: number): Uint8Array {
    const records = Array.from({ length: random.between(1, 6) }, () => ({ id: newId(), sku }))
    return random.pick([
      () => reserveFrame(random.below(2 ** 32), records),
      () => holdFrame(Operation.confirm, random.below(2 ** 32), records),
      () => holdFrame(Operation.release, random.below(2 ** 32), records),
      () => packr.pack({ op: 'intern', ref: random.below(1_000), skus: ['EMPTY', 'x'], locations: ['W1'] }),
      () => packr.pack({ op: 'command', ref: 1, name: 'inventory.get', body: { sku: 'EMPTY' } }),
      () =>
        packr.pack({
          op: 'command',
          ref: 'x',
          name: 'reservation.create',
          body: { id: randomUUID(), sku: 'EMPTY', quantity: 1 },
        }),
      () =>
        packr.pack({
          op: 'command',
          ref: 2,
          name: 'reservation.batch',
          body: { reservations: [{ id: randomUUID(), sku: 'EMPTY', quantity: 1 }] },
        }),
      () => packr.pack({ op: 'subscribe', ref: 3, topics: ['inventory.EMPTY', 'event.>'] }),
    ])()
  }

  function mutated(bytes: Uint8Array): Uint8Array {
    const copy = Buffer.from(bytes)
    const at = random.below(copy.length)
    switch (random.below(7)) {
      case 0:
        return copy.subarray(0, at)
      case 1:
        return Buffer.concat([copy, random.bytes(random.between(1, 64))])
      case 2:
        return Buffer.concat([copy.subarray(0, at), random.bytes(random.between(1, 8)), copy.subarray(at)])
      case 3:
        return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.min(copy.length, at + random.between(1, 8)))])
      case 4:
        return Buffer.concat([copy, copy])
      default:
        for (let i = random.between(1, 6); i > 0; i--) copy[random.below(copy.length)] = random.below(256)
        return copy
    }
  }

  test(`of ${MESSAGES} messages changes nothing, and what closes a socket says why (seed ${seed})`, {
    timeout: 120_000,
  }, async () => {
    const { url } = shop.server
    await call('PUT', '/v1/products/EMPTY', { name: 'Empty' })
    // Without any stock whatever is well-formed changes nothing either.
    await Promise.all(['W1', 'S1'].map((id) => call('PUT', `/v1/inventory/TEE/${id}`, { onHand: 0 })))
    const sku = await indexOf('EMPTY')
    const before = await shop.server.settledDigest()
    const memory = shop.server.residentBytes()
    const closes = new Map<number, number>()
    const unsaid: string[] = []
    let socket: FrameSocket | undefined
    for (let i = 0; i < MESSAGES; i++) {
      if (!socket?.isOpen) socket = await FrameSocket.connect(url)
      const kind = random.below(10)
      const bytes =
        kind === 0 ? random.bytes(random.between(1, 200)) : kind < 9 ? mutated(seedMessage(sku)) : seedMessage(sku)
      const current: FrameSocket = socket
      await new Promise<void>((done) => {
        current.onControl = (message) => {
          if ((packr.unpack(Buffer.from(message)) as { ref?: unknown }).ref === 'behind') done()
        }
        current.onClose = (code, reason) => {
          closes.set(code, (closes.get(code) ?? 0) + 1)
          if (reason === '') unsaid.push(`${code}: ${Buffer.from(bytes).toString('hex').slice(0, 200)}`)
          done()
        }
        if (current.closed) return done()
        current.send(bytes)
        current.send(packr.pack({ op: 'intern', ref: 'behind', skus: [], locations: [] }))
      })
    }
    socket?.terminate()
    expect(unsaid).toEqual([])
    expect([...closes.keys()].filter((code) => ![1007, 1008, 1009].includes(code))).toEqual([])
    expect(closes.get(1007)).toBeGreaterThan(MESSAGES / 10)
    expect(await shop.server.digest()).toBe(before)
    expect(shop.server.residentBytes() - memory).toBeLessThan(GROWTH_MAX)
    await call('PUT', '/v1/inventory/TEE/W1', { onHand: 1_000 })
    expect((await reserve({ sku: 'TEE' })).status).toBe(201)
  })
})

describe('a flood', () => {
  test('is refused as overloaded by what is too much, in bounded memory, and clears by itself', {
    timeout: 120_000,
  }, async () => {
    const sku = await newSku(2_000_000_000)
    const index = await indexOf(sku)
    const memory = shop.server.residentBytes()
    const sockets = await Promise.all(Array.from({ length: 4 }, () => PackedSocket.connect(shop.server.url)))
    const http: Awaited<ReturnType<typeof reserve>>[] = []
    let held = 0
    let refused = 0
    let most = 0
    const make = frameMaker(index, 4_096)
    for (let wave = 0; wave < 20 && (refused === 0 || http.length < 20); wave++) {
      // Each wave is several times what a mailbox holds.
      const frames = sockets.flatMap((socket) =>
        Array.from({ length: 80 }, async () => {
          const replies = await socket.send(make)
          const statuses = new Set(replies.map(({ status }) => status))
          expect(statuses.size, 'a frame is done whole or refused whole').toBe(1)
          if (statuses.has(Status.done)) held += replies.length
          else if (statuses.has(Status.overloaded)) refused += replies.length
          else throw new Error(`a frame is answered with ${[...statuses]}`)
        }),
      )
      http.push(...(await Promise.all(Array.from({ length: 10 }, () => reserve({ sku, ttlSeconds: 86_400 })))))
      most = Math.max(most, shop.server.residentBytes())
      await Promise.all(frames)
    }
    expect(refused, 'some are refused').toBeGreaterThan(0)
    expect(held, 'some are held').toBeGreaterThan(0)
    for (const answer of http) {
      if (answer.status === 201) held++
      else {
        expect(problemFaults(answer, 503, 'overloaded')).toEqual([])
        expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
      }
    }
    // It is over as soon as what was taken on is done.
    expect((await reserve({ sku })).status).toBe(201)
    expect((await sockets[0]!.reserve([{ id: newId(), sku: index }]))[0]?.status).toBe(Status.done)
    expect((await shop.server.stock(sku)).reserved).toBe(held + 2)
    expect(await shop.server.metric('doorbuster_in_flight')).toBe(0)
    expect((await call('GET', '/readyz')).status).toBe(200)
    // What is held stays: it is paid for at its price, and the flood at no more than a bounded one.
    expect(most - memory).toBeLessThan(GROWTH_MAX + 96 * held)
    for (const socket of sockets) socket.close()
  })
})

describe('a reader', () => {
  const FRAMES = 3_000
  const RECORDS = 256

  /** A socket whose answers nobody takes until `read` is called, which resolves with how many frames were answered. */
  async function unread(index: number) {
    const socket = await FrameSocket.connect(shop.server.url)
    // Answers wait in the server once the kernel's buffers between the two are full.
    const stream = (socket as unknown as { stream: import('node:net').Socket }).stream // a stall that no client makes by itself
    stream.pause()
    let answered = 0
    let records = 0
    const closed = new Promise<{ code: number; reason: string }>((done) => {
      socket.onClose = (code, reason) => done({ code, reason })
    })
    socket.onFrame = (bytes) => {
      answered++
      records += (bytes.length - 8) / 8
    }
    const make = frameMaker(index, RECORDS)
    return {
      socket,
      closed,
      send: () => socket.send(make(0)),
      get answered() {
        return answered
      },
      get records() {
        return records
      },
      resume: () => stream.resume(),
    }
  }

  test('that is slow for a while misses no answer', { timeout: 120_000 }, async () => {
    const sku = await newSku(0)
    const reader = await unread(await indexOf(sku))
    // 6 MB of answers: less than it may lag behind.
    const done = await shop.server.metric('doorbuster_frame_records')
    for (let i = 0; i < FRAMES; i++) {
      reader.send()
      if (i % 100 === 99) await taken(done + (i + 1) * RECORDS)
    }
    reader.resume()
    await expect.poll(() => reader.answered, { timeout: 20_000 }).toBe(FRAMES)
    expect(reader.records).toBe(FRAMES * RECORDS)
    reader.socket.terminate()
  })

  /** Waits until the server has taken so many records in all. */
  const taken = (records: number) =>
    expect
      .poll(() => shop.server.metric('doorbuster_frame_records'), { timeout: 30_000, interval: 20 })
      .toBeGreaterThanOrEqual(records)

  test('that never reads is dropped, and costs no more than its share', { timeout: 120_000 }, async () => {
    const sku = await newSku(0)
    const index = await indexOf(sku)
    const memory = shop.server.residentBytes()
    const readers = await Promise.all(Array.from({ length: 4 }, () => unread(index)))
    let dropped = 0
    for (const { closed } of readers) void closed.then(() => dropped++)
    let most = 0
    const sockets = () => shop.server.metric('doorbuster_sockets')
    const before = await sockets()
    for (let i = 0; i < 400 && (await sockets()) > before - readers.length; i++) {
      for (const reader of readers) for (let k = 0; k < 50; k++) reader.send()
      most = Math.max(most, shop.server.residentBytes())
      expect((await reserve({ sku: 'TEE', quantity: 2_000_000 })).status, 'others are served').toBe(409)
    }
    expect(await sockets(), 'all of them are dropped').toBe(before - readers.length)
    expect(most - memory).toBeLessThan(GROWTH_MAX)
    for (const reader of readers) {
      reader.resume()
      const { code } = await reader.closed
      expect([1006, 1008, 1013]).toContain(code)
    }
    expect(dropped).toBe(readers.length)
  })
})

describe('a stop', () => {
  test('under load answers what it took, says that it goes, and keeps all of it', { timeout: 90_000 }, async () => {
    const server = await TestServer.start()
    const { skus } = await stockUp(server.url, ['CAP'], 100_000_000)
    const sockets = await Promise.all(Array.from({ length: 3 }, () => PackedSocket.connect(server.url)))
    const acknowledged: Uint8Array[] = []
    const work = sockets.flatMap((socket) =>
      Array.from({ length: 4 }, async () => {
        for (;;) {
          const records = Array.from({ length: 64 }, () => ({
            id: newId(),
            sku: skus.get('CAP')!,
            ttlSeconds: 86_400,
          }))
          const replies = await socket.reserve(records).catch(() => undefined)
          if (!replies) return
          replies.forEach(({ status }, i) => {
            if (status === Status.done) acknowledged.push(records[i]!.id)
          })
        }
      }),
    )
    await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(5_000)
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    await Promise.all(work)
    for (const socket of sockets)
      expect(await socket.closed).toEqual({ code: 1001, reason: expect.stringMatching(/stop/) })
    const again = await TestServer.start({ dataDir: server.dataDir })
    const { reserved } = await again.stock('CAP')
    expect(reserved).toBeGreaterThanOrEqual(acknowledged.length)
    const socket = await PackedSocket.connect(again.url)
    for (let at = 0; at < acknowledged.length; at += 4_096) {
      const replies = await socket.reserve(
        acknowledged.slice(at, at + 4_096).map((id) => ({ id, sku: skus.get('CAP')!, ttlSeconds: 86_400 })),
      )
      expect(replies.every(({ status, replayed }) => status === Status.done && replayed)).toBe(true)
    }
    expect((await again.stock('CAP')).reserved).toBe(reserved)
  })
})
