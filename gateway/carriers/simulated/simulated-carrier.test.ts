import fc from 'fast-check'
import { DateTime } from 'luxon'
import { describe, expect, test } from 'vitest'
import { describeCarrier } from '../carrier.contract.js'
import type { Label, PurchaseRequest, TrackingEvent } from '../carrier.js'
import { LEEDS, LONDON, PARCEL, PARIS } from './parcels.contract.js'
import { simulatedCarrier } from './simulated-carrier.js'
import { SIMULATED, type SimulatedSettings, ZONES, zoneOf } from './tariff.js'

const DAY_MS = 86_400_000
const NEW_YORK = { ...PARIS, city: 'New York', country: 'US', latitude: 40.7, longitude: -74 }
const carrier = simulatedCarrier()
const meeting = (attempted: number, delayed: number, lost: number): SimulatedSettings => ({
  ...SIMULATED,
  mishapsPerThousand: { attempted, delayed, lost },
})
const purchase = (change: Partial<PurchaseRequest> = {}): PurchaseRequest => ({
  ...PARCEL,
  service: 'parcel',
  reference: 'F-1',
  ...change,
})
const time = (timeMs: number): string =>
  DateTime.fromMillis(timeMs, { zone: 'Europe/London' }).toFormat('ccc yyyy-MM-dd HH:mm')
const typesOf = (events: TrackingEvent[]): string[] =>
  events.map((event) => (event.type === 'exception' ? event.reason : event.type))
const wholeWay = (label: Label, settings = SIMULATED) =>
  simulatedCarrier(settings).track(label, label.boughtMs + 60 * DAY_MS)

describeCarrier('The simulated carrier, within a country', () => ({ carrier, parcel: PARCEL, lifeMs: 30 * DAY_MS }))
describeCarrier('The simulated carrier, abroad', () => ({
  carrier: simulatedCarrier(meeting(300, 300, 200)),
  parcel: { ...PARCEL, to: PARIS },
  lifeMs: 60 * DAY_MS,
}))

describe('The simulated carrier', () => {
  test.each([
    ['local', { ...LEEDS, latitude: 53.9 }],
    ['regional', { ...LEEDS, latitude: 54.9 }],
    ['national', LONDON],
    ['continent', PARIS],
    ['world', NEW_YORK],
  ])('has the zone %s', (zone, to) => expect(zoneOf(LEEDS, to)).toBe(zone))

  test('reckons with the farthest zone where a place is not known', () => {
    const { latitude, longitude, ...somewhere } = LEEDS
    expect(zoneOf(LEEDS, somewhere)).toBe('national')
    expect(zoneOf(LEEDS, { ...somewhere, country: 'IE' })).toBe('world')
  })

  test('never takes less for more weight, or for a farther zone', async () => {
    const places = [{ ...LEEDS, latitude: 53.9 }, { ...LEEDS, latitude: 54.9 }, LONDON, PARIS, NEW_YORK]
    const weight = fc.integer({ min: 1, max: 30_000 })
    const costs = async (weightGrams: number, zone: number) =>
      new Map(
        (await carrier.rates({ ...PARCEL, to: places[zone]!, weightGrams })).map((rate) => [rate.service, rate.cost]),
      )
    await fc.assert(
      fc.asyncProperty(weight, weight, fc.nat(ZONES.length - 1), fc.nat(ZONES.length - 1), async (a, b, near, far) => {
        const less = await costs(Math.min(a, b), Math.min(near, far))
        for (const [service, cost] of await costs(Math.max(a, b), Math.max(near, far))) {
          expect(cost).toBeGreaterThanOrEqual(less.get(service)!)
        }
      }),
    )
  })

  test('takes money for the room that a light parcel needs', async () => {
    const large = { ...PARCEL, weightGrams: 300, dimensionsMm: { length: 600, width: 400, height: 300 } }
    const [rate] = (await carrier.rates(large)).filter(({ service }) => service === 'parcel')
    const [heavy] = (await carrier.rates({ ...PARCEL, weightGrams: 14_400 })).filter(
      ({ service }) => service === 'parcel',
    )
    expect(rate!.cost).toBe(heavy!.cost)
    expect((await carrier.rates(large)).map(({ service }) => service)).not.toContain('post')
  })

  test.each([
    ['the same day, before the hour of collection', '2026-11-25T10:00:00Z', 'Wed 2026-11-25 17:00'],
    ['on the hour of collection', '2026-11-25T17:00:00Z', 'Wed 2026-11-25 17:00'],
    ['the next day, after it', '2026-11-25T17:00:00.001Z', 'Thu 2026-11-26 17:00'],
    ['on Monday, what is ready after Friday’s', '2026-11-27T18:00:00Z', 'Mon 2026-11-30 17:00'],
    ['by the clock of its own time zone', '2026-07-01T16:30:00Z', 'Thu 2026-07-02 17:00'],
  ])('collects %s', async (_, ready, collected) => {
    const [rate] = await carrier.rates({ ...PARCEL, readyMs: Date.parse(ready) })
    expect(time(rate!.shipByMs)).toBe(collected)
  })

  test('counts the days on which a service delivers', async () => {
    const friday = { ...PARCEL, readyMs: Date.parse('2026-11-27T10:00:00Z') }
    const due = new Map((await carrier.rates(friday)).map(({ service, deliverByMs }) => [service, time(deliverByMs)]))
    expect(due.get('express')).toBe('Sat 2026-11-28 12:00')
    expect(due.get('parcel')).toBe('Tue 2026-12-01 20:00')
    expect(due.get('post')).toBe('Tue 2026-12-01 18:00')
  })

  test('gives the post an S10 of the country it leaves, and parcels an SSCC of its own prefix', async () => {
    expect((await carrier.buy(purchase({ service: 'post' }), 'k')).trackingNumber).toMatch(/^L[A-Z]\d{9}GB$/)
    const back = purchase({ service: 'post', from: PARIS, to: LEEDS })
    expect((await carrier.buy(back, 'k')).trackingNumber).toMatch(/^L[A-Z]\d{9}FR$/)
    expect((await carrier.buy(purchase(), 'k')).trackingNumber).toMatch(/^\d9521234\d{10}$/)
  })

  test('takes the caller’s serial number, and refuses one that has too many digits', async () => {
    const given = await carrier.buy(purchase({ serial: 42 }), 'k')
    expect(given.trackingNumber.slice(0, -1)).toBe('09521234000000042')
    expect(await carrier.buy(purchase({ serial: 42 }), 'other')).toEqual(given)
    await expect(carrier.buy(purchase({ serial: 1e10 }), 'k')).rejects.toThrow('digit')
    await expect(carrier.buy(purchase({ serial: -1 }), 'k')).rejects.toThrow('digit')
  })

  test('delivers by the day and hour that it promised, where nothing goes wrong', async () => {
    const some = fc.record({
      readyMs: fc.integer({ min: 0, max: 4e12 }),
      service: fc.constantFrom('post', 'parcel', 'express'),
      to: fc.constantFrom(LONDON, PARIS, NEW_YORK, LEEDS),
    })
    await fc.assert(
      fc.asyncProperty(some, fc.string({ minLength: 1 }), async (change, key) => {
        const label = await carrier.buy(purchase(change), key)
        const events = await wholeWay(label, meeting(0, 0, 0))
        const last = events.at(-1)!
        expect(last.type).toBe('delivered')
        expect(last.atMs).toBeLessThanOrEqual(label.deliverByMs)
        expect(time(last.atMs).slice(0, 14)).toBe(time(label.deliverByMs).slice(0, 14))
        expect(events.every(({ type }) => type !== 'exception')).toBe(true)
        expect(events.map(({ atMs }) => atMs)).toEqual(events.map(({ atMs }) => atMs).toSorted((a, b) => a - b))
        expect(events[0]!.atMs).toBeGreaterThanOrEqual(label.shipByMs)
      }),
    )
  })

  test.each([
    ['attempted', meeting(1_000, 0, 0), ['out_for_delivery', 'attempted', 'out_for_delivery', 'delivered']],
    ['delayed', meeting(0, 1_000, 0), ['in_transit', 'delayed', 'out_for_delivery', 'delivered']],
    ['lost', meeting(0, 0, 1_000), ['accepted', 'in_transit', 'lost']],
  ])('tells of a parcel that is %s', async (reason, settings, ending) => {
    const label = await carrier.buy(purchase(), 'k')
    const events = await wholeWay(label, settings)
    expect(typesOf(events).slice(-ending.length)).toEqual(ending)
    if (reason !== 'lost') expect(events.at(-1)!.atMs).toBeGreaterThan(label.deliverByMs)
  })

  test('lets as many parcels meet with a mishap as its settings say', async () => {
    const ends = { attempted: 0, delayed: 0, lost: 0 }
    const settings = meeting(100, 50, 20)
    for (let each = 0; each < 2_000; each++) {
      const label = await carrier.buy(purchase(), `F-${each}`)
      for (const event of await wholeWay(label, settings)) if (event.type === 'exception') ends[event.reason] += 1
    }
    expect(ends.attempted).toBeGreaterThan(150)
    expect(ends.attempted).toBeLessThan(250)
    expect(ends.delayed).toBeGreaterThan(65)
    expect(ends.delayed).toBeLessThan(135)
    expect(ends.lost).toBeGreaterThan(15)
    expect(ends.lost).toBeLessThan(70)
  })

  test('clears customs on the way abroad and nowhere else', async () => {
    const details = async (to: typeof PARIS) =>
      (await wholeWay(await carrier.buy(purchase({ to }), 'k'))).map(({ detail }) => detail)
    expect(await details(PARIS)).toContain('Cleared customs')
    expect(await details(LONDON)).not.toContain('Cleared customs')
  })

  test('says which service a label has that it no longer offers', async () => {
    const label = await carrier.buy(purchase(), 'k')
    await expect(carrier.track({ ...label, service: 'gone' }, label.boughtMs)).rejects.toThrow('no service gone')
  })

  test('is not made with hours that its feed could not keep', () => {
    expect(() => simulatedCarrier({ ...SIMULATED, collectionHour: 22 })).toThrow('collects')
  })
})
