/** Packed frames: many records of one operation, each answered in two words. */
import type { Step } from '../../engine/actors.js'
import { COUNTED, setCount } from './counts.js'
import type { Inventory } from './inventory.js'
import { NO_LOCATION, Operation, QUANTITY_MAX, Status } from './wire.js'

/** Hashes of the frame's ids: worked out before the first record is, see `reserveFrame`. */
const hashes = new Uint32Array(65_536)

export class Frames {
  /** Kept so that the look-ahead is not optimised away. */
  lookedAhead = 0

  constructor(
    private readonly inventory: Inventory,
    private readonly localOf: (index: number) => number,
  ) {}

  apply(
    step: Step,
    operation: number,
    count: number,
    words: Uint32Array,
    at: number,
    reply: Uint32Array,
    replyAt: number,
  ): void {
    const { timeMs } = step
    switch (operation) {
      case Operation.reserve:
        this.reserve(count, words, at, reply, replyAt, timeMs)
        break
      case Operation.confirm:
        for (let i = 0; i < count; i++) {
          this.answer(this.inventory.confirm(words, at + i * 5, timeMs), reply, replyAt + i * 2)
        }
        break
      case Operation.release:
        for (let i = 0; i < count; i++) this.answer(this.inventory.release(words, at + i * 5), reply, replyAt + i * 2)
        break
      case Operation.count:
        for (let i = 0; i < count; i++) this.answer(this.count(step, words, at + i * 4), reply, replyAt + i * 2)
        break
      default:
        throw new Error(`there is no packed operation ${operation}`)
    }
  }

  private reserve(count: number, words: Uint32Array, at: number, reply: Uint32Array, replyAt: number, timeMs: number) {
    const { inventory } = this
    const { reservations, stock } = inventory
    // The tables are larger than the caches. Looking at all the places first lets the processor fetch them together
    // instead of waiting for one after the other; with as little as possible between two looks it sees more of them.
    for (let i = 0; i < count; i++) hashes[i] = reservations.hashOf(words, at + i * 10)
    let ahead = 0
    for (let i = 0; i < count; i++) ahead += reservations.prefetch(hashes[i]!)
    for (let i = 0; i < count; i++) ahead += stock.prefetch(this.localOf(words[at + i * 10 + 6]!))
    this.lookedAhead = ahead
    for (let i = 0; i < count; i++) {
      this.answer(inventory.reserve(words, at + i * 10, hashes[i]!, timeMs), reply, replyAt + i * 2)
    }
  }

  private answer(status: Status, reply: Uint32Array, replyAt: number): void {
    const { inventory } = this
    reply[replyAt] = (status | (inventory.replayed ? 0x100 : 0) | (inventory.location << 16)) >>> 0
    reply[replyAt + 1] = inventory.remaining
  }

  private count(step: Step, words: Uint32Array, at: number): Status {
    const { inventory } = this
    const { stock, locations } = inventory
    inventory.replayed = false
    inventory.location = NO_LOCATION
    inventory.remaining = 0
    const sku = this.localOf(words[at]!)
    const location = words[at + 3]! & 0xffff
    if (words[at + 1]! > QUANTITY_MAX || words[at + 2]! > QUANTITY_MAX) return Status.invalid
    if (!stock.exists(sku)) return Status.unknownSku
    if (!locations.exists(location)) return Status.unknownLocation
    const row = stock.makeRow(sku, location)
    if (row < 0) return Status.overloaded
    setCount(step, inventory.stock, words[at]!, sku, row, words[at + 1]!, words[at + 2]!, COUNTED)
    inventory.location = location
    inventory.remaining = Math.min(stock.atp(sku), 0xffff_ffff)
    return Status.done
  }
}
