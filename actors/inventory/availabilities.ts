/** What a partition says of its SKUs to whoever sources an order: product, ATP by location, dated supply. */
import type { Placement } from '../../engine/placement.js'
import type { Catalog } from '../catalog/catalog.js'
import type { Availability } from '../order/order.js'
import type { Inventory } from './inventory.js'
import type { Supply } from './supply.js'
import type { Waiting } from './waiting.js'

export class Availabilities {
  constructor(
    private readonly catalog: Catalog,
    private readonly inventory: Inventory,
    private readonly supply: Supply,
    private readonly waiting: Waiting,
    private readonly placement: Placement,
  ) {}

  /** `order` is who asks: those before it on a waiting list that is being served come first. */
  of(index: number, channel: number, order: string, timeMs: number): Availability {
    const { stock } = this.inventory
    const sku = this.placement.localOf(index)
    const product = stock.exists(sku) ? this.catalog.productFacts(index) : undefined
    if (!product) return { sku: index, product: null, rows: [], most: 0, supply: [] }
    const rows: number[] = []
    if (stock.atp(sku) > 0) {
      stock.forEachRow(sku, (row) => {
        const atp = stock.rowAtp(row)
        if (atp > 0) rows.push(stock.rows[row]! - 1, atp)
      })
    }
    const ahead = stock.hasWaiting(sku) ? this.waiting.unitsAhead(index, order) : 0
    const most = Math.max(0, this.inventory.availableTo(sku, channel, timeMs) - ahead)
    const supply = this.supply
      .open(index)
      .map((line): [number, number, number] => [line.location, line.quantity - line.received, line.expectedAtMs])
    return { sku: index, product, rows, most, supply }
  }
}
