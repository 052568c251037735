/** Rate shopping: what all carriers ask for a parcel, and which of their services it goes by. */
import { DoorbusterError } from '../../engine/errors.js'
import type { Carrier, Rate, RateRequest } from './carrier.js'

export interface RateChoice {
  /** When the buyer was told to have it. UTC, ms. */
  deliverByMs?: number
  prefer: 'cost' | 'speed'
}

type Order = (a: Rate, b: Rate) => number

const byCost: Order = (a, b) => a.cost - b.cost
const byDelivery: Order = (a, b) => a.deliverByMs - b.deliverByMs
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
/** Whatever the order in which carriers answer, the choice is the same. */
const byName: Order = (a, b) => byText(a.carrier, b.carrier) || byText(a.service, b.service)

const first = (rates: Rate[], ...orders: Order[]): Rate | undefined =>
  rates.toSorted((a, b) => {
    for (const order of [...orders, byName]) {
      const difference = order(a, b)
      if (difference !== 0) return difference
    }
    return 0
  })[0]

/**
 * `cost`: the cheapest that keeps the promise, and where none does the fastest. `speed`: the fastest. Of equals the
 * faster or the cheaper one. Undefined where there is no rate. Throws `mixed_currencies`: no cost can be compared then.
 */
export function chooseRate(rates: readonly Rate[], { deliverByMs, prefer }: RateChoice): Rate | undefined {
  const currencies = new Set(rates.map(({ currency }) => currency))
  if (currencies.size > 1) {
    throw new DoorbusterError(
      'mixed_currencies',
      `rates in ${[...currencies].sort().join(', ')} can't be compared: convert them to one currency first`,
    )
  }
  const inTime = rates.filter((rate) => deliverByMs === undefined || rate.deliverByMs <= deliverByMs)
  if (prefer === 'speed' || inTime.length === 0) return first([...rates], byDelivery, byCost)
  return first(inTime, byCost, byDelivery)
}

export interface ShoppedRates {
  rates: Rate[]
  /** Carriers that gave no answer, and why: the parcel can still go by the others. */
  failures: { carrier: string; error: unknown }[]
}

/** Asks all carriers at once. */
export async function shopRates(carriers: readonly Carrier[], request: RateRequest): Promise<ShoppedRates> {
  const answers = await Promise.allSettled(carriers.map(async (carrier) => carrier.rates(request)))
  const shopped: ShoppedRates = { rates: [], failures: [] }
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 'fulfilled') shopped.rates.push(...answer.value)
    else shopped.failures.push({ carrier: carriers[index]!.id, error: answer.reason })
  }
  return shopped
}
