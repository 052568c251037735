/**
 * A retailer in one thread: everything that can happen to orders, stock and returns happens to it. What must hold is in
 * checks.contract.ts.
 */

import type { ReturnRequest } from '../../return/return-requests.js'
import type { ReturnCommand } from '../../return/returns.js'
import type { FulfillmentCommand } from '../fulfillments.js'
import { Buyers } from './buyers.contract.js'
import { Exchanges } from './exchanges.contract.js'
import { KITS } from './goods.contract.js'
import type { Move } from './moves.contract.js'
import { ReturnsCounter } from './returns-counter.contract.js'
import { Staff } from './staff.contract.js'
import { Stockroom } from './stockroom.contract.js'
import { World } from './world.contract.js'

export class Shop extends World {
  readonly buyers = new Buyers(this)
  readonly staff = new Staff(this, this.buyers)
  readonly stockroom = new Stockroom(this)
  readonly exchanges = new Exchanges(this, this.buyers)
  readonly returns = new ReturnsCounter(this, this.buyers, this.exchanges)

  /** Opens with products, locations, settings and a little stock. */
  open(stock: number, remorseSeconds = 0): void {
    this.stockroom.open(stock, remorseSeconds)
  }

  async step(move: Move): Promise<void> {
    switch (move.do) {
      case 'place':
        this.buyers.place(move)
        break
      case 'sell':
        this.sell(move)
        break
      case 'place again':
        this.buyers.placeAgain(move.which, move.isOther)
        break
      case 'return':
        this.returns.ask(move)
        break
      case 'go on with a return':
        this.returns.goOn(move)
        break
      case 'look after exchanges':
        this.exchanges.lookAfter()
        break
      case 'cancel':
        this.buyers.cancel(move)
        break
      case 'hold':
      case 'resume':
      case 'release':
      case 'source':
        this.buyers.toOrder(move.which, `order.${move.do}`, { reason: 'told so' })
        break
      case 'credit':
        this.buyers.credit(move.which, move.amount)
        break
      case 'revise':
        this.buyers.revise(move)
        break
      case 'pay':
        this.buyers.pay(move)
        break
      case 'provide':
        this.buyers.provide(move)
        break
      case 'work':
        this.staff.work(move)
        break
      case 'lose':
        this.staff.lose(move.which)
        break
      case 'exception':
        this.staff.handleException(move)
        break
      case 'again':
        this.again(move.which)
        break
      case 'count':
        this.stockroom.count(move.sku, move.location, move.onHand, move.safetyStock)
        break
      case 'adjust':
        this.stockroom.adjust(move.sku, move.location, move.delta)
        break
      case 'announce':
        this.stockroom.announce(move.sku, move.location, move.quantity)
        break
      case 'receive':
        this.stockroom.receive(move.which, move.quantity)
        break
      case 'location':
        this.stockroom.putLocation(move.location, move.active, move.priority)
        break
      case 'pass':
        this.pass(move.ms)
        break
      case 'settle':
        this.settle()
        break
      case 'deliver':
        this.deliver(this.linkOf(move.link), move.back, move.count)
        break
      case 'acknowledge':
        this.acknowledge(this.linkOf(move.link), move.back)
        break
      case 'crash':
        await this.crash(move.partition % this.partitions.length)
        break
      default:
        await this.checkpoint(move.partition % this.partitions.length, move.slices)
    }
  }

  /** Brings in what an order wants, places it and moves its fulfillment orders on. */
  private sell({ order, location, arrives }: Extract<Move, { do: 'sell' }>): void {
    for (const { sku, quantity } of order.lines) {
      const parts = KITS[sku] ?? [{ sku, quantity: 1 }]
      for (const part of parts) this.stockroom.adjust(part.sku, location, part.quantity * quantity)
    }
    const id = this.buyers.place(order)
    this.settle()
    for (const { number } of this.order(id)?.fulfillments ?? []) {
      this.staff.advance(id, number, 'accept', 'pick', 'pack', 'ship', ...(arrives ? (['deliver'] as const) : []))
    }
  }

  private again(which: number): void {
    const chosen = this.sent.at(-1 - (which % Math.max(1, this.sent.length)))
    if (chosen?.entry.kind !== 'command') return
    const { name, body } = chosen.entry
    // The world's own doings would have to be entered in the ledger once more.
    if (name === 'inventory.count') return
    if (name === 'fulfillment.advance') {
      const again = body as FulfillmentCommand
      if (this.order(again.order)) this.staff.advanceFulfillment(again)
      return
    }
    if (name === 'return.request' || name === 'return.advance') {
      this.returnAgain(name, body)
      return
    }
    if (name === 'order.revise') return
    const outcome = this.sendEntry(chosen.partition, chosen.entry)
    if (name === 'order.payment' && outcome?.status === 200) {
      this.buyers.placed.get((body as { id: string }).id)!.isPaidOutside = true
    }
  }

  private returnAgain(name: string, body: unknown): void {
    if (name === 'return.advance') this.returns.advance(body as ReturnCommand)
    else {
      const request = body as ReturnRequest
      // Without an id it is another request, which has to reserve for itself.
      if (request.id !== undefined || !request.exchange) this.returns.request(request)
    }
  }

  /** Who looks after exchanges comes to an end with what there is to do. */
  comeToRest(): void {
    for (let rounds = 0; rounds < 3; rounds++) {
      this.settle()
      this.exchanges.lookAfter()
    }
    this.settle()
  }
}
