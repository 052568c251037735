/** EDIFACT INVOIC: an invoice with net prices, taxes of lines and of the whole, a discount and the freight. */
import { amountOf, decimalText, times } from '../decimal.js'
import type { InvoiceDocument } from '../documents.js'
import { invoiceSums } from '../invoice-sums.js'
import type { EdiSettings } from '../settings.js'
import { amount, day, line, orderReference, party, price, quantity } from './parts.js'
import { identifier, number, type Written, type WrittenMessage, words } from './writer.js'

export function invoice(document: InvoiceDocument, settings: EdiSettings): WrittenMessage {
  const { lines, billTo, shipTo, seller, dueDays, shippedOn, purchaseOrderDate, taxes = [] } = document
  const sums = invoiceSums(document)
  const allowance = (kind: 'A' | 'C', code: string, value: bigint): Written[] =>
    value === 0n ? [] : [['ALC', kind, undefined, undefined, undefined, code], amount('8', value, settings)]
  return {
    identifier: identifier('INVOIC', settings),
    segments: [
      ['BGM', '380', number(document.number, 35, 'the invoice’s number', settings), '9'],
      day('137', document.date),
      ...(shippedOn === undefined ? [] : [day('11', shippedOn)]),
      orderReference(document.purchaseOrder, settings),
      ...(purchaseOrderDate === undefined ? [] : [day('171', purchaseOrderDate)]),
      ...(billTo ? party('BY', billTo, settings) : []),
      ...(shipTo ? party('DP', shipTo, settings) : []),
      ...(seller ? party('SU', seller, settings) : []),
      ...taxes.flatMap((tax) => taxOf(tax, settings)),
      ['CUX', ['2', document.currency, '4']],
      ...(dueDays === undefined ? [] : [['PAT', '3', undefined, ['5', '3', 'D', String(dueDays)]] as const]),
      ...allowance('A', 'DI', sums.discount),
      ...allowance('C', 'FC', sums.shipping),
      ...lines.flatMap((invoiced, at): Written[] => [
        ...line(invoiced, at, settings),
        quantity('47', invoiced.quantity),
        amount('203', times(amountOf(invoiced.unitPrice, 'a line’s price'), invoiced.quantity), settings),
        price(invoiced.unitPrice, settings),
        ...(invoiced.taxes ?? []).flatMap((tax) => taxOf(tax, settings)),
      ]),
      ['UNS', 'S'],
      ['CNT', ['2', String(lines.length)]],
      amount('79', sums.lines, settings),
      amount('176', sums.tax, settings),
      amount('77', sums.total, settings),
    ],
  }
}

/** 5153 is VAT where it is called so; any other tax is told by its name. */
function taxOf(tax: { name: string; amount: string; rate?: string }, settings: EdiSettings): Written[] {
  const name = words(tax.name, 35, settings) ?? ''
  const type = name.toUpperCase() === 'VAT' ? ['VAT'] : ['OTH', undefined, undefined, name]
  const rate =
    tax.rate === undefined
      ? undefined
      : decimalText(amountOf(tax.rate, 'a tax rate')).replace('.', settings.edifact.decimal)
  return [
    ['TAX', '7', type, undefined, undefined, [undefined, undefined, undefined, rate], 'S'],
    amount('124', amountOf(tax.amount, 'a tax'), settings),
  ]
}
