/** What is asked for with an order, and the order and lines that are made of it: what is wrong with it is said in one answer. */
import type { Outcome, Problem } from '../../engine/protocol.js'
import { ORDER_LINES_MAX } from '../limits.js'
import { faultyOrder } from '../outcomes.js'
import { newTally } from './lines.js'
import { orderTable } from './machines.js'
import type { Address, Availability, Customer, Line, LineTerms, Order, Sealed, Totals } from './order.js'
import type { OrderSettings } from './settings.js'

export interface OrderRequest {
  id: string
  /** What (channel, external id) stands for, as an id; equal to `id` where the caller named none. */
  home?: string
  fingerprint: string
  channel: string
  channelIndex: number
  buyer?: [number, number]
  externalId?: string
  currency: string
  customer: Customer
  shipTo: Address
  search: string[]
  delivery: Order['delivery']
  service?: string
  /** When it is to be sent at the latest, as whoever sold it has promised. */
  shipByMs?: number
  notes?: Sealed
  lines: LineTerms[]
  totals: Totals
  payment?: { status: 'pending' | 'authorized' | 'captured'; amount: number; reference: string; provider: string }
  allowSplit: boolean
  allowBackorder: boolean
  allowPartial: boolean
  priority: number
  /** An order with SKUs that nobody knows yet is held, not refused: it was sold already. */
  holdsUnknown?: boolean
  /** Fraud score, 0 to 100, and what it comes from. */
  score: number
  scoreReasons: string[]
  by: string
}

/** Before anything is known of its lines. */
export function newOrder(
  request: OrderRequest,
  { defaultService, remorseSeconds }: OrderSettings,
  timeMs: number,
): Order {
  const { id, home, channel, channelIndex, buyer, externalId, fingerprint, currency, notes } = request
  // What may be missing is put in afterwards: spreads for each order are dear.
  const order: Order = {
    id,
    channel,
    channelIndex,
    fingerprint,
    currency,
    customer: request.customer,
    shipTo: request.shipTo,
    search: request.search,
    delivery: request.delivery,
    service: request.service ?? defaultService,
    state: orderTable.initial,
    lines: [],
    fulfillments: [],
    exceptions: [],
    totals: request.totals,
    credits: [],
    holds: [],
    tags: [],
    priority: request.priority,
    allowSplit: request.allowSplit,
    allowBackorder: request.allowBackorder,
    allowPartial: request.allowPartial,
    excluded: [],
    refused: [],
    splitBy: [],
    placedMs: timeMs,
    releaseMs: timeMs + remorseSeconds * 1_000,
    timeline: [],
    trace: [],
    epoch: 0,
    waitsFor: [],
  }
  if (home !== undefined) order.home = home
  if (buyer) order.buyer = buyer
  if (externalId !== undefined) order.externalId = externalId
  if (notes !== undefined) order.notes = notes
  if (request.shipByMs !== undefined) order.shipByMs = request.shipByMs
  return order
}

export const skusOf = ({ lines }: OrderRequest): number[] => [
  ...new Set(lines.flatMap(({ sku, substitutes }) => [sku, ...(substitutes ?? [])])),
]

export const componentsOf = (offers: Availability[]): number[] => [
  ...new Set(offers.flatMap(({ product }) => product?.kit.map(({ sku }) => sku) ?? [])),
]

export const cancelledTally = ({ quantity }: Line): number[] => {
  const tally = newTally(0)
  tally[6] = quantity
  return tally
}

/** Everything that is wrong with it, in one answer. */
export function faultsOf({ lines, holdsUnknown }: OrderRequest, bySku: Map<number, Availability>): Outcome | undefined {
  const errors: Problem['errors'] = []
  let count = 0
  lines.forEach(({ sku, substitutes }, at) => {
    const product = bySku.get(sku)?.product
    count += 1 + (product?.kit.length ?? 0)
    if (!product && !holdsUnknown)
      errors.push({ path: `lines.${at}.sku`, message: 'unknown SKU; put the product first' })
    for (const component of product?.kit ?? []) {
      const part = bySku.get(component.sku)?.product
      if (!part) errors.push({ path: `lines.${at}.sku`, message: 'a kit with a component that is unknown' })
      else if (part.kit.length > 0) errors.push({ path: `lines.${at}.sku`, message: 'a kit of kits' })
    }
    for (const other of substitutes ?? []) {
      if (!bySku.get(other)?.product) errors.push({ path: `lines.${at}.substitutes`, message: 'unknown SKU' })
    }
  })
  if (count > ORDER_LINES_MAX) {
    errors.push({ path: 'lines', message: `at most ${ORDER_LINES_MAX} lines, the components of kits included` })
  }
  if (errors.length === 0) return undefined
  return faultyOrder(errors)
}

/** The order's lines: a kit is one that is priced, and one for each component that is sourced. */
export function linesOf({ lines, allowBackorder }: OrderRequest, bySku: Map<number, Availability>): Line[] {
  const all: Line[] = []
  const add = (terms: LineTerms, more?: Partial<Line>): Line => {
    const product = bySku.get(terms.sku)?.product
    const { sku, quantity, unitPrice, discount, taxes, gift, substitutes, reservation, note: remark } = terms
    // Field by field: spreads for each line of each order are dear.
    const line: Line = {
      number: all.length + 1,
      sku,
      quantity,
      unitPrice,
      discount,
      taxes,
      units: newTally(quantity),
      weightGrams: product?.weightGrams ?? 0,
      group: '',
      mayBackorder: allowBackorder || (product?.mayBackorder ?? false),
    }
    if (gift) line.gift = gift
    if (substitutes) line.substitutes = substitutes
    if (reservation) line.reservation = reservation
    if (remark !== undefined) line.note = remark
    if (product?.isFinalSale) line.isFinalSale = true
    if (more) Object.assign(line, more)
    all.push(line)
    return line
  }
  for (const terms of lines) {
    const kit = bySku.get(terms.sku)?.product?.kit ?? []
    if (kit.length === 0) {
      add(terms)
      continue
    }
    const parent = add(terms, { isKit: true, units: [] })
    // A kit waits as a whole or not at all.
    const mayBackorder = allowBackorder || (bySku.get(terms.sku)?.product?.mayBackorder ?? false)
    for (const { sku, quantity } of kit) {
      const component = { sku, quantity: quantity * terms.quantity, unitPrice: 0, discount: 0, taxes: [] }
      const part = add(component, { parent: parent.number, perParent: quantity, mayBackorder })
      if (parent.isFinalSale) part.isFinalSale = true
    }
  }
  return all
}
