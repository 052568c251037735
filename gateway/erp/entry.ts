/**
 * A journal entry: one thing that happened, in accounts of money and of units. It is made of one event and has that event's
 * id, so it is made once however often the event is read. What came in somewhere went out elsewhere, in both.
 */
import type { Directory } from '../directory.js'
import { type Money, money } from '../money.js'
import { type MoneyAccount, unitAccountName } from './accounts.js'

export type EntryType =
  | 'invoice'
  | 'credit_note'
  | 'settlement'
  | 'refund'
  | 'store_credit_applied'
  | 'stock'
  | 'opening'
  | 'delivery'
  | 'loss'
  | 'disposition'

/** As it is kept. */
export interface JournalEntry {
  type: EntryType
  atMs: number
  /** Partition and number of the event. */
  event: [partition: number, number: number]
  order?: string
  /** A fulfillment, return, supply, transfer or adjustment; of a payment, its provider's reference. */
  reference?: string
  /** Of stock: why it moved (see actors/inventory/moves.ts); else what the entry is for. */
  reason?: string
  currency?: string
  money?: [account: MoneyAccount, amount: number][]
  /** Account (see accounts.ts), SKU index, units: one after the other, since a count has thousands of them. */
  units?: number[]
}

export interface EntryLine {
  account: string
  debit?: Money
  credit?: Money
}

export interface UnitLine {
  account: string
  sku: string
  in?: number
  out?: number
}

/** As clients and ERPs see it. */
export interface EntryView {
  id: string
  type: EntryType
  at: string
  order?: string
  reference?: string
  reason?: string
  lines: EntryLine[]
  units: UnitLine[]
}

const TIME_MAX = 10 ** 15
const DIGITS = 15

/**
 * The record's id: records are listed downwards, so both numbers count down and a journal is read from its beginning on.
 * Entries of one partition are in the order of its events.
 */
export const entryId = (atMs: number, partition: number, number: number): string =>
  `${countdown(atMs)}-${String(partition).padStart(3, '0')}-${countdown(number)}`

const countdown = (value: number): string => String(TIME_MAX - value).padStart(DIGITS + 1, '0')

/** Above all entries at or after a time, and below those before it: where a list from this time begins. */
export const entriesFrom = (atMs: number): string => `${countdown(atMs)}-~`

export const partitionRef = (partition: number): string => `partition/${partition}`
export const orderRef = (order: string): string => `order/${order}`

/** Visits the units of an entry. */
export function eachUnits(
  { units = [] }: Pick<JournalEntry, 'units'>,
  visit: (account: number, sku: number, units: number) => void,
): void {
  for (let i = 0; i + 2 < units.length; i += 3) visit(units[i]!, units[i + 1]!, units[i + 2]!)
}

/** What does not balance, in sentences; empty where all does. */
export function faultsOf(entry: JournalEntry): string[] {
  const faults: string[] = []
  const { money: amounts = [], units = [], currency } = entry
  const sum = amounts.reduce((total, [, amount]) => total + amount, 0)
  if (sum !== 0) faults.push(`debits are ${money(sum, currency ?? '').amount} more than credits`)
  if (amounts.length > 0 && currency === undefined) faults.push('amounts without a currency')
  if (amounts.some(([, amount]) => !Number.isSafeInteger(amount))) faults.push('an amount is no whole number')
  if (units.length % 3 !== 0) faults.push('units are cut off')
  const bySku = new Map<number, number>()
  eachUnits(entry, (_account, sku, count) => bySku.set(sku, (bySku.get(sku) ?? 0) + count))
  for (const [sku, count] of bySku) if (count !== 0) faults.push(`${count} units of SKU number ${sku} more in than out`)
  return faults
}

export function entryView(entry: JournalEntry, directory: Directory): EntryView {
  const { type, atMs, event, order, reference, reason, currency = '', money: amounts = [] } = entry
  const units: UnitLine[] = []
  const locationName = (location: number): string => directory.name('locations', location)
  eachUnits(entry, (account, sku, count) => {
    units.push({
      account: unitAccountName(account, locationName),
      sku: directory.name('skus', sku),
      ...(count > 0 ? { in: count } : { out: -count }),
    })
  })
  return {
    id: event.join('-'),
    type,
    at: new Date(atMs).toISOString(),
    ...(order === undefined ? {} : { order }),
    ...(reference === undefined ? {} : { reference }),
    ...(reason === undefined ? {} : { reason }),
    lines: amounts.map(([account, amount]) => ({
      account,
      ...(amount > 0 ? { debit: money(amount, currency) } : { credit: money(-amount, currency) }),
    })),
    units,
  }
}
