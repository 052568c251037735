import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'

vi.mock('../limits.js', async (original) => ({
  ...(await original<typeof import('../limits.js')>()),
  ORDERS_PER_WINDOW: 3,
  ORDER_WINDOWS_MAX: 5,
}))

const { DrivenStore } = await import('../../engine/driven-store.contract.js')
const { OrderWindows } = await import('./order-windows.js')

function empty(): InstanceType<typeof OrderWindows> {
  const driven = new DrivenStore()
  onTestFinished(() => driven.dispose())
  return new OrderWindows(driven.store)
}

describe('windows of orders', () => {
  it('begin where the one before is full, and never among orders of one instant', () => {
    const windows = empty()
    for (const ms of [10, 10, 10, 10, 11, 11, 12, 13]) windows.add(ms)
    expect(windows.starts()).toEqual([11, 13])
    expect([9, 10, 11, 12, 13, 99].map((ms) => windows.of(ms))).toEqual([0, 0, 11, 11, 13, 13])
  })

  it('are as many as there may be: the last one takes the rest', () => {
    const windows = empty()
    for (let ms = 1; ms <= 100; ms++) windows.add(ms)
    expect(windows.starts()).toEqual([4, 7, 10, 13, 16])
    expect(windows.of(100)).toBe(16)
  })

  it('are looked into from the newest back, those that time leaves out not', () => {
    const windows = empty()
    for (let ms = 1; ms <= 12; ms++) windows.add(ms)
    expect(windows.starts()).toEqual([4, 7, 10])
    expect([...windows.between(0, Number.POSITIVE_INFINITY)]).toEqual([10, 7, 4, 0])
    expect([...windows.between(0, 9)]).toEqual([7, 4, 0])
    expect([...windows.between(8, 11)]).toEqual([10, 7])
    expect([...windows.between(4, 4)]).toEqual([4])
    expect([...windows.between(1, 2)]).toEqual([0])
  })

  it('are for ever: an order is found in the window that it was put into', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(2), { maxLength: 40 }), async (pauses) => {
        const driven = new DrivenStore()
        const windows = new OrderWindows(driven.store)
        const put: [ms: number, window: number][] = []
        let ms = 1
        for (const pause of pauses) {
          ms += pause
          windows.add(ms)
          put.push([ms, windows.of(ms)])
        }
        for (const [at, window] of put) expect(windows.of(at)).toBe(window)
        for (const [at, window] of put) expect([...windows.between(at, at)]).toEqual([window])
        await driven.dispose()
      }),
      { numRuns: 30 },
    )
  })

  it('of several partitions are taken over together', () => {
    const windows = empty()
    windows.adopt([7, 3, 7, 12])
    expect(windows.starts()).toEqual([3, 7, 12])
    for (const ms of [20, 21, 22, 23]) windows.add(ms)
    expect(windows.starts()).toEqual([3, 7, 12, 23])
  })
})
