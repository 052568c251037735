import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

vi.mock('../limits.js', async (original) => ({
  ...(await original<typeof import('../limits.js')>()),
  SKUS_MAX: 1_024,
  STOCK_BLOCKS_MAX: 6,
  LOCATIONS_MAX: 64,
}))

const { Store } = await import('../../engine/store.js')
const { Locations } = await import('./locations.js')
const { Row, Stock } = await import('./stock.js')

/** A SKU's stock in plain words: by location, in the order in which they were stocked. */
interface Held {
  onHand: number
  reserved: number
  allocated: number
  safetyStock: number
}
type Model = Map<number, Map<number, Held>>

const SKUS = [0, 1, 511, 512, 1_023]
const LOCATIONS = 9

let directory: string
let stores = 0
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'doorbuster-stock-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function withStock(
  use: (stock: InstanceType<typeof Stock>, locations: InstanceType<typeof Locations>) => void,
): Promise<void> {
  const store = new Store(join(directory, `${++stores}.mdb`), 0, 'offline')
  const locations = new Locations()
  try {
    use(new Stock(store, locations), locations)
  } finally {
    await store.close()
  }
}

const sku = fc.constantFrom(...SKUS)
const location = fc.nat(LOCATIONS - 1)
const units = fc.constantFrom(0, 1, 2, 3, 5, 8, 0x7fff_ffff)
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('count' as const), sku, location, onHand: units, safety: units }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('reserve' as const), sku, location, units }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('allocate' as const), sku, location, units }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('give back' as const), sku, location, allocated: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('locate' as const),
      location,
      active: fc.boolean(),
      priority: fc.constantFrom(0, 1, 2),
    }),
  },
)

describe('stock', () => {
  it('adds up as plain figures do, at any number of locations', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), (steps) =>
        withStock((stock, locations) => {
          const model: Model = new Map(SKUS.map((sku) => [sku, new Map()]))
          const service = new Map<number, { active: boolean; priority: number }>()
          for (const sku of SKUS) expect(stock.add(sku)).toBe(true)
          for (const step of steps) {
            if (step.do === 'locate') {
              service.set(step.location, step)
              if (locations.set(step.location, step.active, step.priority)) stock.recomputeAtp()
              continue
            }
            const rows = model.get(step.sku)!
            const held = rows.get(step.location)
            const row = stock.rowAt(step.sku, step.location)
            expect(row >= 0).toBe(held !== undefined)
            if (step.do === 'count' && service.has(step.location)) {
              const made = stock.makeRow(step.sku, step.location)
              const extraBlocks = [...model.values()].reduce(
                (sum, { size }) => sum + Math.max(0, Math.ceil(size / 3) - 1),
                0,
              )
              const isFull = held === undefined && rows.size > 0 && rows.size % 3 === 0 && extraBlocks >= 6
              expect(made < 0).toBe(isFull)
              if (made < 0) continue
              const before = held ?? { onHand: 0, reserved: 0, allocated: 0, safetyStock: 0 }
              stock.change(step.sku, made, Row.onHand, step.onHand - before.onHand)
              stock.change(step.sku, made, Row.safetyStock, step.safety - before.safetyStock)
              rows.set(step.location, { ...before, onHand: step.onHand, safetyStock: step.safety })
            } else if (step.do === 'reserve' && held && stock.rowAtp(row) >= step.units) {
              stock.reserve(step.sku, row, step.units)
              held.reserved += step.units
            } else if (step.do === 'allocate' && held && held.reserved >= step.units) {
              stock.allocate(row, step.units)
              held.reserved -= step.units
              held.allocated += step.units
            } else if (step.do === 'give back' && held) {
              const figure = step.allocated ? 'allocated' : 'reserved'
              stock.change(step.sku, row, Row[figure], -held[figure])
              held[figure] = 0
            }
          }
          compare(stock, model, service)
        }),
      ),
      { numRuns: Number(process.env.STOCK_RUNS ?? 60) },
    )
  })

  function compare(
    stock: InstanceType<typeof Stock>,
    model: Model,
    service: Map<number, { active: boolean; priority: number }>,
  ): void {
    for (const [sku, rows] of model) {
      const atpAt = (location: number): number => {
        const { onHand, reserved, allocated, safetyStock } = rows.get(location)!
        return service.get(location)!.active ? Math.max(0, onHand - reserved - allocated - safetyStock) : 0
      }
      const seen: number[] = []
      stock.forEachRow(sku, (row) => {
        const location = stock.rows[row]! - 1
        seen.push(location)
        const figures = [Row.onHand, Row.reserved, Row.allocated, Row.safetyStock].map(
          (field) => stock.rows[row + field],
        )
        const { onHand, reserved, allocated, safetyStock } = rows.get(location)!
        expect(figures).toEqual([onHand, reserved, allocated, safetyStock])
        expect(stock.rowAtp(row)).toBe(atpAt(location))
        expect(stock.shortage(row)).toBe(Math.max(0, reserved + allocated - onHand))
        expect(stock.rowAt(sku, location)).toBe(row)
      })
      expect(seen).toEqual([...rows.keys()])
      const sum = (of: (held: Held) => number): number =>
        [...rows.values()].reduce((total, held) => total + of(held), 0)
      expect(stock.totals(sku)).toEqual({
        onHand: sum(({ onHand }) => onHand),
        reserved: sum(({ reserved }) => reserved),
        allocated: sum(({ allocated }) => allocated),
        safetyStock: sum(({ safetyStock }) => safetyStock),
        shortage: sum(({ onHand, reserved, allocated }) => Math.max(0, reserved + allocated - onHand)),
      })
      const atp = [...rows.keys()].reduce((total, location) => total + atpAt(location), 0)
      expect([stock.atp(sku), stock.atpOfRows(sku)]).toEqual([atp, atp])
      for (const quantity of [1, 2, 3, 5, 9]) {
        const best = [...rows.keys()]
          .filter((location) => atpAt(location) >= quantity)
          .sort((a, b) => service.get(a)!.priority - service.get(b)!.priority || atpAt(b) - atpAt(a))[0]
        const row = stock.best(sku, quantity)
        expect(row < 0 ? undefined : stock.rows[row]! - 1).toBe(best)
      }
    }
  }

  it('knows SKUs up to its limit, each once', async () => {
    await withStock((stock) => {
      expect([stock.exists(3), stock.add(3), stock.add(3), stock.exists(3), stock.skuCount]).toEqual([
        false,
        true,
        true,
        true,
        4,
      ])
      expect([stock.add(1_023), stock.add(1_024), stock.exists(1_024)]).toEqual([true, false, false])
      expect(stock.exists(0xffff_ffff)).toBe(false)
      expect(stock.skuCount).toBe(1_024)
    })
  })

  it('asserts that no figure goes below nought', async () => {
    await withStock((stock, locations) => {
      locations.set(0, true, 0)
      stock.add(0)
      const row = stock.makeRow(0, 0)
      stock.change(0, row, Row.onHand, 2)
      expect(() => stock.change(0, row, Row.onHand, -3)).toThrow('no figure of stock goes below zero')
      expect(() => stock.allocate(row, 1)).toThrow('what is confirmed was reserved')
      expect([stock.atp(0), stock.rows[row + Row.onHand]]).toEqual([2, 2])
    })
  })

  it('keeps the stock of the last location there is', async () => {
    await withStock((stock, locations) => {
      locations.set(63, true, 0)
      stock.add(7)
      const row = stock.makeRow(7, 63)
      stock.change(7, row, Row.onHand, 5)
      expect([stock.rowAt(7, 63), stock.atp(7), stock.rowAt(7, 62)]).toEqual([row, 5, -1])
    })
  })

  it('keeps the further blocks of two SKUs apart', async () => {
    await withStock((stock, locations) => {
      for (let location = 0; location < 8; location++) locations.set(location, true, 0)
      stock.add(0)
      stock.add(1)
      for (let location = 0; location < 8; location++) {
        for (const sku of [0, 1]) stock.change(sku, stock.makeRow(sku, location), Row.onHand, sku * 100 + location)
      }
      for (const sku of [0, 1]) {
        const seen: number[] = []
        stock.forEachRow(sku, (row) => seen.push(stock.rows[row + Row.onHand]!))
        expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((location) => sku * 100 + location))
      }
    })
  })
})
