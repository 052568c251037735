/** The end of a carrier's day: what it is given, counted by service. Any carrier that has no manifest of its own takes this. */
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { CarrierRefusal, type Label, type Manifest } from './carrier.js'
import { checkTime } from './request-check.js'

/** What one van takes in a day many times over; the rest goes on another manifest. */
export const MANIFEST_LABELS_MAX = 20_000

const refused = (message: string): CarrierRefusal => new CarrierRefusal('bad_manifest', message)

/** Throws CarrierRefusal `foreign_label`. */
export function checkOwn(carrier: string, label: Label): void {
  if (label.carrier === carrier) return
  const message = `${label.trackingNumber} is a label of ${label.carrier}, not of ${carrier}: give it to that one`
  throw new CarrierRefusal('foreign_label', message)
}

/** The labels in the order of their numbers, each once. */
function distinct(carrier: string, labels: readonly Label[]): [Label, ...Label[]] {
  if (labels.length > MANIFEST_LABELS_MAX) {
    throw refused(`a manifest takes ${MANIFEST_LABELS_MAX} labels, not ${labels.length}: close the day in several`)
  }
  const byNumber = new Map<string, Label>()
  for (const label of labels) {
    const { trackingNumber, voidedMs } = label
    checkOwn(carrier, label)
    if (voidedMs !== undefined) {
      throw new CarrierRefusal('label_void', `${trackingNumber} has been voided: leave it off the manifest`)
    }
    const same = byNumber.get(trackingNumber)
    if (same && !isDeepStrictEqual(same, label)) {
      throw refused(`two parcels have the tracking number ${trackingNumber}: void one label and buy another`)
    }
    byNumber.set(trackingNumber, label)
  }
  const [first, ...others] = [...byNumber.keys()].sort().map((number) => byNumber.get(number)!)
  if (!first) throw refused('a manifest needs at least one label')
  return [first, ...others]
}

/** The same labels closed at the same time make the same manifest. Throws CarrierRefusal. */
export function manifestOf(carrier: string, labels: readonly Label[], closedMs: number): Manifest {
  checkTime('when the day is closed', closedMs)
  const listed = distinct(carrier, labels)
  const { currency } = listed[0]
  const other = listed.find((label) => label.currency !== currency)
  if (other) throw refused(`labels in ${currency} and ${other.currency} can't be added up: make a manifest for each`)
  const services = new Map<string, Manifest['services'][number]>()
  for (const { service, weightGrams, cost } of listed) {
    const sum = services.get(service) ?? { service, parcels: 0, weightGrams: 0, cost: 0 }
    sum.parcels += 1
    sum.weightGrams += weightGrams
    sum.cost += cost
    services.set(service, sum)
  }
  const trackingNumbers = listed.map(({ trackingNumber }) => trackingNumber)
  const digest = createHash('sha256')
    .update(JSON.stringify([carrier, closedMs, trackingNumbers]))
    .digest('hex')
  return {
    id: `M-${digest.slice(0, 16)}`,
    carrier,
    closedMs,
    currency,
    parcels: listed.length,
    weightGrams: listed.reduce((sum, { weightGrams }) => sum + weightGrams, 0),
    cost: listed.reduce((sum, { cost }) => sum + cost, 0),
    services: [...services.keys()].sort().map((service) => services.get(service)!),
    trackingNumbers,
  }
}
