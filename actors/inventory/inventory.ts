/**
 * The inventory actor: one for each SKU, all its locations inside, so that what is promised across the network is one
 * serial decision. The check and the change are one step that nothing comes between.
 *
 * A reservation is one unit of decision: held whole at one location, or refused. Units that are set apart for a sale or a
 * channel are taken from there; all others from what is left.
 */
import { assert } from '../../engine/assert.js'
import type { Placement } from '../../engine/placement.js'
import { type Buyers, POOL_SCOPE } from './buyers.js'
import type { Locations } from './locations.js'
import { PoolKind, type Pools } from './pools.js'
import { ReservationStatus, type ReservationTable } from './reservations.js'
import { Row, type Stock } from './stock.js'
import {
  ALLOCATION_MARK_0,
  ALLOCATION_MARK_1,
  ANY_LOCATION,
  NO_LOCATION,
  QUANTITY_MAX,
  Status,
  TTL_SECONDS_DEFAULT,
  TTL_SECONDS_MAX,
} from './wire.js'

export class Inventory {
  /** What the last operation found: part of its answer. */
  record = -1
  replayed = false
  location = NO_LOCATION
  remaining = 0
  private pool = -1

  constructor(
    readonly stock: Stock,
    readonly reservations: ReservationTable,
    readonly buyers: Buyers,
    readonly pools: Pools,
    readonly locations: Locations,
    private readonly placement: Placement,
  ) {}

  private begin(): void {
    this.record = -1
    this.replayed = false
    this.location = NO_LOCATION
    this.remaining = 0
  }

  private atpOf(sku: number): number {
    const atp = this.stock.atp(sku)
    return atp > 0xffff_ffff ? 0xffff_ffff : atp
  }

  /** Reserves what the wire record in `words` at word `at` asks for; its hash is the id's. */
  reserve(words: Uint32Array, at: number, hash: number, timeMs: number): Status {
    this.begin()
    if (words[at] === ALLOCATION_MARK_0 && words[at + 1] === ALLOCATION_MARK_1) return Status.invalid
    return this.take(words, at, hash, timeMs)
  }

  /** Reserves under an id of an order's own. */
  reserveForOrder(words: Uint32Array, at: number, hash: number, timeMs: number): Status {
    this.begin()
    return this.take(words, at, hash, timeMs)
  }

  private take(words: Uint32Array, at: number, hash: number, timeMs: number): Status {
    const quantity = words[at + 7]!
    const ttlSeconds = words[at + 8] === 0 ? TTL_SECONDS_DEFAULT : words[at + 8]!
    const asked = words[at + 9]! & 0xffff
    const channel = words[at + 9]! >>> 16
    if (quantity === 0 || quantity > QUANTITY_MAX || ttlSeconds > TTL_SECONDS_MAX) return Status.invalid
    const sku = this.placement.localOf(words[at + 6]!)
    if (!this.stock.exists(sku)) return Status.unknownSku
    const anyLocation = asked === ANY_LOCATION
    const known = this.reservations.find(hash, words, at)
    if (known >= 0) return this.repeat(known, words, at, ttlSeconds, asked, anyLocation)
    if (!anyLocation && !this.locations.isActive(asked)) {
      this.remaining = this.atpOf(sku)
      return Status.unknownLocation
    }
    this.pool = -1
    const plain = this.stock.isPlain(sku)
    if (!plain) {
      const refused = this.admit(sku, quantity, words[at + 4]!, words[at + 5]!, channel, timeMs)
      if (refused !== Status.done) {
        this.remaining = this.atpOf(sku)
        return refused
      }
    }
    const row = this.rowFor(sku, quantity, anyLocation ? -1 : asked)
    if (row < 0) {
      this.remaining = this.atpOf(sku)
      return Status.insufficientStock
    }
    this.location = this.stock.rows[row]! - 1
    this.stock.reserve(sku, row, quantity)
    this.remaining = this.atpOf(sku)
    const { location, remaining, pool } = this
    this.record = this.reservations.hold(
      hash,
      words,
      at,
      ttlSeconds,
      location,
      anyLocation,
      channel,
      pool,
      remaining,
      timeMs,
    )
    if (this.record < 0) {
      this.stock.change(sku, row, Row.reserved, -quantity)
      this.location = NO_LOCATION
      this.remaining = this.atpOf(sku)
      return Status.overloaded
    }
    if (!plain) this.count(this.record, quantity, 1)
    return Status.done
  }

  private rowFor(sku: number, quantity: number, location: number): number {
    if (this.stock.atp(sku) < quantity) return -1
    if (location < 0) return this.stock.best(sku, quantity)
    const row = this.stock.rowAt(sku, location)
    return row >= 0 && this.stock.rowAtp(row) >= quantity ? row : -1
  }

  /** The id was seen before: its first answer again, or `conflict` where it asks for something else. */
  private repeat(
    record: number,
    words: Uint32Array,
    at: number,
    ttlSeconds: number,
    asked: number,
    anyLocation: boolean,
  ): Status {
    const { reservations } = this
    if (!reservations.isSameRequest(record, words, at, ttlSeconds, asked, anyLocation)) return Status.conflict
    // Not decided yet, so there is no first answer to give: ask again.
    if (reservations.isTentative(record)) return Status.overloaded
    this.record = record
    this.replayed = true
    this.location = reservations.location(record)
    this.remaining = reservations.remaining(record)
    return Status.done
  }

  /** Where a SKU has pools or limits: whether this buyer may have it, and out of which pool (`this.pool`). */
  private admit(sku: number, quantity: number, low: number, high: number, channel: number, timeMs: number): Status {
    const { stock, pools } = this
    if (this.exceeds(stock.limitPerBuyer(sku), quantity, low, high, sku)) return Status.buyerLimit
    let closedShare = 0
    for (let pool = stock.firstPool(sku); pool >= 0; pool = pools.next(pool)) {
      if (pools.kind(pool) !== PoolKind.sale) continue
      if (pools.isOpen(pool, timeMs) && pools.serves(pool, channel))
        return this.admitToSale(pool, quantity, low, high, timeMs)
      closedShare += pools.remaining(pool, timeMs)
    }
    for (let pool = stock.firstPool(sku); pool >= 0; pool = pools.next(pool)) {
      if (pools.kind(pool) !== PoolKind.channel || channel === 0 || !pools.serves(pool, channel)) continue
      if (pools.remaining(pool, timeMs) < quantity) continue
      this.pool = pool
      return this.buyers.hasRoom ? Status.done : Status.overloaded
    }
    const general = pools.general(sku, timeMs)
    if (general >= quantity) return this.buyers.hasRoom ? Status.done : Status.overloaded
    return general + closedShare >= quantity ? Status.saleClosed : Status.insufficientStock
  }

  private admitToSale(pool: number, quantity: number, low: number, high: number, timeMs: number): Status {
    const scope = (POOL_SCOPE | pool) >>> 0
    if (this.exceeds(this.pools.limitPerBuyer(pool), quantity, low, high, scope)) return Status.buyerLimit
    if (this.pools.remaining(pool, timeMs) < quantity) return Status.insufficientStock
    this.pool = pool
    return this.buyers.hasRoom ? Status.done : Status.overloaded
  }

  /** Whether `quantity` more is beyond the limit. Who gives no buyer is one buyer for each reservation. */
  private exceeds(limit: number, quantity: number, low: number, high: number, scope: number): boolean {
    if (limit === 0) return false
    const taken = (low | high) === 0 ? 0 : this.buyers.units(low, high, scope)
    return taken + quantity > limit
  }

  /** Counts a reservation's units with its buyer and pool (`sign` 1), or takes them off again (-1). */
  private count(record: number, quantity: number, sign: 1 | -1): void {
    const { reservations, pools } = this
    const pool = reservations.pool(record)
    if (pool >= 0) {
      if (sign === 1) pools.take(pool, quantity)
      else pools.giveBack(pool, quantity)
    }
    this.countBuyer(record, quantity, sign)
  }

  private countBuyer(record: number, quantity: number, sign: 1 | -1): void {
    const { reservations, buyers, pools, stock } = this
    const low = reservations.words[record * 16 + 4]!
    const high = reservations.words[record * 16 + 5]!
    if ((low | high) === 0) return
    const sku = this.placement.localOf(reservations.sku(record))
    const pool = reservations.pool(record)
    const bySku = stock.limitPerBuyer(sku) > 0 ? sku : -1
    const byPool = pool >= 0 && pools.limitPerBuyer(pool) > 0 ? (POOL_SCOPE | pool) >>> 0 : -1
    for (const scope of [bySku, byPool]) {
      if (scope < 0) continue
      if (sign === 1) buyers.add(low, high, scope, quantity)
      else buyers.remove(low, high, scope, quantity)
    }
  }

  /** Counts all buyers' units from the reservations, where none are counted yet. */
  countBuyers(): void {
    this.reservations.forEach((record) => {
      if (this.reservations.isLive(record)) this.countBuyer(record, this.reservations.quantity(record), 1)
    })
  }

  /** The record that a confirm or release names: id at word `at`, SKU index behind it; -1 where there is none. */
  private named(words: Uint32Array, at: number): number {
    return this.reservations.find(this.reservations.hashOf(words, at), words, at, words[at + 4]!)
  }

  /** Held becomes allocated. */
  confirm(words: Uint32Array, at: number, timeMs: number): Status {
    this.begin()
    const { reservations, stock } = this
    const record = this.named(words, at)
    if (record < 0) return Status.unknownReservation
    const sku = this.found(record)
    switch (reservations.status(record)) {
      case ReservationStatus.held: {
        if (reservations.isTentative(record)) return Status.overloaded
        // Its time is up although its timer has not run yet: the time decides, not the timer.
        if (timeMs >= reservations.expiresAtMs(record)) {
          this.giveBack(record, ReservationStatus.expired, true)
          this.remaining = this.atpOf(sku)
          return Status.expired
        }
        const row = stock.rowAt(sku, reservations.location(record))
        stock.allocate(row, reservations.quantity(record))
        reservations.confirm(record)
        return Status.done
      }
      case ReservationStatus.confirmed:
        this.replayed = true
        return Status.done
      case ReservationStatus.released:
        return Status.conflict
      default:
        return Status.expired
    }
  }

  /** What was held or allocated goes back to ATP. */
  release(words: Uint32Array, at: number): Status {
    this.begin()
    const record = this.named(words, at)
    if (record < 0) return Status.unknownReservation
    const sku = this.found(record)
    const status = this.reservations.status(record)
    if (status === ReservationStatus.released || status === ReservationStatus.expired) {
      this.replayed = true
      return Status.done
    }
    if (this.reservations.isTentative(record)) return Status.overloaded
    this.giveBack(record, ReservationStatus.released, status === ReservationStatus.held)
    this.remaining = this.atpOf(sku)
    return Status.done
  }

  private found(record: number): number {
    const sku = this.placement.localOf(this.reservations.sku(record))
    this.record = record
    this.location = this.reservations.location(record)
    this.remaining = this.atpOf(sku)
    return sku
  }

  /** A hold's timer ran out. */
  expire(record: number): void {
    this.giveBack(record, ReservationStatus.expired, false)
  }

  private giveBack(record: number, status: ReservationStatus, timerRunning: boolean): void {
    this.unpromise(record)
    this.reservations.end(record, status, timerRunning)
  }

  /**
   * What is held or allocated is given back and its record is gone, as if it had never been asked for: a line of a batch
   * that is not to be, or an order's units, of which the order itself is the memory.
   */
  forget(record: number): void {
    assert(this.reservations.isLive(record), 'only what is live is forgotten')
    this.unpromise(record)
    this.reservations.forget(record)
  }

  /** Gives back `by` of an allocation's units and keeps the others. */
  reduce(record: number, by: number): void {
    const { reservations, stock } = this
    assert(reservations.status(record) === ReservationStatus.confirmed, 'only what is allocated is reduced')
    const sku = this.placement.localOf(reservations.sku(record))
    stock.change(sku, stock.rowAt(sku, reservations.location(record)), Row.allocated, -by)
    if (!stock.isPlain(sku)) this.count(record, by, -1)
    reservations.reduce(record, by)
  }

  /** Units that a channel may have of a SKU at all, its pools considered. */
  availableTo(sku: number, channel: number, timeMs: number): number {
    const { stock, pools } = this
    if (stock.isPlain(sku)) return stock.atp(sku)
    let own = 0
    for (let pool = stock.firstPool(sku); pool >= 0; pool = pools.next(pool)) {
      if (!pools.isOpen(pool, timeMs) || !pools.serves(pool, channel)) continue
      if (pools.kind(pool) === PoolKind.sale) return Math.min(pools.remaining(pool, timeMs), stock.atp(sku))
      if (channel !== 0) own = Math.max(own, pools.remaining(pool, timeMs))
    }
    return Math.min(Math.max(own, pools.general(sku, timeMs)), stock.atp(sku))
  }

  private unpromise(record: number): void {
    const { reservations, stock } = this
    const sku = this.placement.localOf(reservations.sku(record))
    const quantity = reservations.quantity(record)
    const row = stock.rowAt(sku, reservations.location(record))
    assert(row >= 0, 'what is held has a row of stock')
    const field = reservations.status(record) === ReservationStatus.held ? Row.reserved : Row.allocated
    stock.change(sku, row, field, -quantity)
    if (!stock.isPlain(sku)) this.count(record, quantity, -1)
  }

  /** Sets a SKU's limit a buyer; what buyers hold already is counted from the table where it was not counted so far. */
  setLimitPerBuyer(sku: number, limit: number): void {
    const before = this.stock.limitPerBuyer(sku)
    this.stock.setLimitPerBuyer(sku, limit)
    if ((before === 0) === (limit === 0)) return
    this.recount(sku, limit > 0, (record) => (this.placement.localOf(this.reservations.sku(record)) === sku ? sku : -1))
  }

  /** Begins (or stops) counting buyers' units: `scopeOf` gives the scope for the reservations that are counted. */
  recount(sku: number, counted: boolean, scopeOf: (record: number) => number): void {
    const { reserved, allocated } = this.stock.totals(sku)
    if (reserved + allocated === 0) return
    this.reservations.forEach((record) => {
      if (!this.reservations.isLive(record)) return
      const low = this.reservations.words[record * 16 + 4]!
      const high = this.reservations.words[record * 16 + 5]!
      const scope = scopeOf(record)
      if (scope < 0 || (low | high) === 0) return
      if (counted) this.buyers.add(low, high, scope, this.reservations.quantity(record))
      else this.buyers.remove(low, high, scope, this.reservations.quantity(record))
    })
  }
}
