/** Orders as text, one after another: JSON, an order on each line, or CSV, a row for each order line. */
import { stringify } from 'csv-stringify/sync'
import type { OrderDetail } from '../actors/order/order-views.js'
import type { Directory } from './directory.js'
import { money } from './money.js'
import { locationsOf, orderView } from './order-view.js'
import type { OpenedOrder } from './personal-data/opened-order.js'

export interface OrderText {
  contentType: string
  fileName: string
  /** How much of an order it shows. */
  detail: OrderDetail
  head: string
  render(order: OpenedOrder, directory: Directory): string
}

const COLUMNS = [
  'order',
  'externalId',
  'channel',
  'status',
  'placedAt',
  'customer',
  'email',
  'country',
  'postalCode',
  'line',
  'sku',
  'quantity',
  'lineStatus',
  'location',
  'unitPrice',
  'currency',
  'partOf',
]

/** RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
const csv = (rows: (string | number | undefined)[][]): string =>
  stringify(rows, { record_delimiter: 'windows', escape_formulas: true })

function csvRows(order: OpenedOrder, directory: Directory): string {
  const { customer, shipTo, currency } = order
  const placedAt = new Date(order.placedMs).toISOString()
  return csv(
    order.lines.map((line, at) => [
      order.id,
      order.externalId,
      order.channel,
      order.status,
      placedAt,
      customer.name,
      customer.email,
      shipTo.country,
      shipTo.postalCode,
      line.number,
      directory.name('skus', line.sku),
      line.quantity,
      order.lineStatuses[at],
      locationsOf(order, line.number, directory).join('; '),
      money(line.unitPrice, currency).amount,
      currency,
      line.parent,
    ]),
  )
}

export const ORDER_TEXTS: Record<'csv' | 'jsonl', OrderText> = {
  csv: {
    contentType: 'text/csv; charset=utf-8; header=present',
    fileName: 'orders.csv',
    detail: 'short',
    head: csv([COLUMNS]),
    render: csvRows,
  },
  jsonl: {
    contentType: 'application/jsonl; charset=utf-8',
    fileName: 'orders.jsonl',
    detail: 'whole',
    head: '',
    render: (order, directory) => `${JSON.stringify(orderView(directory, order))}\n`,
  },
}
