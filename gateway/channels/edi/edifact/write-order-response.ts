/** EDIFACT ORDRSP: our answer to a partner's order, line by line. */
import type { OrderResponseDocument } from '../documents.js'
import type { EdiSettings } from '../settings.js'
import { day, line, orderReference, party, price, quantity } from './parts.js'
import { identifier, number, type Written, type WrittenMessage } from './writer.js'

/** 1225 of BGM. */
const ANSWERS = { accepted: '29', changed: '4', rejected: '27' } as const
/** 1229 of LIN: accepted without change, changed, not accepted. */
const LINE = { accepted: '5', changed: '3', rejected: '7' } as const

export function orderResponse(document: OrderResponseDocument, settings: EdiSettings): WrittenMessage {
  const { lines, buyer, shipTo, purchaseOrderDate } = document
  return {
    identifier: identifier('ORDRSP', settings),
    segments: [
      ['BGM', '231', number(document.number, 35, 'the answer’s number', settings), ANSWERS[document.answer]],
      day('137', document.date),
      orderReference(document.purchaseOrder, settings),
      ...(purchaseOrderDate === undefined ? [] : [day('171', purchaseOrderDate)]),
      ...(buyer ? party('BY', buyer, settings) : []),
      ...(shipTo ? party('DP', shipTo, settings) : []),
      ['CUX', ['2', document.currency, '9']],
      ...lines.flatMap((answered, at) => answeredLine(answered, at, document, settings)),
      ['UNS', 'S'],
      ['CNT', ['2', String(lines.length)]],
    ],
  }
}

function answeredLine(
  answered: OrderResponseDocument['lines'][number],
  at: number,
  document: OrderResponseDocument,
  settings: EdiSettings,
): Written[] {
  const { ordered, accepted, backordered = 0, unitPrice, shipOn, lineId } = answered
  const answer = accepted === ordered ? 'accepted' : accepted + backordered === 0 ? 'rejected' : 'changed'
  return [
    ...line(answered, at, settings, LINE[answer]),
    quantity('21', ordered),
    quantity('113', accepted),
    ...(backordered > 0 ? [quantity('83', backordered)] : []),
    ...(shipOn === undefined ? [] : [day('10', shipOn)]),
    ...(unitPrice === undefined ? [] : [price(unitPrice, settings)]),
    orderReference(document.purchaseOrder, settings, lineId),
  ]
}
