/**
 * The Online Retail layout (UCI Machine Learning Repository, D. Chen, 2015): what each line of it means for stock.
 *
 * | line | is |
 * |---|---|
 * | code is not of goods (below) | a charge: counted by its code |
 * | invoice begins with `C`, quantity below 0 | a cancellation |
 * | quantity below 0 otherwise | a write-off (damaged, lost, counted): stock that was never sold |
 * | quantity above 0 | a sale: one reservation |
 * | a field is missing or makes no sense | a bad line: counted by its reason |
 *
 * Codes of goods begin with five digits (`85123A`) or with `DCGS` (a second range of articles). All others (`POST`, `D`,
 * `M`, `BANK CHARGES`, `gift_0001_20`, …) are postage, discounts, fees, vouchers and corrections: nothing on a shelf.
 * Codes are taken as written: case tells SKUs apart.
 */
import { DateTime } from 'luxon'
import { QUANTITY_MAX } from '../../actors/inventory/wire.js'
import { DoorbusterError } from '../../engine/errors.js'
import { readFirstRecord, readRecords } from './piece-records.js'
import { stableHash } from './stable-hash.js'

export const LineKind = { sale: 0, cancellation: 1 } as const

/** Where each column stands in the file; -1: it has none. */
export interface Layout {
  readonly columns: number
  readonly invoice: number
  readonly sku: number
  readonly quantity: number
  readonly date: number
  readonly description: number
  readonly price: number
  readonly customer: number
}

export interface BadLine {
  readonly line: number
  readonly reason: string
}

/** Names of the columns in lower case; the second is that of the later edition, Online Retail II. */
const COLUMN_NAMES = {
  invoice: ['invoiceno', 'invoice'],
  sku: ['stockcode'],
  quantity: ['quantity'],
  date: ['invoicedate'],
  description: ['description'],
  price: ['unitprice', 'price'],
  customer: ['customerid', 'customer id'],
} as const

const BAD_LINES_SHOWN = 10

/** Reads the header. Throws a sentence that names the columns that are missing. */
export function readLayout(header: readonly string[]): Layout {
  const names = header.map((name) => name.trim().toLowerCase())
  const find = (wanted: readonly string[]) => names.findIndex((name) => wanted.includes(name))
  const layout: Layout = {
    columns: names.length,
    invoice: find(COLUMN_NAMES.invoice),
    sku: find(COLUMN_NAMES.sku),
    quantity: find(COLUMN_NAMES.quantity),
    date: find(COLUMN_NAMES.date),
    description: find(COLUMN_NAMES.description),
    price: find(COLUMN_NAMES.price),
    customer: find(COLUMN_NAMES.customer),
  }
  const required = {
    InvoiceNo: layout.invoice,
    StockCode: layout.sku,
    Quantity: layout.quantity,
    InvoiceDate: layout.date,
  }
  const missing = Object.entries(required).flatMap(([name, column]) => (column < 0 ? [name] : []))
  if (missing.length > 0)
    throw new DoorbusterError('bad_file', `this is not the Online Retail layout: no column ${missing.join(', ')}`)
  return layout
}

/** The first record of a file. */
export function readHeader(firstPiece: Buffer): Layout {
  const header = readFirstRecord(firstPiece)
  if (!header) throw new DoorbusterError('bad_file', 'the file is empty')
  return readLayout(header)
}

export function isGoods(code: string): boolean {
  return /^(\d{5}|DCGS)/.test(code)
}

export type Classified =
  | { readonly kind: 'sale' | 'cancellation'; readonly sku: string; readonly quantity: number; readonly atMs: number }
  | { readonly kind: 'charge'; readonly code: string }
  | { readonly kind: 'writeOff'; readonly sku: string }
  | { readonly kind: 'bad'; readonly reason: string }

/** What one record means. `readDate` gives milliseconds or NaN. */
export function classify(record: readonly string[], layout: Layout, readDate: (text: string) => number): Classified {
  if (record.length !== layout.columns) return { kind: 'bad', reason: 'wrong number of fields' }
  const invoice = record[layout.invoice]?.trim() ?? ''
  const sku = record[layout.sku]?.trim() ?? ''
  const quantityText = record[layout.quantity]?.trim() ?? ''
  const dateText = record[layout.date]?.trim() ?? ''
  if (invoice === '') return { kind: 'bad', reason: 'no InvoiceNo' }
  if (sku === '') return { kind: 'bad', reason: 'no StockCode' }
  if (quantityText === '') return { kind: 'bad', reason: 'no Quantity' }
  if (dateText === '') return { kind: 'bad', reason: 'no InvoiceDate' }
  const quantity = Number(quantityText)
  if (!Number.isInteger(quantity) || quantity === 0 || Math.abs(quantity) > QUANTITY_MAX) {
    return { kind: 'bad', reason: 'Quantity is not an integer other than 0' }
  }
  const atMs = readDate(dateText)
  if (Number.isNaN(atMs)) return { kind: 'bad', reason: 'InvoiceDate is not a date' }
  if (!isGoods(sku)) return { kind: 'charge', code: sku }
  if (invoice.startsWith('C')) {
    if (quantity > 0) return { kind: 'bad', reason: 'cancellation with a positive Quantity' }
    return { kind: 'cancellation', sku, quantity: -quantity, atMs }
  }
  return quantity < 0 ? { kind: 'writeOff', sku } : { kind: 'sale', sku, quantity, atMs }
}

/** A reader of dates that remembers those it has seen, since an invoice's lines share one. Local time is taken as UTC. */
export function dateReader(): (text: string) => number {
  const known = new Map<string, number>()
  return (text) => {
    let atMs = known.get(text)
    if (atMs === undefined) {
      const zone = { zone: 'utc' }
      let date = DateTime.fromSQL(text, zone)
      if (!date.isValid) date = DateTime.fromISO(text, zone)
      if (!date.isValid) date = DateTime.fromFormat(text, 'M/d/yyyy H:mm', zone)
      atMs = date.isValid ? date.toMillis() : Number.NaN
      known.set(text, atMs)
    }
    return atMs
  }
}

/** A customer as a number above 0; 0: none. `17850.0` is how some tools write an identifier in a column with gaps. */
export function customerNumber(text: string): number {
  if (text === '') return 0
  const number = Number(text)
  // Behind all plausible numbers, so that a name is not taken for one.
  return Number.isSafeInteger(number) && number >= 0 ? number : 2 ** 32 + stableHash(text)
}

/** One piece of a file in columns: the lines that move stock, in order, and counts of all others. */
export interface HistoryPiece {
  /** Records, without the header. */
  readonly lines: number
  readonly lineBreaks: number
  readonly kinds: Uint8Array<ArrayBuffer>
  /** Indices into `articles`. */
  readonly skus: Uint32Array<ArrayBuffer>
  readonly quantities: Uint32Array<ArrayBuffer>
  readonly atMs: Float64Array<ArrayBuffer>
  readonly customers: Float64Array<ArrayBuffer>
  /** The line in the piece, from 1. */
  readonly lineNumbers: Uint32Array<ArrayBuffer>
  readonly articles: Article[]
  readonly charges: Map<string, number>
  readonly badLines: Map<string, number>
  /** The first few bad lines. */
  readonly badExamples: BadLine[]
  readonly writeOffs: number
}

export interface Article {
  readonly sku: string
  /** Empty until a line with a price has one: notes such as "damaged" stand on lines without. */
  name: string
  /** Decimal; empty: never sold at a price. */
  price: string
}

/** Parses a piece that begins and ends between records. `isFirst`: it begins with the header. */
export function parsePiece(bytes: Buffer, layout: Layout, isFirst: boolean): HistoryPiece {
  const { records, lineBreaks, lineNumbers: recordLines, broken } = readRecords(bytes, isFirst)
  const capacity = records.length
  const kinds = new Uint8Array(capacity)
  const skus = new Uint32Array(capacity)
  const quantities = new Uint32Array(capacity)
  const atMs = new Float64Array(capacity)
  const customers = new Float64Array(capacity)
  const lineNumbers = new Uint32Array(capacity)
  const articles: Article[] = []
  const indices = new Map<string, number>()
  const charges = new Map<string, number>()
  const badLines = new Map<string, number>()
  const badExamples: BadLine[] = []
  const readDate = dateReader()
  let lines = 0
  let moving = 0
  let writeOffs = 0

  const indexOf = (sku: string, record: readonly string[]): number => {
    let index = indices.get(sku)
    if (index === undefined) {
      index = articles.length
      indices.set(sku, index)
      articles.push({ sku, name: '', price: '' })
    }
    const article = articles[index]
    if (article?.name === '') {
      const price = Number(record[layout.price])
      if (price > 0) {
        article.name = record[layout.description]?.trim() ?? ''
        article.price = price.toFixed(2)
      }
    }
    return index
  }

  const takeBad = (reason: string, line: number) => {
    badLines.set(reason, (badLines.get(reason) ?? 0) + 1)
    if (badExamples.length < BAD_LINES_SHOWN) badExamples.push({ line, reason })
  }

  const take = (record: string[], line: number) => {
    lines++
    const meaning = classify(record, layout, readDate)
    switch (meaning.kind) {
      case 'sale':
      case 'cancellation':
        kinds[moving] = LineKind[meaning.kind]
        skus[moving] = indexOf(meaning.sku, record)
        quantities[moving] = meaning.quantity
        atMs[moving] = meaning.atMs
        customers[moving] = customerNumber(record[layout.customer]?.trim() ?? '')
        lineNumbers[moving] = line
        moving++
        break
      case 'writeOff':
        writeOffs++
        break
      case 'charge':
        charges.set(meaning.code, (charges.get(meaning.code) ?? 0) + 1)
        break
      case 'bad':
        takeBad(meaning.reason, line)
        break
    }
  }

  records.forEach((record, i) => void take(record, recordLines?.[i] ?? i + (isFirst ? 2 : 1)))
  for (const line of broken) {
    lines++
    takeBad('a quote is left open', line)
  }

  return {
    lines,
    lineBreaks,
    kinds: kinds.slice(0, moving),
    skus: skus.slice(0, moving),
    quantities: quantities.slice(0, moving),
    atMs: atMs.slice(0, moving),
    customers: customers.slice(0, moving),
    lineNumbers: lineNumbers.slice(0, moving),
    articles,
    charges,
    badLines,
    badExamples,
    writeOffs,
  }
}
