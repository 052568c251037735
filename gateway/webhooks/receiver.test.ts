import { describe, expect, it } from 'vitest'
import { FAILURES_UNTIL_DOWN, PROBE_FIRST_MS, PROBE_MS_MAX } from './limits.js'
import { Receiver } from './receiver.js'

const failing = (receiver: Receiver, nowMs: number): void => {
  receiver.begin()
  receiver.end('down', nowMs)
}

describe('a receiver', () => {
  it('has so many attempts at once while it answers', () => {
    const receiver = new Receiver(2)
    receiver.begin()
    expect(receiver.mayBeTried(0)).toBe(true)
    receiver.begin()
    expect(receiver.mayBeTried(0)).toBe(false)
    receiver.end('up', 0)
    expect(receiver.mayBeTried(0)).toBe(true)
  })

  it('is probed one at a time once it is down, with pauses that grow to five minutes', () => {
    const receiver = new Receiver(2)
    for (let failure = 1; failure < FAILURES_UNTIL_DOWN; failure++) {
      failing(receiver, 0)
      expect(receiver.mayBeTried(0)).toBe(true)
    }
    let nowMs = 0
    const pauses: number[] = []
    for (let probe = 0; probe < 100; probe++) {
      failing(receiver, nowMs)
      expect(receiver.mayBeTried(nowMs)).toBe(false)
      const untilMs = receiver.waitsUntilMs!
      expect(receiver.mayBeTried(untilMs - 1)).toBe(false)
      expect(receiver.mayBeTried(untilMs)).toBe(true)
      pauses.push(untilMs - nowMs)
      nowMs = untilMs
      receiver.begin()
      expect(receiver.mayBeTried(nowMs)).toBe(false)
      receiver.end(undefined, nowMs)
    }
    expect(pauses.slice(0, 3)).toEqual([PROBE_FIRST_MS, 2 * PROBE_FIRST_MS, 4 * PROBE_FIRST_MS])
    expect(pauses.at(-1)).toBe(PROBE_MS_MAX)
  })

  it('is forgotten and healthy again after one success', () => {
    const receiver = new Receiver(2)
    for (let failure = 0; failure < 50; failure++) failing(receiver, 0)
    expect(receiver.isForgettable).toBe(false)
    receiver.begin()
    receiver.end('up', 0)
    expect([receiver.isDown, receiver.isForgettable, receiver.mayBeTried(0)]).toEqual([false, true, true])
  })
})
