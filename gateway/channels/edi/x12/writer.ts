/**
 * Writes X12 interchanges. Every element goes through `clean`, so that nothing that a customer typed can end an element or
 * a segment; envelopes have the connection's identifiers and count what they hold.
 */
import { ediTime } from '../dates.js'
import type { Stamp } from '../documents.js'
import { DOCUMENTS_WRITTEN_MAX } from '../limits.js'
import type { EdiParty, EdiSettings } from '../settings.js'
import { ascii, asItIs, UnwritableDocument } from '../written-text.js'

/** Elements behind a segment's name; undefined is an empty one. */
export type Written = readonly [name: string, ...elements: (string | undefined)[]]

/** Where a document goes: GS01, ST01, and its segments between ST and SE. */
export interface WrittenSet {
  type: string
  segments: Written[]
}

export interface Envelope {
  from: EdiParty
  to: EdiParty
  /** GS08. */
  version: string
}

/** One interchange with one group of sets. `before` stands between ISA and the group (TA1). */
export function x12Interchange(
  functionalId: string,
  sets: readonly WrittenSet[],
  settings: EdiSettings,
  stamp: Stamp,
  envelope: Envelope = envelopeOf(settings),
  before: readonly Written[] = [],
): string {
  if (sets.length > DOCUMENTS_WRITTEN_MAX) {
    throw new UnwritableDocument(`an interchange has at most ${DOCUMENTS_WRITTEN_MAX} documents; write two`)
  }
  const { controlNumber, atMs } = stamp
  if (!Number.isInteger(controlNumber) || controlNumber < 1 || controlNumber > 999_999_999) {
    throw new UnwritableDocument(`the control number ${controlNumber} is not between 1 and 999999999`)
  }
  const control = String(controlNumber)
  const { from, to, version } = envelope
  const group: Written[] =
    sets.length === 0
      ? []
      : [
          [
            'GS',
            functionalId,
            (from.group ?? from.id).slice(0, 15),
            (to.group ?? to.id).slice(0, 15),
            ediTime(atMs, 'yyyyMMdd'),
            ediTime(atMs, 'HHmm'),
            control,
            'X',
            version,
          ],
          ...sets.flatMap((set, at) => enveloped(set, String(at + 1).padStart(4, '0'))),
          ['GE', String(sets.length), control],
        ]
  const { terminator, lineBreaks } = settings.x12
  const end = terminator + (lineBreaks ? '\n' : '')
  const header = headerOf(envelope, settings, stamp)
  const segments: Written[] = [...before, ...group, ['IEA', sets.length === 0 ? '0' : '1', control.padStart(9, '0')]]
  return header + end + segments.map((segment) => written(segment, settings) + end).join('')
}

function enveloped({ type, segments }: WrittenSet, control: string): Written[] {
  return [['ST', type, control], ...segments, ['SE', String(segments.length + 2), control]]
}

/** From us to the partner, as the settings name them. */
export function envelopeOf(settings: EdiSettings): Envelope {
  const { ours, theirs } = settings
  if (!ours || !theirs) {
    throw new UnwritableDocument('the settings name not both ends: set ours and theirs of the connection')
  }
  return { from: ours, to: theirs, version: settings.x12.version }
}

/** ISA has elements of fixed length, so that its separators stand at fixed places. */
function headerOf({ from, to, version }: Envelope, settings: EdiSettings, { controlNumber, atMs }: Stamp): string {
  const { element, component, repetition } = settings.x12
  const release = /^\d{5}/.exec(version)?.[0] ?? '00401'
  const fixed = (text: string, length: number) => {
    const cleaned = clean(text, settings)
    if (cleaned.length > length)
      throw new UnwritableDocument(`“${cleaned}” has over ${length} characters, as many as ISA holds`)
    return cleaned.padEnd(length)
  }
  return [
    'ISA',
    '00',
    ' '.repeat(10),
    '00',
    ' '.repeat(10),
    fixed(from.qualifier, 2),
    fixed(from.id, 15),
    fixed(to.qualifier, 2),
    fixed(to.id, 15),
    ediTime(atMs, 'yyMMdd'),
    ediTime(atMs, 'HHmm'),
    // Until 004010 the element named the agency; from 004020 on it is the repetition separator.
    release >= '00402' ? repetition : 'U',
    release,
    String(controlNumber).padStart(9, '0'),
    '0',
    settings.test ? 'T' : 'P',
    component,
  ].join(element)
}

function written([name, ...elements]: Written, settings: EdiSettings): string {
  const cleaned = elements.map((text) => (text === undefined ? '' : clean(text, settings)))
  while (cleaned.at(-1) === '') cleaned.pop()
  return [name, ...cleaned].join(settings.x12.element)
}

/** Plain ASCII without any of the separators. */
function clean(text: string, { x12 }: EdiSettings): string {
  const separators = [x12.element, x12.component, x12.repetition, x12.terminator]
  return [...ascii(text)]
    .map((sign) => (separators.includes(sign) ? ' ' : sign))
    .join('')
    .trim()
}

/** Words for people, cut to the element's length. */
export const words = (text: string | undefined, length: number): string | undefined =>
  text === undefined ? undefined : ascii(text).slice(0, length).trim()

/** A number by which a machine finds something: as it is, or the document is not written. */
export const number = (value: string, length: number, what: string, settings: EdiSettings): string =>
  asItIs(
    value,
    length,
    what,
    clean(value, settings),
    'it has a separator, a space at its end or a character beyond ASCII; choose other separators in the settings',
  )
