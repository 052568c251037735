/**
 * What the inventory is to do, in plain maps and lists. Every figure is added up from the reservations when it is asked
 * for, so none can be forgotten; slow, and meant to be seen to be right. It is the measure that tests hold the actors to.
 */
import { EVENTS_KEPT } from '../../engine/limits.js'
import type { Outcome } from '../../engine/protocol.js'
import { TICK_MS } from '../../engine/timers.js'
import {
  ENDED_KEPT,
  IDEMPOTENCY_KEYS_KEPT,
  LOCATIONS_MAX,
  POOLS_MAX,
  POOLS_PER_SKU,
  RESERVATIONS_MAX,
  SUPPLY_PER_SKU,
} from '../limits.js'
import type { LineResult } from './batch.js'
import type { CountItem } from './counts.js'
import { ALL } from './pools.js'
import type { Sale } from './sales.js'
import type { SupplyLine } from './supply.js'
import type { ReservationView, StockView } from './views.js'
import { ANY_LOCATION, NO_LOCATION, QUANTITY_MAX, Status, TTL_SECONDS_DEFAULT, TTL_SECONDS_MAX } from './wire.js'

export interface ReserveLine {
  id: string
  sku: number
  quantity: number
  /** 0: the default. */
  ttlSeconds: number
  /** ANY_LOCATION: any. */
  location: number
  /** 0n: none. */
  buyer: bigint
  /** 0: none. */
  channel: number
}

export interface Reply {
  status: Status
  replayed: boolean
  location: number
  remaining: number
}

interface Hold extends ReserveLine {
  /** Where it is held. */
  at: number
  pool: Pool | undefined
  /** ATP right after it. */
  remaining: number
  expiresAtMs: number
  status: 'held' | 'confirmed' | 'released' | 'expired'
}

interface Row {
  onHand: number
  safetyStock: number
}

interface Pool {
  kind: 'sale' | 'channel'
  name: string
  sku: number
  quantity: number
  limitPerBuyer: number
  opensAtMs: number
  closesAtMs: number
  channels: number[]
  /** Closed before its time. */
  closed: boolean
  /** It has a closing time that has not been carried out. */
  timed: boolean
}

interface Product {
  limitPerBuyer: number
  rows: Map<number, Row>
  /** In the order in which they were made. */
  pools: Pool[]
}

export interface ModelEvent {
  type: string
  subject: string
  data: unknown
}

const ok = (body: unknown): Outcome => ({ status: 200, body })
const created = (body: unknown): Outcome => ({ status: 201, body })
/** A problem is told by its code; its words are not the model's. */
const problem = (status: number, code: string): Outcome => ({ status, body: { code } })
const unknownSku = problem(404, 'unknown_sku')
const unknownLocation = problem(404, 'unknown_location')
const overloaded = problem(503, 'overloaded')
const conflict = problem(409, 'conflict')

/** The tick at which a timer runs: the first that does not lie before its time. */
const isRun = (dueMs: number, nowMs: number): boolean => Math.ceil(dueMs / TICK_MS) <= Math.floor(nowMs / TICK_MS)

export class InventoryModel {
  readonly products = new Map<number, Product>()
  readonly locations = new Map<number, { active: boolean; priority: number; entry: unknown }>()
  /** Live and ended ones that are still remembered. */
  readonly holds = new Map<string, Hold>()
  /** Ids of ended ones, oldest first. */
  readonly ended: string[] = []
  readonly sales = new Map<string, Sale>()
  readonly supply = new Map<string, SupplyLine>()
  private readonly adjustments = new Map<string, string>()
  private readonly receipts = new Map<string, number>()
  private readonly keys = new Map<string, { fingerprint: string; answer: Outcome | null }>()
  private readonly names = { skus: [] as string[], locations: [] as string[], channels: [] as string[] }
  private poolsMade = 0
  /** Everything published so far. */
  readonly events: ModelEvent[] = []

  // ---- figures, each added up from the reservations

  private live(): Hold[] {
    return [...this.holds.values()].filter(({ status }) => status === 'held' || status === 'confirmed')
  }

  private sum(of: (hold: Hold) => boolean): number {
    return this.live()
      .filter(of)
      .reduce((units, { quantity }) => units + quantity, 0)
  }

  private reserved = (sku: number, at: number): number =>
    this.sum((hold) => hold.sku === sku && hold.at === at && hold.status === 'held')

  private allocated = (sku: number, at: number): number =>
    this.sum((hold) => hold.sku === sku && hold.at === at && hold.status === 'confirmed')

  private taken = (pool: Pool): number => this.sum((hold) => hold.pool === pool)

  private shortage(sku: number, location: number): number {
    const onHand = this.products.get(sku)!.rows.get(location)?.onHand ?? 0
    return Math.max(0, this.reserved(sku, location) + this.allocated(sku, location) - onHand)
  }

  private rowAtp(sku: number, location: number): number {
    const row = this.products.get(sku)!.rows.get(location)
    if (!row || !this.locations.get(location)?.active) return 0
    return Math.max(0, row.onHand - this.reserved(sku, location) - this.allocated(sku, location) - row.safetyStock)
  }

  atp(sku: number): number {
    let atp = 0
    for (const location of this.products.get(sku)!.rows.keys()) atp += this.rowAtp(sku, location)
    return atp
  }

  private remaining = (sku: number): number => Math.min(this.atp(sku), 0xffff_ffff)

  private isClosed = (pool: Pool, nowMs: number): boolean => pool.closed || nowMs >= pool.closesAtMs

  private isOpen = (pool: Pool, nowMs: number): boolean => nowMs >= pool.opensAtMs && !this.isClosed(pool, nowMs)

  private serves = ({ channels }: Pool, channel: number): boolean => channels.length === 0 || channels.includes(channel)

  /** Units that a pool keeps from others. */
  private setApart(pool: Pool, nowMs: number): number {
    if (this.isClosed(pool, nowMs)) return 0
    return pool.quantity === ALL ? this.atp(pool.sku) : Math.max(0, pool.quantity - this.taken(pool))
  }

  // ---- reservations

  private refused(status: Status, sku?: number): Reply {
    return { status, replayed: false, location: NO_LOCATION, remaining: sku === undefined ? 0 : this.remaining(sku) }
  }

  reserve(line: ReserveLine, nowMs: number): Reply {
    const { id, sku, quantity, location } = line
    const ttlSeconds = line.ttlSeconds === 0 ? TTL_SECONDS_DEFAULT : line.ttlSeconds
    if (quantity < 1 || quantity > QUANTITY_MAX || ttlSeconds > TTL_SECONDS_MAX) return this.refused(Status.invalid)
    if (!this.products.has(sku)) return this.refused(Status.unknownSku)
    const known = this.holds.get(id)
    if (known) {
      // The channel may have become known only since.
      const same =
        known.sku === sku &&
        known.quantity === quantity &&
        known.ttlSeconds === ttlSeconds &&
        known.location === location &&
        known.buyer === line.buyer
      if (!same) return this.refused(Status.conflict)
      return { status: Status.done, replayed: true, location: known.at, remaining: known.remaining }
    }
    if (location !== ANY_LOCATION && !this.locations.get(location)?.active) {
      return this.refused(Status.unknownLocation, sku)
    }
    const admitted = this.admit(line, nowMs)
    if (typeof admitted === 'number') return this.refused(admitted, sku)
    const at = this.sourceOf(line)
    if (at === undefined) return this.refused(Status.insufficientStock, sku)
    if (this.holds.size >= RESERVATIONS_MAX) {
      if (this.ended.length === 0) return this.refused(Status.overloaded, sku)
      this.forgetOldest()
    }
    const expiresAtMs = nowMs + ttlSeconds * 1000
    const hold: Hold = {
      ...line,
      ttlSeconds,
      at,
      pool: admitted.pool,
      remaining: 0,
      expiresAtMs,
      status: 'held',
    }
    this.holds.set(id, hold)
    hold.remaining = this.remaining(sku)
    return { status: Status.done, replayed: false, location: at, remaining: hold.remaining }
  }

  /** The pool that the units come out of (none: what is left to all), or why they may not be had. */
  private admit(line: ReserveLine, nowMs: number): { pool: Pool | undefined } | Status {
    const { sku, quantity, buyer, channel } = line
    const { limitPerBuyer, pools } = this.products.get(sku)!
    const mine = (hold: Hold): boolean => buyer !== 0n && hold.buyer === buyer
    if (limitPerBuyer > 0 && this.sum((hold) => mine(hold) && hold.sku === sku) + quantity > limitPerBuyer) {
      return Status.buyerLimit
    }
    const newestFirst = [...pools].reverse()
    const sales = newestFirst.filter(({ kind }) => kind === 'sale')
    const sale = sales.find((pool) => this.isOpen(pool, nowMs) && this.serves(pool, channel))
    if (sale) {
      const limit = sale.limitPerBuyer
      if (limit > 0 && this.sum((hold) => mine(hold) && hold.pool === sale) + quantity > limit) return Status.buyerLimit
      return this.setApart(sale, nowMs) < quantity ? Status.insufficientStock : { pool: sale }
    }
    const own = newestFirst.find(
      (pool) =>
        pool.kind === 'channel' &&
        channel !== 0 &&
        this.serves(pool, channel) &&
        this.setApart(pool, nowMs) >= quantity,
    )
    if (own) return { pool: own }
    const apart = (some: Pool[]): number => some.reduce((units, pool) => units + this.setApart(pool, nowMs), 0)
    const general = Math.max(0, this.atp(sku) - apart(pools))
    if (general >= quantity) return { pool: undefined }
    return general + apart(sales) >= quantity ? Status.saleClosed : Status.insufficientStock
  }

  /** Where the units are taken: lowest priority number, then most available, then stocked first. */
  private sourceOf({ sku, quantity, location }: ReserveLine): number | undefined {
    const candidates = [...this.products.get(sku)!.rows.keys()].filter((at) => this.rowAtp(sku, at) >= quantity)
    if (location !== ANY_LOCATION) return candidates.includes(location) ? location : undefined
    const priority = (at: number): number => this.locations.get(at)!.priority
    return candidates.sort((a, b) => priority(a) - priority(b) || this.rowAtp(sku, b) - this.rowAtp(sku, a))[0]
  }

  private end(hold: Hold, status: 'released' | 'expired'): void {
    hold.status = status
    this.ended.push(hold.id)
    while (this.ended.length > ENDED_KEPT) this.forgetOldest()
  }

  private forgetOldest(): void {
    this.holds.delete(this.ended.shift()!)
  }

  confirm(id: string, sku: number, nowMs: number): Reply {
    const hold = this.holds.get(id)
    if (hold?.sku !== sku) return this.refused(Status.unknownReservation)
    const reply = (status: Status, replayed = false): Reply => ({
      status,
      replayed,
      location: hold.at,
      remaining: this.remaining(sku),
    })
    if (hold.status === 'held' && nowMs >= hold.expiresAtMs) {
      this.end(hold, 'expired')
      return reply(Status.expired)
    }
    if (hold.status === 'held') {
      hold.status = 'confirmed'
      return reply(Status.done)
    }
    if (hold.status === 'confirmed') return reply(Status.done, true)
    return reply(hold.status === 'released' ? Status.conflict : Status.expired)
  }

  release(id: string, sku: number): Reply {
    const hold = this.holds.get(id)
    if (hold?.sku !== sku) return this.refused(Status.unknownReservation)
    const over = hold.status === 'released' || hold.status === 'expired'
    if (!over) this.end(hold, 'released')
    return { status: Status.done, replayed: over, location: hold.at, remaining: this.remaining(sku) }
  }

  reserveBatch(lines: ReserveLine[], allOrNothing: boolean, nowMs: number): Outcome {
    const fresh: string[] = []
    const results = lines.map((line): LineResult => {
      const reply = this.reserve(line, nowMs)
      const hold = reply.status === Status.done ? this.holds.get(line.id) : undefined
      if (hold && !reply.replayed) fresh.push(line.id)
      return { ...reply, state: hold?.status ?? '', expiresAtMs: hold?.expiresAtMs ?? 0 }
    })
    const held = !allOrNothing || results.every(({ status }) => status === Status.done)
    if (!held) for (const id of fresh) this.holds.delete(id)
    return ok({ held, results })
  }

  // ---- time

  /** Ids of holds whose timers are to have run by now. */
  overdue(nowMs: number): string[] {
    const held = [...this.holds.values()].filter(({ status }) => status === 'held')
    return held.filter(({ expiresAtMs }) => isRun(expiresAtMs, nowMs)).map(({ id }) => id)
  }

  expire(id: string): void {
    this.end(this.holds.get(id)!, 'expired')
  }

  /** Sales of SKUs whose closing is to have been carried out by now, as events. */
  closings(nowMs: number): ModelEvent[] {
    const pools = [...this.products.values()].flatMap((product) => product.pools)
    return pools
      .filter((pool) => pool.timed && isRun(pool.closesAtMs, nowMs))
      .map((pool) => ({ type: 'sale.closed', subject: 'sale', data: { sale: pool.name, sku: pool.sku } }))
  }

  close(sale: string, sku: number): void {
    const pool = this.poolOf('sale', sale, sku)!
    pool.closed = true
    pool.timed = false
    this.publish({ type: 'sale.closed', subject: 'sale', data: { sale, sku } })
  }

  private publish(event: ModelEvent): void {
    this.events.push(event)
  }

  /** Numbers of the events that readers can still have: oldest and newest. */
  get eventNumbers(): { first: number; last: number } {
    const last = this.events.length
    return { first: Math.max(1, last - EVENTS_KEPT + 1), last }
  }

  // ---- catalogue

  intern(body: { skus?: string[]; locations?: string[]; channels?: string[] }): Outcome {
    if (this.names.channels.length === 0) this.names.channels.push('')
    const indices = (known: string[], wanted: string[]): number[] =>
      wanted.map((name) => (known.includes(name) ? known.indexOf(name) : known.push(name) - 1))
    return ok({
      skus: indices(this.names.skus, body.skus ?? []),
      locations: indices(this.names.locations, body.locations ?? []),
      channels: indices(this.names.channels, body.channels ?? []),
    })
  }

  namesFrom(kind: 'skus' | 'locations' | 'channels', from: number, limit: number): Outcome {
    const names = this.names[kind]
    return ok({ names: names.slice(from, from + limit), count: names.length })
  }

  putProduct(sku: number, limitPerBuyer: number): Outcome {
    const product = this.products.get(sku) ?? { limitPerBuyer, rows: new Map(), pools: [] }
    product.limitPerBuyer = limitPerBuyer
    this.products.set(sku, product)
    return ok(null)
  }

  putLocation(index: number, active: boolean, priority: number, entry: unknown): Outcome {
    if (index >= LOCATIONS_MAX) throw new Error('the gateway knows no such location')
    this.locations.set(index, { active, priority, entry })
    return ok(entry)
  }

  // ---- stock

  private moved: { reason: string; ref?: string; detail?: string; moves: number[] } | undefined

  /** After each command: what it has moved, told at once. */
  publishMoves(): void {
    if (!this.moved) return
    const { reason, ref } = this.moved
    const subject = ref === undefined ? 'inventory' : `inventory/${reason}/${ref}`
    this.publish({ type: 'inventory.moved', subject, data: this.moved })
    this.moved = undefined
  }

  private missing(sku: number, location: number): Outcome | undefined {
    if (!this.products.has(sku)) return unknownSku
    return this.locations.has(location) ? undefined : unknownLocation
  }

  private setStock(
    sku: number,
    location: number,
    onHand: number,
    safetyStock: number,
    cause: { reason: string; ref?: string; detail?: string },
  ): void {
    const before = this.shortage(sku, location)
    const units = onHand - this.rowOf(sku, location).onHand
    if (units !== 0) {
      this.moved ??= { ...cause, moves: [] }
      this.moved.moves.push(sku, location, units)
    }
    this.products.get(sku)!.rows.set(location, { onHand, safetyStock })
    const shortage = this.shortage(sku, location)
    if (shortage > before) {
      this.publish({ type: 'inventory.shortage', subject: 'inventory', data: { sku, location, shortage } })
    }
  }

  count({ sku, location, onHand, safetyStock }: CountItem): Outcome {
    const missing = this.missing(sku, location)
    if (missing) return missing
    this.setStock(sku, location, onHand, safetyStock, { reason: 'counted' })
    return ok(null)
  }

  countPacked(item: CountItem): Reply {
    if (item.onHand > QUANTITY_MAX || item.safetyStock > QUANTITY_MAX) return this.refused(Status.invalid)
    if (!this.products.has(item.sku)) return this.refused(Status.unknownSku)
    if (!this.locations.has(item.location)) return this.refused(Status.unknownLocation)
    this.count(item)
    return {
      status: Status.done,
      replayed: false,
      location: item.location,
      remaining: this.remaining(item.sku),
    }
  }

  private rowOf = (sku: number, location: number): Row =>
    this.products.get(sku)!.rows.get(location) ?? { onHand: 0, safetyStock: 0 }

  adjust(adjustment: { id: string; sku: number; location: number; delta: number; reason: string }): Outcome {
    const content = JSON.stringify(adjustment)
    const known = this.adjustments.get(adjustment.id)
    if (known !== undefined) return known === content ? created({ replayed: true }) : conflict
    const { id, sku, location, delta } = adjustment
    const missing = this.missing(sku, location)
    if (missing) return missing
    const { onHand, safetyStock } = this.rowOf(sku, location)
    if (onHand + delta < 0 || onHand + delta > QUANTITY_MAX) return problem(409, 'invalid')
    this.adjustments.set(id, content)
    this.setStock(sku, location, onHand + delta, safetyStock, {
      reason: 'adjusted',
      ref: id,
      detail: adjustment.reason,
    })
    return created({ replayed: false })
  }

  announce(line: SupplyLine): Outcome {
    const known = this.supply.get(line.id)
    if (known) return JSON.stringify({ ...known, received: 0 }) === JSON.stringify(line) ? created(known) : conflict
    const missing = this.missing(line.sku, line.location)
    if (missing) return missing
    if (this.incoming(line.sku).length >= SUPPLY_PER_SKU) return overloaded
    this.supply.set(line.id, line)
    return created(line)
  }

  receive(id: string, quantity: number, receipt: string): Outcome {
    const line = this.supply.get(id)
    if (!line) return problem(404, 'unknown_supply')
    const before = this.receipts.get(`${id}/${receipt}`)
    if (before !== undefined) return before === quantity ? ok(line) : conflict
    if (quantity > line.quantity - line.received) return problem(409, 'invalid')
    const { onHand, safetyStock } = this.rowOf(line.sku, line.location)
    if (onHand + quantity > QUANTITY_MAX) return problem(409, 'invalid')
    this.setStock(line.sku, line.location, onHand + quantity, safetyStock, { reason: 'received', ref: id })
    const received = { ...line, received: line.received + quantity }
    this.supply.set(id, received)
    if (receipt !== '') this.receipts.set(`${id}/${receipt}`, quantity)
    return ok(received)
  }

  /** What is still expected of a SKU, soonest first. */
  private incoming(sku: number): SupplyLine[] {
    const lines = [...this.supply.values()].filter((line) => line.sku === sku && line.received < line.quantity)
    return lines.sort((a, b) => a.expectedAtMs - b.expectedAtMs || (a.id < b.id ? -1 : 1))
  }

  // ---- sales and channels

  private poolOf = (kind: Pool['kind'], name: string, sku: number): Pool | undefined =>
    this.products.get(sku)?.pools.find((pool) => pool.kind === kind && pool.name === name)

  /** A sale's pool that was closed and of which nothing is held: a new one takes its place. */
  private spent = (sku: number): Pool | undefined =>
    [...this.products.get(sku)!.pools]
      .reverse()
      .find((pool) => pool.kind === 'sale' && pool.closed && this.taken(pool) === 0)

  private isRoomForPools(skus: number[]): boolean {
    const added = skus.filter((sku) => !this.spent(sku))
    return (
      this.poolsMade + added.length <= POOLS_MAX &&
      added.every((sku) => this.products.get(sku)!.pools.length < POOLS_PER_SKU)
    )
  }

  private putPool(terms: Omit<Pool, 'closed' | 'timed'>, nowMs: number): void {
    const timed = Number.isFinite(terms.closesAtMs) && terms.closesAtMs > nowMs
    const pool = { ...terms, closed: terms.closesAtMs <= nowMs, timed }
    const known = this.poolOf(terms.kind, terms.name, terms.sku)
    if (known) {
      Object.assign(known, pool)
      return
    }
    const { pools } = this.products.get(terms.sku)!
    const spent = this.spent(terms.sku)
    if (spent) {
      pools[pools.indexOf(spent)] = pool
      return
    }
    this.poolsMade++
    pools.push(pool)
  }

  putSale(sale: Sale, nowMs: number): Outcome {
    if (sale.items.some(({ sku }) => !this.products.has(sku))) return unknownSku
    const fresh = sale.items.filter(({ sku }) => !this.poolOf('sale', sale.id, sku))
    if (!this.isRoomForPools(fresh.map(({ sku }) => sku))) return overloaded
    const { limitPerBuyer, opensAtMs, closesAtMs, channels } = sale
    for (const { sku, quantity } of sale.items) {
      const terms = { kind: 'sale', name: sale.id, sku, quantity } as const
      this.putPool({ ...terms, limitPerBuyer, opensAtMs, closesAtMs, channels }, nowMs)
    }
    for (const { sku } of this.sales.get(sale.id)?.items ?? []) {
      const pool = this.poolOf('sale', sale.id, sku)
      if (pool && !sale.items.some((item) => item.sku === sku)) pool.closed = true
    }
    this.sales.set(sale.id, sale)
    return ok(sale)
  }

  putChannelPool(sku: number, channel: number, quantity: number, nowMs: number): Outcome {
    if (!this.products.has(sku)) return unknownSku
    const name = String(channel)
    if (!this.poolOf('channel', name, sku) && !this.isRoomForPools([sku])) return overloaded
    const always = { limitPerBuyer: 0, opensAtMs: 0, closesAtMs: Number.POSITIVE_INFINITY }
    this.putPool({ kind: 'channel', name, sku, quantity, channels: [channel], ...always }, nowMs)
    return ok({ quantity })
  }

  // ---- idempotency keys

  begin(key: string, fingerprint: string): Outcome {
    const kept = this.keys.get(key)
    if (kept) return kept.fingerprint === fingerprint ? ok({ answer: kept.answer }) : conflict
    this.keep(key, fingerprint, null)
    return ok({ answer: null })
  }

  finish(key: string, fingerprint: string, answer: Outcome): Outcome {
    this.keep(key, fingerprint, answer)
    return ok(null)
  }

  private keep(key: string, fingerprint: string, answer: Outcome | null): void {
    // A map keeps its keys in the order in which they first came.
    this.keys.set(key, { fingerprint, answer })
    while (this.keys.size > IDEMPOTENCY_KEYS_KEPT) this.keys.delete([...this.keys.keys()][0]!)
  }

  // ---- what can be read

  stockView(sku: number): StockView | undefined {
    const product = this.products.get(sku)
    if (!product) return undefined
    const lines = this.incoming(sku)
    const stocked = [...product.rows.keys()]
    const expectedOnly = lines.map(({ location }) => location).filter((location) => !stocked.includes(location))
    const rows = [...stocked, ...new Set(expectedOnly)].map((location) => ({
      location,
      onHand: this.rowOf(sku, location).onHand,
      reserved: this.reserved(sku, location),
      allocated: this.allocated(sku, location),
      safetyStock: this.rowOf(sku, location).safetyStock,
      atp: this.rowAtp(sku, location),
      shortage: this.shortage(sku, location),
      incoming: lines
        .filter((line) => line.location === location)
        .map(({ id, quantity, received, expectedAtMs }) => ({ id, quantity: quantity - received, expectedAtMs })),
    }))
    const total = (figure: 'onHand' | 'reserved' | 'allocated' | 'safetyStock' | 'shortage' | 'atp'): number =>
      rows.reduce((units, row) => units + row[figure], 0)
    return {
      sku,
      onHand: total('onHand'),
      reserved: total('reserved'),
      allocated: total('allocated'),
      safetyStock: total('safetyStock'),
      shortage: total('shortage'),
      atp: total('atp'),
      rows,
    }
  }

  reservationView(id: string): ReservationView | undefined {
    const hold = this.holds.get(id)
    if (!hold) return undefined
    const { sku, quantity, at: location, status, expiresAtMs, ttlSeconds, remaining } = hold
    return { sku, quantity, location, status, expiresAtMs, ttlSeconds, remaining }
  }

  takenOf(sale: string): { sku: number; taken: number }[] {
    const items = this.sales.get(sale)?.items ?? []
    return items.map(({ sku }) => {
      const pool = this.poolOf('sale', sale, sku)
      return { sku, taken: pool ? this.taken(pool) : 0 }
    })
  }

  get figures(): { live: number; ended: number } {
    return { live: this.live().length, ended: this.ended.length }
  }
}
