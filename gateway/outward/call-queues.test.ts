import { describe, expect, it } from 'vitest'
import { CallQueues } from './call-queues.js'
import { QUEUES_MAX } from './limits.js'

const { signal } = new AbortController()

describe('queues of calls', () => {
  it('begin calls no faster than the rate, in any stretch of time', async () => {
    const queues = new CallQueues(Date.now)
    const limits = { atOnce: 10, queuedMax: 10, rate: { calls: 2, perMs: 120 } }
    const times: number[] = []
    const call = async (): Promise<void> => {
      times.push(Date.now())
    }
    await Promise.all(Array.from({ length: 6 }, () => queues.run('shop', limits, signal, call)))
    // Some milliseconds less, since a call notes its time a little after the queue has.
    for (let index = 2; index < 6; index++) expect(times[index]! - times[index - 2]!).toBeGreaterThan(80)
  })

  it('are forgotten where they are idle, and refuse new hosts where all have work', async () => {
    const queues = new CallQueues(Date.now)
    const limits = { atOnce: 1, queuedMax: 1 }
    for (let host = 0; host < 2 * QUEUES_MAX; host++)
      expect(await queues.run(`${host}`, limits, signal, async () => host)).toBe(host)

    let release: (() => void) | undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const busy = Array.from({ length: QUEUES_MAX }, (_, host) =>
      queues.run(`busy-${host}`, limits, new AbortController().signal, () => held),
    )
    await expect(queues.run('one more', limits, signal, async () => 1)).rejects.toMatchObject({ code: 'overloaded' })
    release!()
    await Promise.all(busy)
    expect(await queues.run('one more', limits, signal, async () => 1)).toBe(1)
  })

  it('remember the pace of a host as long as it counts, even where many others come', async () => {
    let nowMs = 0
    const queues = new CallQueues(() => nowMs)
    const paced = { atOnce: 1, queuedMax: 1, rate: { calls: 1, perMs: 60_000 } }
    const free = { atOnce: 1, queuedMax: 1 }
    const others = async (): Promise<void> => {
      for (let host = 0; host < QUEUES_MAX; host++) await queues.run(`${host}`, free, signal, async () => host)
    }
    await queues.run('shop', paced, signal, async () => 1)
    await others()
    const stop = new AbortController()
    let begun = false
    const second = queues.run('shop', paced, stop.signal, async () => {
      begun = true
    })
    stop.abort()
    await expect(second).rejects.toThrow()
    expect(begun).toBe(false)

    nowMs = 60_001
    await others()
    expect(await queues.run('shop', paced, signal, async () => 2)).toBe(2)
  })
})
