/**
 * The port to whoever moves parcels. A carrier is a folder beside `simulated` that turns its own words into these; all of
 * it is plain data, so that a label can be kept, printed and tracked by whoever holds it. `carrier.contract.ts` has the
 * cases that each carrier must pass.
 */
import { DoorbusterError } from '../../engine/errors.js'
import type { Address } from '../documents/packing-slip.js'

/** Who sends or gets a parcel. `country`: ISO 3166-1 alpha-2. Degrees where the place is known, both or none. */
export interface Party extends Address {
  name: string
  latitude?: number
  longitude?: number
}

export interface RateRequest {
  from: Party
  to: Party
  weightGrams: number
  dimensionsMm?: { length: number; width: number; height: number }
  /** When the parcel is packed and can be taken away. UTC, ms. */
  readyMs: number
}

/** A service and what it costs for one parcel. */
export interface Rate {
  carrier: string
  service: string
  serviceName: string
  /** Ten-thousandths. */
  cost: number
  /** ISO 4217 */
  currency: string
  /** When the carrier takes it away, and by when it promises to hand it over. UTC, ms. */
  shipByMs: number
  deliverByMs: number
}

export interface PurchaseRequest extends RateRequest {
  service: string
  /** What the parcel is for: a fulfillment's or a return's id. Printed. */
  reference: string
  /** From the customer back to the seller. */
  return?: true
  /**
   * A number that no other parcel of this carrier has, from 0. Without it one is worked out from the key, and of many
   * keys two may meet: whoever keeps labels finds a tracking number that is taken and buys with a number of its own.
   */
  serial?: number
}

/** How the tracking number is built: S10 of the postal services, or the SSCC of GS1. */
export type IdentifierKind = 's10' | 'sscc'

/** One label, bought for one parcel. */
export interface Label extends Rate {
  carrierName: string
  trackingNumber: string
  identifier: IdentifierKind
  from: Party
  to: Party
  weightGrams: number
  reference: string
  return?: true
  /** The carrier's own word for the way that it goes; printed. */
  routing: string
  boughtMs: number
  voidedMs?: number
}

export type TrackingEvent = {
  /** The same event has the same id each time that it is told. */
  id: string
  atMs: number
  place: string
  /** For a person. */
  detail: string
} & (
  | { type: 'accepted' | 'in_transit' | 'out_for_delivery' | 'delivered' }
  /** `attempted`: nobody took it; `delayed`: it comes later than promised; `lost`: it comes no more. */
  | { type: 'exception'; reason: 'attempted' | 'delayed' | 'lost' }
)

/** What a carrier is given along with the day's parcels. */
export interface Manifest {
  id: string
  carrier: string
  closedMs: number
  currency: string
  parcels: number
  weightGrams: number
  /** Ten-thousandths. */
  cost: number
  services: { service: string; parcels: number; weightGrams: number; cost: number }[]
  /** In order. */
  trackingNumbers: string[]
}

/** The carrier will not do it: `code` says why. Asked the same again it refuses again. */
export class CarrierRefusal extends DoorbusterError {
  constructor(code: RefusalCode, message: string) {
    super(code, message)
  }
}

export type RefusalCode =
  /** The request makes no sense to any carrier: a weight of nothing, a country that is none. */
  | 'bad_parcel'
  /** Not a service of this carrier, or not for this parcel. */
  | 'service_unavailable'
  /** The label is another carrier's. */
  | 'foreign_label'
  /** It has been voided, or is on its way and can't be. */
  | 'label_void'
  | 'label_in_use'
  /** The list of labels is empty, too long, or has one tracking number for two parcels. */
  | 'bad_manifest'

/** Each rejects with CarrierRefusal, or with what the way to the carrier met: then it may be asked again. */
export interface Carrier {
  readonly id: string
  readonly name: string
  /** Empty where no service takes the parcel. */
  rates(request: RateRequest): Promise<Rate[]>
  /** One label under one key: the same request under the same key gives the same label, however often. */
  buy(request: PurchaseRequest, key: string): Promise<Label>
  /** The label as it is kept from now on. Voided before: the same again. */
  void(label: Label, nowMs: number): Promise<Label>
  /** What has happened until now, oldest first; nothing that was told is ever taken back. */
  track(label: Label, nowMs: number): Promise<TrackingEvent[]>
  /** When the carrier is to be asked again: there may be something new then. Undefined: nothing more will come. */
  nextLookMs(label: Label, nowMs: number): Promise<number | undefined>
  /** Closes the day: each label once, however often it is listed. */
  manifest(labels: readonly Label[], closedMs: number): Promise<Manifest>
}
