/** X12 810 invoice. TDS and SAC have their amounts in cents without a point (N2); prices and TXI have it written (R). */
import { ediDate } from '../dates.js'
import { impliedCents } from '../decimal.js'
import type { InvoiceDocument } from '../documents.js'
import { invoiceSums } from '../invoice-sums.js'
import type { EdiSettings } from '../settings.js'
import { description, numbers, party, pieces, price } from './parts.js'
import { number, type Written, words } from './writer.js'

/** SAC02 (element 1300). */
const DISCOUNT = 'C310'
const FREIGHT = 'D240'
/** TXI01 (element 963): a tax of any kind. */
const TAX = 'TX'

export function invoice(document: InvoiceDocument, settings: EdiSettings): Written[] {
  const { lines, billTo, shipTo, seller, dueDays, shippedOn, purchaseOrderDate } = document
  const sums = invoiceSums(document)
  const allowance = (kind: 'A' | 'C', code: string, amount: bigint, text: string): Written[] =>
    amount === 0n
      ? []
      : [['SAC', kind, code, undefined, undefined, impliedCents(amount), ...Array<undefined>(9).fill(undefined), text]]
  return [
    [
      'BIG',
      ediDate(document.date),
      number(document.number, 22, 'the invoice’s number', settings),
      purchaseOrderDate === undefined ? undefined : ediDate(purchaseOrderDate),
      number(document.purchaseOrder, 22, 'the purchase order’s number', settings),
      undefined,
      undefined,
      'DI',
    ],
    ['CUR', 'SE', document.currency],
    ...(billTo ? party('BT', billTo, settings) : []),
    ...(shipTo ? party('ST', shipTo, settings) : []),
    ...(seller ? party('SE', seller, settings) : []),
    ...(dueDays === undefined
      ? []
      : [['ITD', '01', '3', ...Array<undefined>(4).fill(undefined), String(dueDays)] as const]),
    ...(shippedOn === undefined ? [] : [['DTM', '011', ediDate(shippedOn)] as const]),
    ...lines.flatMap((line): Written[] => [
      [
        'IT1',
        number(line.lineId, 20, 'the line’s number', settings),
        pieces(line.quantity, 'an invoiced quantity'),
        'EA',
        price(line.unitPrice, 'a line’s price'),
        'PE',
        ...numbers(line, settings),
      ],
      ...(line.taxes ?? []).map(taxOf),
      ...description(line),
    ]),
    ['TDS', impliedCents(sums.total)],
    ...(document.taxes ?? []).map(taxOf),
    ...allowance('A', DISCOUNT, sums.discount, 'DISCOUNT'),
    ...allowance('C', FREIGHT, sums.shipping, 'SHIPPING'),
    ['CTT', String(lines.length)],
  ]
}

function taxOf({ name, amount, rate }: { name: string; amount: string; rate?: string }): Written {
  const shown = rate === undefined ? undefined : price(rate, 'a tax rate')
  return ['TXI', TAX, price(amount, 'a tax'), shown, ...Array<undefined>(6).fill(undefined), words(name, 20)]
}
