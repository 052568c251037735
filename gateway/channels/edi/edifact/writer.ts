/**
 * Writes EDIFACT interchanges (ISO 9735, syntax version 3). Separators inside of a text are released, so that what a
 * customer typed arrives as typed and ends nothing; characters that the level has not are transliterated.
 */
import { ediTime } from '../dates.js'
import type { Stamp } from '../documents.js'
import { DOCUMENTS_WRITTEN_MAX } from '../limits.js'
import type { EdiParty, EdiSettings } from '../settings.js'
import { ascii, asItIs, latin1, UnwritableDocument } from '../written-text.js'

/** An element is one component or several; undefined is an empty one. */
export type WrittenElement = string | undefined | readonly (string | undefined)[]
export type Written = readonly [name: string, ...elements: WrittenElement[]]

export interface WrittenMessage {
  /** S009 of UNH: type, version, release, agency, association. */
  identifier: readonly (string | undefined)[]
  segments: Written[]
}

export interface Ends {
  from: EdiParty
  to: EdiParty
}

/** What each level has not, beside control characters (ISO 9735, annex A): UNOA has no small letters. */
const LACKING = {
  UNOA: /[^A-Z0-9 .,()/=!"%&*;<>'+:?-]/g,
  UNOB: /[^A-Za-z0-9 .,()/=!"%&*;<>'+:?-]/g,
  UNOC: /[^\x20-\x7e\xa1-\xff]/g,
} as const

/** One interchange; message references are 1, 2, 3 … within it. */
export function edifactInterchange(
  messages: readonly WrittenMessage[],
  settings: EdiSettings,
  { controlNumber, atMs }: Stamp,
  { from, to }: Ends = endsOf(settings),
): string {
  if (messages.length > DOCUMENTS_WRITTEN_MAX) {
    throw new UnwritableDocument(`an interchange has at most ${DOCUMENTS_WRITTEN_MAX} documents; write two`)
  }
  if (!Number.isInteger(controlNumber) || controlNumber < 1 || controlNumber > 999_999_999) {
    throw new UnwritableDocument(`the control number ${controlNumber} is not between 1 and 999999999`)
  }
  const control = String(controlNumber)
  const date = [ediTime(atMs, 'yyMMdd'), ediTime(atMs, 'HHmm')]
  const end = (party: EdiParty) => [party.id, party.qualifier]
  const test = settings.test ? [undefined, undefined, undefined, undefined, undefined, '1'] : []
  const segments: Written[] = [
    ['UNB', [settings.edifact.level, '3'], end(from), end(to), date, control, ...test],
    ...messages.flatMap(({ identifier, segments }, at): Written[] => {
      const reference = String(at + 1)
      return [['UNH', reference, identifier], ...segments, ['UNT', String(segments.length + 2), reference]]
    }),
    ['UNZ', String(messages.length), control],
  ]
  const { component, element, decimal, release, terminator, lineBreaks } = settings.edifact
  const una = `UNA${component}${element}${decimal}${release} ${terminator}`
  const lineBreak = lineBreaks ? '\n' : ''
  return una + lineBreak + segments.map((segment) => written(segment, settings) + terminator + lineBreak).join('')
}

/** From us to the partner, as the settings name them. */
function endsOf(settings: EdiSettings): Ends {
  const { ours, theirs } = settings
  if (!ours || !theirs) {
    throw new UnwritableDocument('the settings name not both ends: set ours and theirs of the connection')
  }
  for (const { id } of [ours, theirs]) number(id, 35, 'an identifier', settings)
  return { from: ours, to: theirs }
}

function written([name, ...elements]: Written, settings: EdiSettings): string {
  const { component, element } = settings.edifact
  const parts = elements.map((value) => {
    const components = value === undefined || typeof value === 'string' ? [value] : value
    return joined(
      components.map((text) => (text === undefined ? '' : released(clean(text, settings), settings))),
      component,
    )
  })
  return joined([name, ...parts], element)
}

/** Without the empty ones at the end. */
function joined(parts: readonly string[], separator: string): string {
  let length = parts.length
  while (length > 0 && parts[length - 1] === '') length--
  return parts.slice(0, length).join(separator)
}

function released(text: string, { edifact }: EdiSettings): string {
  const separators = [edifact.component, edifact.element, edifact.release, edifact.terminator]
  return [...text].map((sign) => (separators.includes(sign) ? edifact.release + sign : sign)).join('')
}

/** Only what the level has. */
function clean(text: string, { edifact }: EdiSettings): string {
  const plain = edifact.level === 'UNOC' ? latin1(text) : ascii(text)
  return (edifact.level === 'UNOA' ? plain.toUpperCase() : plain).replace(LACKING[edifact.level], ' ').trim()
}

/** Words for people, cut to the component's length. */
export function words(text: string | undefined, length: number, settings: EdiSettings): string | undefined {
  return text === undefined ? undefined : clean(text, settings).slice(0, length).trim()
}

/** Words in components of one length, as many as there are; what is beyond is left out. */
export function lines(text: string | undefined, length: number, count: number, settings: EdiSettings): string[] {
  const all = text === undefined ? '' : clean(text, settings)
  const parts = Array.from({ length: count }, (_, at) => all.slice(at * length, (at + 1) * length).trim())
  return parts.filter((part) => part !== '')
}

/** A number by which a machine finds something: as it is, or the document is not written. */
export const number = (value: string, length: number, what: string, settings: EdiSettings): string =>
  asItIs(
    value,
    length,
    what,
    clean(value, settings),
    `it has a space at its end or a character that ${settings.edifact.level} has not; choose another level in the settings`,
  )

/** S009 of our messages. */
export function identifier(type: string, { edifact }: EdiSettings): readonly (string | undefined)[] {
  const [version, release] = edifact.directory === 'D96A' ? ['D', '96A'] : ['D', '01B']
  return [type, version, release, 'UN', edifact.association]
}
