/** X12 997 from a partner: what its system says of a group that we sent. */
import type { Findings } from '../faults.js'
import type { Receipt, Source } from '../records.js'
import { element, needed, neededSegment, type TransactionSet } from './segments.js'

/** AK901 (element 715). */
const STATUSES = new Map<string, Receipt['status']>([
  ['A', 'accepted'],
  ['E', 'acceptedWithErrors'],
  ['P', 'partlyRejected'],
  ['R', 'rejected'],
  ['M', 'rejected'],
  ['W', 'rejected'],
  ['X', 'rejected'],
])
const ERRORS_MAX = 100

export function readReceipt(set: TransactionSet, source: Source, findings: Findings): Receipt | undefined {
  const ak1 = neededSegment(set, 'AK1', findings)
  const ak9 = neededSegment(set, 'AK9', findings)
  if (!ak1 || !ak9) return undefined
  const code = needed(ak9, 1, findings, 'the group’s status')
  const status = STATUSES.get(code)
  if (!status) {
    findings.add('invalid', ak9, `status ${code} is not known`, { element: 1, value: code })
    return undefined
  }
  const receipt: Receipt = {
    source,
    answers: needed(ak1, 2, findings, 'the group’s number'),
    status,
    documents: [],
    errors: [],
  }
  let document = ''
  let segment = ''
  const tell = (text: string) => {
    if (receipt.errors.length < ERRORS_MAX) receipt.errors.push(text)
  }
  for (const read of set.segments) {
    const at = (n: number) => element(read, n)
    switch (read.segment) {
      case 'AK2':
        document = at(2)
        break
      case 'AK3':
        segment = `${document}: segment ${at(1)} at ${at(2)}`
        tell(`${segment}, code ${at(4)}`)
        break
      case 'AK4':
        tell(`${segment}, element ${at(1)}, code ${at(3)}${at(4) === '' ? '' : ` “${at(4)}”`}`)
        break
      case 'AK5':
        receipt.documents.push({ control: document, accepted: at(1) === 'A' || at(1) === 'E' })
        for (let n = 2; n <= 6; n++) if (at(n) !== '') tell(`${document}: code ${at(n)}`)
        break
      case 'AK9':
        for (let n = 5; n <= 9; n++) if (at(n) !== '') tell(`the group: code ${at(n)}`)
    }
  }
  return findings.rejected ? undefined : receipt
}
