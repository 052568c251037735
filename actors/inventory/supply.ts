/** Incoming supply: purchase orders and advice notes, dated, until they are received into stock. */
import type { Step } from '../../engine/actors.js'
import type { Placement } from '../../engine/placement.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { readDocument, readDocumentOfSku, writeDocument } from '../documents.js'
import { SUPPLY_PER_SKU } from '../limits.js'
import { conflict, created, full, ok, problem, unknownLocation, unknownSku } from '../outcomes.js'
import { setCount } from './counts.js'
import type { Locations } from './locations.js'
import type { MoveCause } from './moves.js'
import { Row, type Stock } from './stock.js'
import { QUANTITY_MAX } from './wire.js'

export interface SupplyLine {
  id: string
  sku: number
  location: number
  quantity: number
  received: number
  expectedAtMs: number
  reference: string
}

/** A receipt that carried an id. */
interface Receipt {
  sku: number
  quantity: number
}

/** Ids of supply that comes from another location begin with this, and go on with the transfer's id. */
export const TRANSFER = 'transfer:'

const openKey = (sku: number): string => `supply-of/${sku}`
const lineKey = (id: string): string => `supply/${id}`

export class Supply {
  constructor(
    private readonly store: Store,
    private readonly stock: Stock,
    private readonly locations: Locations,
    private readonly placement: Placement,
  ) {}

  find(id: string): SupplyLine | undefined {
    return readDocument<SupplyLine>(this.store, lineKey(id))
  }

  private findOfSku(id: string, sku: number): SupplyLine | undefined {
    return readDocumentOfSku<SupplyLine>(this.store, lineKey(id), sku)
  }

  /** Open lines of a SKU index, soonest first. */
  open(sku: number): SupplyLine[] {
    if (this.stock.openSupply(this.placement.localOf(sku)) === 0) return []
    const ids = readDocument<string[]>(this.store, openKey(sku)) ?? []
    const lines = ids.map((id) => this.findOfSku(id, sku)).filter((line) => line !== undefined)
    return lines.sort((a, b) => a.expectedAtMs - b.expectedAtMs || (a.id < b.id ? -1 : 1))
  }

  /** Announces supply, or changes what is announced under an id as long as nothing of it was received. */
  announce(line: SupplyLine): Outcome {
    const known = this.findOfSku(line.id, line.sku)
    if (known) {
      const same =
        known.sku === line.sku &&
        known.location === line.location &&
        known.quantity === line.quantity &&
        known.expectedAtMs === line.expectedAtMs &&
        known.reference === line.reference
      return same ? created(known) : conflict('This supply id')
    }
    if (!this.stock.exists(this.placement.localOf(line.sku))) return unknownSku()
    if (!this.locations.exists(line.location)) return unknownLocation()
    const ids = readDocument<string[]>(this.store, openKey(line.sku)) ?? []
    if (ids.length >= SUPPLY_PER_SKU) return full('supply lines of one SKU')
    writeDocument(this.store, lineKey(line.id), line)
    this.writeOpen(line.sku, [...ids, line.id])
    return created(line)
  }

  private writeOpen(index: number, ids: string[]): void {
    writeDocument(this.store, openKey(index), ids)
    this.stock.setOpenSupply(this.placement.localOf(index), ids.length)
  }

  /** Goods came in: on hand rises, the rest stays expected. `receipt` makes a repeated call count once. */
  receive(step: Step, id: string, quantity: number, receipt: string): Outcome {
    const line = this.find(id)
    if (!line) return problem(404, 'unknown_supply', `There is no supply ${id}; announce it first.`)
    const receiptKey = `receipt/${id}/${receipt}`
    if (receipt !== '') {
      const before = readDocument<Receipt>(this.store, receiptKey)
      if (before !== undefined) return before.quantity === quantity ? ok(line) : conflict('This receipt id')
    }
    const open = line.quantity - line.received
    if (quantity > open) {
      return problem(
        409,
        'invalid',
        `Only ${open} of supply ${id} are still expected; adjust the stock for what came on top.`,
      )
    }
    const sku = this.placement.localOf(line.sku)
    const before = this.stock.rowAt(sku, line.location)
    const onHand = (before < 0 ? 0 : this.stock.rows[before + Row.onHand]!) + quantity
    if (onHand > QUANTITY_MAX) return problem(409, 'invalid', `On hand would be more than ${QUANTITY_MAX}.`)
    const row = this.stock.makeRow(sku, line.location)
    if (row < 0) return full('stock rows')
    const cause: MoveCause = id.startsWith(TRANSFER)
      ? { reason: 'transfer_received', ref: id.slice(TRANSFER.length) }
      : { reason: 'received', ref: id }
    setCount(step, this.stock, line.sku, sku, row, onHand, this.stock.rows[row + Row.safetyStock]!, cause)
    const received = { ...line, received: line.received + quantity }
    writeDocument(this.store, lineKey(id), received)
    const kept: Receipt = { sku: line.sku, quantity }
    if (receipt !== '') writeDocument(this.store, receiptKey, kept)
    if (received.received === received.quantity) {
      const ids = readDocument<string[]>(this.store, openKey(line.sku)) ?? []
      this.writeOpen(
        line.sku,
        ids.filter((other) => other !== id),
      )
    }
    return ok(received)
  }
}
