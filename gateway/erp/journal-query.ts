/** Finding entries of the journal by date, order and account: a page at a time, with a bounded look at each. */
import type { Directory } from '../directory.js'
import { type EntryView, entriesFrom, entryView, orderRef } from './entry.js'
import type { Ledger } from './ledger.js'

export interface JournalFilter {
  fromMs?: number | undefined
  /** Entries before it. */
  toMs?: number | undefined
  order?: string | undefined
  /** `receivable`, `stock:W1`: of money or of units. */
  account?: string | undefined
}

/** Entries that one page looks at: with an account that has few, a page may come back short and has a cursor. */
const LOOKED_AT_MAX = 2_000
const PAGE = 500

export interface JournalPage {
  items: EntryView[]
  nextCursor: string | null
}

/** Oldest first. `cursor`: one that a page gave. */
export async function findEntries(
  ledger: Ledger,
  directory: Directory,
  { fromMs, toMs, order, account }: JournalFilter,
  limit: number,
  cursor?: string,
): Promise<JournalPage> {
  const items: EntryView[] = []
  const ref = order === undefined ? undefined : orderRef(order)
  let before = cursor ?? (fromMs === undefined ? undefined : entriesFrom(fromMs))
  for (let looked = 0; looked < LOOKED_AT_MAX; ) {
    const asked = Math.min(PAGE, account === undefined ? limit - items.length : PAGE)
    const page = await ledger.page(asked, before, ref)
    for (const { id, value } of page.items) {
      if (toMs !== undefined && value.atMs >= toMs) return { items, nextCursor: null }
      looked++
      before = id
      const view = entryView(value, directory)
      if (account === undefined || concerns(view, account)) items.push(view)
      if (items.length === limit) return { items, nextCursor: id }
    }
    if (page.nextCursor === null) return { items, nextCursor: null }
  }
  return { items, nextCursor: before ?? null }
}

const concerns = ({ lines, units }: EntryView, account: string): boolean =>
  lines.some((line) => line.account === account) || units.some((line) => line.account === account)

/** What a cursor of a journal looks like: the id of an entry. */
export const JOURNAL_CURSOR = /^\d{16}-\d{3}-\d{16}$/
