/**
 * Where interchanges begin in a file, and with which separators. ISA is the one segment of X12 with fixed places (106
 * characters, X12.5): what stands at them are the separators of everything up to the next ISA.
 *
 *     0  3                                                            103     105
 *     ISA*00*..........*00*..........*ZZ*...............*ZZ*...............*yymmdd*hhmm*U*00401*000000001*0*P*>~
 */
export const HEADER_CHARS = 106
/** Where the element separator has to stand in ISA. */
const SEPARATOR_PLACES = [3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103]
const COMPONENT_PLACE = 104
const TERMINATOR_PLACE = 105

export interface Separators {
  element: string
  component: string
  terminator: string
}

export interface InterchangeStart {
  offset: number
  /** Undefined: it begins like an interchange and its header is damaged, in this way. */
  separators: Separators | undefined
  damage: string
}

const isSeparator = (character: string): boolean => /^[^A-Za-z0-9\s]$/.test(character)

/** The separators of the header at `offset`, or what is wrong with it. */
export function readHeader(text: string, offset: number): Omit<InterchangeStart, 'offset'> {
  if (text.length < offset + HEADER_CHARS) return { separators: undefined, damage: 'the file ends within ISA' }
  const element = text.charAt(offset + 3)
  const component = text.charAt(offset + COMPONENT_PLACE)
  const terminator = text.charAt(offset + TERMINATOR_PLACE)
  if (!isSeparator(element)) {
    return { separators: undefined, damage: 'the character behind ISA is no separator' }
  }
  const wrong = SEPARATOR_PLACES.find((place) => text.charAt(offset + place) !== element)
  if (wrong !== undefined) {
    return {
      separators: undefined,
      damage: `ISA has no “${element}” at its character ${wrong + 1}: its elements have to have their fixed lengths`,
    }
  }
  // Only between its separators may ISA have the separator; else lengths are wrong by chance.
  const inside = text.slice(offset, offset + COMPONENT_PLACE).split(element).length - 1
  if (inside !== SEPARATOR_PLACES.length) {
    return { separators: undefined, damage: 'ISA has not the 16 elements that it has to have' }
  }
  const isBreak = terminator === '\n' || terminator === '\r'
  if (!isSeparator(component) || !(isSeparator(terminator) || isBreak)) {
    return { separators: undefined, damage: 'the last two characters of ISA are no separators' }
  }
  if (new Set([element, component, terminator]).size < 3) {
    return { separators: undefined, damage: 'ISA names one character for two separators' }
  }
  return { separators: { element, component, terminator }, damage: '' }
}

/**
 * The interchanges of a file, in their order. Where one has lost its end, the next is known by its header: at the
 * beginning of a segment, or anywhere with the separators in use, since no element may hold those.
 */
export function findInterchanges(text: string, countMax: number): InterchangeStart[] {
  const starts: InterchangeStart[] = []
  let current: Separators | undefined
  for (let at = text.indexOf('ISA'); at >= 0 && starts.length <= countMax; at = text.indexOf('ISA', at + 3)) {
    const before = lastVisible(text, at)
    const startsSegment = before === '' || (current !== undefined && before === current.terminator)
    const startsLine = at === 0 || text.charAt(at - 1) === '\n' || text.charAt(at - 1) === '\r'
    const header = readHeader(text, at)
    const follows =
      header.separators === undefined
        ? (startsSegment || startsLine) && /[^A-Za-z0-9\s]/.test(text.charAt(at + 3))
        : startsSegment || startsLine || current === undefined || header.separators.element === current.element
    if (!follows) continue
    starts.push({ offset: at, ...header })
    current = header.separators
  }
  return starts
}

/** The last character before `at` that is no space or line break; looks back a few characters only. */
function lastVisible(text: string, at: number): string {
  const before = text.slice(Math.max(0, at - 64), at).trimEnd()
  return before.charAt(before.length - 1)
}
