/** Reads what `pgbench`, PostgreSQL's own load generator, reports. */
import type { Latency } from './figures.js'

export interface PgbenchReport {
  readonly transactions: number
  readonly failed: number
  readonly perSecond: number
}

export function parsePgbenchReport(text: string): PgbenchReport {
  return {
    transactions: number(/number of transactions actually processed: (\d+)/, text),
    failed: number(/number of failed transactions: (\d+)/, text),
    perSecond: number(/^tps = ([\d.]+)/m, text),
  }
}

/**
 * The latencies of its transaction log, in which each line is one transaction:
 * `client transaction latency_us script time_s time_us`.
 */
export function parsePgbenchLog(text: string): number[] {
  const latenciesUs: number[] = []
  for (const line of text.split('\n')) {
    const latencyUs = line.split(' ', 3)[2]
    if (latencyUs !== undefined) latenciesUs.push(Number(latencyUs))
  }
  return latenciesUs
}

export function latencyOf(latenciesUs: readonly number[]): Latency {
  const sorted = Float64Array.from(latenciesUs).sort()
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0) / 1_000
  return { p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999) }
}

function number(pattern: RegExp, text: string): number {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`pgbench's report does not match ${pattern}: ${text}`)
  return Number(found)
}
