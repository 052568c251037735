/** A partition's counters in shared memory: it alone writes them, anybody may read them. */
import { STATS, STATS_BYTES, type Stat } from './protocol.js'

const indexOf = Object.fromEntries(STATS.map((name, i) => [name, i])) as Record<Stat, number>

export const makeStats = (): SharedArrayBuffer => new SharedArrayBuffer(STATS_BYTES)

export class StatsWriter {
  private readonly values: Float64Array
  constructor(memory: SharedArrayBuffer) {
    this.values = new Float64Array(memory)
  }
  set(name: Stat, value: number): void {
    this.values[indexOf[name]] = value
  }
  add(name: Stat, value: number): void {
    this.values[indexOf[name]]! += value
  }
}

export function readStats(memory: SharedArrayBuffer): Record<Stat, number> {
  const values = new Float64Array(memory)
  return Object.fromEntries(STATS.map((name, i) => [name, values[i]])) as Record<Stat, number>
}
