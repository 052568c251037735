/**
 * Which reservation a cancellation gives back.
 *
 * Candidates are the reservations earlier in the file, of the same SKU and the same customer, that are held. A line
 * without customer has only those without customer. One of exactly the cancelled quantity goes first; else the largest
 * that is smaller; among equals the latest. Whole reservations only, and one for each cancellation: a cancellation of
 * less than any one sale matches nothing. What is chosen does not depend on timing: a candidate whose answer is still on
 * its way is waited for.
 */
import type { History } from './history.js'

/** What has become of a line. */
export const Outcome = {
  /** Not sent yet. */
  none: 0,
  /** Sent, not answered. */
  asked: 1,
  held: 2,
  refused: 3,
  /** A release of it was sent. */
  releasing: 4,
  released: 5,
} as const

/** No reservation fits. */
export const UNMATCHED = -1
/** A candidate is unanswered: ask again after the next reply. */
export const UNDECIDED = -2

export class Cancellations {
  /** By line: the line before it with the same customer and SKU, or -1. */
  private readonly earlier: Int32Array
  /** The latest line of a customer and SKU. */
  private readonly latest = new Map<number, number>()
  private readonly customerIndices = new Map<number, number>()

  constructor(
    private readonly history: History,
    private readonly outcomes: Uint8Array,
  ) {
    this.earlier = new Int32Array(history.length).fill(-1)
  }

  /** A sale becomes a candidate for the cancellations behind it. */
  addSale(line: number): void {
    const key = this.keyOf(line)
    this.earlier[line] = this.latest.get(key) ?? -1
    this.latest.set(key, line)
  }

  /** The line of the reservation that the cancellation at `line` gives back, `UNMATCHED` or `UNDECIDED`. */
  match(line: number): number {
    const { quantities } = this.history
    const wanted = quantities[line] ?? 0
    let best = UNMATCHED
    let bestQuantity = 0
    for (let at = this.latest.get(this.keyOf(line)) ?? -1; at >= 0; at = this.earlier[at] ?? -1) {
      const outcome = this.outcomes[at]
      if (outcome === Outcome.asked) return UNDECIDED
      if (outcome !== Outcome.held) continue
      const quantity = quantities[at] ?? 0
      if (quantity === wanted) return at
      if (quantity < wanted && quantity > bestQuantity) {
        best = at
        bestQuantity = quantity
      }
    }
    return best
  }

  private keyOf(line: number): number {
    const customer = this.history.customers[line] ?? 0
    let index = this.customerIndices.get(customer)
    if (index === undefined) {
      index = this.customerIndices.size
      this.customerIndices.set(customer, index)
    }
    return index * this.history.articles.length + (this.history.skus[line] ?? 0)
  }
}
