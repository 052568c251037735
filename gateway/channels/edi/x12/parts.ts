/** Parts that our X12 documents share: parties with their addresses and contacts, article numbers, counts and amounts. */
import { amountOf, decimalText } from '../decimal.js'
import type { DocumentItem, DocumentParty } from '../documents.js'
import type { EdiSettings } from '../settings.js'
import { UnwritableDocument } from '../written-text.js'
import { number, type Written, words } from './writer.js'

/** N1 loop: who, where, and how to reach them. `role` is element 98: ST, BY, SF … */
export function party(
  role: string,
  { name, code, qualifier, address, email, phone }: DocumentParty,
  settings: EdiSettings,
): Written[] {
  const contacts: string[] = []
  const [reachedByPhone, reachedByMail] = [words(phone, 80), words(email, 80)]
  if (reachedByPhone) contacts.push('TE', reachedByPhone)
  if (reachedByMail) contacts.push('EM', reachedByMail)
  const coded = code === undefined ? [] : [qualifier ?? '92', number(code, 80, 'the number of a place', settings)]
  const lines: Written[] = [['N1', role, words(name, 60) || 'UNNAMED', ...coded]]
  if (address) {
    const { line1, line2, city, region, postalCode, country } = address
    lines.push(['N3', words(line1, 55) || '-', words(line2, 55)])
    lines.push(['N4', words(city, 30), words(region, 2), words(postalCode, 15), words(country, 3)])
  }
  if (contacts.length > 0) lines.push(['PER', 'DC', words(name, 60), ...contacts])
  return lines
}

/** Pairs of qualifier and number: our SKU first, then those that the partner gave. At most ten have room in a segment. */
export function numbers(
  { sku, numbers: others = {} }: Pick<DocumentItem, 'sku' | 'numbers'>,
  settings: EdiSettings,
): string[] {
  const { skuQualifier } = settings.x12
  const pairs = [skuQualifier, number(sku, 48, 'the SKU', settings)]
  for (const [qualifier, value] of Object.entries(others)) {
    if (qualifier === skuQualifier || !/^[A-Z0-9]{2}$/.test(qualifier) || pairs.length >= 20) continue
    pairs.push(qualifier, number(value, 48, `the article number ${qualifier}`, settings))
  }
  return pairs
}

/** PID: what a person calls it. */
export const description = ({ description: text }: Pick<DocumentItem, 'description'>): Written[] => {
  const shown = words(text, 80)
  return shown ? [['PID', 'F', undefined, undefined, undefined, shown]] : []
}

export function pieces(quantity: number, what: string): string {
  if (!Number.isInteger(quantity) || quantity < 0) {
    throw new UnwritableDocument(`${what} is ${quantity}: a whole number of pieces is needed`)
  }
  return String(quantity)
}

/** A price or an amount with the point written (X12's R), of at least two digits behind it. */
export function price(text: string, what: string): string {
  const value = amountOf(text, what)
  if (value < 0n) throw new UnwritableDocument(`${what} is ${text}, below zero`)
  return decimalText(value, 2)
}
