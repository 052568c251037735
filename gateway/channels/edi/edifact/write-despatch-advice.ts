/**
 * EDIFACT DESADV: a shipment as CPS levels: all of it, pallets, packages with their SSCC (PCI with 33E, GIN with BJ), and
 * the articles in each.
 */
import { ediTime } from '../dates.js'
import type { DocumentPackage, ShipNoticeDocument } from '../documents.js'
import type { EdiSettings } from '../settings.js'
import { checkedSscc, UnwritableDocument } from '../written-text.js'
import { day, line, orderReference, party, quantity } from './parts.js'
import { identifier, number, type Written, type WrittenMessage, words } from './writer.js'

/** 7065 of PAC: carton, ISO pallet. */
const CARTON = 'CT'
const PALLET = '201'

export function despatchAdvice(document: ShipNoticeDocument, settings: EdiSettings): WrittenMessage {
  const { orders, carrier, trackingNumber, billOfLading, shippedAtMs, deliverOn } = document
  const [only] = orders
  const time = ediTime(shippedAtMs, 'yyyyMMddHHmm')
  const reference = (qualifier: string, value: string, what: string): Written => [
    'RFF',
    [qualifier, number(value, 35, what, settings)],
  ]
  const packages = new Packages(settings)
  const body = orders.flatMap((order) => packages.order(order))
  return {
    identifier: identifier('DESADV', settings),
    segments: [
      ['BGM', '351', number(document.shipment, 35, 'the shipment’s number', settings), '9'],
      ['DTM', ['137', time, '203']],
      ['DTM', ['11', time, '203']],
      ...(deliverOn === undefined ? [] : [day('17', deliverOn)]),
      ...(only && orders.length === 1 ? [orderReference(only.purchaseOrder, settings)] : []),
      ...(billOfLading === undefined ? [] : [reference('BM', billOfLading, 'the bill of lading')]),
      ...(trackingNumber === undefined ? [] : [reference('CN', trackingNumber, 'the tracking number')]),
      ...party('SF', document.shipFrom, settings),
      ...party('DP', document.shipTo, settings),
      [
        'TDT',
        '20',
        undefined,
        undefined,
        undefined,
        [
          number(carrier.code, 17, 'the carrier’s code', settings),
          undefined,
          undefined,
          words(carrier.name, 35, settings),
        ],
      ],
      ['CPS', '1'],
      ['PAC', String(packages.count), undefined, CARTON],
      ...body,
      ['CNT', ['2', String(packages.items)]],
    ],
  }
}

class Packages {
  count = 0
  items = 0
  private level = 1

  constructor(private readonly settings: EdiSettings) {}

  order({ purchaseOrder, pallets = [], packages }: ShipNoticeDocument['orders'][number]): Written[] {
    return [
      ...pallets.flatMap((pallet): Written[] => {
        const level = String(++this.level)
        return [
          ['CPS', level, '1'],
          ['PAC', '1', undefined, PALLET],
          ...marks(pallet.sscc, undefined, this.settings),
          ...pallet.packages.flatMap((pack) => this.package(pack, level, purchaseOrder)),
        ]
      }),
      ...packages.flatMap((pack) => this.package(pack, '1', purchaseOrder)),
    ]
  }

  private package(pack: DocumentPackage, parent: string, purchaseOrder: string): Written[] {
    const { settings } = this
    const { sscc, trackingNumber, weightGrams, items } = pack
    this.count++
    return [
      ['CPS', String(++this.level), parent],
      ['PAC', '1', undefined, CARTON],
      ...(weightGrams === undefined ? [] : [['MEA', 'PD', 'G', ['GRM', grams(weightGrams)]] as const]),
      ...marks(sscc, trackingNumber, settings),
      ...items.flatMap((item): Written[] => [
        ...line(item, this.items++, settings),
        quantity('12', item.quantity),
        ...(item.ordered === undefined ? [] : [quantity('21', item.ordered)]),
        orderReference(purchaseOrder, settings, item.lineId),
      ]),
    ]
  }
}

/** What stands on the package: its SSCC, and the carrier's number. */
function marks(sscc: string | undefined, trackingNumber: string | undefined, settings: EdiSettings): Written[] {
  if (sscc === undefined && trackingNumber === undefined) return []
  return [
    ['PCI', sscc === undefined ? '30' : '33E'],
    ...(trackingNumber === undefined
      ? []
      : [['RFF', ['CN', number(trackingNumber, 35, 'the tracking number', settings)]] as const]),
    ...(sscc === undefined ? [] : [['GIN', 'BJ', checkedSscc(sscc)] as const]),
  ]
}

function grams(weight: number): string {
  if (Number.isInteger(weight) && weight >= 0) return String(weight)
  throw new UnwritableDocument(`a weight is ${weight}: whole grams are needed`)
}
