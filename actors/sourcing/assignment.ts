/**
 * Which locations send which units at the least cost: a fixed charge for each location that sends anything (its package,
 * its handling), a cost for each unit, and limits on what each has. Splitting a line over locations is possible; what
 * may be split is the caller's to say, by the limits and by `locationsMax`.
 *
 * Exact by branch and bound over the locations that send. The bound is the Lagrangian one of the fixed-charge problem:
 * each location's charge is shared out over the lines, a line's share over the units that it could send of it, and each
 * line then takes the cheapest units by itself. For any shares that is a lower bound; they are moved to where the
 * location is used until it is a tight one (Cornuéjols, Nemhauser and Wolsey, "The uncapacitated facility location
 * problem", 1990). The search ends after NODES_MAX nodes with the best that it has found.
 */
import { assert } from '../../engine/assert.js'

/** Locations and lines are indices; a matrix is by location, then by line. */
export interface AssignmentProblem {
  readonly locations: number
  readonly lines: number
  /** Cost of a location that sends anything. */
  readonly charge: Float64Array
  /** Cost of a unit. */
  readonly unitCost: Float64Array
  /** Units that a location can send. */
  readonly limit: Int32Array
  /** Units wanted of each line. */
  readonly demand: Int32Array
}

export interface Assignment {
  /** By location, then by line. */
  readonly units: Int32Array
  readonly cost: number
  /** False where the search ended before it had seen that nothing is cheaper. */
  readonly isOptimal: boolean
  readonly nodes: number
}

/** Bounds the time of a search; what sourcing meets needs a few dozen. */
export const NODES_MAX = 20_000
const ROUNDS_AT_ROOT = 24
const ROUNDS_BELOW = 3
/** Costs are sums of a few prices; what differs by less is the same. */
const EPSILON = 1e-7

const UNDECIDED = 0
const OPEN = 1
const CLOSED = 2

/** The cheapest assignment, or undefined where all locations together have too little of a line. */
export function assign(problem: AssignmentProblem, nodesMax = NODES_MAX): Assignment | undefined {
  const { locations, lines, charge, unitCost, limit, demand } = problem
  assert(charge.length === locations && demand.length === lines, 'vectors have their sizes')
  assert(unitCost.length === locations * lines && limit.length === locations * lines, 'matrices have their sizes')
  return new Search(problem, nodesMax).run()
}

class Search {
  private readonly state: Uint8Array
  /** What of its charge a location asks of a line. */
  private readonly share: Float64Array
  /** Of the relaxed solution: units by location and line. */
  private readonly relaxed: Int32Array
  private readonly trial: Int32Array
  private readonly best: Int32Array
  private readonly isOpen: Uint8Array
  private bestCost = Number.POSITIVE_INFINITY
  private nodes = 0

  constructor(
    private readonly problem: AssignmentProblem,
    private readonly nodesMax: number,
  ) {
    const { locations, lines } = problem
    this.state = new Uint8Array(locations)
    this.share = new Float64Array(locations * lines)
    this.relaxed = new Int32Array(locations * lines)
    this.trial = new Int32Array(locations * lines)
    this.best = new Int32Array(locations * lines)
    this.isOpen = new Uint8Array(locations)
  }

  run(): Assignment | undefined {
    const { locations, lines, charge, limit } = this.problem
    for (let l = 0; l < locations; l++) {
      let useful = 0
      for (let i = 0; i < lines; i++) if (limit[l * lines + i]! > 0) useful++
      if (useful === 0) this.state[l] = CLOSED
      else
        for (let i = 0; i < lines; i++) if (limit[l * lines + i]! > 0) this.share[l * lines + i] = charge[l]! / useful
    }
    this.descend(ROUNDS_AT_ROOT)
    if (this.bestCost === Number.POSITIVE_INFINITY) return undefined
    const isOptimal = this.nodes < this.nodesMax
    return { units: this.best, cost: this.bestCost, isOptimal, nodes: this.nodes }
  }

  /** Bounds what is left to decide, takes what the relaxed solution suggests, and decides one location both ways. */
  private descend(rounds: number): void {
    if (++this.nodes >= this.nodesMax) return
    let bound = this.relax()
    if (bound === Number.POSITIVE_INFINITY) return
    this.complete()
    for (let round = 0; round < rounds && bound < this.bestCost - EPSILON; round++) {
      this.moveShares()
      const next = this.relax()
      if (next <= bound + EPSILON && round >= ROUNDS_BELOW) break
      bound = Math.max(bound, next)
      this.complete()
    }
    if (bound >= this.bestCost - EPSILON) return
    const location = this.mostTorn()
    if (location < 0) return
    this.state[location] = OPEN
    this.descend(ROUNDS_BELOW)
    this.state[location] = CLOSED
    this.descend(ROUNDS_BELOW)
    this.state[location] = UNDECIDED
  }

  /** What a unit costs as the relaxation sees it. */
  private effectiveCost(location: number, at: number): number {
    const { unitCost, limit, demand, lines } = this.problem
    if (this.state[location] === OPEN) return unitCost[at]!
    return unitCost[at]! + this.share[at]! / Math.min(limit[at]!, demand[at % lines]!)
  }

  /** Each line by itself takes the cheapest units. Returns the lower bound, infinite where a line cannot be had. */
  private relax(): number {
    const { locations, lines, charge, limit, demand } = this.problem
    const { state, relaxed } = this
    relaxed.fill(0)
    let bound = 0
    for (let l = 0; l < locations; l++) if (state[l] === OPEN) bound += charge[l]!
    for (let i = 0; i < lines; i++) {
      let wanted = demand[i]!
      while (wanted > 0) {
        let cheapest = -1
        let lowest = Number.POSITIVE_INFINITY
        for (let l = 0; l < locations; l++) {
          const at = l * lines + i
          if (state[l] === CLOSED || limit[at]! <= 0 || relaxed[at]! > 0) continue
          const cost = this.effectiveCost(l, at)
          if (cost < lowest) {
            lowest = cost
            cheapest = at
          }
        }
        if (cheapest < 0) return Number.POSITIVE_INFINITY
        const units = Math.min(wanted, limit[cheapest]!)
        relaxed[cheapest] = units
        bound += units * lowest
        wanted -= units
      }
    }
    return bound
  }

  /** Moves each charge towards the lines for which its location is used, which raises the bound. */
  private moveShares(): void {
    const { locations, lines, charge, limit, demand } = this.problem
    for (let l = 0; l < locations; l++) {
      if (this.state[l] !== UNDECIDED) continue
      let used = 0
      for (let i = 0; i < lines; i++) {
        const at = l * lines + i
        if (limit[at]! > 0) used += this.relaxed[at]! / Math.min(limit[at]!, demand[i]!)
      }
      if (used === 0) continue
      for (let i = 0; i < lines; i++) {
        const at = l * lines + i
        if (limit[at]! <= 0) continue
        const usage = this.relaxed[at]! / Math.min(limit[at]!, demand[i]!)
        this.share[at] = (this.share[at]! + (charge[l]! * usage) / used) / 2
      }
    }
  }

  /** A real solution: the locations that the relaxed one uses are open, and lines take their units from those. */
  private complete(): void {
    const { locations, lines } = this.problem
    for (let l = 0; l < locations; l++) {
      let used = this.state[l] === OPEN ? 1 : 0
      for (let i = 0; i < lines; i++) if (this.relaxed[l * lines + i]! > 0) used = 1
      this.isOpen[l] = used
    }
    let cost = this.costOfOpen()
    // Without each of those that the decisions do not ask for, as long as it becomes cheaper.
    for (let l = 0; l < locations; l++) {
      if (this.isOpen[l] === 0 || this.state[l] === OPEN) continue
      this.isOpen[l] = 0
      const without = this.costOfOpen()
      if (without < cost - EPSILON) cost = without
      else this.isOpen[l] = 1
    }
    if (cost >= this.bestCost - EPSILON) return
    this.bestCost = this.costOfOpen()
    this.best.set(this.trial)
  }

  /** The cost of sending from the open locations alone, infinite where they have too little; the units are in `trial`. */
  private costOfOpen(): number {
    const { locations, lines, charge, unitCost, limit, demand } = this.problem
    const { isOpen, trial } = this
    trial.fill(0)
    let cost = 0
    for (let i = 0; i < lines; i++) {
      let wanted = demand[i]!
      while (wanted > 0) {
        let cheapest = -1
        for (let l = 0; l < locations; l++) {
          const at = l * lines + i
          if (isOpen[l] === 0 || limit[at]! <= 0 || trial[at]! > 0) continue
          if (cheapest < 0 || unitCost[at]! < unitCost[cheapest]!) cheapest = at
        }
        if (cheapest < 0) return Number.POSITIVE_INFINITY
        const units = Math.min(wanted, limit[cheapest]!)
        trial[cheapest] = units
        cost += units * unitCost[cheapest]!
        wanted -= units
      }
    }
    for (let l = 0; l < locations; l++) {
      if (isOpen[l] === 0) continue
      for (let i = 0; i < lines; i++) {
        if (trial[l * lines + i] === 0) continue
        cost += charge[l]!
        break
      }
    }
    return cost
  }

  /** The undecided location whose charge the relaxed solution pays the least of though it uses it; -1 where there is none. */
  private mostTorn(): number {
    const { locations, lines, charge, limit, demand } = this.problem
    let torn = -1
    let widest = EPSILON
    for (let l = 0; l < locations; l++) {
      if (this.state[l] !== UNDECIDED) continue
      let paid = 0
      let used = false
      for (let i = 0; i < lines; i++) {
        const at = l * lines + i
        if (this.relaxed[at]! === 0) continue
        used = true
        paid += (this.share[at]! * this.relaxed[at]!) / Math.min(limit[at]!, demand[i]!)
      }
      if (used && charge[l]! - paid > widest) {
        widest = charge[l]! - paid
        torn = l
      }
    }
    return torn
  }
}
