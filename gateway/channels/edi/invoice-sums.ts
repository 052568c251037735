/** What an invoice comes to, in ten-thousandths, the same for every syntax. */
import { amountOf, times } from './decimal.js'
import type { InvoiceDocument } from './documents.js'

export interface InvoiceSums {
  lines: bigint
  discount: bigint
  shipping: bigint
  tax: bigint
  total: bigint
}

export function invoiceSums({ lines, discount, shipping, taxes = [] }: InvoiceDocument): InvoiceSums {
  const sum = (amounts: bigint[]) => amounts.reduce((total, amount) => total + amount, 0n)
  const all = [...taxes, ...lines.flatMap((line) => line.taxes ?? [])]
  const sums = {
    lines: sum(lines.map(({ unitPrice, quantity }) => times(amountOf(unitPrice, 'a line’s price'), quantity))),
    discount: discount === undefined ? 0n : amountOf(discount, 'the discount'),
    shipping: shipping === undefined ? 0n : amountOf(shipping, 'the shipping'),
    tax: sum(all.map(({ amount }) => amountOf(amount, 'a tax'))),
  }
  return { ...sums, total: sums.lines - sums.discount + sums.shipping + sums.tax }
}
