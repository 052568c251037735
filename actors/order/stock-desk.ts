/**
 * How orders reach stock: SKUs of this partition at once, those of others by messages. What needs no answer (giving back,
 * shipping) is sent and forgotten, since messages arrive once and in order.
 */
import type { Step } from '../../engine/actors.js'
import type { Placement } from '../../engine/placement.js'
import type { Allocations, HoldRequest, StockChange } from '../inventory/allocations.js'
import type { Availabilities } from '../inventory/availabilities.js'
import type { Waiter, Waiting } from '../inventory/waiting.js'
import type { Availability, Reserved } from './order.js'
import { orderPartition } from './order-id.js'

export interface AvailabilityAsk {
  order: string
  epoch: number
  channel: number
  skus: number[]
  /** Buyers' reservations that lines want to take over. */
  reservations: { line: number; sku: number; id: Uint8Array }[]
}

export interface HoldAsk {
  order: string
  epoch: number
  requests: HoldRequest[]
}

/** A change to who waits for a SKU. */
export type WaitingChange = { sku: number } & (
  | {
      join: Waiter
      channel: number
      /** Units that it knew of when it decided to wait. */
      known: number
    }
  | { leave: string }
)

export class StockDesk {
  /** Told of a SKU for which somebody is to be served although nothing has moved. */
  onAvailable: (sku: number) => void = () => {}

  /** Told of an order of this partition for which there was no place on a waiting list. */
  onRefused: (step: Step, order: string) => void = () => {}

  constructor(
    private readonly availabilities: Availabilities,
    private readonly allocations: Allocations,
    private readonly waiting: Waiting,
    private readonly placement: Placement,
    private readonly partition: number,
  ) {}

  partitionOf(sku: number): number {
    return this.placement.partitionOf(sku)
  }

  isOwn(sku: number): boolean {
    return this.partitionOf(sku) === this.partition
  }

  availability(sku: number, channel: number, order: string, timeMs: number): Availability {
    return this.availabilities.of(sku, channel, order, timeMs)
  }

  /** Asks other partitions what they have of `skus`; returns which were asked. */
  ask(step: Step, ask: AvailabilityAsk): number[] {
    const groups = this.byPartition(ask.skus, (sku) => sku)
    for (const [partition, skus] of groups) {
      const reservations = ask.reservations.filter(({ sku }) => skus.includes(sku))
      step.send(partition, 'availability.ask', { ...ask, skus, reservations })
    }
    return [...groups.keys()]
  }

  /** In the partition that is asked. */
  asked(step: Step, from: number, { order, epoch, channel, skus, reservations }: AvailabilityAsk): void {
    const offers = skus.map((sku) => this.availability(sku, channel, order, step.timeMs))
    const reserved = reservations.map((wanted) => this.reserved(wanted, step.timeMs))
    step.send(from, 'availability.told', { order, epoch, offers, reserved })
  }

  holdOwn(order: string, requests: HoldRequest[], confirmed: boolean, timeMs: number): boolean {
    const held = this.allocations.hold(requests, confirmed, timeMs)
    if (held) for (const { sku } of requests) this.taken(sku, order)
    return held
  }

  private taken(sku: number, order: string): void {
    if (!this.waiting.isWaiting(sku)) return
    this.waiting.hasTaken(sku, order)
    this.onAvailable(sku)
  }

  /** An order that was asked whether it takes what has come has done what it could. */
  answer(step: Step, sku: number, order: string): void {
    if (this.isOwn(sku)) this.answered({ sku, order })
    else step.send(this.partitionOf(sku), 'waiting.answered', { sku, order })
  }

  answered({ sku, order }: { sku: number; order: string }): void {
    if (!this.waiting.isWaiting(sku)) return
    this.waiting.hasAnswered(sku, order)
    this.onAvailable(sku)
  }

  reserved({ line, sku, id }: { line: number; sku: number; id: Uint8Array }, timeMs: number): Reserved {
    return { line, ...this.allocations.reserved(id, sku, timeMs) }
  }

  /** Asks other partitions to hold; returns which were asked. */
  hold(step: Step, ask: HoldAsk): number[] {
    const groups = this.byPartition(ask.requests, ({ sku }) => sku)
    for (const [partition, requests] of groups) step.send(partition, 'allocation.hold', { ...ask, requests })
    return [...groups.keys()]
  }

  /** In the partition that is asked. */
  holdAsked(step: Step, from: number, { order, epoch, requests }: HoldAsk): void {
    const held = this.holdOwn(order, requests, false, step.timeMs)
    const lines = requests.map(({ allocation, sku }) => ({ allocation, sku }))
    step.send(from, 'allocation.held', { order, epoch, held, lines })
  }

  /** Changes allocations wherever they are; returns those of this partition that are not there any more. */
  change(step: Step, order: string, changes: StockChange[]): number[] {
    const own = changes.filter(({ sku }) => this.isOwn(sku))
    const missing = own.length > 0 ? this.allocations.apply(step, own, { shipped: 'shipped', ref: order }) : []
    for (const [partition, theirs] of this.byPartition(changes, ({ sku }) => sku)) {
      step.send(partition, 'allocation.change', { order, changes: theirs })
    }
    return missing
  }

  /** In the partition that is told. A hold that had run out before it was confirmed is lost, and the order has to know. */
  changed(step: Step, from: number, { order, changes }: { order: string; changes: StockChange[] }): void {
    const missing = new Set(this.allocations.apply(step, changes, { shipped: 'shipped', ref: order }))
    const lost = changes.flatMap((change) =>
      change.do === 'confirm' && missing.has(change.allocation) ? [change.allocation] : [],
    )
    if (lost.length > 0) step.send(from, 'allocation.lost', { order, allocations: lost })
  }

  wait(step: Step, changes: WaitingChange[]): void {
    for (const change of changes) {
      if (this.isOwn(change.sku)) this.waitTold(step, change)
      else step.send(this.placement.partitionOf(change.sku), 'waiting.change', change)
    }
  }

  waitTold(step: Step, change: WaitingChange): void {
    const { sku } = change
    if ('leave' in change) {
      this.waiting.leave(sku, change.leave)
      if (this.waiting.isWaiting(sku)) this.onAvailable(sku)
      return
    }
    const { join, channel, known } = change
    // What has come since it was told how little there is would never wake it.
    const isAsked = this.availability(sku, channel, join.id, step.timeMs).most <= known
    const isCut = this.waiting.unitsAhead(sku, join.id) > 0
    if (!this.waiting.join(sku, { ...join, isAsked, isCut })) this.refuse(step, join.id)
    else if (!isAsked) this.onAvailable(sku)
  }

  private refuse(step: Step, order: string): void {
    const owner = orderPartition(order, this.placement.partitions)
    if (owner === this.partition) this.onRefused(step, order)
    else step.send(owner, 'waiting.refused', { order })
  }

  private byPartition<T>(items: T[], skuOf: (item: T) => number): Map<number, T[]> {
    const groups = new Map<number, T[]>()
    for (const item of items) {
      const partition = this.placement.partitionOf(skuOf(item))
      if (partition === this.partition) continue
      const group = groups.get(partition)
      if (group) group.push(item)
      else groups.set(partition, [item])
    }
    return groups
  }
}
