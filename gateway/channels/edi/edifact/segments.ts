/**
 * EDIFACT segments, taken apart by the library `edifact`. It builds regular expressions from the separators without
 * escaping them, and takes a release character of “space” as one; so unusual separators are exchanged for private ones
 * before it reads, and back in what it has read.
 */
import { Parser } from 'edifact'
import type { Findings, Place } from '../faults.js'
import { type Separators, STANDARD } from './separators.js'

export interface EdifactSegment extends Place {
  /** Elements and their components; the first of each is 1. */
  elements: readonly (readonly string[])[]
}

/** Component `c` of element `n` without the spaces around it; empty where it is not there. */
export const component = (segment: EdifactSegment, n: number, c = 1): string =>
  segment.elements[n - 1]?.[c - 1]?.trim() ?? ''

export function needed(segment: EdifactSegment, n: number, findings: Findings, what: string, c = 1): string {
  const value = component(segment, n, c)
  if (value === '') findings.add('missing', segment, `${what} is missing`, { element: n })
  return value
}

/** First of five private characters that take the places of separators. */
const PRIVATE = 0xe000
/** A code that no text has, for an interchange without a release character. */
const NO_RELEASE = 0xfffe

/** Reads one segment after the other; one that it can't read leaves it ready for the next. */
export class SegmentReader {
  private parser: Parser
  private name = ''
  private elements: string[][] = []
  private readonly exchange: (text: string) => string

  constructor(private readonly separators: Separators) {
    this.exchange = isStandard(separators) ? (text) => text : exchanging(separators)
    this.parser = this.newParser()
  }

  /** The segment without its terminator. Throws what the library says of it. */
  read(raw: string, position: number): EdifactSegment {
    this.name = ''
    this.elements = []
    // A segment that looks like UNA would set the library's separators anew.
    if (raw.startsWith('UNA')) throw new Error('UNA stands in the middle of an interchange')
    try {
      this.parser.write(this.exchange(raw + this.separators.terminator))
      this.parser.end()
    } catch (error) {
      this.parser = this.newParser()
      throw error
    }
    const elements = this.elements.map((components) => components.map((text) => this.exchange(text)))
    return { segment: this.name, position, elements }
  }

  private newParser(): Parser {
    const parser = new Parser()
    const { component, element, decimal, release, terminator } = this.separators
    const code = (sign: string) => this.exchange(sign).charCodeAt(0)
    parser.configure({
      segmentTerminator: code(terminator),
      dataElementSeparator: code(element),
      componentDataSeparator: code(component),
      decimalMark: code(decimal),
      releaseCharacter: release === '' ? NO_RELEASE : code(release),
    })
    // The widest level: what a sender's own level allows is for the sender to keep to.
    parser.encoding('UNOY')
    parser.onopensegment = (name) => {
      this.name = name
    }
    parser.onelement = () => {
      this.elements.push([])
    }
    parser.oncomponent = (text) => {
      this.elements.at(-1)?.push(text)
    }
    parser.onclosesegment = () => {}
    return parser
  }
}

function isStandard(separators: Separators): boolean {
  return (
    separators.component === STANDARD.component &&
    separators.element === STANDARD.element &&
    separators.decimal === STANDARD.decimal &&
    separators.release === STANDARD.release &&
    separators.terminator === STANDARD.terminator
  )
}

/** Exchanges each separator with a private character, and that one with it: done twice, the text is as it was. */
function exchanging({ component, element, decimal, release, terminator }: Separators): (text: string) => string {
  const signs = [component, element, decimal, release, terminator].filter((sign) => sign !== '')
  const exchanged = new Map<string, string>()
  signs.forEach((sign, at) => {
    const other = String.fromCharCode(PRIVATE + at)
    exchanged.set(sign, other)
    exchanged.set(other, sign)
  })
  const all = new RegExp(`[${[...exchanged.keys()].map((sign) => sign.replace(/[\\\]^-]/, '\\$&')).join('')}]`, 'g')
  return (text) => text.replace(all, (sign) => exchanged.get(sign) ?? sign)
}
