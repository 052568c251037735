/**
 * What orders do to stock: hold it at a location, give it back, ship it, or find that it is not there. Each allocation is
 * a reservation under an id of the order's own (order/allocation-id.ts), so it stands in the books like any other; the
 * order is the memory of what has ended, so nothing is kept here of that.
 */
import type { Step } from '../../engine/actors.js'
import { assert } from '../../engine/assert.js'
import type { Placement } from '../../engine/placement.js'
import { writeAllocationId } from '../order/allocation-id.js'
import type { Inventory } from './inventory.js'
import type { MoveReason } from './moves.js'
import { ReservationStatus } from './reservations.js'
import { Row } from './stock.js'
import { NO_LOCATION, Status } from './wire.js'

export interface HoldRequest {
  allocation: number
  /** SKU index. */
  sku: number
  location: number
  quantity: number
  channel: number
  /** Whom a limit for each buyer applies to: two words. */
  buyer?: [number, number]
  /** A reservation that it takes over instead of new units. */
  reservation?: Uint8Array
}

/** Something done to an allocation that is there. */
export type StockChange = { allocation: number; sku: number } & (
  | { do: 'confirm' }
  | { do: 'release' }
  /** Gives back `units` of it. */
  | { do: 'reduce'; units: number }
  /** It left the building. */
  | { do: 'ship' }
  /** `units` of it are not there: they leave stock without being shipped. */
  | { do: 'missing'; units: number }
  /** They came back, or were found: on hand at a location. */
  | { do: 'restock'; location: number; units: number }
  /** They were taken from a location although nothing held them there any more. */
  | { do: 'taken'; location: number; units: number }
)

/** For whom stock is changed: an order, or a transfer. */
export interface ChangeCause {
  shipped: 'shipped' | 'transfer_shipped'
  ref: string
}

/** Holds over partitions end by themselves if nobody decides: messages are durable, so this is a backstop. */
const HOLD_TTL_SECONDS = 900

export class Allocations {
  private readonly words = new Uint32Array(10)

  constructor(
    private readonly inventory: Inventory,
    private readonly placement: Placement,
  ) {}

  /** Holds all of these or none; confirmed at once where nobody else has to agree. */
  hold(requests: HoldRequest[], confirmed: boolean, timeMs: number): boolean {
    const held: { record: number; request: HoldRequest }[] = []
    for (const request of requests) {
      const record = request.reservation ? this.takeOver(request, timeMs) : this.reserve(request, timeMs)
      if (record < 0) {
        for (const other of held.reverse()) this.undo(other)
        return false
      }
      held.push({ record, request })
    }
    if (confirmed) for (const { record } of held) this.confirm(record)
    return true
  }

  /** What was held is given back; what was taken over is the buyer's again. */
  private undo({ record, request: { reservation } }: { record: number; request: HoldRequest }): void {
    if (reservation) this.inventory.reservations.rename(record, wordsOf(reservation), 0)
    else this.inventory.forget(record)
  }

  private reserve({ allocation, sku, location, quantity, channel, buyer }: HoldRequest, timeMs: number): number {
    const { words, inventory } = this
    writeAllocationId(allocation, words, 0)
    words[4] = buyer?.[0] ?? 0
    words[5] = buyer?.[1] ?? 0
    words[6] = sku
    words[7] = quantity
    words[8] = HOLD_TTL_SECONDS
    words[9] = location | (channel << 16)
    const status = inventory.reserveForOrder(words, 0, inventory.reservations.hashOf(words, 0), timeMs)
    return status === Status.done ? inventory.record : -1
  }

  /** A buyer's reservation goes on as the order's; what it had more is given back. */
  private takeOver({ allocation, sku, quantity, reservation }: HoldRequest, timeMs: number): number {
    const { reservations } = this.inventory
    const record = this.findReservation(reservation!, sku)
    if (record < 0 || !this.isUsable(record, timeMs) || reservations.quantity(record) !== quantity) return -1
    writeAllocationId(allocation, this.words, 0)
    return reservations.rename(record, this.words, 0) ? record : -1
  }

  private findReservation(id: Uint8Array, sku: number): number {
    const { reservations } = this.inventory
    const words = wordsOf(id)
    return reservations.find(reservations.hashOf(words, 0), words, 0, sku)
  }

  private isUsable(record: number, timeMs: number): boolean {
    const { reservations } = this.inventory
    if (reservations.isTentative(record)) return false
    const status = reservations.status(record)
    return (
      status === ReservationStatus.confirmed ||
      (status === ReservationStatus.held && timeMs < reservations.expiresAtMs(record))
    )
  }

  /** Where a buyer's reservation is and how many units it has; none where it cannot be used (any more). */
  reserved(id: Uint8Array, sku: number, timeMs: number): { location: number; quantity: number } {
    const { reservations } = this.inventory
    const record = this.findReservation(id, sku)
    if (record < 0 || !this.isUsable(record, timeMs)) return { location: NO_LOCATION, quantity: 0 }
    return { location: reservations.location(record), quantity: reservations.quantity(record) }
  }

  private confirm(record: number): void {
    const { reservations, stock } = this.inventory
    if (reservations.status(record) === ReservationStatus.confirmed) return
    const sku = this.placement.localOf(reservations.sku(record))
    stock.allocate(stock.rowAt(sku, reservations.location(record)), reservations.quantity(record))
    reservations.confirm(record)
  }

  /** Carries changes out. Those of an allocation that is not there (a hold whose time ran out) are named in the result. */
  apply(step: Step, changes: StockChange[], cause: ChangeCause): number[] {
    const missing: number[] = []
    for (const change of changes) if (!this.applyOne(step, change, cause)) missing.push(change.allocation)
    return missing
  }

  private applyOne(step: Step, change: StockChange, { shipped, ref }: ChangeCause): boolean {
    if (change.do === 'restock') {
      this.restock(change.sku, change.location, change.units, ref)
      return true
    }
    if (change.do === 'taken') {
      this.takeAway(step, change.sku, change.location, change.units, shipped, ref)
      return true
    }
    const { inventory } = this
    const { reservations } = inventory
    writeAllocationId(change.allocation, this.words, 0)
    const record = reservations.find(reservations.hashOf(this.words, 0), this.words, 0)
    if (record < 0 || !reservations.isLive(record)) return false
    switch (change.do) {
      case 'confirm':
        this.confirm(record)
        break
      case 'release':
        inventory.forget(record)
        break
      case 'reduce':
        this.give(record, change.units)
        break
      case 'ship':
        this.leave(step, record, reservations.quantity(record), shipped, ref)
        break
      case 'missing':
        this.leave(step, record, change.units, 'missing', ref)
        break
    }
    return true
  }

  private give(record: number, units: number): void {
    const { inventory } = this
    if (units === inventory.reservations.quantity(record)) inventory.forget(record)
    else inventory.reduce(record, units)
  }

  /** Units leave stock: no longer allocated, no longer on hand. */
  private leave(step: Step, record: number, units: number, reason: MoveReason, ref: string): void {
    const { reservations } = this.inventory
    // On hand first: what is given back first would be promised to others for an instant.
    this.takeAway(step, reservations.sku(record), reservations.location(record), units, reason, ref)
    this.give(record, units)
  }

  /** Units are no longer on hand. A count that said less is believed. */
  private takeAway(step: Step, index: number, location: number, units: number, reason: MoveReason, ref: string): void {
    const { stock } = this.inventory
    const sku = this.placement.localOf(index)
    const row = stock.rowAt(sku, location)
    const leaving = Math.min(units, stock.rows[row + Row.onHand]!)
    stock.change(sku, row, Row.onHand, -leaving)
    stock.moves.add({ reason, ref }, index, location, -leaving)
    if (leaving < units) {
      const more = { sku: index, location, units: units - leaving, reason, ref }
      step.publish('inventory.discrepancy', 'inventory', more)
    }
  }

  private restock(index: number, location: number, units: number, ref: string): void {
    const { stock } = this.inventory
    const sku = this.placement.localOf(index)
    const row = stock.makeRow(sku, location)
    assert(row >= 0, 'there is room for what came back')
    stock.change(sku, row, Row.onHand, units)
    stock.moves.add({ reason: 'returned', ref }, index, location, units)
  }
}

function wordsOf(id: Uint8Array): Uint32Array {
  const words = new Uint32Array(4)
  new Uint8Array(words.buffer).set(id)
  return words
}
