/** Parts that our EDIFACT messages share: parties, article numbers, dates, counts and amounts. */
import { ediDate } from '../dates.js'
import { amountOf, decimalText } from '../decimal.js'
import type { DocumentItem, DocumentParty } from '../documents.js'
import type { EdiSettings } from '../settings.js'
import { UnwritableDocument } from '../written-text.js'
import { lines, number, type Written, words } from './writer.js'

/** DTM of a day. `meaning` is 2005. */
export const day = (meaning: string, date: string): Written => ['DTM', [meaning, ediDate(date), '102']]

/** NAD and how to reach the party. `role` is 3035. */
export function party(role: string, party: DocumentParty, settings: EdiSettings): Written[] {
  const { name, code, qualifier = '92', address, email, phone } = party
  const place =
    code === undefined ? undefined : [number(code, 17, 'the number of a place', settings), undefined, qualifier]
  const named = lines(name, 35, 5, settings)
  const nad: Written = address
    ? [
        'NAD',
        role,
        place,
        undefined,
        named,
        [...lines(address.line1, 35, 2, settings), ...lines(address.line2, 35, 2, settings)],
        words(address.city, 35, settings),
        words(address.region, 9, settings),
        words(address.postalCode, 9, settings),
        words(address.country, 3, settings),
      ]
    : ['NAD', role, place, undefined, named]
  const reached: Written[] = []
  const [byPhone, byMail] = [words(phone, 70, settings), words(email, 70, settings)]
  if (byPhone) reached.push(['COM', [byPhone, 'TE']])
  // A level without the sign would make another address of it.
  if (byMail && byMail.length === email?.length && byMail.includes('@')) reached.push(['COM', [byMail, 'EM']])
  return [nad, ...(reached.length === 0 ? [] : [['CTA', 'IC'] as const, ...reached])]
}

/** LIN, and PIA with our SKU and the other numbers of the article. `answer` is 1229. */
export function line(item: DocumentItem, at: number, settings: EdiSettings, answer?: string): Written[] {
  const { skuQualifier } = settings.edifact
  const all = new Map([
    [skuQualifier, item.sku],
    ...Object.entries(item.numbers ?? {}).filter(([q]) => q !== skuQualifier),
  ])
  const gtinQualifier = ['EN', 'SRV', 'UP'].find((qualifier) => all.has(qualifier))
  const gtin = gtinQualifier === undefined ? undefined : all.get(gtinQualifier)
  const others = [...all].filter(([qualifier]) => qualifier !== gtinQualifier && /^[A-Z0-9]{2,3}$/.test(qualifier))
  const article = (value: string, qualifier: string) => [number(value, 35, 'the article number', settings), qualifier]
  const segments: Written[] = [
    [
      'LIN',
      /^\d{1,6}$/.test(item.lineId) ? item.lineId : String(at + 1),
      answer,
      gtin && gtinQualifier ? article(gtin, gtinQualifier) : undefined,
    ],
  ]
  if (others.length > 0) {
    segments.push(['PIA', '1', ...others.slice(0, 5).map(([qualifier, value]) => article(value, qualifier))])
  }
  const described = lines(item.description, 35, 2, settings)
  if (described.length > 0) segments.push(['IMD', 'F', undefined, [undefined, undefined, undefined, ...described]])
  return segments
}

/** RFF to the line of an order. */
export const orderReference = (order: string, settings: EdiSettings, lineId?: string): Written => [
  'RFF',
  [
    'ON',
    number(order, 35, 'the order’s number', settings),
    lineId !== undefined && /^\d{1,6}$/.test(lineId) ? lineId : undefined,
  ],
]

export function quantity(meaning: string, pieces: number): Written {
  if (!Number.isInteger(pieces) || pieces < 0) {
    throw new UnwritableDocument(`a quantity is ${pieces}: a whole number of pieces is needed`)
  }
  return ['QTY', [meaning, String(pieces), 'PCE']]
}

/** Decimal text with the interchange's own mark. */
export const decimal = (value: bigint, { edifact }: EdiSettings): string =>
  decimalText(value, 2).replace('.', edifact.decimal)

export const amount = (meaning: string, value: bigint, settings: EdiSettings): Written => [
  'MOA',
  [meaning, decimal(value, settings)],
]

/** Net price of one piece. */
export function price(text: string, settings: EdiSettings): Written {
  const value = amountOf(text, 'a line’s price')
  if (value < 0n) throw new UnwritableDocument(`a line’s price is ${text}, below zero`)
  return ['PRI', ['AAA', decimal(value, settings)]]
}
