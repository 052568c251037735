/**
 * The orders of a partition: documents, found by id and by secondary indexes. What a command changes is taken note of, and
 * at its end indexes, counts and timers are brought in line with it, so nobody who changes an order has to think of them.
 */
import type { Step } from '../../engine/actors.js'
import type { Arena } from '../../engine/arena.js'
import { LiveDocuments } from '../../engine/live-documents.js'
import type { Store } from '../../engine/store.js'
import { ArenaId } from '../arenas.js'
import { decodeDocument, encodeDocument } from '../documents.js'
import { ORDERS_DECODED_MAX } from '../limits.js'
import type { OpenOrders } from './open-orders.js'
import type { Customer, Order } from './order.js'
import { entryOf, indexEntriesOf, lastingIndexesOf, personalIndexesOf } from './order-indexes.js'
import { ORDER_STATUSES, type OrderStatus, orderStatus } from './order-status.js'
import { OrderWindows } from './order-windows.js'

const keyOf = (id: string): string => `order/${id}`

interface Change {
  order: Order
  status: OrderStatus | undefined
  entries: Set<string>
}

/** When a partition has to look at an order again by itself; undefined where never. */
export type NextDue = (order: Order, timeMs: number) => number | undefined

export class OrderStore {
  private readonly documents: LiveDocuments<Order>
  private readonly counters: Arena
  readonly windows: OrderWindows
  private readonly changes = new Map<string, Change>()
  /** Told which orders have another status now. */
  onStatus: (step: Step, order: Order, before: OrderStatus | undefined, after: OrderStatus) => void = () => {}

  constructor(
    private readonly store: Store,
    private readonly open: OpenOrders,
    private readonly nextDue: NextDue,
  ) {
    this.documents = new LiveDocuments(store, encodeDocument, decodeDocument<Order>, ORDERS_DECODED_MAX)
    this.windows = new OrderWindows(store)
    this.counters = store.arena(ArenaId.orderCounters, 'order counters', 8, ORDER_STATUSES.length + 1)
  }

  /** For reading. */
  get(id: string): Order | undefined {
    return this.changes.get(id)?.order ?? this.documents.get(keyOf(id))
  }

  /** For changing, until the command ends. */
  change(id: string): Order | undefined {
    const known = this.changes.get(id)
    if (known) return known.order
    const order = this.documents.change(keyOf(id))
    if (order) this.changes.set(id, { order, status: orderStatus(order), entries: new Set(indexEntriesOf(order)) })
    return order
  }

  /** In the step in which it was placed. */
  add(order: Order): void {
    this.windows.add(order.placedMs)
    this.documents.add(keyOf(order.id), order)
    this.changes.set(order.id, { order, status: undefined, entries: new Set() })
    this.putLastingEntries(order)
  }

  /** An order that was refused while it was being taken: as if it had never been sent. */
  remove(order: Order): void {
    const change = this.changes.get(order.id)
    this.changes.delete(order.id)
    for (const pair of change?.entries ?? indexEntriesOf(order)) this.deleteEntry(pair)
    const entry = entryOf(order)
    for (const index of lastingIndexesOf(order, this.windows.of(order.placedMs))) this.store.indexDelete(index, entry)
    if (change?.status) this.count(change.status, -1)
    this.open.unschedule(order.id)
    this.documents.delete(keyOf(order.id))
  }

  /** How many orders have each status. */
  counts(): Record<OrderStatus, number> {
    const counts = ORDER_STATUSES.map((status, at) => [status, this.counters.doubles[at]!])
    // One entry for each status.
    return Object.fromEntries(counts) as Record<OrderStatus, number>
  }

  /** A number that no other allocation of this partition has had. */
  nextAllocation(): number {
    const at = ORDER_STATUSES.length
    this.counters.touchPage(0)
    this.counters.doubles[at]!++
    return this.counters.doubles[at]!
  }

  get lastAllocation(): number {
    return this.counters.doubles[ORDER_STATUSES.length]!
  }

  continueAllocationsAfter(count: number): void {
    this.counters.touchPage(0)
    this.counters.doubles[ORDER_STATUSES.length] = Math.max(this.lastAllocation, count)
  }

  /** Brings indexes, counts and timers in line with what the command has changed. */
  commit(step: Step): void {
    if (this.changes.size === 0) return
    for (const change of this.changes.values()) this.settle(step, change)
    this.changes.clear()
  }

  private settle(step: Step, { order, status: before, entries: old }: Change): void {
    const status = orderStatus(order)
    if (status !== before) {
      if (status === 'delivered') order.deliveredMs = step.timeMs
      if (before !== undefined) this.count(before, -1)
      this.count(status, 1)
      this.onStatus(step, order, before, status)
    }
    for (const pair of indexEntriesOf(order)) {
      if (!old.delete(pair)) this.putEntry(pair)
    }
    for (const pair of old) this.deleteEntry(pair)
    const dueMs = this.nextDue(order, step.timeMs)
    if (dueMs === undefined) this.open.unschedule(order.id)
    else this.open.schedule(order.id, dueMs, step.timeMs)
  }

  /** An order whose document came from another partition. */
  adopt(id: string, timeMs: number): void {
    const order = this.get(id)!
    this.putLastingEntries(order)
    for (const pair of indexEntriesOf(order)) this.putEntry(pair)
    this.count(orderStatus(order), 1)
    const dueMs = this.nextDue(order, timeMs)
    if (dueMs !== undefined) this.open.schedule(order.id, dueMs, timeMs)
  }

  /** Its customer, or the words by which it is found, are others now. */
  refind(order: Order, { customer, search }: { customer?: Customer; search?: string[] }): void {
    const entry = entryOf(order)
    const window = this.windows.of(order.placedMs)
    for (const index of personalIndexesOf(order, window)) this.store.indexDelete(index, entry)
    if (customer) order.customer = customer
    if (search) order.search = search
    for (const index of personalIndexesOf(order, window)) this.store.indexPut(index, entry)
  }

  private count(status: OrderStatus, by: number): void {
    this.counters.touchPage(0)
    this.counters.doubles[ORDER_STATUSES.indexOf(status)]! += by
  }

  private putLastingEntries(order: Order): void {
    const entry = entryOf(order)
    const window = this.windows.of(order.placedMs)
    for (const index of lastingIndexesOf(order, window)) this.store.indexPut(index, entry)
  }

  private putEntry(pair: string): void {
    const at = pair.indexOf('\t')
    this.store.indexPut(pair.slice(0, at), pair.slice(at + 1), true)
  }

  private deleteEntry(pair: string): void {
    const at = pair.indexOf('\t')
    this.store.indexDelete(pair.slice(0, at), pair.slice(at + 1))
  }
}
