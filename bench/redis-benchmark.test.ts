import { expect, test } from 'vitest'
import { parseRedisReport } from './redis-benchmark.js'

const REPORT = `
  1000000 requests completed in 15.21 seconds
  50 parallel clients
  160 bytes payload
  keep alive: 1
  host configuration "save": 
  host configuration "appendonly": yes
  multi-thread: no

Latency by percentile distribution:
0.000% <= 1.927 milliseconds (cumulative count 64)
50.000% <= 42.751 milliseconds (cumulative count 500288)
99.219% <= 144.639 milliseconds (cumulative count 992192)
99.805% <= 210.431 milliseconds (cumulative count 998144)
99.902% <= 230.911 milliseconds (cumulative count 999232)
99.951% <= 231.295 milliseconds (cumulative count 999680)
100.000% <= 231.679 milliseconds (cumulative count 1000000)

Cumulative distribution of latencies:
0.000% <= 0.103 milliseconds (cumulative count 0)
100.000% <= 231.679 milliseconds (cumulative count 1000000)

Summary:
  throughput summary: 65750.55 requests per second
  latency summary (msec):
          avg       min       p50       p95       p99       max
       48.329     1.920    42.751    79.231   122.495   231.679
`

test("redis-benchmark's report gives requests, rate and latencies, p99.9 from its distribution", () => {
  expect(parseRedisReport(REPORT)).toEqual({
    requests: 1_000_000,
    perSecond: 65_750.55,
    latency: { p50Ms: 42.751, p99Ms: 122.495, p999Ms: 230.911 },
  })
})

test('a report that says something else is refused with its text', () => {
  expect(() => parseRedisReport('Error from server: NOSCRIPT')).toThrow('NOSCRIPT')
})
