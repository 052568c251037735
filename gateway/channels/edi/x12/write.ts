/** Our documents to a partner as one X12 interchange. */
import type { Stamp, X12Document } from '../documents.js'
import type { EdiSettings } from '../settings.js'
import { UnwritableDocument } from '../written-text.js'
import { invoice } from './write-invoice.js'
import { orderAcknowledgement, purchaseOrder } from './write-orders.js'
import { shipNotice } from './write-ship-notice.js'
import { inventoryAdvice, warehouseOrder } from './write-warehouse.js'
import { type Written, x12Interchange } from './writer.js'

/** ST01 and the functional group (GS01) of each. */
const SETS: Readonly<Record<X12Document['type'], readonly [type: string, functionalId: string]>> = {
  purchaseOrder: ['850', 'PO'],
  orderResponse: ['855', 'PR'],
  shipNotice: ['856', 'SH'],
  invoice: ['810', 'IN'],
  inventoryAdvice: ['846', 'IB'],
  warehouseOrder: ['940', 'OW'],
}

/**
 * One interchange with the documents, which are of one type: its one group has the interchange's control number.
 * Throws UnwritableDocument where a number can't be written as it is, or the settings name not both ends.
 */
export function writeX12(documents: readonly X12Document[], settings: EdiSettings, stamp: Stamp): string {
  const [first] = documents
  if (!first) throw new UnwritableDocument('there is no document to write')
  if (documents.some(({ type }) => type !== first.type)) {
    throw new UnwritableDocument('the documents of one interchange are of one type: write one for each')
  }
  const [type, functionalId] = SETS[first.type]
  const sets = documents.map((document) => ({ type, segments: segmentsOf(document, settings) }))
  return x12Interchange(functionalId, sets, settings, stamp)
}

function segmentsOf(document: X12Document, settings: EdiSettings): Written[] {
  switch (document.type) {
    case 'purchaseOrder':
      return purchaseOrder(document, settings)
    case 'orderResponse':
      return orderAcknowledgement(document, settings)
    case 'shipNotice':
      return shipNotice(document, settings)
    case 'invoice':
      return invoice(document, settings)
    case 'inventoryAdvice':
      return inventoryAdvice(document, settings)
    case 'warehouseOrder':
      return warehouseOrder(document, settings)
  }
}
