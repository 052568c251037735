/**
 * The records of a piece of CSV and the lines on which they end. Quotes that stand where they should not are taken as
 * they come: what then makes no sense is a bad line, not the end of the file.
 */
import { parse } from 'csv-parse/sync'

const NEWLINE = 0x0a

const OPTIONS = {
  relax_quotes: true,
  relax_column_count: true,
  skip_empty_lines: true,
  skip_records_with_error: true,
  record_delimiter: ['\r\n', '\n'],
}

/** The header, of a piece that is the first. */
export function readFirstRecord(bytes: Buffer): string[] | undefined {
  const records: string[][] = parse(bytes, { ...OPTIONS, bom: true, to: 1 })
  return records[0]
}

export interface PieceRecords {
  readonly records: string[][]
  readonly lineBreaks: number
  /** Where each one ends; undefined: one follows the other, a line each. */
  readonly lineNumbers: number[] | undefined
  /** Lines at which something ends that is no record. */
  readonly broken: number[]
}

/** The parser tells line numbers for a quarter more time: they are asked for only where they cannot be counted. */
export function readRecords(bytes: Buffer, isFirst: boolean): PieceRecords {
  const options = { ...OPTIONS, bom: isFirst, from: isFirst ? 2 : 1 }
  const lineBreaks = countLineBreaks(bytes)
  const records: string[][] = parse(bytes, options)
  const textLines = lineBreaks + (bytes.at(-1) === NEWLINE ? 0 : 1)
  if (records.length + (isFirst ? 1 : 0) === textLines)
    return { records, lineBreaks, lineNumbers: undefined, broken: [] }
  const broken: number[] = []
  const lineNumbers: number[] = []
  const found: string[][] = parse(bytes, {
    ...options,
    on_record: (record: string[], { lines }) => {
      lineNumbers.push(lines)
      return record
    },
    on_skip: (error) => void broken.push(Number(error?.lines ?? 0)),
  })
  return { records: found, lineBreaks, lineNumbers, broken }
}

function countLineBreaks(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++
  return count
}
