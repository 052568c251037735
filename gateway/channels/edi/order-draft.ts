/**
 * A partner's order between its syntax and the channel's words: 850 and ORDERS both fill a draft with what stands where,
 * and `channel-order.ts` decides what it means.
 */
import type { Place } from './faults.js'

/** A value and where it stood. */
export interface Read {
  text: string
  place: Place
  element: number
}

export interface DraftParty {
  place: Place
  name: string
  /** The partner's number of it. */
  code: string
  street: string[]
  city: string
  region: string
  postalCode: string
  country: string
  email: string
  phone: string
}

/** Amounts are ten-thousandths of the order's currency. */
export interface DraftTax {
  name: string
  amount: bigint
}

export interface DraftLine {
  place: Place
  lineId: string
  /** Article numbers by their qualifier; the first of each counts. */
  numbers: Map<string, string>
  quantity: Read
  unit: Read
  price: Read
  /** The price is for so many: 100 where it is by the hundred. */
  priceBasis: bigint
  allowances: bigint
  charges: bigint
  taxes: DraftTax[]
  note: string
}

export interface OrderDraft {
  place: Place
  number: Read
  currency: Read | undefined
  buyer: DraftParty | undefined
  shipTo: DraftParty | undefined
  lines: DraftLine[]
  allowances: bigint
  charges: bigint
  taxes: DraftTax[]
  notes: string[]
  /** The partner's codes of carrier and service, the most telling first. */
  services: string[]
  /** What the partner says the order comes to; told where it does not. */
  total: (Read & { of: 'lines' | 'order' }) | undefined
  lineCount: Read | undefined
}

/** What a document that names an order says of it. */
export type Purpose = 'order' | 'cancellation' | 'replacement'

export interface ReadOrder {
  purpose: Purpose
  draft: OrderDraft
}

/** Of the order with this number, which stands where the document begins. */
export const emptyDraft = (number: Read): OrderDraft => ({
  place: number.place,
  number,
  currency: undefined,
  buyer: undefined,
  shipTo: undefined,
  lines: [],
  allowances: 0n,
  charges: 0n,
  taxes: [],
  notes: [],
  services: [],
  total: undefined,
  lineCount: undefined,
})

export const emptyParty = (place: Place, name: string, code: string): DraftParty => ({
  place,
  name,
  code,
  street: [],
  city: '',
  region: '',
  postalCode: '',
  country: '',
  email: '',
  phone: '',
})

/** Taxes of one name are one tax: an order's line has a bounded number of them. */
export function addTax(taxes: DraftTax[], { name, amount }: DraftTax): void {
  const shown = name.slice(0, 100)
  const same = taxes.find((tax) => tax.name === shown)
  if (same) same.amount += amount
  else taxes.push({ name: shown, amount })
}
