/**
 * The real file again, as orders over 20 stores and 3 warehouses that have four fifths of what was sold. Half way and at
 * the end a part of the work is done by the locations. What has become of it is counted from what the API shows.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { stableHash } from '../gateway/cli/stable-hash.js'
import { place } from './support/catalogue.js'
import { verify } from './support/command-line.js'
import type { StockDocument } from './support/http-call.js'
import { type Invoice, readInvoices } from './support/invoices.js'
import { add, needlessWaits, orderFaults, stockFaults, stockKey } from './support/order-audit.js'
import { exportOrders, listOrders, type OrderDocument, orderCounts, untilQuiet } from './support/order-document.js'
import { PackedSocket } from './support/packed-socket.js'
import { TestServer } from './support/test-server.js'

const file = resolve(process.env.RETAIL_FILE ?? '../shared/data/online-retail-2010-12-to-2011-09.csv.gz')
/** Invoices that are played, over one partition fewer; ORDERS=all plays the file to its end. */
const count = process.env.ORDERS === 'all' ? Number.POSITIVE_INFINITY : Number(process.env.ORDERS ?? 4_000)
const SHARE = 0.8
const TIMEOUT_MS = 3_600_000

const warehouses = Array.from({ length: 3 }, (_, i) => `W${i + 1}`)
const stores = Array.from({ length: 20 }, (_, i) => `S${i + 1}`)

/** Of one control message. */
const LINES_PER_MESSAGE = 800
const ORDERS_PER_MESSAGE = 100
const ITEMS_PER_MESSAGE = 500
const SKUS_PER_MESSAGE = 100
const MESSAGES_IN_FLIGHT = 6

const channelOf = ({ number }: Invoice) => (stableHash(number) % 2 === 0 ? 'web' : 'shop')
const idOf = ({ number }: Invoice) => `INV-${number}`

function orderBody(invoice: Invoice): Record<string, unknown> {
  const { number, customer, lines } = invoice
  const dice = stableHash(`${number} terms`)
  return {
    id: idOf(invoice),
    channel: channelOf(invoice),
    externalId: number,
    currency: 'GBP',
    customer: { name: `Customer ${customer || 'unknown'}`, ...(customer ? { id: customer } : {}), phone: '+44 113 0' },
    shipTo: { line1: '2 High Street', city: 'York', postalCode: 'YO1 7HH', country: 'GB', latitude: 54, longitude: -1 },
    lines: lines.map(({ sku, quantity, price }) => ({ sku, quantity, unitPrice: { amount: price, currency: 'GBP' } })),
    allowPartial: dice % 2 === 0,
    allowBackorder: (dice >> 1) % 2 === 0,
  }
}

/** What of a SKU lies where: two thirds in the warehouses, the rest in four stores. */
function spread(sku: string, units: number): Map<string, number> {
  const from = stableHash(sku)
  const places = [...warehouses, ...warehouses, ...[0, 1, 2, 3].map((i) => stores[(from + i * 7) % stores.length]!)]
  const shares = new Map<string, number>()
  const each = Math.floor(units / places.length)
  for (const id of places) add(shares, id, each)
  add(shares, places[from % places.length]!, units - each * places.length)
  return shares
}

class History {
  /** What has to be on hand, by SKU and location. */
  readonly onHand = new Map<string, number>()
  readonly skus: string[]
  readonly orders: Invoice[]
  /** Lines of credit notes by what came of them. */
  readonly cancellations = { done: 0, refused: 0, unmatched: 0 }
  /** Milliseconds in which orders were placed and cancelled. */
  placingMs = 0
  private readonly answered = new Map<string, Promise<unknown>>()
  private readonly latest = new Map<string, string>()
  private readonly inFlight = new Set<Promise<unknown>>()
  private batch: Invoice[] = []

  constructor(
    readonly server: TestServer,
    private readonly socket: PackedSocket,
    invoices: readonly Invoice[],
  ) {
    this.orders = invoices.filter(({ kind }) => kind === 'order')
    this.skus = [...new Set(invoices.flatMap(({ lines }) => lines.map(({ sku }) => sku)))]
  }

  private async command<Body>(name: string, body: unknown): Promise<Body> {
    const answer = await this.socket.command<Body>(name, body)
    if (answer.status >= 300) throw new Error(`${name} was refused: ${JSON.stringify(answer)}`)
    return answer.body
  }

  async seed(): Promise<void> {
    for (const [i, id] of [...warehouses, ...stores].entries()) {
      const type = i < warehouses.length ? 'warehouse' : 'store'
      const where = { latitude: 51 + (i % 5), longitude: -3 + (i % 4), capacityPerDay: 1_000_000_000 }
      await this.command('location.put', { id, ...place(id, { type, ...where }) })
    }
    const demand = new Map<string, number>(this.skus.map((sku) => [sku, 0]))
    for (const { lines } of this.orders) for (const { sku, quantity } of lines) add(demand, sku, quantity)
    const items: { sku: string; location: string; onHand: number }[] = []
    for (const [sku, units] of demand) {
      for (const [location, onHand] of spread(sku, Math.floor(SHARE * units))) {
        if (onHand === 0) continue
        items.push({ sku, location, onHand })
        this.onHand.set(stockKey(sku, location), onHand)
      }
    }
    for (const some of slices(this.skus, ITEMS_PER_MESSAGE))
      await this.command('product.putMany', { products: some.map((sku) => ({ sku, name: sku, weightGrams: 250 })) })
    for (const some of slices(items, ITEMS_PER_MESSAGE)) await this.command('inventory.putMany', { items: some })
  }

  /** Plays invoices in their order; a cancellation waits for the order that it is about. */
  async play(invoices: readonly Invoice[]): Promise<void> {
    const started = performance.now()
    for (const invoice of invoices) {
      if (invoice.kind === 'order') await this.add(invoice)
      else for (const line of invoice.lines) await this.cancel(invoice, line)
    }
    await this.send()
    await Promise.all(this.inFlight)
    this.placingMs += performance.now() - started
    await untilQuiet(this.server, TIMEOUT_MS)
  }

  private async add(invoice: Invoice): Promise<void> {
    const { batch } = this
    const lines = batch.reduce((sum, other) => sum + other.lines.length, 0)
    if (batch.length === ORDERS_PER_MESSAGE || (batch.length > 0 && lines + invoice.lines.length > LINES_PER_MESSAGE))
      await this.send()
    this.batch.push(invoice)
    if (invoice.customer === '') return
    for (const { sku } of invoice.lines) this.latest.set(`${invoice.customer}/${sku}`, idOf(invoice))
  }

  private async send(): Promise<void> {
    const { batch } = this
    if (batch.length === 0) return
    this.batch = []
    const sent = this.command<{ results: { status: number; id?: string }[] }>('order.createMany', {
      orders: batch.map(orderBody),
    }).then(({ results }) => {
      const wrong = results.filter(({ status, id }, i) => ![201, 202].includes(status) || id !== idOf(batch[i]!))
      if (wrong.length > 0) throw new Error(`orders were refused: ${JSON.stringify(wrong.slice(0, 3))}`)
    })
    for (const invoice of batch) this.answered.set(idOf(invoice), sent)
    await this.fly(sent)
  }

  /** An order that other partitions are still asked about is not cancelled yet: the answer says to try again. */
  private async cancelOnceTaken(body: object): Promise<{ status: number; body: unknown }> {
    for (;;) {
      const answer = await this.socket.command<{ code?: string }>('order.cancel', body)
      if (answer.status !== 503) return answer
    }
  }

  private async cancel({ customer, number }: Invoice, line: Invoice['lines'][number]): Promise<void> {
    const { sku, quantity } = line
    const id = this.latest.get(`${customer}/${sku}`)
    if (id === undefined) {
      this.cancellations.unmatched++
      return
    }
    if (!this.answered.has(id)) await this.send()
    await this.answered.get(id)
    const body = { id, reason: `credit note ${number}`, lines: [{ sku, quantity }] }
    const cancelled = this.cancelOnceTaken(body).then(({ status, body }) => {
      if (status === 200) this.cancellations.done++
      else if (status === 409) this.cancellations.refused++
      else throw new Error(`a cancellation is answered with ${status} ${JSON.stringify(body)}`)
    })
    await this.fly(cancelled)
  }

  /** Goes on while it is under way, as long as not too many are. */
  private async fly(message: Promise<unknown>): Promise<void> {
    const flown = message.finally(() => this.inFlight.delete(flown))
    // A failure is thrown where all are awaited.
    flown.catch(() => {})
    this.inFlight.add(flown)
    if (this.inFlight.size >= MESSAGES_IN_FLIGHT) await Promise.race(this.inFlight)
  }

  /** Every third fulfillment is worked on, some to the end and some only to a step on the way. */
  async work(): Promise<void> {
    const steps = ['accept', 'pick', 'pack', 'ship', 'deliver'] as const
    const chosen = (await listOrders(this.server))
      .flatMap(({ fulfillments }) => fulfillments)
      .filter(({ id, status }) => status === 'pending' && stableHash(id) % 3 === 0)
    for (const [at, action] of steps.entries()) {
      const going = chosen.filter(({ id }) => (stableHash(`${id} goes`) >>> 4) % 8 >= at)
      for (const some of slices(going, ITEMS_PER_MESSAGE)) {
        const more = action === 'ship' ? { carrier: 'simulated' } : {}
        const commands = some.map(({ id: fulfillment }) => ({ fulfillment, action, ...more }))
        const body = await this.command<{ results: { status: number }[] }>('fulfillment.advanceMany', { commands })
        expect(body.results.filter(({ status }) => status !== 200)).toEqual([])
      }
      if (action !== 'ship') continue
      for (const { lines, location } of going) {
        for (const { sku, quantity } of lines) add(this.onHand, stockKey(sku, location), -quantity)
      }
    }
    await untilQuiet(this.server, TIMEOUT_MS)
  }

  async stocks(): Promise<StockDocument[]> {
    const all: StockDocument[] = []
    for (const skus of slices(this.skus, SKUS_PER_MESSAGE))
      all.push(...(await this.command<{ items: StockDocument[] }>('inventory.getMany', { skus })).items)
    return all
  }

  async check(): Promise<OrderDocument[]> {
    const { server } = this
    const [orders, stocks] = [await listOrders(server), await this.stocks()]
    expect(this.missingFaults(orders)).toEqual([])
    expect(orders.flatMap(orderFaults)).toEqual([])
    expect(stockFaults(orders, stocks, this.onHand)).toEqual([])
    expect(needlessWaits(orders, stocks)).toEqual([])
    const counted = Object.fromEntries(Object.keys(await orderCounts(server)).map((status) => [status, 0]))
    for (const { status } of orders) counted[status]!++
    expect(await orderCounts(server)).toEqual(counted)
    expect((await exportOrders(server)).map(({ id, status }) => `${id} ${status}`)).toEqual(
      orders.map(({ id, status }) => `${id} ${status}`),
    )
    return orders
  }

  /** Every invoice is one order, with its lines. */
  private missingFaults(orders: readonly OrderDocument[]): string[] {
    const byId = new Map(orders.map((order) => [order.id, order]))
    const faults = orders.length === this.orders.length ? [] : [`${orders.length} orders, not ${this.orders.length}`]
    for (const invoice of this.orders) {
      const lines = byId.get(idOf(invoice))?.lines.map(({ sku, quantity }) => `${quantity} ${sku}`)
      if (lines?.join() !== invoice.lines.map(({ sku, quantity }) => `${quantity} ${sku}`).join())
        faults.push(`${idOf(invoice)} has the lines ${lines}`)
    }
    return faults
  }
}

function* slices<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}

describe.skipIf(!existsSync(file))(
  `the orders of ${file.split('/').at(-1)} (skipped where the file is not there)`,
  () => {
    test.each([
      ['three partitions', count, ['--partitions', '3', '--threads', '2']],
      ['one partition', count === Number.POSITIVE_INFINITY ? count : Math.ceil(count * 0.3), ['--partitions', '1']],
    ])(
      'over %s end as their stock explains, and every unit is in one place',
      { timeout: TIMEOUT_MS },
      async (over, first, args) => {
        const invoices = await readInvoices(file, first)
        const server = await TestServer.start({ args })
        const socket = await PackedSocket.connect(server.url)
        const history = new History(server, socket, invoices)
        await history.seed()
        const half = Math.ceil(invoices.length / 2)
        await history.play(invoices.slice(0, half))
        await history.work()
        await history.play(invoices.slice(half))
        await history.work()
        const orders = await history.check()
        const ends = new Map<string, number>()
        for (const { status } of orders) add(ends, status, 1)
        for (const status of ['allocated', 'backordered', 'rejected', 'shipped', 'delivered'])
          expect([...ends.keys()]).toContain(status)
        const { cancellations } = history
        expect(Math.min(cancellations.done, cancellations.refused)).toBeGreaterThan(0)
        if (process.env.ORDERS !== undefined) {
          const rate = Math.round((orders.length / history.placingMs) * 1_000)
          const counts = [...ends].map(([status, some]) => `${some} ${status}`)
          console.info(`${over}: ${orders.length} orders, ${rate}/s; ${counts.join(', ')};`, cancellations)
        }
        const digest = await server.settledDigest()
        expect(await server.stop()).toEqual({ code: 0, signal: null })
        const verified = await verify(server.dataDir)
        expect({ faults: verified.faults, digest: verified.digest }).toEqual({ faults: [], digest })
      },
    )
  },
)
