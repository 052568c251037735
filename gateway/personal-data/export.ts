/**
 * Everything that is kept about a customer, as the customer may ask for (GDPR, articles 15 and 20). It is read in pages,
 * each of which is a document of the same shape, so that it costs the same memory whatever there is of it.
 */
import type { Outcome } from '../../engine/protocol.js'
import type { OperationContext } from '../operations/operation.js'
import { entryView } from '../operations/transfers.js'
import { orderView } from '../order-view.js'
import { problem } from '../problems.js'
import { ERASURE, type Erasure } from './erasure.js'
import { openOrder } from './opened-order.js'
import {
  EXPORTED_KINDS,
  type Identified,
  identify,
  pageOfOrders,
  refsOfOrder,
  type Whose,
  waitlistOf,
} from './traces.js'

interface ExportedRecord {
  kind: string
  id: string
  value: unknown
}

interface CustomerExport {
  /** As was asked for: one of both. */
  customer?: string
  order?: string
  orders: object[]
  waitlist: object[]
  /** Messages, labels, consents and what channels sent; one that belongs to an order stands on the page of the order. */
  records: ExportedRecord[]
  erasures: object[]
  /** Of the next page; null: this is the last. */
  nextCursor: string | null
}

type Page = Omit<CustomerExport, 'customer' | 'order' | 'nextCursor'>

/** One place where something of a customer is. */
interface Source {
  /** The same on each page, for the cursor. */
  name: string
  /** Adds at most `limit` items; its cursor where there are more. An outcome: the cursor is wrong. */
  read(page: Page, limit: number, cursor: string | undefined): Promise<string | null | Outcome>
}

export async function exportCustomer(
  { whose, limit, cursor }: { whose: Whose; limit: number; cursor?: string | undefined },
  context: OperationContext,
): Promise<CustomerExport | Outcome> {
  const identity = await identify(whose, context)
  if ('status' in identity) return identity
  const sources = sourcesOf(identity, context)
  const start = cursor === undefined ? { at: 0, cursor: undefined } : readCursor(cursor, sources)
  if (!start) return wrongCursor()
  const page: Page = { orders: [], waitlist: [], records: [], erasures: [] }
  let within = start.cursor
  for (let at = start.at; at < sources.length; at++) {
    const left = limit - sizeOf(page)
    const { name, read } = sources[at]!
    const next = left > 0 ? await read(page, left, within) : (within ?? '')
    if (next !== null && typeof next === 'object') return next
    if (next !== null) {
      return { ...whose, ...page, nextCursor: Buffer.from(JSON.stringify([name, next])).toString('base64url') }
    }
    within = undefined
  }
  return { ...whose, ...page, nextCursor: null }
}

/** An order's records come with it, beyond the limit: they are few. */
const sizeOf = ({ orders, waitlist, records, erasures }: Page): number =>
  Math.max(orders.length, records.length) + waitlist.length + erasures.length

function readCursor(text: string, sources: Source[]): { at: number; cursor: string | undefined } | undefined {
  try {
    const [name, cursor] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
    const at = sources.findIndex((source) => source.name === name)
    if (at < 0 || typeof cursor !== 'string') return undefined
    return { at, cursor: cursor === '' ? undefined : cursor }
  } catch {
    return undefined
  }
}

const wrongCursor = (): Outcome =>
  problem(422, 'invalid', 'cursor: not one that this export gave', [{ path: 'cursor', message: 'unknown cursor' }])

function sourcesOf({ key, persons, erasedUnder }: Identified, context: OperationContext): Source[] {
  const refs = [key, ...persons]
  return [
    ...persons.map((person) => orderSource(person, context)),
    ...persons.map((person) => waitlistSource(person, context)),
    ...EXPORTED_KINDS.flatMap((kind) => refs.map((ref) => recordSource(kind, ref, persons, context))),
    erasureSource(erasedUnder, context),
  ]
}

function orderSource(person: string, context: OperationContext): Source {
  const { directory, people } = context
  return {
    name: `orders/${person}`,
    async read(page, limit, cursor) {
      const found = await pageOfOrders(person, limit, cursor, context)
      if ('status' in found) return found
      for (const order of found.orders) {
        page.orders.push(orderView(directory, openOrder(people, order)))
        for (const ref of refsOfOrder(order)) await addRecordsOf(ref, [person], page, context)
      }
      return found.nextCursor
    },
  }
}

/** All records about a part of an order. */
async function addRecordsOf(ref: string, persons: string[], page: Page, context: OperationContext): Promise<void> {
  for (const kind of EXPORTED_KINDS) {
    for (const { id, value } of await context.records.all<unknown>(kind, ref))
      addRecord(page, kind, id, value, persons, context)
  }
}

function addRecord(
  page: Page,
  kind: string,
  id: string,
  value: unknown,
  persons: string[],
  context: OperationContext,
): void {
  if (page.records.some((other) => other.kind === kind && other.id === id)) return
  page.records.push({ kind, id, value: opened(value, persons, context) })
}

function waitlistSource(person: string, context: OperationContext): Source {
  return {
    name: `waitlist/${person}`,
    async read(page, limit, cursor) {
      let passed = cursor === undefined
      let room = limit
      let last: string | undefined
      for await (const { partition, entry } of waitlistOf(person, context)) {
        const place = `${partition}/${entry.id}`
        if (!passed) {
          passed = place === cursor
          continue
        }
        if (room-- === 0) return last ?? ''
        page.waitlist.push(entryView(context, entry))
        last = place
      }
      return null
    },
  }
}

function recordSource(kind: string, ref: string, persons: string[], context: OperationContext): Source {
  return {
    name: `${kind}/${ref}`,
    async read(page, limit, cursor) {
      const { items, nextCursor } = await context.records.list<unknown>(kind, limit, cursor, ref)
      for (const { id, value } of items) addRecord(page, kind, id, value, persons, context)
      return nextCursor
    },
  }
}

function erasureSource(ref: string, { records }: OperationContext): Source {
  return {
    name: ERASURE,
    async read(page, limit, cursor) {
      const { items, nextCursor } = await records.list<Erasure>(ERASURE, limit, cursor, ref)
      page.erasures.push(...items.map(({ value }) => erasureView(value)))
      return nextCursor
    },
  }
}

export const erasureView = ({ state, reason, by, orders, waitlist, begunMs, doneMs }: Erasure): object => ({
  state,
  reason,
  by,
  orders,
  waitlist,
  begunAt: new Date(begunMs).toISOString(),
  ...(doneMs === undefined ? {} : { doneAt: new Date(doneMs).toISOString() }),
})

/** A record's value with its sealed parts open; what belongs to nobody of these is left out. */
function opened(value: unknown, persons: string[], context: OperationContext): unknown {
  if (value instanceof Uint8Array) {
    for (const person of persons) {
      const open = context.people.vault.open<unknown>(person, value)
      if (open !== undefined) return open
    }
    return undefined
  }
  if (Array.isArray(value)) return value.map((part) => opened(part, persons, context))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, opened(part, persons, context)]))
}
