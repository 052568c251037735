/**
 * Reads a file of X12 interchanges: ISA (GS (ST … SE)* GE)* IEA, any number of each. An envelope that does not close as it
 * opened, or counts other than it says, is not trusted: what stands inside it is refused and its sender told, since it may
 * have lost documents or lines. Everything beside it is read on.
 */
import { type FaultList, Findings, type Severity } from '../faults.js'
import { DOCUMENT_CHARS_MAX, DOCUMENT_SEGMENTS_MAX, DOCUMENTS_MAX, INTERCHANGES_MAX } from '../limits.js'
import { findInterchanges, HEADER_CHARS, type InterchangeStart, type Separators } from './header.js'
import { nameOf, parseSet, type TransactionSet } from './segments.js'

export interface ReceivedSet {
  type: string
  control: string
  /** Undefined: its envelope is damaged, `errors` says how. */
  set: TransactionSet | undefined
  findings: Findings
  /** Codes of AK502 (X12 element 718). */
  errors: string[]
}

export interface ReceivedGroup {
  /** GS01, such as `PO`. */
  functionalId: string
  sender: string
  receiver: string
  control: string
  /** GS08. */
  version: string
  sets: ReceivedSet[]
  /** What GE01 says; what was received where there is no GE. */
  included: number
  /** Codes of AK905 (X12 element 716): the group is rejected. */
  errors: string[]
}

export interface ReceivedInterchange {
  offset: number
  control: string
  sender: { qualifier: string; id: string }
  receiver: { qualifier: string; id: string }
  date: string
  time: string
  /** ISA12. */
  version: string
  /** ISA14: the sender asks for a TA1. */
  acknowledge: boolean
  test: boolean
  groups: ReceivedGroup[]
  /** Code of TA105 (X12 element I18); `000`: it is in order. Any other: nothing of it is taken. */
  error: string
}

/** The interchanges of a file. Faults of envelopes go to `faults`; faults of documents to their own findings. */
export function readX12(text: string, faults: FaultList): ReceivedInterchange[] {
  const starts = findInterchanges(text, INTERCHANGES_MAX)
  const room = { documents: DOCUMENTS_MAX }
  const before = text.slice(0, starts[0]?.offset ?? 0).trim()
  if (before !== '') {
    const message = `“${before.slice(0, 40)}” stands before the first readable ISA and was not read`
    faults.add({ severity: 'rejected', interchange: '', offset: 0, message })
  }
  const surplus = starts[INTERCHANGES_MAX]
  if (surplus) {
    const message = `a file has at most ${INTERCHANGES_MAX} interchanges; send the others in another`
    faults.add({ severity: 'rejected', interchange: '', offset: surplus.offset, message })
  }
  return starts.slice(0, INTERCHANGES_MAX).flatMap((start, at) => {
    const end = starts[at + 1]?.offset ?? text.length
    return new InterchangeReader(text.slice(start.offset, end), start, faults, room).read()
  })
}

class InterchangeReader {
  private readonly interchange: ReceivedInterchange
  private readonly separators: Separators
  private group: ReceivedGroup | undefined
  private open: { type: string; control: string; raw: string[]; chars: number } | undefined

  constructor(
    private readonly text: string,
    private readonly start: InterchangeStart,
    private readonly faults: FaultList,
    private readonly room: { documents: number },
  ) {
    this.separators = start.separators ?? { element: '*', component: '>', terminator: '~' }
    // Of a damaged header only the control number is read: it tells people which one it is.
    const fields = text.slice(0, HEADER_CHARS).split(text.charAt(3))
    const field = (n: number) => (start.separators || n === 13 ? (fields[n]?.trim() ?? '') : '')
    this.interchange = {
      offset: start.offset,
      control: /^\d{1,9}$/.test(field(13)) ? field(13) : '',
      sender: { qualifier: field(5), id: field(6) },
      receiver: { qualifier: field(7), id: field(8) },
      date: field(9),
      time: field(10),
      version: field(12),
      acknowledge: field(14) === '1',
      test: field(15) === 'T',
      groups: [],
      error: '000',
    }
  }

  read(): ReceivedInterchange[] {
    if (!this.start.separators) {
      this.reject('022', `${this.start.damage}; send it anew`)
      return [this.interchange]
    }
    if (this.interchange.control === '') this.reject('018', 'ISA13 is no control number of 9 digits')
    const pieces = this.text.slice(HEADER_CHARS).split(this.separators.terminator)
    const last = pieces.pop() ?? ''
    let ended = false
    for (const piece of pieces) {
      const raw = piece.trim()
      if (raw === '') continue
      if (ended) {
        this.tell(`“${raw.slice(0, 20)}” stands behind IEA and was not read`, undefined, 'noted')
        break
      }
      ended = this.take(raw)
    }
    // The last terminator of a file gets lost; a trailer that names the whole control number is one all the same.
    if (!ended && nameOf(last.trim(), this.separators) === 'IEA') ended = this.take(last.trim())
    else if (!ended) {
      const cut = last.trim() === '' ? '' : `; it breaks off in “${last.trim().slice(0, 40)}”`
      this.reject('023', `the interchange ends without IEA${cut}; send it anew`)
    } else if (last.trim() !== '') {
      this.tell(`“${last.trim().slice(0, 20)}” stands behind IEA and was not read`, undefined, 'noted')
    }
    return [this.interchange]
  }

  /** Takes one segment; true: the interchange is closed. */
  private take(raw: string): boolean {
    const name = nameOf(raw, this.separators)
    switch (name) {
      case 'GS':
        this.closeGroup(undefined)
        this.openGroup(this.elements(raw))
        return false
      case 'GE':
        this.closeGroup(this.elements(raw))
        return false
      case 'ST':
        this.closeSet(undefined)
        this.openSet(raw)
        return false
      case 'SE':
        this.closeSet(raw)
        return false
      case 'IEA':
        this.closeGroup(undefined)
        this.close(this.elements(raw))
        return true
      default:
        if (this.open) {
          this.open.chars += raw.length + 1
          const fits = this.open.chars <= DOCUMENT_CHARS_MAX && this.open.raw.length < DOCUMENT_SEGMENTS_MAX
          if (fits) this.open.raw.push(raw)
        } else if (name !== 'TA1' && this.interchange.error === '000') {
          this.reject('024', `segment “${name.slice(0, 20)}” stands outside of any document`)
        }
        return false
    }
  }

  private elements(raw: string): string[] {
    return raw
      .split(this.separators.element)
      .slice(1)
      .map((value) => value.trim())
  }

  private openGroup(elements: string[]): void {
    const at = (n: number) => elements[n - 1] ?? ''
    this.group = {
      functionalId: at(1),
      sender: at(2),
      receiver: at(3),
      control: at(6),
      version: at(8),
      sets: [],
      included: 0,
      errors: [],
    }
    this.interchange.groups.push(this.group)
    if (!/^\d{1,9}$/.test(at(6))) this.rejectGroup('6', 'GS06 is no control number')
  }

  private closeGroup(elements: string[] | undefined): void {
    this.closeSet(undefined)
    if (!this.group) {
      if (elements) this.reject('024', 'GE stands without GS')
      return
    }
    const { sets, control } = this.group
    this.group.included = sets.length
    if (!elements) this.rejectGroup('3', 'the group ends without GE')
    else {
      const [count = '', reference = ''] = elements
      if (!sameNumber(reference, control)) {
        this.rejectGroup('4', `GE02 is “${reference}” and GS06 “${control}”`)
      }
      if (!sameNumber(count, String(sets.length))) {
        this.rejectGroup('5', `GE01 says ${count || 'nothing'} and ${sets.length} documents came`)
        this.group.included = /^\d{1,6}$/.test(count) ? Number(count) : sets.length
      }
    }
    this.group = undefined
  }

  private openSet(raw: string): void {
    const [type = '', control = ''] = this.elements(raw)
    this.open = { type, control, raw: [raw], chars: raw.length + 1 }
    if (!this.group) {
      this.open = undefined
      if (this.interchange.error === '000')
        this.reject('024', `document ${type} ${control} stands outside of any group`)
    }
  }

  private closeSet(trailer: string | undefined): void {
    const { open, group } = this
    if (!open || !group) {
      if (trailer !== undefined && this.interchange.error === '000') this.reject('024', 'SE stands without ST')
      return
    }
    this.open = undefined
    const received: ReceivedSet = {
      type: open.type,
      control: open.control,
      set: undefined,
      findings: new Findings(),
      errors: [],
    }
    group.sets.push(received)
    const reject = (code: string, message: string) => {
      received.errors.push(code)
      received.findings.rejected = true
      this.tell(message, open)
    }
    this.room.documents--
    if (this.room.documents < 0) {
      reject('5', `a file has at most ${DOCUMENTS_MAX} documents; send the others in another`)
      return
    }
    if (!/^\d{3}$/.test(open.type)) reject('6', 'ST01 is no type of document')
    if (!/^[A-Za-z0-9]{1,9}$/.test(open.control)) reject('7', 'ST02 is no control number')
    if (trailer === undefined) {
      reject('2', 'the document ends without SE; send it anew')
      return
    }
    const [count = '', reference = ''] = this.elements(trailer)
    if (reference !== open.control) reject('3', `SE02 is “${reference}” and ST02 “${open.control}”`)
    if (open.chars > DOCUMENT_CHARS_MAX || open.raw.length >= DOCUMENT_SEGMENTS_MAX) {
      reject('5', `a document has at most ${DOCUMENT_CHARS_MAX} characters and ${DOCUMENT_SEGMENTS_MAX} segments`)
      return
    }
    if (!sameNumber(count, String(open.raw.length + 1))) {
      reject('4', `SE01 says ${count || 'nothing'} and ${open.raw.length + 1} segments came`)
    }
    if (received.errors.length > 0) return
    this.parse(received, [...open.raw, trailer])
  }

  private parse(received: ReceivedSet, raw: string[]): void {
    const { separators } = this
    raw.forEach((segment, at) => {
      const name = nameOf(segment, separators)
      if (/^[A-Z][A-Z0-9]{1,2}$/.test(name)) return
      const place = { segment: name.slice(0, 3), position: at + 1 }
      received.findings.add('unknownSegment', place, `“${name.slice(0, 20)}” is no segment`)
    })
    if (received.findings.rejected) return
    const segments = parseSet(this.text.slice(0, HEADER_CHARS), raw, separators)
    received.set = { type: received.type, control: received.control, segments, separators }
  }

  private close(elements: string[]): void {
    const { control, groups, error } = this.interchange
    if (error !== '000') return
    const [count = '', reference = ''] = elements
    if (!sameNumber(reference, control)) this.reject('001', `IEA02 is “${reference}” and ISA13 “${control}”`)
    else if (!sameNumber(count, String(groups.length))) {
      this.reject('021', `IEA01 says ${count || 'nothing'} and ${groups.length} groups came`)
    }
  }

  private reject(code: string, message: string): void {
    this.interchange.error = code
    this.tell(message)
  }

  private rejectGroup(code: string, message: string): void {
    this.group?.errors.push(code)
    this.tell(message)
  }

  private tell(message: string, document?: { type: string; control: string }, severity: Severity = 'rejected'): void {
    this.faults.add({
      severity,
      interchange: this.interchange.control,
      offset: this.interchange.offset,
      ...(this.group ? { group: this.group.control } : {}),
      ...(document ? { document: document.type, control: document.control } : {}),
      message,
    })
  }
}

/** Leading zeros do not count: `000003438` and `3438` are one control number. */
function sameNumber(left: string, right: string): boolean {
  return /^\d{1,9}$/.test(left) && /^\d{1,9}$/.test(right) && Number(left) === Number(right)
}
