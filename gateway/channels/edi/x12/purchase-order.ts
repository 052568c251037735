/**
 * X12 850 purchase order into an order of the channel. Read are BEG, CUR, N1 loops (ST, BY, BT), PER, DTM, TD5, SAC, TXI,
 * MSG, PO1 with its SAC, TXI and MSG, CTT and AMT; all other segments are the partner's own business and are passed over.
 */

import { isoDate } from '../dates.js'
import { fromImpliedCents, tenThousandths } from '../decimal.js'
import type { Findings } from '../faults.js'
import {
  addTax,
  type DraftLine,
  type DraftParty,
  emptyDraft,
  emptyParty,
  type OrderDraft,
  type Purpose,
  type Read,
  type ReadOrder,
} from '../order-draft.js'
import { element, needed, neededSegment, type TransactionSet, type X12Segment } from './segments.js'

/** What BEG01 (element 353) says the document is. */
const PURPOSES = new Map([
  ['00', 'order'],
  ['06', 'order'],
  ['07', 'order'],
  ['01', 'cancellation'],
  ['05', 'replacement'],
] as const)

/** PO105 (element 639): prices that are for more than one piece. */
const PRICE_BASES = new Map([
  ['HP', 100n],
  ['TP', 1_000n],
])
/** DTM01 (element 374) that people in the warehouse want to know. */
const DATES = new Map([
  ['001', 'Cancel after'],
  ['002', 'Deliver on'],
  ['010', 'Ship on'],
  ['037', 'Ship not before'],
  ['038', 'Ship not later than'],
  ['063', 'Deliver not later than'],
  ['064', 'Deliver not before'],
])
/** SAC02 (element 1300): the taxes stand together among the codes that begin with H6, H7 and H8, such as H850. */
const TAX_CODES = /^H[678]\d\d$/

/** The 850, or undefined with what is wrong among the findings. */
export function readPurchaseOrder(set: TransactionSet, findings: Findings): ReadOrder | undefined {
  const beg = neededSegment(set, 'BEG', findings)
  if (!beg) return undefined
  const code = needed(beg, 1, findings, 'the purpose')
  // Codes that are not in the table are looked up all the same: the map's key type is narrower than what partners write.
  const purpose = (PURPOSES as ReadonlyMap<string, Purpose>).get(code)
  if (code !== '' && !purpose) {
    findings.add('invalid', beg, `purpose ${code} is not taken: 00, 01, 05, 06 and 07 are`, { element: 1, value: code })
  }
  const number = needed(beg, 3, findings, 'the purchase order’s number')
  const draft = emptyDraft({ text: number, place: beg, element: 3 })
  new PurchaseOrderReader(draft, findings).read(set.segments)
  if (purpose !== 'cancellation' && draft.lines.length === 0) neededSegment(set, 'PO1', findings)
  return purpose ? { purpose, draft } : undefined
}

class PurchaseOrderReader {
  private line: DraftLine | undefined
  private party: DraftParty | undefined
  /** Whom to ask about the whole order: a PER that stands before all parties. */
  private contact: DraftParty | undefined

  constructor(
    private readonly draft: OrderDraft,
    private readonly findings: Findings,
  ) {}

  read(segments: readonly X12Segment[]): void {
    for (const segment of segments) this.take(segment)
    const whole = this.draft.buyer ?? this.draft.shipTo
    if (!whole || !this.contact) return
    whole.email ||= this.contact.email
    whole.phone ||= this.contact.phone
  }

  private take(segment: X12Segment): void {
    const at = (n: number) => element(segment, n)
    switch (segment.segment) {
      case 'PO1':
        this.party = undefined
        this.line = this.readLine(segment)
        this.draft.lines.push(this.line)
        return
      case 'CTT':
        this.line = undefined
        this.party = undefined
        if (at(1) !== '') this.draft.lineCount = read(segment, 1)
        return
      case 'CUR':
        this.draft.currency = read(segment, 2, needed(segment, 2, this.findings, 'the currency'))
        return
      case 'N1':
        this.openParty(segment)
        return
      case 'N2':
        if (this.party) this.party.name = [this.party.name, at(1), at(2)].filter((text) => text !== '').join(', ')
        return
      case 'N3':
        this.party?.street.push(...[at(1), at(2)].filter((text) => text !== ''))
        return
      case 'N4':
        if (this.party) {
          this.party.city = at(1)
          this.party.region = at(2)
          this.party.postalCode = at(3)
          this.party.country = at(4)
        }
        return
      case 'PER':
        this.readContact(segment)
        return
      case 'DTM':
        this.readDate(segment)
        return
      case 'TD5':
        this.draft.services.push(...[at(12), at(3), at(5)].filter((text) => text !== ''))
        return
      case 'SAC':
        this.readAllowance(segment)
        return
      case 'TXI':
        this.readTax(segment)
        return
      case 'MSG':
        this.note(at(1))
        return
      case 'NTE':
        this.note(at(2))
        return
      case 'AMT':
        if (!this.line && (at(1) === 'TT' || at(1) === '1')) {
          this.draft.total = { ...read(segment, 2, at(2)), of: at(1) === 'TT' ? 'order' : 'lines' }
        }
    }
  }

  private readLine(segment: X12Segment): DraftLine {
    const numbers = new Map<string, string>()
    // Pairs of qualifier and number from PO106 on: element 235 before 234.
    for (let n = 6; n <= 24; n += 2) {
      const [qualifier, number] = [element(segment, n), element(segment, n + 1)]
      if (qualifier !== '' && number !== '' && !numbers.has(qualifier)) numbers.set(qualifier, number)
    }
    return {
      place: segment,
      lineId: element(segment, 1) || String(this.draft.lines.length + 1),
      numbers,
      quantity: read(segment, 2),
      unit: read(segment, 3),
      price: read(segment, 4),
      priceBasis: PRICE_BASES.get(element(segment, 5)) ?? 1n,
      allowances: 0n,
      charges: 0n,
      taxes: [],
      note: '',
    }
  }

  /** Behind PO1, N1 loops say where parts of a line go; only those of the whole order are its addresses. */
  private openParty(segment: X12Segment): void {
    this.party = emptyParty(segment, element(segment, 2), element(segment, 4))
    if (this.line) return
    const role = element(segment, 1)
    if (role === 'ST') this.draft.shipTo ??= this.party
    else if (role === 'BY' || (role === 'BT' && !this.draft.buyer)) this.draft.buyer = this.party
  }

  private readContact(segment: X12Segment): void {
    if (!this.party && this.line) return
    if (!this.party) this.contact ??= emptyParty(segment, '', '')
    const party = this.party ?? this.contact
    if (!party) return
    for (let n = 3; n <= 7; n += 2) {
      const [qualifier, number] = [element(segment, n), element(segment, n + 1)]
      if (qualifier === 'EM') party.email = number
      else if (qualifier === 'TE' || (qualifier === 'CP' && party.phone === '')) party.phone = number
    }
  }

  private readDate(segment: X12Segment): void {
    const meaning = DATES.get(element(segment, 1))
    if (this.line || meaning === undefined) return
    const text = element(segment, 2)
    const date = isoDate(text)
    if (date) this.note(`${meaning} ${date}`)
    else {
      const more = { element: 2, value: text, severity: 'noted' } as const
      this.findings.add('date', segment, `“${text.slice(0, 20)}” is no date`, more)
    }
  }

  /** SAC05 has two digits behind a point that is not written (N2). */
  private readAllowance(segment: X12Segment): void {
    const kind = element(segment, 1)
    if (kind !== 'A' && kind !== 'C') return
    const text = element(segment, 5)
    const amount = fromImpliedCents(text)
    if (amount === undefined || amount < 0n) {
      const message =
        text === ''
          ? 'an allowance or charge without an amount: rates alone are not reckoned with'
          : `the amount “${text.slice(0, 20)}” is none: it is written in cents, without a point`
      this.findings.add(text === '' ? 'missing' : 'invalid', segment, message, { element: 5, value: text })
      return
    }
    const target = this.line ?? this.draft
    if (kind === 'A') target.allowances += amount
    else if (TAX_CODES.test(element(segment, 2))) {
      addTax(target.taxes, { name: element(segment, 15) || element(segment, 2), amount })
    } else target.charges += amount
  }

  private readTax(segment: X12Segment): void {
    const text = element(segment, 2)
    if (text === '') return
    const amount = tenThousandths(text)
    if (amount === undefined || amount < 0n) {
      this.findings.add('invalid', segment, `the tax “${text.slice(0, 20)}” is no amount`, { element: 2, value: text })
    } else if (amount > 0n) {
      addTax((this.line ?? this.draft).taxes, { name: element(segment, 1) || 'Tax', amount })
    }
  }

  private note(text: string): void {
    if (this.line) this.line.note = [this.line.note, text].filter((part) => part !== '').join('\n')
    else if (text !== '' && this.draft.notes.length < 100) this.draft.notes.push(text)
  }
}

const read = (place: X12Segment, n: number, text = element(place, n)): Read => ({ text, place, element: n })
