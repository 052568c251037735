/**
 * Orders from a file: rows of CSV, of which those with one order number are one order, or JSON lines. What is wrong with a
 * line is told with its number, and all other orders are placed; each has its number as the connection's own id, so the same
 * file, or the same order in another one, is placed once.
 */

import { Readable } from 'node:stream'
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import { z } from 'zod'
import type { Outcome } from '../../../engine/protocol.js'
import { orderOfRows, readItem } from '../../import/import-kinds.js'
import { openRows, type RowFormat } from '../../import/import-rows.js'
import { money } from '../../schemas.js'

/** What a connection of files is set to. */
export const fileSettings = z.object({
  currency: money.shape.currency.optional().meta({ description: 'Where a file does not say' }),
  folder: z.string().min(1).max(4_096).optional().meta({ description: 'Files that are put here are imported' }),
})
export type FileSettings = z.output<typeof fileSettings>

export interface BadLine {
  line: number
  order?: string
  reason: string
}

export interface FileReport {
  name: string
  lines: number
  orders: number
  /** Placed now, and placed before: by this file or another. */
  imported: number
  repeated: number
  bad: number
  badLines: BadLine[]
  /** More bad lines than a report holds. */
  badLinesLeftOut: number
  ignoredColumns: string[]
}

/** The file as a whole cannot be read: nothing of it was done. */
export class UnreadableFile extends Error {}
/** The server had no room for too long: what was placed stays, and the file is to be taken again. */
export class ImportInterrupted extends Error {}

export interface OrderFile {
  name: string
  format: RowFormat
  /** The bytes from their beginning; CSV is read twice. */
  open(): Readable
}

export interface ImportOptions {
  /** The orders' channel. */
  connection: string
  settings: FileSettings
  call(name: string, input: object): Promise<Outcome>
  badLinesMax: number
}

const FORMATS: Record<string, RowFormat> = { csv: 'csv', jsonl: 'json', ndjson: 'json', json: 'json' }

/** By the end of its name; undefined for one that is not taken. */
export const formatOfName = (name: string): RowFormat | undefined =>
  FORMATS[/\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '']

const ORDERS_PER_CALL = 100
const BYTES_PER_CALL = 128 * 1024
const OVERLOAD_PAUSE_MS = 250
const OVERLOAD_TRIES = 40
const PIECE_BYTES = 4 * 1024
/** Lines that are no CSV, or not of the header’s width; the parser takes a hundred times as long for each. */
const UNREADABLE_MAX = 2_000
/** What a report quotes of what strangers wrote into the file. */
const ORDER_NUMBER_CHARACTERS_MAX = 128
const REASON_CHARACTERS_MAX = 300
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
  const batch = new Batch(options, report)
  const found = file.format === 'csv' ? csvOrders(file, report, options) : jsonOrders(file, report, options)
  for await (const order of found) await batch.add(order)
  await batch.send()
  if (report.lines === 0) throw new UnreadableFile(`${file.name} has no lines`)
  report.badLines.sort((a, b) => a.line - b.line)
  return report
}

function addBad(report: FileReport, { badLinesMax }: ImportOptions, bad: BadLine): void {
  report.bad++
  if (report.badLines.length === badLinesMax) {
    report.badLinesLeftOut++
    return
  }
  const { line, order, reason } = bad
  const named = order === undefined ? {} : { order: order.slice(0, ORDER_NUMBER_CHARACTERS_MAX) }
  report.badLines.push({ line, ...named, reason: reason.slice(0, REASON_CHARACTERS_MAX) })
}

/** An order as it goes out, and the lines of the file that it was made of. */
interface FoundOrder {
  number: string
  lines: number[]
  body: Record<string, unknown>
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

async function open(file: OrderFile) {
  try {
    return await openRows(Readable.from(inPieces(file.open())), file.format, 'orders', UNREADABLE_MAX)
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
    else yield { number, lines: [row.line], body }
  }
}

/** The order's number, as text: JSON may have it as a number. */
function numberOf({ externalId }: Record<string, unknown>): string | undefined {
  if (typeof externalId === 'number') return String(externalId)
  return typeof externalId === 'string' && externalId !== '' ? externalId : undefined
}

/** Rows of one order may stand anywhere in the file, so it is read twice: how many each has, and then the orders. */
async function* csvOrders(file: OrderFile, report: FileReport, options: ImportOptions): AsyncGenerator<FoundOrder> {
  const counts = new Map<string, number>()
  const first = await open(file)
  if (!first) return
  const missing = NEEDED.filter((field) => !first.fields.includes(field))
  if (missing.length > 0) {
    await first.rows.return(undefined)
    throw new UnreadableFile(`${file.name} has no column ${missing.join(', ')}`)
  }
  report.ignoredColumns = [...first.ignoredColumns]
  for await (const { body } of readable(file.name, first.rows)) {
    const number = body === undefined ? undefined : numberOf(body as Record<string, unknown>)
    if (number !== undefined) counts.set(number, (counts.get(number) ?? 0) + 1)
  }
  const source = await open(file)
  if (!source) return
  const begun = new Map<string, { lines: number[]; rows: Record<string, unknown>[]; faults: BadLine[] }>()
  for await (const row of readable(file.name, source.rows)) {
    report.lines++
    const body = row.body as Record<string, unknown> | undefined // bodyOf has made it
    const number = body === undefined ? undefined : numberOf(body)
    if (number === undefined) {
      addBad(report, options, { line: row.line, reason: row.reason ?? 'externalId is missing' })
      continue
    }
    const order = begun.get(number) ?? { lines: [], rows: [], faults: [] }
    begun.set(number, order)
    order.lines.push(row.line)
    const reason = row.reason ?? contradiction(order.rows[0], body!)
    if (reason !== undefined) order.faults.push({ line: row.line, order: number, reason })
    order.rows.push(body!)
    if (order.rows.length < counts.get(number)!) continue
    begun.delete(number)
    if (order.faults.length === 0) yield { number, lines: order.lines, body: orderOf(order.rows, options) }
    else refuse(number, order.lines, order.faults, report, options)
  }
}

/** An order is whole or not at all: its bad lines are told, and its others are named as left out with them. */
function refuse(number: string, lines: number[], faults: BadLine[], report: FileReport, options: ImportOptions): void {
  report.orders++
  for (const fault of faults) addBad(report, options, fault)
  const isTold = new Set(faults.map(({ line }) => line))
  for (const line of lines) {
    if (isTold.has(line)) continue
    addBad(report, options, { line, order: number, reason: `left out: line ${faults[0]!.line} of its order is bad` })
  }
}

/** What a row says of its order that the first row of it says otherwise. */
function contradiction(first: Record<string, unknown> | undefined, row: Record<string, unknown>): string | undefined {
  if (!first) return undefined
  for (const [key, value] of Object.entries(row)) {
    if (key === 'line' || first[key] === undefined) continue
    if (JSON.stringify(first[key]) !== JSON.stringify(value)) return `${key}: not as in the first row of the order`
  }
  return undefined
}

const orderOf = (rows: Record<string, unknown>[], { settings }: ImportOptions): Record<string, unknown> =>
  orderOfRows([{ currency: settings.currency, ...rows[0] }, ...rows.slice(1)])

/** Orders on their way: sent some at a time, so that memory and the server's messages stay small. */
class Batch {
  private orders: { number: string; lines: number[]; item: object }[] = []
  private bytes = 0

  constructor(
    private readonly options: ImportOptions,
    private readonly report: FileReport,
  ) {}

  async add({ number, lines, body }: FoundOrder): Promise<void> {
    const { connection, settings } = this.options
    const { id: _id, ...rest } = body
    const read = readItem('orders', { currency: settings.currency, ...rest, channel: connection, externalId: number })
    if ('reason' in read) {
      const at = /^lines\.(\d+)\b/.exec(read.reason)
      const line = lines[Number(at?.[1] ?? 0)] ?? lines[0]!
      refuse(number, lines, [{ line, order: number, reason: read.reason }], this.report, this.options)
      return
    }
    const bytes = Buffer.byteLength(JSON.stringify(read.item))
    if (this.orders.length === ORDERS_PER_CALL || (this.bytes + bytes > BYTES_PER_CALL && this.orders.length > 0)) {
      await this.send()
    }
    this.orders.push({ number, lines, item: read.item })
    this.bytes += bytes
  }

  async send(): Promise<void> {
    let { orders } = this
    this.orders = []
    this.bytes = 0
    for (let tries = 0; orders.length > 0; tries++) {
      if (tries === OVERLOAD_TRIES) throw new ImportInterrupted('the server has no room; the file is taken again')
      if (tries > 0) await pause(OVERLOAD_PAUSE_MS)
      const { status, body } = await this.options.call('order.createMany', { orders: orders.map(({ item }) => item) })
      if (status >= 500) continue
      const results =
        status < 300 ? (body as { results: Result[] }).results : orders.map(() => ({ ...(body as object), status }))
      orders = orders.filter((order, at) => !this.settle(order, results[at]!))
    }
  }

  /** Counts what came of an order; false where it is to be sent again. */
  private settle(
    { number, lines }: { number: string; lines: number[] },
    { status, code, detail, errors }: Result,
  ): boolean {
    if (status >= 500) return false
    if (status < 300) {
      this.report.orders++
      if (status === 201) this.report.imported++
      else this.report.repeated++
      return true
    }
    const reasons = (errors ?? []).map(({ path, message }) => `${path}: ${message}`)
    const reason = [code ?? `status ${status}`, ...(reasons.length > 0 ? reasons : [detail ?? ''])].join(': ')
    const at = /^lines\.(\d+)\b/.exec(errors?.[0]?.path ?? '')
    const line = lines[Number(at?.[1] ?? 0)] ?? lines[0]!
    refuse(number, lines, [{ line, order: number, reason }], this.report, this.options)
    return true
  }
}

interface Result {
  status: number
  code?: string
  detail?: string
  errors?: { path: string; message: string }[]
}
