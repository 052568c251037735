/** X12 850 to a drop-ship supplier, and 855 that answers a partner's order. */
import { ediDate } from '../dates.js'
import { amountOf, decimalText, times } from '../decimal.js'
import type { OrderResponseDocument, PurchaseOrderDocument } from '../documents.js'
import type { EdiSettings } from '../settings.js'
import { description, numbers, party, pieces, price } from './parts.js'
import { number, type Written, words } from './writer.js'

/** BEG01 (element 353): original, replacement, cancellation. */
const PURPOSES = { new: '00', changed: '05', cancelled: '01' } as const

export function purchaseOrder(document: PurchaseOrderDocument, settings: EdiSettings): Written[] {
  const { lines, customerOrder, shipOn, deliverOn, service, note } = document
  const isPriced = lines.every(({ unitPrice }) => unitPrice !== undefined)
  const total = lines.reduce((sum, line) => sum + times(amountOf(line.unitPrice ?? '0', 'a price'), line.quantity), 0n)
  return [
    [
      'BEG',
      PURPOSES[document.purpose ?? 'new'],
      document.dropShip ? 'DS' : 'SA',
      number(document.number, 22, 'the purchase order’s number', settings),
      undefined,
      ediDate(document.date),
    ],
    ...(isPriced ? [['CUR', 'BY', document.currency] as const] : []),
    ...some(customerOrder, (value): Written => ['REF', 'CO', number(value, 30, 'the customer’s order', settings)]),
    ...some(shipOn, (day): Written => ['DTM', '010', ediDate(day)]),
    ...some(deliverOn, (day): Written => ['DTM', '002', ediDate(day)]),
    ...some(service, (code): Written => ['TD5', undefined, '2', number(code, 80, 'the carrier’s code', settings)]),
    ...(words(note, 264)
      ? ([
          ['N9', 'L1', 'NOTE'],
          ['MSG', words(note, 264)],
        ] as const)
      : []),
    ...(document.buyer ? party('BY', document.buyer, settings) : []),
    ...party('ST', document.shipTo, settings),
    ...lines.flatMap((line): Written[] => [
      [
        'PO1',
        number(line.lineId, 20, 'the line’s number', settings),
        pieces(line.quantity, 'a line’s quantity'),
        'EA',
        ...priced(line.unitPrice),
        ...numbers(line, settings),
      ],
      ...description(line),
    ]),
    ['CTT', String(lines.length)],
    ...(isPriced ? [['AMT', 'TT', decimalText(total, 2)] as const] : []),
  ]
}

/** BAK02 (element 587). */
const ANSWERS = { accepted: 'AD', changed: 'AC', rejected: 'RD' } as const

export function orderAcknowledgement(document: OrderResponseDocument, settings: EdiSettings): Written[] {
  const { lines, buyer, shipTo, purchaseOrderDate } = document
  return [
    [
      'BAK',
      document.replaces ? '05' : '00',
      ANSWERS[document.answer],
      number(document.purchaseOrder, 22, 'the purchase order’s number', settings),
      ediDate(purchaseOrderDate ?? document.date),
      undefined,
      undefined,
      undefined,
      number(document.number, 30, 'the answer’s number', settings),
      ediDate(document.date),
    ],
    ['CUR', 'SE', document.currency],
    ...(buyer ? party('BY', buyer, settings) : []),
    ...(shipTo ? party('ST', shipTo, settings) : []),
    ...lines.flatMap((line) => answeredLine(line, settings)),
    ['CTT', String(lines.length)],
  ]
}

function answeredLine(line: OrderResponseDocument['lines'][number], settings: EdiSettings): Written[] {
  const { ordered, accepted, backordered = 0, rejected = 0, shipOn } = line
  const whole = accepted === ordered
  const ack = (code: string, quantity: number, day?: string): Written => [
    'ACK',
    code,
    pieces(quantity, 'an answered quantity'),
    'EA',
    ...(day === undefined ? [] : ['068', ediDate(day)]),
  ]
  return [
    [
      'PO1',
      number(line.lineId, 20, 'the line’s number', settings),
      pieces(ordered, 'a line’s quantity'),
      'EA',
      ...priced(line.unitPrice),
      ...numbers(line, settings),
    ],
    ...description(line),
    ...(accepted > 0 ? [ack(whole ? 'IA' : 'IQ', accepted, shipOn)] : []),
    ...(backordered > 0 ? [ack('IB', backordered)] : []),
    ...(rejected > 0 || accepted + backordered === 0 ? [ack('IR', rejected)] : []),
  ]
}

/** PO104 and PO105. */
const priced = (unitPrice: string | undefined): (string | undefined)[] =>
  unitPrice === undefined ? [undefined, undefined] : [price(unitPrice, 'a line’s price'), 'PE']

function some<T>(value: string | undefined, make: (value: string) => T): T[] {
  return value === undefined || value === '' ? [] : [make(value)]
}
