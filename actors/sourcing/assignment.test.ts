import fc from 'fast-check'
import * as highsModule from 'highs'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Assignment, type AssignmentProblem, assign } from './assignment.js'

/** Cases that are compared with the optimum of a solver: SOURCING_RUNS=20000 for a long search. */
const RUNS = Number(process.env.SOURCING_RUNS ?? 2_000)

// Its types say `export default`; it is CommonJS, and what it exports is the function itself.
const loadHighs = highsModule.default as unknown as typeof highsModule.default.default
let highs: highsModule.Highs
beforeAll(async () => {
  highs = await loadHighs()
})

interface Shape {
  locations: number
  lines: number
  /** How much dearer a location's charge is than a unit, about. */
  chargeFactor: number
  /** Share of the places where a location has none of a line. */
  gaps: number
  /** How much of a line a location has, at most, in demands. */
  plenty: number
}

const shape = (locations: fc.Arbitrary<number>, lines: fc.Arbitrary<number>): fc.Arbitrary<Shape> =>
  fc.record({
    locations,
    lines,
    chargeFactor: fc.constantFrom(0, 1, 5, 20, 100),
    gaps: fc.constantFrom(0, 0.3, 0.7),
    plenty: fc.constantFrom(0.4, 1, 3),
  })

/** A problem of a shape whose figures come from a seed; prices are whole pence, so that equal costs are equal. */
function problemOf({ locations, lines, chargeFactor, gaps, plenty }: Shape, seed: number): AssignmentProblem {
  let state = seed | 1
  const random = (): number => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d)
    state = Math.imul(state ^ (state >>> 12), 0x297a_2d39)
    state ^= state >>> 15
    return (state >>> 0) / 2 ** 32
  }
  const upTo = (max: number): number => Math.floor(random() * (max + 1))
  const demand = Int32Array.from({ length: lines }, () => 1 + upTo(5))
  const cells = Array.from({ length: locations * lines }, (_, at) => at % lines)
  return {
    locations,
    lines,
    demand,
    charge: Float64Array.from({ length: locations }, () => upTo(40 * chargeFactor)),
    unitCost: Float64Array.from(cells, () => upTo(200)),
    limit: Int32Array.from(cells, (i) => (random() < gaps ? 0 : upTo(Math.ceil(demand[i]! * plenty)))),
  }
}

/** The optimum as a mixed-integer program in the LP format says it. */
function optimum({ locations, lines, charge, unitCost, limit, demand }: AssignmentProblem): number | undefined {
  const all = Array.from({ length: locations }, (_, l) => l)
  const each = Array.from({ length: lines }, (_, i) => i)
  const x = (l: number, i: number): string => `x${l}_${i}`
  const cells = all.flatMap((l) => each.map((i) => ({ l, i, at: l * lines + i }))).filter(({ at }) => limit[at]! > 0)
  if (each.some((i) => cells.filter((cell) => cell.i === i).reduce((sum, { at }) => sum + limit[at]!, 0) < demand[i]!))
    return undefined
  const cost = [
    ...all.map((l) => `${charge[l]} y${l}`),
    ...cells.map(({ l, i, at }) => `${unitCost[at]} ${x(l, i)}`),
  ].join(' + ')
  const wanted = each.map((i) => {
    const sources = cells.filter((cell) => cell.i === i).map(({ l }) => x(l, i))
    return `d${i}: ${sources.join(' + ')} = ${demand[i]}`
  })
  const opened = cells.map(({ l, i, at }) => `o${l}_${i}: ${x(l, i)} - ${Math.min(limit[at]!, demand[i]!)} y${l} <= 0`)
  const program = [
    'Minimize',
    `obj: ${cost}`,
    'Subject To',
    ...wanted,
    ...opened,
    'Bounds',
    ...cells.map(({ l, i, at }) => `0 <= ${x(l, i)} <= ${limit[at]}`),
    'General',
    cells.map(({ l, i }) => x(l, i)).join(' '),
    'Binary',
    all.map((l) => `y${l}`).join(' '),
    'End',
  ].join('\n')
  const { Status, ObjectiveValue } = highs.solve(program, { mip_rel_gap: 0, mip_abs_gap: 0 })
  expect(Status).toBe('Optimal')
  return ObjectiveValue
}

/** What an assignment costs, counted anew, once it is seen to be one. */
function costOf(
  { locations, lines, charge, unitCost, limit, demand }: AssignmentProblem,
  { units }: Assignment,
): number {
  let cost = 0
  const sent = new Int32Array(lines)
  for (let l = 0; l < locations; l++) {
    const own = units.subarray(l * lines, (l + 1) * lines)
    if (own.some((count) => count > 0)) cost += charge[l]!
    own.forEach((count, i) => {
      expect(count).toBeGreaterThanOrEqual(0)
      expect(count).toBeLessThanOrEqual(limit[l * lines + i]!)
      cost += count * unitCost[l * lines + i]!
      sent[i]! += count
    })
  }
  expect([...sent]).toEqual([...demand])
  return cost
}

describe('an assignment', () => {
  it('costs what the optimum of a solver costs, for up to 12 lines and 30 locations', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(
        shape(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 12 })),
        fc.integer(),
        (size, seed) => {
          const problem = problemOf(size, seed)
          const assignment = assign(problem)
          const least = optimum(problem)
          expect(assignment === undefined).toBe(least === undefined)
          if (!assignment || least === undefined) return
          expect(assignment.isOptimal).toBe(true)
          expect(assignment.cost).toBeCloseTo(costOf(problem, assignment), 6)
          expect(assignment.cost).toBeCloseTo(least, 4)
        },
      ),
      { numRuns: RUNS },
    )
  })

  it('that the search had to end early is a whole one, and costs little more', { timeout: 600_000 }, () => {
    let excess = 0
    let compared = 0
    fc.assert(
      fc.property(shape(fc.constant(40), fc.constant(20)), fc.integer(), (size, seed) => {
        const problem = problemOf(size, seed)
        const early = assign(problem, 1_000)
        const full = assign(problem, 4_000)
        expect(early === undefined).toBe(full === undefined)
        if (!early || !full) return
        expect(early.cost).toBeCloseTo(costOf(problem, early), 6)
        expect(early.cost).toBeGreaterThanOrEqual(full.cost - 1e-6)
        if (full.cost === 0) return
        excess += early.cost / full.cost - 1
        compared++
      }),
      { numRuns: 50 },
    )
    expect(excess / compared, 'excess over the best, on average').toBeLessThan(0.02)
  })

  it('does not exist where all locations together have too little', () => {
    const problem = {
      locations: 2,
      lines: 1,
      charge: Float64Array.of(1, 1),
      unitCost: Float64Array.of(1, 1),
      limit: Int32Array.of(2, 1),
      demand: Int32Array.of(4),
    }
    expect(assign(problem)).toBeUndefined()
  })
})
