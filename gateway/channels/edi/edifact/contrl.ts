/**
 * EDIFACT CONTRL (ISO 9735-4 and its forerunner, version D.3): what we say of what a partner sent. UCI answers the
 * interchange, UCM each message, UCS and UCD the segments and elements that are wrong.
 */
import type { Stamp } from '../documents.js'
import type { Cause, Finding, Findings } from '../faults.js'
import type { Receipt, Source } from '../records.js'
import type { EdiParty, EdiSettings } from '../settings.js'
import type { ReceivedInterchange, ReceivedMessage } from './interchanges.js'
import { component, type EdifactSegment, needed } from './segments.js'
import { edifactInterchange, type Written, type WrittenMessage, words } from './writer.js'

/** 0085. */
const CODES: Readonly<Record<Cause, string>> = {
  missing: '13',
  missingSegment: '13',
  unknownSegment: '15',
  invalid: '12',
  date: '12',
  tooLong: '39',
  character: '21',
  count: '29',
}
/** 0083: rejected with all below; acknowledged, and what is below as far as it is not rejected itself. */
const REJECTED = '4'
const ACKNOWLEDGED = '7'
const IDENTIFIER = ['CONTRL', 'D', '3', 'UN']

export function edifactAcknowledgement(
  interchanges: readonly ReceivedInterchange[],
  settings: EdiSettings,
  stamp: Stamp,
): string {
  const answered = interchanges.filter(
    ({ reference, sender, receiver, messages, error }) =>
      reference !== '' &&
      sender.id !== '' &&
      receiver.id !== '' &&
      // Nobody answers an answer, or two systems would never stop.
      (error !== '' || messages.length === 0 || messages.some(({ type }) => type !== 'CONTRL')),
  )
  const [first] = answered
  if (!first) return ''
  const party = (end: ReceivedInterchange['sender']): EdiParty => ({
    qualifier: words(end.qualifier, 4, settings) ?? '',
    id: words(end.id, 35, settings) || 'UNKNOWN',
  })
  const ends = { from: party(first.receiver), to: party(first.sender) }
  const messages = answered.map(
    (interchange): WrittenMessage => ({
      identifier: IDENTIFIER,
      segments: answer(interchange, settings),
    }),
  )
  return edifactInterchange(messages, settings, stamp, ends)
}

function answer(interchange: ReceivedInterchange, settings: EdiSettings): Written[] {
  const { reference, sender, receiver, error, messages } = interchange
  const end = ({ id, qualifier }: typeof sender) => [words(id, 35, settings), words(qualifier, 4, settings)]
  const uci: Written = [
    'UCI',
    words(reference, 14, settings),
    end(sender),
    end(receiver),
    error === '' ? ACKNOWLEDGED : REJECTED,
    error,
  ]
  if (error !== '') return [uci]
  return [
    uci,
    ...messages.filter(({ type }) => type !== 'CONTRL').flatMap((message) => messageAnswer(message, settings)),
  ]
}

function messageAnswer(message: ReceivedMessage, settings: EdiSettings): Written[] {
  const { reference, identifier, findings, error } = message
  const rejected = findings.rejected
  // A code stands where something is rejected; what is wrong with segments stands behind it.
  const code = rejected ? error || (findings.list.length === 0 ? '18' : undefined) : undefined
  const ucm: Written = [
    'UCM',
    words(reference, 14, settings) || '0',
    identifier.map((text) => words(text, 6, settings)),
    rejected ? REJECTED : ACKNOWLEDGED,
    code,
  ]
  return [ucm, ...segmentAnswers(findings.list)]
}

function segmentAnswers(findings: readonly Finding[]): Written[] {
  const segments = new Map<number, Finding[]>()
  for (const finding of findings) {
    const same = segments.get(finding.position)
    if (same) same.push(finding)
    else segments.set(finding.position, [finding])
  }
  return [...segments].flatMap(([position, same]): Written[] => {
    const whole = same.find(({ element }) => element === undefined)
    const elements = same.filter(({ element }) => element !== undefined)
    return [
      ['UCS', String(position), whole ? CODES[whole.cause] : undefined],
      ...elements.map(({ cause, element }): Written => ['UCD', CODES[cause], String(element)]),
    ]
  })
}

/** A partner's CONTRL to what we sent. */
export function readContrl(
  segments: readonly EdifactSegment[],
  source: Source,
  findings: Findings,
): Receipt | undefined {
  const uci = segments.find(({ segment }) => segment === 'UCI')
  if (!uci) {
    findings.add('missingSegment', { segment: 'UCI', position: 2 }, 'CONTRL has no segment UCI, which it has to have')
    return undefined
  }
  const answers = needed(uci, 1, findings, 'the interchange’s reference')
  const action = needed(uci, 4, findings, 'the action')
  const documents: Receipt['documents'] = []
  const errors: string[] = []
  const tell = (text: string) => {
    if (errors.length < 100) errors.push(text)
  }
  if (component(uci, 5) !== '') tell(`the interchange: code ${component(uci, 5)}`)
  let document = ''
  let position = ''
  for (const segment of segments) {
    if (segment.segment === 'UCM') {
      document = component(segment, 1)
      documents.push({ control: document, accepted: component(segment, 3) !== REJECTED })
      if (component(segment, 4) !== '') tell(`${document}: code ${component(segment, 4)}`)
    } else if (segment.segment === 'UCS') {
      position = `${document}: segment ${component(segment, 1)}`
      if (component(segment, 2) !== '') tell(`${position}, code ${component(segment, 2)}`)
    } else if (segment.segment === 'UCD')
      tell(`${position}, element ${component(segment, 2)}, code ${component(segment, 1)}`)
  }
  if (findings.rejected) return undefined
  const refused = documents.filter(({ accepted }) => !accepted).length
  const status =
    action === REJECTED || (refused > 0 && refused === documents.length)
      ? 'rejected'
      : refused > 0
        ? 'partlyRejected'
        : errors.length > 0
          ? 'acceptedWithErrors'
          : 'accepted'
  return { source, answers, status, documents, errors }
}
