import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PARTITIONS_MAX } from './limits.js'
import { Placement } from './placement.js'

const partitions = fc.integer({ min: 1, max: PARTITIONS_MAX })
const index = fc.oneof(fc.nat(10_000), fc.constantFrom(0xffff_fffe, 0xffff_ffff, 0x7fff_ffff, 0x8000_0000))

describe('placement', () => {
  it('gives each index one partition and one place in it, and leads back', () => {
    fc.assert(
      fc.property(partitions, index, (count, index) => {
        const placement = new Placement(count)
        const [partition, local] = [placement.partitionOf(index), placement.localOf(index)]
        expect(partition).toBeGreaterThanOrEqual(0)
        expect(partition).toBeLessThan(count)
        expect(Number.isInteger(local)).toBe(true)
        expect(placement.indexOf(partition, local)).toBe(index)
      }),
    )
  })

  it('leaves no gaps in a partition and deals evenly', () => {
    fc.assert(
      fc.property(partitions, fc.integer({ min: 1, max: 500 }), (count, names) => {
        const placement = new Placement(count)
        const places: number[][] = Array.from({ length: count }, () => [])
        for (let index = 0; index < names; index++) places[placement.partitionOf(index)]!.push(placement.localOf(index))
        for (const own of places) expect(own).toEqual([...own.keys()])
        const sizes = places.map(({ length }) => length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })
})
