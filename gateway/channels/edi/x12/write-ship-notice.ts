/**
 * X12 856 ship notice: shipment, order, tare where there are pallets, pack, item (BSN05 0001). A pack's SSCC stands in
 * MAN with GM, which is the SSCC behind its application identifier 00.
 */
import { ediDate, ediTime } from '../dates.js'
import type { DocumentPackage, ShipNoticeDocument } from '../documents.js'
import type { EdiSettings } from '../settings.js'
import { checkedSscc } from '../written-text.js'
import { description, numbers, party, pieces } from './parts.js'
import { number, type Written, words } from './writer.js'

export function shipNotice(document: ShipNoticeDocument, settings: EdiSettings): Written[] {
  const levels = new Levels()
  const { orders, carrier, trackingNumber, billOfLading, shippedAtMs, deliverOn } = document
  const shipped = ediTime(shippedAtMs, 'yyyyMMdd')
  const packages = orders.flatMap((order) => [
    ...(order.pallets ?? []).flatMap((pallet) => pallet.packages),
    ...order.packages,
  ])
  const grams = packages.every(({ weightGrams }) => weightGrams !== undefined)
    ? packages.reduce((sum, { weightGrams = 0 }) => sum + weightGrams, 0)
    : undefined
  const weight = grams === undefined ? [] : ['G', kilograms(grams), 'KG']
  const segments: Written[] = [
    [
      'BSN',
      '00',
      number(document.shipment, 30, 'the shipment’s number', settings),
      shipped,
      ediTime(shippedAtMs, 'HHmm'),
      '0001',
    ],
    levels.open('S'),
    ['TD1', 'CTN', String(packages.length), undefined, undefined, undefined, ...weight],
    [
      'TD5',
      undefined,
      '2',
      number(carrier.code, 80, 'the carrier’s code', settings),
      undefined,
      words(carrier.name, 35),
    ],
    ...(billOfLading ? [['REF', 'BM', number(billOfLading, 30, 'the bill of lading', settings)] as const] : []),
    ...(trackingNumber ? [['REF', 'CN', number(trackingNumber, 30, 'the tracking number', settings)] as const] : []),
    ['DTM', '011', shipped],
    ...(deliverOn ? [['DTM', '017', ediDate(deliverOn)] as const] : []),
    ...party('SF', document.shipFrom, settings),
    ...party('ST', document.shipTo, settings),
  ]
  let items = 0
  for (const order of orders) {
    const orderLevel = levels.number + 1
    segments.push(levels.open('O', 1), [
      'PRF',
      number(order.purchaseOrder, 22, 'the purchase order’s number', settings),
      undefined,
      undefined,
      order.date === undefined ? undefined : ediDate(order.date),
    ])
    const add = (pack: DocumentPackage, parent: number) => {
      segments.push(...packLevel(pack, parent, levels, settings))
      items += pack.items.length
    }
    for (const pallet of order.pallets ?? []) {
      segments.push(levels.open('T', orderLevel), ['MAN', 'GM', `00${checkedSscc(pallet.sscc)}`])
      const tareLevel = levels.number
      for (const pack of pallet.packages) add(pack, tareLevel)
    }
    for (const pack of order.packages) add(pack, orderLevel)
  }
  return [...segments, ['CTT', String(levels.number), String(items)]]
}

class Levels {
  number = 0

  open(code: string, parent?: number): Written {
    this.number++
    return ['HL', String(this.number), parent === undefined ? undefined : String(parent), code]
  }
}

function packLevel(pack: DocumentPackage, parent: number, levels: Levels, settings: EdiSettings): Written[] {
  const { sscc, trackingNumber, weightGrams, items } = pack
  const segments: Written[] = [levels.open('P', parent)]
  const packLevel = levels.number
  if (weightGrams !== undefined) {
    segments.push(['TD1', 'CTN', '1', undefined, undefined, undefined, 'G', kilograms(weightGrams), 'KG'])
  }
  if (sscc !== undefined) segments.push(['MAN', 'GM', `00${checkedSscc(sscc)}`])
  if (trackingNumber !== undefined) {
    segments.push(['MAN', 'CP', number(trackingNumber, 48, 'the tracking number', settings)])
  }
  for (const item of items) {
    segments.push(
      levels.open('I', packLevel),
      ['LIN', number(item.lineId, 20, 'the line’s number', settings), ...numbers(item, settings)],
      [
        'SN1',
        number(item.lineId, 20, 'the line’s number', settings),
        pieces(item.quantity, 'a shipped quantity'),
        'EA',
        undefined,
        ...(item.ordered === undefined ? [] : [pieces(item.ordered, 'an ordered quantity'), 'EA']),
      ],
      ...description(item),
    )
  }
  return segments
}

/** Whole grams as kilograms, without a float. */
function kilograms(grams: number): string {
  const digits = pieces(grams, 'a weight in grams').padStart(4, '0')
  return `${digits.slice(0, -3)}.${digits.slice(-3)}`
}
