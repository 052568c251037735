/**
 * What stock on hand has gained and lost in one step, gathered so that a bulk count of thousands of rows is published as
 * one event. The ledger is made of these: the moves of a SKU at a location add up to what is on hand there.
 */
import type { Step } from '../../engine/actors.js'

export type MoveReason =
  | 'counted'
  | 'adjusted'
  | 'received'
  | 'transfer_shipped'
  | 'transfer_received'
  | 'shipped'
  /** Not found at picking, or damaged: it is gone. */
  | 'missing'
  /** Came back from a customer and may be sold again. */
  | 'returned'

/** Why units moved, and by what. */
export interface MoveCause {
  reason: MoveReason
  /** The order, supply line, transfer or adjustment. */
  ref?: string
  /** What somebody gave as the reason of an adjustment. */
  detail?: string
}

/** Data of the event `inventory.moved`. */
export interface StockMoved extends MoveCause {
  /** SKU index, location index, units (below zero: they left), one after the other: a count has thousands of them. */
  moves: number[]
}

export class Moves {
  private groups: StockMoved[] = []

  add({ reason, ref, detail }: MoveCause, sku: number, location: number, units: number): void {
    if (units === 0) return
    const last = this.groups.at(-1)
    if (last && last.reason === reason && last.ref === ref && last.detail === detail) {
      last.moves.push(sku, location, units)
      return
    }
    const group: StockMoved = { reason, moves: [sku, location, units] }
    if (ref !== undefined) group.ref = ref
    if (detail !== undefined) group.detail = detail
    this.groups.push(group)
  }

  /** Publishes what was gathered in a step. */
  publish(step: Step): void {
    if (this.groups.length === 0) return
    for (const group of this.groups) {
      // Readers take the events of one subject in turn: what different things cause need not wait for one another.
      const subject = group.ref === undefined ? 'inventory' : `inventory/${group.reason}/${group.ref}`
      step.publish('inventory.moved', subject, group)
    }
    this.groups = []
  }
}
