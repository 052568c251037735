import { expect, test } from 'vitest'
import { type Figure, jsonLine, medianFigure, rowsOf, table } from './figures.js'

const ours: Figure = {
  name: 'packed',
  value: 2_345_678.9,
  unit: 'reservations/s',
  latency: { p50Ms: 1.23456, p99Ms: 5.5, p999Ms: 12 },
  how: '8 sockets',
}
const peer: Figure = { name: 'redis', value: 117_283.945, unit: 'reservations/s', how: '50 connections' }
const memory: Figure = { name: 'memory', value: 88.42, unit: 'bytes/reservation', how: 'growth', detail: { mib: 4.5 } }
const against = new Map([['packed', ['redis', 'not-run']]])

test('the table lines its columns up and shows ratios to what was measured in the same run', () => {
  expect(table(rowsOf([ours, peer, memory], against))).toBe(
    [
      'scenario      value  unit               p50 ms  p99 ms  p99.9 ms  ratio          how',
      '────────  ─────────  ─────────────────  ──────  ──────  ────────  ─────────────  ──────────────',
      'packed    2,345,679  reservations/s       1.23    5.50     12.00  20.00 × redis  8 sockets',
      'redis       117,284  reservations/s                                              50 connections',
      'memory        88.42  bytes/reservation                                           growth',
    ].join('\n'),
  )
})

test('a JSON line has the rate, latencies, ratios and machine, in one line', () => {
  const [row] = rowsOf([ours, peer], against)
  const line = jsonLine(row as NonNullable<typeof row>, { cpu: 'X', cores: 2 })
  expect(line).not.toContain('\n')
  expect(JSON.parse(line)).toEqual({
    name: 'packed',
    rate: 2_345_679,
    unit: 'reservations/s',
    p50Ms: 1.235,
    p99Ms: 5.5,
    p999Ms: 12,
    ratios: [{ against: 'redis', value: 20 }],
    how: '8 sockets',
    machine: { cpu: 'X', cores: 2 },
  })
})

test('what is not counted by the second is a value, with its details', () => {
  const [row] = rowsOf([memory], against)
  const json = JSON.parse(jsonLine(row as NonNullable<typeof row>, {}))
  expect(json).toMatchObject({ value: 88.42, unit: 'bytes/reservation', detail: { mib: 4.5 } })
  expect(json).not.toHaveProperty('rate')
})

test('the median of several rounds is one of them', () => {
  const rounds = [3, 1, 2].map((value) => ({ ...ours, value }))
  expect(medianFigure(rounds).value).toBe(2)
  expect(medianFigure(rounds.slice(0, 2)).value).toBe(1)
})

test('where there are targets they stand beside the values', () => {
  const least: Figure = { ...memory, name: 'rate', target: { least: 20_000 } }
  const most: Figure = { ...memory, name: 'size', target: { most: 20 } }
  const [head, , ...lines] = table(rowsOf([least, most, memory], against)).split('\n')
  expect(head).toMatch(/ unit +target /)
  expect(lines.map((line) => /[≥≤] [\d,.]+/.exec(line)?.[0])).toEqual(['≥ 20,000', '≤ 20.00', undefined])
  expect(JSON.parse(jsonLine({ figure: least, ratios: [] }, {}))).toMatchObject({ target: { least: 20_000 } })
})
