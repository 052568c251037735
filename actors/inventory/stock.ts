/**
 * Stock by SKU and location, in blocks of one cache line: three rows and a link, so that the SKU of one to three
 * locations, which most are, costs one memory access.
 *
 *   SKU record, 8 words      0 exists (1) · 1 limit a buyer (0: none) · 2 first pool + 1 (0: none)
 *                            3 watched: somebody waits for it (bit 0) · units at which it is low + 1 (bits 1-31, 0: nobody asks)
 *                            4-5 (double) ATP over all locations · 6 open lines of supply · 7 unused
 *   stock block, 16 words    0 next block (0: none) · then three rows of 5 words
 *   row, 5 words             0 location + 1 (0: no row) · 1 on hand · 2 reserved · 3 allocated · 4 safety stock
 *
 * The first block of a SKU has the SKU's own number; further ones come behind SKUS_MAX. A row's ATP is what is on hand
 * less reserved, allocated and safety stock, never below zero, and nothing while its location is out of service.
 */
import type { Arena } from '../../engine/arena.js'
import { assert } from '../../engine/assert.js'
import type { Store } from '../../engine/store.js'
import { ArenaId } from '../arenas.js'
import { SKUS_MAX, STOCK_BLOCKS_MAX } from '../limits.js'
import type { Locations } from './locations.js'
import { Moves } from './moves.js'

const SKU_WORDS = 8
const EXISTS = 0
const LIMIT = 1
const POOLS = 2
const WATCH = 3
const ATP_DOUBLE = 2
const SUPPLY = 6
export const LOW_STOCK_MAX = 0x3fff_fffe
const BLOCK_WORDS = 16
const ROW_WORDS = 5
const ROWS_PER_BLOCK = 3
export const Row = { location: 0, onHand: 1, reserved: 2, allocated: 3, safetyStock: 4 } as const

/** What the rows of a SKU add up to. */
export interface StockTotals {
  onHand: number
  reserved: number
  allocated: number
  safetyStock: number
  shortage: number
}

export class Stock {
  private readonly skus: Arena
  private readonly blocks: Arena
  private readonly counters: Arena
  /** SKUs that are watched and whose stock has moved, with the ATP before: looked at, and emptied, after each step. */
  readonly moved = new Map<number, number>()
  /** What on hand has gained and lost in this step: published, and emptied, after each. */
  readonly moves = new Moves()
  /** A row is a word offset in `rows`; -1: none. */
  readonly rows: Uint32Array

  constructor(
    store: Store,
    private readonly locations: Locations,
  ) {
    this.skus = store.arena(ArenaId.skus, 'SKUs', SKU_WORDS * 4, SKUS_MAX)
    this.blocks = store.arena(ArenaId.stockBlocks, 'stock blocks', BLOCK_WORDS * 4, SKUS_MAX + STOCK_BLOCKS_MAX)
    this.counters = store.arena(ArenaId.stockCounters, 'stock counters', 4, 4)
    this.rows = this.blocks.words
  }

  /** One more than the highest SKU here. */
  get skuCount(): number {
    return this.counters.words[0]!
  }

  exists(sku: number): boolean {
    return sku < SKUS_MAX && this.skus.words[sku * SKU_WORDS + EXISTS] === 1
  }

  /** Loads what reserving a SKU will look at: see `Frames.reserve`. */
  prefetch(sku: number): number {
    return sku < SKUS_MAX ? this.skus.words[sku * SKU_WORDS]! + this.rows[sku * BLOCK_WORDS]! : 0
  }

  /** Makes a SKU known; false where there is no room for it. */
  add(sku: number): boolean {
    if (sku >= SKUS_MAX) return false
    if (this.exists(sku)) return true
    this.skus.touch(sku)
    this.skus.words[sku * SKU_WORDS + EXISTS] = 1
    this.counters.touchPage(0)
    this.counters.words[0] = Math.max(this.skuCount, sku + 1)
    return true
  }

  limitPerBuyer(sku: number): number {
    return this.skus.words[sku * SKU_WORDS + LIMIT]!
  }
  setLimitPerBuyer(sku: number, limit: number): void {
    this.skus.touch(sku)
    this.skus.words[sku * SKU_WORDS + LIMIT] = limit
  }
  firstPool(sku: number): number {
    return this.skus.words[sku * SKU_WORDS + POOLS]! - 1
  }
  setFirstPool(sku: number, pool: number): void {
    this.skus.touch(sku)
    this.skus.words[sku * SKU_WORDS + POOLS] = pool + 1
  }

  /** Whether reserving it is a matter of its stock alone: no pools, no limit a buyer. */
  isPlain(sku: number): boolean {
    return (this.skus.words[sku * SKU_WORDS + LIMIT]! | this.skus.words[sku * SKU_WORDS + POOLS]!) === 0
  }

  atp(sku: number): number {
    return this.skus.doubles[sku * (SKU_WORDS / 2) + ATP_DOUBLE]!
  }

  private addAtp(sku: number, change: number): void {
    this.skus.touch(sku)
    const at = sku * (SKU_WORDS / 2) + ATP_DOUBLE
    const atp = this.skus.doubles[at]! + change
    this.skus.doubles[at] = atp
    const watch = this.skus.words[sku * SKU_WORDS + WATCH]!
    if (watch !== 0 && change !== 0) this.noteMove(sku, watch, atp - change, atp)
  }

  private noteMove(sku: number, watch: number, before: number, after: number): void {
    // Also where it falls: what rises again in the same step has not come.
    const isAwaited = (watch & 1) !== 0 && after !== before
    const low = (watch >>> 1) - 1
    const crosses = low >= 0 && (before > low !== after > low || (before === 0) !== (after === 0))
    if (!isAwaited && !crosses) return
    if (!this.moved.has(sku)) this.moved.set(sku, before)
  }

  /** Lines of supply that are open: most SKUs have none, and need not look for them. */
  openSupply(sku: number): number {
    return this.skus.words[sku * SKU_WORDS + SUPPLY]!
  }
  setOpenSupply(sku: number, lines: number): void {
    this.skus.touch(sku)
    this.skus.words[sku * SKU_WORDS + SUPPLY] = lines
  }

  /** Who watches its stock, as one word. */
  watch(sku: number): number {
    return this.skus.words[sku * SKU_WORDS + WATCH]!
  }
  setWatch(sku: number, watch: number): void {
    this.skus.touch(sku)
    this.skus.words[sku * SKU_WORDS + WATCH] = watch
  }

  /** Whether orders or customers wait for it. */
  hasWaiting(sku: number): boolean {
    return (this.skus.words[sku * SKU_WORDS + WATCH]! & 1) !== 0
  }
  setWaiting(sku: number, waiting: boolean): void {
    this.skus.touch(sku)
    const at = sku * SKU_WORDS + WATCH
    this.skus.words[at] = ((this.skus.words[at]! & ~1) | (waiting ? 1 : 0)) >>> 0
  }
  /** Units at which stock is low; undefined where nobody wants to know. */
  lowStock(sku: number): number | undefined {
    const low = (this.skus.words[sku * SKU_WORDS + WATCH]! >>> 1) - 1
    return low < 0 ? undefined : low
  }
  setLowStock(sku: number, units: number | undefined): void {
    this.skus.touch(sku)
    const at = sku * SKU_WORDS + WATCH
    const low = units === undefined ? 0 : Math.min(units, LOW_STOCK_MAX) + 1
    this.skus.words[at] = ((low << 1) | (this.skus.words[at]! & 1)) >>> 0
  }

  rowAtp(row: number): number {
    const { rows } = this
    const free =
      rows[row + Row.onHand]! - rows[row + Row.reserved]! - rows[row + Row.allocated]! - rows[row + Row.safetyStock]!
    return free > 0 && this.locations.isActive(rows[row]! - 1) ? free : 0
  }

  /** The SKU's row at a location, or -1. */
  rowAt(sku: number, location: number): number {
    const { rows } = this
    let block = sku
    do {
      const base = block * BLOCK_WORDS
      const first = base + 1
      if (rows[first] === location + 1) return first
      if (rows[first + ROW_WORDS] === location + 1) return first + ROW_WORDS
      if (rows[first + 2 * ROW_WORDS] === location + 1) return first + 2 * ROW_WORDS
      block = rows[base]!
    } while (block !== 0)
    return -1
  }

  /** Calls `visit` for each row of a SKU, in the order in which they were made. */
  forEachRow(sku: number, visit: (row: number) => void): void {
    const { rows } = this
    let block = sku
    do {
      const base = block * BLOCK_WORDS
      for (let i = 0; i < ROWS_PER_BLOCK; i++) {
        if (rows[base + 1 + i * ROW_WORDS] !== 0) visit(base + 1 + i * ROW_WORDS)
      }
      block = rows[base]!
    } while (block !== 0)
  }

  /** The row from which `quantity` is best taken: lowest priority number, then most available; -1 where none has it. */
  best(sku: number, quantity: number): number {
    const { rows, locations } = this
    let best = -1
    let bestPriority = 0
    let bestAtp = 0
    let block = sku
    do {
      const base = block * BLOCK_WORDS
      for (let row = base + 1; row < base + BLOCK_WORDS; row += ROW_WORDS) {
        if (rows[row] === 0) break
        const atp = this.rowAtp(row)
        if (atp < quantity) continue
        const priority = locations.priority(rows[row]! - 1)
        if (best < 0 || priority < bestPriority || (priority === bestPriority && atp > bestAtp)) {
          best = row
          bestPriority = priority
          bestAtp = atp
        }
      }
      block = rows[base]!
    } while (block !== 0)
    return best
  }

  /** The SKU's row at a location, made where there is none; -1 where there is no room for more. */
  makeRow(sku: number, location: number): number {
    const known = this.rowAt(sku, location)
    if (known >= 0) return known
    const { rows, blocks, counters } = this
    let block = sku
    for (;;) {
      const base = block * BLOCK_WORDS
      for (let row = base + 1; row < base + BLOCK_WORDS; row += ROW_WORDS) {
        if (rows[row] !== 0) continue
        blocks.touch(block)
        rows[row] = location + 1
        return row
      }
      if (rows[base] === 0) {
        if (counters.words[1]! >= STOCK_BLOCKS_MAX) return -1
        counters.touchPage(0)
        blocks.touch(block)
        rows[base] = SKUS_MAX + counters.words[1]!
        counters.words[1]!++
      }
      block = rows[base]!
    }
  }

  /** Takes over a row of another partition's stock. */
  adoptRow(sku: number, from: Uint32Array, at: number): void {
    const row = this.makeRow(sku, from[at]! - 1)
    assert(row >= 0, 'there is room for a row that was elsewhere')
    this.touchRow(row)
    for (let i = 1; i < ROW_WORDS; i++) this.rows[row + i] = from[at + i]!
    this.addAtp(sku, this.rowAtp(row))
  }

  touchRow(row: number): void {
    this.blocks.touch(row >>> 4)
  }

  /** Changes one figure of a row and keeps the SKU's ATP right. */
  change(sku: number, row: number, field: number, by: number): void {
    const before = this.rowAtp(row)
    this.touchRow(row)
    const value = this.rows[row + field]! + by
    assert(value >= 0 && value <= 0xffff_ffff, 'no figure of stock goes below zero')
    this.rows[row + field] = value
    this.addAtp(sku, this.rowAtp(row) - before)
  }

  /** Reserves from a row whose ATP is at least `quantity`. */
  reserve(sku: number, row: number, quantity: number): void {
    this.touchRow(row)
    this.rows[row + Row.reserved]! += quantity
    this.addAtp(sku, -quantity)
  }

  /** Reserved becomes allocated: ATP stays. */
  allocate(row: number, quantity: number): void {
    this.touchRow(row)
    assert(this.rows[row + Row.reserved]! >= quantity, 'what is confirmed was reserved')
    this.rows[row + Row.reserved]! -= quantity
    this.rows[row + Row.allocated]! += quantity
  }

  shortage(row: number): number {
    const { rows } = this
    return Math.max(0, rows[row + Row.reserved]! + rows[row + Row.allocated]! - rows[row + Row.onHand]!)
  }

  totals(sku: number): StockTotals {
    const { rows } = this
    const totals = { onHand: 0, reserved: 0, allocated: 0, safetyStock: 0, shortage: 0 }
    this.forEachRow(sku, (row) => {
      totals.onHand += rows[row + Row.onHand]!
      totals.reserved += rows[row + Row.reserved]!
      totals.allocated += rows[row + Row.allocated]!
      totals.safetyStock += rows[row + Row.safetyStock]!
      totals.shortage += this.shortage(row)
    })
    return totals
  }

  /** Works out a SKU's ATP from its rows: after a location went in or out of service, and to check the books. */
  atpOfRows(sku: number): number {
    let atp = 0
    this.forEachRow(sku, (row) => {
      atp += this.rowAtp(row)
    })
    return atp
  }

  recomputeAtp(): void {
    for (let sku = 0; sku < this.skuCount; sku++) {
      if (this.exists(sku)) this.addAtp(sku, this.atpOfRows(sku) - this.atp(sku))
    }
  }
}
