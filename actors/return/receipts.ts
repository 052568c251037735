/**
 * What comes in, announced or not, at whatever location, and what becomes of it. Each unit is a part of a piece: units that
 * came together and are treated alike.
 */
import type { Step } from '../../engine/actors.js'
import type { Outcome } from '../../engine/protocol.js'
import type { ExceptionBook } from '../order/exceptions.js'
import type { Order } from '../order/order.js'
import type { Settings } from '../order/settings.js'
import type { StockDesk } from '../order/stock-desk.js'
import { can, fire } from '../order/transitions.js'
import { problem } from '../outcomes.js'
import type { Disposition, OrderReturn, ReturnPiece } from './order-return.js'
import { conditionPolicy, feeOf } from './return-policy.js'
import { fireReturn, tellReturn } from './return-steps.js'
import { returnable, takeBackUnits, unitsOut } from './return-units.js'
import type { Settlement } from './settlement.js'

/** The reason of units that came besides what was announced: a retailer's terms may name it. */
const UNANNOUNCED = 'unannounced'

/** Units of a SKU that came in, or were looked at. */
export interface InspectedUnits {
  sku: number
  quantity: number
  disposition?: Disposition
  condition?: string
  isRefused?: boolean
}

/** None: everything that is expected, or everything that nobody has looked at. */
export interface CameIn {
  by: string
  location?: number
  lines?: InspectedUnits[]
}

export class Receipts {
  constructor(
    private readonly desk: StockDesk,
    private readonly exceptions: ExceptionBook,
    private readonly settlement: Settlement,
    private readonly settings: Settings,
  ) {}

  receive(step: Step, order: Order, found: OrderReturn, command: CameIn): Outcome | undefined {
    const location = command.location ?? found.location
    if (location === undefined) {
      return problem(422, 'invalid', 'location: say where it came in; the return does not name one.')
    }
    const came =
      command.lines ?? found.lines.map((line) => ({ sku: line.sku, quantity: line.quantity - line.received }))
    const units = came.filter(({ quantity }) => quantity > 0)
    if (units.length === 0) {
      return problem(409, 'nothing_expected', `Nothing is expected any more for return ${found.id}; name what came.`)
    }
    if (location === found.location) found.cameByLabel = true
    let unexpected = 0
    for (const some of units) {
      let left = some.quantity
      for (const [at, line] of found.lines.entries()) {
        if (line.sku !== some.sku) continue
        // What was lost on its way meanwhile is open again: it is not taken out of what was sent.
        const count = Math.min(left, line.quantity - line.received, unitsOut(order.lines[line.line - 1]!))
        if (count <= 0) continue
        this.takeIn(step, order, found, at, count, location, some)
        left -= count
      }
      left -= this.takeMore(step, order, found, { ...some, quantity: left }, location)
      if (left > 0) {
        // Not of this order at all: it is kept apart until somebody says what it is.
        unexpected += left
        this.addPiece(step, order, found, { ...some, quantity: left }, location)
      }
    }
    if (can(order, 'RETURN')) fire(order, 'RETURN')
    fireReturn(step, found, 'RECEIVE')
    const count = units.reduce((sum, { quantity }) => sum + quantity, 0)
    tellReturn(step, order, found, 'received', command.by, `${count} units`)
    if (unexpected > 0) {
      const detail = `${unexpected} units came back that were not sent, or not announced, with return ${found.id}`
      this.exceptions.raise(step, order, 'wrong_return', undefined, detail)
    }
    this.settlement.settle(step, order, found)
    return undefined
  }

  /** More came than was announced: as far as it was sent it belongs to the return. Returns how many units that is. */
  private takeMore(step: Step, order: Order, found: OrderReturn, some: InspectedUnits, location: number): number {
    let taken = 0
    for (const line of order.lines) {
      if (line.isKit || line.sku !== some.sku || taken === some.quantity) continue
      const count = Math.min(some.quantity - taken, returnable(order, line))
      if (count <= 0) continue
      found.lines.push({
        line: line.number,
        sku: some.sku,
        quantity: count,
        reason: UNANNOUNCED,
        received: 0,
        settled: 0,
        fee: feeOf(this.settings.orders.returns, UNANNOUNCED, some.condition),
      })
      this.takeIn(step, order, found, found.lines.length - 1, count, location, some)
      taken += count
    }
    return taken
  }

  private takeIn(
    step: Step,
    order: Order,
    found: OrderReturn,
    at: number,
    count: number,
    location: number,
    some: InspectedUnits,
  ): void {
    const line = found.lines[at]!
    line.received += count
    const early = takeBackUnits(order, order.lines[line.line - 1]!, count)
    if (early > 0) {
      step.publish('return.intercepted', `order/${order.id}`, {
        order: order.id,
        return: found.id,
        sku: line.sku,
        quantity: early,
      })
    }
    this.addPiece(step, order, found, { ...some, quantity: count }, location, at)
  }

  private addPiece(
    step: Step,
    order: Order,
    found: OrderReturn,
    { sku, quantity, disposition, condition, isRefused }: InspectedUnits,
    location: number,
    at?: number,
  ): void {
    const piece: ReturnPiece = { sku, quantity, location, atMs: step.timeMs }
    if (at !== undefined) piece.at = at
    found.pieces.push(piece)
    if (disposition) this.dispose(step, order, found, piece, disposition, condition, isRefused)
  }

  /** Somebody looked at what came in. */
  inspect(step: Step, order: Order, found: OrderReturn, { lines, by }: CameIn): Outcome | undefined {
    const open = found.pieces.filter(({ disposition }) => disposition === undefined)
    for (const { sku, quantity } of lines ?? []) {
      const waiting = open.reduce((sum, piece) => sum + (piece.sku === sku ? piece.quantity : 0), 0)
      const asked = lines!.reduce((sum, line) => sum + (line.sku === sku ? line.quantity : 0), 0)
      if (asked > waiting || quantity < 1) {
        return problem(409, 'not_to_inspect', `${waiting} units of a SKU wait to be inspected, not ${asked}.`)
      }
    }
    if (lines) for (const line of lines) this.inspectUnits(step, order, found, line)
    else for (const piece of open) this.dispose(step, order, found, piece, 'restock')
    if (found.pieces.every(({ disposition }) => disposition !== undefined)) {
      fireReturn(step, found, 'INSPECT')
      tellReturn(step, order, found, 'inspected', by)
    }
    this.settlement.settle(step, order, found)
    return undefined
  }

  private inspectUnits(step: Step, order: Order, found: OrderReturn, line: InspectedUnits): void {
    let left = line.quantity
    for (const piece of [...found.pieces]) {
      if (piece.sku !== line.sku || piece.disposition !== undefined || left === 0) continue
      const count = Math.min(left, piece.quantity)
      left -= count
      let part = piece
      if (count < piece.quantity) {
        piece.quantity -= count
        part = { ...piece, quantity: count }
        found.pieces.push(part)
      }
      this.dispose(step, order, found, part, line.disposition ?? 'restock', line.condition, line.isRefused)
    }
  }

  private dispose(
    step: Step,
    order: Order,
    found: OrderReturn,
    piece: ReturnPiece,
    disposition: Disposition,
    condition?: string,
    isRefused?: boolean,
  ): void {
    const { sku, location, quantity } = piece
    piece.disposition = disposition
    if (condition !== undefined) piece.condition = condition
    const policy = conditionPolicy(this.settings.orders.returns, condition)
    if (isRefused || policy.isRefused) piece.isRefused = true
    if (disposition === 'restock') {
      this.desk.change(step, order.id, [{ do: 'restock', allocation: 0, sku, location, units: quantity }])
    }
    step.publish('return.disposed', `order/${order.id}`, {
      order: order.id,
      return: found.id,
      sku,
      location,
      quantity,
      disposition,
      ...(piece.at === undefined ? { unexpected: true } : {}),
    })
  }
}
