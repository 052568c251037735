/**
 * Who asks for returns and takes them in: each command with what has to be answered, and beside it a book of what came in,
 * where it lies and what has been put back on the shelf.
 */
import { expect } from 'vitest'
import type { Outcome } from '../../../engine/protocol.js'
import type { OrderReturn } from '../../return/order-return.js'
import type { InspectedUnits } from '../../return/receipts.js'
import { RETURN_EVENTS, type ReturnEventType } from '../../return/return-machine.js'
import type { ReturnRequest } from '../../return/return-requests.js'
import { returnTable } from '../../return/return-table.js'
import type { ReturnAction, ReturnCommand } from '../../return/returns.js'
import type { Order } from '../order.js'
import type { Buyers } from './buyers.contract.js'
import type { Exchanges } from './exchanges.contract.js'
import { DAY_MS, SETTINGS } from './goods.contract.js'
import type { Came, ReturnMove } from './return-moves.contract.js'
import type { World } from './world.contract.js'

const EVENTS: Record<ReturnAction, ReturnEventType> = {
  authorize: 'AUTHORIZE',
  reject: 'REJECT',
  transit: 'TRANSIT',
  receive: 'RECEIVE',
  inspect: 'INSPECT',
  close: 'CLOSE',
  cancel: 'CANCEL',
}
const NEXT: Record<string, ReturnAction> = {
  requested: 'authorize',
  authorized: 'transit',
  in_transit: 'receive',
  received: 'inspect',
  inspected: 'close',
}
/** Why a step may be refused although it is one of those that are possible. */
const FAULTS = ['nothing_expected', 'not_to_inspect', 'invalid']

/** What came in with one return. */
export interface Delivery {
  /** Units by SKU, whatever they are. */
  came: Map<number, number>
  /** Those that nobody has looked at, the first that came first. */
  waiting: { sku: number; quantity: number; location: number }[]
}

export class ReturnsCounter {
  readonly deliveries = new Map<string, Delivery>()

  constructor(
    private readonly world: World,
    private readonly buyers: Buyers,
    private readonly exchanges: Exchanges,
  ) {}

  /** All returns, the latest last. */
  get all(): { order: Order; found: OrderReturn }[] {
    return [...this.buyers.placed.keys()].flatMap((id) => {
      const order = this.world.order(id)
      return (order?.returns ?? []).map((found) => ({ order: order!, found }))
    })
  }

  ask(move: Extract<ReturnMove, { do: 'return' }>): void {
    const order = this.buyers.pickSent(move.which)
    if (!order || order.lines.length === 0) return
    const { resolution, location, own } = move
    const gone = order.lines.filter(({ units }) => (units[4] ?? 0) + (units[5] ?? 0) > 0)
    // Seldom another one, of which nothing was sent.
    const lines = gone.length === 0 || move.which === 0 ? order.lines : gone
    const request: ReturnRequest = {
      order: order.id,
      fingerprint: JSON.stringify(move),
      by: 'buyer',
      resolution,
      lines: move.lines.map(({ of, quantity, reason, byLine }) => {
        const { number, sku } = lines[of % lines.length]!
        return { sku, quantity, reason, ...(byLine ? { line: number } : {}) }
      }),
      ...(own === undefined ? {} : { id: `rma-${order.id}-${own}` }),
      ...(location === undefined ? {} : { location }),
    }
    if (resolution === 'exchange' || resolution === 'warranty') {
      const exchange = this.exchanges.reserve(move.exchange)
      if (!exchange) return
      request.exchange = exchange
    }
    this.request(request)
  }

  /** Sends a request and checks what became of it. */
  request(request: ReturnRequest): Outcome | undefined {
    const before = structuredClone(this.world.order(request.order)?.returns ?? [])
    const outcome = this.world.send(this.world.partitionOf(request.order), 'return.request', request)!
    const order = this.world.order(request.order)!
    const made = order.returns?.[before.length]
    if (request.exchange && !made) this.exchanges.forgo(request.exchange)
    expect(order.returns?.length ?? 0, 'returns after a request').toBe(before.length + (outcome.status === 201 ? 1 : 0))
    const { reasons } = SETTINGS.returns
    const days = (reason: string) => SETTINGS.returnDays + (reasons[reason]?.extraDays ?? 0)
    const isOver = (reason: string) =>
      order.deliveredMs !== undefined && this.world.timeMs > order.deliveredMs + days(reason) * DAY_MS
    const code = (outcome.body as { code?: string }).code
    if (code === 'return_window_over') expect(request.lines.some(({ reason }) => isOver(reason))).toBe(true)
    if (!made) return outcome
    for (const { reason } of request.lines) {
      expect(reasons[reason]?.isRefused, `${reason} is taken back`).not.toBe(true)
      expect(isOver(reason), 'in its window').toBe(false)
    }
    const asked = request.lines.reduce((sum, { quantity }) => sum + quantity, 0)
    expect(made.lines.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(asked)
    const isOurs = request.lines.every(({ reason }) => reasons[reason]?.payer === 'retailer')
    expect(made.payer, 'who pays').toBe(isOurs ? 'retailer' : 'customer')
    this.deliveries.set(made.id, { came: new Map(), waiting: [] })
    return outcome
  }

  goOn({ which, action, came, location, labelCost, times }: Extract<ReturnMove, { do: 'go on with a return' }>): void {
    const all = this.all.filter(({ found }) => action !== 'next' || NEXT[found.status])
    const chosen = all.at(-1 - (which % Math.max(1, all.length)))
    if (!chosen) return
    const { order, found } = chosen
    for (let i = 0; i < times; i++) {
      const step = action === 'next' ? NEXT[found.status] : action
      if (!step) return
      this.advance({
        order: order.id,
        number: found.number,
        action: step,
        by: 'staff',
        id: this.world.newId('s'),
        ...(location === undefined ? {} : { location }),
        ...(step === 'authorize' && labelCost !== undefined ? { label: labelOf(labelCost) } : {}),
        ...(came && ['receive', 'inspect'].includes(step) ? { lines: came.map((some) => unitsOf(order, some)) } : {}),
      })
    }
  }

  /** Sends a command to a return, checks the answer and enters what came and what was put on the shelf. */
  advance(command: ReturnCommand): Outcome {
    const before = structuredClone(this.world.order(command.order)!.returns![command.number - 1]!)
    const outcome = this.world.send(this.world.partitionOf(command.order), 'return.advance', command)!
    const isRepeat = before.commands?.includes(command.id!) === true
    const { status, body } = outcome
    if (isRepeat) expect(status, 'a command that comes twice is answered as it was').toBe(200)
    else if (returnTable.next(before.status, { type: EVENTS[command.action] }) === null) {
      const possible = RETURN_EVENTS.filter((type) => returnTable.next(before.status, { type }) !== null)
      expect(body).toMatchObject({
        code: 'invalid_transition',
        current: before.status,
        possible: possible.map((type) => type.toLowerCase()),
      })
    } else if (status !== 200) expect(FAULTS).toContain((body as { code: string }).code)
    if (status === 200 && !isRepeat) this.enter(command, before)
    return outcome
  }

  private enter(command: ReturnCommand, before: OrderReturn): void {
    const delivery = this.deliveries.get(before.id)!
    if (command.action === 'receive') this.enterReceipt(command, before, delivery)
    if (command.action === 'inspect') {
      const all = delivery.waiting.map(
        ({ sku, quantity }): InspectedUnits => ({ sku, quantity, disposition: 'restock' }),
      )
      for (const looked of command.lines ?? all) this.enterInspection(looked, delivery)
    }
  }

  private enterReceipt({ lines, location: named }: ReturnCommand, before: OrderReturn, delivery: Delivery): void {
    const location = named ?? before.location!
    const expected = before.lines.map(
      ({ sku, quantity, received }): InspectedUnits => ({ sku, quantity: quantity - received }),
    )
    for (const { sku, quantity, disposition } of lines ?? expected) {
      delivery.came.set(sku, (delivery.came.get(sku) ?? 0) + quantity)
      if (disposition === undefined) delivery.waiting.push({ sku, quantity, location })
      else if (disposition === 'restock') this.world.enter(sku, location, quantity)
    }
  }

  private enterInspection({ sku, quantity, disposition = 'restock' }: InspectedUnits, { waiting }: Delivery): void {
    let left = quantity
    for (const units of waiting) {
      if (units.sku !== sku) continue
      const some = Math.min(left, units.quantity)
      units.quantity -= some
      left -= some
      if (disposition === 'restock') this.world.enter(sku, units.location, some)
    }
    expect(left, 'units that were looked at had come').toBe(0)
  }
}

const labelOf = (cost: number) => ({
  carrier: 'van',
  service: 'parcel',
  trackingNumber: 't',
  cost,
  atMs: 0,
  document: null,
})

function unitsOf(order: Order, { what, quantity, disposition, refuse }: Came): InspectedUnits {
  const sku = 'sku' in what ? what.sku : order.lines[what.line % order.lines.length]!.sku
  return { sku, quantity, ...(disposition ? { disposition } : {}), ...(refuse ? { isRefused: true } : {}) }
}
