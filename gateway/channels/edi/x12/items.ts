/** Article numbers, quantities, units and packages as the X12 documents of suppliers and warehouses share them. */
import { tenThousandths, wholeNumber } from '../decimal.js'
import type { Findings } from '../faults.js'
import type { ItemNumbers } from '../records.js'
import type { EdiSettings } from '../settings.js'
import { piecesIn, unknownUnit } from '../units.js'
import { element, type X12Segment } from './segments.js'

/** Pairs of qualifier (element 235) and number (234) from element `from` on. */
export function readNumbers(
  segment: X12Segment,
  from: number,
  settings: EdiSettings,
  findings: Findings,
  more: readonly (readonly [string, string])[] = [],
): ItemNumbers {
  const numbers = new Map<string, string>()
  const add = (qualifier: string, number: string) => {
    if (/^[A-Z0-9]{2,3}$/.test(qualifier) && number !== '' && !numbers.has(qualifier)) numbers.set(qualifier, number)
  }
  for (let n = from; n < segment.elements.length; n += 2) add(element(segment, n), element(segment, n + 1))
  for (const [qualifier, number] of more) add(qualifier, number)
  const qualifier = settings.skuQualifiers.find((name) => numbers.has(name))
  const sku = qualifier === undefined ? '' : (numbers.get(qualifier) ?? '')
  if (sku === '') {
    const has = numbers.size === 0 ? 'no article number' : `only ${[...numbers.keys()].join(', ')}`
    const wanted = settings.skuQualifiers.join(', ')
    findings.add('missing', segment, `no SKU: it has ${has}, and the settings name ${wanted}`, { element: from + 1 })
  }
  return { sku, numbers: Object.fromEntries(numbers) }
}

/** Whole pieces of a quantity in the partner's unit; 0 with a finding where that is none. */
export function readQuantity(
  segment: X12Segment,
  n: number,
  unit: string,
  settings: EdiSettings,
  findings: Findings,
): number {
  const text = element(segment, n)
  const count = wholeNumber(text)
  const pieces = piecesIn(unit, settings)
  if (count === undefined) {
    const cause = text === '' ? 'missing' : 'invalid'
    findings.add(cause, segment, `the quantity “${text.slice(0, 20)}” is no whole number`, { element: n, value: text })
  } else if (pieces === undefined) {
    findings.add('invalid', segment, unknownUnit(unit), { element: n + 1, value: unit })
  } else if (count * pieces <= 0x7fff_ffff) return count * pieces
  else findings.add('invalid', segment, `the quantity ${text.slice(0, 20)} is too large`, { element: n, value: text })
  return 0
}

/** A weight and its unit, where both are there. */
export function readWeight(
  segment: X12Segment,
  n: number,
  unitAt: number,
): { value: string; unit: string } | undefined {
  const [value, unit] = [element(segment, n), element(segment, unitAt)]
  return unit !== '' && tenThousandths(value) !== undefined ? { value, unit } : undefined
}

/** MAN02: an SSCC of 18 digits, alone or behind its application identifier 00. */
export function readSscc(text: string): string | undefined {
  const [, digits] = /^(?:\(?00\)?)?(\d{18})$/.exec(text) ?? []
  return digits
}

/** What MAN says of a package: GM and AA are SSCCs, CP and CA the carrier's number of the parcel. */
export function readMark(segment: X12Segment): { sscc?: string; trackingNumber?: string } {
  const marks: { sscc?: string; trackingNumber?: string } = {}
  for (let n = 1; n <= 4; n += 3) {
    const [qualifier, number] = [element(segment, n), element(segment, n + 1)]
    const sscc = qualifier === 'GM' || qualifier === 'AA' || qualifier === 'W' ? readSscc(number) : undefined
    if (sscc !== undefined) marks.sscc = sscc
    else if ((qualifier === 'CP' || qualifier === 'CA') && number !== '') marks.trackingNumber = number
  }
  return marks
}
