/** What can be read of orders: one, lists by their indexes, fulfillment orders of a location, exceptions, counts. */

import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { ORDER_WINDOWS_PER_PAGE } from '../limits.js'
import { ok } from '../outcomes.js'
import { unknownOrder } from './changeable.js'
import { lineStatus } from './lines.js'
import type { Order } from './order.js'
import { parseFulfillmentId } from './order-id.js'
import { indexName, orderOfEntry, timeKey, timeOfEntry } from './order-indexes.js'
import { orderStatus } from './order-status.js'
import type { OrderStore } from './order-store.js'

/** An order as it leaves its partition: with what is worked out of it. */
export interface OrderView extends Omit<Order, 'saga'> {
  status: string
  lineStatuses: string[]
}

export interface OrderFilter {
  status?: string
  channel?: string
  externalId?: string
  /** A keyed hash of the id or e-mail address. */
  customer?: string
  location?: number
  /** Keyed hashes of words, all of which it has; the longest word first. */
  q?: string[]
  fromMs?: number
  toMs?: number
}

/** How much of an order is shown: all of it, no reasons of rules and plans, or no timeline either. */
export type OrderDetail = 'whole' | 'listed' | 'short'

export interface OrderListAsk {
  filter: OrderFilter
  /** Entries below this one: what a cursor stands for. */
  before?: string
  limit: number
  detail: OrderDetail
}

/** Orders that one page looks at: with filters that no index answers together, a page may come back short. */
const SCANNED_MAX = 2_000

const ALL_TIMES = Number.POSITIVE_INFINITY

/** An index, or the part of it that one window has: of orders that were placed up to, and without, some time (ms). */
interface PartOfIndex {
  index: string
  untilMs: number
}

export interface Page<T> {
  items: T[]
  /** The last entry that was looked at, if there may be more. */
  before: string | null
}

export class OrderViews {
  constructor(
    private readonly store: Store,
    private readonly orders: OrderStore,
  ) {}

  get(id: string): Outcome {
    const order = this.orders.get(id)
    return order ? ok(viewOf(order, 'whole')) : unknownOrder(id)
  }

  list({ filter, before, limit, detail }: OrderListAsk): Outcome {
    const from = filter.fromMs
    const start = filter.toMs === undefined ? before : lower(before, `${timeKey(filter.toMs + 1)}/`)
    const page: Page<{ entry: string; order: OrderView }> = { items: [], before: null }
    let scanned = 0
    for (const entry of this.entries(filter, start, limit)) {
      if (typeof entry === 'number') {
        page.before = beforeOf(entry)
        return ok(page)
      }
      const order = this.orders.get(orderOfEntry(entry))
      if (order && from !== undefined && order.placedMs < from) return ok(page)
      if (order && matches(order, filter)) page.items.push({ entry, order: viewOf(order, detail) })
      if (page.items.length === limit || ++scanned === SCANNED_MAX) {
        page.before = entry
        return ok(page)
      }
    }
    return ok(page)
  }

  /**
   * Entries below `before` of the index that leaves the least to look at, newest first, read some at a time; a number where
   * it has looked into so many windows that it stops: there may be more that was placed before (ms).
   */
  private *entries(filter: OrderFilter, before: string | undefined, atOnce: number): Generator<string | number> {
    let last = before
    let looked = 0
    for (const { index, untilMs } of this.indexesFor(filter, before)) {
      if (++looked > ORDER_WINDOWS_PER_PAGE) {
        yield untilMs
        return
      }
      for (;;) {
        const entries = this.store.indexRange(index, last, atOnce)
        yield* entries
        last = entries.at(-1) ?? last
        if (entries.length < atOnce) break
      }
    }
  }

  private indexesFor(filter: OrderFilter, before: string | undefined): Iterable<PartOfIndex> {
    const { externalId, customer, q, location, status, channel } = filter
    const token = q?.[0]
    if (externalId !== undefined) return this.windowed(indexName.externalId, externalId, filter, before)
    if (customer !== undefined) return this.windowed(indexName.customer, customer, filter, before)
    if (token !== undefined) return this.windowed(indexName.text, token, filter, before)
    if (location !== undefined) return [{ index: indexName.location(location), untilMs: ALL_TIMES }]
    if (status !== undefined) return [{ index: indexName.status(status), untilMs: ALL_TIMES }]
    if (channel !== undefined) return [{ index: indexName.channel(channel), untilMs: ALL_TIMES }]
    return [{ index: indexName.all, untilMs: ALL_TIMES }]
  }

  private *windowed(
    nameOf: (window: number, key: string) => string,
    key: string,
    { fromMs = 0 }: OrderFilter,
    before: string | undefined,
  ): Generator<PartOfIndex> {
    let untilMs = before === undefined ? ALL_TIMES : timeOfEntry(before)
    for (const window of this.orders.windows.between(fromMs, untilMs)) {
      yield { index: nameOf(window, key), untilMs }
      untilMs = window
    }
  }

  /** Ids of the latest orders, newest first. */
  latest(limit: number): string[] {
    return this.store.indexRange(indexName.all, undefined, limit).map(orderOfEntry)
  }

  counts(): Outcome {
    return ok(this.orders.counts())
  }

  fulfillments({
    location,
    statuses,
    before,
    limit,
  }: {
    location?: number
    statuses: string[]
    before?: string
    limit: number
  }): Outcome {
    const indexes = statuses.map((status) => indexName.fulfillment(location, status))
    return this.parts(indexes, before, limit, (order, number) => {
      const fulfillment = order.fulfillments[number - 1]
      return fulfillment && { order: order.id, fulfillment }
    })
  }

  exceptions({ statuses, before, limit }: { statuses: string[]; before?: string; limit: number }): Outcome {
    return this.parts(statuses.map(indexName.exception), before, limit, (order, number) => {
      const exception = order.exceptions[number - 1]
      return exception && { order: order.id, exception }
    })
  }

  returns({ statuses, before, limit }: { statuses: string[]; before?: string; limit: number }): Outcome {
    return this.parts(statuses.map(indexName.return), before, limit, (order, number) => {
      const found = order.returns?.[number - 1]
      return found && { order: order.id, currency: order.currency, return: found }
    })
  }

  /** One page of parts of orders, newest first, over indexes whose entries name an order and a number in it. */
  private parts<T extends object>(
    indexes: readonly string[],
    before: string | undefined,
    limit: number,
    partOf: (order: Order, number: number) => T | undefined,
  ): Outcome {
    const entries = indexes.flatMap((index) => this.store.indexRange(index, before, limit))
    entries.sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))
    const items = entries.slice(0, limit).flatMap((entry) => {
      const found = parseFulfillmentId(orderOfEntry(entry))
      const order = found && this.orders.get(found.order)
      const part = order && partOf(order, found.number)
      return part ? [{ entry, ...part }] : []
    })
    const page: Page<T & { entry: string }> = {
      items,
      before: entries.length >= limit ? entries[limit - 1]! : null,
    }
    return ok(page)
  }
}

function viewOf({ saga: _saga, ...order }: Order, detail: OrderDetail): OrderView {
  const view = order as OrderView
  view.status = orderStatus(order)
  view.lineStatuses = order.lines.map((line) => lineStatus(order, line))
  if (detail !== 'whole') {
    view.trace = []
    view.refused = []
  }
  if (detail === 'short') view.timeline = []
  return view
}

/** Below every entry of a time, and above those of all times before. */
const beforeOf = (ms: number): string => `${timeKey(ms)}/-`

const lower = (a: string | undefined, b: string): string => (a !== undefined && a < b ? a : b)

function matches(order: Order, filter: OrderFilter): boolean {
  const { status, channel, externalId, customer, location, q, toMs } = filter
  if (status !== undefined && orderStatus(order) !== status) return false
  if (channel !== undefined && order.channel !== channel) return false
  if (externalId !== undefined && order.externalId !== externalId) return false
  if (customer !== undefined && !order.customer.keys.includes(customer)) return false
  if (location !== undefined && !order.fulfillments.some((fulfillment) => fulfillment.location === location))
    return false
  if (toMs !== undefined && order.placedMs > toMs) return false
  if (q === undefined) return true
  return q.every((token) => order.search.includes(token))
}
