/** What is done to orders that have been taken: held, resumed, cancelled, changed, paid for, credited, sourced again. */

import type { Step } from '../../engine/actors.js'
import type { Outcome } from '../../engine/protocol.js'
import type { StockChange } from '../inventory/allocations.js'
import { WAITING_RETRY_MS } from '../limits.js'
import { ok, problem } from '../outcomes.js'
import { leftToGive } from '../return/refunds.js'
import type { Capacity } from './capacity.js'
import type { ExceptionBook } from './exceptions.js'
import { isPicking, lineOf, lineStatus, moveUnits, newTally, outlookOf, partsOf, unitsIn, unmet } from './lines.js'
import type { Address, Customer, Fulfillment, Line, LineTerms, Order, Sealed, Totals } from './order.js'
import type { OrderSourcing } from './order-sourcing.js'
import { stateOf } from './order-status.js'
import type { OrderStore } from './order-store.js'
import { type PaymentEvent, type Payments, refundable } from './payments.js'
import type { Shortfall } from './shortfall.js'
import type { StockDesk } from './stock-desk.js'
import {
  can,
  fire,
  fireFulfillment,
  invalidTransition,
  note,
  refusedTransition,
  timelineIsFull,
} from './transitions.js'

export interface Wish {
  id: string
  by: string
  reason: string
  /** The same key is carried out once. */
  key?: string
}

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

/** `event`: the carrier's id of it. */
export interface TrackingNote {
  id: string
  event: string
  type: string
  by: string
  trackingNumber: string
  fulfillment?: string
  return?: string
  reason?: string
}

/** What may be done to an order, by its name in commands. */
const BEFORE_PICKING = ['open', 'backordered', 'allocated'] as const

export class Orders {
  constructor(
    readonly orders: OrderStore,
    private readonly desk: StockDesk,
    private readonly sourcing: OrderSourcing,
    private readonly shortfall: Shortfall,
    private readonly capacity: Capacity,
    private readonly payments: Payments,
    private readonly exceptions: ExceptionBook,
  ) {}

  /** Finds an order to change; an outcome where there is none or it takes no more. */
  private open(id: string): Order | Outcome {
    const order = this.orders.change(id)
    if (!order) return unknownOrder(id)
    if (order.saga && order.saga.command !== 0) {
      return problem(503, 'overloaded', `Order ${id} is just being taken; try again shortly.`)
    }
    return timelineIsFull(order) ?? order
  }

  hold(step: Step, { id, by, reason }: Wish): Outcome {
    const order = this.open(id)
    if ('status' in order) return order
    const { progress } = stateOf(order)
    if (['cancelled', 'rejected', 'completed', 'delivered', 'shipped'].includes(progress) || !can(order, 'HOLD')) {
      return refusedTransition(order, 'held')
    }
    fire(order, 'HOLD')
    order.holds.push({ reason, by, sinceMs: step.timeMs })
    note(order, step.timeMs, 'order.on_hold', by, reason)
    return ok({ order: id })
  }

  /** Takes all holds off, or the one with this reason. */
  resume(step: Step, { id, by, reason }: Wish & { hold?: string }): Outcome {
    const order = this.open(id)
    if ('status' in order) return order
    if (!can(order, 'RESUME')) return refusedTransition(order, 'resumed')
    fire(order, 'RESUME')
    order.holds = []
    note(order, step.timeMs, 'order.resumed', by, reason)
    this.sourcing.begin(step, order)
    return ok({ order: id })
  }

  cancel(step: Step, { id, by, reason, lines }: CancelWish): Outcome {
    const order = this.open(id)
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
    const order = this.open(wish.id)
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
      addToTotals(order, terms!.unitPrice * quantity)
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

  /** Its customer's key is destroyed: what told of the person besides is forgotten, too. */
  forget(step: Step, { id, by, reason }: Wish): Outcome {
    const order = this.orders.change(id)
    if (!order) return unknownOrder(id)
    const { person } = order.customer
    const nothing = new Uint8Array(0)
    this.orders.refind(order, { customer: { person, sealed: nothing, keys: [] }, search: [] })
    order.shipTo = { ...order.shipTo, sealed: nothing }
    delete order.notes
    // A keyed hash of the address: whoever has the vault could tell whose it was.
    delete order.buyer
    for (const line of order.lines) {
      delete line.note
      if (line.gift) line.gift = {}
    }
    note(order, step.timeMs, 'order.personal_data_erased', by, reason)
    return ok({ order: id })
  }

  /** Ends the remorse window before its time. */
  release(step: Step, { id, by, reason }: Wish): Outcome {
    const order = this.open(id)
    if ('status' in order) return order
    if (stateOf(order).progress !== 'received') return refusedTransition(order, 'released')
    order.releaseMs = Math.min(order.releaseMs, step.timeMs)
    note(order, step.timeMs, 'order.released', by, reason)
    this.sourcing.begin(step, order)
    return ok({ order: id })
  }

  pay(
    step: Step,
    wish: { id: string; key?: string; event: PaymentEvent; amount: number; reference: string; by: string },
  ): Outcome {
    const order = this.open(wish.id)
    if ('status' in order) return order
    const refused = this.payments.happened(step, order, wish)
    if (refused) return refused
    this.sourcing.begin(step, order)
    return ok({ order: wish.id })
  }

  /** A provider has answered. */
  paid(
    step: Step,
    { key, done, reference, detail }: { key: string; done: boolean; reference: string; detail: string },
  ): Outcome {
    const task = this.payments.done(key)
    const order = task && this.orders.change(task.order)
    if (!task || !order) return ok({ known: false })
    const events = { authorize: 'authorized', capture: 'captured', void: 'voided', refund: 'refunded' } as const
    const event = done ? events[task.action] : task.action === 'authorize' ? 'failed' : undefined
    if (event) this.payments.happened(step, order, { event, amount: task.amount, reference, by: task.provider })
    else {
      note(order, step.timeMs, `payment.${task.action}_refused`, task.provider, detail)
      order.holds.push({ reason: `payment ${task.action} refused`, by: task.provider, sinceMs: step.timeMs })
      fire(order, 'HOLD')
    }
    this.sourcing.begin(step, order)
    return ok({ known: true })
  }

  /** An appeasement after the sale: a credit that is paid back where money was taken. */
  credit(step: Step, { id, by, reason, amount }: Wish & { amount: number }): Outcome {
    const order = this.open(id)
    if ('status' in order) return order
    if (!can(order, 'CREDIT')) return refusedTransition(order, 'credited')
    if (amount > leftToGive(order)) {
      return problem(409, 'credit_too_large', 'More would be given back than the customer pays for the order.')
    }
    fire(order, 'CREDIT')
    order.credits.push({ amount, reason, atMs: step.timeMs, by })
    note(order, step.timeMs, 'order.credited', by, reason)
    step.publish('order.credited', `order/${id}`, { order: id, amount, currency: order.currency, reason })
    if (order.payment && refundable(order.payment) >= amount) {
      this.payments.refund(order, amount, `credit-${order.credits.length}`)
    }
    return ok({ order: id })
  }

  /** Tries to source again what is open or waits, with all locations that were left out so far. */
  sourceAgain(step: Step, { id, by, reason }: Wish): Outcome {
    const order = this.open(id)
    if ('status' in order) return order
    if (!this.sourcing.isDue(order, step.timeMs)) return refusedTransition(order, 'sourced')
    order.excluded = order.excluded.filter(({ reason: why }) => why === 'rule')
    note(order, step.timeMs, 'order.source_again', by, reason)
    this.sourcing.begin(step, order)
    return ok({ order: id })
  }

  /** Somebody takes care of an exception, or says that it is over. */
  handleException(
    step: Step,
    { id, number, action, by, reason }: Wish & { number: number; action: 'acknowledge' | 'resolve' },
  ): Outcome {
    const order = this.open(id)
    if ('status' in order) return order
    const exception = order.exceptions[number - 1]
    if (!exception) return problem(404, 'unknown_exception', `There is no exception ${id}-${number}.`)
    if (exception.status === 'resolved') {
      return invalidTransition(`Exception ${id}-${number} is resolved already.`, exception.status, [])
    }
    if (action === 'resolve') this.exceptions.close(step, order, exception, by, reason)
    else {
      exception.status = 'acknowledged'
      exception.by = by
      note(order, step.timeMs, 'exception.acknowledged', by, reason)
    }
    return ok({ order: id, number })
  }

  /** A carrier has told something of a parcel: it is noted and published once for each event, whoever repeats it. */
  trackingNoted(step: Step, { id, event, type, by, ...about }: TrackingNote): Outcome {
    const order = this.orders.change(id)
    if (!order) return unknownOrder(id)
    const isKnown = order.timeline.some((entry) => entry.type === `tracking.${type}` && entry.detail === event)
    const refused = isKnown ? ok({ order: id }) : timelineIsFull(order)
    if (refused) return refused
    note(order, step.timeMs, `tracking.${type}`, by, event)
    step.publish(`tracking.${type}`, `order/${id}`, { order: id, ...about })
    return ok({ order: id })
  }

  /** There was no place for it on a waiting list: nothing will wake it, so it asks again by itself. */
  waitingRefused(step: Step, id: string): void {
    const order = this.orders.change(id)
    if (order?.lines.some((line) => unmet(line) > 0)) order.retryMs = step.timeMs + WAITING_RETRY_MS
  }

  /** Stock has come for what it waits for: it is told, once it has taken what it can. */
  wake(step: Step, { id, sku }: { id: string; sku: number }): void {
    const order = this.orders.get(id)
    if (!order || !(order.saga || this.sourcing.isDue(order, step.timeMs))) {
      this.desk.answer(step, sku, id)
      return
    }
    const woken = this.orders.change(id)!
    woken.wokenFor = [...new Set([...(woken.wokenFor ?? []), sku])]
    this.sourcing.begin(step, woken)
    if (!woken.saga) this.sourcing.answerWakes(step, woken)
  }
}

/** More goods were ordered; what is cancelled stays in the totals, as what was once ordered. */
function addToTotals({ totals }: Order, goods: number): void {
  totals.subtotal += goods
  totals.total += goods
}

export const unknownOrder = (id: string): Outcome => problem(404, 'unknown_order', `There is no order ${id}.`)

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
