/**
 * Reads a file of EDIFACT interchanges: [UNA] UNB (UNH … UNT)* UNZ, with or without groups (UNG, UNE), any number of
 * each, each with its own separators. As with X12, an envelope that does not close as it opened is not trusted, its sender
 * is told, and everything beside it is read on.
 */
import { type FaultList, Findings, type Severity } from '../faults.js'
import { DOCUMENT_CHARS_MAX, DOCUMENT_SEGMENTS_MAX, DOCUMENTS_MAX } from '../limits.js'
import { cut, type Piece } from './cutting.js'
import { component, type EdifactSegment, SegmentReader } from './segments.js'

export interface ReceivedMessage {
  /** 0062 of UNH. */
  reference: string
  /** S009 of UNH: type, version, release, agency, association. */
  type: string
  identifier: readonly string[]
  /** UNH to UNT; empty where the envelope is damaged, `error` says how. */
  segments: EdifactSegment[]
  findings: Findings
  /** Code 0085 of UCM; empty: in order. */
  error: string
}

export interface ReceivedInterchange {
  offset: number
  /** 0020. */
  reference: string
  sender: { qualifier: string; id: string }
  receiver: { qualifier: string; id: string }
  /** S001: syntax identifier and version. */
  level: string
  test: boolean
  messages: ReceivedMessage[]
  /** Code 0085 of UCI; empty: in order. Else nothing of it is taken. */
  error: string
}

/** UCI and UCM codes (0085) that are used here. */
const CODES = {
  level: '2',
  invalid: '12',
  missing: '13',
  unspecified: '18',
  character: '21',
  references: '28',
  count: '29',
  outside: '33',
} as const
/** Levels (0001) whose text is read; what bytes they are made of is decoded before. */
const LEVELS = new Set(['UNOA', 'UNOB', 'UNOC', 'UNOW', 'UNOY'])

export function readEdifact(text: string, faults: FaultList): ReceivedInterchange[] {
  const room = { documents: DOCUMENTS_MAX }
  return cut(text, faults).map((piece) => new InterchangeReader(piece, faults, room).read())
}

class InterchangeReader {
  private readonly interchange: ReceivedInterchange
  private readonly reader: SegmentReader
  private group: { reference: string; before: number } | undefined
  private groups = 0
  private open: (ReceivedMessage & { chars: number; count: number }) | undefined

  constructor(
    private readonly piece: Piece,
    private readonly faults: FaultList,
    private readonly room: { documents: number },
  ) {
    this.reader = new SegmentReader(piece.separators)
    this.interchange = {
      offset: piece.offset,
      reference: '',
      sender: { qualifier: '', id: '' },
      receiver: { qualifier: '', id: '' },
      level: '',
      test: false,
      messages: [],
      error: '',
    }
  }

  read(): ReceivedInterchange {
    const { raw, rest } = this.piece
    let ended = false
    for (const text of raw) {
      if (ended) {
        this.tell(`“${text.trim().slice(0, 20)}” stands behind UNZ and was not read`, 'noted')
        break
      }
      ended = this.take(text)
    }
    // The last terminator of a file gets lost; a trailer that names the whole reference is one all the same.
    if (!ended && rest.startsWith('UNZ')) ended = this.take(rest.trim())
    else if (rest.trim() !== '' && ended) {
      this.tell(`“${rest.trim().slice(0, 20)}” stands behind UNZ and was not read`, 'noted')
    }
    if (!ended) {
      this.close(undefined)
      const cut = rest.trim() === '' ? '' : `; it breaks off in “${rest.trim().slice(0, 40)}”`
      this.reject(CODES.missing, `the interchange ends without UNZ${cut}; send it anew`)
    }
    return this.interchange
  }

  /** Takes one segment; true: the interchange is closed. */
  private take(raw: string): boolean {
    const { open } = this
    if (raw === '') return false
    const position = open ? open.count + 1 : 1
    let segment: EdifactSegment
    try {
      segment = this.reader.read(raw, position)
    } catch (error) {
      this.damaged(raw, position, error instanceof Error ? error.message : String(error))
      return false
    }
    switch (segment.segment) {
      case 'UNB':
        this.header(segment)
        return false
      case 'UNG':
        this.closeMessage(undefined)
        this.groups++
        this.group = { reference: component(segment, 5), before: this.interchange.messages.length }
        return false
      case 'UNE':
        this.closeMessage(undefined)
        this.closeGroup(segment)
        return false
      case 'UNH':
        this.closeMessage(undefined)
        this.openMessage(segment, raw.length)
        return false
      case 'UNT':
        this.closeMessage(segment)
        return false
      case 'UNZ':
        this.close(segment)
        return true
      default:
        if (open) {
          open.count++
          open.chars += raw.length + 1
          if (open.chars <= DOCUMENT_CHARS_MAX && open.count < DOCUMENT_SEGMENTS_MAX) open.segments.push(segment)
        } else this.reject(CODES.outside, `segment ${segment.segment} stands outside of any message`)
        return false
    }
  }

  private damaged(raw: string, position: number, message: string): void {
    const { open } = this
    const name = /^[A-Z]{1,3}/.exec(raw)?.[0] ?? '?'
    const text = `“${raw.slice(0, 20)}” can’t be read: ${message}`
    if (!open) {
      this.reject(name === 'UNB' || name === 'UNZ' ? CODES.invalid : CODES.outside, text)
      return
    }
    open.count++
    const cause = /^[A-Z]{3}/.test(raw) ? 'character' : 'unknownSegment'
    open.findings.add(cause, { segment: name, position }, text)
  }

  private header(segment: EdifactSegment): void {
    const { interchange } = this
    if (interchange.level !== '' || interchange.messages.length > 0) {
      this.reject(CODES.outside, 'UNB stands twice')
      return
    }
    const end = (n: number) => ({ qualifier: component(segment, n, 2), id: component(segment, n) })
    interchange.level = component(segment, 1)
    interchange.sender = end(2)
    interchange.receiver = end(3)
    interchange.reference = component(segment, 5).slice(0, 14)
    interchange.test = component(segment, 11) === '1'
    if (interchange.reference === '') this.reject(CODES.missing, 'UNB has no control reference')
    else if (!LEVELS.has(interchange.level)) {
      this.reject(CODES.level, `the level ${interchange.level.slice(0, 4)} is not read: ${[...LEVELS].join(', ')} are`)
    }
  }

  private openMessage(segment: EdifactSegment, chars: number): void {
    const identifier = (segment.elements[1] ?? []).slice(0, 5).map((text) => text.trim())
    this.open = {
      reference: component(segment, 1),
      type: identifier[0] ?? '',
      identifier,
      segments: [segment],
      findings: new Findings(),
      error: '',
      chars,
      count: 1,
    }
  }

  private closeMessage(trailer: EdifactSegment | undefined): void {
    const { open } = this
    if (!open) {
      if (trailer) this.reject(CODES.outside, 'UNT stands without UNH')
      return
    }
    this.open = undefined
    const { chars, count, ...message } = open
    this.interchange.messages.push(message)
    const reject = (code: string, text: string) => {
      if (message.error === '') message.error = code
      message.findings.rejected = true
      message.segments = []
      this.tell(text, 'rejected', message)
    }
    this.room.documents--
    if (this.room.documents < 0) {
      reject(CODES.unspecified, `a file has at most ${DOCUMENTS_MAX} documents; send the others in another`)
      return
    }
    if (message.reference === '' || message.type === '') {
      reject(CODES.missing, 'UNH names no message')
      return
    }
    if (!trailer) {
      reject(CODES.missing, 'the message ends without UNT; send it anew')
      return
    }
    const reference = component(trailer, 2)
    if (reference !== message.reference) {
      reject(CODES.references, `UNT’s reference is “${reference}” and UNH’s “${message.reference}”`)
      return
    }
    if (chars > DOCUMENT_CHARS_MAX || count >= DOCUMENT_SEGMENTS_MAX) {
      const most = `${DOCUMENT_CHARS_MAX} characters and ${DOCUMENT_SEGMENTS_MAX} segments`
      reject(CODES.unspecified, `a message has at most ${most}`)
      return
    }
    if (!isCount(component(trailer, 1), count + 1)) {
      reject(CODES.count, `UNT says ${component(trailer, 1) || 'nothing'} and ${count + 1} segments came`)
      return
    }
    message.segments.push(trailer)
  }

  private closeGroup(trailer: EdifactSegment): void {
    const { group, interchange } = this
    this.group = undefined
    if (!group) {
      this.reject(CODES.outside, 'UNE stands without UNG')
      return
    }
    const came = interchange.messages.length - group.before
    const [count, reference] = [component(trailer, 1), component(trailer, 2)]
    if (reference !== group.reference) {
      this.reject(CODES.references, `UNE’s reference is “${reference}” and UNG’s “${group.reference}”`)
    } else if (!isCount(count, came))
      this.reject(CODES.count, `UNE says ${count || 'nothing'} and ${came} messages came`)
  }

  private close(trailer: EdifactSegment | undefined): void {
    const { interchange } = this
    this.closeMessage(undefined)
    if (this.group) this.reject(CODES.missing, 'the group ends without UNE')
    if (!trailer) return
    const [count, reference] = [component(trailer, 1), component(trailer, 2)]
    const came = this.groups > 0 ? this.groups : interchange.messages.length
    if (reference !== interchange.reference) {
      this.reject(CODES.references, `UNZ’s reference is “${reference}” and UNB’s “${interchange.reference}”`)
    } else if (!isCount(count, came)) this.reject(CODES.count, `UNZ says ${count || 'nothing'} and ${came} came`)
  }

  /** The first reason counts; the others would follow from it. */
  private reject(code: string, message: string): void {
    if (this.interchange.error !== '') return
    this.interchange.error = code
    this.tell(message, 'rejected')
  }

  private tell(message: string, severity: Severity, document?: ReceivedMessage): void {
    this.faults.add({
      severity,
      interchange: this.interchange.reference,
      offset: this.interchange.offset,
      ...(this.group ? { group: this.group.reference } : {}),
      ...(document ? { document: document.type.slice(0, 6), control: document.reference.slice(0, 14) } : {}),
      message,
    })
  }
}

const isCount = (text: string, count: number): boolean => /^\d{1,6}$/.test(text) && Number(text) === count
