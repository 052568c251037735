/**
 * What came of a file, for people: as JSON, and as CSV that a spreadsheet opens. What a spreadsheet would take for a formula
 * is made text, since the reasons quote what strangers wrote into the file.
 */
import { stringify } from 'csv-stringify/sync'
import type { FileReport } from './file-report.js'

/** Each bad line: its number, its order where that is known, and the reason. */
export function reportCsv({ badLines, badLinesLeftOut }: FileReport): string {
  const rows = badLines.map(({ line, order, reason }) => [String(line), order ?? '', reason])
  if (badLinesLeftOut > 0) rows.push(['', '', `and ${badLinesLeftOut} more bad lines`])
  return stringify([['line', 'order', 'reason'], ...rows], { bom: true, escape_formulas: true })
}

export const reportJson = (report: FileReport): string => `${JSON.stringify(report, undefined, 2)}\n`
