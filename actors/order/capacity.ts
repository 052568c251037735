/**
 * Orders that each location has taken on for a day. With several partitions each has its share of a location's capacity,
 * so that none has to ask the others.
 *
 *   record of a location, 16 words   eight days in a ring: local day + 1 · orders
 */
import type { Arena } from '../../engine/arena.js'
import type { Placement } from '../../engine/placement.js'
import type { Store } from '../../engine/store.js'
import { ArenaId } from '../arenas.js'
import type { Place } from '../catalog/places.js'
import { LOCATIONS_MAX } from '../limits.js'

const WORDS = 16
const DAYS = 8

export class Capacity {
  private readonly arena: Arena

  constructor(
    store: Store,
    private readonly placement: Placement,
    private readonly partition: number,
  ) {
    this.arena = store.arena(ArenaId.capacity, 'capacity', WORDS * 4, LOCATIONS_MAX)
  }

  /** This partition's share of what a location can do in a day. */
  private share({ capacityPerDay }: Place): number {
    const { partitions } = this.placement
    return Math.floor(capacityPerDay / partitions) + (this.partition < capacityPerDay % partitions ? 1 : 0)
  }

  private at(location: number, day: number): number {
    return location * WORDS + (day % DAYS) * 2
  }

  taken(location: number, day: number): number {
    const at = this.at(location, day)
    return this.arena.words[at] === day + 1 ? this.arena.words[at + 1]! : 0
  }

  left(place: Place, day: number): number {
    return this.share(place) - this.taken(place.location, day)
  }

  take(location: number, day: number): void {
    const at = this.at(location, day)
    const taken = this.taken(location, day)
    this.arena.touch(location)
    this.arena.words[at] = day + 1
    this.arena.words[at + 1] = taken + 1
  }

  /** Deals what some partitions have taken out to others, as evenly as their shares. */
  static shareOut(from: readonly Capacity[], to: readonly Capacity[]): void {
    for (let location = 0; location < LOCATIONS_MAX; location++) {
      for (let slot = 0; slot < DAYS; slot++) {
        const at = location * WORDS + slot * 2
        const day = Math.max(...from.map(({ arena }) => arena.words[at]!)) - 1
        if (day < 0) continue
        const total = from.reduce((sum, part) => sum + part.taken(location, day), 0)
        to.forEach((part, i) => {
          part.arena.touch(location)
          part.arena.words[at] = day + 1
          part.arena.words[at + 1] = Math.floor(total / to.length) + (i < total % to.length ? 1 : 0)
        })
      }
    }
  }

  giveBack(location: number, day: number): void {
    const taken = this.taken(location, day)
    if (taken === 0) return
    this.arena.touch(location)
    this.arena.words[this.at(location, day) + 1] = taken - 1
  }
}
