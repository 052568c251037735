/**
 * Killing: SIGKILL at random moments, under load, inside checkpoints, during a stop and during a start, over and over
 * on one data directory. After each, the server's books are what was acknowledged, plus what was asked again.
 */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
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

  async prepare(): Promise<void> {
    const server = await this.start()
    const { skus: indices } = await stockUp(server.url, [...skus, SOLD_OUT], ON_HAND)
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
  async kill(moment: Moment): Promise<void> {
    if (moment === 'start') {
      const server = TestServer.launch({ dataDir: this.dataDir, args: this.args })
      await setTimeout(random.below(700))
      await server.kill()
      return
    }
    const server = await this.start()
    await this.check(server)
    const options: LoadOptions = {
      sockets: 3,
      framesInFlight: 4,
      httpCalls: 4,
      holdsMax: 8_000,
      ballast: moment === 'checkpoint',
      soldOut: this.soldOut,
    }
    const load = await Load.start(server, this.ledger, this.notes, random, options)
    if (moment === 'checkpoint') await this.untilCheckpoint(server)
    else await setTimeout(random.between(50, 800))
    if (load.broken !== undefined) this.notes.faults.push(`under load: ${load.broken}`)
    if (moment === 'stop') server.signal('SIGTERM')
    if (moment !== 'load') await setTimeout(random.below(120))
    await server.kill()
    await load.ended()
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
