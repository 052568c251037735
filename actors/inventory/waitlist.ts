/**
 * Customers who wait for a SKU that is sold out. They stand on the same list as orders that wait, and whoever's turn it is
 * gets a reservation that is held for a while, and is told.
 */
import type { Step } from '../../engine/actors.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { readDocument, writeDocument } from '../documents.js'
import type { Customer } from '../order/order.js'
import { conflict, created, full, ok, problem } from '../outcomes.js'
import type { Inventory } from './inventory.js'
import type { Waiter, Waiting } from './waiting.js'
import { ANY_LOCATION, Status } from './wire.js'

export interface WaitlistEntry {
  /** Also the id of the reservation that it gets. */
  id: string
  /** The id's 16 bytes. */
  reservation: Uint8Array
  sku: number
  quantity: number
  customer: Customer
  channel: number
  /** How long what it gets is held. */
  ttlSeconds: number
  status: 'waiting' | 'served' | 'left'
}

const keyOf = (id: string): string => `waitlist/${id}`
const indexOf = (key: string): string => `waitlist-customer/${key}`
const PRIORITY = 5

export class Waitlist {
  constructor(
    private readonly store: Store,
    private readonly inventory: Inventory,
    private readonly waiting: Waiting,
  ) {}

  join(step: Step, entry: Omit<WaitlistEntry, 'status'>): Outcome {
    const known = readDocument<WaitlistEntry>(this.store, keyOf(entry.id))
    if (known) return known.sku === entry.sku ? created(known) : conflict('This waiting list id')
    const waiter: Waiter = {
      id: entry.id,
      kind: 'customer',
      priority: PRIORITY,
      sinceMs: step.timeMs,
      units: entry.quantity,
      isAsked: true,
    }
    if (!this.waiting.join(entry.sku, waiter)) return full('waiting customers of one SKU')
    const put: WaitlistEntry = { ...entry, status: 'waiting' }
    writeDocument(this.store, keyOf(entry.id), put)
    this.adopt(entry.id)
    return created(put)
  }

  /** Lists an entry under its customer's keys; also one whose document came from another partition. */
  adopt(id: string): void {
    const { customer } = readDocument<WaitlistEntry>(this.store, keyOf(id))!
    for (const key of customer.keys) this.store.indexPut(indexOf(key), id)
  }

  /** Entries that are found by one of a customer's keys. */
  ofCustomer({ key, before, limit }: { key: string; before?: string; limit: number }): Outcome {
    const ids = this.store.indexRange(indexOf(key), before, limit)
    return ok({ items: ids.map((id) => readDocument<WaitlistEntry>(this.store, keyOf(id))!) })
  }

  /** Its customer's key is destroyed: nobody can be told of a turn any more, so it waits no longer. */
  forget(id: string): Outcome {
    const left = this.leave(id)
    const entry = readDocument<WaitlistEntry>(this.store, keyOf(id))
    if (!entry) return left
    for (const key of entry.customer.keys) this.store.indexDelete(indexOf(key), id)
    entry.customer = { person: entry.customer.person, sealed: new Uint8Array(0), keys: [] }
    writeDocument(this.store, keyOf(id), entry)
    return ok(entry)
  }

  leave(id: string): Outcome {
    const entry = readDocument<WaitlistEntry>(this.store, keyOf(id))
    if (!entry) return problem(404, 'unknown_waitlist_entry', `Nobody waits under ${id}.`)
    if (entry.status === 'waiting') this.end(entry, 'left')
    return ok(entry)
  }

  private end(entry: WaitlistEntry, status: 'served' | 'left'): void {
    this.waiting.leave(entry.sku, entry.id)
    entry.status = status
    writeDocument(this.store, keyOf(entry.id), entry)
  }

  /** Stock has come and it is this one's turn. */
  serve(step: Step, id: string): void {
    const entry = readDocument<WaitlistEntry>(this.store, keyOf(id))
    if (entry?.status !== 'waiting') return
    const words = new Uint32Array(10)
    new Uint8Array(words.buffer).set(entry.reservation)
    words[6] = entry.sku
    words[7] = entry.quantity
    words[8] = entry.ttlSeconds
    words[9] = ANY_LOCATION | (entry.channel << 16)
    const { reservations } = this.inventory
    const status = this.inventory.reserve(words, 0, reservations.hashOf(words, 0), step.timeMs)
    if (status !== Status.done) return
    this.end(entry, 'served')
    step.publish('waitlist.served', 'inventory', {
      sku: entry.sku,
      location: this.inventory.location,
      entry: id,
      quantity: entry.quantity,
      reservation: id,
      expiresAtMs: step.timeMs + entry.ttlSeconds * 1_000,
    })
  }

  get(id: string): Outcome {
    const entry = readDocument<WaitlistEntry>(this.store, keyOf(id))
    return entry ? ok(entry) : problem(404, 'unknown_waitlist_entry', `Nobody waits under ${id}.`)
  }
}
