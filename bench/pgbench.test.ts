import { expect, test } from 'vitest'
import { latencyOf, parsePgbenchLog, parsePgbenchReport } from './pgbench.js'

const REPORT = `pgbench (15.18 (Debian 15.18-0+deb12u1))
transaction type: f.sql
scaling factor: 1
query mode: prepared
number of clients: 2
number of threads: 1
maximum number of tries: 1
duration: 1 s
number of transactions actually processed: 621
number of failed transactions: 3 (0.480%)
latency average = 3.037 ms
initial connection time = 59.311 ms
tps = 658.635066 (without initial connection time)
`

test("pgbench's report gives transactions, failures and rate", () => {
  expect(parsePgbenchReport(REPORT)).toEqual({ transactions: 621, failed: 3, perSecond: 658.635066 })
})

test("pgbench's log gives the latency of each transaction, an unfinished line left out", () => {
  const log = '0 1 27760 0 1795502346 711725\n0 2 5626 0 1795502346 717442\n1 3'
  expect(parsePgbenchLog(log)).toEqual([27_760, 5_626])
})

test('percentiles of a thousand latencies, in milliseconds', () => {
  const latenciesUs = Array.from({ length: 1_000 }, (_, i) => (1_000 - i) * 1_000)
  expect(latencyOf(latenciesUs)).toEqual({ p50Ms: 501, p99Ms: 991, p999Ms: 1_000 })
})
