/**
 * Returns of orders: asked for, authorized, received wherever the customer brings them, inspected, and settled unit by unit.
 * A return is a part of its order, so in no order of requests does more come back than was sent.
 */
import type { Step } from '../../engine/actors.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { readDocument, writeDocument } from '../documents.js'
import { COMMANDS_REMEMBERED, RETURNS_PER_ORDER_MAX } from '../limits.js'
import type { ExceptionBook } from '../order/exceptions.js'
import { moveUnits, unitsIn } from '../order/lines.js'
import type { Line, Order } from '../order/order.js'
import type { OrderStore } from '../order/order-store.js'
import type { Settings } from '../order/settings.js'
import type { StockDesk } from '../order/stock-desk.js'
import { can, fire, invalidTransition, note, refusedTransition, timelineIsFull } from '../order/transitions.js'
import { conflict, created, ok, problem } from '../outcomes.js'
import type { Disposition, Exchange, OrderReturn, Resolution, ReturnLabel, ReturnPiece } from './order-return.js'
import { RETURN_EVENTS, type ReturnEventType } from './return-machine.js'
import { reasonPolicy } from './return-policy.js'
import { returnTable } from './return-table.js'
import type { Settlement } from './settlement.js'

export interface ReturnRequest {
  order: string
  /** The caller's; none: made of the order's id. */
  id?: string
  key?: string
  fingerprint: string
  by: string
  lines: { line?: number; sku: number; quantity: number; reason: string; condition?: string }[]
  location?: number
  resolution: Resolution
  exchange?: Exchange
}

export const RETURN_ACTIONS = ['authorize', 'reject', 'transit', 'receive', 'inspect', 'close', 'cancel'] as const
export type ReturnAction = (typeof RETURN_ACTIONS)[number]

/** Units of a SKU that came in, or were looked at. */
export interface InspectedUnits {
  sku: number
  quantity: number
  disposition?: Disposition
  condition?: string
  isRefused?: boolean
}

export interface ReturnCommand {
  order: string
  number: number
  action: ReturnAction
  by: string
  id?: string
  reason?: string
  label?: ReturnLabel
  location?: number
  /** None: everything that is expected, or everything that nobody has looked at. */
  lines?: InspectedUnits[]
}

const EVENTS: Record<ReturnAction, ReturnEventType> = {
  authorize: 'AUTHORIZE',
  reject: 'REJECT',
  transit: 'TRANSIT',
  receive: 'RECEIVE',
  inspect: 'INSPECT',
  close: 'CLOSE',
  cancel: 'CANCEL',
}

const DAY_MS = 86_400_000
/** Units are still expected of it. */
const EXPECTING: readonly string[] = ['requested', 'authorized', 'in_transit', 'received', 'inspected']

export const returnId = (order: string, number: number): string => `${order}-R${number}`
const refKey = (id: string): string => `return-ref/${id}`

/** Where a return that its customer named is: its order and its number there. */
export interface ReturnRef {
  order: string
  number: number
}

export class Returns {
  constructor(
    private readonly store: Store,
    private readonly orders: OrderStore,
    private readonly desk: StockDesk,
    private readonly exceptions: ExceptionBook,
    private readonly settlement: Settlement,
    private readonly settings: Settings,
  ) {}

  request(step: Step, request: ReturnRequest): Outcome {
    const order = this.orders.change(request.order)
    if (!order) return problem(404, 'unknown_order', `There is no order ${request.order}.`)
    const known = this.known(order, request)
    if (known) return known
    const full = timelineIsFull(order)
    if (full) return full
    const returns = order.returns ?? []
    if (returns.length >= RETURNS_PER_ORDER_MAX) {
      return problem(
        409,
        'too_many_returns',
        `Order ${order.id} has ${RETURNS_PER_ORDER_MAX} returns and takes no more.`,
      )
    }
    if (!can(order, 'RETURN')) return refusedTransition(order, 'returned')
    const lines = this.linesOf(order, request)
    if ('status' in lines) return lines
    const refused = this.notAllowed(order, lines, step.timeMs)
    if (refused) return refused
    const policy = this.settings.orders.returns
    const number = returns.length + 1
    const made: OrderReturn = {
      number,
      id: request.id ?? returnId(order.id, number),
      status: returnTable.initial as OrderReturn['status'],
      createdMs: step.timeMs,
      sinceMs: step.timeMs,
      by: request.by,
      resolution: request.resolution,
      payer: lines.every(({ reason }) => (reasonPolicy(policy, reason).payer ?? policy.payer) === 'retailer')
        ? 'retailer'
        : 'customer',
      lines,
      pieces: [],
      refunds: [],
      labelCharged: 0,
      fingerprint: request.fingerprint,
    }
    if (request.location !== undefined) made.location = request.location
    if (request.exchange) made.exchange = request.exchange
    if (request.key !== undefined) made.key = request.key
    order.returns = [...returns, made]
    if (request.id !== undefined) writeDocument(this.store, refKey(request.id), { order: order.id, number })
    this.tell(step, order, made, 'requested', request.by, lines.map(({ reason }) => reason).join(', '))
    if (policy.autoAuthorize) {
      this.fire(step, made, 'AUTHORIZE')
      this.tell(step, order, made, 'authorized', request.by)
    }
    return created({ order: order.id, number })
  }

  /** The answer to a request that was made before; a conflict where its id was another's. */
  private known(order: Order, { id, key, fingerprint }: ReturnRequest): Outcome | undefined {
    const ref = id === undefined ? undefined : readDocument<ReturnRef>(this.store, refKey(id))
    const same = order.returns?.find((one) => (id === undefined ? key !== undefined && one.key === key : one.id === id))
    if (same && same.fingerprint === fingerprint) return ok({ order: order.id, number: same.number, replayed: true })
    return same || ref ? conflict('This return id') : undefined
  }

  /** Lines of the order for the SKUs that are to come back; an outcome where that is more than was sent. */
  private linesOf(order: Order, { lines }: ReturnRequest): OrderReturn['lines'] | Outcome {
    const taken = new Map<number, number>()
    const made: OrderReturn['lines'] = []
    const policy = this.settings.orders.returns
    for (const { line: number, sku, quantity, reason, condition } of lines) {
      let left = quantity
      for (const line of order.lines) {
        if (line.isKit || line.sku !== sku || (number !== undefined && line.number !== number)) continue
        const units = Math.min(left, returnable(order, line) - (taken.get(line.number) ?? 0))
        if (units <= 0) continue
        taken.set(line.number, (taken.get(line.number) ?? 0) + units)
        left -= units
        const fee = reasonPolicy(policy, reason).fee ?? 0
        const added = { line: line.number, sku, quantity: units, reason, received: 0, settled: 0, fee }
        made.push(condition === undefined ? added : { ...added, condition })
      }
      if (left > 0) {
        const detail = `Only ${quantity - left} of the ${quantity} units can come back: the others were not sent, or are coming back already. A kit comes back by its components.`
        return problem(409, 'not_returnable', detail)
      }
    }
    return made
  }

  private notAllowed(order: Order, lines: OrderReturn['lines'], timeMs: number): Outcome | undefined {
    const { returns: policy, returnDays } = this.settings.orders
    for (const { reason } of lines) {
      const { isRefused, extraDays = 0 } = reasonPolicy(policy, reason)
      if (isRefused) {
        return problem(409, 'reason_refused', `Goods are not taken back for the reason ${reason}.`)
      }
      const days = returnDays + extraDays
      // Before everything has been delivered the window has not begun.
      if (order.deliveredMs !== undefined && timeMs > order.deliveredMs + days * DAY_MS) {
        return problem(
          409,
          'return_window_over',
          `Goods are taken back for ${days} days for the reason ${reason}; they are over.`,
        )
      }
    }
    return undefined
  }

  advance(step: Step, command: ReturnCommand): Outcome {
    const order = this.orders.change(command.order)
    const found = order?.returns?.[command.number - 1]
    if (!order || !found) {
      return problem(404, 'unknown_return', `There is no return ${returnId(command.order, command.number)}.`)
    }
    const done = ok({ order: order.id, number: found.number })
    if (command.id !== undefined && found.commands?.includes(command.id)) return done
    const type = EVENTS[command.action]
    if (returnTable.next(found.status, { type }) === null) return refusedReturn(found, command.action)
    const refused = timelineIsFull(order) ?? this[command.action](step, order, found, command)
    if (refused) return refused
    if (command.id !== undefined) found.commands = [...(found.commands ?? []), command.id].slice(-COMMANDS_REMEMBERED)
    return done
  }

  private authorize(step: Step, order: Order, found: OrderReturn, { by, label, location }: ReturnCommand): undefined {
    if (label) found.label = label
    if (location !== undefined) found.location = location
    this.fire(step, found, 'AUTHORIZE')
    this.tell(step, order, found, 'authorized', by, label?.trackingNumber)
  }

  private reject(step: Step, order: Order, found: OrderReturn, { by, reason }: ReturnCommand): undefined {
    found.reason = reason ?? 'rejected'
    this.fire(step, found, 'REJECT')
    this.tell(step, order, found, 'rejected', by, found.reason)
  }

  private cancel(step: Step, order: Order, found: OrderReturn, { by, reason }: ReturnCommand): undefined {
    found.reason = reason ?? 'cancelled'
    this.fire(step, found, 'CANCEL')
    this.tell(step, order, found, 'cancelled', by, found.reason)
  }

  private transit(step: Step, order: Order, found: OrderReturn, { by }: ReturnCommand): undefined {
    this.fire(step, found, 'TRANSIT')
    this.tell(step, order, found, 'in_transit', by, found.label?.trackingNumber)
  }

  private receive(step: Step, order: Order, found: OrderReturn, command: ReturnCommand): Outcome | undefined {
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
    let unexpected = 0
    for (const some of units) {
      let left = some.quantity
      for (const [at, line] of found.lines.entries()) {
        if (line.sku !== some.sku) continue
        const count = Math.min(left, line.quantity - line.received)
        if (count > 0) this.takeIn(step, order, found, at, count, location, some)
        left -= Math.max(0, count)
      }
      left -= this.takeMore(step, order, found, { ...some, quantity: left }, location)
      if (left > 0) {
        // Not of this order at all: it is kept apart until somebody says what it is.
        unexpected += left
        this.addPiece(step, order, found, { ...some, quantity: left }, location)
      }
    }
    if (can(order, 'RETURN')) fire(order, 'RETURN')
    this.fire(step, found, 'RECEIVE')
    const count = units.reduce((sum, { quantity }) => sum + quantity, 0)
    this.tell(step, order, found, 'received', command.by, `${count} units`)
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
        reason: 'unannounced',
        received: 0,
        settled: 0,
        fee: 0,
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
  private inspect(step: Step, order: Order, found: OrderReturn, { lines, by }: ReturnCommand): Outcome | undefined {
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
      this.fire(step, found, 'INSPECT')
      this.tell(step, order, found, 'inspected', by)
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
    if (isRefused) piece.isRefused = true
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

  private close(step: Step, order: Order, found: OrderReturn, { by }: ReturnCommand): undefined {
    this.fire(step, found, 'CLOSE')
    this.settlement.close(step, order, found)
    this.tell(step, order, found, 'closed', by)
  }

  /** The edge has placed the order that the customer gets instead. */
  exchanged(step: Step, { order: id, number, placed }: { order: string; number: number; placed: string }): Outcome {
    const order = this.orders.change(id)
    const found = order?.returns?.[number - 1]
    if (!order || !found?.exchange)
      return problem(404, 'unknown_return', `There is no exchange for ${returnId(id, number)}.`)
    if (found.exchange.order !== undefined) return ok({ order: id, number })
    found.exchange.order = placed
    this.tell(step, order, found, 'exchanged', found.by, placed)
    return ok({ order: id, number })
  }

  find(id: string): Outcome {
    const ref = readDocument<ReturnRef>(this.store, refKey(id))
    return ref ? ok(ref) : problem(404, 'unknown_return', `There is no return ${id}.`)
  }

  private fire(step: Step, found: OrderReturn, type: ReturnEventType): void {
    const next = returnTable.next(found.status, { type })
    if (next === null) return
    // The table is of the return machine, whose states these are.
    found.status = next as OrderReturn['status']
    found.sinceMs = step.timeMs
  }

  private tell(step: Step, order: Order, found: OrderReturn, what: string, by: string, detail?: string): void {
    note(order, step.timeMs, `return.${what}`, by, detail === undefined ? found.id : `${found.id}: ${detail}`)
    step.publish(`return.${what}`, `order/${order.id}`, {
      order: order.id,
      return: found.id,
      number: found.number,
      status: found.status,
      resolution: found.resolution,
      channel: order.channel,
      ...(found.exchange?.order === undefined ? {} : { placed: found.exchange.order }),
    })
  }
}

/** Units of a line that were sent and are neither back nor expected back. */
export function returnable(order: Order, line: Line): number {
  const expected = (order.returns ?? []).filter(({ status }) => EXPECTING.includes(status))
  const coming = expected.reduce(
    (sum, { lines }) =>
      sum + lines.reduce((units, one) => units + (one.line === line.number ? one.quantity - one.received : 0), 0),
    0,
  )
  return unitsIn(line, 'shipped') + unitsIn(line, 'delivered') - coming
}

/** Those that arrived first; what was never handed over is taken off the parcel that it was in, and counted. */
function takeBackUnits(order: Order, line: Line, count: number): number {
  const arrived = Math.min(count, unitsIn(line, 'delivered'))
  moveUnits(line, 'delivered', 'RETURN', arrived)
  let left = count - arrived
  const early = left
  moveUnits(line, 'shipped', 'RETURN', left)
  for (const { status, lines } of order.fulfillments) {
    if (status !== 'shipped') continue
    for (const part of lines) {
      if (part.line !== line.number) continue
      const back = Math.min(left, part.quantity - (part.back ?? 0))
      if (back > 0) part.back = (part.back ?? 0) + back
      left -= back
    }
  }
  return early
}

function refusedReturn({ id, status }: OrderReturn, action: ReturnAction): Outcome {
  const possible = RETURN_EVENTS.filter((type) => returnTable.next(status, { type }) !== null)
  const list = possible.join(', ').toLowerCase() || 'none'
  return invalidTransition(
    `Return ${id} is ${status}; ${action} is not possible now. Possible are: ${list}.`,
    status,
    possible,
  )
}
