import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unpack } from 'msgpackr'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

vi.mock('./limits.js', async (original) => ({
  ...(await original<typeof import('./limits.js')>()),
  EVENTS_KEPT: 4,
  OUTBOX_MESSAGES_MAX: 10,
}))

const { Outbox } = await import('./outbox.js')
const { Store } = await import('./store.js')

let directory: string
let store: InstanceType<typeof Store>
let outbox: InstanceType<typeof Outbox>

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'doorbuster-outbox-'))
  store = new Store(join(directory, 'store.mdb'), 0, 'offline')
  outbox = new Outbox(store, 0)
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

describe('messages to other partitions', () => {
  it('are numbered for each receiver and kept until they are acknowledged', () => {
    outbox.send(1, 'a', { n: 1 })
    outbox.send(2, 'b', { n: 2 })
    outbox.send(1, 'c', { n: 3 })
    expect([outbox.sent(1), outbox.sent(2), outbox.sent(0), outbox.waiting]).toEqual([2, 1, 0, 3])
    expect(unpack(outbox.message(1, 2))).toEqual([2, 'c', { n: 3 }])
    outbox.acknowledge(1, 1)
    expect([outbox.acknowledged(1), outbox.waiting]).toEqual([1, 2])
    expect(() => outbox.message(1, 1)).toThrow('message 1 to partition 1')
    expect(unpack(outbox.message(1, 2))).toEqual([2, 'c', { n: 3 }])
    expect(unpack(outbox.message(2, 1))).toEqual([1, 'b', { n: 2 }])
  })

  it('may be acknowledged again, and an older acknowledgement takes nothing back', () => {
    for (let n = 0; n < 3; n++) outbox.send(1, 'a', n)
    outbox.acknowledge(1, 2)
    outbox.acknowledge(1, 2)
    outbox.acknowledge(1, 1)
    expect([outbox.acknowledged(1), outbox.waiting]).toEqual([2, 1])
  })

  it('are taken once, whatever is repeated, and for each sender apart', () => {
    const accepted = [1, 1, 2, 1, 2, 3].map((number) => outbox.accept(1, number))
    expect(accepted).toEqual([true, false, true, false, false, true])
    expect(outbox.accept(2, 1)).toBe(true)
    expect([outbox.seen(1), outbox.seen(2), outbox.seen(3)]).toEqual([3, 1, 0])
  })

  it('go to a partition itself like to any other', () => {
    outbox.send(0, 'a', 1)
    expect([outbox.sent(0), outbox.seen(0), outbox.acknowledged(0)]).toEqual([1, 0, 0])
    expect(outbox.accept(0, 1)).toBe(true)
    outbox.acknowledge(0, 1)
    expect([outbox.sent(0), outbox.seen(0), outbox.acknowledged(0), outbox.waiting]).toEqual([1, 1, 1, 0])
  })

  it('have a limit', () => {
    expect(outbox.hasRoom(10)).toBe(true)
    for (let n = 0; n < 8; n++) outbox.send(n % 3, 'a', n)
    expect([outbox.hasRoom(2), outbox.hasRoom(3)]).toEqual([true, false])
    outbox.acknowledge(0, 1)
    expect(outbox.hasRoom(3)).toBe(true)
  })
})

describe('published events', () => {
  const say = (n: number) => outbox.publish(1_000 + n, 'said', 'tally', { n })
  const numbers = (after: number, limit = 100) => {
    const { events, missed, last } = outbox.eventsAfter(after, limit)
    return { numbers: events.map(({ number }) => number), missed, last }
  }

  it('are numbered, dated, and read from any number on', () => {
    expect(numbers(0)).toEqual({ numbers: [], missed: false, last: 0 })
    expect(say(1)).toEqual({ partition: 0, number: 1, timeMs: 1_001, type: 'said', subject: 'tally', data: { n: 1 } })
    say(2)
    say(3)
    expect(outbox.eventsAfter(1, 1).events).toEqual([
      { partition: 0, number: 2, timeMs: 1_002, type: 'said', subject: 'tally', data: { n: 2 } },
    ])
    expect(numbers(0)).toEqual({ numbers: [1, 2, 3], missed: false, last: 3 })
    expect(numbers(0, 2)).toEqual({ numbers: [1, 2], missed: false, last: 3 })
    expect(numbers(3)).toEqual({ numbers: [], missed: false, last: 3 })
  })

  it('go, the oldest first, and who missed some is told', () => {
    for (let n = 1; n <= 10; n++) say(n)
    expect(numbers(6)).toEqual({ numbers: [7, 8, 9, 10], missed: false, last: 10 })
    expect(numbers(5)).toEqual({ numbers: [7, 8, 9, 10], missed: true, last: 10 })
    expect([...store.documents()].length).toBe(4)
  })

  it('tell a reader who has seen more than there ever was', () => {
    for (let n = 1; n <= 3; n++) say(n)
    expect(outbox.eventsAfter(7, 100).missed).toBe(true)
  })
})
