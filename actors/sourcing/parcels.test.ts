import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assign } from './assignment.js'
import type { ParcelProblem } from './parcel-problem.js'
import { cheapestParcels } from './parcels.js'

/** Orders of one group and no siblings, for which `assign` by itself is exact; costs far apart, so that a slip shows. */
const anyProblem = fc
  .record({
    locations: fc.integer({ min: 2, max: 24 }),
    items: fc.integer({ min: 2, max: 10 }),
    charge: fc.constantFrom(50, 400, 3_000),
    gaps: fc.constantFrom(0.2, 0.6),
    seed: fc.integer(),
  })
  .map(({ locations, items, charge, gaps, seed }): ParcelProblem => {
    let state = seed | 1
    const random = (): number => {
      state = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d)
      state = Math.imul(state ^ (state >>> 12), 0x297a_2d39)
      state ^= state >>> 15
      return (state >>> 0) / 2 ** 32
    }
    const upTo = (max: number): number => Math.floor(random() * (max + 1))
    const stock = Int32Array.from({ length: locations * items }, () => (random() < gaps ? 0 : 1 + upTo(3)))
    const demand = Int32Array.from({ length: items }, (_, i) => {
      let all = 0
      for (let at = i; at < stock.length; at += items) all += stock[at]!
      return Math.min(all, 1 + upTo(4))
    })
    return {
      locations,
      items,
      groups: 1,
      orderCost: Float64Array.from({ length: locations }, () => upTo(charge)),
      parcelCost: Float64Array.from({ length: locations }, () => upTo(charge)),
      groupOf: new Int32Array(items),
      demand,
      unitCost: Float64Array.from(stock, () => upTo(200)),
      limit: stock.map((units, at) => Math.min(units, demand[at % items]!)),
      isWhole: new Uint8Array(items),
      sibling: new Int32Array(items).fill(-1),
      stock,
      example: new Int32Array(stock.length),
    }
  })
  .filter(({ demand }) => demand.every((units) => units > 0))

describe('the cheapest parcels', () => {
  it('cost what a search over all locations finds, whatever was excluded before', () => {
    fc.assert(
      fc.property(anyProblem, (problem) => {
        const { locations, items, orderCost, parcelCost, unitCost, limit, demand } = problem
        const charge = orderCost.map((cost, l) => cost + parcelCost[l]!)
        const all = assign({ locations, lines: items, charge, unitCost, limit, demand })!
        const parcels = cheapestParcels(problem)
        expect(all.isOptimal && parcels.isOptimal).toBe(true)
        expect(parcels.cost).toBeCloseTo(all.cost, 3)
      }),
      { numRuns: 500 },
    )
  })
})
