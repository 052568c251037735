import { expect, test } from 'vitest'
import { arrivalsMs } from './schedule.js'

test('arrivals are in order, within the run, and as many as the rate says', () => {
  const due = arrivalsMs(4_000, 30_000)
  expect(due.every((at, i) => at > (due[i - 1] ?? 0) && at < 30_000)).toBe(true)
  // 120,000 expected, with a standard deviation of 346.
  expect(Math.abs(due.length - 120_000)).toBeLessThan(2_500)
})

test('gaps are exponential: as spread out as they are long, so that buyers come in bunches too', () => {
  const due = arrivalsMs(1_000, 60_000)
  const gaps = Array.from(due, (at, i) => at - (due[i - 1] ?? 0))
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length)
  expect(mean).toBeCloseTo(1, 1)
  expect(deviation / mean).toBeCloseTo(1, 1)
})

test('the same random numbers give the same schedule', () => {
  const halves = () => 0.5
  const due = arrivalsMs(100, 50, halves)
  expect(Array.from(due, (at) => Number(at.toFixed(3)))).toEqual([6.931, 13.863, 20.794, 27.726, 34.657, 41.589, 48.52])
})
