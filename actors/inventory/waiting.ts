/**
 * Who waits for a SKU that is sold out: orders with backordered units, and customers who asked to be told. When stock
 * comes they are served in order, by priority and then by who came first; until each has been asked once and has said
 * what it takes, those behind it see only what it leaves.
 */

import { LiveDocuments } from '../../engine/live-documents.js'
import type { Placement } from '../../engine/placement.js'
import type { Store } from '../../engine/store.js'
import { decodeDocument, encodeDocument } from '../documents.js'
import { WAITING_PER_SKU_MAX } from '../limits.js'
import type { Stock } from './stock.js'

export interface Waiter {
  /** The order's id, or the id of an entry of the waiting list of customers. */
  id: string
  kind: 'order' | 'customer'
  priority: number
  sinceMs: number
  units: number
  /** Whether it has been asked since stock last came. */
  isAsked: boolean
  /** It has been asked, and has not said yet what it takes. */
  isPending?: boolean
  /** When it decided to wait it saw less than there was, for the sake of those before it. */
  isCut?: boolean
}

interface WaitingList {
  sku: number
  waiters: Waiter[]
}

const DECODED_MAX = 1_000
const keyOf = (sku: number): string => `waiting/${sku}`

export class Waiting {
  private readonly lists: LiveDocuments<WaitingList>

  constructor(
    store: Store,
    private readonly stock: Stock,
    private readonly placement: Placement,
  ) {
    this.lists = new LiveDocuments(store, encodeDocument, decodeDocument<WaitingList>, DECODED_MAX)
  }

  list(sku: number): readonly Waiter[] {
    return this.lists.get(keyOf(sku))?.waiters ?? []
  }

  isWaiting(sku: number): boolean {
    return this.stock.hasWaiting(this.placement.localOf(sku))
  }

  /** Adds a waiter or changes how many units it waits for; false where the list is full. */
  join(sku: number, waiter: Waiter): boolean {
    const list = this.lists.change(keyOf(sku))
    if (!list) {
      this.lists.add(keyOf(sku), { sku, waiters: [waiter] })
      this.stock.setWaiting(this.placement.localOf(sku), true)
      return true
    }
    const known = list.waiters.find(({ id }) => id === waiter.id)
    if (known) {
      known.units = waiter.units
      known.isAsked = waiter.isAsked
      known.isCut = waiter.isCut ?? false
      return true
    }
    if (list.waiters.length >= WAITING_PER_SKU_MAX) return false
    let at = list.waiters.length
    while (at > 0 && isBefore(waiter, list.waiters[at - 1]!)) at--
    list.waiters.splice(at, 0, waiter)
    return true
  }

  leave(sku: number, id: string): void {
    const list = this.lists.change(keyOf(sku))
    if (!list) return
    const at = list.waiters.findIndex((waiter) => waiter.id === id)
    if (at >= 0) {
      const [gone] = list.waiters.splice(at, 1)
      if (gone!.isPending || !gone!.isAsked) askAgain(list.waiters.slice(at))
    }
    if (list.waiters.length > 0) return
    this.lists.delete(keyOf(sku))
    this.stock.setWaiting(this.placement.localOf(sku), false)
  }

  /** Stock has come: everybody is to be asked again. */
  askAll(sku: number): void {
    const list = this.lists.change(keyOf(sku))
    for (const waiter of list?.waiters ?? []) waiter.isAsked = false
  }

  /**
   * The next that has not been asked, taken note of as asked. As long as some have not said what they take, only who can
   * have all that it waits for whatever they say.
   */
  next(sku: number, atp: number): Waiter | undefined {
    let pending = 0
    let at = -1
    for (const [i, { isAsked, isPending, units }] of this.list(sku).entries()) {
      if (isPending) pending += units
      else if (!isAsked && at < 0) at = i
    }
    const units = this.list(sku)[at]?.units
    if (units === undefined || (pending > 0 && atp - pending < units)) return undefined
    const found = this.lists.change(keyOf(sku))!.waiters[at]!
    found.isAsked = true
    found.isPending = true
    return found
  }

  /** It holds what it was asked to take. */
  hasTaken(sku: number, id: string): void {
    if (!this.list(sku).some((waiter) => waiter.id === id && waiter.isPending)) return
    const found = this.lists.change(keyOf(sku))!.waiters.find((waiter) => waiter.id === id)!
    found.isPending = false
  }

  /** It has said what it takes; if that was nothing, those who saw less for its sake are asked again. */
  hasAnswered(sku: number, id: string): void {
    if (!this.list(sku).some((waiter) => waiter.id === id && waiter.isPending)) return
    const { waiters } = this.lists.change(keyOf(sku))!
    const at = waiters.findIndex((waiter) => waiter.id === id)
    waiters[at]!.isPending = false
    askAgain(waiters.slice(at + 1))
  }

  /** Units that others wait for who come before `id` and are still to say; all of those, where it does not wait here. */
  unitsAhead(sku: number, id: string): number {
    let units = 0
    for (const waiter of this.list(sku)) {
      if (waiter.id === id) break
      if (!waiter.isAsked || waiter.isPending) units += waiter.units
    }
    return units
  }
}

/** Somebody before these takes nothing: who saw less for his sake sees it now. */
function askAgain(waiters: Waiter[]): void {
  for (const waiter of waiters) {
    if (!waiter.isCut) continue
    waiter.isCut = false
    waiter.isAsked = false
  }
}

const isBefore = (a: Waiter, b: Waiter): boolean =>
  a.priority !== b.priority ? a.priority < b.priority : a.sinceMs !== b.sinceMs ? a.sinceMs < b.sinceMs : a.id < b.id
