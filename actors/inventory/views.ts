/** What can be read of stock and reservations: figures with indices, which the gateway turns into names. */
import type { Placement } from '../../engine/placement.js'
import type { Outcome } from '../../engine/protocol.js'
import { ok, problem, unknownSku } from '../outcomes.js'
import type { Inventory } from './inventory.js'
import { RESERVATION_STATUS_NAMES } from './reservations.js'
import { Row, type StockTotals } from './stock.js'
import type { Supply } from './supply.js'

export interface StockRow {
  location: number
  onHand: number
  reserved: number
  allocated: number
  safetyStock: number
  atp: number
  shortage: number
  incoming: { id: string; quantity: number; expectedAtMs: number }[]
}

export interface StockView extends StockTotals {
  /** SKU index. */
  sku: number
  atp: number
  rows: StockRow[]
}

export interface ReservationView {
  sku: number
  quantity: number
  location: number
  status: string
  expiresAtMs: number
  ttlSeconds: number
  /** ATP right after it was held. */
  remaining: number
}

export class Views {
  constructor(
    private readonly inventory: Inventory,
    private readonly supply: Supply,
    private readonly placement: Placement,
  ) {}

  stock(index: number): Outcome {
    const view = this.stockView(index)
    return view ? ok(view) : unknownSku()
  }

  /** Several at once; null for an unknown one. */
  stocks(indices: number[]): Outcome {
    return ok({ items: indices.map((index) => this.stockView(index) ?? null) })
  }

  /** ATP of the partition's own SKUs from one on, -1 where there is none: for who looks for what has changed. */
  atps({ from, limit }: { from: number; limit: number }): Outcome {
    const { stock } = this.inventory
    const atps: number[] = []
    for (let sku = from; sku < Math.min(stock.skuCount, from + limit); sku++) {
      atps.push(stock.exists(sku) ? stock.atp(sku) : -1)
    }
    return ok({ atps })
  }

  private stockView(index: number): StockView | undefined {
    const { stock } = this.inventory
    const sku = this.placement.localOf(index)
    if (!stock.exists(sku)) return undefined
    const lines = this.supply.open(index)
    const rows: StockRow[] = []
    stock.forEachRow(sku, (row) => {
      const location = stock.rows[row]! - 1
      rows.push({
        location,
        onHand: stock.rows[row + Row.onHand]!,
        reserved: stock.rows[row + Row.reserved]!,
        allocated: stock.rows[row + Row.allocated]!,
        safetyStock: stock.rows[row + Row.safetyStock]!,
        atp: stock.rowAtp(row),
        shortage: stock.shortage(row),
        incoming: lines
          .filter((line) => line.location === location)
          .map(({ id, quantity, received, expectedAtMs }) => ({ id, quantity: quantity - received, expectedAtMs })),
      })
    })
    // Supply may be on its way to where nothing was ever stocked.
    for (const line of lines) {
      if (rows.some(({ location }) => location === line.location)) continue
      const incoming = lines
        .filter(({ location }) => location === line.location)
        .map(({ id, quantity, received, expectedAtMs }) => ({ id, quantity: quantity - received, expectedAtMs }))
      const nothing = { onHand: 0, reserved: 0, allocated: 0, safetyStock: 0, atp: 0, shortage: 0 }
      rows.push({ location: line.location, ...nothing, incoming })
    }
    return { sku: index, ...stock.totals(sku), atp: stock.atp(sku), rows }
  }

  reservation(id: Uint8Array): Outcome {
    const { reservations } = this.inventory
    const words = new Uint32Array(4)
    new Uint8Array(words.buffer).set(id)
    const record = reservations.find(reservations.hashOf(words, 0), words, 0)
    // Part of a batch that is not decided yet: nobody has been told that it is held.
    if (record < 0 || reservations.isTentative(record)) {
      return problem(404, 'unknown_reservation', 'There is no such reservation; it was refused, or ended long ago.')
    }
    const view: ReservationView = {
      sku: reservations.sku(record),
      quantity: reservations.quantity(record),
      location: reservations.location(record),
      status: RESERVATION_STATUS_NAMES[reservations.status(record)],
      expiresAtMs: reservations.expiresAtMs(record),
      ttlSeconds: reservations.ttlSeconds(record),
      remaining: reservations.remaining(record),
    }
    return ok(view)
  }

  figures(): Outcome {
    const { reservations, stock } = this.inventory
    return ok({ live: reservations.live, ended: reservations.ended, skus: stock.skuCount })
  }
}
