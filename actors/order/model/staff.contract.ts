/** What the staff of locations do with fulfillment orders, and what leaves the building by it. */
import { expect } from 'vitest'
import type { Outcome } from '../../../engine/protocol.js'
import type { FulfillmentAction, FulfillmentCommand } from '../fulfillments.js'
import { fulfillmentTable } from '../machines.js'
import type { Fulfillment, Order } from '../order.js'
import type { Buyers } from './buyers.contract.js'
import { LOCATIONS } from './goods.contract.js'
import type { Move } from './moves.contract.js'
import type { World } from './world.contract.js'

/** Parts of a fulfillment order that are somebody's work still. */
export const LIVE = ['pending', 'accepted', 'picking', 'packed']
const GONE = ['out_of_stock', 'damaged', 'lost']
const NEXT: Record<string, FulfillmentAction> = {
  pending: 'accept',
  accepted: 'pick',
  picking: 'pack',
  packed: 'ship',
  shipped: 'deliver',
}

export class Staff {
  /** Units that were ever sent, by order and line. */
  readonly sent = new Map<string, number>()

  constructor(
    private readonly world: World,
    private readonly buyers: Buyers,
  ) {}

  /** Moves a fulfillment order on, step by step. */
  advance(id: string, number: number, ...actions: FulfillmentAction[]): void {
    for (const action of actions) this.advanceFulfillment({ order: id, number, action, by: 'staff' })
  }

  /** Fulfillment orders, the latest last, those that somebody has to do something for where `live`. */
  fulfillments(live: boolean): { order: Order; fulfillment: Fulfillment }[] {
    return [...this.buyers.placed.keys()].flatMap((id) => {
      const order = this.world.order(id)
      if (!order) return []
      return order.fulfillments
        .filter(({ status }) => !live || NEXT[status] !== undefined)
        .map((fulfillment) => ({ order, fulfillment }))
    })
  }

  lose(which: number): void {
    const sent = this.fulfillments(true).filter(({ fulfillment }) => fulfillment.status === 'shipped')
    const chosen = sent.at(-1 - (which % Math.max(1, sent.length)))
    if (!chosen) return
    const { order, fulfillment } = chosen
    const id = this.world.newId('c')
    this.advanceFulfillment({
      order: order.id,
      number: fulfillment.number,
      action: 'fail',
      by: 'carrier',
      id,
      reason: 'lost',
    })
  }

  work(move: Extract<Move, { do: 'work' }>): void {
    const { which, action, times } = move
    const all = this.fulfillments(action === 'next')
    const chosen = all.at(-1 - (which % Math.max(1, all.length)))
    if (!chosen) return
    const { order, fulfillment } = chosen
    if (action !== 'next') this.workOn(order, fulfillment, action, move)
    else {
      for (let i = 0; i < times; i++) {
        const next = NEXT[fulfillment.status]
        if (next) this.workOn(order, fulfillment, next, move)
      }
    }
  }

  private workOn(
    order: Order,
    fulfillment: Fulfillment,
    action: FulfillmentAction,
    { found, reason, elsewhere, only }: Extract<Move, { do: 'work' }>,
  ): void {
    const open = fulfillment.lines.filter(({ isPicked }) => !isPicked)
    const named = (only ? open.slice(0, 1) : open).map(({ sku, quantity }) => ({
      sku,
      quantity: found < 0 ? quantity : Math.min(found, quantity),
    }))
    const body: FulfillmentCommand = {
      order: order.id,
      number: fulfillment.number,
      action,
      by: 'staff',
      id: this.world.newId('c'),
      reason,
      ...(elsewhere ? { location: (fulfillment.location + 1) % LOCATIONS.length } : {}),
      ...(action === 'pick' && (found >= 0 || only) ? { lines: named } : {}),
      ...(action === 'ship' ? { carrier: 'van', trackingNumber: 't', packages: [{ weightGrams: 100 }] } : {}),
    }
    this.advanceFulfillment(body)
  }

  /** Sends a command to a fulfillment order and enters in the ledger what left the building by it. */
  advanceFulfillment(body: FulfillmentCommand): Outcome | undefined {
    // Copied: the order is changed where it lies.
    const before = structuredClone(this.world.order(body.order)!.fulfillments[body.number - 1]!)
    const outcome = this.world.send(this.world.partitionOf(body.order), 'fulfillment.advance', body)
    this.checkAnswer(body, before, outcome!)
    this.enterWork(body, before)
    return outcome
  }

  private checkAnswer({ action, location, id }: FulfillmentCommand, before: Fulfillment, outcome: Outcome): void {
    const { status, body } = outcome
    if (before.commands?.includes(id!)) {
      expect(status, 'a command that comes twice is answered as it was').toBe(200)
      return
    }
    if (location !== undefined && location !== before.location) {
      expect(body).toMatchObject({ code: 'wrong_location' })
      return
    }
    const events = {
      accept: 'ACCEPT',
      reject: 'REJECT',
      pick: 'PICK',
      pack: 'PACK',
      ship: 'SHIP',
      deliver: 'DELIVER',
      fail: 'FAIL',
    } as const
    const isCollected = action === 'deliver' && before.kind === 'pickup' && before.status === 'packed'
    const isPossible = fulfillmentTable.next(before.status, { type: events[action] }) !== null || isCollected
    if (status === 200) expect(isPossible, `${action} of what is ${before.status}`).toBe(true)
    else if (!isPossible && (body as { code: string }).code !== 'on_hold') {
      expect(body).toMatchObject({ code: 'invalid_transition', current: before.status })
    }
  }

  private enterWork({ order, number, reason }: FulfillmentCommand, before: Fulfillment): void {
    const after = this.world.order(order)!.fulfillments[number - 1]!
    const hasLeft = (status: string): boolean => status === 'shipped' || status === 'delivered'
    for (const line of before.lines) {
      const now = after.lines.find(({ allocation }) => allocation === line.allocation)
      if (!hasLeft(before.status) && hasLeft(after.status)) {
        this.world.enter(line.sku, before.location, -line.quantity)
        const key = `${order}/${line.line}`
        this.sent.set(key, (this.sent.get(key) ?? 0) + line.quantity)
      }
      const isEnded = LIVE.includes(before.status) && ['rejected', 'failed'].includes(after.status)
      if (isEnded && now) {
        if (GONE.includes(reason!)) this.world.enter(line.sku, before.location, -line.quantity)
      } else if ((now?.quantity ?? 0) < line.quantity) {
        this.world.enter(line.sku, before.location, (now?.quantity ?? 0) - line.quantity)
      }
    }
  }

  handleException({ which, action }: Extract<Move, { do: 'exception' }>): void {
    const all = this.world.orders.flatMap(({ id, exceptions }) => exceptions.map(({ number }) => ({ id, number })))
    const chosen = all.at(-1 - (which % Math.max(1, all.length)))
    if (!chosen) return
    this.world.send(this.world.partitionOf(chosen.id), 'exception.update', {
      ...chosen,
      action,
      by: 'staff',
      reason: 'seen',
    })
  }
}
