/**
 * What a thread of the pool does: plans many orders one after the other against the same stock, each seeing what those
 * before it leave. The plans are proposals; the orders' actors check them against stock as it then is.
 */
import { plan, type SourcingRequest } from '../../actors/sourcing/plan.js'

export interface WaveOrder {
  id: string
  number?: number
  request: SourcingRequest
}

export interface WavePlan {
  id: string
  number?: number
  /** None where no whole plan was found: the order is left to find its own way. */
  assignments: { location: number; line: number; quantity: number }[]
}

export default function planWave(orders: WaveOrder[]): WavePlan[] {
  /** Units that earlier orders of the wave have been given, by location and SKU. */
  const given = new Map<string, number>()
  const keyOf = (location: number, sku: number): string => `${location}/${sku}`
  return orders.map(({ id, number, request }) => {
    const candidates = request.candidates.map((candidate) => ({
      ...candidate,
      available: candidate.available.map((units, at) =>
        Math.max(0, units - (given.get(keyOf(candidate.location, request.lines[at]!.sku)) ?? 0)),
      ),
    }))
    const { assignments, shortLines } = plan({ ...request, candidates })
    const chosen = shortLines.length === 0 ? assignments : []
    for (const { location, line, quantity } of chosen) {
      const key = keyOf(location, request.lines.find((other) => other.line === line)!.sku)
      given.set(key, (given.get(key) ?? 0) + quantity)
    }
    return { id, ...(number === undefined ? {} : { number }), assignments: chosen }
  })
}
