/** An order as clients send it, made into what its actor takes: indices for names, whole ten-thousandths for money. */
import { createHash } from 'node:crypto'
import type { LineTerms, Totals } from '../actors/order/order.js'
import type { OrderRequest } from '../actors/order/order-request.js'
import { faultyOrder } from '../actors/outcomes.js'
import type { Outcome, Problem } from '../engine/protocol.js'
import type { Directory } from './directory.js'
import { builtinFraudCheck } from './fraud/builtin.js'
import { AMOUNT_MAX, money, units } from './money.js'
import type { OrderInput } from './order-schemas.js'
import type { People } from './personal-data/people.js'
import { buyerNumber, idBytes } from './reserve-record.js'

type Errors = NonNullable<Problem['errors']>

/** The id that stands for a channel's own id of an order: the same for ever, so the name is unique where the id is. */
export const homeId = (channel: string, externalId: string): string => derivedId([channel, externalId])

/** The same id for the same parts, for ever. */
export function derivedId(parts: string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex')
  // Version 8: an id of one's own making (RFC 9562).
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Reads amounts of one currency and collects what is wrong with them. */
class Amounts {
  constructor(
    private readonly currency: string,
    private readonly errors: Errors,
  ) {}

  read(path: string, value: { amount: string; currency: string } | undefined): number {
    if (value === undefined) return 0
    const amount = units(value.amount)
    if (value.currency !== this.currency) {
      this.errors.push({ path, message: `in ${value.currency}, but the order is in ${this.currency}` })
    } else if (amount === undefined) this.errors.push({ path, message: `larger than ${AMOUNT_MAX}` })
    else if (amount < 0) this.errors.push({ path, message: 'below zero' })
    return amount ?? 0
  }
}

type SealText = (text: string) => Uint8Array

/** What a line is read with, besides itself. */
interface LineReading {
  directory: Directory
  seal: SealText
  amounts: Amounts
  errors: Errors
}

function lineTerms(
  line: OrderInput['lines'][number],
  path: string,
  { directory, seal, amounts, errors }: LineReading,
): LineTerms {
  const sku = directory.find('skus', line.sku)
  if (sku < 0) errors.push({ path: `${path}.sku`, message: `unknown SKU ${line.sku}; put the product first` })
  const substitutes = line.substitutes?.map((name) => {
    const index = directory.find('skus', name)
    if (index < 0) errors.push({ path: `${path}.substitutes`, message: `unknown SKU ${name}` })
    return index
  })
  const gift = line.gift === true ? {} : line.gift === false ? undefined : line.gift
  const terms: LineTerms = {
    sku,
    quantity: line.quantity,
    unitPrice: amounts.read(`${path}.unitPrice`, line.unitPrice),
    discount: amounts.read(`${path}.discount`, line.discount),
    taxes: (line.taxes ?? []).map((tax, t) => ({
      name: tax.name,
      amount: amounts.read(`${path}.taxes.${t}.amount`, tax.amount),
    })),
    ...(gift ? { gift: gift.message === undefined ? {} : { message: seal(gift.message) } } : {}),
    ...(substitutes && substitutes.length > 0 ? { substitutes } : {}),
    ...(line.reservationId === undefined ? {} : { reservation: new Uint8Array(idBytes(line.reservationId)) }),
    ...(line.note === undefined ? {} : { note: seal(line.note) }),
  }
  if (terms.discount > terms.unitPrice * terms.quantity) {
    errors.push({ path: `${path}.discount`, message: 'larger than the line' })
  }
  return terms
}

/** A line that is added to an order of a person and a currency, or everything that is wrong with it. */
export function addedLine(
  line: OrderInput['lines'][number],
  path: string,
  { person, currency }: { person: string; currency: string },
  { directory, people }: { directory: Directory; people: People },
): LineTerms | Outcome {
  const errors: Errors = []
  const seal: SealText = (text) => people.sealText(text, person)
  const terms = lineTerms(line, path, { directory, seal, amounts: new Amounts(currency, errors), errors })
  return errors.length > 0 ? faultyOrder(errors) : terms
}

/** What the lines add up to; what the caller says it is has to be the same. */
function totalsOf(input: OrderInput, lines: LineTerms[], amounts: Amounts, errors: Errors): Totals {
  const sum = (of: (line: LineTerms) => number): number => lines.reduce((total, line) => total + of(line), 0)
  const subtotal = sum(({ unitPrice, quantity }) => unitPrice * quantity)
  const discount = sum((line) => line.discount)
  const tax = sum(({ taxes }) => taxes.reduce((total, { amount }) => total + amount, 0))
  const stated = input.totals
  const shipping = amounts.read('shipping', input.shipping ?? stated?.shipping)
  const totals: Totals = {
    subtotal,
    // A discount or tax on the whole order stands in the totals alone.
    discount: stated?.discount && discount === 0 ? amounts.read('totals.discount', stated.discount) : discount,
    shipping,
    tax: stated?.tax && tax === 0 ? amounts.read('totals.tax', stated.tax) : tax,
    total: 0,
  }
  totals.total = totals.subtotal - totals.discount + totals.shipping + totals.tax
  if (totals.total < 0) errors.push({ path: 'totals.total', message: 'the order’s total is below zero' })
  if (!Number.isSafeInteger(totals.subtotal) || !Number.isSafeInteger(totals.total)) {
    errors.push({ path: 'totals.total', message: 'the order’s total is too large' })
  }
  for (const key of ['subtotal', 'discount', 'shipping', 'tax', 'total'] as const) {
    const value = stated?.[key]
    if (value === undefined) continue
    const said = amounts.read(`totals.${key}`, value)
    if (said === totals[key]) continue
    const { amount } = money(totals[key], input.currency)
    errors.push({ path: `totals.${key}`, message: `${value.amount} does not add up: the lines make it ${amount}` })
  }
  return totals
}

/** The request that an order's actor takes, or everything that is wrong with it. `newId` is its id where it has none. */
export async function orderRequest(
  input: OrderInput,
  { directory, people }: { directory: Directory; people: People },
  newId: string,
): Promise<OrderRequest | Outcome> {
  const errors: Errors = []
  const amounts = new Amounts(input.currency, errors)
  const home = input.externalId === undefined ? undefined : homeId(input.channel, input.externalId)
  const orderId = input.id ?? home ?? newId
  const person = people.personOf(input.customer, orderId)
  const customer = await people.sealCustomer(input.customer, person)
  const seal: SealText = (text) => people.sealText(text, person)
  const holdsUnknown = input.unknownSkus === 'hold'
  if (holdsUnknown) {
    // Names are given to what was sold under them, so that the order can be kept as it was sold.
    const named = await directory.intern('skus', [...new Set(input.lines.map(({ sku }) => sku))])
    if (!Array.isArray(named)) return named
  }
  const lines = input.lines.map((line, at) => lineTerms(line, `lines.${at}`, { directory, seal, amounts, errors }))
  const totals = totalsOf(input, lines, amounts, errors)
  const amount = amounts.read('payment.amount', input.payment?.amount)
  const { method, location: name } = input.delivery
  const location = name === undefined ? undefined : directory.find('locations', name)
  if (location === -1) errors.push({ path: 'delivery.location', message: `unknown location ${name}` })
  if (errors.length > 0) return faultyOrder(errors)
  const { score, reasons } = await builtinFraudCheck.score(input, totals.total)
  const { id: _id, by: _by, ...content } = input
  return {
    id: orderId,
    ...(home === undefined ? {} : { home }),
    // Keyed: from a plain hash what a customer wrote could be guessed.
    fingerprint: people.vault.blind(JSON.stringify(content)),
    channel: input.channel,
    channelIndex: Math.max(0, directory.find('channels', input.channel)),
    ...buyerOf(input, people),
    ...(input.externalId === undefined ? {} : { externalId: input.externalId }),
    currency: input.currency,
    customer,
    shipTo: people.sealAddress(input.shipTo, person),
    search: people.searchTokens(input.customer, input.shipTo, input.externalId),
    delivery: location === undefined ? { method } : { method, location },
    ...(input.shippingService === undefined ? {} : { service: input.shippingService }),
    ...(input.shipBy === undefined ? {} : { shipByMs: Date.parse(input.shipBy) }),
    ...(input.notes === undefined ? {} : { notes: seal(input.notes) }),
    lines,
    totals,
    ...(input.payment ? { payment: { ...input.payment, amount } } : {}),
    allowSplit: input.allowSplit,
    allowBackorder: input.allowBackorder,
    allowPartial: input.allowPartial,
    priority: input.priority,
    ...(holdsUnknown ? { holdsUnknown } : {}),
    score,
    scoreReasons: reasons,
    by: input.by ?? input.channel,
  }
}

/** Whom a limit for each buyer applies to: the customer's id, or else the e-mail address. */
function buyerOf({ customer }: OrderInput, people: People): { buyer?: [number, number] } {
  const name = customer.id ?? customer.email?.toLowerCase()
  if (name === undefined) return {}
  const buyer = buyerNumber(name, people)
  return { buyer: [Number(buyer & 0xffff_ffffn), Number(buyer >> 32n)] }
}
