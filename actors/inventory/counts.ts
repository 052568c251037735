/** Counts and adjustments: what the world says of stock. Less than is promised is accepted, shown and published. */
import type { Step } from '../../engine/actors.js'
import type { Placement } from '../../engine/placement.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { readDocumentOfSku, writeDocument } from '../documents.js'
import { conflict, created, full, ok, problem, unknownLocation, unknownSku } from '../outcomes.js'
import type { Locations } from './locations.js'
import type { MoveCause } from './moves.js'
import { Row, type Stock } from './stock.js'
import { QUANTITY_MAX } from './wire.js'

export interface CountItem {
  /** SKU index. */
  sku: number
  /** Location index. */
  location: number
  onHand: number
  safetyStock: number
}

export interface Adjustment {
  id: string
  sku: number
  location: number
  delta: number
  reason: string
}

/** Data of the event `inventory.restated`. */
export interface StockRestated {
  /** SKU index, location index and units on hand, one after the other. */
  onHand: number[]
}

export const COUNTED: MoveCause = { reason: 'counted' }

/** Sets a row to what was counted, whatever was believed before, and publishes a shortage where one comes of it. */
export function setCount(
  step: Step,
  stock: Stock,
  index: number,
  sku: number,
  row: number,
  onHand: number,
  safetyStock: number,
  cause: MoveCause,
): void {
  const before = stock.shortage(row)
  const change = onHand - stock.rows[row + Row.onHand]!
  stock.change(sku, row, Row.onHand, change)
  stock.change(sku, row, Row.safetyStock, safetyStock - stock.rows[row + Row.safetyStock]!)
  stock.moves.add(cause, index, stock.rows[row]! - 1, change)
  const shortage = stock.shortage(row)
  if (shortage > before) {
    step.publish('inventory.shortage', 'inventory', { sku: index, location: stock.rows[row]! - 1, shortage })
  }
}

export class Counts {
  constructor(
    private readonly store: Store,
    private readonly stock: Stock,
    private readonly locations: Locations,
    private readonly placement: Placement,
  ) {}

  /** Counts, one outcome for each. */
  count(step: Step, items: CountItem[]): Outcome {
    return ok({ results: items.map((item) => this.countOne(step, item)) })
  }

  private countOne(step: Step, { sku: index, location, onHand, safetyStock }: CountItem): Outcome {
    const found = this.rowFor(index, location)
    if ('status' in found) return found
    setCount(step, this.stock, index, found.sku, found.row, onHand, safetyStock, COUNTED)
    return ok(null)
  }

  /** Tells what is on hand of SKUs, for a ledger that has missed how it came about. Nothing changes. */
  restate(step: Step, skus: number[]): Outcome {
    const onHand: number[] = []
    for (const index of skus) {
      const sku = this.placement.localOf(index)
      if (!this.stock.exists(sku)) continue
      this.stock.forEachRow(sku, (row) => {
        onHand.push(index, this.stock.rows[row]! - 1, this.stock.rows[row + Row.onHand]!)
      })
    }
    const told: StockRestated = { onHand }
    if (onHand.length > 0) step.publish('inventory.restated', 'inventory', told)
    return ok({ places: onHand.length / 3 })
  }

  private rowFor(index: number, location: number): { sku: number; row: number } | Outcome {
    const sku = this.placement.localOf(index)
    if (!this.stock.exists(sku)) return unknownSku()
    if (!this.locations.exists(location)) return unknownLocation()
    const row = this.stock.makeRow(sku, location)
    return row < 0 ? full('stock rows') : { sku, row }
  }

  /** Changes what is on hand by `delta`, once for each id. */
  adjust(step: Step, adjustment: Adjustment): Outcome {
    const key = `adjustment/${adjustment.id}`
    const known = readDocumentOfSku<Adjustment>(this.store, key, adjustment.sku)
    if (known) return sameAdjustment(known, adjustment) ? created({ replayed: true }) : conflict('This adjustment id')
    const local = this.placement.localOf(adjustment.sku)
    if (!this.stock.exists(local)) return unknownSku()
    const before = this.stock.rowAt(local, adjustment.location)
    const onHand = (before < 0 ? 0 : this.stock.rows[before + Row.onHand]!) + adjustment.delta
    if (this.locations.exists(adjustment.location) && (onHand < 0 || onHand > QUANTITY_MAX)) {
      return problem(
        409,
        'invalid',
        `On hand would be ${onHand}; it goes from 0 to ${QUANTITY_MAX}. Send a count if the figure here is wrong.`,
      )
    }
    // Only now: what is refused leaves no row behind.
    const found = this.rowFor(adjustment.sku, adjustment.location)
    if ('status' in found) return found
    const { sku, row } = found
    writeDocument(this.store, key, adjustment)
    const { id, reason: detail } = adjustment
    const cause: MoveCause = { reason: 'adjusted', ref: id, detail }
    setCount(step, this.stock, adjustment.sku, sku, row, onHand, this.stock.rows[row + Row.safetyStock]!, cause)
    return created({ replayed: false })
  }
}

const sameAdjustment = (a: Adjustment, b: Adjustment): boolean =>
  a.sku === b.sku && a.location === b.location && a.delta === b.delta && a.reason === b.reason
