/** Labels, rates and manifests as clients see them, and what carriers refuse in the words of problems. */
import { DoorbusterError } from '../../engine/errors.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Directory } from '../directory.js'
import { money } from '../money.js'
import { problem } from '../problems.js'
import { RecordRefused } from '../records.js'
import type { Rate, TrackingEvent } from './carrier.js'
import type { LabelRecord } from './label-record.js'
import type { ManifestRecord } from './manifest-book.js'

const iso = (ms: number): string => new Date(ms).toISOString()

export const rateView = ({ carrier, service, serviceName, cost, currency, shipByMs, deliverByMs }: Rate): object => ({
  carrier,
  service,
  serviceName,
  cost: money(cost, currency),
  shipBy: iso(shipByMs),
  deliverBy: iso(deliverByMs),
})

/** Without the addresses: they are on the printed label alone. */
export function labelView({ label, purpose, order, manifest, status }: LabelRecord): object {
  const { trackingNumber, carrierName, weightGrams, boughtMs, voidedMs } = label
  return {
    trackingNumber,
    status: voidedMs === undefined ? status : 'void',
    order,
    ...purpose,
    carrierName,
    ...rateView(label),
    weightGrams,
    boughtAt: iso(boughtMs),
    ...(voidedMs === undefined ? {} : { voidedAt: iso(voidedMs) }),
    ...(manifest === undefined ? {} : { manifest }),
  }
}

export const eventView = ({ atMs, ...event }: TrackingEvent): object => ({ ...event, at: iso(atMs) })

export function manifestView(directory: Directory, manifest: ManifestRecord): object {
  const { closedMs, location, cost, currency, services, ...rest } = manifest
  return {
    ...rest,
    location: directory.name('locations', location),
    closedAt: iso(closedMs),
    cost: money(cost, currency),
    services: services.map((service) => ({ ...service, cost: money(service.cost, currency) })),
  }
}

/** What a listed manifest leaves out is thousands of numbers. */
export function listedManifestView(directory: Directory, manifest: ManifestRecord): object {
  const { trackingNumbers: _numbers, ...view } = manifestView(directory, manifest) as { trackingNumbers: string[] }
  return view
}

const STATUSES: Record<string, number> = {
  bad_parcel: 422,
  service_unavailable: 422,
  foreign_label: 409,
  label_void: 409,
  label_in_use: 409,
  bad_manifest: 409,
  mixed_currencies: 409,
  bad_identifier: 409,
  carrier_unavailable: 503,
}

/** The problem that an error stands for; undefined where it is a fault of our own. */
export function refusalOf(error: unknown): Outcome | undefined {
  if (error instanceof RecordRefused) return error.outcome
  if (!(error instanceof DoorbusterError)) return undefined
  const status = STATUSES[error.code]
  return status === undefined ? undefined : problem(status, error.code, sentence(error.message))
}

export const sentence = (message: string): string => `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`

export async function answering(run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run()
  } catch (error) {
    const refused = refusalOf(error)
    if (refused) return refused
    throw error
  }
}
