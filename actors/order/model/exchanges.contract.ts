/** Exchanges as the edge looks after them: reserved before the request, then confirmed, placed as an order or given back. */
import { expect } from 'vitest'
import { frame, idBytes, namedRecord, reserveRecord } from '../../inventory/inventory-sequences.contract.js'
import { ANY_LOCATION, Operation, Status } from '../../inventory/wire.js'
import { type ExchangeNeed, exchangeNeed } from '../../return/exchanges.js'
import type { Exchange, OrderReturn } from '../../return/order-return.js'
import type { Order } from '../order.js'
import type { Buyers } from './buyers.contract.js'
import type { World } from './world.contract.js'

export class Exchanges {
  /** Reservations of which time has made an end before they were confirmed. */
  readonly lapsed = new Set<string>()
  private reservations = 0

  constructor(
    private readonly world: World,
    private readonly buyers: Buyers,
  ) {}

  /** Holds all of it or nothing; undefined where there is not as much. */
  reserve(wished: { sku: number; quantity: number }[]): Exchange | undefined {
    const lines: Exchange['lines'] = []
    for (const { sku, quantity } of wished) {
      const reservation = `r${this.reservations++}`
      const terms = { id: reservation, sku, quantity, ttlSeconds: 900, location: ANY_LOCATION, buyer: 0n, channel: 0 }
      const [reply] = this.world.frame(sku, frame(Operation.reserve, [reserveRecord(terms)]))
      if (reply!.status !== Status.done) {
        this.forgo({ lines, total: 0 })
        return undefined
      }
      lines.push({ sku, quantity, unitPrice: 10_000, reservation })
    }
    return { lines, total: lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0) }
  }

  /** Gives it back. */
  forgo({ lines }: Exchange): void {
    for (const line of lines) this.tell(Operation.release, line)
  }

  private tell(operation: Operation, { reservation, sku }: Exchange['lines'][number]): void {
    const [reply] = this.world.frame(sku, frame(operation, [namedRecord(reservation, sku)]))
    if (reply!.status === Status.expired || reply!.status === Status.unknownReservation) this.lapsed.add(reservation)
  }

  /** Does once what every exchange needs. */
  lookAfter(): void {
    for (const [id] of this.buyers.placed) {
      const order = this.world.order(id)
      for (const { number } of order?.returns ?? []) this.lookAfterOne(id, number)
    }
  }

  private lookAfterOne(id: string, number: number): void {
    const found = this.world.order(id)!.returns![number - 1]!
    const doings: Record<ExchangeNeed, () => void> = {
      confirm: () => {
        for (const line of found.exchange!.lines) this.tell(Operation.confirm, line)
      },
      release: () => this.forgo(found.exchange!),
      place: () => this.place(this.world.order(id)!, found),
    }
    const need = exchangeNeed(found)
    if (need) doings[need]()
  }

  private place(order: Order, { id, number, exchange, resolution }: OrderReturn): void {
    const placed = `x-${order.id}-R${number}`
    if (!this.world.order(placed)) {
      const price = resolution === 'warranty' ? 0 : undefined
      const request = this.buyers.request(exchange!.lines, { allowBackorder: true }, { id: placed, price })
      for (const [at, line] of request.lines.entries()) line.reservation = idBytes(exchange!.lines[at]!.reservation)
      this.world.send(this.world.partitionOf(placed), 'order.place', request)
    }
    // Over several partitions it is there once they have answered.
    if (!this.world.order(placed)) return
    const outcome = this.world.send(this.world.partitionOf(order.id), 'return.exchanged', {
      order: order.id,
      number,
      placed,
    })
    expect(outcome?.status, `${id} knows its exchange`).toBe(200)
  }
}
