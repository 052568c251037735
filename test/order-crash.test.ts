/**
 * SIGKILL while orders flow across partitions: placed, cancelled, held, worked on, and short of stock. Over and over on one
 * data directory; after the last restart everything that was begun comes to its end, and no unit is lost or held twice.
 */
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { place } from './support/catalogue.js'
import { verify } from './support/command-line.js'
import { add, hasShipped, needlessWaits, orderFaults, stockFaults, stockKey, unitsOf } from './support/order-audit.js'
import {
  asListed,
  exportOrders,
  listOrders,
  type OrderDocument,
  orderCounts,
  untilQuiet,
} from './support/order-document.js'
import { OrderBook, OrderLoad, type Placed } from './support/order-load.js'
import { Random, seed } from './support/random.js'
import { TestServer, temporaryDirectory } from './support/test-server.js'

/** Kills in all; more by environment. */
const kills = Number(process.env.KILLS ?? 8)
const MS_PER_KILL = 30_000

type Moment = 'load' | 'stop' | 'start'
const moments: readonly Moment[] = ['load', 'load', 'stop', 'load', 'start', 'load']
const ORDERS_PER_LOAD = 300
/** So much is acknowledged before the kill, on a machine that is not too busy. */
const ANSWERS_PER_LOAD = [40, 500] as const
const LOAD_MS_MAX = 4_000

const KIT = 'SET'
/** In front those that are short; they are dealt out to the partitions in turn. */
const skus = [KIT, ...Array.from({ length: 13 }, (_, i) => `SKU-${i}`)]
const SHORT = 5
const locations = ['W1', 'W2', 'S1', 'S2'] as const
const FULL = 'W9'
const random = new Random(seed)
const ENDED = ['cancelled', 'rejected', 'delivered', 'completed']

class Ordeal {
  readonly dataDir = temporaryDirectory()
  readonly book = new OrderBook(skus, locations, random)

  /** A server that runs already. */
  private first: TestServer | undefined

  constructor(private readonly args: readonly string[]) {}

  start(): Promise<TestServer> {
    return TestServer.start({ dataDir: this.dataDir, args: this.args })
  }

  async prepare(): Promise<void> {
    const server = await this.start()
    const put = async (path: string, body: unknown) => {
      const { status, body: answer } = await server.call('PUT', path, body)
      if (status >= 300) throw new Error(`${path} was refused: ${JSON.stringify(answer)}`)
    }
    for (const [i, id] of [...locations, FULL].entries()) {
      const fields = {
        type: id.startsWith('S') ? 'store' : 'warehouse',
        latitude: 51 + i,
        capacityPerDay: 1_000_000_000,
      }
      await put(`/v1/locations/${id}`, place(id, fields))
    }
    for (const sku of skus.slice(1)) await put(`/v1/products/${sku}`, { name: sku, weightGrams: 300 })
    const kit = [skus[SHORT + 1]!, skus[SHORT + 2]!].map((sku, i) => ({ sku, quantity: i + 1 }))
    await put(`/v1/products/${KIT}`, { name: KIT, kit })
    for (const [i, sku] of skus.entries()) {
      if (sku === KIT) continue
      for (const location of locations) {
        const onHand = i < SHORT ? random.between(0, 20) : random.between(50, 150)
        await put(`/v1/inventory/${sku}/${location}`, { onHand })
        this.book.onHand.set(stockKey(sku, location), onHand)
      }
    }
    this.first = server
  }

  async kill(moment: Moment): Promise<void> {
    if (moment === 'start') {
      const server = TestServer.launch({ dataDir: this.dataDir, args: this.args })
      await setTimeout(random.between(100, 800))
      await server.kill()
      return
    }
    const server = this.first ?? (await this.start())
    this.first = undefined
    await this.book.resolve(server)
    const before = this.book.answers
    const load = new OrderLoad(server, this.book, random, ORDERS_PER_LOAD)
    const answers = random.between(...ANSWERS_PER_LOAD)
    const until = performance.now() + LOAD_MS_MAX
    while (this.book.answers - before < answers && performance.now() < until) await setTimeout(random.between(1, 20))
    if (load.broken !== undefined) this.book.faults.push(`under load: ${load.broken}`)
    if (moment === 'stop') {
      server.signal('SIGTERM')
      await setTimeout(random.below(120))
    }
    await server.kill()
    await load.ended()
    expect(this.book.faults).toEqual([])
  }

  /** Everybody is answered, nobody is held back: what was begun comes to its end. */
  async settle(server: TestServer): Promise<void> {
    await this.book.resolve(server)
    await untilQuiet(server)
    for (const { id, status } of await listOrders(server)) {
      if (status === 'on_hold') expect((await server.call('POST', `/v1/orders/${id}/resume`, {})).status).toBe(200)
    }
    await untilQuiet(server)
  }

  async check(server: TestServer): Promise<OrderDocument[]> {
    const orders = await listOrders(server)
    const stocks = await Promise.all(skus.filter((sku) => sku !== KIT).map((sku) => server.stock(sku)))
    expect(this.book.faults).toEqual([])
    expect(this.acknowledgedFaults(orders)).toEqual([])
    expect(orders.flatMap(orderFaults)).toEqual([])
    expect(stockFaults(orders, stocks, this.book.onHand)).toEqual([])
    expect(shippedOf(orders)).toEqual(sorted(this.book.shipped))
    expect(needlessWaits(orders, stocks)).toEqual([])
    const stuck = orders.filter(({ status }) => ['received', 'validating', 'sourcing', 'on_hold'].includes(status))
    expect(stuck.map(({ id, status }) => `${id} is ${status}`)).toEqual([])

    const counted = Object.fromEntries(Object.keys(await orderCounts(server)).map((status) => [status, 0]))
    for (const { status } of orders) counted[status]!++
    expect(await orderCounts(server)).toEqual(counted)
    expect((await exportOrders(server)).map(asListed)).toEqual(orders)
    return orders
  }

  /** Every order that was acknowledged is there as it was, and nobody else's is. */
  private acknowledgedFaults(orders: readonly OrderDocument[]): string[] {
    const faults: string[] = []
    const byNotes = new Map<string | null, OrderDocument>()
    const names = new Set<string>()
    for (const order of orders) {
      if (byNotes.has(order.notes)) faults.push(`${order.notes} has made two orders, one is ${order.id}`)
      byNotes.set(order.notes, order)
      const name = `${order.channel}/${order.externalId ?? `none ${order.id}`}`
      if (names.has(name)) faults.push(`${name} names two orders, one is ${order.id}`)
      names.add(name)
    }
    for (const placed of this.book.placed) {
      const order = byNotes.get(placed.body.notes)
      byNotes.delete(placed.body.notes)
      if (!order) faults.push(`${placed.id} is gone: ${JSON.stringify(placed.body)}`)
      else faults.push(...this.contentFaults(placed, order))
    }
    for (const { id } of byNotes.values()) faults.push(`nobody has asked for ${id}`)
    return faults
  }

  private contentFaults(placed: Placed, order: OrderDocument): string[] {
    const { body, id, seen } = placed
    const faults = this.book.see(placed, order)
    const linesOf = ({ lines }: Pick<OrderDocument, 'lines'>) =>
      lines.flatMap(({ sku, quantity, unitPrice, partOf }) =>
        partOf === undefined ? [{ sku, quantity, unitPrice: Number(unitPrice.amount) }] : [],
      )
    const asked = {
      id,
      channel: body.channel,
      externalId: body.externalId ?? null,
      customer: body.customer,
      lines: body.lines.map(({ sku, quantity, unitPrice }) => ({ sku, quantity, unitPrice: Number(unitPrice.amount) })),
      allow: [body.allowSplit, body.allowBackorder, body.allowPartial],
    }
    const is = {
      id: order.id,
      channel: order.channel,
      externalId: order.externalId,
      customer: order.customer,
      lines: linesOf(order),
      allow: [order.allowSplit, order.allowBackorder, order.allowPartial],
    }
    if (JSON.stringify(is) !== JSON.stringify(asked))
      faults.push(`asked for ${JSON.stringify(asked)}, and it is ${JSON.stringify(is)}`)
    if (!seen) return faults
    if (seen.timeline.length > order.timeline.length) faults.push(`${id} has forgotten a part of its timeline`)
    if (ENDED.includes(seen.status) && seen.status !== order.status)
      faults.push(`${id} was ${seen.status} and is ${order.status}`)
    seen.lines.forEach((line, at) => {
      const [before, now] = [unitsOf(line, 'cancelled'), unitsOf(order.lines[at]!, 'cancelled')]
      if (before > now) faults.push(`${id}: ${before} units of line ${line.line} were cancelled, now ${now}`)
    })
    return faults
  }

  /** More than enough comes in at once. */
  async fill(server: TestServer): Promise<void> {
    for (const sku of skus) {
      if (sku === KIT) continue
      expect((await server.call('PUT', `/v1/inventory/${sku}/${FULL}`, { onHand: 100_000 })).status).toBe(200)
      this.book.onHand.set(stockKey(sku, FULL), 100_000)
    }
    await untilQuiet(server)
  }

  async verified(): Promise<void> {
    const { code, faults, stderr } = await verify(this.dataDir)
    expect({ code, faults, stderr }).toEqual({ code: 0, faults: [], stderr: '' })
  }
}

const sorted = (sums: ReadonlyMap<string, number>) => [...sums].filter(([, units]) => units !== 0).sort()

/** Units that have left, as the orders say it. */
function shippedOf(orders: readonly OrderDocument[]) {
  const sums = new Map<string, number>()
  for (const { fulfillments } of orders) {
    for (const fulfillment of fulfillments.filter(hasShipped)) {
      for (const { sku, quantity } of fulfillment.lines) add(sums, stockKey(sku, fulfillment.location), quantity)
    }
  }
  return sorted(sums)
}

describe(`orders after SIGKILL (seed ${seed})`, () => {
  const over = Math.ceil(kills * 0.6)

  test.each([
    ['three partitions', over, ['--partitions', '3', '--threads', '2']],
    ['one partition', kills - over, ['--partitions', '1']],
  ])(
    'over %s, whatever was begun comes to its end, and every unit is where it is said to be',
    {
      timeout: (kills + 4) * MS_PER_KILL,
    },
    async (_, count, args) => {
      const ordeal = new Ordeal(args)
      const { book } = ordeal
      await ordeal.prepare()
      for (let i = 0; i < count; i++) {
        await ordeal.kill(moments[i % moments.length]!)
        if (i % 50 === 49) await ordeal.verified()
      }
      let server = await ordeal.start()
      await ordeal.settle(server)
      const before = await ordeal.check(server)
      const ends = new Set(before.map(({ status }) => status))
      for (const status of ['allocated', 'backordered', 'cancelled', 'rejected', 'delivered'])
        expect(ends).toContain(status)
      expect(book.shipped.size * book.missing.size).toBeGreaterThan(0)

      await ordeal.fill(server)
      const after = await ordeal.check(server)
      expect(after.filter(({ status }) => status === 'backordered').map(({ id }) => id)).toEqual([])
      const digest = await server.settledDigest()
      await server.kill()
      await ordeal.verified()
      server = await ordeal.start()
      expect(await server.digest()).toBe(digest)
      expect(await listOrders(server)).toEqual(after)
      expect(await server.stop()).toEqual({ code: 0, signal: null })
      await ordeal.verified()
    },
  )
})
