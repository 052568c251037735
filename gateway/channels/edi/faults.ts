/**
 * What is wrong with what a partner sent. Readers note findings in the document's own terms (segment, position, element,
 * cause); each syntax turns the same findings into its acknowledgement's codes, and people read them as sentences.
 */
import { UnreadablePayload } from '../channel.js'
import { DOCUMENT_FAULTS_MAX, FILE_FAULTS_MAX } from './limits.js'

/** Why, as far as an acknowledgement has a code for it. */
export type Cause =
  | 'missing'
  | 'missingSegment'
  | 'unknownSegment'
  | 'invalid'
  | 'date'
  | 'tooLong'
  | 'character'
  | 'count'

/** `rejected`: nothing of the document was taken. `noted`: it was taken all the same. */
export type Severity = 'rejected' | 'noted'

export interface Finding {
  severity: Severity
  cause: Cause
  segment: string
  /** Within the document; its header (ST or UNH) is 1. */
  position: number
  /** 1 is the first behind the segment's name. */
  element?: number
  /** What stood there. */
  value?: string
  message: string
}

/** Where in a document something was found. */
export interface Place {
  segment: string
  position: number
}

/** A fault of a file as the owner of the connection reads it. */
export interface EdiFault {
  severity: Severity
  /** The interchange's control number or reference; empty where it could not be read. */
  interchange: string
  /** Where the interchange begins in the file, in characters. */
  offset: number
  group?: string
  /** The document's type and control number. */
  document?: string
  control?: string
  segment?: string
  position?: number
  element?: number
  message: string
}

/** Findings of one document; a document with one that rejects it is not taken. */
export class Findings {
  readonly list: Finding[] = []
  rejected = false

  add(
    cause: Cause,
    place: Place,
    message: string,
    more: { element?: number; value?: string; severity?: Severity } = {},
  ): void {
    const { element, value, severity = 'rejected' } = more
    if (severity === 'rejected') this.rejected = true
    if (this.list.length >= DOCUMENT_FAULTS_MAX) return
    this.list.push({
      severity,
      cause,
      segment: place.segment,
      position: place.position,
      ...(element === undefined ? {} : { element }),
      ...(value === undefined || value === '' ? {} : { value: value.slice(0, 99) }),
      message,
    })
  }
}

/** Faults of one file, up to a bound. */
export class FaultList {
  readonly list: EdiFault[] = []

  add(fault: EdiFault): void {
    if (this.list.length < FILE_FAULTS_MAX) this.list.push(fault)
  }

  addFindings(of: Pick<EdiFault, 'interchange' | 'offset' | 'group' | 'document' | 'control'>, findings: Findings) {
    for (const { severity, segment, position, element, message } of findings.list) {
      this.add({ ...of, severity, segment, position, ...(element === undefined ? {} : { element }), message })
    }
  }
}

/** The faults as the error that channels throw: paths such as `interchange 000000049, 850 0001, PO1 at 14, element 4`. */
export function unreadable(message: string, faults: readonly EdiFault[]): UnreadablePayload {
  return new UnreadablePayload(
    message,
    faults.map((fault) => ({ path: pathOf(fault), message: fault.message })),
  )
}

function pathOf({ interchange, offset, document, control, segment, position, element }: EdiFault): string {
  return [
    interchange === '' ? `the interchange at character ${offset}` : `interchange ${interchange}`,
    ...(document === undefined ? [] : [`${document} ${control ?? ''}`.trim()]),
    ...(segment === undefined ? [] : [position === undefined ? segment : `${segment} at ${position}`]),
    ...(element === undefined ? [] : [`element ${element}`]),
  ].join(', ')
}
