/**
 * The cases that each carrier must pass. A new one says how it is made, a parcel that it takes, and how long a parcel of
 * it is under way at most, and is put under the same table.
 */
import { describe, expect, test } from 'vitest'
import { type Carrier, CarrierRefusal, type Label, type RateRequest } from './carrier.js'
import { isS10 } from './s10.js'
import { isSscc } from './sscc.js'

export interface CarrierCase {
  carrier: Carrier
  parcel: RateRequest
  /** After so long each parcel has been delivered, or is lost. */
  lifeMs: number
}

const refusal = async (asked: Promise<unknown>): Promise<string> => {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(CarrierRefusal)
  return error instanceof CarrierRefusal ? error.code : ''
}

/** As a store would give it back. */
const kept = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T // the same plain data

/** `make` gives what each case needs anew. */
export function describeCarrier(name: string, make: () => CarrierCase): void {
  /** A label of each service that the parcel may go by. */
  async function buyAll({ carrier, parcel }: CarrierCase, key = 'F-1'): Promise<Label[]> {
    const rates = await carrier.rates(parcel)
    return Promise.all(
      rates.map(({ service }) => carrier.buy({ ...parcel, service, reference: 'F-1' }, `${key}/${service}`)),
    )
  }

  describe(name, () => {
    test('offers services with a cost, a ship date and a later delivery date', async () => {
      const { carrier, parcel } = make()
      const rates = await carrier.rates(parcel)
      expect(rates.length).toBeGreaterThan(0)
      expect(new Set(rates.map(({ service }) => service)).size).toBe(rates.length)
      for (const rate of rates) {
        expect(rate.carrier).toBe(carrier.id)
        expect(Number.isSafeInteger(rate.cost) && rate.cost >= 0).toBe(true)
        expect(rate.currency).toMatch(/^[A-Z]{3}$/)
        expect(rate.shipByMs).toBeGreaterThanOrEqual(parcel.readyMs)
        expect(rate.deliverByMs).toBeGreaterThan(rate.shipByMs)
      }
    })

    test('offers the same to who asks the same', async () => {
      const { carrier, parcel } = make()
      expect(await carrier.rates(kept(parcel))).toEqual(await carrier.rates(parcel))
    })

    test('sells each service for what it offered it for', async () => {
      const each = make()
      const labels = await buyAll(each)
      for (const [index, rate] of (await each.carrier.rates(each.parcel)).entries()) {
        expect(labels[index]).toMatchObject({ ...rate, weightGrams: each.parcel.weightGrams, reference: 'F-1' })
      }
    })

    test('gives tracking numbers that are what their kind says', async () => {
      for (const { identifier, trackingNumber } of await buyAll(make())) {
        expect(identifier === 's10' ? isS10(trackingNumber) : isSscc(trackingNumber)).toBe(true)
      }
    })

    test('gives one label for one key, and another parcel another number', async () => {
      const each = make()
      const labels = await buyAll(each)
      expect(await buyAll(each)).toEqual(labels)
      const others = await buyAll(each, 'F-2')
      const numbers = [...labels, ...others].map(({ trackingNumber }) => trackingNumber)
      expect(new Set(numbers).size).toBe(2 * labels.length)
    })

    test('marks what goes back as a return', async () => {
      const { carrier, parcel } = make()
      const [rate] = await carrier.rates(parcel)
      const label = await carrier.buy({ ...parcel, service: rate!.service, reference: 'R-1', return: true }, 'R-1')
      expect(label.return).toBe(true)
    })

    test('gives labels that can be kept as text', async () => {
      const { carrier, parcel, lifeMs } = make()
      for (const label of await buyAll({ carrier, parcel, lifeMs })) {
        expect(kept(label)).toStrictEqual(label)
        const nowMs = label.boughtMs + lifeMs
        expect(await carrier.track(kept(label), nowMs)).toEqual(await carrier.track(label, nowMs))
      }
    })

    test('takes nothing that is too heavy for all of its services', async () => {
      const { carrier, parcel } = make()
      const [rate] = await carrier.rates(parcel)
      const heavy = { ...parcel, weightGrams: 30_000_000 }
      expect(await carrier.rates(heavy)).toEqual([])
      const purchase = { ...heavy, service: rate!.service, reference: 'F-1' }
      expect(await refusal(carrier.buy(purchase, 'F-1'))).toBe('service_unavailable')
    })

    test('sells no service that it does not have', async () => {
      const { carrier, parcel } = make()
      for (const service of ['', 'no such service', '__proto__']) {
        const code = await refusal(carrier.buy({ ...parcel, service, reference: 'F-1' }, 'F-1'))
        expect(code).toBe('service_unavailable')
      }
    })

    test.each<[string, (parcel: RateRequest) => Partial<RateRequest>]>([
      ['without weight', () => ({ weightGrams: 0 })],
      ['of no weight that there is', () => ({ weightGrams: Number.NaN })],
      ['in parts of grams', () => ({ weightGrams: 0.5 })],
      ['without room', () => ({ dimensionsMm: { length: 0, width: 10, height: 10 } })],
      ['that is never ready', () => ({ readyMs: Number.POSITIVE_INFINITY })],
      ['to no country', ({ to }) => ({ to: { ...to, country: 'England' } })],
      ['from beyond the pole', ({ from }) => ({ from: { ...from, latitude: 91, longitude: 0 } })],
    ])('refuses a parcel %s', async (_, change) => {
      const { carrier, parcel } = make()
      expect(await refusal(carrier.rates({ ...parcel, ...change(parcel) }))).toBe('bad_parcel')
    })

    test('sells nothing without a key', async () => {
      const { carrier, parcel } = make()
      const [rate] = await carrier.rates(parcel)
      const purchase = { ...parcel, service: rate!.service, reference: 'F-1' }
      expect(await refusal(carrier.buy(purchase, ''))).toBe('bad_parcel')
      expect(await refusal(carrier.buy(purchase, 'k'.repeat(100_000)))).toBe('bad_parcel')
    })

    test('tells a parcel’s way in order, from being accepted to being delivered, and takes nothing back', async () => {
      const { carrier, parcel, lifeMs } = make()
      for (const label of await buyAll({ carrier, parcel, lifeMs })) {
        const all = await carrier.track(label, label.boughtMs + lifeMs)
        expect(all[0]!.type).toBe('accepted')
        expect(['delivered', 'exception']).toContain(all.at(-1)!.type)
        expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
        expect(all.map(({ atMs }) => atMs)).toEqual(all.map(({ atMs }) => atMs).toSorted((a, b) => a - b))
        for (const { atMs } of all) {
          const until = all.filter((event) => event.atMs <= atMs)
          expect(await carrier.track(label, atMs)).toEqual(until)
          expect(await carrier.track(label, atMs - 1)).toEqual(all.filter((event) => event.atMs < atMs))
        }
      }
    })

    test('misses nothing of a parcel’s way when it is asked again whenever it says so', async () => {
      const { carrier, parcel, lifeMs } = make()
      for (const label of await buyAll({ carrier, parcel, lifeMs })) {
        const told: string[] = []
        let looks = 0
        for (let nowMs: number | undefined = label.boughtMs; nowMs !== undefined; looks++) {
          const known = await carrier.track(label, nowMs)
          told.push(...known.slice(told.length).map(({ id }) => id))
          const next: number | undefined = await carrier.nextLookMs(label, nowMs)
          if (next !== undefined) expect(next).toBeGreaterThan(nowMs)
          nowMs = next
        }
        expect(told).toEqual((await carrier.track(label, label.boughtMs + lifeMs)).map(({ id }) => id))
        expect(looks).toBeLessThan(1_000)
      }
    })

    test('voids a label that is not on its way, once, and then tells nothing of it', async () => {
      const { carrier, parcel, lifeMs } = make()
      for (const label of await buyAll({ carrier, parcel, lifeMs })) {
        const voided = await carrier.void(label, label.boughtMs)
        expect(voided).toEqual({ ...label, voidedMs: label.boughtMs })
        expect(await carrier.void(voided, label.boughtMs + lifeMs)).toEqual(voided)
        expect(await carrier.track(voided, label.boughtMs + lifeMs)).toEqual([])
      }
    })

    test('voids no label whose parcel it has', async () => {
      const { carrier, parcel, lifeMs } = make()
      const [label] = await buyAll({ carrier, parcel, lifeMs })
      expect(await refusal(carrier.void(label!, label!.boughtMs + lifeMs))).toBe('label_in_use')
    })

    test('closes the day with each label once, however often it is listed', async () => {
      const each = make()
      const labels = await buyAll(each)
      const closedMs = each.parcel.readyMs
      const manifest = await each.carrier.manifest([...labels, ...labels.toReversed()], closedMs)
      expect(manifest.trackingNumbers).toEqual(labels.map(({ trackingNumber }) => trackingNumber).sort())
      expect(manifest.parcels).toBe(labels.length)
      expect(manifest.cost).toBe(labels.reduce((sum, { cost }) => sum + cost, 0))
      expect(manifest.services.reduce((sum, { cost }) => sum + cost, 0)).toBe(manifest.cost)
      expect(manifest.weightGrams).toBe(labels.length * each.parcel.weightGrams)
      expect(await each.carrier.manifest(labels, closedMs)).toEqual(manifest)
      expect((await each.carrier.manifest(labels.slice(1), closedMs)).id).not.toBe(manifest.id)
    })

    test('closes no day with nothing, with a void label, or with two parcels of one number', async () => {
      const { carrier, parcel, lifeMs } = make()
      const [label] = await buyAll({ carrier, parcel, lifeMs })
      const voided = await carrier.void(label!, label!.boughtMs)
      expect(await refusal(carrier.manifest([], parcel.readyMs))).toBe('bad_manifest')
      expect(await refusal(carrier.manifest([voided], parcel.readyMs))).toBe('label_void')
      const other = { ...label!, reference: 'F-2' }
      expect(await refusal(carrier.manifest([label!, other], parcel.readyMs))).toBe('bad_manifest')
    })

    test('has nothing to do with the labels of others', async () => {
      const { carrier, parcel, lifeMs } = make()
      const [label] = await buyAll({ carrier, parcel, lifeMs })
      const foreign = { ...label!, carrier: 'another' }
      for (const asked of [
        carrier.track(foreign, parcel.readyMs),
        carrier.void(foreign, parcel.readyMs),
        carrier.manifest([foreign], parcel.readyMs),
      ]) {
        expect(await refusal(asked)).toBe('foreign_label')
      }
    })
  })
}
