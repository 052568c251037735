/** A retailer's real file as orders: each invoice one order with its lines of goods, each line of a credit note a cancellation. */
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'
import { classify, dateReader, readLayout } from '../../gateway/cli/online-retail.js'

export interface InvoiceLine {
  readonly sku: string
  readonly quantity: number
  /** Decimal. */
  readonly price: string
}

export interface Invoice {
  readonly kind: 'order' | 'cancellation'
  readonly number: string
  /** Empty: not known. */
  readonly customer: string
  readonly lines: InvoiceLine[]
}

/** The first `count` invoices that are about goods, in the order of the file. */
export async function readInvoices(file: string, count: number): Promise<Invoice[]> {
  const bytes = createReadStream(file)
  const input = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes
  const invoices: Invoice[] = []
  const byNumber = new Map<string, Invoice>()
  const readDate = dateReader()
  let layout: ReturnType<typeof readLayout> | undefined
  for await (const record of input.pipe(parse({ relax_column_count: true })) as AsyncIterable<string[]>) {
    if (!layout) {
      layout = readLayout(record)
      continue
    }
    const meaning = classify(record, layout, readDate)
    if (meaning.kind !== 'sale' && meaning.kind !== 'cancellation') continue
    const number = record[layout.invoice]!.trim()
    let invoice = byNumber.get(number)
    if (!invoice) {
      if (invoices.length === count) break
      const kind = meaning.kind === 'sale' ? 'order' : 'cancellation'
      invoice = { kind, number, customer: record[layout.customer]!.trim(), lines: [] }
      byNumber.set(number, invoice)
      invoices.push(invoice)
    }
    const price = Math.max(0, Number(record[layout.price])).toFixed(2)
    invoice.lines.push({ sku: meaning.sku, quantity: meaning.quantity, price })
  }
  return invoices
}
