/**
 * An ERP that reads files: batches of the journal as CSV in `erp/outbox` of the data directory, stock that it believes in
 * as CSV in `erp/inbox`. A file appears under its name only when it is whole and on the disk.
 */

import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'csv-parse'
import { entryRows, JOURNAL_COLUMNS, journalCsv } from '../journal-text.js'
import type { ErpLink, JournalBatch, SnapshotRow, StockSnapshot } from '../link.js'

const SNAPSHOT = /^[\w.-]{1,100}\.csv$/
/** A file that is still being written has no snapshot of a moment. */
const SETTLED_MS = 2_000

export class BatchFiles implements ErpLink {
  private readonly outbox: string
  private readonly inbox: string

  constructor(dataDir: string) {
    this.outbox = join(dataDir, 'erp', 'outbox')
    this.inbox = join(dataDir, 'erp', 'inbox')
  }

  async deliver({ id, entries }: JournalBatch): Promise<void> {
    await mkdir(this.outbox, { recursive: true })
    const path = join(this.outbox, `journal-${id}.csv`)
    const partial = `${path}.part`
    const file = await open(partial, 'w')
    try {
      await file.writeFile(journalCsv([JOURNAL_COLUMNS]))
      for (const entry of entries) await file.writeFile(journalCsv(entryRows(entry)))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, path)
    // The name is a part of the directory, which has a flush of its own.
    const directory = await open(this.outbox, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  }

  /** The newest file of the inbox: columns `sku`, `location`, `onHand`; its time is the file's. */
  async snapshot(): Promise<StockSnapshot | undefined> {
    await mkdir(this.inbox, { recursive: true })
    let newest: { name: string; mtimeMs: number } | undefined
    for (const name of await readdir(this.inbox)) {
      if (!SNAPSHOT.test(name)) continue
      const { mtimeMs } = await stat(join(this.inbox, name))
      if (Date.now() - mtimeMs < SETTLED_MS) continue
      if (!newest || mtimeMs > newest.mtimeMs) newest = { name, mtimeMs }
    }
    if (!newest) return undefined
    const { name, mtimeMs } = newest
    const at = new Date(mtimeMs).toISOString()
    return { id: `${name}@${Math.trunc(mtimeMs)}`, at, rows: this.rows(join(this.inbox, name)) }
  }

  private async *rows(path: string): AsyncGenerator<SnapshotRow> {
    const parser = createReadStream(path).pipe(
      parse({ columns: true, bom: true, trim: true, skip_empty_lines: true, max_record_size: 10_000 }),
    )
    let line = 1
    // With `columns` each record is an object of the header's names.
    for await (const record of parser as AsyncIterable<Record<string, string>>) {
      line++
      const { sku = '', location = '', onHand = '' } = record
      if (sku === '' || location === '' || !/^\d{1,10}$/.test(onHand)) {
        throw new Error(`line ${line} of the snapshot: sku, location and a whole onHand are wanted`)
      }
      yield { sku, location, onHand: Number(onHand) }
    }
  }
}
