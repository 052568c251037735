/**
 * Segments of one X12 transaction set, taken apart by node-x12. It is given one whole set at a time in an envelope that is
 * in order: it holds each element as an object with its range, and throws on sets that stand outside a group.
 */
import { X12Interchange, X12Parser } from 'node-x12'
import type { Findings, Place } from '../faults.js'
import type { Separators } from './header.js'

export interface X12Segment extends Place {
  /** The first is element 1. */
  elements: readonly string[]
}

/** One document: ST to SE, both included. */
export interface TransactionSet {
  /** ST01, such as `850`. */
  type: string
  /** ST02. */
  control: string
  segments: readonly X12Segment[]
  separators: Separators
}

/** Element `n` of the segment without the spaces around it; empty where it is not there. */
export const element = (segment: X12Segment, n: number): string => segment.elements[n - 1]?.trim() ?? ''

/** Element `n`, which has to be there. */
export function needed(segment: X12Segment, n: number, findings: Findings, what: string): string {
  const value = element(segment, n)
  if (value === '') findings.add('missing', segment, `${what} is missing`, { element: n })
  return value
}

/** The first segment of that name, noted as missing where there is none. */
export function neededSegment(set: TransactionSet, name: string, findings: Findings): X12Segment | undefined {
  const found = set.segments.find(({ segment }) => segment === name)
  if (!found) {
    findings.add(
      'missingSegment',
      { segment: name, position: 2 },
      `${set.type} has no segment ${name}, which it has to have`,
    )
  }
  return found
}

/** A segment's name, and what follows it: a name alone stands without a separator. */
export const nameOf = (raw: string, { element: separator }: Separators): string => {
  const end = raw.indexOf(separator)
  return end < 0 ? raw : raw.slice(0, end)
}

/** The segments of one set. `header` is the interchange's ISA with its terminator. */
export function parseSet(header: string, rawSegments: readonly string[], separators: Separators): X12Segment[] {
  const { element: separator, terminator } = separators
  // A segment without elements gets an empty one: node-x12 would give it the last element of the segment before.
  const body = rawSegments.map((raw) => (raw.includes(separator) ? raw : raw + separator)).join(terminator)
  const group = ['GS', 'XX', '', '', '', '', '1', 'X', ''].join(separator)
  const end = `GE${separator}1${separator}1${terminator}IEA${separator}1${separator}1${terminator}`
  const parsed = new X12Parser(false).parse(`${header}${group}${terminator}${body}${terminator}${end}`)
  if (!(parsed instanceof X12Interchange)) throw new TypeError('one interchange was written and several were read')
  const set = parsed.functionalGroups[0]?.transactions[0]
  if (!set) throw new TypeError('a set was written and none was read')
  return [set.header, ...set.segments, set.trailer].map(({ tag, elements }, at) => ({
    segment: tag,
    position: at + 1,
    elements: elements.map(({ value }) => value),
  }))
}
