/** What labels say of a fulfillment that is shipped: whoever scans it out need not type what was printed. */
import type { RecordStore } from '../records.js'
import { labelsOf } from './label-record.js'

interface Shipment {
  carrier?: unknown
  trackingNumber?: unknown
  packages?: unknown
}

const tracked = (packages: unknown): boolean =>
  Array.isArray(packages) && packages.some(({ trackingNumber }) => trackingNumber !== undefined)

/**
 * With carrier and tracking numbers of its labels, where the input names no tracking number itself and no other carrier.
 * What the parcels weigh is what the labels were bought for.
 */
export async function withLabels<T extends Shipment>(fulfillment: string, input: T, records: RecordStore): Promise<T> {
  if (input.trackingNumber !== undefined || tracked(input.packages)) return input
  const labels = (await labelsOf(records, fulfillment)).map(({ label }) => label)
  const [first] = labels
  if (!first || (input.carrier !== undefined && input.carrier !== first.carrier)) return input
  return {
    ...input,
    carrier: first.carrier,
    trackingNumber: first.trackingNumber,
    packages: labels.map(({ weightGrams, trackingNumber }) => ({ weightGrams, trackingNumber })),
  }
}
