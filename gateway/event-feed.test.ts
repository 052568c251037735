import { describe, expect, it } from 'vitest'
import type { EngineEvent } from '../engine/protocol.js'
import { EventFeed, EventTail } from './event-feed.js'

const event = (number: number, partition = 0): EngineEvent => ({
  partition,
  number,
  timeMs: number,
  type: 'a.b',
  subject: 's',
  data: null,
})
const numbers = (page: { events: EngineEvent[] } | undefined): number[] | undefined =>
  page?.events.map(({ number }) => number)

describe('the newest events of a partition', () => {
  it('are given in their order, after a number, at most so many', () => {
    const tail = new EventTail(4)
    for (let number = 1; number <= 3; number++) tail.add(event(number), 10)
    expect(numbers(tail.page(0, 10))).toEqual([1, 2, 3])
    expect(numbers(tail.page(1, 1))).toEqual([2])
    expect(tail.page(3, 10)).toEqual({ events: [], missed: false, last: 3 })
  })

  it('are not given where some of what was asked for is gone', () => {
    const tail = new EventTail(4)
    for (let number = 1; number <= 6; number++) tail.add(event(number), 10)
    expect(tail.page(1, 10)).toBeUndefined()
    expect(numbers(tail.page(2, 10))).toEqual([3, 4, 5, 6])
  })

  it('are not given to who stands in another future, nor before the first was seen', () => {
    const tail = new EventTail(4)
    expect(tail.page(0, 10)).toBeUndefined()
    tail.add(event(7), 10)
    expect(tail.page(8, 10)).toBeUndefined()
    expect(tail.page(5, 10)).toBeUndefined()
    expect(numbers(tail.page(6, 10))).toEqual([7])
  })

  it('begin anew behind a gap', () => {
    const tail = new EventTail(8)
    for (const number of [1, 2, 3, 9, 10]) tail.add(event(number), 10)
    expect(tail.page(2, 10)).toBeUndefined()
    expect(numbers(tail.page(8, 10))).toEqual([9, 10])
  })

  it('are bounded in bytes, but for the last one', () => {
    const tail = new EventTail(100, 25)
    for (let number = 1; number <= 5; number++) tail.add(event(number), 10)
    expect(numbers(tail.page(3, 10))).toEqual([4, 5])
    expect(tail.page(2, 10)).toBeUndefined()
    tail.add(event(6), 1_000)
    expect(numbers(tail.page(5, 10))).toEqual([6])
    tail.add(event(7), 10)
    expect(tail.page(5, 10)).toBeUndefined()
    expect(numbers(tail.page(6, 10))).toEqual([7])
  })
})

describe('a reader of events', () => {
  it('is asked of the partition only where it is further behind', async () => {
    const asked: unknown[] = []
    const older = { events: [event(1, 1)], missed: false, last: 9 }
    const feed = new EventFeed(2, (...ask) => {
      asked.push(ask)
      return Promise.resolve({ status: 200, body: older })
    })
    feed.add(event(9, 1), 10)
    expect(numbers(await feed.page(1, 8, 10))).toEqual([9])
    expect(asked).toEqual([])
    expect(await feed.page(1, 0, 10)).toBe(older)
    expect(asked).toEqual([[1, 'engine.events', { after: 0, limit: 10 }]])
  })

  it('is behind by what is known to have been published, of all partitions', async () => {
    const older = { events: [event(1, 1)], missed: false, last: 9 }
    const feed = new EventFeed(2, () => Promise.resolve({ status: 200, body: older }))
    expect(feed.behind([0, 0])).toBe(0)
    feed.add(event(4, 0), 10)
    expect(feed.behind([1])).toBe(3)
    await feed.page(1, 0, 1)
    expect(feed.behind([4, 1])).toBe(8)
    expect(feed.behind([4, 9])).toBe(0)
  })

  it('is told where the partition cannot answer', async () => {
    const feed = new EventFeed(1, () => Promise.resolve({ status: 503, body: {} }))
    expect(await feed.page(0, 0, 10)).toBeUndefined()
  })
})
