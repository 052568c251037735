/** What is kept of an order: one document, which is the whole of it. SKUs and locations are indices; money is in ten-thousandths. */
import type { ProductFacts } from '../catalog/catalog.js'
import type { OrderReturn } from '../return/order-return.js'
import type { RuleTraceEntry } from '../rules/evaluate.js'
import type { UnitTally } from './unit-machine.js'

/** Sealed at the edge for one person, with a key that is kept apart from the log: nothing here can read it. */
export type Sealed = Uint8Array

/** Where it goes, as exactly as sourcing needs; name and street are sealed. */
export interface Address {
  city: string
  postalCode: string
  region?: string
  country: string
  latitude?: number
  longitude?: number
  sealed: Sealed
}

export interface Customer {
  /** Whose key seals what belongs to him or her. */
  person: string
  sealed: Sealed
  /** Keyed hashes of the id and the e-mail address: by these the orders are found. */
  keys: string[]
  /** The retailer's own id: a pseudonym. */
  id?: string
  emailDomain?: string
}

export interface Tax {
  name: string
  amount: number
}

/** Of one line, as it was ordered. */
export interface LineTerms {
  sku: number
  quantity: number
  unitPrice: number
  discount: number
  taxes: Tax[]
  gift?: { message?: Sealed }
  /** SKU indices that the customer takes instead, in this order. */
  substitutes?: number[]
  /** A reservation whose units this line takes over: its id, 16 bytes. */
  reservation?: Uint8Array
  note?: Sealed
}

export interface Line extends LineTerms {
  number: number
  units: UnitTally
  /** The kit line that this one is a component of, and how many of it go into one kit. */
  parent?: number
  perParent?: number
  /** A kit: its components are lines of their own, and it has no units itself. */
  isKit?: boolean
  substitutedFor?: number
  weightGrams: number
  group: string
  mayBackorder: boolean
  /** As it was sold: see ReasonPolicy.takesFinalSale. */
  isFinalSale?: boolean
}

export interface Package {
  weightGrams: number
  trackingNumber?: string
}

export type FulfillmentKind = 'ship' | 'pickup' | 'dropship'

export interface FulfillmentLine {
  line: number
  sku: number
  quantity: number
  picked: number
  /** Whether a pick has said how many there are. */
  isPicked: boolean
  /** What holds the stock: see allocation-id.ts. */
  allocation: number
  /** Units that came back before it was delivered. */
  back?: number
}

export interface Fulfillment {
  number: number
  location: number
  kind: FulfillmentKind
  status: string
  service: string
  createdMs: number
  /** When the status was reached. */
  sinceMs: number
  shipByMs: number
  deliverByMs: number
  lines: FulfillmentLine[]
  packages: Package[]
  carrier?: string
  trackingNumber?: string
  reason?: string
  /** The local day against whose capacity it counts. */
  capacityDay: number
  /** Ids of commands that were carried out. */
  commands?: string[]
}

export type ExceptionType =
  | 'late'
  | 'short'
  | 'stuck'
  | 'rejected'
  | 'lost'
  | 'no_stock'
  | 'carrier_silent'
  | 'capacity_exceeded'
  | 'wrong_return'

export interface OrderException {
  number: number
  type: ExceptionType
  fulfillment?: number
  detail: string
  raisedMs: number
  /** How far it has been escalated: 0 raised · 1 notified · 2 reassigned · 3 in the manager's queue. */
  level: number
  /** When it is escalated next. */
  escalatesMs: number
  status: 'open' | 'acknowledged' | 'resolved'
  by?: string
}

export interface TimelineEntry {
  atMs: number
  type: string
  by: string
  detail?: string
}

export interface Hold {
  reason: string
  by: string
  sinceMs: number
}

export interface Payment {
  /** `elsewhere`: the channel takes it and says so; another name: the port of that name is asked. */
  provider: string
  amount: number
  reference: string
  authorized: number
  captured: number
  /** Captures that the provider has been asked for and has not answered. */
  requested: number
  refunded: number
  /** Refunds likewise. */
  refundRequested: number
}

export interface Availability {
  sku: number
  /** Null: no such SKU. */
  product: ProductFacts | null
  /** Where there is any: a location, its ATP, the next location, its ATP … */
  rows: number[]
  /** Units that may be promised from stock to this order at all; less than the rows where some are set apart. */
  most: number
  supply: [location: number, units: number, atMs: number][]
}

/** Stock that is being asked for: of which partitions, and what they have said. */
export interface Saga {
  phase: 'claiming' | 'asking' | 'holding'
  /** Answers to an earlier one are given back. */
  epoch: number
  attempt: number
  waiting: number[]
  offers: Availability[]
  /** Lines whose buyer's reservation is at a location: by line number. */
  reserved: Reserved[]
  /** When each location of the plan ships, and when it arrives. */
  promises: { location: number; shipByMs: number; deliverByMs: number }[]
  /** Days of locations that are taken for it until it is over. */
  days: { location: number; day: number }[]
  holds: HoldLine[]
  /** Partitions that hold their lines. */
  held: number[]
  isRefused: boolean
  /** The command that waits for the capture, or 0; and those that came with the same order meanwhile. */
  command: number
  repeats: number[]
}

/** Where a buyer's reservation is; no units where it cannot be used any more. */
export interface Reserved {
  line: number
  location: number
  quantity: number
}

/** A line's units as one location is to hold them. */
export interface HoldLine {
  allocation: number
  line: number
  sku: number
  location: number
  quantity: number
  channel: number
}

export interface DeliveryPromise {
  shipByMs: number
  deliverByMs: number
}

export interface Totals {
  subtotal: number
  discount: number
  shipping: number
  tax: number
  total: number
}

export interface Credit {
  amount: number
  reason: string
  atMs: number
  by: string
}

export interface Order {
  id: string
  /** What (channel, external id) stands for. */
  home?: string
  channel: string
  channelIndex: number
  /** Whom a limit for each buyer applies to: two words made of the customer. */
  buyer?: [number, number]
  externalId?: string
  /** Of the request, so that a repeat is told from another one. */
  fingerprint: string
  currency: string
  customer: Customer
  shipTo: Address
  /** Keyed hashes of the words by which it is found. */
  search: string[]
  delivery: { method: 'ship' | 'pickup' | 'ship_to_store'; location?: number }
  service: string
  notes?: Sealed
  state: string
  lines: Line[]
  fulfillments: Fulfillment[]
  exceptions: OrderException[]
  returns?: OrderReturn[]
  totals: Totals
  /** Of the totals, what has been invoiced: see invoices.ts. */
  invoiced?: Totals
  credits: Credit[]
  holds: Hold[]
  tags: string[]
  priority: number
  allowSplit: boolean
  allowBackorder: boolean
  allowPartial: boolean
  onlyLocations?: number[]
  locationTypes?: string[]
  excluded: { location: number; reason: string }[]
  /** Candidates that the last plan refused, by the reason. */
  refused: { reason: string; locations: number[] }[]
  splitBy: string[]
  placedMs: number
  /** Until then the customer may change his mind and nothing is released. */
  releaseMs: number
  /** When it is sourced again by itself: where the day of locations was full, or the waiting list. */
  retryMs?: number
  promise?: DeliveryPromise
  /** When it is to be sent at the latest, as whoever sold it has promised. */
  shipByMs?: number
  payment?: Payment
  timeline: TimelineEntry[]
  trace: RuleTraceEntry[]
  saga?: Saga
  epoch: number
  /** Keys of commands that were carried out. */
  commands?: string[]
  /** SKUs on whose waiting lists it stands. */
  waitsFor: number[]
  /** SKUs of which it was asked to take what has come, and has not answered yet. */
  wokenFor?: number[]
  /** Events of a closed order are over; when its return window ends it is completed. */
  deliveredMs?: number
}
