/** Reads the report of `redis-benchmark`, Redis's own load generator. Its `--csv` has no p99.9, its full report has. */
import type { Latency } from './figures.js'

export interface RedisReport {
  readonly requests: number
  readonly perSecond: number
  readonly latency: Latency
}

export function parseRedisReport(text: string): RedisReport {
  const requests = number(/^\s*(\d+) requests completed in/m, text)
  const perSecond = number(/throughput summary: ([\d.]+) requests per second/, text)
  const summary = /latency summary \(msec\):\s+avg\s+min\s+p50\s+p95\s+p99\s+max\s+([\d.\s]+)/.exec(text)?.[1]
  const [, , p50Ms, , p99Ms] = (summary ?? '').trim().split(/\s+/).map(Number)
  if (p50Ms === undefined || p99Ms === undefined) throw new Error(`redis-benchmark's report has no latency: ${text}`)
  return { requests, perSecond, latency: { p50Ms, p99Ms, p999Ms: percentile(text, 99.9) } }
}

/** The distribution lists a few percentiles only: the first at or above the wanted one never flatters. */
function percentile(text: string, wanted: number): number {
  const distribution = /Latency by percentile distribution:\n([\s\S]*?)\n\n/.exec(text)?.[1] ?? ''
  for (const [, percent, ms] of distribution.matchAll(/([\d.]+)% <= ([\d.]+) milliseconds/g)) {
    if (Number(percent) >= wanted) return Number(ms)
  }
  throw new Error(`redis-benchmark's report has no percentile ${wanted}: ${text}`)
}

function number(pattern: RegExp, text: string): number {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`redis-benchmark's report does not match ${pattern}: ${text}`)
  return Number(found)
}
