import { describe, expect, it } from 'vitest'
import { ReaderPace } from './reader-pace.js'

/** How many turns somebody who always wants one gets, until then. */
async function turnsOf(pace: ReaderPace, until: Promise<unknown>): Promise<number> {
  const end = new AbortController()
  void until.then(() => end.abort())
  let turns = 0
  for (;;) {
    try {
      await pace.turn(end.signal)
    } catch {
      return turns
    }
    turns++
  }
}

async function windows(count: number): Promise<void> {
  for (let window = 0; window < count; window++) await new Promise((done) => setTimeout(done, 25))
}

describe('readers of events', () => {
  it('get many more turns where the thread has time left than where it is busy, and some there, too', async () => {
    const until = windows(40)
    const [idle, busy] = await Promise.all([
      turnsOf(new ReaderPace(() => 0.2), until),
      turnsOf(new ReaderPace(() => 0.95), until),
    ])
    expect(busy).toBeGreaterThan(0)
    expect(idle).toBeGreaterThan(10 * busy)
  })

  it('get their turns in the order of asking', async () => {
    const pace = new ReaderPace(() => 0.95)
    const { signal } = new AbortController()
    const order: number[] = []
    await Promise.all(Array.from({ length: 60 }, (_, n) => pace.turn(signal).then(() => order.push(n))))
    expect(order).toEqual(Array.from({ length: 60 }, (_, n) => n))
  })

  it('that are stopped wait no more, and hold up nobody', async () => {
    const pace = new ReaderPace(() => 0.95)
    const stopped = new AbortController()
    const goingOn = new AbortController()
    // More than there is credit for at first.
    const others = Array.from({ length: 40 }, () => pace.turn(goingOn.signal))
    const first = pace.turn(stopped.signal)
    const second = pace.turn(goingOn.signal)
    stopped.abort(new Error('stopped'))
    await expect(first).rejects.toThrow('stopped')
    await Promise.all([...others, second])
    await expect(pace.turn(stopped.signal)).rejects.toThrow('stopped')
  })
})
