/** A file of X12 into orders, records, faults and the acknowledgement that answers it. */
import { isoDate } from '../dates.js'
import type { Stamp } from '../documents.js'
import { type EdiFile, emptyFile } from '../edi-file.js'
import { FaultList } from '../faults.js'
import { keepOrder } from '../keep-order.js'
import type { Source } from '../records.js'
import type { EdiSettings } from '../settings.js'
import { x12Acknowledgement } from './functional-acknowledgement.js'
import { type ReceivedInterchange, type ReceivedSet, readX12 } from './interchanges.js'
import { readInventoryAdvice } from './inventory-advice.js'
import { readOrderAcknowledgement } from './order-acknowledgement.js'
import { readPurchaseOrder } from './purchase-order.js'
import { readReceipt } from './receipt.js'
import { element, type TransactionSet } from './segments.js'
import { readShipNotice } from './ship-notice.js'
import { readShippingAdvice } from './shipping-advice.js'

export function readX12File(text: string, settings: EdiSettings, stamp: Stamp): EdiFile {
  const faults = new FaultList()
  const file = emptyFile('x12', faults)
  const interchanges = readX12(text, faults)
  for (const interchange of interchanges) {
    checkEnds(interchange, settings, faults)
    const { control, sender, receiver, test, error, offset } = interchange
    file.interchanges.push({ control, sender, receiver, test, taken: error === '000' })
    for (const group of interchange.groups) {
      for (const received of group.sets) {
        const trusted = error === '000' && group.errors.length === 0
        const source = { interchange: control, group: group.control, control: received.control }
        if (trusted && received.set) readSet(received.set, received, source, settings, file)
        faults.addFindings({ ...source, offset, document: received.type }, received.findings)
      }
    }
  }
  file.acknowledgement = x12Acknowledgement(interchanges, settings, stamp)
  return file
}

/** Files of others, files for others, and tests in live operation are refused as they are. Codes are of TA105. */
function checkEnds(interchange: ReceivedInterchange, settings: EdiSettings, faults: FaultList): void {
  if (interchange.error !== '000') return
  const { sender, receiver, test, control, offset } = interchange
  const isOther = (end: typeof sender, set: EdiSettings['ours']) =>
    set !== undefined && (end.id !== set.id || end.qualifier !== set.qualifier)
  const reject = (code: string, message: string) => {
    interchange.error = code
    faults.add({ severity: 'rejected', interchange: control, offset, message })
  }
  if (isOther(sender, settings.theirs))
    reject('006', `it is from ${sender.qualifier} ${sender.id}, not from this partner`)
  else if (isOther(receiver, settings.ours)) reject('008', `it is for ${receiver.qualifier} ${receiver.id}, not for us`)
  else if (test && !settings.test) reject('020', 'it is a test, and the connection is live: set test to take it')
}

function readSet(
  set: TransactionSet,
  received: ReceivedSet,
  source: Source,
  settings: EdiSettings,
  file: EdiFile,
): void {
  const { findings } = received
  const keep = <T>(list: T[], read: T | undefined) => {
    if (read !== undefined && !findings.rejected) list.push(read)
  }
  switch (set.type) {
    case '850':
      readOrder(set, received, settings, file)
      break
    case '855':
      keep(file.acknowledgements, readOrderAcknowledgement(set, source, settings, findings))
      break
    case '856':
      keep(file.shipNotices, readShipNotice(set, source, settings, findings))
      break
    case '846':
      keep(file.inventoryAdvices, readInventoryAdvice(set, source, settings, findings))
      break
    case '945':
      keep(file.shippingAdvices, readShippingAdvice(set, source, settings, findings))
      break
    case '997':
      keep(file.receipts, readReceipt(set, source, findings))
      break
    default:
      received.errors.push('1')
      findings.add('invalid', { segment: 'ST', position: 1 }, `documents of type ${set.type} are not taken here`, {
        element: 1,
        value: set.type,
      })
  }
}

function readOrder(set: TransactionSet, { findings }: ReceivedSet, settings: EdiSettings, file: EdiFile): void {
  const read = readPurchaseOrder(set, findings)
  if (!read) return
  const beg = set.segments.find(({ segment }) => segment === 'BEG')
  keepOrder(read, beg && isoDate(element(beg, 5)), settings, findings, file)
}
