/** What stock needs to know of a location at every reservation; the rest of it is a document of the catalogue. */
import { LOCATIONS_MAX } from '../limits.js'

export class Locations {
  private readonly known = new Uint8Array(LOCATIONS_MAX)
  private readonly active = new Uint8Array(LOCATIONS_MAX)
  private readonly priorities = new Int32Array(LOCATIONS_MAX)

  /** Puts a location's figures; true where it went in or out of service. */
  set(location: number, active: boolean, priority: number): boolean {
    const flips = this.known[location] === 1 && (this.active[location] === 1) !== active
    this.known[location] = 1
    this.active[location] = active ? 1 : 0
    this.priorities[location] = priority
    return flips
  }

  exists(location: number): boolean {
    return this.known[location] === 1
  }
  isActive(location: number): boolean {
    return this.active[location] === 1
  }
  /** The lower, the sooner it is chosen. */
  priority(location: number): number {
    return this.priorities[location]!
  }
}
