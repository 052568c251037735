/** Orders cancelled and changed, in whole or in part, until picking starts: units go back to stock and are sourced anew. */
import type { Step } from '../../engine/actors.js'
import type { Outcome } from '../../engine/protocol.js'
import type { StockChange } from '../inventory/allocations.js'
import { ok, problem } from '../outcomes.js'
import type { Capacity } from './capacity.js'
import { changeable, type Wish } from './changeable.js'
import type { ExceptionBook } from './exceptions.js'
import { isPicking, lineOf, lineStatus, moveUnits, newTally, outlookOf, partsOf, unitsIn } from './lines.js'
import type { Address, Customer, Fulfillment, Line, LineTerms, Order, Sealed, Totals } from './order.js'
import type { OrderSourcing } from './order-sourcing.js'
import type { OrderStore } from './order-store.js'
import type { Payments } from './payments.js'
import type { Shortfall } from './shortfall.js'
import type { StockDesk } from './stock-desk.js'
import { can, fire, fireFulfillment, note, refusedTransition } from './transitions.js'

/** Units to cancel: of a line by its number, or of a SKU over its lines. */
export interface CancelWish extends Wish {
  lines?: { line?: number; sku?: number; quantity: number }[]
}

export interface ReviseWish {
  id: string
  key?: string
  by: string
  shipTo?: Address
  customer?: Customer
  /** Words by which it is found from now on. */
  search?: string[]
  notes?: Sealed
  service?: string
  /** New quantities of lines by number; lines without a number are new. */
  lines?: { line?: number; quantity: number; terms?: LineTerms }[]
  totals?: Totals
}

const BEFORE_PICKING = ['open', 'backordered', 'allocated'] as const

export class OrderChanges {
  constructor(
    private readonly orders: OrderStore,
    private readonly desk: StockDesk,
    private readonly sourcing: OrderSourcing,
    private readonly shortfall: Shortfall,
    private readonly capacity: Capacity,
    private readonly payments: Payments,
    private readonly exceptions: ExceptionBook,
  ) {}

  cancel(step: Step, { id, by, reason, lines }: CancelWish): Outcome {
    const order = changeable(this.orders, id)
    if ('status' in order) return order
    if (!can(order, 'CANCEL')) return refusedTransition(order, 'cancelled')
    const wanted = lines ? this.cancelledLines(order, lines) : allCancellable(order)
    if ('status' in wanted) return wanted
    if (wanted.size === 0) return refusedTransition(order, 'cancelled')
    this.sourcing.abandon(step, order)
    for (const [number, units] of wanted) this.cancelUnits(step, order, lineOf(order, number), units)
    fire(order, 'CANCEL')
    note(order, step.timeMs, 'order.cancelled', by, lines ? `${reason}: ${detailOf(wanted)}` : reason)
    // Partners who were told of the units are told that they are off, also where the order's status stays.
    if (lines) {
      const cancelled = [...wanted].map(([line, quantity]) => ({ line, quantity }))
      step.publish('order.units_cancelled', `order/${order.id}`, {
        order: id,
        channel: order.channel,
        cancelled,
        reason,
      })
    }
    this.shortfall.leaveWaiting(step, order)
    if (outlookOf(order) === 'cancelled') this.payments.cancelled(order)
    else {
      this.payments.reduced(order)
      this.sourcing.begin(step, order)
    }
    this.exceptions.repaired(step, order)
    return ok({ order: id })
  }

  /** Which units to cancel, by line; an outcome where more are asked for than can be. */
  private cancelledLines(order: Order, lines: NonNullable<CancelWish['lines']>): Map<number, number> | Outcome {
    const wanted = new Map<number, number>()
    for (const { line: number, sku, quantity } of lines) {
      let left = quantity
      for (const line of order.lines) {
        if (line.parent !== undefined || (number === undefined ? line.sku !== sku : line.number !== number)) continue
        const free = cancellable(order, line) - (wanted.get(line.number) ?? 0)
        const units = Math.min(left, free)
        if (units > 0) wanted.set(line.number, (wanted.get(line.number) ?? 0) + units)
        left -= units
      }
      if (left > 0) {
        const detail = `Only ${quantity - left} of the ${quantity} units can still be cancelled: the others are being picked, have been shipped, or are not in this order.`
        return problem(409, 'not_cancellable', detail)
      }
    }
    return wanted
  }

  /** Takes units out of a line, those that nobody has begun: open ones first, then what waits, then what is held. */
  private cancelUnits(step: Step, order: Order, line: Line, units: number): void {
    if (line.isKit) {
      for (const part of order.lines) {
        if (part.parent === line.number) this.cancelUnits(step, order, part, units * part.perParent!)
      }
      return
    }
    let left = units
    for (const state of ['open', 'backordered'] as const) {
      const some = Math.min(left, unitsIn(line, state))
      moveUnits(line, state, 'CANCEL', some)
      left -= some
    }
    if (left > 0) this.giveBack(step, order, line, left, 'CANCEL')
  }

  /** Gives allocated units back to stock, from the last fulfillment order on. */
  private giveBack(step: Step, order: Order, line: Line, units: number, type: 'CANCEL' | 'REOPEN'): void {
    const changes: StockChange[] = []
    let left = units
    for (const fulfillment of [...order.fulfillments].reverse()) {
      if (!['pending', 'accepted', 'picking'].includes(fulfillment.status)) continue
      const before = left
      for (const part of fulfillment.lines) {
        if (part.line !== line.number || part.isPicked || left === 0) continue
        const some = Math.min(left, part.quantity)
        changes.push({ do: 'reduce', allocation: part.allocation, sku: part.sku, units: some })
        part.quantity -= some
        left -= some
      }
      fulfillment.lines = fulfillment.lines.filter(({ quantity }) => quantity > 0)
      if (fulfillment.lines.length === 0) this.close(step, order, fulfillment)
      else if (left < before) this.tell(step, order, fulfillment, 'changed')
    }
    moveUnits(line, 'allocated', type, units - left)
    this.desk.change(step, order.id, changes)
  }

  private close(step: Step, order: Order, fulfillment: Fulfillment): void {
    fireFulfillment(fulfillment, 'CANCEL', step.timeMs)
    this.capacity.giveBack(fulfillment.location, fulfillment.capacityDay)
    this.tell(step, order, fulfillment, 'cancelled')
  }

  private tell(step: Step, order: Order, fulfillment: Fulfillment, what: 'changed' | 'cancelled'): void {
    step.publish(`fulfillment.${what}`, `order/${order.id}`, {
      order: order.id,
      fulfillment: `${order.id}-${fulfillment.number}`,
      location: fulfillment.location,
      kind: fulfillment.kind,
      status: fulfillment.status,
    })
  }

  /** Changes of address, service and lines, until picking starts. What a change touches is sourced again. */
  revise(step: Step, wish: ReviseWish): Outcome {
    const order = changeable(this.orders, wish.id)
    if ('status' in order) return order
    const isBegun =
      isPicking(order) ||
      order.fulfillments.some(({ status }) => ['picking', 'packed', 'shipped', 'delivered'].includes(status))
    if (!can(order, 'REVISE') || isBegun) return refusedTransition(order, 'changed')
    const faults = this.reviseFaults(step, order, wish)
    if (faults) return faults
    this.sourcing.abandon(step, order)
    if (wish.customer || wish.search) this.orders.refind(order, wish)
    if (wish.notes !== undefined) order.notes = wish.notes
    for (const change of wish.lines ?? []) this.reviseLine(step, order, change)
    if (wish.totals) order.totals = wish.totals
    const goesElsewhere = wish.shipTo !== undefined || (wish.service !== undefined && wish.service !== order.service)
    if (wish.shipTo) order.shipTo = wish.shipTo
    if (wish.service !== undefined) order.service = wish.service
    if (goesElsewhere) this.takeAllBack(step, order)
    fire(order, 'REVISE')
    const changed = changedParts(wish)
    note(order, step.timeMs, 'order.changed', wish.by, changed.join(', '))
    step.publish('order.changed', `order/${order.id}`, { order: order.id, channel: order.channel, changed })
    this.shortfall.leaveWaiting(step, order)
    if (outlookOf(order) === 'cancelled') this.payments.cancelled(order)
    else {
      this.payments.reduced(order)
      this.sourcing.begin(step, order)
    }
    return ok({ order: wish.id })
  }

  private reviseFaults(step: Step, order: Order, { lines }: ReviseWish): Outcome | undefined {
    for (const { line: number, terms } of lines ?? []) {
      if (number === undefined) {
        if (!terms) return problem(422, 'invalid', 'A new line needs a SKU and a price.')
        if (!this.desk.isOwn(terms.sku)) {
          return problem(
            409,
            'new_line_elsewhere',
            'A SKU of another partition cannot be added; place an order for it.',
          )
        }
        const { product } = this.desk.availability(terms.sku, order.channelIndex, order.id, step.timeMs)
        if (!product) return problem(422, 'unknown_sku', 'A new line has an unknown SKU; put the product first.')
        if (product.kit.length > 0) return problem(409, 'new_kit', 'A kit cannot be added; place an order for it.')
        continue
      }
      const line = order.lines[number - 1]
      if (!line || line.parent !== undefined || line.isKit) {
        return problem(422, 'invalid', `There is no line ${number} that can be changed.`)
      }
    }
    return undefined
  }

  private reviseLine(
    step: Step,
    order: Order,
    { line: number, quantity, terms }: NonNullable<ReviseWish['lines']>[number],
  ): void {
    if (number === undefined) {
      const { product } = this.desk.availability(terms!.sku, order.channelIndex, order.id, step.timeMs)
      order.lines.push({
        ...terms!,
        number: order.lines.length + 1,
        units: newTally(quantity),
        weightGrams: product?.weightGrams ?? 0,
        group: '',
        mayBackorder: order.allowBackorder || (product?.mayBackorder ?? false),
        ...(product?.isFinalSale ? { isFinalSale: true } : {}),
      })
      addToTotals(order, terms!.unitPrice * quantity, terms!)
      return
    }
    const line = lineOf(order, number)
    const live = line.quantity - unitsIn(line, 'cancelled')
    if (quantity < live) this.cancelUnits(step, order, line, live - quantity)
    else {
      line.units[0]! += quantity - live
      line.quantity += quantity - live
      addToTotals(order, line.unitPrice * (quantity - live))
    }
  }

  private takeAllBack(step: Step, order: Order): void {
    for (const line of order.lines) {
      const units = line.units.length === 0 ? 0 : unitsIn(line, 'allocated')
      if (units > 0) this.giveBack(step, order, line, units, 'REOPEN')
    }
  }
}

/** More goods were ordered; what is cancelled stays in the totals, as what was once ordered. */
function addToTotals(
  { totals }: Order,
  goods: number,
  { discount, taxes }: Pick<LineTerms, 'discount' | 'taxes'> = { discount: 0, taxes: [] },
): void {
  const tax = taxes.reduce((sum, { amount }) => sum + amount, 0)
  totals.subtotal += goods
  totals.discount += discount
  totals.tax += tax
  totals.total += goods - discount + tax
}

/** Units of a line that nobody has begun to pick; of a kit, whole kits of which no part has been begun. */
function cancellable(order: Order, line: Line): number {
  if (!line.isKit) return BEFORE_PICKING.reduce((sum, state) => sum + unitsIn(line, state), 0)
  return Math.min(...partsOf(order, line).map((part) => Math.floor(cancellable(order, part) / part.perParent!)))
}

function allCancellable(order: Order): Map<number, number> {
  const all = new Map<number, number>()
  for (const line of order.lines) {
    if (line.parent !== undefined || lineStatus(order, line) === 'cancelled') continue
    const units = cancellable(order, line)
    if (units > 0) all.set(line.number, units)
  }
  return all
}

const detailOf = (units: Map<number, number>): string =>
  [...units].map(([line, count]) => `${count} of line ${line}`).join(', ')

const changedParts = ({ shipTo, customer, lines, service, notes }: ReviseWish): string[] =>
  Object.entries({ address: shipTo, customer, lines, service, notes }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  )
