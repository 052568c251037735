/** The least that a plan can cost, as a solver finds it: the costs are the model's, the search is not ours. */
import type { Highs, HighsOptions } from 'highs'
import { routeOf, unitCost } from './costs.js'
import type { SourcingRequest } from './plan.js'

export interface Optimum {
  /** False where the solver's time was up. */
  readonly isProven: boolean
  readonly cost: number
}

/** The optimum as a mixed-integer program in the LP format says it: locations, their parcels, and units in those. */
export function optimum(highs: Highs, own: SourcingRequest, options: HighsOptions = {}): Optimum {
  const isOneGroup = new Set(own.lines.map(({ group }) => group)).size === 1
  const costs: string[] = []
  const rows: string[] = []
  const integers: string[] = []
  const binaries: string[] = []
  const bounds: string[] = []
  const sources: string[][] = own.lines.map(() => [])
  for (const from of own.candidates) {
    const l = from.location
    const route = routeOf(from.origin, from.capacityLeft, own.destination, own.service, own.weights, own)
    const groups = new Set<string>()
    own.lines.forEach(({ quantity, weightGrams, group, allowSplit }, i) => {
      const available = from.available[i]!
      const most = Math.min(available, quantity)
      if (most === 0 || (!allowSplit && most < quantity)) return
      groups.add(group)
      const x = `x${l}_${i}`
      const parcel = isOneGroup ? `y${l}` : `p${l}_${group}`
      costs.push(`${unitCost(from.origin, route, own.weights, weightGrams, available)} ${x}`)
      rows.push(`${x} - ${most} ${parcel} <= 0`)
      bounds.push(`0 <= ${x} <= ${most}`)
      integers.push(x)
      if (!allowSplit) {
        rows.push(`${x} - ${quantity} w${x} = 0`)
        binaries.push(`w${x}`)
      }
      sources[i]!.push(x)
    })
    if (groups.size === 0) continue
    costs.push(`${route.orderCost + (isOneGroup ? route.parcelCost : 0)} y${l}`)
    binaries.push(`y${l}`)
    for (const group of isOneGroup ? [] : groups) {
      costs.push(`${route.parcelCost} p${l}_${group}`)
      rows.push(`p${l}_${group} - y${l} <= 0`)
      binaries.push(`p${l}_${group}`)
    }
  }
  own.lines.forEach(({ quantity }, i) => {
    rows.push(`${sources[i]!.join(' + ')} = ${quantity}`)
  })
  const program = [
    'Minimize',
    `obj: ${costs.join(' + ')}`,
    'Subject To',
    ...rows.map((row, r) => `r${r}: ${row}`),
    'Bounds',
    ...bounds,
    'General',
    integers.join(' '),
    'Binary',
    binaries.join(' '),
    'End',
  ].join('\n')
  const { Status, ObjectiveValue } = highs.solve(program, { mip_rel_gap: 0, mip_abs_gap: 0, ...options })
  return { isProven: Status === 'Optimal', cost: ObjectiveValue - own.weights.split }
}
