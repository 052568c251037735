/** X12 855 from a drop-ship supplier: what it does with each line of an order that we sent. */

import { isoDate } from '../dates.js'
import { decimalText, tenThousandths } from '../decimal.js'
import type { Findings } from '../faults.js'
import type { LineAnswer, PurchaseOrderAcknowledgement, Source } from '../records.js'
import type { EdiSettings } from '../settings.js'
import { readNumbers, readQuantity } from './items.js'
import { element, needed, neededSegment, type TransactionSet } from './segments.js'

/** BAK02 (element 587). */
const ANSWERS = new Map<string, PurchaseOrderAcknowledgement['answer']>([
  ['AC', 'byLine'],
  ['AD', 'byLine'],
  ['AE', 'byLine'],
  ['AK', 'accepted'],
  ['AP', 'accepted'],
  ['AT', 'accepted'],
  ['RD', 'rejected'],
  ['RF', 'rejected'],
  ['RJ', 'rejected'],
])

/** ACK01 (element 668). */
const LINE_ANSWERS = new Map<string, LineAnswer>([
  ['IA', 'accepted'],
  ['AA', 'accepted'],
  ['AC', 'accepted'],
  ['AR', 'accepted'],
  ['DR', 'changed'],
  ['IC', 'changed'],
  ['IP', 'changed'],
  ['IQ', 'changed'],
  ['BP', 'backordered'],
  ['IB', 'backordered'],
  ['IS', 'substituted'],
  ['IE', 'pending'],
  ['IF', 'pending'],
  ['IH', 'pending'],
  ['IW', 'pending'],
  ['SP', 'pending'],
  ['ID', 'rejected'],
  ['IR', 'rejected'],
])
/** R1 to R9 are reasons of rejection. */
const lineAnswer = (code: string): LineAnswer | undefined =>
  LINE_ANSWERS.get(code) ?? (/^R\d$/.test(code) ? 'rejected' : undefined)

export function readOrderAcknowledgement(
  set: TransactionSet,
  source: Source,
  settings: EdiSettings,
  findings: Findings,
): PurchaseOrderAcknowledgement | undefined {
  const bak = neededSegment(set, 'BAK', findings)
  if (!bak) return undefined
  const code = needed(bak, 2, findings, 'the acknowledgement’s type')
  const answer = ANSWERS.get(code)
  if (code !== '' && !answer) {
    findings.add('invalid', bak, `the type ${code} is not known`, { element: 2, value: code })
  }
  const lines: PurchaseOrderAcknowledgement['lines'] = []
  for (const segment of set.segments) {
    const line = lines.at(-1)
    if (segment.segment === 'PO1') {
      const unit = element(segment, 3)
      const price = tenThousandths(element(segment, 4))
      lines.push({
        lineId: element(segment, 1) || String(lines.length + 1),
        ...readNumbers(segment, 6, settings, findings),
        ...(element(segment, 2) === '' ? {} : { ordered: readQuantity(segment, 2, unit, settings, findings) }),
        ...(price === undefined ? {} : { unitPrice: decimalText(price, 2) }),
        parts: [],
      })
    } else if (segment.segment === 'ACK' && line) {
      const status = needed(segment, 1, findings, 'the line’s status')
      const said = lineAnswer(status)
      if (!said) {
        if (status !== '')
          findings.add('invalid', segment, `status ${status} is not known`, { element: 1, value: status })
        continue
      }
      const date = isoDate(element(segment, 5))
      line.parts.push({
        answer: said,
        code: status,
        ...(element(segment, 2) === ''
          ? {}
          : { quantity: readQuantity(segment, 2, element(segment, 3), settings, findings) }),
        ...(date === undefined ? {} : { date }),
      })
    }
  }
  const purchaseOrder = needed(bak, 3, findings, 'the purchase order’s number')
  if (!answer || findings.rejected) return undefined
  const date = isoDate(element(bak, 9)) ?? isoDate(element(bak, 4))
  const supplierReference = element(bak, 8)
  return {
    source,
    purchaseOrder,
    code,
    answer: code === 'AC' && lines.length === 0 ? 'changed' : code === 'AD' && lines.length === 0 ? 'accepted' : answer,
    ...(supplierReference === '' ? {} : { supplierReference }),
    ...(date === undefined ? {} : { date }),
    lines,
  }
}
