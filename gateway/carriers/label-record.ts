/**
 * What is kept of a label that was bought: the carrier's own, less sender and recipient, which are sealed for the person
 * whose parcel it is. Once that person's key is destroyed nothing tells who it was for, and the parcel can still be followed.
 */
import type { RecordPut } from '../../actors/records/records.js'
import type { People } from '../personal-data/people.js'
import type { RecordStore } from '../records.js'
import type { Label, Party, TrackingEvent } from './carrier.js'

export const LABEL = 'label'

/** What a parcel is for: a package of a fulfillment, counted from 1, or a return. */
export type ParcelPurpose = { fulfillment: string; package: number } | { return: string }

export interface LabelRecord {
  /** Under which it was bought. */
  key: string
  purpose: ParcelPurpose
  order: string
  /** By whose key it is sealed. */
  person: string
  /** Index of the location that it leaves, or comes back to. */
  location: number
  label: Omit<Label, 'from' | 'to'>
  countries: { from: string; to: string }
  /** `{ from, to }` */
  parties: Uint8Array
  /** On which list it was handed to the carrier. */
  manifest?: string
  status: 'bought' | TrackingEvent['type']
  /** When the carrier is asked next; none: nothing more is to be learnt. */
  dueMs?: number
  /** Ids of events that have been carried into the product. */
  told: string[]
}

/** Labels that are on no manifest yet. */
export const openRef = (carrier: string, location: number): string => `open:${carrier}/${location}`
export const fulfillmentRef = (fulfillment: string): string => `fulfillment:${fulfillment}`
const dayOf = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 10)

/** By what a label is found. */
function refsOf({ purpose, order, label, location, manifest }: LabelRecord): string[] {
  const refs = [`order:${order}`, `day:${label.carrier}/${dayOf(label.boughtMs)}`]
  if ('return' in purpose) return [...refs, `return:${purpose.return}`]
  // A void label is found by its order: a fulfillment's are those that go on its parcels.
  if (label.voidedMs !== undefined) return refs
  refs.push(fulfillmentRef(purpose.fulfillment))
  if (manifest === undefined) refs.push(openRef(label.carrier, location))
  return refs
}

/** As it is written: its references and when it is due follow from it. */
export const labelPut = (value: LabelRecord): Pick<RecordPut, 'value' | 'refs' | 'dueMs'> => ({
  value,
  refs: refsOf(value),
  ...(value.dueMs === undefined ? {} : { dueMs: value.dueMs }),
})

/** Its parts for a record; the person's key is there. */
export function sealedLabel(people: People, { from, to, ...label }: Label, person: string) {
  const parties = people.vault.seal(person, { from, to })
  return { label, countries: { from: from.country, to: to.country }, parties }
}

/** Undefined where the person was erased. */
export function openedLabel(people: People, { label, parties, person }: LabelRecord): Label | undefined {
  const opened = people.vault.open<{ from: Party; to: Party }>(person, parties)
  return opened && { ...label, ...opened }
}

/** A label for those who ask the carrier and print nothing: of who was erased, only the countries. */
export function trackableLabel(people: People, record: LabelRecord): Label {
  const { from, to } = record.countries
  const nobody = (country: string): Party => ({ name: 'erased', line1: 'erased', city: '–', postalCode: '', country })
  return openedLabel(people, record) ?? { ...record.label, from: nobody(from), to: nobody(to) }
}

/** As many labels as one fulfillment may have. */
export const PACKAGES_MAX = 100

/** The labels of a fulfillment that are not void, by their packages. */
export async function labelsOf(records: RecordStore, fulfillment: string): Promise<LabelRecord[]> {
  const { items } = await records.list<LabelRecord>(LABEL, PACKAGES_MAX, undefined, fulfillmentRef(fulfillment))
  const number = ({ purpose }: LabelRecord): number => ('package' in purpose ? purpose.package : 0)
  return items.map(({ value }) => value).sort((a, b) => number(a) - number(b))
}
