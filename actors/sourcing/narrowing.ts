/**
 * A good solution fast, a lower bound, and which locations are worth a closer look. The demands are relaxed at a price
 * for each unit: a location then opens if what its units fetch pays for it, its *reduced cost* being what it lacks.
 * Prices rise where too little is sent and fall where too much is (the subgradient method of Held, Wolfe and Crowder
 * 1974, with Polyak's step). For any prices the sum is a lower bound, and the bound and a reduced cost together are one
 * for everything that uses the location, so those too dear for that are out for good. A real solution comes of
 * opening, at those prices, what costs least for what it fetches (the greedy of Caprara, Fischetti and Toth, "A heuristic
 * method for the set covering problem", 1999); at the end one or two are opened and what is then not needed is closed.
 */
import type { ParcelProblem } from './parcel-problem.js'

const ROUNDS_MAX = 80
/** Rounds without a better bound, after which steps are halved. */
const ROUNDS_PATIENT = 5
const STEP_MIN = 0.02
/** Looks at sets of locations in which something is exchanged, of a microsecond or less each. */
const LOOKS_MAX = 800
/** Items times locations up to which each round makes a solution, and all looks are taken: beyond, so many times fewer. */
const CELLS_OFTEN = 1_200
/** A unit that cannot be had: more than any order's charges. */
const MISSING = 1e12
/** Costs are whole, and a bound is a sum of fractions: what is above a whole one by less is not above it. */
const EPSILON = 1e-3

export interface Narrowed {
  /** Locations that may be part of something cheaper than what is known. */
  readonly isInPlay: Uint8Array
  /** By location: the lower the more promising. */
  readonly reducedCost: Float64Array
  /** The best solution found, by location, then by item; siblings are not watched. */
  readonly units: Int32Array
  readonly cost: number
}

/**
 * `known` is a cost for which there is a solution, or infinite. The locations in play have all that is demanded, or else
 * the solution's cost is beyond all costs.
 */
export function narrow(problem: ParcelProblem, isInPlay: Uint8Array, known: number, isReal: boolean): Narrowed {
  return new Narrowing(problem, isInPlay, known, isReal).run()
}

class Narrowing {
  /** By item: its locations, the cheapest unit first; -1 ends them. */
  private readonly byCost: Int32Array
  private readonly price: Float64Array
  /** By item: units that the relaxed solution sends. */
  private readonly taken: Float64Array
  /** By group: what a location's units fetch. */
  private readonly fetched: Float64Array
  private readonly reducedCost: Float64Array
  private readonly rank: Float64Array
  private readonly isOpen: Uint8Array
  private readonly opened: Uint8Array
  private readonly best: Uint8Array
  private readonly sent: Int32Array
  private readonly need: Int32Array
  private inPlay: number[] = []
  private cost = Number.POSITIVE_INFINITY
  private looks = 0
  /** How many times fewer solutions are made. */
  private readonly thrift: number

  /** `isReal`: a solution found here is one, and costs what it seems to. */
  constructor(
    private readonly problem: ParcelProblem,
    isInPlay: Uint8Array,
    private readonly known: number,
    private readonly isReal: boolean,
  ) {
    const { locations, items, groups, limit, unitCost, orderCost, parcelCost } = problem
    this.price = new Float64Array(items).fill(Number.POSITIVE_INFINITY)
    this.taken = new Float64Array(items)
    this.fetched = new Float64Array(groups)
    this.reducedCost = new Float64Array(locations)
    this.rank = new Float64Array(locations)
    this.isOpen = new Uint8Array(locations)
    this.opened = new Uint8Array(locations)
    this.best = new Uint8Array(locations)
    this.sent = new Int32Array(locations)
    this.need = new Int32Array(items)
    this.byCost = new Int32Array(items * (locations + 1)).fill(-1)
    const counts = new Int32Array(items)
    for (let l = 0; l < locations; l++) {
      if (isInPlay[l] === 0) continue
      this.inPlay.push(l)
      let units = 0
      for (let i = 0; i < items; i++) units += limit[l * items + i]!
      const charge = (orderCost[l]! + parcelCost[l]!) / Math.max(1, units)
      for (let i = 0; i < items; i++) {
        if (limit[l * items + i] === 0) continue
        this.price[i] = Math.min(this.price[i]!, unitCost[l * items + i]! + charge)
        let at = i * (locations + 1) + counts[i]!++
        const first = i * (locations + 1)
        for (; at > first && unitCost[this.byCost[at - 1]! * items + i]! > unitCost[l * items + i]!; at--)
          this.byCost[at] = this.byCost[at - 1]!
        this.byCost[at] = l
      }
    }
    this.thrift = Math.ceil((this.inPlay.length * items) / CELLS_OFTEN) || 1
    for (let i = 0; i < items; i++) if (this.price[i] === Number.POSITIVE_INFINITY) this.price[i] = 0
  }

  run(): Narrowed {
    const { locations } = this.problem
    let highest = Number.NEGATIVE_INFINITY
    let scale = 1
    let patience = ROUNDS_PATIENT
    for (let round = 0; round < ROUNDS_MAX && scale > STEP_MIN; round++) {
      const bound = this.relax()
      if (bound > highest) {
        highest = bound
        patience = ROUNDS_PATIENT
        this.rank.set(this.reducedCost)
      } else if (--patience === 0) {
        scale /= 2
        patience = ROUNDS_PATIENT
      }
      if (round % this.thrift === 0) this.complete()
      this.exclude(bound)
      if (this.inPlay.length === 0 || !this.movePrices(scale, bound)) break
    }
    if (this.inPlay.length > 0) this.improve()
    const isInPlay = new Uint8Array(locations)
    for (const l of this.inPlay) isInPlay[l] = 1
    return { isInPlay, reducedCost: this.rank, units: this.unitsOfBest(), cost: this.cost }
  }

  /** Every location by itself takes what pays at the prices. Returns the lower bound. */
  private relax(): number {
    const { items, groups, orderCost, parcelCost, groupOf, unitCost, limit, demand } = this.problem
    const { price, taken, fetched } = this
    taken.fill(0)
    let bound = 0
    for (let i = 0; i < items; i++) bound += price[i]! * demand[i]!
    for (const l of this.inPlay) {
      fetched.fill(0)
      for (let i = 0, at = l * items; i < items; i++, at++) {
        const gain = (price[i]! - unitCost[at]!) * limit[at]!
        if (gain > 0) fetched[groupOf[i]!]! += gain
      }
      let cost = orderCost[l]!
      let dearest = Number.NEGATIVE_INFINITY
      for (let g = 0; g < groups; g++) {
        const gain = fetched[g]! - parcelCost[l]!
        if (gain > 0) cost -= gain
        if (gain > dearest) dearest = gain
      }
      // A location that is used sends a parcel, though none pays for itself.
      if (dearest < 0) cost -= dearest
      this.reducedCost[l] = cost
      if (cost >= 0) continue
      bound += cost
      for (let i = 0, at = l * items; i < items; i++, at++)
        if (price[i]! > unitCost[at]! && fetched[groupOf[i]!]! > parcelCost[l]!) taken[i]! += limit[at]!
    }
    return bound
  }

  /** Prices go the way in which the bound rises. False where they can go no further. */
  private movePrices(scale: number, bound: number): boolean {
    const { items, demand } = this.problem
    const { price, taken } = this
    let norm = 0
    for (let i = 0; i < items; i++) norm += (demand[i]! - taken[i]!) * (demand[i]! - taken[i]!)
    const aim = Math.min(this.known, this.cost)
    const step = (scale * (aim * 1.01 - bound)) / norm
    if (norm === 0 || step <= 0) return false
    for (let i = 0; i < items; i++) price[i] = Math.max(0, price[i]! + step * (demand[i]! - taken[i]!))
    return true
  }

  /** Locations with which nothing can be cheaper than what is known. */
  private exclude(bound: number): void {
    const known = this.isReal ? Math.min(this.known, this.cost) : this.known
    const { reducedCost } = this
    // Something cheaper is cheaper by 1.
    const tooDear = known - 1 + EPSILON
    if (bound > tooDear) this.inPlay = []
    else if (this.inPlay.some((l) => bound + reducedCost[l]! > tooDear))
      this.inPlay = this.inPlay.filter((l) => bound + reducedCost[l]! <= tooDear)
  }

  /**
   * A real solution: one location after the other, always the one that costs least for what its units fetch of those that
   * are still needed, until all can be had; then without what is not needed after all.
   */
  private complete(): void {
    const { items, limit, demand } = this.problem
    const { isOpen, need } = this
    const order: number[] = []
    need.set(demand)
    isOpen.fill(0)
    for (;;) {
      const next = this.bestValue()
      if (next < 0) break
      order.push(next)
      isOpen[next] = 1
      for (let i = 0, at = next * items; i < items; i++, at++) need[i] = Math.max(0, need[i]! - limit[at]!)
    }
    if (isOpen.every((one, l) => one === this.opened[l])) return
    this.opened.set(isOpen)
    order.reverse()
    const cost = this.closeWhatPays(order, this.look())
    if (cost >= this.cost) return
    this.cost = cost
    this.best.set(isOpen)
  }

  /** The closed location of which what is still needed costs least for what it fetches; -1 where none has any of it. */
  private bestValue(): number {
    const { items, orderCost, parcelCost, groupOf, unitCost, limit } = this.problem
    const { isOpen, need, price } = this
    let best = -1
    let least = Number.POSITIVE_INFINITY
    for (const l of this.inPlay) {
      if (isOpen[l] === 1) continue
      let cost = orderCost[l]!
      let fetched = 0
      let sent = 0
      for (let i = 0, at = l * items; i < items; i++, at++) {
        const units = Math.min(need[i]!, limit[at]!)
        if (units === 0) continue
        const group = 1 << groupOf[i]!
        if ((sent & group) === 0) cost += parcelCost[l]!
        sent |= group
        cost += units * unitCost[at]!
        fetched += units * price[i]!
      }
      if (sent === 0) continue
      const value = cost / (fetched + 1)
      if (value >= least) continue
      least = value
      best = l
    }
    return best
  }

  /** What the open locations cost, each item taking the cheapest units. */
  private look(): number {
    const { locations, items, orderCost, parcelCost, groupOf, unitCost, limit, demand } = this.problem
    const { byCost, isOpen, sent } = this
    this.looks++
    sent.fill(0)
    let cost = 0
    for (let i = 0; i < items; i++) {
      let wanted = demand[i]!
      const group = 1 << groupOf[i]!
      for (let at = i * (locations + 1); wanted > 0; at++) {
        const l = byCost[at]!
        if (l < 0) return cost + MISSING * wanted
        if (isOpen[l] === 0) continue
        const units = Math.min(wanted, limit[l * items + i]!)
        cost += units * unitCost[l * items + i]!
        wanted -= units
        if (sent[l] === 0) cost += orderCost[l]!
        if ((sent[l]! & group) === 0) cost += parcelCost[l]!
        sent[l]! |= group
      }
    }
    return cost
  }

  /** Opens two of the best solution's closed locations, or one, and closes what then is not needed, as long as it pays. */
  private improve(): void {
    const { isOpen, best, rank } = this
    this.looks = 0
    const looksMax = LOOKS_MAX / this.thrift
    const order = this.inPlay.slice().sort((a, b) => rank[a]! - rank[b]! || a - b)
    const backwards = order.slice().reverse()
    for (let from = 0; from >= 0 && this.looks < looksMax; ) {
      from = -1
      search: for (let sum = 1; sum < 2 * order.length && this.looks < looksMax; sum++)
        // The most promising pairs first; a location with itself is one alone.
        for (let a = Math.max(0, sum - order.length); a <= (sum - 1) / 2; a++) {
          const first = order[a]!
          const second = order[sum - 1 - a]!
          if (best[first] === 1 || best[second] === 1) continue
          isOpen.set(best)
          isOpen[first] = 1
          isOpen[second] = 1
          const cost = this.closeWhatPays(backwards, this.look())
          if (cost >= this.cost) continue
          this.cost = cost
          best.set(isOpen)
          from = sum
          break search
        }
    }
  }

  /** Closes open locations, in an order, where it pays; returns the cost. */
  private closeWhatPays(order: readonly number[], costOfOpen: number): number {
    const { isOpen } = this
    let cost = costOfOpen
    for (let o = 0; o < order.length; o++) {
      const l = order[o]!
      if (isOpen[l] === 0) continue
      isOpen[l] = 0
      const without = this.look()
      if (without < cost) cost = without
      else isOpen[l] = 1
    }
    return cost
  }

  private unitsOfBest(): Int32Array {
    const { locations, items, limit, demand } = this.problem
    const units = new Int32Array(locations * items)
    for (let i = 0; i < items; i++) {
      let wanted = demand[i]!
      for (let at = i * (locations + 1); wanted > 0 && this.byCost[at]! >= 0; at++) {
        const l = this.byCost[at]!
        if (this.best[l] === 0) continue
        units[l * items + i] = Math.min(wanted, limit[l * items + i]!)
        wanted -= units[l * items + i]!
      }
    }
    return units
  }
}
