/**
 * What follows when watched stock has moved: alerts where it runs low, out, or is back, and those who wait for a SKU are
 * served. Serving goes in slices, one entry of the log each, so that a delivery that thousands wait for is no pause.
 */
import type { Step } from '../../engine/actors.js'
import type { Placement } from '../../engine/placement.js'
import type { Store } from '../../engine/store.js'
import { readDocument, writeDocument } from '../documents.js'
import { WAKES_PER_ENTRY } from '../limits.js'
import type { Stock } from './stock.js'
import type { Waiter, Waiting } from './waiting.js'

const SERVING = 'serving'

export class Watch {
  /** SKU indices whose waiters are being asked, in the order in which stock came. */
  private serving: number[] = []

  constructor(
    private readonly store: Store,
    private readonly stock: Stock,
    private readonly waiting: Waiting,
    private readonly placement: Placement,
    private readonly partition: number,
    private readonly wake: (step: Step, sku: number, waiter: Waiter) => void,
  ) {}

  rebuild(): void {
    this.serving = readDocument<number[]>(this.store, SERVING) ?? []
  }

  get servingSkus(): readonly number[] {
    return this.serving
  }

  /** Takes over serving a SKU that was served elsewhere. */
  serveAgain(sku: number): void {
    if (!this.serving.includes(sku)) this.keep([...this.serving, sku])
  }

  get isServing(): boolean {
    return this.serving.length > 0
  }

  /** After each step: what it has moved. */
  afterStep(step: Step): void {
    if (this.stock.moved.size === 0) return
    for (const [sku, before] of this.stock.moved) this.moved(step, sku, before)
    this.stock.moved.clear()
  }

  private moved(step: Step, sku: number, before: number): void {
    const atp = this.stock.atp(sku)
    const index = this.placement.indexOf(this.partition, sku)
    this.alert(step, index, this.stock.lowStock(sku), before, atp)
    if (atp > before && this.stock.hasWaiting(sku)) {
      this.waiting.askAll(index)
      if (!this.serving.includes(index)) this.keep([...this.serving, index])
    }
  }

  private alert(step: Step, sku: number, low: number | undefined, before: number, atp: number): void {
    if (low === undefined) return
    if (atp === 0 && before > 0) step.publish('inventory.sold_out', 'inventory', { sku })
    else if (atp > 0 && before === 0) step.publish('inventory.back_in_stock', 'inventory', { sku, atp })
    else if (atp <= low && before > low) step.publish('inventory.low_stock', 'inventory', { sku, atp, threshold: low })
  }

  /** Asks the next ones, as long as there is stock for them. */
  serve(step: Step): void {
    for (let budget = WAKES_PER_ENTRY; budget > 0 && this.serving.length > 0; budget--) {
      const sku = this.serving[0]!
      const atp = this.stock.atp(this.placement.localOf(sku))
      const waiter = atp > 0 ? this.waiting.next(sku, atp) : undefined
      if (waiter) this.wake(step, sku, waiter)
      else this.keep(this.serving.slice(1))
    }
  }

  private keep(serving: number[]): void {
    this.serving = serving
    if (serving.length === 0) this.store.delete(SERVING)
    else writeDocument(this.store, SERVING, serving)
  }
}
