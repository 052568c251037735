/**
 * Killing: SIGKILL at random moments, under load, inside checkpoints, during a stop and during a start, over and over
 * on one data directory. After each, the server's books are what was acknowledged, plus what was asked again.
 */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { BatchBuyers } from './support/batches.js'
import { place, stockUp } from './support/catalogue.js'
import { verify } from './support/command-line.js'
import type { StockDocument } from './support/http-call.js'
import { Ledger } from './support/ledger.js'
import { Load, type LoadOptions, type Notes, sendAdjustment, sendKeyed } from './support/load.js'
import { PackedSocket } from './support/packed-socket.js'
import { Random, seed } from './support/random.js'
import { TestServer, temporaryDirectory } from './support/test-server.js'

/** Kills in all; the suite's default takes about a minute. */
const kills = Number(process.env.KILLS ?? 20)
/** Each kill may take this long before the test is called stuck. */
const MS_PER_KILL = 30_000

const ON_HAND = 100_000_000
/** Little stock, so that refusals and what is given back are part of it. */
const HOT_ON_HAND = 400
const skus = Array.from({ length: 24 }, (_, i) => (i === 0 ? 'HOT' : `SKU-${i}`))
const SOLD_OUT = 'SOLD-OUT'

/** A checkpoint begins behind so many bytes of log. */
const CHECKPOINT_LOG_BYTES = 96 * 1_048_576

type Moment = 'load' | 'stop' | 'start' | 'checkpoint'
const moments: readonly Moment[] = [
  'load',
  'stop',
  'start',
  'load',
  'stop',
  'load',
  'checkpoint',
  'start',
  'load',
  'stop',
]

const random = new Random(seed)

/** One data directory through all its kills. */
class Ordeal {
  readonly dataDir = temporaryDirectory()
  readonly notes: Notes = { adjustments: [], keyed: [], faults: [], frames: 0 }
  ledger!: Ledger
  private soldOut = 0
  private adjusted: number[] = []

  constructor(
    private readonly args: readonly string[],
    /** With several partitions each has its own share of a frame. */
    private readonly framesAreWhole: boolean,
  ) {}

  start(): Promise<TestServer> {
    return TestServer.start({ dataDir: this.dataDir, args: this.args })
  }

  async prepare(others: readonly string[] = []): Promise<void> {
    const server = await this.start()
    const { skus: indices } = await stockUp(server.url, [...skus, SOLD_OUT, ...others], ON_HAND)
    for (const [sku, onHand] of Object.entries({ HOT: HOT_ON_HAND, [SOLD_OUT]: 0 }))
      await server.call('PUT', `/v1/inventory/${sku}/W1`, { onHand })
    this.soldOut = indices.get(SOLD_OUT)!
    this.ledger = new Ledger(
      skus,
      skus.map((sku) => indices.get(sku)!),
      random,
    )
    this.adjusted = skus.map(() => 0)
    await server.kill()
  }

  /** Starts, checks, loads, and kills at the moment asked for. */
  async kill(moment: Moment, batches?: BatchBuyers): Promise<void> {
    if (moment === 'start') {
      const server = TestServer.launch({ dataDir: this.dataDir, args: this.args })
      await setTimeout(random.below(700))
      await server.kill()
      return
    }
    const server = await this.start()
    await this.check(server)
    await batches?.check(server)
    const options: LoadOptions = {
      sockets: 3,
      framesInFlight: 4,
      httpCalls: 4,
      holdsMax: 8_000,
      ballast: moment === 'checkpoint',
      soldOut: this.soldOut,
    }
    const load = await Load.start(server, this.ledger, this.notes, random, options)
    batches?.start(server)
    if (moment === 'checkpoint') await this.untilCheckpoint(server)
    else await setTimeout(random.between(50, 800))
    if (load.broken !== undefined) this.notes.faults.push(`under load: ${load.broken}`)
    if (moment === 'stop') server.signal('SIGTERM')
    if (moment !== 'load') await setTimeout(random.below(120))
    await server.kill()
    await load.ended()
    await batches?.ended()
  }

  private async untilCheckpoint(server: TestServer): Promise<void> {
    const partitions = await server.metric('doorbuster_partition_log_records_kept').then(() => 1)
    while ((await server.metric('doorbuster_partition_log_bytes')) < CHECKPOINT_LOG_BYTES * partitions)
      await setTimeout(5)
  }

  /** Asks again for what is open, and compares. */
  async check(server: TestServer, sample = 3_000): Promise<void> {
    const { ledger, notes } = this
    const socket = await PackedSocket.connect(server.url)
    notes.faults.push(...(await ledger.resolve(socket, this.framesAreWhole)))
    notes.faults.push(...(await ledger.recheck(socket, ledger.sample(sample))))
    await this.checkKeyed(server)
    await this.resolveAdjustments(server)
    const { body } = await socket.command<{ items: StockDocument[] }>('inventory.getMany', { skus })
    socket.close()
    const sums = ledger.sums()
    const seen = body.items.map(({ sku, onHand, reserved, allocated, atp }) => ({
      sku,
      onHand,
      reserved,
      allocated,
      atp,
    }))
    const expected = skus.map((sku, i) => {
      const { held: reserved, confirmed: allocated } = sums[i]!
      const onHand = (i === 0 ? HOT_ON_HAND : ON_HAND) + this.adjusted[i]!
      return { sku, onHand, reserved, allocated, atp: onHand - reserved - allocated }
    })
    expect(notes.faults).toEqual([])
    expect(seen).toEqual(expected)
  }

  /** What was answered under a key is answered again, word for word; what was not is done now. */
  private async checkKeyed(server: TestServer): Promise<void> {
    for (const keyed of this.notes.keyed.splice(0).slice(-40)) {
      const { status, body, headers } = await sendKeyed(server, this.ledger, keyed)
      if (keyed.answer) {
        expect(headers.get('idempotent-replayed')).toBe('true')
        expect({ status, body }).toEqual(keyed.answer)
      } else
        expect(status, `the first answer to a key that was not answered: ${JSON.stringify(body)}`).toBeLessThan(300)
    }
  }

  private async resolveAdjustments(server: TestServer): Promise<void> {
    const adjustments = this.notes.adjustments.splice(0)
    for (const adjustment of adjustments) {
      if (!adjustment.answered) expect((await sendAdjustment(server, this.ledger, adjustment)).status).toBe(201)
      this.adjusted[adjustment.place]! += adjustment.delta
    }
    // Those that were acknowledged change nothing when they come twice.
    for (const adjustment of adjustments.slice(-5))
      expect((await sendAdjustment(server, this.ledger, adjustment)).status).toBe(201)
  }

  async verified(): Promise<void> {
    const { code, faults, stderr } = await verify(this.dataDir)
    expect({ code, faults, stderr }).toEqual({ code: 0, faults: [], stderr: '' })
  }
}

describe(`after SIGKILL (seed ${seed})`, () => {
  const overBatches = Math.ceil(kills * 0.3)

  test('what was acknowledged is there, and what was not happened whole or not at all', {
    timeout: kills * MS_PER_KILL,
  }, async () => {
    const ordeal = new Ordeal([], true)
    await ordeal.prepare()
    for (let i = 0; i < kills - overBatches; i++) {
      await ordeal.kill(moments[i % moments.length]!)
      if (i % 50 === 49) await ordeal.verified()
    }
    const server = await ordeal.start()
    await ordeal.check(server, Number.POSITIVE_INFINITY)
    const before = await server.settledDigest()
    await server.kill()
    await ordeal.verified()
    const again = await ordeal.start()
    expect(await again.digest()).toBe(before)
    expect(await again.stop()).toEqual({ code: 0, signal: null })
    await ordeal.verified()
    expect(ordeal.ledger.acknowledged).toBeGreaterThan(kills * 100)
  })

  test('a batch over three partitions is held whole or not at all', {
    timeout: (overBatches + 1) * MS_PER_KILL,
  }, async () => {
    const ordeal = new Ordeal(['--partitions', '3', '--threads', '2'], false)
    const others = Array.from({ length: 9 }, (_, i) => `LINE-${i}`)
    await ordeal.prepare(others)
    const batches = new BatchBuyers(others, SOLD_OUT, random)
    for (let i = 0; i < overBatches; i++) await ordeal.kill(moments[(i * 3 + 1) % moments.length]!, batches)
    const server = await ordeal.start()
    await ordeal.check(server, Number.POSITIVE_INFINITY)
    await batches.check(server)
    expect(batches.faults).toEqual([])
    const reserved = await Promise.all(others.map(async (sku) => [sku, (await server.stock(sku)).reserved]))
    expect(reserved).toEqual([...batches.held])
    expect(Math.min(...batches.held.values())).toBeGreaterThan(0)
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    await ordeal.verified()
  })

  test('a directory that was being made is made anew', { timeout: 120_000 }, async () => {
    for (let i = 0; i < 6; i++) {
      const dataDir = join(temporaryDirectory(), 'data')
      const first = TestServer.launch({ dataDir })
      // As soon as anything of it is there: before it is complete.
      while (first.isRunning && !existsSync(join(dataDir, 'generation-1'))) await setTimeout(0)
      await first.kill()
      const second = await TestServer.start({ dataDir })
      await second.kill()
    }
  })

  test('a receipt under an Idempotency-Key counts once', { timeout: 120_000 }, async () => {
    const dataDir = temporaryDirectory()
    const expectedAt = new Date(Date.now() + 86_400_000).toISOString()
    const receive = (server: TestServer, key: string) =>
      server.call('POST', '/v1/inventory/supply/PO-1/receive', { quantity: 1 }, { 'idempotency-key': key })
    let server = await TestServer.start({ dataDir })
    await server.call('PUT', '/v1/locations/W1', place('W1'))
    await server.call('PUT', '/v1/products/TEE', { name: 'Tee' })
    const supply = { id: 'PO-1', sku: 'TEE', location: 'W1', quantity: 1_000_000, expectedAt, reference: 'PO-1' }
    expect((await server.call('POST', '/v1/inventory/supply', supply)).status).toBe(201)
    let received = 0
    for (let i = 0; i < 4; i++) {
      const open = new Set<string>()
      const work = Array.from({ length: 16 }, async () => {
        for (;;) {
          const key = randomUUID()
          open.add(key)
          const { status } = await receive(server, key).catch(() => ({ status: 0 }))
          if (status !== 200) return
          open.delete(key)
          received++
        }
      })
      await setTimeout(random.between(50, 300))
      await server.kill()
      await Promise.all(work)
      server = await TestServer.start({ dataDir })
      for (const key of open) expect((await receive(server, key)).status).toBe(200)
      received += open.size
    }
    expect((await server.stock('TEE')).onHand).toBe(received)
  })
})
