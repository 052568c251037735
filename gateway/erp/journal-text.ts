/** The journal as text: CSV with a row for each line of an entry, or JSON with an entry on each line. */
import { stringify } from 'csv-stringify/sync'
import type { EntryView } from './entry.js'

export const JOURNAL_COLUMNS = [
  'entry',
  'at',
  'type',
  'order',
  'reference',
  'reason',
  'account',
  'debit',
  'credit',
  'currency',
  'sku',
  'unitsIn',
  'unitsOut',
]

type Cell = string | number | undefined

/** RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
export const journalCsv = (rows: Cell[][]): string =>
  rows.length === 0 ? '' : stringify(rows, { record_delimiter: 'windows', escape_formulas: true })

export function entryRows({ id, at, type, order, reference, reason, lines, units }: EntryView): Cell[][] {
  const head = [id, at, type, order, reference, reason]
  return [
    ...lines.map(({ account, debit, credit }) => [
      ...head,
      account,
      debit?.amount,
      credit?.amount,
      (debit ?? credit)?.currency,
      undefined,
      undefined,
      undefined,
    ]),
    ...units.map((line) => [...head, line.account, undefined, undefined, undefined, line.sku, line.in, line.out]),
  ]
}

export const journalJsonLine = (entry: EntryView): string => `${JSON.stringify(entry)}\n`
