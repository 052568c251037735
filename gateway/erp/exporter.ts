/**
 * Gives the journal to the ERP, batch after batch, and reconciles stock at night. What a batch holds is remembered before it
 * is delivered, so that after a crash the same batch is delivered again under the same id.
 */
import type { Logger } from 'pino'
import type { OutwardHttp } from '../channels/channel.js'
import type { OperationContext } from '../operations/operation.js'
import { type EntryView, entryView } from './entry.js'
import { EXPORT, type ExportState, exportState } from './export-state.js'
import { BatchFiles } from './files/batch-files.js'
import { BatchPosts } from './http/batch-posts.js'
import { Ledger } from './ledger.js'
import { BATCH_ENTRIES_MAX, BATCH_LINES_MAX, type ErpLink, LINK_ID, type LinkSettings } from './link.js'
import { findLink } from './link-settings.js'
import { nightlyId } from './night.js'
import { RECONCILIATION, reconcile } from './reconciliation.js'

const LOOK_MS = 1_000
/** After a failure it waits twice as long each time, at most this. */
const WAIT_MS_MAX = 300_000

export class ErpExporter {
  private timer: NodeJS.Timeout | undefined
  private readonly ledger: Ledger
  private running: Promise<void> | undefined
  private stopped = false
  private waitUntilMs = 0

  constructor(
    private readonly context: OperationContext,
    private readonly logger: Logger,
    private readonly http: OutwardHttp,
  ) {
    this.ledger = new Ledger(context)
  }

  /** Begins to look, and looks again and again. */
  wake(): void {
    this.timer ??= setInterval(() => this.look(), LOOK_MS).unref()
    this.look()
  }

  async stop(): Promise<void> {
    this.stopped = true
    clearInterval(this.timer)
    await this.running
  }

  private look(): void {
    if (this.running || this.stopped || this.context.now() < this.waitUntilMs) return
    this.running = this.work()
      .catch((error: unknown) => this.failed(error))
      .finally(() => {
        this.running = undefined
      })
  }

  private async work(): Promise<void> {
    const settings = await findLink(this.context)
    if (settings.type === 'none') return
    const link = linkOf(settings, this.context.dataDir, this.http)
    const posted = await this.ledger.posted()
    for (let partition = 0; partition < posted.length; partition++) {
      while (!this.stopped && (await this.deliverNext(link, partition, posted[partition]!)));
    }
    await this.reconcileIfDue(settings, link)
  }

  /** Delivers the next batch of a partition; false where there is nothing to deliver. */
  private async deliverNext(link: ErpLink, partition: number, posted: number): Promise<boolean> {
    const state = await exportState(this.context)
    let { batch } = state
    const entries: EntryView[] = []
    const after = batch?.after ?? state.upTo[partition] ?? ''
    let lines = 0
    let last = ''
    await this.ledger.walk(batch?.partition ?? partition, after, (entry, id) => {
      // An entry may still come before those of events that are being posted.
      const isBeyond = batch ? id < batch.last : entry.event[1] > posted
      if (isBeyond || (!batch && (entries.length === BATCH_ENTRIES_MAX || lines >= BATCH_LINES_MAX))) return false
      const view = entryView(entry, this.context.directory)
      entries.push(view)
      lines += view.lines.length + view.units.length
      last = id
      return true
    })
    if (entries.length === 0) return false
    if (!batch) {
      const id = `${entries[0]!.id}--${entries.at(-1)!.id}`
      batch = { id, partition, after, last }
      await this.keep({ ...state, batch })
    }
    await link.deliver({ id: batch.id, entries })
    await this.keep({ upTo: { ...state.upTo, [batch.partition]: batch.last }, failures: 0 })
    return true
  }

  private async keep(state: ExportState): Promise<void> {
    await this.context.records.put({ kind: EXPORT, id: LINK_ID, value: state })
  }

  private async failed(error: unknown): Promise<void> {
    const state = await exportState(this.context)
    const failures = state.failures + 1
    this.waitUntilMs = this.context.now() + Math.min(WAIT_MS_MAX, 1_000 * 2 ** Math.min(failures, 20))
    const lastError = (error as Error).message
    this.logger.warn({ reason: lastError, failures }, 'the ERP could not be told; it is tried again')
    await this.keep({ ...state, failures, lastError }).catch(() => {})
  }

  /** Once a day, from the time on that was set, as soon as there is a snapshot. */
  private async reconcileIfDue(settings: Exclude<LinkSettings, { type: 'none' }>, link: ErpLink): Promise<void> {
    const id = nightlyId(this.context.now(), settings)
    if (id === undefined) return
    if (await this.context.records.get(RECONCILIATION, id)) return
    const snapshot = await link.snapshot()
    if (snapshot) await reconcile(id, snapshot, this.context)
  }
}

const linkOf = (settings: Exclude<LinkSettings, { type: 'none' }>, dataDir: string, http: OutwardHttp): ErpLink =>
  settings.type === 'files' ? new BatchFiles(dataDir) : new BatchPosts(http, settings)
