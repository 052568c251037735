/**
 * Text on its way into a document. Words for people are made to fit: other alphabets are transliterated, what can't be
 * shown becomes a space or `?`. Numbers by which machines find things are never altered: one that can't be written as it
 * is stops the document.
 */
import { printable } from '../../documents/printable.js'

/** A document that can't be written as it is: which of its values, and why. */
export class UnwritableDocument extends Error {}

/** WinAnsi's signs above Latin-1 that have a plain form. */
const PLAIN = new Map([
  ['€', 'EUR'],
  ['‚', ','],
  ['„', '"'],
  ['…', '...'],
  ['‹', '<'],
  ['‘', "'"],
  ['’', "'"],
  ['“', '"'],
  ['”', '"'],
  ['•', '-'],
  ['–', '-'],
  ['—', '-'],
  ['›', '>'],
  ['™', 'TM'],
  ['Œ', 'OE'],
  ['œ', 'oe'],
  ['Š', 'S'],
  ['š', 's'],
  ['Ž', 'Z'],
  ['ž', 'z'],
  ['Ÿ', 'Y'],
])
const LETTERS = new Map([
  ['Æ', 'AE'],
  ['æ', 'ae'],
  ['Ø', 'O'],
  ['ø', 'o'],
  ['ß', 'ss'],
  ['Ð', 'D'],
  ['ð', 'd'],
  ['Þ', 'TH'],
  ['þ', 'th'],
])
/** No element holds as much; transliterating takes time that a long text of a customer must not multiply. */
const READ_MAX = 500
const PLAIN_ASCII = /^[\x20-\x7e]*$/

/** One line of Latin-1, without control characters and without spaces at its ends. */
export function latin1(text: string): string {
  if (PLAIN_ASCII.test(text)) return text.trim()
  return printable(text.slice(0, READ_MAX))
    .replace(/[^\n\x20-\x7e\xa0-\xff]/g, (sign) => PLAIN.get(sign) ?? '?')
    .replace(/[\n\xa0\xad]+/g, ' ')
    .trim()
}

/** One line of printable ASCII: accents go, letters stay. */
export function ascii(text: string): string {
  return latin1(text)
    .normalize('NFKD')
    .replace(/[^\x20-\x7e]/g, (sign) => (/\p{M}/u.test(sign) ? '' : (LETTERS.get(sign) ?? '?')))
    .trim()
}

/** The SSCC as it is, once its length and check digit (GS1: weights 3 and 1 from the right) are right. */
export function checkedSscc(sscc: string): string {
  if (!/^\d{18}$/.test(sscc)) throw new UnwritableDocument(`“${sscc.slice(0, 30)}” is no SSCC: it has 18 digits`)
  const sum = [...sscc].reduce((total, digit, at) => total + Number(digit) * (at % 2 === 0 ? 3 : 1), 0)
  if (sum % 10 !== 0) throw new UnwritableDocument(`the last digit of the SSCC ${sscc} does not check`)
  return sscc
}

/** The value where it can be written as it is; throws UnwritableDocument. `clean`: what would be written of it. */
export function asItIs(value: string, length: number, what: string, clean: string, advice: string): string {
  if (value !== '' && value.length <= length && clean === value) return value
  const reason = value === '' ? 'it is empty' : value.length > length ? `it has over ${length} characters` : advice
  throw new UnwritableDocument(`${what} “${value.slice(0, 80)}” can’t be written: ${reason}`)
}
