import { describe, expect, test } from 'vitest'
import { describeCarrier } from './carrier.contract.js'
import { PARCEL } from './simulated/parcels.contract.js'
import { simulatedCarrier } from './simulated/simulated-carrier.js'
import { spedUp } from './sped-up.js'

const DAY_MS = 86_400_000

describeCarrier('A carrier that is sped up', () => ({
  carrier: spedUp(simulatedCarrier(), 100),
  parcel: PARCEL,
  lifeMs: DAY_MS,
}))

describe('A carrier that is sped up', () => {
  test('tells the same events, as much sooner', async () => {
    const plain = simulatedCarrier()
    const label = await plain.buy({ ...PARCEL, service: 'parcel', reference: 'F-1' }, 'F-1')
    const whole = await plain.track(label, label.boughtMs + 30 * DAY_MS)
    const quick = await spedUp(plain, 86_400).track(label, label.boughtMs + 60_000)
    expect(quick.map(({ id }) => id)).toEqual(whole.map(({ id }) => id))
    for (const [index, { atMs }] of quick.entries()) {
      expect(atMs - label.boughtMs).toBe(Math.ceil((whole[index]!.atMs - label.boughtMs) / 86_400))
    }
  })

  test('at the speed of the clock is the carrier itself', () => {
    const plain = simulatedCarrier()
    expect(spedUp(plain, 1)).toBe(plain)
  })
})
