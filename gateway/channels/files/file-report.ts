/** What came of each line of a file: what a person reads who has to mend it. */

import { type RowFault, withLeftOut } from '../../import/whole-orders.js'

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

/** What a report quotes of what strangers wrote into the file. */
const ORDER_NUMBER_CHARACTERS_MAX = 128
const REASON_CHARACTERS_MAX = 300
/** Tells of it, as long as the report has room. */
export function addBad(report: FileReport, { badLinesMax }: { badLinesMax: number }, bad: BadLine): void {
  report.bad++
  if (report.badLines.length === badLinesMax) {
    report.badLinesLeftOut++
    return
  }
  const { line, order, reason } = bad
  const named = order === undefined ? {} : { order: order.slice(0, ORDER_NUMBER_CHARACTERS_MAX) }
  report.badLines.push({ line, ...named, reason: reason.slice(0, REASON_CHARACTERS_MAX) })
}

/** Names the bad lines of an order, and its others as left out with them. */
export function refuseOrder(
  order: string,
  lines: number[],
  faults: RowFault[],
  report: FileReport,
  options: { badLinesMax: number },
): void {
  report.orders++
  for (const fault of withLeftOut(lines, faults)) addBad(report, options, { ...fault, order })
}
