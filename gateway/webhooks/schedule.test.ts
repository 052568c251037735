import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ATTEMPTS_MAX, DELAYS_MS, nextAttemptMs } from './schedule.js'

const HOUR_MS = 3_600_000

describe('the schedule of attempts', () => {
  it('lasts about a day, and then ends', () => {
    let nowMs = 0
    let attempts = 1
    for (
      let next = nextAttemptMs(attempts, nowMs, 0.5);
      next !== undefined;
      next = nextAttemptMs(attempts, nowMs, 0.5)
    ) {
      nowMs = next
      attempts++
    }
    expect(attempts).toBe(ATTEMPTS_MAX)
    expect(nowMs).toBeGreaterThan(23 * HOUR_MS)
    expect(nowMs).toBeLessThan(25 * HOUR_MS)
    expect([...DELAYS_MS].sort((a, b) => a - b)).toEqual(DELAYS_MS)
  })

  it('is a fifth earlier or later by chance, and never before the receiver asks, within eight hours', () => {
    const attempt = fc.integer({ min: 1, max: DELAYS_MS.length })
    const random = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(attempt, random, fc.nat(10 ** 9), fc.nat(10 ** 9), (tries, chance, nowMs, retryAfterMs) => {
        const delayMs = DELAYS_MS[tries - 1]!
        const plain = nextAttemptMs(tries, nowMs, chance)! - nowMs
        expect(plain).toBeGreaterThanOrEqual(Math.floor(delayMs * 0.8))
        expect(plain).toBeLessThanOrEqual(Math.ceil(delayMs * 1.2))
        const asked = nextAttemptMs(tries, nowMs, chance, retryAfterMs)! - nowMs
        expect(asked).toBe(Math.max(plain, Math.min(retryAfterMs, 8 * HOUR_MS)))
      }),
    )
  })
})
