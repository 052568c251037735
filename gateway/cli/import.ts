/** `doorbuster import`: catalogue, locations and stock from files; bad lines are named, the rest is imported. */
import { Presets, SingleBar } from 'cli-progress'
import { DoorbusterClient } from '../client/index.js'
import { type ImportKind, readItem } from '../import/import-kinds.js'
import { type ImportSource, openImport } from '../import/import-rows.js'
import { ImportSender } from './import-sender.js'
import { withPlainErrors } from './plain-error.js'

export interface ImportOptions {
  /** CSV with a header (`.csv`) or JSON lines (`.jsonl`, `.ndjson`, `.json`), each with `.gz` or without. */
  readonly file: string
  /** A running server. */
  readonly url: string
  /** An API key. */
  readonly token?: string | undefined
  /** What the file holds; none: told by its fields. */
  readonly kind?: ImportKind | undefined
  /** Exit code 1 where any line was bad. */
  readonly strict?: boolean | undefined
  /** One JSON object on standard output instead of a page. */
  readonly json: boolean
}

export interface ImportReport {
  readonly kind: ImportKind
  readonly lines: number
  readonly imported: number
  readonly bad: number
  /** The first hundred, by line. */
  readonly badLines: readonly { line: number; reason: string }[]
  /** Columns that mean nothing for this kind. */
  readonly ignoredColumns: readonly string[]
  readonly seconds: number
}

const BAD_LINES_KEPT = 100
const BAD_LINES_SHOWN = 20
const DEADLINE_MS = 60_000

/** Resolves with the exit code: 1 where nothing was imported, or a line was bad and `strict` is set. Rejects with what a person should read. */
export function importFile(options: ImportOptions): Promise<number> {
  return withPlainErrors(() => importAndTell(options))
}

async function importAndTell(options: ImportOptions): Promise<number> {
  const started = performance.now()
  const bar = new SingleBar(
    {
      format: '  importing  {bar}  {percentage}%  {imported} imported, {bad} bad  {duration_formatted}',
      hideCursor: true,
      stream: process.stderr,
    },
    Presets.shades_grey,
  )
  const tally = new Tally()
  const source = await openImport(options.file, options.kind, (read, total) => {
    if (bar.isActive) bar.update(Math.floor((100 * read) / total), tally.counts)
  })
  let client: DoorbusterClient | undefined
  try {
    client = await DoorbusterClient.connect(options.url, { token: options.token, deadlineMs: DEADLINE_MS })
    if (!options.json) bar.start(100, 0, tally.counts)
    await sendAll(source, client, tally)
    if (bar.isActive) bar.update(100, tally.counts)
  } finally {
    bar.stop()
    client?.close()
    await source.rows.return(undefined)
  }
  const report = tally.report(source, (performance.now() - started) / 1000)
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : formatReport(report))
  return report.imported === 0 || (options.strict && report.bad > 0) ? 1 : 0
}

async function sendAll(source: ImportSource, client: DoorbusterClient, tally: Tally): Promise<void> {
  const sender = new ImportSender(client, source.kind, (line, reason) => tally.add(line, reason))
  for await (const row of source.rows) {
    if (row.reason !== undefined) {
      tally.add(row.line, row.reason)
      continue
    }
    const read = readItem(source.kind, row.body)
    if ('reason' in read) tally.add(row.line, read.reason)
    else await sender.add({ line: row.line, item: read.item })
  }
  await sender.finish()
}

class Tally {
  readonly counts = { imported: 0, bad: 0 }
  private readonly badLines: { line: number; reason: string }[] = []

  add(line: number, reason: string | undefined): void {
    if (reason === undefined) {
      this.counts.imported++
      return
    }
    this.counts.bad++
    if (this.badLines.length < BAD_LINES_KEPT) this.badLines.push({ line, reason })
  }

  report(source: ImportSource, seconds: number): ImportReport {
    const { imported, bad } = this.counts
    return {
      kind: source.kind,
      lines: imported + bad,
      imported,
      bad,
      badLines: this.badLines.sort((a, b) => a.line - b.line),
      ignoredColumns: source.ignoredColumns,
      seconds: Number(seconds.toFixed(3)),
    }
  }
}

function formatReport(report: ImportReport): string {
  const count = (value: number) => value.toLocaleString('en-GB')
  const out = [
    `\n  ${count(report.imported)} of ${count(report.lines)} ${report.kind} imported in ${report.seconds.toFixed(1)} s`,
  ]
  if (report.ignoredColumns.length > 0)
    out.push(`  columns without a meaning here: ${report.ignoredColumns.join(', ')}`)
  if (report.bad > 0) out.push(`  ${count(report.bad)} bad lines:`)
  for (const { line, reason } of report.badLines.slice(0, BAD_LINES_SHOWN))
    out.push(`    line ${count(line)}: ${reason}`)
  if (report.bad > BAD_LINES_SHOWN) out.push(`    and ${count(report.bad - BAD_LINES_SHOWN)} more`)
  return `${out.join('\n')}\n`
}
