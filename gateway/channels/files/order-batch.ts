/** Orders of a file on their way to the server, and what came of each. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Outcome } from '../../../engine/protocol.js'
import { readItem } from '../../import/import-kinds.js'
import type { OrderInput } from '../../order-schemas.js'
import { RecordRefused } from '../../records.js'
import { aliasedLine } from '../aliased-line.js'
import { Refused } from '../applied.js'
import type { Alias } from '../channel-desk.js'
import { type FileReport, refuseOrder } from './file-report.js'
import type { PlacedOrder } from './original-rows.js'
import type { FileSettings } from './settings.js'

/** The server had no room for too long: what was placed stays, and the file is to be taken again. */
export class ImportInterrupted extends Error {}

export interface ImportOptions {
  /** The orders' channel. */
  connection: string
  settings: FileSettings
  call(name: string, input: object): Promise<Outcome>
  /** What one of the file's SKUs is here. */
  alias?(sku: string): Alias
  /** Keeps what stands in the file of orders that were placed, now or before. */
  keep?(orders: PlacedOrder[]): Promise<void>
  badLinesMax: number
}

/** An order as it goes out, and the lines of the file that it was made of. */
export interface FoundOrder {
  number: string
  lines: number[]
  /** As they stand there. */
  original: string
  body: Record<string, unknown>
}

const ORDERS_PER_CALL = 100
const BYTES_PER_CALL = 128 * 1024
const OVERLOAD_PAUSE_MS = 250
const OVERLOAD_TRIES = 40

/** Orders on their way: sent some at a time, so that memory and the server's messages stay small. */
export class OrderBatch {
  private orders: SentOrder[] = []
  private bytes = 0

  constructor(
    private readonly options: ImportOptions,
    private readonly report: FileReport,
  ) {}

  async add({ number, lines, original, body }: FoundOrder): Promise<void> {
    const read = this.read(number, body)
    if ('reason' in read) {
      const at = /^lines\.(\d+)\b/.exec(read.reason)
      const line = lines[Number(at?.[1] ?? 0)] ?? lines[0]!
      refuseOrder(number, lines, [{ line, reason: read.reason }], this.report, this.options)
      return
    }
    const bytes = Buffer.byteLength(JSON.stringify(read.item))
    if (this.orders.length === ORDERS_PER_CALL || (this.bytes + bytes > BYTES_PER_CALL && this.orders.length > 0)) {
      await this.send()
    }
    this.orders.push({ number, lines, original, item: read.item })
    this.bytes += bytes
  }

  private read(number: string, body: Record<string, unknown>): { item: OrderInput } | { reason: string } {
    const { connection, settings, alias } = this.options
    const { id: _id, ...rest } = body
    // It was sold: what is not there is waited for, unless the file says otherwise.
    const sold = { currency: settings.currency, allowBackorder: true, ...rest }
    const read = readItem('orders', { ...sold, channel: connection, externalId: number })
    if ('reason' in read) return read
    const item = read.item as OrderInput // of this kind
    if (!alias) return { item }
    try {
      return { item: { ...item, lines: item.lines.map((line) => aliasedLine(line, alias(line.sku))) } }
    } catch (error) {
      if (error instanceof Refused) return { reason: error.message }
      throw error
    }
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
      await this.keep(orders, results)
      orders = orders.filter((order, at) => !this.settle(order, results[at]!))
    }
  }

  private async keep(orders: SentOrder[], results: Result[]): Promise<void> {
    const placed = orders.flatMap(({ number: externalId, original, item: { customer } }, at): PlacedOrder[] => {
      const { status, id: order } = results[at]!
      return status < 300 && order !== undefined
        ? [{ externalId, order, isNew: status === 201, customer, original }]
        : []
    })
    await this.options.keep?.(placed).catch((error: unknown) => {
      if (!(error instanceof RecordRefused)) throw error
      throw new ImportInterrupted('the server has no room; the file is taken again')
    })
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
    refuseOrder(number, lines, [{ line, reason }], this.report, this.options)
    return true
  }
}

interface SentOrder {
  number: string
  lines: number[]
  original: string
  item: OrderInput
}

interface Result {
  status: number
  id?: string
  code?: string
  detail?: string
  errors?: { path: string; message: string }[]
}
