/** X12 940 warehouse shipping order to a third-party warehouse, and 846 inventory advice to those who sell our stock. */
import { ediDate } from '../dates.js'
import type { InventoryAdviceDocument, WarehouseOrderDocument } from '../documents.js'
import type { EdiSettings } from '../settings.js'
import { description, numbers, party, pieces } from './parts.js'
import { number, type Written, words } from './writer.js'

/** W0501 (element 473). */
const STATUSES = { new: 'N', changed: 'R', cancelled: 'F' } as const

export function warehouseOrder(document: WarehouseOrderDocument, settings: EdiSettings): Written[] {
  const { lines, purchaseOrder, warehouse, carrier, shipOn, deliverOn } = document
  const note = words(document.note, 80)
  const total = lines.reduce((sum, { quantity }) => sum + quantity, 0)
  return [
    [
      'W05',
      STATUSES[document.purpose ?? 'new'],
      number(document.number, 22, 'the warehouse order’s number', settings),
      purchaseOrder === undefined ? undefined : number(purchaseOrder, 22, 'the purchase order’s number', settings),
    ],
    ...party('ST', document.shipTo, settings),
    ...(warehouse ? party('WH', warehouse, settings) : []),
    ['G62', '86', ediDate(document.date)],
    ...(shipOn === undefined ? [] : [['G62', '10', ediDate(shipOn)] as const]),
    ...(deliverOn === undefined ? [] : [['G62', '02', ediDate(deliverOn)] as const]),
    ...(note ? [['NTE', 'WHI', note] as const] : []),
    ...(carrier
      ? [
          [
            'W66',
            'PP',
            'M',
            undefined,
            undefined,
            words(carrier.service, 35),
            ...Array<undefined>(4).fill(undefined),
            number(carrier.code, 4, 'the carrier’s SCAC', settings),
          ] as const,
        ]
      : []),
    ...lines.flatMap((line, at): Written[] => [
      ['LX', String(at + 1)],
      ['W01', pieces(line.quantity, 'an ordered quantity'), 'EA', undefined, ...numbers(line, settings).slice(0, 4)],
      ...(words(line.description, 45) ? [['G69', words(line.description, 45)] as const] : []),
      ['N9', 'LI', number(line.lineId, 30, 'the line’s number', settings)],
    ]),
    ['W76', pieces(total, 'the total of pieces')],
  ]
}

export function inventoryAdvice(document: InventoryAdviceDocument, settings: EdiSettings): Written[] {
  const { items, warehouse } = document
  return [
    ['BIA', '00', 'SI', number(document.reference, 30, 'the advice’s number', settings), ediDate(document.date)],
    ...(warehouse ? party('WH', warehouse, settings) : []),
    ...items.flatMap((item, at): Written[] => [
      ['LIN', String(at + 1), ...numbers(item, settings)],
      ...description(item),
      ['QTY', '33', pieces(item.available, 'an available quantity'), 'EA'],
      ...(item.expected
        ? ([
            ['QTY', '63', pieces(item.expected.quantity, 'an expected quantity'), 'EA'],
            ['DTM', '018', ediDate(item.expected.date)],
          ] as const)
        : []),
    ]),
    ['CTT', String(items.length)],
  ]
}
