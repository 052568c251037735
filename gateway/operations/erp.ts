/** The ledger as clients see it: journal, trial balance, invoices, the link to an ERP, reconciliation of stock. */
import { z } from 'zod'
import { type EntryView, entriesFrom, entryView, faultsOf, orderRef } from '../erp/entry.js'
import { exportState } from '../erp/export-state.js'
import { INVOICE, type InvoiceDocument, invoiceView } from '../erp/invoice.js'
import { findEntries, type JournalFilter } from '../erp/journal-query.js'
import { entryRows, JOURNAL_COLUMNS, journalCsv, journalJsonLine } from '../erp/journal-text.js'
import { Ledger } from '../erp/ledger.js'
import { type LinkSettings, linkSettings } from '../erp/link.js'
import { findLink, keepLink } from '../erp/link-settings.js'
import { openBooks } from '../erp/opening.js'
import { applyReconciliation, RECONCILIATION, type Reconciliation, reconcile } from '../erp/reconciliation.js'
import * as shapes from '../erp/schemas.js'
import { trialBalance } from '../erp/trial-balance.js'
import { problem } from '../problems.js'
import { entityId, page } from '../schemas.js'
import { newId, type OperationContext, operation } from './operation.js'

/** Entries that one check looks at. */
const CHECKED_AT_ONCE = 5_000
const PAGE = 500
/** Lines of one export: some ten megabytes of text. */
const EXPORT_LINES_MAX = 50_000

const filterOf = (query: { from?: string | undefined; to?: string | undefined; order?: string | undefined }) => ({
  fromMs: query.from === undefined ? undefined : Date.parse(query.from),
  toMs: query.to === undefined ? undefined : Date.parse(query.to),
  order: query.order,
})

/** All entries of a period as text, where that is not too long. */
async function exported(
  filter: JournalFilter,
  head: string,
  render: (entry: EntryView) => string,
  context: OperationContext,
) {
  const ledger = new Ledger(context)
  const parts = [head]
  let lines = 0
  for (let cursor: string | undefined; ; ) {
    const found = await findEntries(ledger, context.directory, filter, PAGE, cursor)
    for (const entry of found.items) {
      lines += entry.lines.length + entry.units.length
      if (lines > EXPORT_LINES_MAX) {
        const detail = `The period has over ${EXPORT_LINES_MAX} lines; ask for shorter ones with from and to.`
        return problem(422, 'export_too_large', detail)
      }
      parts.push(render(entry))
    }
    if (found.nextCursor === null) return { status: 200, body: Buffer.from(parts.join('')) }
    cursor = found.nextCursor
  }
}

const linkView = (settings: LinkSettings): object => {
  if (settings.type !== 'http') return settings
  const { token, ...shown } = settings
  return { ...shown, hasToken: token !== undefined }
}

export const erpOperations = [
  operation({
    name: 'erp.journal',
    summary: 'Entries of the journal, oldest first, by date, order and account',
    http: { method: 'GET', path: '/v1/erp/journal', status: 200 },
    query: shapes.journalQuery,
    async run({ limit, cursor, account, ...query }, context) {
      const filter = { ...filterOf(query), account }
      return {
        status: 200,
        body: await findEntries(new Ledger(context), context.directory, filter, limit, cursor),
      }
    },
  }),
  operation({
    name: 'erp.journalCsv',
    summary: 'The journal as CSV: a row for each line of an entry',
    http: { method: 'GET', path: '/v1/erp/journal.csv', status: 200, produces: 'text/csv; charset=utf-8' },
    query: shapes.journalText,
    run: ({ account, ...query }, context) =>
      exported(
        { ...filterOf(query), account },
        journalCsv([JOURNAL_COLUMNS]),
        (entry) => journalCsv(entryRows(entry)),
        context,
      ),
  }),
  operation({
    name: 'erp.journalLines',
    summary: 'The journal as JSON lines: an entry on each line',
    http: { method: 'GET', path: '/v1/erp/journal.jsonl', status: 200, produces: 'application/x-ndjson' },
    query: shapes.journalText,
    run: ({ account, ...query }, context) => exported({ ...filterOf(query), account }, '', journalJsonLine, context),
  }),
  operation({
    name: 'erp.trialBalance',
    summary: 'What all accounts of money and units come to; `pending`: events that are not in the journal yet',
    http: { method: 'GET', path: '/v1/erp/trial-balance', status: 200 },
    async run(_input, context) {
      const ledger = new Ledger(context)
      const pending = (await ledger.pending()).length
      return { status: 200, body: { ...trialBalance(await ledger.sums(), context.directory), pending } }
    },
  }),
  operation({
    name: 'erp.open',
    summary: 'Books what is on hand and the journal has missed, as opening entries; the answer names the SKUs',
    http: { method: 'POST', path: '/v1/erp/openings', status: 202 },
    run: (_input, context) => openBooks(context),
  }),
  operation({
    name: 'erp.check',
    summary: 'Looks for entries that do not balance, some thousands at once',
    http: { method: 'GET', path: '/v1/erp/check', status: 200 },
    query: shapes.checkQuery,
    async run({ cursor }, context) {
      const ledger = new Ledger(context)
      const faults: { entry: EntryView; faults: string[] }[] = []
      let checked = 0
      let before = cursor
      let nextCursor: string | null = null
      do {
        const found = await ledger.page(PAGE, before)
        for (const { value } of found.items) {
          checked++
          const wrong = faultsOf(value)
          if (wrong.length > 0) faults.push({ entry: entryView(value, context.directory), faults: wrong })
        }
        nextCursor = found.nextCursor
        before = nextCursor ?? undefined
      } while (nextCursor !== null && checked < CHECKED_AT_ONCE)
      return { status: 200, body: { checked, isSound: faults.length === 0, faults, nextCursor } }
    },
  }),
  operation({
    name: 'erp.invoices',
    summary: 'Invoices and credit notes, oldest first, by date and order',
    http: { method: 'GET', path: '/v1/erp/invoices', status: 200 },
    query: shapes.invoiceQuery,
    async run({ limit, cursor, ...query }, { records }) {
      const { fromMs, toMs, order } = filterOf(query)
      const before = cursor ?? (fromMs === undefined ? undefined : entriesFrom(fromMs))
      const ref = order === undefined ? undefined : orderRef(order)
      const found = await records.list<InvoiceDocument>(INVOICE, limit, before, ref)
      const items = found.items.filter(({ value }) => toMs === undefined || value.atMs < toMs)
      const nextCursor = items.length < found.items.length ? null : found.nextCursor
      return { status: 200, body: { items: items.map(({ value }) => invoiceView(value)), nextCursor } }
    },
  }),
  operation({
    name: 'erp.link.put',
    summary: 'How the ERP is told of the journal, and when stock is reconciled',
    http: { method: 'PUT', path: '/v1/erp/link', status: 200 },
    body: linkSettings,
    async run(settings, context) {
      await keepLink(settings, context)
      return { status: 200, body: linkView(settings) }
    },
  }),
  operation({
    name: 'erp.link.get',
    summary: 'How the ERP is told, how far it has been, and what went wrong last',
    http: { method: 'GET', path: '/v1/erp/link', status: 200 },
    async run(_input, context) {
      const settings = await findLink(context)
      const { failures, lastError, batch } = await exportState(context)
      const state = { failures, underWay: batch?.id ?? null, ...(lastError === undefined ? {} : { lastError }) }
      return { status: 200, body: { ...linkView(settings), state } }
    },
  }),
  operation({
    name: 'erp.reconcile',
    summary: 'Compares stock that another system believes in with ours, and explains what is different',
    http: { method: 'POST', path: '/v1/erp/reconciliations', status: 201 },
    body: shapes.reconciliation,
    async run({ id, snapshot, at }, context) {
      const name = id ?? newId(context)
      const time = at ?? new Date(context.now()).toISOString()
      return { status: 201, body: await reconcile(name, { id: name, at: time, rows: snapshot }, context) }
    },
  }),
  operation({
    name: 'erp.reconciliation.get',
    summary: 'A reconciliation of stock',
    http: { method: 'GET', path: '/v1/erp/reconciliations/{id}', status: 200 },
    parameters: z.object({ id: entityId }),
    async run({ id }, { records }) {
      const found = await records.get<Reconciliation>(RECONCILIATION, id)
      if (!found) return problem(404, 'unknown_reconciliation', `There is no reconciliation ${id}.`)
      return { status: 200, body: found.value }
    },
  }),
  operation({
    name: 'erp.reconciliation.list',
    summary: 'Reconciliations of stock, without their differences',
    http: { method: 'GET', path: '/v1/erp/reconciliations', status: 200 },
    query: page,
    async run({ limit, cursor }, { records }) {
      const found = await records.list<Reconciliation>(RECONCILIATION, Math.min(limit, 50), cursor)
      const items = found.items.map(({ value: { differences: _all, unknownRows: _unknown, ...shown } }) => shown)
      return { status: 200, body: { items, nextCursor: found.nextCursor } }
    },
  }),
  operation({
    name: 'erp.reconciliation.apply',
    summary: 'Adjusts stock by what no movement explains, each place once',
    http: { method: 'POST', path: '/v1/erp/reconciliations/{id}/apply', status: 200 },
    parameters: z.object({ id: entityId }),
    body: shapes.application,
    run: ({ id, reason, by }, context) => applyReconciliation(id, reason, by, context),
  }),
]
