/** A file of EDIFACT into orders, faults and the acknowledgement that answers it. */
import { isoDate } from '../dates.js'
import type { Stamp } from '../documents.js'
import { type EdiFile, emptyFile } from '../edi-file.js'
import { FaultList } from '../faults.js'
import { keepOrder } from '../keep-order.js'
import type { EdiSettings } from '../settings.js'
import { edifactAcknowledgement, readContrl } from './contrl.js'
import { type ReceivedInterchange, type ReceivedMessage, readEdifact } from './interchanges.js'
import { readOrders } from './orders.js'
import { component } from './segments.js'

/** Releases of ORDERS that are read; others differ in places that matter. */
const RELEASES = new Set(['93A', '96A', '96B', '97A', '01B', '01C', '99A', '99B', '00A', '00B', '01A'])

export function readEdifactFile(text: string, settings: EdiSettings, stamp: Stamp): EdiFile {
  const faults = new FaultList()
  const file = emptyFile('edifact', faults)
  const interchanges = readEdifact(text, faults)
  for (const interchange of interchanges) {
    checkEnds(interchange, settings, faults)
    const { reference, sender, receiver, test, error, offset } = interchange
    file.interchanges.push({ control: reference, sender, receiver, test, taken: error === '' })
    for (const message of interchange.messages) {
      if (error === '' && message.error === '') readMessage(message, reference, settings, file)
      const control = message.reference.slice(0, 14)
      faults.addFindings(
        { interchange: reference, offset, document: message.type.slice(0, 6), control },
        message.findings,
      )
    }
  }
  file.acknowledgement = edifactAcknowledgement(interchanges, settings, stamp)
  return file
}

/** Files of others, files for others, and tests in live operation are refused as they are. Codes are 0085 of UCI. */
function checkEnds(interchange: ReceivedInterchange, settings: EdiSettings, faults: FaultList): void {
  if (interchange.error !== '') return
  const { sender, receiver, test, reference, offset } = interchange
  const isOther = (end: typeof sender, set: EdiSettings['ours']) =>
    set !== undefined && (end.id !== set.id || (end.qualifier !== '' && end.qualifier !== set.qualifier))
  const reject = (code: string, message: string) => {
    interchange.error = code
    faults.add({ severity: 'rejected', interchange: reference, offset, message })
  }
  if (isOther(sender, settings.theirs)) reject('23', `it is from ${sender.id}, not from this partner`)
  else if (isOther(receiver, settings.ours)) reject('7', `it is for ${receiver.id}, not for us`)
  else if (test && !settings.test) reject('25', 'it is a test, and the connection is live: set test to take it')
}

function readMessage(message: ReceivedMessage, interchange: string, settings: EdiSettings, file: EdiFile): void {
  const { type, identifier, segments, findings, reference } = message
  const header = { segment: 'UNH', position: 1 }
  if (type === 'CONTRL') {
    const source = { interchange, group: '', control: reference }
    const receipt = readContrl(segments, source, findings)
    if (receipt) file.receipts.push(receipt)
    return
  }
  if (type !== 'ORDERS' || !RELEASES.has(identifier[2] ?? '')) {
    const name = identifier.slice(0, 3).join(' ').slice(0, 20)
    message.error = '12'
    findings.add('invalid', header, `messages of type ${name} are not taken here`, { element: 2, value: name })
    return
  }
  const read = readOrders(segments, findings)
  if (!read) return
  // 2005 of DTM: 137 is the document's own date, of which the day comes first in every format.
  const dated = segments.find((one) => one.segment === 'DTM' && component(one, 1) === '137')
  keepOrder(read, dated && isoDate(component(dated, 1, 2).slice(0, 8)), settings, findings, file)
}
