/**
 * Element strings of GS1-128: values behind application identifiers (AI), one after the other in one barcode. A value
 * whose length the AI does not fix ends at a separator (FNC1, which scanners give as GS) unless it is the last.
 *
 * From the GS1 General Specifications: section 3 for the AIs, 7.8 for lengths and separators, 7.11 for the characters.
 */
import { IdentifierError, quoted } from './serial.js'
import { isSscc } from './sscc.js'

export type ApplicationIdentifier = '00' | '400' | '401' | '403' | '420'

export interface Element {
  ai: ApplicationIdentifier
  value: string
}

interface AiRule {
  name: string
  lengthMax: number
  /** The length is fixed, and by the standard's table: no separator follows. */
  fixed: boolean
}

const RULES: Record<ApplicationIdentifier, AiRule> = {
  '00': { name: 'an SSCC', lengthMax: 18, fixed: true },
  '400': { name: "the customer's order number", lengthMax: 30, fixed: false },
  '401': { name: 'a consignment number', lengthMax: 30, fixed: false },
  '403': { name: 'a routing code', lengthMax: 30, fixed: false },
  '420': { name: 'the ship-to postal code', lengthMax: 20, fixed: false },
}

const isIdentifier = (text: string): text is ApplicationIdentifier => Object.hasOwn(RULES, text)

/** FNC1 between elements, as it is transmitted. */
export const SEPARATOR = '\u001d'
/** The most characters of one symbol: FNC1 in front does not count, separators do. */
const SYMBOL_LENGTH_MAX = 48
/** Character set 82: what a value may consist of. */
const CHARACTERS = /^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+$/
/** How a scanner may say that it is GS1-128. */
const SYMBOLOGY = ']C1'

/** What is wrong with an element, in a sentence; undefined where nothing is. */
function problem({ ai, value }: Element): string | undefined {
  const { name, lengthMax, fixed } = RULES[ai]
  const what = `(${ai}), ${name},`
  if (ai === '00' && !isSscc(value)) return `${what} needs 18 digits with a right check digit, not ${quoted(value)}`
  if (value.length > lengthMax || (fixed && value.length < lengthMax)) {
    return `${what} takes ${fixed ? '' : 'up to '}${lengthMax} characters, not the ${value.length} of ${quoted(value)}`
  }
  if (!CHARACTERS.test(value)) return `${what} must have letters, digits or signs and no spaces, not ${quoted(value)}`
  return undefined
}

/** The data of one symbol, with separators where they are needed and no FNC1 in front. Throws IdentifierError. */
export function elementString(elements: readonly Element[]): string {
  let text = ''
  for (const [index, element] of elements.entries()) {
    const wrong = problem(element)
    if (wrong !== undefined) throw new IdentifierError(wrong)
    const last = index === elements.length - 1
    text += element.ai + element.value + (last || RULES[element.ai].fixed ? '' : SEPARATOR)
  }
  if (text === '') throw new IdentifierError('a GS1-128 symbol needs at least one element')
  if (text.length > SYMBOL_LENGTH_MAX) {
    throw new IdentifierError(
      `one GS1-128 symbol takes ${SYMBOL_LENGTH_MAX} characters, not ${text.length}: put the elements into two`,
    )
  }
  return text
}

/** Reads what a scanner gives, with or without the symbology's mark or FNC1 in front. Throws IdentifierError. */
export function parseElementString(scanned: string): Element[] {
  let rest = scanned.startsWith(SYMBOLOGY) ? scanned.slice(SYMBOLOGY.length) : scanned
  if (rest.startsWith(SEPARATOR)) rest = rest.slice(1)
  if (rest.length > SYMBOL_LENGTH_MAX) throw new IdentifierError(`${quoted(scanned)} is longer than any GS1-128 symbol`)
  const elements: Element[] = []
  while (rest !== '') {
    const ai = [rest.slice(0, 2), rest.slice(0, 3)].find(isIdentifier)
    if (ai === undefined) {
      const known = Object.keys(RULES).sort().join(', ')
      throw new IdentifierError(`no identifier that is known here (${known}) at ${quoted(rest)}`)
    }
    const { fixed, lengthMax } = RULES[ai]
    const separator = rest.indexOf(SEPARATOR)
    const end = fixed ? ai.length + lengthMax : separator < 0 ? rest.length : separator
    const element = { ai, value: rest.slice(ai.length, end) }
    const wrong = problem(element)
    if (wrong !== undefined) throw new IdentifierError(wrong)
    elements.push(element)
    // A separator behind a fixed length is not needed, but allowed.
    rest = rest[end] === SEPARATOR ? rest.slice(end + 1) : rest.slice(end)
  }
  if (elements.length === 0) throw new IdentifierError('a GS1-128 symbol needs at least one element')
  return elements
}

/** As it is printed for people: identifiers in brackets. */
export const bracketed = (elements: readonly Element[]): string =>
  elements.map(({ ai, value }) => `(${ai})${value}`).join('')

/**
 * The postal code as (420) may carry it: letters and digits alone. It stands for a place only within the sender's own
 * country; undefined where nothing is left of it, or more than there is room for.
 */
export function postalCodeElement(postalCode: string): Element | undefined {
  const value = postalCode
    .slice(0, 100)
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, '')
  return value === '' || value.length > RULES['420'].lengthMax ? undefined : { ai: '420', value }
}
