/**
 * Which locations send which parcels at the least cost: a location that sends anything costs once, each of its parcels
 * costs once, and lines of different groups (frozen, hazardous) never share one.
 *
 * `assign` knows one charge for each sender, so a sender there is a location together with the groups that it sends: for
 * two groups each location is three senders, of which one at most is used, since the one of both groups is cheaper than
 * both others together. Where stock is short the search may use several all the same, for their stock counts twice; this
 * is seen, and the location is then left with its sender of all groups alone.
 */
import { assert } from '../../engine/assert.js'
import { type AssignmentProblem, assign } from './assignment.js'
import { type Narrowed, narrow } from './narrowing.js'
import type { ParcelProblem } from './parcel-problem.js'

export interface Parcels {
  /** By location, then by item. */
  readonly units: Int32Array
  readonly cost: number
  readonly isOptimal: boolean
}

/** Senders of all combinations of groups; with more groups, one for each group and one for all of them. */
const GROUPS_COMBINED_MAX = 3

/** Searches again after a correction; then everything that was corrected is taken the safe way. */
const CORRECTIONS_MAX = 6

/** Senders and items up to which the search is over all that are left: it nearly always ends by itself. */
const CELLS_MAX = 360
const NODES_MAX = 2_000

/** Beyond that it is over the most promising, and looks at so few nodes that it takes no more than some milliseconds. */
const CELLS_NARROWED = 240
const NODES_NARROWED = 24

/** The cheapest parcels that the search finds. All that is demanded can be had. */
export function cheapestParcels(problem: ParcelProblem): Parcels {
  const single = cheapestSingle(problem)
  const worth = worthSplitting(problem, single?.cost ?? Number.POSITIVE_INFINITY)
  if (worth === undefined) {
    assert(single !== undefined, 'what is demanded can be had')
    return single
  }
  const isReal = !hasSiblings(problem)
  const narrowed = narrow(problem, worth, single?.cost ?? Number.POSITIVE_INFINITY, isReal)
  const good = !isReal || (single && single.cost <= narrowed.cost) ? single : { ...narrowed, isOptimal: true }
  if (good && !narrowed.isInPlay.includes(1)) return good
  const searched = search(problem, narrowed)
  if (good && good.cost <= searched.cost) return { ...good, isOptimal: searched.isOptimal }
  assert(searched.cost < Number.POSITIVE_INFINITY, 'what is demanded can be had')
  return searched
}

const hasSiblings = ({ sibling }: ParcelProblem): boolean => sibling.some((first) => first >= 0)

/** The location that serves most units of all by itself, and of those the cheapest. */
export function fullestSingle(problem: ParcelProblem): Parcels | undefined {
  const { locations, items, limit } = problem
  const units = new Int32Array(locations * items)
  let best = -1
  let most = 0
  let least = Number.POSITIVE_INFINITY
  for (let l = 0; l < locations; l++) {
    let sum = 0
    for (let i = 0; i < items; i++) sum += limit[l * items + i]!
    if (sum === 0 || sum < most) continue
    const cost = costOfRow(problem, limit, l)
    if (sum === most && cost >= least) continue
    most = sum
    least = cost
    best = l
  }
  if (best < 0) return undefined
  units.set(limit.subarray(best * items, (best + 1) * items), best * items)
  return { units, cost: least, isOptimal: true }
}

/** The cheapest location that serves everything by itself. */
function cheapestSingle(problem: ParcelProblem): Parcels | undefined {
  const { items, demand } = problem
  let wanted = 0
  for (let i = 0; i < items; i++) wanted += demand[i]!
  const single = fullestSingle(hasSiblings(problem) ? withoutOverdrawn(problem) : problem)
  if (!single) return undefined
  let served = 0
  for (const units of single.units) served += units
  return served === wanted ? single : undefined
}

/** Locations whose stock of some SKU is too little for all its siblings serve nothing by themselves. */
function withoutOverdrawn(problem: ParcelProblem): ParcelProblem {
  const limit = problem.limit.slice()
  for (let l = 0; l < problem.locations; l++)
    if (overdrawnItem(problem, limit, l) >= 0) limit.fill(0, l * problem.items, (l + 1) * problem.items)
  return { ...problem, limit }
}

/** The first item by whose units a location would send more of a SKU than it has; -1 where it has enough. */
function overdrawnItem({ items, sibling, stock }: ParcelProblem, units: Int32Array, location: number): number {
  for (let i = 0; i < items; i++) {
    if (sibling[i]! < 0 || units[location * items + i] === 0) continue
    let sum = 0
    for (let j = 0; j <= i; j++) if (sibling[j] === sibling[i]) sum += units[location * items + j]!
    if (sum > stock[location * items + i]!) return i
  }
  return -1
}

/** What a location costs for the units that it sends. */
function costOfRow({ items, orderCost, parcelCost, groupOf, unitCost }: ParcelProblem, units: Int32Array, l: number) {
  let cost = 0
  let sent = 0
  for (let i = 0; i < items; i++) {
    const at = l * items + i
    if (units[at] === 0) continue
    cost += units[at]! * unitCost[at]!
    sent |= 1 << groupOf[i]!
  }
  if (sent === 0) return 0
  cost += orderCost[l]!
  for (let groups = sent; groups !== 0; groups &= groups - 1) cost += parcelCost[l]!
  return cost
}

/**
 * The locations that can be part of something cheaper than a known cost by several locations: each of those has to pay
 * for itself, for the cheapest other one, and for the cheapest units. Undefined where no two are left.
 */
function worthSplitting(problem: ParcelProblem, known: number): Uint8Array | undefined {
  const { locations, items, groups, orderCost, parcelCost, demand, unitCost, limit } = problem
  const isInPlay = new Uint8Array(locations)
  let first = Number.POSITIVE_INFINITY
  let second = Number.POSITIVE_INFINITY
  let parcel = Number.POSITIVE_INFINITY
  for (let l = 0; l < locations; l++) {
    for (let i = 0; i < items; i++) if (limit[l * items + i]! > 0) isInPlay[l] = 1
    if (isInPlay[l] === 0) continue
    const own = orderCost[l]! + parcelCost[l]!
    if (own < first) {
      second = first
      first = own
    } else if (own < second) second = own
    parcel = Math.min(parcel, parcelCost[l]!)
  }
  let least = Math.max(0, groups - 2) * parcel
  for (let i = 0; i < items; i++) {
    let cheapest = Number.POSITIVE_INFINITY
    for (let at = i; at < limit.length; at += items)
      if (limit[at]! > 0 && unitCost[at]! < cheapest) cheapest = unitCost[at]!
    least += cheapest * demand[i]!
  }
  let count = 0
  for (let l = 0; l < locations; l++) {
    if (isInPlay[l] === 0) continue
    const own = orderCost[l]! + parcelCost[l]!
    if (own + (own === first ? second : first) + least >= known) isInPlay[l] = 0
    else count++
  }
  return count < 2 ? undefined : isInPlay
}

/** Senders of `assign`: a location and the groups that it sends, as bits. */
interface Sender {
  readonly location: number
  readonly groups: number
}

/** The cheapest parcels from locations in play; of infinite cost where those cannot serve everything. */
function search(problem: ParcelProblem, narrowed: Narrowed): Parcels {
  const { locations, items, groups, demand } = problem
  const limit = problem.limit.slice()
  const sendsAllGroups = new Uint8Array(locations)
  withholdOthers(limit, items, narrowed.isInPlay)
  const isNarrow = sendersOf(problem, limit, sendsAllGroups).length * items > CELLS_MAX
  if (isNarrow) withholdOthers(limit, items, mostPromising(problem, limit, narrowed))
  let isExact = groups <= GROUPS_COMBINED_MAX && !isNarrow
  for (let round = 0; ; round++) {
    if (round === CORRECTIONS_MAX) {
      sendsAllGroups.fill(1)
      serveByExample(problem, limit)
    }
    const senders = sendersOf(problem, limit, sendsAllGroups)
    const result = assign(assignmentOf(problem, limit, senders), isNarrow ? NODES_NARROWED : NODES_MAX)
    if (!result) {
      // What is in play needs the others, or a correction has taken too much away.
      if (round === 0 || round === CORRECTIONS_MAX)
        return { units: new Int32Array(0), cost: Number.POSITIVE_INFINITY, isOptimal: isExact }
      round = CORRECTIONS_MAX - 1
      continue
    }
    const units = new Int32Array(locations * items)
    senders.forEach(({ location }, s) => {
      for (let i = 0; i < items; i++) units[location * items + i]! += result.units[s * items + i]!
    })
    if (correct(problem, units, limit, sendsAllGroups)) {
      isExact = false
      continue
    }
    let cost = 0
    for (let l = 0; l < locations; l++) cost += costOfRow(problem, units, l)
    assert(
      demand.every((wanted, i) => wanted === sumOfColumn(units, items, i)),
      'an assignment is whole',
    )
    return { units, cost, isOptimal: isExact && result.isOptimal }
  }
}

function withholdOthers(limit: Int32Array, items: number, isMarked: Uint8Array): void {
  for (let l = 0; l < isMarked.length; l++) if (isMarked[l] === 0) limit.fill(0, l * items, (l + 1) * items)
}

/** As many locations as the search has time for, and where there are siblings those that can serve everything. */
function mostPromising(problem: ParcelProblem, limit: Int32Array, narrowed: Narrowed): Uint8Array {
  const { locations, items, groups, groupOf, example } = problem
  const { isInPlay, reducedCost, units } = narrowed
  const isMarked = new Uint8Array(locations)
  const left = Array.from(isInPlay.keys()).filter((l) => isInPlay[l] === 1)
  left.sort((a, b) => reducedCost[a]! - reducedCost[b]! || a - b)
  let cells = 0
  for (const l of left) {
    const has = new Set<number>()
    for (let i = 0; i < items; i++) if (limit[l * items + i]! > 0) has.add(groupOf[i]!)
    cells += items * (groups <= GROUPS_COMBINED_MAX ? 2 ** has.size - 1 : has.size + 1)
    if (cells > CELLS_NARROWED) break
    isMarked[l] = 1
  }
  if (hasSiblings(problem))
    for (let at = 0; at < units.length; at++)
      if (units[at]! > 0 || example[at]! > 0) isMarked[Math.floor(at / items)] = 1
  return isMarked
}

function sumOfColumn(matrix: Int32Array, width: number, column: number): number {
  let sum = 0
  for (let at = column; at < matrix.length; at += width) sum += matrix[at]!
  return sum
}

/** The senders of all locations that have something; a location's last is the one of all that it has. */
function sendersOf(
  { locations, items, groups, groupOf }: ParcelProblem,
  limit: Int32Array,
  sendsAllGroups: Uint8Array,
): Sender[] {
  const senders: Sender[] = []
  for (let location = 0; location < locations; location++) {
    let has = 0
    for (let i = 0; i < items; i++) if (limit[location * items + i]! > 0) has |= 1 << groupOf[i]!
    if (has === 0) continue
    if (sendsAllGroups[location] === 0)
      for (let set = 1; set < has; set = groups <= GROUPS_COMBINED_MAX ? set + 1 : set << 1)
        if ((set & ~has) === 0) senders.push({ location, groups: set })
    senders.push({ location, groups: has })
  }
  return senders
}

function assignmentOf(
  { items, orderCost, parcelCost, groupOf, unitCost, demand }: ParcelProblem,
  limit: Int32Array,
  senders: readonly Sender[],
): AssignmentProblem {
  const cells = senders.length * items
  const problem = {
    locations: senders.length,
    lines: items,
    charge: new Float64Array(senders.length),
    unitCost: new Float64Array(cells),
    limit: new Int32Array(cells),
    demand,
  }
  senders.forEach(({ location, groups }, s) => {
    problem.charge[s] = orderCost[location]!
    for (let set = groups; set !== 0; set &= set - 1) problem.charge[s]! += parcelCost[location]!
    for (let i = 0; i < items; i++) {
      if ((groups & (1 << groupOf[i]!)) === 0) continue
      problem.unitCost[s * items + i] = unitCost[location * items + i]!
      problem.limit[s * items + i] = limit[location * items + i]!
    }
  })
  return problem
}

/** Takes away what let a location send more than it has; false where none does. */
function correct(problem: ParcelProblem, units: Int32Array, limit: Int32Array, sendsAllGroups: Uint8Array): boolean {
  const { locations, items, demand, isWhole, sibling, stock } = problem
  let isCorrected = false
  for (let l = 0; l < locations; l++) {
    for (let i = 0; i < items; i++)
      if (units[l * items + i]! > limit[l * items + i]!) {
        sendsAllGroups[l] = 1
        isCorrected = true
      }
    const i = overdrawnItem(problem, units, l)
    if (i < 0) continue
    let left = stock[l * items + i]!
    for (let j = 0; j < i; j++) if (sibling[j] === sibling[i]) left -= units[l * items + j]!
    limit[l * items + i] = isWhole[i] === 1 && left < demand[i]! ? 0 : Math.max(0, left)
    isCorrected = true
  }
  return isCorrected
}

function serveByExample({ items, sibling, example }: ParcelProblem, limit: Int32Array): void {
  for (let at = 0; at < limit.length; at++) if (sibling[at % items]! >= 0) limit[at] = example[at]!
}
