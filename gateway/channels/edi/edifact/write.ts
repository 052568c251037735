/** Our documents to a partner as one EDIFACT interchange. */
import type { EdifactDocument, Stamp } from '../documents.js'
import type { EdiSettings } from '../settings.js'
import { UnwritableDocument } from '../written-text.js'
import { despatchAdvice } from './write-despatch-advice.js'
import { invoice } from './write-invoice.js'
import { orderResponse } from './write-order-response.js'
import { edifactInterchange, type WrittenMessage } from './writer.js'

/**
 * One interchange with the documents as ORDRSP, DESADV and INVOIC, of whatever types. Throws UnwritableDocument where a
 * number can't be written as it is, or the settings name not both ends.
 */
export function writeEdifact(documents: readonly EdifactDocument[], settings: EdiSettings, stamp: Stamp): string {
  if (documents.length === 0) throw new UnwritableDocument('there is no document to write')
  const messages = documents.map((document) => messageOf(document, settings))
  return edifactInterchange(messages, settings, stamp)
}

function messageOf(document: EdifactDocument, settings: EdiSettings): WrittenMessage {
  switch (document.type) {
    case 'orderResponse':
      return orderResponse(document, settings)
    case 'shipNotice':
      return despatchAdvice(document, settings)
    case 'invoice':
      return invoice(document, settings)
  }
}
