/**
 * Where everything stands on a label of 4 × 6 inches, in points (1/72 inch) from the top left corner. PDF and ZPL are both
 * drawn from these marks, so that a parcel's label looks the same whichever printer there is.
 *
 *     brand or carrier                     service
 *     from                                  RETURN
 *     ─────────────────────────────────────────────
 *     to
 *     ─────────────────────────────────────────────
 *     weight  date  routing  reference
 *     ─────────────────────────────────────────────
 *     (420) postal code    SSCC within a country only
 *     tracking number
 */
import type { Party } from '../carrier.js'
import { bracketed, type Element, elementString, postalCodeElement } from '../gs1-128.js'
import { spacedS10 } from '../s10.js'
import { linesOf, shown, widthOfText } from './lettering.js'
import type { ShippingLabel } from './shipping-label.js'

export const PAGE_WIDTH = 288
export const PAGE_HEIGHT = 432

export type Mark =
  /** `x`, `y`: the top left corner of its first letter's box. */
  | { type: 'text'; x: number; y: number; size: number; bold: boolean; text: string }
  | { type: 'rule'; y: number }
  | { type: 'barcode'; symbology: 'code128' | 'gs1-128'; data: string; y: number; height: number }

export const MARGIN = 12
const INNER_WIDTH = PAGE_WIDTH - 2 * MARGIN
const LINE_HEIGHT = 1.2
/** For people beside a barcode, under its bars. */
const CAPTION_SIZE = 11

/** Texts below each other: the lines that are wanted, each in as many as it needs while there is room for `linesMax`. */
function stack(
  texts: string[],
  x: number,
  y: number,
  size: number,
  bold: boolean,
  width: number,
  linesMax: number,
): Mark[] {
  const lines: string[] = []
  for (const [index, text] of texts.entries()) {
    const wantedBelow = texts.length - 1 - index
    lines.push(...linesOf(text, width / size, Math.max(1, Math.min(2, linesMax - lines.length - wantedBelow))))
  }
  return lines
    .slice(0, linesMax)
    .map((text, index) => ({ type: 'text', x, y: y + index * size * LINE_HEIGHT, size, bold, text }))
}

function atRight(text: string, y: number, size: number, width: number): Mark {
  const [line = ''] = linesOf(text, width / size, 1)
  return { type: 'text', x: PAGE_WIDTH - MARGIN - widthOfText(line) * size, y, size, bold: true, text: line }
}

function centred(text: string, y: number): Mark {
  return {
    type: 'text',
    x: (PAGE_WIDTH - widthOfText(text) * CAPTION_SIZE) / 2,
    y,
    size: CAPTION_SIZE,
    bold: true,
    text,
  }
}

const addressOf = ({ name, line1, line2 = '', city, postalCode, region = '', country }: Party): string[] =>
  [name, line1, line2, `${postalCode} ${city}`, region, country].filter((text) => shown(text) !== '')

const caption = (title: string, x: number, y: number): Mark => ({
  type: 'text',
  x,
  y,
  size: 6,
  bold: false,
  text: title,
})

/** A titled value in a column of the row of particulars. */
function particular(title: string, value: string, x: number, width: number): Mark[] {
  const [text = ''] = linesOf(value, width / 9, 1)
  return [caption(title, x, 210), { type: 'text', x, y: 218, size: 9, bold: true, text }]
}

const kilograms = (grams: number): string => `${(grams / 1_000).toFixed(grams % 10 === 0 ? 2 : 3)} kg`

/** The barcodes, the lowest being the one by which the parcel is tracked. */
function barcodesOf({ kind, trackingNumber, from, to }: ShippingLabel): Mark[] {
  if (kind === 's10') {
    return [
      { type: 'barcode', symbology: 'code128', data: trackingNumber, y: 262, height: 110 },
      centred(spacedS10(trackingNumber), 382),
    ]
  }
  const sscc: Element = { ai: '00', value: trackingNumber }
  const marks: Mark[] = [
    { type: 'barcode', symbology: 'gs1-128', data: elementString([sscc]), y: 312, height: 92 },
    centred(bracketed([sscc]), 408),
  ]
  const postalCode = from.country === to.country ? postalCodeElement(to.postalCode) : undefined
  if (!postalCode) return marks
  return [
    { type: 'barcode', symbology: 'gs1-128', data: elementString([postalCode]), y: 244, height: 44 },
    centred(bracketed([postalCode]), 292),
    ...marks,
  ]
}

export function marksOf(label: ShippingLabel): Mark[] {
  const half = INNER_WIDTH / 2
  return [
    ...stack([label.brand ?? label.carrier], MARGIN, MARGIN, 14, true, half, 1),
    atRight(label.service, MARGIN, 14, half - 8),
    ...(label.brand === undefined ? [] : [atRight(label.carrier, MARGIN + 18, 8, half - 8)]),
    ...(label.return ? [atRight('RETURN', MARGIN + 34, 20, half)] : []),
    caption(label.return ? 'FROM (CUSTOMER)' : 'FROM', MARGIN, 32),
    ...stack(addressOf(label.from), MARGIN, 40, 7, false, half + 30, 6),
    { type: 'rule', y: 94 },
    caption(label.return ? 'RETURN TO' : 'TO', MARGIN, 98),
    ...stack(addressOf(label.to), MARGIN, 107, 12, true, INNER_WIDTH, 6),
    { type: 'rule', y: 206 },
    ...particular('WEIGHT', kilograms(label.weightGrams), MARGIN, 52),
    ...particular('SHIP DATE', new Date(label.shipByMs).toISOString().slice(0, 10), MARGIN + 56, 56),
    ...particular('ROUTING', label.routing ?? '', MARGIN + 116, 66),
    caption('REFERENCE', MARGIN + 186, 210),
    ...stack([label.reference], MARGIN + 186, 217, 7, true, INNER_WIDTH - 186, 2),
    { type: 'rule', y: 234 },
    ...barcodesOf(label),
  ]
}
