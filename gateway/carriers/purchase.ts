/**
 * A purchase as it is kept before a carrier is asked: whatever cuts it off, the next try asks the same under the same key and
 * so gets the same label instead of a second one.
 */
import type { People } from '../personal-data/people.js'
import type { RecordStore } from '../records.js'
import type { PurchaseRequest } from './carrier.js'
import { LABEL, type LabelRecord, type ParcelPurpose } from './label-record.js'

export const LABEL_KEY = 'label-key'

/** What was decided to be asked of a carrier, and not answered yet. */
export interface PendingPurchase {
  carrier: string
  serial: number
  /** Sealed PurchaseRequest. */
  request: Uint8Array
}

interface PurchaseRecord {
  /** How many labels were bought or refused for this parcel before: each has a key of its own. */
  attempt: number
  pending?: PendingPurchase
  trackingNumber?: string
}

/** How far the purchase for a parcel has come. */
export interface KnownPurchase {
  /** Of the record, for whoever changes it. */
  version: number
  attempt: number
  pending?: PendingPurchase
  label?: LabelRecord
}

export const purchaseKey = (purpose: ParcelPurpose): string =>
  'return' in purpose ? `r:${purpose.return}` : `f:${purpose.fulfillment}/${purpose.package}`

/** A label that was voided is none: the next one is another attempt. */
export async function knownPurchase(records: RecordStore, key: string): Promise<KnownPurchase> {
  const known = await records.get<PurchaseRecord>(LABEL_KEY, key)
  if (!known) return { version: 0, attempt: 1 }
  const { version, value } = known
  const { attempt, pending, trackingNumber } = value
  if (pending) return { version, attempt, pending }
  if (trackingNumber === undefined) return { version, attempt }
  const label = (await records.get<LabelRecord>(LABEL, trackingNumber))?.value
  return label && label.label.voidedMs === undefined ? { version, attempt, label } : { version, attempt: attempt + 1 }
}

export const putPurchase = (
  records: RecordStore,
  key: string,
  ifVersion: number,
  value: PurchaseRecord,
): Promise<number> => records.put({ kind: LABEL_KEY, id: key, ifVersion, value })

/** Undefined where the person was erased meanwhile. */
export const openedRequest = (
  people: People,
  { request }: PendingPurchase,
  person: string,
): PurchaseRequest | undefined => people.vault.open<PurchaseRequest>(person, request)
