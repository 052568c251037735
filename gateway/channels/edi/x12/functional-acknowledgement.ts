/**
 * X12 997 functional acknowledgement (X12.20) and TA1 interchange acknowledgement (X12.5): what we say of what a partner
 * sent. One 997 for each group; sets that were taken are A, with notes E, refused ones R with the segments and elements.
 */
import type { Stamp } from '../documents.js'
import type { Cause, Finding } from '../faults.js'
import type { EdiParty, EdiSettings } from '../settings.js'
import type { ReceivedGroup, ReceivedInterchange, ReceivedSet } from './interchanges.js'
import { type Envelope, type Written, type WrittenSet, words, x12Interchange } from './writer.js'

/** AK304 (element 720). */
const SEGMENT_CODES: Readonly<Record<Cause, string>> = {
  missing: '8',
  missingSegment: '3',
  unknownSegment: '1',
  invalid: '8',
  date: '8',
  tooLong: '8',
  character: '8',
  count: '8',
}
/** AK403 (element 723). */
const ELEMENT_CODES: Readonly<Record<Cause, string>> = {
  missing: '1',
  missingSegment: '1',
  unknownSegment: '7',
  invalid: '7',
  date: '8',
  tooLong: '5',
  character: '6',
  count: '7',
}
/** AK402: the data dictionary's numbers of the elements that findings are about. */
const ELEMENTS = new Map(
  Object.entries({
    BEG: ['353', '92', '324', '328', '373'],
    BAK: ['353', '587', '324', '373'],
    BSN: ['353', '396', '373', '337', '1005'],
    BIA: ['353', '755', '127', '373'],
    W06: ['514', '285', '373', '145'],
    W12: ['368', '380', '382', '411', '355', '438', '235', '234'],
    PO1: ['350', '330', '355', '212', '639', '235', '234'],
    ACK: ['668', '380', '355', '374', '373'],
    LIN: ['350', '235', '234'],
    SN1: ['350', '382', '355'],
    HL: ['628', '734', '735'],
    PRF: ['324'],
    QTY: ['673', '380', '355'],
    CUR: ['98', '100'],
    DTM: ['374', '373'],
    SAC: ['248', '1300', '559', '1301', '610'],
    TXI: ['963', '782'],
    CTT: ['354'],
    AMT: ['522', '782'],
    N4: ['19', '156', '116', '26'],
  }),
)
const ERRORS_SHOWN = 5

/** The file's answer: one interchange with a TA1 for each damaged or curious one, and a 997 for each group. */
export function x12Acknowledgement(
  interchanges: readonly ReceivedInterchange[],
  settings: EdiSettings,
  stamp: Stamp,
): string {
  const first = interchanges.find(({ sender, receiver }) => sender.id !== '' && receiver.id !== '')
  if (!first) return ''
  const notices = interchanges
    .filter(({ error, acknowledge, control }) => control !== '' && (error !== '000' || acknowledge))
    .map(interchangeNotice)
  const whole = interchanges.filter(({ error }) => error === '000').flatMap(({ groups }) => groups)
  // Nobody answers an answer, or two systems would never stop.
  const answered = whole.filter(({ functionalId }) => functionalId !== 'FA')
  const sets = answered.map((group): WrittenSet => ({ type: '997', segments: groupAnswer(group) }))
  if (sets.length + notices.length === 0) return ''
  return x12Interchange('FA', sets, settings, stamp, answering(first, answered[0], settings), notices)
}

/** Back to where the file came from, as it named itself and us, with its own version. */
function answering(
  { sender, receiver, version }: ReceivedInterchange,
  group: ReceivedGroup | undefined,
  settings: EdiSettings,
): Envelope {
  const party = (end: typeof sender, code: string | undefined): EdiParty => ({
    qualifier: words(end.qualifier, 2) || 'ZZ',
    id: words(end.id, 15) || 'UNKNOWN',
    group: words(code, 15) || words(end.id, 15) || 'UNKNOWN',
  })
  const release = /^00[34578]0\d0[A-Z0-9]{0,6}$/.test(group?.version ?? '') ? group?.version : undefined
  return {
    from: party(receiver, group?.receiver),
    to: party(sender, group?.sender),
    version: release ?? (/^00[3-8]0\d$/.test(version) ? `${version}0` : settings.x12.version),
  }
}

function interchangeNotice({ control, date, time, error }: ReceivedInterchange): Written {
  return ['TA1', control.padStart(9, '0'), words(date, 6), words(time, 4), error === '000' ? 'A' : 'R', error]
}

const isTaken = (set: ReceivedSet): boolean => set.set !== undefined && !set.findings.rejected

function groupAnswer(group: ReceivedGroup): Written[] {
  const { sets, errors, included } = group
  const taken = errors.length > 0 ? 0 : sets.filter(isTaken).length
  const noted = sets.some(({ findings }) => findings.list.length > 0)
  const code = taken === 0 ? 'R' : taken < sets.length ? 'P' : noted ? 'E' : 'A'
  return [
    ['AK1', words(group.functionalId, 2) || 'ZZ', words(group.control, 9) || '0'],
    // A group that is refused as a whole says nothing of its sets.
    ...(errors.length > 0 ? [] : sets.flatMap(setAnswer)),
    ['AK9', code, String(included), String(sets.length), String(taken), ...errors.slice(0, ERRORS_SHOWN)],
  ]
}

function setAnswer(set: ReceivedSet): Written[] {
  const { findings, errors } = set
  const codes = [...errors, ...(errors.length === 0 && findings.list.length > 0 ? ['5'] : [])]
  const code = isTaken(set) ? (findings.list.length > 0 ? 'E' : 'A') : 'R'
  return [
    ['AK2', words(set.type, 3) || '000', words(set.control, 9) || '0'],
    ...segmentAnswers(findings.list),
    ['AK5', code, ...codes.slice(0, ERRORS_SHOWN)],
  ]
}

/** One AK3 for each segment, with an AK4 for each of its elements. */
function segmentAnswers(findings: readonly Finding[]): Written[] {
  const segments = new Map<string, Finding[]>()
  for (const finding of findings) {
    const key = `${finding.position} ${finding.segment} ${SEGMENT_CODES[finding.cause]}`
    const same = segments.get(key)
    if (same) same.push(finding)
    else segments.set(key, [finding])
  }
  return [...segments.values()].flatMap((same): Written[] => {
    const [first] = same
    if (!first) return []
    return [
      ['AK3', words(first.segment, 3) || 'ZZ', String(first.position), undefined, SEGMENT_CODES[first.cause]],
      ...same.flatMap((finding): Written[] => (finding.element === undefined ? [] : [elementAnswer(finding)])),
    ]
  })
}

function elementAnswer({ segment, element = 1, cause, value }: Finding): Written {
  // From PO106 on, qualifiers and numbers take turns.
  const known = ELEMENTS.get(segment)?.[element - 1]
  return ['AK4', String(element), known, ELEMENT_CODES[cause], words(value, 99)]
}
