/**
 * Orders from a file: rows of CSV, of which those with one order number are one order, or JSON lines. What is wrong with a
 * line is told with its number, and all other orders are placed; each has its number as the connection's own id, so the same
 * file, or the same order in another one, is placed once.
 */
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { orderOfRows } from '../../import/import-kinds.js'
import { openRows, type RowFormat } from '../../import/import-rows.js'
import { faultsOf, wholeOrders } from '../../import/whole-orders.js'
import { addBad, type FileReport, refuseOrder } from './file-report.js'
import { type FoundOrder, type ImportOptions, OrderBatch } from './order-batch.js'

/** The file as a whole cannot be read: nothing of it was done. */
export class UnreadableFile extends Error {}

export interface OrderFile {
  name: string
  format: RowFormat
  /** The bytes from their beginning; CSV is read twice. */
  open(): Readable
}

const FORMATS: Record<string, RowFormat> = { csv: 'csv', jsonl: 'json', ndjson: 'json', json: 'json' }

/** By the end of its name; undefined for one that is not taken. */
export const formatOfName = (name: string): RowFormat | undefined =>
  FORMATS[/\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '']

const PIECE_BYTES = 4 * 1024
/** Lines that are no CSV, or not of the header’s width; the parser takes a hundred times as long for each. */
const UNREADABLE_MAX = 2_000
/** Without these columns no line can be an order's. */
const NEEDED = ['externalId', 'line.sku', 'line.quantity']

/** Resolves with what came of each line. Rejects with `UnreadableFile` or `ImportInterrupted`. */
export async function importOrderFile(file: OrderFile, options: ImportOptions): Promise<FileReport> {
  const report: FileReport = {
    name: file.name,
    lines: 0,
    orders: 0,
    imported: 0,
    repeated: 0,
    bad: 0,
    badLines: [],
    badLinesLeftOut: 0,
    ignoredColumns: [],
  }
  const batch = new OrderBatch(options, report)
  const found = file.format === 'csv' ? csvOrders(file, report, options) : jsonOrders(file, report, options)
  for await (const order of found) await batch.add(order)
  await batch.send()
  if (report.lines === 0) throw new UnreadableFile(`${file.name} has no lines`)
  report.badLines.sort((a, b) => a.line - b.line)
  return report
}

/** The server answers others between the pieces: each costs a few milliseconds, whatever is in it. */
async function* inPieces(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      yield chunk.subarray(at, at + PIECE_BYTES)
      await turn()
    }
  }
}

async function open(file: OrderFile, keepsText = false) {
  try {
    const options = { kind: 'orders', unreadableMax: UNREADABLE_MAX, keepsText } as const
    return await openRows(Readable.from(inPieces(file.open())), file.format, options)
  } catch (error) {
    throw new UnreadableFile(`${file.name} cannot be read: ${(error as Error).message}`)
  }
}

/** What reading meets, as that of this file. */
async function* readable<T>(name: string, rows: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    yield* rows
  } catch (error) {
    throw new UnreadableFile(`${name} cannot be read: ${(error as Error).message}`)
  }
}

async function* jsonOrders(file: OrderFile, report: FileReport, options: ImportOptions): AsyncGenerator<FoundOrder> {
  const source = await open(file)
  if (!source) return
  for await (const row of readable(file.name, source.rows)) {
    report.lines++
    if (row.reason !== undefined) {
      addBad(report, options, { line: row.line, reason: row.reason })
      continue
    }
    const body = row.body as Record<string, unknown> // openRows yields objects only
    const number = numberOf(body)
    if (number === undefined) addBad(report, options, { line: row.line, reason: 'externalId is missing' })
    else yield { number, lines: [row.line], original: row.text ?? '', body }
  }
}

/** The order's number, as text: JSON may have it as a number. */
function numberOf({ externalId }: Record<string, unknown>): string | undefined {
  if (typeof externalId === 'number') return String(externalId)
  return typeof externalId === 'string' && externalId !== '' ? externalId : undefined
}

/** Rows of one order may stand anywhere in the file, so it is read twice: how many each has, and then the orders. */
async function* csvOrders(file: OrderFile, report: FileReport, options: ImportOptions): AsyncGenerator<FoundOrder> {
  const first = await open(file)
  if (!first) return
  const missing = NEEDED.filter((field) => !first.fields.includes(field))
  if (missing.length > 0) {
    await first.rows.return(undefined)
    throw new UnreadableFile(`${file.name} has no column ${missing.join(', ')}`)
  }
  report.ignoredColumns = [...first.ignoredColumns]
  let header = ''
  const again = async () => {
    const source = await open(file, options.keep !== undefined)
    if (!source) throw new Error('it has gone empty while it was read')
    header = source.header ?? ''
    return source.rows
  }
  for await (const rows of readable(file.name, wholeOrders(first.rows, again, numberOf))) {
    report.lines += rows.length
    const [{ line, body, reason } = { line: 0 }] = rows
    // bodyOf has made it.
    const number = body === undefined ? undefined : numberOf(body as Body)
    if (number === undefined) {
      addBad(report, options, { line, reason: reason ?? 'externalId is missing' })
      continue
    }
    const lines = rows.map((row) => row.line)
    const faults = faultsOf(rows)
    if (faults.length > 0) {
      refuseOrder(number, lines, faults, report, options)
      continue
    }
    const original = header + rows.map((row) => ('text' in row ? row.text : '')).join('')
    const bodies = rows.map((row) => row.body as Body)
    yield { number, lines, original, body: orderOf(bodies, options) }
  }
}

type Body = Record<string, unknown>

const orderOf = (rows: Record<string, unknown>[], { settings }: ImportOptions): Record<string, unknown> =>
  orderOfRows([{ currency: settings.currency, ...rows[0] }, ...rows.slice(1)])
