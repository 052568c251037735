/** Random sourcing requests, as the tests of plans and of their costs need them. */
import type { Calendar } from './calendar.js'
import type { Origin } from './costs.js'
import { type Candidate, DEFAULT_WEIGHTS, type SourcingLine, type SourcingRequest } from './plan.js'

const HOUR_MS = 3_600_000

/** Wednesday 2026-07-01 09:00 UTC. */
export const NOW_MS = 1_782_896_400_000

export const london: Calendar = {
  offsets: [
    [1_774_746_000_000, 60],
    [1_792_890_000_000, 0],
  ],
  cutoffMinutes: 16 * 60,
  workingDays: 0b001_1111,
  holidays: [],
}

export const line = (own: Partial<SourcingLine> = {}): SourcingLine => ({
  line: 1,
  sku: own.line ?? 1,
  quantity: 1,
  weightGrams: 500,
  group: '',
  allowSplit: true,
  ...own,
})

/** A warehouse in Birmingham with nothing. */
export const candidate = ({
  location = 0,
  capacityLeft = 500,
  available = [],
  supply,
  ...origin
}: Partial<Omit<Candidate, 'origin'> & Origin> = {}): Candidate => ({
  location,
  capacityLeft,
  available,
  ...(supply ? { supply } : {}),
  origin: {
    type: 'warehouse',
    latitude: 52.48,
    longitude: -1.89,
    country: 'GB',
    handlingCost: 10_000,
    priority: 1,
    capacityPerDay: 1_000,
    calendar: london,
    ...origin,
  },
})

/** To London, by a service that takes a day. */
export const request = (own: Partial<SourcingRequest> = {}): SourcingRequest => ({
  lines: [],
  candidates: [],
  destination: { country: 'GB', latitude: 51.5, longitude: -0.12 },
  service: { name: 'standard', transitDays: { domestic: 1, foreign: 4 }, costFactor: 1 },
  placedMs: NOW_MS,
  promisedByMs: undefined,
  allowSplit: true,
  takePartial: false,
  useSupply: false,
  only: undefined,
  excluded: [],
  timeMs: NOW_MS,
  weights: DEFAULT_WEIGHTS,
  ...own,
})

export interface Shape {
  lines: number
  candidates: number
  /** Share of the places where a location has none of a line. */
  gaps: number
  /** How much of a line a location has at most, in units. */
  plenty: number
  groups: readonly string[]
}

/** A request whose figures come from a seed. */
export function randomRequest({ lines, candidates, gaps, plenty, groups }: Shape, seed: number): SourcingRequest {
  let state = seed | 1
  const random = (): number => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d)
    state = Math.imul(state ^ (state >>> 12), 0x297a_2d39)
    state ^= state >>> 15
    return (state >>> 0) / 2 ** 32
  }
  const upTo = (max: number): number => Math.floor(random() * (max + 1))
  const pick = <T>(of: readonly T[]): T => of[upTo(of.length - 1)]!
  const all = Array.from({ length: lines }, (_, at) =>
    line({ line: at + 1, quantity: 1 + upTo(3), weightGrams: 100 + upTo(3_000), group: pick(groups) }),
  )
  return request({
    lines: all,
    promisedByMs: random() < 0.5 ? NOW_MS + 38 * HOUR_MS : undefined,
    candidates: Array.from({ length: candidates }, (_, location) =>
      candidate({
        location,
        type: pick(['warehouse', 'store', 'store', '3pl', 'dropship']),
        latitude: 50 + random() * 6,
        longitude: -4 + random() * 5,
        country: random() < 0.9 ? 'GB' : 'FR',
        handlingCost: 2_000 + upTo(20_000),
        priority: upTo(5),
        capacityLeft: 1 + upTo(99),
        capacityPerDay: 100,
        calendar: { ...london, cutoffMinutes: 60 * (8 + upTo(12)) },
        available: all.map(() => (random() < gaps ? 0 : 1 + upTo(plenty - 1))),
      }),
    ),
  })
}

/** A large order by its number: 13 to 40 lines, 31 to 60 candidates, every fourth of two groups. */
export const largeRequest = (number: number): SourcingRequest =>
  randomRequest(
    {
      lines: 13 + ((number * 7) % 28),
      candidates: 31 + ((number * 11) % 30),
      gaps: [0.3, 0.6, 0.8][number % 3]!,
      plenty: [3, 8][number % 2]!,
      groups: number % 4 === 0 ? ['', 'frozen'] : [''],
    },
    number * 7_919,
  )
