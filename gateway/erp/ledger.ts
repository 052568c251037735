/**
 * The journal: entries under the ids of their events, listed from the oldest on. What is summed up is remembered as far as
 * no entry can still come before it, so a trial balance costs what has been posted since the last one.
 */
import type { EngineEvent } from '../../engine/protocol.js'
import type { OperationContext } from '../operations/operation.js'
import type { Stored } from '../records.js'
import { eachUnits, entryId, type JournalEntry, orderRef, partitionRef } from './entry.js'
import { documentOf, INVOICE } from './invoice.js'
import { isPosted } from './posting.js'

export const ENTRY = 'erp-entry'
const BALANCE = 'erp-balance'
const ALL = 'all'
/** The name of the consumer that posts, under which its cursor is kept. */
export const POSTING = 'erp'
const CURSOR = 'consumer'

const PAGE = 500
/** Events behind what is posted that a trial balance looks at: more are only counted as many. */
const PENDING_LOOKED_AT = 1_000

/** What accounts come to. Units by account code (accounts.ts), over all SKUs. */
export interface Sums {
  /** By `account/currency`, ten-thousandths. */
  money: Record<string, number>
  units: Record<string, number>
}

interface Summed extends Sums {
  /** For each partition, the last entry that is in it. */
  upTo: string[]
}

type Services = Pick<OperationContext, 'records' | 'dispatch'>

export class Ledger {
  constructor(private readonly services: Services) {}

  /** Posts an entry, once. */
  async post(entry: JournalEntry): Promise<void> {
    const { records } = this.services
    const [partition, number] = entry.event
    const id = entryId(entry.atMs, partition, number)
    const refs = [partitionRef(partition), ...(entry.order === undefined ? [] : [orderRef(entry.order)])]
    const document = documentOf(entry)
    // The document first: where the entry is there, so is its document.
    if (document) await records.create({ kind: INVOICE, id, value: document, refs: [orderRef(document.order)] })
    await records.create({ kind: ENTRY, id, value: entry, refs })
  }

  /** One page from `before` on, oldest first: see `entriesFrom`. */
  page(
    limit: number,
    before?: string,
    ref?: string,
  ): Promise<{ items: Stored<JournalEntry>[]; nextCursor: string | null }> {
    return this.services.records.list<JournalEntry>(ENTRY, limit, before, ref)
  }

  /** Whether entries of these events are there. */
  async isPosted({ timeMs, partition, number }: EngineEvent): Promise<boolean> {
    return (await this.services.records.get(ENTRY, entryId(timeMs, partition, number))) !== undefined
  }

  /** Numbers of the events up to which all is posted, by partition; none where nothing was. */
  async posted(): Promise<number[]> {
    return (await this.services.records.get<number[]>(CURSOR, POSTING))?.value ?? []
  }

  /** Events that are to be posted and may not have been yet, of each partition the next ones. */
  async pending(limit = PENDING_LOOKED_AT): Promise<EngineEvent[]> {
    const { dispatch } = this.services
    const posted = await this.posted()
    const events: EngineEvent[] = []
    for (let partition = 0; partition < dispatch.links.partitions; partition++) {
      const page = await dispatch.events.page(partition, posted[partition] ?? 0, limit)
      if (page) events.push(...page.events.filter(({ type }) => isPosted(type)))
    }
    return events
  }

  /** What all accounts come to now. */
  async sums(): Promise<Sums> {
    const kept = await this.services.records.get<Summed>(BALANCE, ALL)
    const sums: Summed = kept?.value ?? { money: {}, units: {}, upTo: [] }
    const posted = await this.posted()
    const count = await this.addPosted(sums, posted)
    if (count > PAGE) await this.remember(sums, kept?.version ?? 0)
    const live: Sums = { money: { ...sums.money }, units: { ...sums.units } }
    for (let partition = 0; partition < posted.length; partition++) {
      await this.walk(partition, sums.upTo[partition], (entry) => {
        addTo(live, entry)
        return true
      })
    }
    return live
  }

  /** Adds what is posted for good; returns how many entries that was. */
  private async addPosted(sums: Summed, posted: number[]): Promise<number> {
    let count = 0
    // A directory may once have had more partitions: their entries stay where they are.
    for (let partition = 0; partition < Math.max(posted.length, sums.upTo.length); partition++) {
      const last = posted[partition] ?? Number.POSITIVE_INFINITY
      await this.walk(partition, sums.upTo[partition], (entry, id) => {
        if (entry.event[1] > last) return false
        addTo(sums, entry)
        sums.upTo[partition] = id
        count++
        return true
      })
    }
    for (let i = 0; i < sums.upTo.length; i++) sums.upTo[i] ??= ''
    return count
  }

  private async remember(sums: Summed, ifVersion: number): Promise<void> {
    // Whoever was faster has summed up the same.
    await this.services.records.put({ kind: BALANCE, id: ALL, value: sums, ifVersion }).catch(() => {})
  }

  /** Visits a partition's entries behind `after`, in the order of its events, until `visit` says no. */
  async walk(
    partition: number,
    after: string | undefined,
    visit: (entry: JournalEntry, id: string) => boolean,
  ): Promise<void> {
    for (let before = after || undefined; ; ) {
      const page = await this.page(PAGE, before, partitionRef(partition))
      for (const { id, value } of page.items) if (!visit(value, id)) return
      if (page.nextCursor === null) return
      before = page.nextCursor
    }
  }
}

function addTo({ money, units }: Sums, entry: JournalEntry): void {
  for (const [account, amount] of entry.money ?? []) {
    const key = `${account}/${entry.currency ?? ''}`
    money[key] = (money[key] ?? 0) + amount
  }
  eachUnits(entry, (account, _sku, count) => {
    units[account] = (units[account] ?? 0) + count
  })
}
