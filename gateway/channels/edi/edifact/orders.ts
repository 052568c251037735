/**
 * EDIFACT ORDERS (D.96A and D.01B, which differ in components that are not read here) into an order of the channel: BGM,
 * DTM, FTX, NAD with CTA and COM, CUX, TDT, ALC, TAX, MOA, LIN with PIA, QTY, PRI, then UNS, CNT and the totals.
 */
import { isoDate } from '../dates.js'
import { tenThousandths } from '../decimal.js'
import type { Findings } from '../faults.js'
import {
  addTax,
  type DraftLine,
  type DraftParty,
  emptyDraft,
  emptyParty,
  type OrderDraft,
  type Purpose,
  type ReadOrder,
} from '../order-draft.js'
import { component, type EdifactSegment, needed } from './segments.js'

/** 1225 of BGM. */
const PURPOSES: ReadonlyMap<string, Purpose> = new Map([
  ['', 'order'],
  ['9', 'order'],
  ['6', 'order'],
  ['7', 'order'],
  ['1', 'cancellation'],
  ['5', 'replacement'],
] as const)

/** 1001 of BGM: orders that are to be delivered; not 221, which only opens a blanket order. */
const ORDER_TYPES = new Set(['', '105', '220', '224'])
/** 2005 of DTM. */
const DATES = new Map([
  ['2', 'Deliver on'],
  ['10', 'Ship on'],
  ['61', 'Cancel after'],
  ['63', 'Deliver not later than'],
  ['64', 'Deliver not before'],
])
/** 3035 of NAD, the most telling first. */
const SHIP_TO = ['DP', 'ST', 'UC', 'CN']
/** 5125 of PRI: net, gross, and no other; the most telling first. */
const PRICES = ['AAA', 'AAB', 'INV', '']
/** 5025 of MOA: what an allowance or a charge comes to. */
const ALLOWANCE_AMOUNTS = new Set(['8', '23', '204'])
const TAX_AMOUNT = '124'
const NOTES_MAX = 100

export function readOrders(segments: readonly EdifactSegment[], findings: Findings): ReadOrder | undefined {
  const bgm = segments.find(({ segment }) => segment === 'BGM')
  if (!bgm) {
    findings.add('missingSegment', { segment: 'BGM', position: 2 }, 'ORDERS has no segment BGM, which it has to have')
    return undefined
  }
  const [type, code] = [component(bgm, 1), component(bgm, 3)]
  if (!ORDER_TYPES.has(type)) {
    findings.add('invalid', bgm, `orders of type ${type.slice(0, 10)} are not taken`, { element: 1, value: type })
  }
  const purpose = PURPOSES.get(code)
  if (!purpose) {
    const message = `function ${code.slice(0, 10)} is not taken: 1, 5, 6, 7 and 9 are`
    findings.add('invalid', bgm, message, { element: 3, value: code })
  }
  const number = needed(bgm, 2, findings, 'the order’s number')
  const draft = emptyDraft({ text: number, place: bgm, element: 2 })
  new OrdersReader(draft, findings).read(segments)
  return purpose ? { purpose, draft } : undefined
}

class OrdersReader {
  private line: DraftLine | undefined
  private linePrice = PRICES.length
  private party: DraftParty | undefined
  private shipToRank = SHIP_TO.length
  /** An allowance or charge whose amount has not come yet. */
  private allowance: { kind: 'A' | 'C'; at: EdifactSegment } | undefined
  private tax = ''
  private summary = false

  constructor(
    private readonly draft: OrderDraft,
    private readonly findings: Findings,
  ) {}

  read(segments: readonly EdifactSegment[]): void {
    for (const segment of segments) this.take(segment)
    this.closeAllowance()
  }

  private take(segment: EdifactSegment): void {
    const at = (n: number, c = 1) => component(segment, n, c)
    switch (segment.segment) {
      case 'LIN':
        this.closeAllowance()
        this.party = undefined
        this.tax = ''
        this.openLine(segment)
        return
      case 'PIA':
        for (let n = 2; n <= 6; n++) this.addNumber(at(n, 2), at(n))
        return
      case 'QTY':
        if (this.line && at(1) === '21') {
          this.line.quantity = { text: at(1, 2), place: segment, element: 1 }
          this.line.unit = { text: at(1, 3), place: segment, element: 1 }
        }
        return
      case 'PRI':
        this.readPrice(segment)
        return
      case 'DTM':
        this.readDate(segment)
        return
      case 'FTX':
        this.note(
          [1, 2, 3, 4, 5]
            .map((c) => at(4, c))
            .join(' ')
            .trim(),
        )
        return
      case 'NAD':
        this.openParty(segment)
        return
      case 'COM':
        if (this.party && at(1, 2) === 'EM') this.party.email = at(1)
        else if (this.party && (at(1, 2) === 'TE' || at(1, 2) === 'AL')) this.party.phone = at(1)
        return
      case 'CUX':
        if (!this.line)
          this.draft.currency = {
            text: needed(segment, 1, this.findings, 'the currency', 2),
            place: segment,
            element: 1,
          }
        return
      case 'TDT':
        this.draft.services.push(...[at(5), at(5, 4), at(3, 2)].filter((text) => text !== ''))
        return
      case 'ALC':
        this.closeAllowance()
        this.allowance = at(1) === 'A' || at(1) === 'C' ? { kind: at(1) === 'A' ? 'A' : 'C', at: segment } : undefined
        return
      case 'TAX':
        this.closeAllowance()
        this.tax = at(2, 4) || at(2) || 'VAT'
        return
      case 'MOA':
        this.readAmount(segment)
        return
      case 'UNS':
        this.closeAllowance()
        this.line = undefined
        this.party = undefined
        this.summary = true
        return
      case 'CNT':
        if (at(1) === '2') this.draft.lineCount = { text: at(1, 2), place: segment, element: 1 }
    }
  }

  private openLine(segment: EdifactSegment): void {
    const empty = { text: '', place: segment, element: 3 }
    this.line = {
      place: segment,
      lineId: component(segment, 1) || String(this.draft.lines.length + 1),
      numbers: new Map(),
      quantity: empty,
      unit: empty,
      price: empty,
      priceBasis: 1n,
      allowances: 0n,
      charges: 0n,
      taxes: [],
      note: '',
    }
    this.linePrice = PRICES.length
    this.draft.lines.push(this.line)
    this.addNumber(component(segment, 3, 2), component(segment, 3))
  }

  private addNumber(qualifier: string, number: string): void {
    if (this.line && qualifier !== '' && number !== '' && !this.line.numbers.has(qualifier)) {
      this.line.numbers.set(qualifier, number)
    }
  }

  /** C509: qualifier, price, type, what it is of, how many it is for, and their unit. */
  private readPrice(segment: EdifactSegment): void {
    const { line } = this
    const rank = PRICES.indexOf(component(segment, 1))
    if (!line || rank < 0 || rank >= this.linePrice) return
    this.linePrice = rank
    line.price = { text: component(segment, 1, 2), place: segment, element: 1 }
    const basis = component(segment, 1, 5)
    const pieces = basis === '' ? 10_000n : tenThousandths(basis)
    if (pieces === undefined || pieces < 10_000n || pieces % 10_000n !== 0n) {
      this.findings.add(
        'invalid',
        segment,
        `the price is for “${basis.slice(0, 20)}” pieces, which is no number of them`,
        {
          element: 1,
          value: basis,
        },
      )
    } else line.priceBasis = pieces / 10_000n
  }

  private readDate(segment: EdifactSegment): void {
    const meaning = DATES.get(component(segment, 1))
    if (this.line || meaning === undefined) return
    const text = component(segment, 1, 2)
    // 102 is a day; 203 and 204 have a time behind it.
    const date = isoDate(/^\d{8}(\d{4}|\d{6})?$/.test(text) ? text.slice(0, 8) : text)
    if (date) this.note(`${meaning} ${date}`)
    else {
      const more = { element: 1, value: text, severity: 'noted' } as const
      this.findings.add('date', segment, `“${text.slice(0, 20)}” is no date`, more)
    }
  }

  /** Name and address stand in their own elements, or all in five lines of C058, which have no town of their own. */
  private openParty(segment: EdifactSegment): void {
    const at = (n: number, c = 1) => component(segment, n, c)
    const all = (n: number, last: number) =>
      Array.from({ length: last }, (_, c) => at(n, c + 1)).filter((text) => text !== '')
    const [firstLine = '', ...lines] = all(3, 5)
    const party = emptyParty(segment, all(4, 5).join(' ') || firstLine, at(2))
    const street = all(5, 4)
    party.street = street.length > 0 ? street : lines
    party.city = at(6)
    party.region = at(7)
    party.postalCode = at(8)
    party.country = at(9)
    this.party = party
    if (this.line) return
    const rank = SHIP_TO.indexOf(at(1))
    if (rank >= 0 && rank < this.shipToRank) {
      this.shipToRank = rank
      this.draft.shipTo = party
    } else if (at(1) === 'BY') this.draft.buyer = party
  }

  private readAmount(segment: EdifactSegment): void {
    const [qualifier, text] = [component(segment, 1), component(segment, 1, 2)]
    const target = this.line ?? this.draft
    if (this.summary) {
      if (qualifier === '79' || qualifier === '77' || qualifier === '86') {
        this.draft.total = { text, place: segment, element: 1, of: qualifier === '79' ? 'lines' : 'order' }
      }
      return
    }
    const isAllowance = this.allowance !== undefined && ALLOWANCE_AMOUNTS.has(qualifier)
    const isTax = this.tax !== '' && qualifier === TAX_AMOUNT
    if (!isAllowance && !isTax) return
    const amount = tenThousandths(text)
    if (amount === undefined || amount < 0n) {
      const cause = text === '' ? 'missing' : 'invalid'
      this.findings.add(cause, segment, `the amount “${text.slice(0, 20)}” is none`, { element: 1, value: text })
    } else if (isTax) addTax(target.taxes, { name: this.tax, amount })
    else if (this.allowance?.kind === 'A') target.allowances += amount
    else target.charges += amount
    if (isAllowance) this.allowance = undefined
  }

  private closeAllowance(): void {
    if (this.allowance) {
      const message = 'an allowance or charge without an amount: rates alone are not reckoned with'
      this.findings.add('missingSegment', this.allowance.at, message)
    }
    this.allowance = undefined
  }

  private note(text: string): void {
    if (text === '') return
    if (this.line) this.line.note = [this.line.note, text].filter((part) => part !== '').join('\n')
    else if (this.draft.notes.length < NOTES_MAX) this.draft.notes.push(text)
  }
}
