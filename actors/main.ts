/** All actors of a partition behind the engine's one interface: the module that partition threads load. */
import type { Actors, ActorsContext, Step } from '../engine/actors.js'
import type { Digest } from '../engine/digest.js'
import { KeyedHash } from '../engine/hash-index.js'
import type { Outcome } from '../engine/protocol.js'
import { Catalog, type LocationEntry, type NameKind, type ProductEntry } from './catalog/catalog.js'
import { addToDigest } from './digest.js'
import { Idempotency } from './idempotency.js'
import { Batches, type BatchRequest } from './inventory/batch.js'
import { checkBooks } from './inventory/books.js'
import { Buyers } from './inventory/buyers.js'
import { type Adjustment, type CountItem, Counts } from './inventory/counts.js'
import { Frames } from './inventory/frames.js'
import { Inventory } from './inventory/inventory.js'
import { Locations } from './inventory/locations.js'
import { Pools } from './inventory/pools.js'
import { ReservationTable } from './inventory/reservations.js'
import { type Sale, Sales, unknownSale } from './inventory/sales.js'
import { Stock } from './inventory/stock.js'
import { Supply, type SupplyLine } from './inventory/supply.js'
import { Views } from './inventory/views.js'
import { OrderDesk } from './order/order-desk.js'
import { ok, problem } from './outcomes.js'
import { type RecordPut, Records } from './records/records.js'
import { REPLICATED, Replication } from './replication.js'

// Bodies reach the log only through the gateway, which has checked their shape; a handler states it and relies on it.
type Handler = (step: Step, body: never) => Outcome
type MessageHandler = (step: Step, body: never, from: number) => void
type QueryHandler = (body: never, timeMs: number) => Outcome

export class RetailActors implements Actors {
  readonly inventory: Inventory
  readonly catalog: Catalog
  readonly sales: Sales
  readonly idempotency: Idempotency
  readonly orders: OrderDesk
  readonly records: Records
  private readonly frames: Frames
  private readonly commands: Record<string, Handler>
  private readonly messages: Record<string, MessageHandler>
  private readonly queries: Record<string, QueryHandler>
  private readonly expire: (record: number) => void

  constructor(readonly context: ActorsContext) {
    const { store, placement, partition, seed } = context
    const hash = new KeyedHash(seed)
    const locations = new Locations()
    const stock = new Stock(store, locations)
    const reservations = new ReservationTable(store, hash)
    const pools = new Pools(store, stock)
    const inventory = new Inventory(stock, reservations, new Buyers(store, hash), pools, locations, placement)
    const replication = new Replication(store, placement)
    const catalog = new Catalog(store, inventory, placement, replication, hash)
    const counts = new Counts(store, stock, locations, placement)
    const supply = new Supply(store, stock, locations, placement)
    const sales = new Sales(store, inventory, placement, partition, replication)
    const batches = new Batches(store, inventory, placement, partition)
    const idempotency = new Idempotency(store)
    const views = new Views(inventory, supply, placement)
    const orders = new OrderDesk(context, hash, catalog, inventory, supply, replication)
    const records = new Records(store)
    this.inventory = inventory
    this.orders = orders
    this.records = records
    this.catalog = catalog
    this.sales = sales
    this.idempotency = idempotency
    this.frames = new Frames(inventory, (index) => placement.localOf(index))
    this.expire = (record) => inventory.expire(record)

    this.commands = {
      'catalog.intern': (_step, body: Partial<Record<NameKind, string[]>>) => catalog.intern(body),
      'product.put': (_step, body: { items: ProductEntry[] }) => catalog.putProducts(body.items),
      'location.put': (step, body: LocationEntry) => catalog.putLocation(step, body),
      'inventory.restate': (step, body: { skus: number[] }) => counts.restate(step, body.skus),
      'inventory.count': (step, body: { items: CountItem[] }) => counts.count(step, body.items),
      'inventory.adjust': (step, body: Adjustment) => counts.adjust(step, body),
      'supply.announce': (_step, body: SupplyLine) => supply.announce(body),
      'supply.receive': (step, body: { id: string; quantity: number; receipt: string }) =>
        supply.receive(step, body.id, body.quantity, body.receipt),
      'pool.put': (step, body: { sku: number; channel: number; quantity: number }) =>
        sales.putChannelPool(step, body.sku, body.channel, body.quantity),
      'sale.put': (step, body: Sale) => sales.put(step, body),
      'reservation.batch': (step, body: BatchRequest) => batches.reserve(step, body),
      'idempotency.begin': (_step, body: { key: string; fingerprint: string }) =>
        idempotency.begin(body.key, body.fingerprint),
      'idempotency.finish': (_step, body: { key: string; fingerprint: string; answer: Outcome }) =>
        idempotency.finish(body.key, body.fingerprint, body.answer),
      'record.put': (_step, body: RecordPut) => records.put(body),
      'record.delete': (_step, body: Parameters<Records['delete']>[0]) => records.delete(body),
      ...orders.commands,
    }
    this.messages = {
      [REPLICATED]: (step, body: { replication: number }) => replication.confirmed(step, body),
      'location.put': (step, body: { entry: LocationEntry; replication: number }) => catalog.locationTold(step, body),
      'sale.offer': (step, body: Sale) => sales.offered(step, body),
      'sale.offered': (step, body: { refusal: Outcome | null }) => sales.decide(step, body),
      'sale.put': (step, body: { sale: Sale; replication: number }) => sales.told(step, body),
      'batch.hold': (step, body: Parameters<Batches['holdLines']>[1]) => batches.holdLines(step, body),
      'batch.held': (step, body: Parameters<Batches['linesHeld']>[2], from) => batches.linesHeld(step, from, body),
      'batch.settle': (step, body: { batch: number }, from) => batches.decided(step, from, body, true),
      'batch.done': (step, body: { batch: number }, from) => batches.decisionDone(step, from, body),
      'batch.forget': (step, body: { batch: number }, from) => batches.decided(step, from, body, false),
      ...orders.messages,
    }
    this.queries = {
      'catalog.names': (body: { kind: NameKind; from: number; limit: number }) =>
        catalog.list(body.kind, body.from, body.limit),
      'product.get': (body: { index: number }) => catalog.getProduct(body.index),
      'product.getMany': (body: { indices: number[] }) =>
        ok({ items: body.indices.map((index) => catalog.product(index) ?? null) }),
      'location.get': (body: { index: number }) => catalog.getLocation(body.index),
      'location.list': () => catalog.listLocations(),
      'inventory.get': (body: { index: number }) => views.stock(body.index),
      'inventory.getMany': (body: { indices: number[] }) => views.stocks(body.indices),
      'supply.get': (body: { id: string }) => {
        const line = supply.find(body.id)
        return line ? ok(line) : problem(404, 'unknown_supply', `There is no supply ${body.id}; announce it first.`)
      },
      'reservation.get': (body: { id: Uint8Array }) => views.reservation(body.id),
      'inventory.atps': (body: { from: number; limit: number }) => views.atps(body),
      'sale.get': (body: { id: string }) => {
        const sale = sales.get(body.id)
        return sale ? ok(sale) : unknownSale(body.id)
      },
      'sale.list': () => ok({ items: sales.ids().map((id) => sales.get(id)) }),
      'sale.taken': (body: { id: string }) => ok({ items: sales.taken(body.id) }),
      'record.get': (body: Parameters<Records['get']>[0]) => records.get(body),
      'record.list': (body: Parameters<Records['page']>[0]) => records.page(body),
      'record.due': (body: Parameters<Records['due']>[0]) => records.due(body),
      figures: () => views.figures(),
      ...orders.queries,
    }
  }

  frame(
    step: Step,
    operation: number,
    count: number,
    words: Uint32Array,
    at: number,
    reply: Uint32Array,
    replyAt: number,
  ): void {
    this.frames.apply(step, operation, count, words, at, reply, replyAt)
    this.afterStep(step)
  }

  command(step: Step, name: string, body: unknown): Outcome {
    const handler = this.commands[name]
    if (!handler) return unknownName('command', name)
    const outcome = handler(step, body as never)
    this.afterStep(step)
    return outcome
  }

  message(step: Step, from: number, name: string, body: unknown): void {
    const handler = this.messages[name]
    if (!handler) throw new Error(`no actor takes the message ${name}`)
    handler(step, body as never, from)
    this.afterStep(step)
  }

  private afterStep(step: Step): void {
    this.inventory.stock.moves.publish(step)
    this.orders.afterStep(step)
  }

  query(timeMs: number, name: string, body: unknown): Outcome {
    const handler = this.queries[name]
    return handler ? handler(body as never, timeMs) : unknownName('query', name)
  }

  isDue(timeMs: number): boolean {
    return (
      this.inventory.reservations.timers.isDue(timeMs) ||
      this.inventory.pools.timers.isDue(timeMs) ||
      this.orders.isDue(timeMs)
    )
  }

  advance(step: Step, max: number): void {
    this.inventory.reservations.timers.advance(step.timeMs, max, this.expire)
    this.inventory.pools.timers.advance(step.timeMs, max, (pool) => this.sales.close(step, pool))
    this.orders.advance(step, max)
    this.afterStep(step)
  }

  timersRunning(): number {
    const { inventory, orders } = this
    const serving = orders.watch.isServing ? 1 : 0
    return inventory.reservations.timers.running + inventory.pools.timers.running + orders.open.timers.running + serving
  }

  warm(pages: number): boolean {
    return this.inventory.reservations.warm(this.context.warmRecords, pages)
  }

  rebuild(): void {
    this.catalog.rebuild()
    this.inventory.reservations.rebuild()
    this.inventory.buyers.rebuild()
    this.orders.rebuild()
  }

  digest(digest: Digest): void {
    addToDigest(digest, this, this.context)
  }

  check(): string[] {
    return checkBooks(this.inventory, this.context.placement)
  }
}

const unknownName = (what: string, name: string): Outcome =>
  problem(404, `unknown_${what}`, `There is no ${what} called ${name}.`)

export const createActors = (context: ActorsContext): Actors => new RetailActors(context)
