import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Carrier, CarrierRefusal, type Rate } from './carrier.js'
import { chooseRate, shopRates } from './rate-shopping.js'
import { PARCEL } from './simulated/parcels.contract.js'
import { simulatedCarrier } from './simulated/simulated-carrier.js'

const rate = (service: string, cost: number, deliverByMs: number): Rate => ({
  ...{ carrier: 'c', service, serviceName: service, cost, currency: 'GBP', shipByMs: 0, deliverByMs },
})
const SLOW = rate('slow', 100, 9)
const MIDDLE = rate('middle', 300, 5)
const FAST = rate('fast', 900, 2)
const ALL = [FAST, SLOW, MIDDLE]

describe('Rate shopping', () => {
  test.each([
    ['the cheapest where nothing was promised', { prefer: 'cost' }, SLOW],
    ['the cheapest that keeps the promise', { prefer: 'cost', deliverByMs: 6 }, MIDDLE],
    ['one that comes at the promised moment', { prefer: 'cost', deliverByMs: 5 }, MIDDLE],
    ['the fastest where none keeps the promise', { prefer: 'cost', deliverByMs: 1 }, FAST],
    ['the fastest where speed is preferred', { prefer: 'speed', deliverByMs: 9 }, FAST],
  ] as const)('takes %s', (_, choice, chosen) => {
    expect(chooseRate(ALL, choice)).toBe(chosen)
  })

  test('takes the faster of two that cost the same, and the cheaper of two that are as fast', () => {
    const [late, dear] = [rate('late', 300, 8), rate('dear', 999, 2)]
    expect(chooseRate([late, MIDDLE], { prefer: 'cost' })).toBe(MIDDLE)
    expect(chooseRate([dear, FAST], { prefer: 'speed' })).toBe(FAST)
  })

  test('takes nothing where there is nothing', () => {
    expect(chooseRate([], { prefer: 'cost' })).toBeUndefined()
  })

  test('does not compare different currencies', () => {
    expect(() => chooseRate([FAST, { ...SLOW, currency: 'EUR' }], { prefer: 'cost' })).toThrow('EUR, GBP')
  })

  test('never takes a late one while one is in time, and the same one in whatever order they come', () => {
    const rates = fc.uniqueArray(fc.record({ service: fc.string(), cost: fc.nat(5), deliverByMs: fc.nat(5) }), {
      selector: ({ service }) => service,
      minLength: 1,
    })
    fc.assert(
      fc.property(rates, fc.nat(5), fc.constantFrom('cost', 'speed'), (each, deliverByMs, prefer) => {
        const offered = each.map(({ service, cost, deliverByMs: byMs }) => rate(service, cost, byMs))
        const chosen = chooseRate(offered, { deliverByMs, prefer })!
        const inTime = offered.filter((one) => one.deliverByMs <= deliverByMs)
        if (inTime.length > 0) expect(chosen.deliverByMs).toBeLessThanOrEqual(deliverByMs)
        const dearest = inTime.length > 0 && prefer === 'cost' ? Math.min(...inTime.map(({ cost }) => cost)) : undefined
        if (dearest !== undefined) expect(chosen.cost).toBe(dearest)
        expect(chooseRate(offered.toReversed(), { deliverByMs, prefer })).toBe(chosen)
      }),
    )
  })

  test('has the rates of those carriers that answer, and says which did not', async () => {
    const silent: Carrier = { ...simulatedCarrier(), id: 'silent', rates: () => Promise.reject(new Error('no answer')) }
    const { rates, failures } = await shopRates([silent, simulatedCarrier()], PARCEL)
    expect(rates.map(({ service }) => service)).toEqual(['post', 'parcel', 'express'])
    expect(failures).toEqual([{ carrier: 'silent', error: new Error('no answer') }])
    expect((await shopRates([simulatedCarrier()], { ...PARCEL, weightGrams: 0 })).failures[0]!.error).toBeInstanceOf(
      CarrierRefusal,
    )
  })
})
