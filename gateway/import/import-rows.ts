/** Reads a file of CSV or JSON lines, gzipped or not, line by line: memory does not grow with the file. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type CsvError, parse } from 'csv-parse'
import { DoorbusterError } from '../../engine/errors.js'
import {
  bodyOf,
  type Columns,
  detectKind,
  type ImportKind,
  orderKey,
  orderOfRows,
  readColumns,
} from './import-kinds.js'
import type { Row } from './row.js'
import { faultsOf, wholeOrders, withLeftOut } from './whole-orders.js'

export interface RowOptions {
  /** None: told by the fields. */
  readonly kind?: ImportKind | undefined
  /** A text of more records that are no CSV fails: each of them costs as much as many good ones. */
  readonly unreadableMax?: number
  /** Each row has its text as well. */
  readonly keepsText?: boolean
}

export interface ImportSource {
  readonly kind: ImportKind
  /** Columns of a CSV file that mean nothing here. */
  readonly ignoredColumns: readonly string[]
  /** Fields that a column of a CSV file stands for. */
  readonly fields: readonly string[]
  /** The header of a CSV file as it stands there, where rows have their text. */
  readonly header?: string
  readonly rows: AsyncGenerator<Row>
}

export type RowFormat = 'csv' | 'json'

export type OnBytes = (read: number, total: number) => void

/** Longer than any item: a record beyond it is a quote left open. */
const RECORD_CHARACTERS_MAX = 1024 * 1024

/** Opens a file and finds out what it holds, unless `kind` says so. */
export async function openImport(path: string, kind: ImportKind | undefined, onBytes: OnBytes): Promise<ImportSource> {
  const { size } = await stat(path)
  const format = formatOf(path)
  let read = 0
  let total = size
  const open = async (): Promise<ImportSource> => {
    const file = createReadStream(path)
    file.on('data', (chunk) => {
      read += chunk.length
      onBytes(read, total)
    })
    const source = await openRows(path.endsWith('.gz') ? gunzip(file) : file, format, { kind })
    if (!source) throw new DoorbusterError('bad_file', `${path} has no lines to import`)
    return source
  }
  const source = await open()
  if (source.kind !== 'orders' || format !== 'csv') return source
  // It is read twice.
  total *= 2
  const again = async (): Promise<AsyncIterable<Row>> => (await open()).rows
  return { ...source, rows: orderRows(wholeOrders(source.rows, again, orderKey)) }
}

/** The rows of a text, each by itself: of orders as CSV, each is a line of one. Undefined where there is none. */
export const openRows = (input: Readable, format: RowFormat, options: RowOptions): Promise<ImportSource | undefined> =>
  format === 'csv' ? openCsv(input, options) : openJsonLines(input, options.kind)

function formatOf(path: string): RowFormat {
  const name = path.toLowerCase().replace(/\.gz$/, '')
  if (name.endsWith('.csv')) return 'csv'
  if (/\.(jsonl|ndjson|json)$/.test(name)) return 'json'
  throw new DoorbusterError(
    'bad_file',
    `${path}: the name must end in .csv, .jsonl, .ndjson or .json, each with .gz or without`,
  )
}

function gunzip(file: Readable): Readable {
  const output = createGunzip()
  file.on('error', (error) => output.destroy(error))
  return file.pipe(output)
}

async function openCsv(
  input: Readable,
  { kind, unreadableMax = Number.POSITIVE_INFINITY, keepsText = false }: RowOptions,
): Promise<ImportSource | undefined> {
  const skipped: Row[] = []
  let unreadable = 0
  const parser = parse({
    bom: true,
    info: true,
    raw: keepsText,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: RECORD_CHARACTERS_MAX,
    on_skip: (error: CsvError | undefined) => {
      skipped.push({ line: Number(error?.lines ?? 0), reason: error?.message ?? 'not CSV' })
      if (++unreadable === unreadableMax) {
        parser.destroy(
          new DoorbusterError('bad_file', `${unreadableMax} records are no CSV: are its quotes as they should be?`),
        )
      }
    },
  })
  input.on('error', (error) => parser.destroy(error))
  input.pipe(parser)
  const records: AsyncIterator<CsvRecord> = parser[Symbol.asyncIterator]()
  const first = await records.next()
  if (first.done) return undefined
  const header = first.value.record
  const found = kind ?? detectKind(header)
  const columns = readColumns(header, found)
  const rows = csvRows(records, columns, header.length, skipped, unreadableMax)
  const fields = columns.fields.flatMap((field) => (field ? [field.path] : []))
  const text = first.value.raw
  return { kind: found, ignoredColumns: columns.ignored, fields, rows, ...(text === undefined ? {} : { header: text }) }
}

interface CsvRecord {
  readonly record: string[]
  readonly info: { readonly lines: number }
  readonly raw?: string
}

async function* csvRows(
  records: AsyncIterator<CsvRecord>,
  columns: Columns,
  width: number,
  skipped: Row[],
  misfitsMax: number,
): AsyncGenerator<Row> {
  // The parser counts the two characters of a line break inside quotes as two lines.
  let countedTwice = 0
  let misfits = 0
  for (let next = await records.next(); !next.done; next = await records.next()) {
    yield* skipped.splice(0).map((row) => ({ ...row, line: row.line - countedTwice }))
    const { record, info, raw: text } = next.value
    for (const field of record) if (field.includes('\r\n')) countedTwice += field.split('\r\n').length - 1
    const line = info.lines - countedTwice
    if (record.length === width) {
      yield { line, body: bodyOf(record, columns), ...(text === undefined ? {} : { text }) }
      continue
    }
    if (++misfits === misfitsMax) {
      throw new DoorbusterError('bad_file', `${misfits} lines have other fields than the header: is it the right one?`)
    }
    yield { line, reason: `${record.length} fields where the header has ${width}`, body: bodyOf(record, columns) }
  }
  yield* skipped.splice(0).map((row) => ({ ...row, line: row.line - countedTwice }))
}

/** An order of the rows of each; it is named by its first line. */
async function* orderRows(orders: AsyncGenerator<Row[]>): AsyncGenerator<Row> {
  for await (const rows of orders) {
    const faults = faultsOf(rows)
    if (faults.length > 0) {
      yield* withLeftOut(
        rows.map(({ line }) => line),
        faults,
      )
      continue
    }
    // csvRows yields what bodyOf has made.
    yield { line: rows[0]!.line, body: orderOfRows(rows.map(({ body }) => body as Record<string, unknown>)) }
  }
}

async function openJsonLines(input: Readable, kind: ImportKind | undefined): Promise<ImportSource | undefined> {
  const rows = jsonRows(input)
  const early: Row[] = []
  // The first line that is an object tells the kind; bad ones before it are kept to be reported.
  for (let next = await rows.next(); !next.done; next = await rows.next()) {
    early.push(next.value)
    if (next.value.reason !== undefined) continue
    const found = kind ?? detectKind(Object.keys(next.value.body as object)) // jsonRows yields objects only
    return { kind: found, ignoredColumns: [], fields: [], rows: chain(early, rows) }
  }
  if (early.length === 0) return undefined
  return { kind: kind ?? 'products', ignoredColumns: [], fields: [], rows: chain(early, rows) }
}

async function* jsonRows(input: Readable): AsyncGenerator<Row> {
  let failure: Error | undefined
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  // readline ends quietly when its input fails; the reader of the rows must learn of it.
  input.on('error', (error) => {
    failure = error
    lines.close()
  })
  let line = 0
  for await (const text of lines) {
    line++
    // A byte order mark is not part of the first object; `trim` takes it for a space.
    const trimmed = text.trim()
    if (trimmed !== '') yield readJson(trimmed, line)
  }
  if (failure) throw failure
}

function readJson(text: string, line: number): Row {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { line, body, text }
    return { line, reason: 'not a JSON object; write one object a line' }
  } catch (error) {
    return { line, reason: error instanceof Error ? error.message : String(error) }
  }
}

async function* chain(first: readonly Row[], rest: AsyncGenerator<Row>): AsyncGenerator<Row> {
  yield* first
  yield* rest
}
