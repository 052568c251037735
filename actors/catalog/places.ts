/** Locations as sourcing looks at them: decoded once for each change instead of at each order. */
import type { Calendar } from '../sourcing/calendar.js'

export type LocationType = 'warehouse' | 'store' | 'dropship' | '3pl'

export interface Place {
  /** Location index. */
  location: number
  id: string
  name: string
  type: LocationType
  latitude: number
  longitude: number
  country: string
  /** Ten-thousandths of the currency, for each order. */
  handlingCost: number
  priority: number
  capacityPerDay: number
  calendar: Calendar
  active: boolean
}

/** A location's document holds its calendar as data, so that a replay depends on no time zone database. */
export interface LocationDocument {
  name: string
  type: LocationType
  latitude: number
  longitude: number
  address: { country: string }
  handlingCost: { amount: string }
  priority: number
  capacityPerDay: number
  active: boolean
  calendar?: Calendar
}

/** Of a location that was put before there were calendars: every day, until midnight UTC. */
const NO_CALENDAR: Calendar = { offsets: [[0, 0]], cutoffMinutes: 23 * 60 + 59, workingDays: 0x7f, holidays: [] }

export class Places {
  private readonly byIndex = new Map<number, Place>()
  private sorted: Place[] = []
  private ranks: number[] = []

  put(index: number, id: string, document: LocationDocument): void {
    this.byIndex.set(index, {
      location: index,
      id,
      name: document.name,
      type: document.type,
      latitude: document.latitude,
      longitude: document.longitude,
      country: document.address?.country ?? '',
      handlingCost: Math.round(Number(document.handlingCost?.amount ?? 0) * 10_000),
      priority: document.priority,
      capacityPerDay: document.capacityPerDay ?? 0,
      calendar: document.calendar ?? NO_CALENDAR,
      active: document.active,
    })
    this.sorted = [...this.byIndex.values()].sort((a, b) => a.location - b.location)
    this.ranks = []
    for (const [rank, { location }] of this.sorted.entries()) this.ranks[location] = rank
  }

  get(location: number): Place | undefined {
    return this.byIndex.get(location)
  }

  /** By location index, in its order. */
  get all(): readonly Place[] {
    return this.sorted
  }

  /** Where a location stands in `all`. */
  rankOf(location: number): number | undefined {
    return this.ranks[location]
  }
}
