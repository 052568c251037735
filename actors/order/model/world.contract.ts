/**
 * One or several partitions and the network between them, in one thread and in an order that the test chooses. Beside it a
 * small ledger says what has to be on hand: only what the world does to goods is entered there.
 */
import { expect } from 'vitest'
import {
  type Answer,
  copyOf,
  DrivenPartition,
  differences,
  type Entry,
} from '../../../engine/driven-partition.contract.js'
import { Placement } from '../../../engine/placement.js'
import type { EngineEvent, Outcome } from '../../../engine/protocol.js'
import { decodeDocument } from '../../documents.js'
import type { Reply } from '../../inventory/inventory-model.contract.js'
import { command, replies } from '../../inventory/inventory-sequences.contract.js'
import type { StockMoved } from '../../inventory/moves.js'
import type { StockView } from '../../inventory/views.js'
import { createActors, RetailActors } from '../../main.js'
import type { Order } from '../order.js'
import { orderPartition } from '../order-id.js'
import { HOLD_MS, START_MS, stockKey } from './goods.contract.js'

/** What may be refused, and how. */
const REFUSALS = [
  'invalid_transition',
  'not_cancellable',
  'on_hold',
  'not_picked',
  'not_to_pick',
  'picked_too_many',
  'wrong_location',
  'unknown_order',
  'unknown_sku',
  'unknown_supply',
  'unknown_exception',
  'unknown_fulfillment',
  'conflict',
  'credit_too_large',
  'refund_too_large',
  'invalid',
  'new_line_elsewhere',
  'new_kit',
  'overloaded',
  'not_returnable',
  'reason_refused',
  'return_window_over',
  'nothing_expected',
  'not_to_inspect',
]

export class World {
  readonly partitions: DrivenPartition[]
  readonly placement: Placement
  timeMs = START_MS
  /** What is on hand, as the world's doings say: counted and received, less what was shipped or is gone. */
  readonly onHand = new Map<string, number>()
  /** What has moved in and out of stock, as it was published. */
  readonly moved = new Map<string, number>()
  /** Commands that are answered later, by partition and number, and how often they were. */
  readonly later = new Map<string, number>()
  readonly heard: Outcome[] = []
  readonly events: EngineEvent[] = []
  readonly sent: { partition: number; entry: Entry }[] = []
  private ids = 0

  constructor(count: number) {
    this.placement = new Placement(count)
    this.partitions = Array.from(
      { length: count },
      (_, partition) => new DrivenPartition({ createActors, partition, partitions: count }),
    )
  }

  newId(prefix: string): string {
    return `${prefix}${this.ids++}`
  }

  actorsOf(partition: number): RetailActors {
    const { actors } = this.partitions[partition]!.state
    if (!(actors instanceof RetailActors)) throw new Error('these are the actors of this module')
    return actors
  }

  partitionOf(order: string): number {
    return orderPartition(order, this.partitions.length)
  }

  order(id: string): Order | undefined {
    return this.actorsOf(this.partitionOf(id)).orders.orders.get(id)
  }

  /** All orders of a partition, looked up in its store and not in an index. */
  ordersOf(partition: number): Order[] {
    return [...this.partitions[partition]!.store.documents()].flatMap(([key, bytes]) =>
      key.startsWith('order/') ? [decodeDocument<Order>(bytes)] : [],
    )
  }

  get orders(): Order[] {
    return this.partitions.flatMap((_, partition) => this.ordersOf(partition))
  }

  stockOf(sku: number): StockView {
    const partition = this.partitions[this.placement.partitionOf(sku)]!
    return partition.query(this.timeMs, 'inventory.get', { index: sku }).body as StockView
  }

  // ---- running

  /** One batch in a partition; what is due comes first, until it has come to rest. */
  run(partition: number, entries: Entry[]): (Outcome | undefined)[] {
    this.runDue(partition)
    const answers = this.apply(partition, entries)
    this.runDue(partition)
    return answers.map(({ outcome }) => outcome)
  }

  /** A packed frame for one SKU, and what it was answered. */
  frame(sku: number, entry: Entry): Reply[] {
    const partition = this.placement.partitionOf(sku)
    this.runDue(partition)
    const [answer] = this.apply(partition, [entry])
    this.runDue(partition)
    return replies(answer!)
  }

  private runDue(partition: number): void {
    const { state } = this.partitions[partition]!
    const timeMs = Math.max(state.timeMs, this.timeMs)
    for (let rounds = 0; state.actors.isDue(timeMs); rounds++) {
      expect(rounds, 'rounds until nothing is due at this time').toBeLessThan(50)
      this.apply(partition, [{ kind: 'advance' }])
    }
  }

  private apply(partition: number, entries: Entry[]): Answer[] {
    if (entries.length === 0) return []
    const driven = this.partitions[partition]!
    const timeMs = Math.max(driven.state.timeMs, this.timeMs)
    const { answers, answeredLater, events } = driven.run(timeMs, entries)
    this.events.push(...events)
    for (const { type, data } of events) {
      if (type === 'inventory.moved') this.enterMoves(data as StockMoved)
      if (type !== 'inventory.discrepancy') continue
      // What should have left and was not there any more, by a count.
      const { sku, location, units } = data as { sku: number; location: number; units: number }
      this.enter(sku, location, units)
    }
    for (const { later, outcome } of answers) {
      if (later !== undefined) this.later.set(`${partition}/${later}`, 0)
      else if (outcome) this.heard.push(outcome)
    }
    for (const [number, outcome] of answeredLater) {
      const key = `${partition}/${number}`
      expect(this.later.has(key), 'what is answered was asked').toBe(true)
      this.later.set(key, this.later.get(key)! + 1)
      this.heard.push(outcome)
    }
    return answers
  }

  private enterMoves({ moves }: StockMoved): void {
    for (let i = 0; i + 2 < moves.length; i += 3) {
      const key = stockKey(moves[i]!, moves[i + 1]!)
      this.moved.set(key, (this.moved.get(key) ?? 0) + moves[i + 2]!)
    }
  }

  /** Sends a command, which changes nothing where it is refused. */
  send(partition: number, name: string, body: unknown): Outcome | undefined {
    const entry = command(name, body)
    this.sent.push({ partition, entry })
    return this.sendEntry(partition, entry)
  }

  sendEntry(partition: number, entry: Entry): Outcome | undefined {
    this.runDue(partition)
    const driven = this.partitions[partition]!
    const before = driven.digest()
    const outcome = this.apply(partition, [entry])[0]?.outcome
    if (outcome && outcome.status >= 400) {
      const { code } = outcome.body as { code: string }
      expect(REFUSALS, JSON.stringify(outcome.body)).toContain(code)
      expect(driven.digest(), `what is refused (${code}) changes nothing`).toBe(before)
    }
    this.runDue(partition)
    return outcome
  }

  /** Enters in the ledger what came to a location, or left it. */
  enter(sku: number, location: number, by: number): void {
    const key = stockKey(sku, location)
    this.onHand.set(key, (this.onHand.get(key) ?? 0) + by)
  }
  pass(ms: number): void {
    if (ms * 2 > HOLD_MS) this.settle()
    this.wait(ms)
  }

  /** Time passes, whatever is on the way. */
  wait(ms: number): void {
    this.timeMs += ms
    for (let partition = 0; partition < this.partitions.length; partition++) this.runDue(partition)
  }

  // ---- the network

  linkOf(link: number): { from: number; to: number } {
    const count = this.partitions.length
    return { from: link % count, to: Math.floor(link / count) % count }
  }

  deliver({ from, to }: { from: number; to: number }, back: number, count: number): void {
    const { outbox } = this.partitions[from]!.state
    const next = this.partitions[to]!.state.outbox.seen(from) + 1
    const first = Math.max(outbox.acknowledged(to) + 1, next - back)
    const entries: Entry[] = []
    for (let number = first; number <= outbox.sent(to) && entries.length < count; number++) {
      entries.push({ kind: 'message', from, payload: outbox.message(to, number) })
    }
    if (entries.length > 0) this.run(to, entries)
  }

  acknowledge({ from, to }: { from: number; to: number }, back: number): void {
    const upTo = this.partitions[to]!.state.outbox.seen(from) - back
    if (upTo > 0) this.run(from, [{ kind: 'acknowledgement', from: to, upTo }])
  }

  /** What is under way now arrives; what is sent because of it does not. */
  deliverAll(): void {
    const links = this.partitions.flatMap((_, from) => this.partitions.map((_, to) => ({ from, to })))
    const under = links.map((link) => {
      const { outbox } = this.partitions[link.from]!.state
      const next = this.partitions[link.to]!.state.outbox.seen(link.from) + 1
      return { link, count: outbox.sent(link.to) - next + 1 }
    })
    for (const { link, count } of under) if (count > 0) this.deliver(link, 0, count)
  }

  get isQuiet(): boolean {
    return this.partitions.every(({ state }) => state.outbox.waiting === 0)
  }

  /** Delivers all that is under way until nothing is. */
  settle(): void {
    for (let rounds = 0; !this.isQuiet; rounds++) {
      expect(rounds, 'rounds until all is quiet').toBeLessThan(200)
      for (let from = 0; from < this.partitions.length; from++) {
        for (let to = 0; to < this.partitions.length; to++) {
          this.deliver({ from, to }, 0, 100)
          this.acknowledge({ from, to }, 0)
        }
      }
    }
  }

  async crash(partition: number): Promise<void> {
    const driven = this.partitions[partition]!
    const before = copyOf(driven.store)
    await driven.restart()
    expect(differences(driven.store, before), `partition ${partition} after a crash`).toEqual([])
  }

  async checkpoint(partition: number, slices: number): Promise<void> {
    const driven = this.partitions[partition]!
    driven.beginCheckpoint()
    for (let i = 0; i < slices; i++) {
      const begun = driven.continueCheckpoint()
      if (!begun) continue
      await driven.fromCheckpoint(({ store }) => expect(differences(store, begun)).toEqual([]))
      driven.truncateLog()
      return
    }
  }

  /** Each partition comes back from its log and from its checkpoint as it is. */
  async checkRecovery(): Promise<void> {
    for (const driven of this.partitions) {
      const before = copyOf(driven.store)
      const digest = driven.digest()
      await driven.fromLog(({ store, state }) => {
        expect(differences(store, before)).toEqual([])
        expect(state.digest().toString()).toBe(digest)
      })
      await driven.restart()
      expect(differences(driven.store, before)).toEqual([])
      expect(driven.digest()).toBe(digest)
    }
  }

  async dispose(): Promise<void> {
    for (const driven of this.partitions) await driven.dispose()
  }
}
