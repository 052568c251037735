/**
 * What a partner's order means here, whatever its syntax: which number is the SKU, how many pieces a unit is, where
 * allowances, charges and taxes go, and whether its own totals agree.
 */
import type { z } from 'zod'
import { order } from '../../order-schemas.js'
import { withoutUndefined } from '../../without-undefined.js'
import type { ChannelOrder } from '../channel.js'
import { decimalText, spread, tenThousandths, times, wholeNumber } from './decimal.js'
import type { Findings } from './faults.js'
import type { DraftLine, DraftTax, OrderDraft, Read } from './order-draft.js'
import type { EdiSettings } from './settings.js'
import { address, tellAddress } from './ship-to.js'
import { piecesIn, unknownUnit } from './units.js'

const NOTES_MAX = 2_000
const NOTE_MAX = 500

/** The order that the draft says, or undefined with what is wrong among the findings. */
export function channelOrder(draft: OrderDraft, settings: EdiSettings, findings: Findings): ChannelOrder | undefined {
  const currency = draft.currency?.text || settings.currency
  const lines = draft.lines.map((line) => readLine(line, settings, findings))
  if (lines.length === 0) findings.add('missingSegment', draft.place, 'an order has at least one line')
  tellRepeatedLines(draft.lines, findings)
  tellTotals(draft, lines, findings)
  tellAddress(draft, settings, findings)
  if (findings.rejected) return undefined

  const values = lines.map(({ value, discount }) => value - discount)
  const discounts = spread(draft.allowances, values)
  const taxes = draft.taxes.map((tax) => ({ name: tax.name, shares: spread(tax.amount, values) }))
  const money = (amount: bigint) => ({ amount: decimalText(amount, 2), currency })
  const shipping = draft.charges + lines.reduce((sum, { charges }) => sum + charges, 0n)
  const buyer = draft.buyer ?? draft.shipTo
  const shipTo = address(draft, settings)
  const made = {
    externalId: draft.number.text,
    lineIds: draft.lines.map(({ lineId }) => lineId),
    currency,
    customer: withoutUndefined({
      id: buyer?.code || undefined,
      name: buyer?.name || draft.shipTo?.name || buyer?.code || settings.theirs?.name || 'Unnamed',
      email: draft.shipTo?.email || buyer?.email || undefined,
      phone: draft.shipTo?.phone || buyer?.phone || undefined,
    }),
    shipTo,
    lines: lines.map((line, at) => {
      const discount = line.discount + (discounts[at] ?? 0n)
      const shares = taxes.map(({ name, shares }) => ({ name, amount: shares[at] ?? 0n }))
      const due = [...line.taxes, ...shares].filter(({ amount }) => amount !== 0n)
      return withoutUndefined({
        sku: line.sku,
        quantity: line.quantity,
        unitPrice: money(line.unitPrice),
        discount: discount === 0n ? undefined : money(discount),
        taxes: due.length === 0 ? undefined : due.map(({ name, amount }) => ({ name, amount: money(amount) })),
        note: line.note.slice(0, NOTE_MAX) || undefined,
      })
    }),
    ...(shipping === 0n ? {} : { shipping: money(shipping) }),
    ...service(draft, settings),
    ...(draft.notes.length === 0 ? {} : { notes: draft.notes.join('\n').slice(0, NOTES_MAX) }),
  }
  return checked(made, draft, findings)
}

/** What is left of a draft must be an order that the API takes: texts too long, an unknown currency, a missing street. */
function checked(made: ChannelOrder, draft: OrderDraft, findings: Findings): ChannelOrder | undefined {
  const { lineIds: _, ...rest } = made
  const result = order.safeParse({ ...rest, channel: 'edi' } satisfies z.input<typeof order>)
  if (result.success) return made
  for (const { path, message } of result.error.issues) {
    const at = path[0] === 'lines' && typeof path[1] === 'number' ? path[1] : undefined
    const line = at === undefined ? undefined : draft.lines[at]
    const place =
      path[0] === 'shipTo'
        ? (draft.shipTo?.place ?? draft.place)
        : path[0] === 'customer'
          ? (draft.buyer?.place ?? draft.place)
          : path[0] === 'currency'
            ? (draft.currency?.place ?? draft.place)
            : (line?.place ?? draft.place)
    findings.add('invalid', place, `${path.join('.')}: ${message}`)
  }
  return undefined
}

interface ReadLine {
  sku: string
  quantity: number
  unitPrice: bigint
  /** Price times quantity. */
  value: bigint
  discount: bigint
  charges: bigint
  taxes: DraftTax[]
  note: string
}

function readLine(line: DraftLine, settings: EdiSettings, findings: Findings): ReadLine {
  const pieces = piecesOf(line.unit, settings, findings)
  const quantity = (wholeNumber(line.quantity.text) ?? 0) * pieces
  if (quantity < 1 || quantity > 0x7fff_ffff) {
    const { text, place, element } = line.quantity
    const cause = text === '' ? 'missing' : 'invalid'
    findings.add(cause, place, `the quantity “${text.slice(0, 20)}” is no whole number above zero`, {
      element,
      value: text,
    })
  }
  const sku = skuOf(line, settings, findings)
  const unitPrice = priceOf(line, pieces, settings, findings)
  const value = times(unitPrice, quantity)
  if (line.allowances > value) findings.add('invalid', line.place, 'the line’s allowances are larger than the line')
  const { charges, taxes, note } = line
  return { sku, quantity, unitPrice, value, discount: line.allowances, charges, taxes, note }
}

function piecesOf({ text, place, element }: Read, settings: EdiSettings, findings: Findings): number {
  const pieces = piecesIn(text, settings)
  if (pieces !== undefined) return pieces
  findings.add('invalid', place, unknownUnit(text), { element, value: text })
  return 1
}

function skuOf(line: DraftLine, settings: EdiSettings, findings: Findings): string {
  for (const qualifier of settings.skuQualifiers) {
    const number = line.numbers.get(qualifier)
    if (number) return number
  }
  const has = line.numbers.size === 0 ? 'no article number' : `only ${[...line.numbers.keys()].slice(0, 10).join(', ')}`
  const wanted = settings.skuQualifiers.join(', ')
  findings.add('missing', line.place, `no SKU: the line has ${has}, and the settings name ${wanted}`, {
    element: line.price.element + 2,
  })
  return ''
}

/** The price of one piece; refused where that is no exact amount, since the sum would be another than was ordered. */
function priceOf(line: DraftLine, pieces: number, settings: EdiSettings, findings: Findings): bigint {
  const { place, element } = line.price
  const text = line.price.text || settings.priceWhereMissing || ''
  const stated = tenThousandths(text)
  if (stated === undefined || stated < 0n) {
    const message = text === '' ? 'the line has no price' : `the price “${text.slice(0, 20)}” is none`
    findings.add(text === '' ? 'missing' : 'invalid', place, message, { element, value: text })
    return 0n
  }
  if (line.price.text === '') return stated
  const divisor = BigInt(pieces) * line.priceBasis
  if (stated % divisor !== 0n) {
    const message = `the price ${text} for ${divisor} pieces is no exact price of one`
    findings.add('invalid', place, message, { element, value: text })
  }
  return stated / divisor
}

/** Refunds and changes name lines by these. */
function tellRepeatedLines(lines: readonly DraftLine[], findings: Findings): void {
  const seen = new Set<string>()
  for (const { lineId, place } of lines) {
    if (seen.has(lineId)) {
      findings.add('invalid', place, `line ${lineId.slice(0, 20)} is there twice`, { element: 1, value: lineId })
    }
    seen.add(lineId)
  }
}

function tellTotals(draft: OrderDraft, lines: readonly ReadLine[], findings: Findings): void {
  const { total, lineCount } = draft
  if (lineCount && wholeNumber(lineCount.text) !== lines.length) {
    const message = `says ${lineCount.text.slice(0, 20)} lines and there are ${lines.length}: a line may be lost`
    findings.add('invalid', lineCount.place, message, { element: lineCount.element, value: lineCount.text })
  }
  if (!total) return
  const values = lines.reduce((sum, { value, discount }) => sum + value - discount, 0n)
  const taxes = [...draft.taxes, ...lines.flatMap((line) => line.taxes)].reduce((sum, { amount }) => sum + amount, 0n)
  const charges = draft.charges + lines.reduce((sum, line) => sum + line.charges, 0n)
  const made = total.of === 'lines' ? values : values - draft.allowances + charges + taxes
  if (tenThousandths(total.text) === made) return
  findings.add('invalid', total.place, `says ${total.text.slice(0, 20)}, and it comes to ${decimalText(made, 2)}`, {
    element: total.element,
    value: total.text,
    severity: 'noted',
  })
}

function service(draft: OrderDraft, settings: EdiSettings): { shippingService?: string } {
  const code = draft.services.find((name) => Object.hasOwn(settings.services, name))
  const shippingService = code === undefined ? undefined : settings.services[code]
  return shippingService === undefined ? {} : { shippingService }
}
