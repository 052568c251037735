/**
 * Sourcing: which locations send which units of an order, when they ship and when it arrives. A pure function of what it
 * is given, the time included. The order in which candidates are given does not matter.
 *
 * The steps: candidates that cannot send are refused with a reason; lines of one SKU become one want; what all candidates
 * together have too little of is short; each remaining candidate gets its costs; the cheapest parcels are searched; what
 * they hold is dealt out to the lines again.
 */
import { afterWorkingDays, nextCutoff } from './calendar.js'
import {
  type Destination,
  delayCost,
  type OrderTimes,
  type Origin,
  type Route,
  routeOf,
  type ShippingService,
  type SourcingWeights,
  unitCost,
} from './costs.js'
import { type Grants, grant, type SourcingLine, share, type Want, wantsOf } from './demand.js'

export type { SourcingLine }

import type { ParcelProblem } from './parcel-problem.js'
import { cheapestParcels, fullestSingle, type Parcels } from './parcels.js'

export { DEFAULT_WEIGHTS, type Destination, type ShippingService, type SourcingWeights } from './costs.js'

/** Where an order may come from. */
export interface Candidate {
  readonly location: number
  readonly origin: Origin
  /** Orders that it can still take on its next shipping day. */
  readonly capacityLeft: number
  /** By place in the request's lines: units that can be promised now. */
  readonly available: readonly number[]
  /** By place in the request's lines: units that come, and when (UTC, ms). Counts where `useSupply` is set. */
  readonly supply?: readonly (readonly (readonly [units: number, atMs: number])[])[]
}

export interface SourcingRequest extends OrderTimes {
  readonly lines: readonly SourcingLine[]
  readonly candidates: readonly Candidate[]
  readonly destination: Destination
  readonly service: ShippingService
  /** Whether several locations may send parts of the order. */
  readonly allowSplit: boolean
  /** Whether what is short is sent as far as there is. */
  readonly takePartial: boolean
  /** Whether supply that is announced may be promised. */
  readonly useSupply: boolean
  /** Locations that a rule or a pick-up order chose; undefined: all. */
  readonly only: readonly number[] | undefined
  readonly excluded: readonly { readonly location: number; readonly reason: string }[]
  readonly weights: SourcingWeights
}

/**
 * Why a location sends nothing: a reason that was given, not one of the chosen, no service to the destination, its day is
 * full, it has nothing (or, where one location has to send all, too little) of what can be sent, or others cost less.
 */
export type RefusalReason = `excluded: ${string}` | 'not_allowed' | 'no_carrier' | 'capacity' | 'no_stock' | 'dearer'

export interface Refusal {
  readonly location: number
  readonly reason: RefusalReason
}

export interface Plan {
  /** By location, then in the order of the lines. */
  readonly assignments: { location: number; line: number; quantity: number }[]
  /** Lines that are not served in full; none where the plan is whole. */
  readonly shortLines: number[]
  /** Ten-thousandths of the currency; comparable between plans of one request. */
  readonly cost: number
  /** False where the search ended before it had seen that nothing is cheaper. */
  readonly isOptimal: boolean
  /** For each location that sends. */
  readonly promises: { location: number; shipByMs: number; deliverByMs: number }[]
  /** All locations that do not send. */
  readonly refused: Refusal[]
}

/** More kinds of goods in one order than this share the last parcel: a parcel's group is a bit. */
const GROUPS_MAX = 29

/** Units are counted in 32 bits. */
const UNITS_MAX = 0x7fff_ffff

export function plan(request: SourcingRequest): Plan {
  const { lines, allowSplit, takePartial } = request
  const { candidates, refused } = screen(request)
  const wants = wantsOf(lines, allowSplit)
  const stock = stockOf(request, candidates, wants)
  const grants = allowSplit ? grant(lines, wants, stock, takePartial) : grantAll(lines, wants, stock)
  const { problem, routes } = problemOf(request, candidates, wants, stock, grants)
  const parcels = allowSplit ? parcelsOf(problem, grants) : parcelOfOne(request, wants, problem, grants)
  return planOf(request, candidates, wants, problem, routes, grants, parcels, refused)
}

/** Tells candidates that may send from those that may not, in the order of their locations. */
function screen({ candidates, destination, service, only, excluded }: SourcingRequest): {
  candidates: Candidate[]
  refused: Refusal[]
} {
  const isCarried = service.countries?.includes(destination.country) ?? true
  const refused: Refusal[] = []
  const remaining = candidates.filter(({ location, capacityLeft }) => {
    const exclusion = excluded.length === 0 ? undefined : excluded.find((one) => one.location === location)
    const reason: RefusalReason | undefined = exclusion
      ? `excluded: ${exclusion.reason}`
      : only && !only.includes(location)
        ? 'not_allowed'
        : !isCarried
          ? 'no_carrier'
          : capacityLeft <= 0
            ? 'capacity'
            : undefined
    if (reason) refused.push({ location, reason })
    return reason === undefined
  })
  return { candidates: byLocation(remaining), refused }
}

/** In the order of their locations, in which they come as a rule. */
function byLocation<T extends { readonly location: number }>(list: T[]): T[] {
  const isInOrder = list.every(({ location }, at) => at === 0 || list[at - 1]!.location <= location)
  return isInOrder ? list : list.sort((a, b) => a.location - b.location)
}

/** By location, then by want: what a candidate has or, where supply counts, will have. */
function stockOf({ useSupply }: SourcingRequest, candidates: readonly Candidate[], wants: readonly Want[]): Int32Array {
  const stock = new Int32Array(candidates.length * wants.length)
  for (let c = 0, at = 0; c < candidates.length; c++)
    for (let w = 0; w < wants.length; w++, at++) {
      const { available, supply } = candidates[c]!
      const line = wants[w]!.lines[0]!
      let units = Math.max(0, available[line] ?? 0)
      if (useSupply) for (const [more] of supply?.[line] ?? []) units += more
      stock[at] = Math.min(units, UNITS_MAX)
    }
  return stock
}

/** What is asked for, whole: where one location sends all, what it has is seen when it is chosen. */
function grantAll(lines: readonly SourcingLine[], wants: readonly Want[], stock: Int32Array): Grants {
  const granted = Int32Array.from(lines, ({ quantity }) => Math.max(0, quantity))
  const demand = Int32Array.from(wants, (want) => want.lines.reduce((sum, at) => sum + granted[at]!, 0))
  return { granted, demand, example: stock }
}

/** When a candidate has so many units of a line: now, or when the supply comes. */
function readyMs({ available, supply }: Candidate, line: number, units: number, timeMs: number): number {
  let have = Math.max(0, available[line] ?? 0)
  if (have >= units) return timeMs
  const coming = [...(supply?.[line] ?? [])].sort((a, b) => a[1] - b[1])
  for (const [more, atMs] of coming) {
    have += more
    if (have >= units) return Math.max(timeMs, atMs)
  }
  return timeMs
}

/** Limits and costs. A candidate that has nothing that is wanted gets no route: calendars are not looked at for it. */
function problemOf(
  request: SourcingRequest,
  candidates: readonly Candidate[],
  wants: readonly Want[],
  stock: Int32Array,
  { demand, example }: Grants,
): { problem: ParcelProblem; routes: (Route | undefined)[] } {
  const { destination, service, weights, timeMs, useSupply } = request
  const groups: string[] = []
  const groupOf = Int32Array.from(wants, ({ group }, w) => {
    if (demand[w] === 0) return 0
    const known = groups.indexOf(group)
    return Math.min(GROUPS_MAX, known >= 0 ? known : groups.push(group) - 1)
  })
  const problem = {
    locations: candidates.length,
    items: wants.length,
    groups: Math.min(GROUPS_MAX + 1, groups.length),
    orderCost: new Float64Array(candidates.length),
    parcelCost: new Float64Array(candidates.length),
    groupOf,
    demand,
    unitCost: new Float64Array(stock.length),
    limit: new Int32Array(stock.length),
    isWhole: Uint8Array.from(wants, ({ isWhole }) => (isWhole ? 1 : 0)),
    sibling: Int32Array.from(wants, ({ sibling }) => sibling),
    stock,
    example,
  }
  const routes = candidates.map((candidate, c): Route | undefined => {
    const { origin, capacityLeft } = candidate
    let route: Route | undefined
    for (let w = 0, at = c * wants.length; w < wants.length; w++, at++) {
      const { isWhole, lines, weightGrams } = wants[w]!
      const units = Math.min(stock[at]!, demand[w]!)
      if (units === 0 || (isWhole && units < demand[w]!)) continue
      route ??= routeOf(origin, capacityLeft, destination, service, weights, request)
      problem.limit[at] = units
      problem.unitCost[at] = unitCost(origin, route, weights, weightGrams, stock[at]!)
      const ready = useSupply ? readyMs(candidate, lines[0]!, units, timeMs) : timeMs
      if (ready > timeMs) problem.unitCost[at]! += delayCost(origin, route, weights, request, ready, units)
    }
    if (!route) return undefined
    problem.orderCost[c] = route.orderCost
    problem.parcelCost[c] = route.parcelCost
    return route
  })
  return { problem, routes }
}

function parcelsOf(problem: ParcelProblem, { demand }: Grants): Parcels | undefined {
  return demand.some((units) => units > 0) ? cheapestParcels(problem) : undefined
}

/** All of an order from one location; where none has all, nothing or, if a part will do, what the fullest has. */
function parcelOfOne(
  { lines, takePartial }: SourcingRequest,
  wants: readonly Want[],
  problem: ParcelProblem,
  { granted, demand }: Grants,
): Parcels | undefined {
  const parcels = fullestSingle(problem)
  const sent = Int32Array.from(wants, (_, w) => {
    let units = 0
    for (let at = w; parcels && at < parcels.units.length; at += wants.length) units += parcels.units[at]!
    return units
  })
  const isWhole = sent.every((units, w) => units === demand[w])
  if (isWhole) return parcels
  wants.forEach((want, w) => {
    share(lines, want.lines, takePartial ? sent[w]! : 0, takePartial, granted)
  })
  return takePartial ? parcels : undefined
}

/** Deals the units out to the lines, in their order, and says when each location ships them. */
function planOf(
  { lines, timeMs, weights, useSupply, allowSplit }: SourcingRequest,
  candidates: readonly Candidate[],
  wants: readonly Want[],
  problem: ParcelProblem,
  routes: readonly (Route | undefined)[],
  { granted }: Grants,
  parcels: Parcels | undefined,
  refused: Refusal[],
): Plan {
  const open = granted.slice()
  const assignments: Plan['assignments'] = []
  const promises: Plan['promises'] = []
  candidates.forEach((candidate, c) => {
    const { location } = candidate
    const route = routes[c]
    let ready = timeMs
    let inOrder: [at: number, quantity: number][] | undefined
    for (let w = 0; w < wants.length; w++) {
      let units = parcels?.units[c * wants.length + w] ?? 0
      if (units === 0) continue
      inOrder ??= []
      const [first] = wants[w]!.lines
      if (useSupply) ready = Math.max(ready, readyMs(candidate, first!, ofSku(problem, parcels!, c, w), timeMs))
      for (const at of wants[w]!.lines) {
        const quantity = Math.min(units, open[at]!)
        if (quantity === 0) continue
        open[at]! -= quantity
        units -= quantity
        inOrder.push([at, quantity])
      }
    }
    if (!inOrder || !route) {
      const couldSend = route && (allowSplit || hasAll(problem, c))
      refused.push({ location, reason: couldSend ? 'dearer' : 'no_stock' })
      return
    }
    inOrder.sort((a, b) => a[0] - b[0])
    for (const [at, quantity] of inOrder) assignments.push({ location, line: lines[at]!.line, quantity })
    promises.push({ location, ...promiseOf(candidate, route, ready, timeMs) })
  })
  return {
    assignments,
    shortLines: lines.flatMap(({ line, quantity }, at) => (granted[at]! < quantity ? [line] : [])),
    // The charge for a split is in each location's order cost: the first one's is given back.
    cost: parcels ? Math.round(parcels.cost - weights.split) : 0,
    isOptimal: parcels?.isOptimal ?? true,
    promises,
    refused: byLocation(refused),
  }
}

function hasAll({ items, limit, demand }: ParcelProblem, location: number): boolean {
  for (let i = 0; i < items; i++) if (limit[location * items + i]! < demand[i]!) return false
  return true
}

/** Units of a want's SKU that a location sends, its siblings' too. */
function ofSku({ items, sibling }: ParcelProblem, { units }: Parcels, location: number, want: number): number {
  if (sibling[want]! < 0) return units[location * items + want]!
  let sum = 0
  for (let w = 0; w < items; w++) if (sibling[w] === sibling[want]) sum += units[location * items + w]!
  return sum
}

function promiseOf(
  { origin: { calendar } }: Candidate,
  { shipByMs, deliverByMs, transitDays }: Route,
  ready: number,
  timeMs: number,
): { shipByMs: number; deliverByMs: number } {
  if (ready <= timeMs) return { shipByMs, deliverByMs }
  const delayedMs = nextCutoff(calendar, ready)
  return { shipByMs: delayedMs, deliverByMs: afterWorkingDays(calendar, delayedMs, transitDays) }
}
