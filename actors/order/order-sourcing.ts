/**
 * From open units to units that a location holds for them. Where all SKUs are of this partition it is one step: look, plan,
 * hold. Where some are elsewhere it is a saga: ask what there is, plan, ask to hold; all hold or all is given back, and
 * it is tried again with what there is then. Answers to a try that was given up (its epoch is over) are given back too, so
 * nothing leaks whatever happens meanwhile.
 */
import type { Step } from '../../engine/actors.js'
import type { Places } from '../catalog/places.js'
import type { HoldRequest } from '../inventory/allocations.js'
import { SOURCING_ATTEMPTS_MAX } from '../limits.js'
import { nextCutoff } from '../sourcing/calendar.js'
import { plan, type Refusal, type SourcingRequest } from '../sourcing/plan.js'
import { allocationNumber } from './allocation-id.js'
import type { Capacity } from './capacity.js'
import type { ExceptionBook } from './exceptions.js'
import type { FulfillmentMaker } from './fulfillment-maker.js'
import { lineOf, moveUnits, unmet } from './lines.js'
import type { Availability, Fulfillment, HoldLine, Line, Order, Reserved, Saga } from './order.js'
import { isStanding, stateOf } from './order-status.js'
import type { OrderStore } from './order-store.js'
import { newSaga } from './sagas.js'
import type { Shortfall } from './shortfall.js'
import { isExcluded, planOfPart, type SourcingRequests } from './sourcing-request.js'
import type { StockDesk } from './stock-desk.js'
import { fire, fireFulfillment, note, SYSTEM } from './transitions.js'

const MAY_SOURCE = ['received', 'backordered', 'allocated', 'partially_shipped']
const PAYMENT_OPEN = ['pending', 'failed', 'voided']
/** Messages that one try may send: asking, holding, changing. */
const MESSAGES_PER_TRY = 64 * 3

export class OrderSourcing {
  constructor(
    private readonly orders: OrderStore,
    private readonly desk: StockDesk,
    private readonly places: Places,
    private readonly capacity: Capacity,
    private readonly requests: SourcingRequests,
    private readonly maker: FulfillmentMaker,
    private readonly shortfall: Shortfall,
    private readonly exceptions: ExceptionBook,
    private readonly partition: number,
  ) {}

  /** Whether something is to be sourced and nothing stands in its way. */
  isDue(order: Order, timeMs: number): boolean {
    const { hold, payment, sourcing, progress } = stateOf(order)
    return (
      hold === 'none' &&
      sourcing === 'idle' &&
      timeMs >= order.releaseMs &&
      MAY_SOURCE.includes(progress) &&
      !PAYMENT_OPEN.includes(payment) &&
      order.lines.some((line) => unmet(line) > 0)
    )
  }

  /** Begins to source what is open, if that may be; `known` is what was found in this same step. */
  begin(step: Step, order: Order, known: readonly Availability[] = []): void {
    if (!this.isDue(order, step.timeMs) || !step.hasRoom(MESSAGES_PER_TRY)) return
    fire(order, 'SOURCE')
    delete order.retryMs
    this.attempt(step, order, 1, known)
  }

  /** Begins with a plan that was made elsewhere; where it does not fit any more, as `begin` does. */
  beginWith(step: Step, order: Order, assignments: Assignment[]): void {
    const missing = new Map(order.lines.map((line) => [line.number, unmet(line)]))
    for (const { line, quantity } of assignments) missing.set(line, (missing.get(line) ?? 0) - quantity)
    const fits =
      assignments.every(({ location }) => this.places.get(location)?.active && !isExcluded(order, location)) &&
      [...missing.values()].every((units) => units === 0)
    if (!fits || !this.isDue(order, step.timeMs) || !step.hasRoom(MESSAGES_PER_TRY)) {
      this.begin(step, order)
      return
    }
    fire(order, 'SOURCE')
    order.epoch++
    order.saga = newSaga('asking', order.epoch, 1)
    this.hold(step, order, order.saga, assignments)
  }

  /** What a plan would be asked for what is open and, besides, the units of a fulfillment order. */
  requestWithout(
    order: Order,
    fulfillment: Fulfillment | undefined,
    offers: Availability[],
    timeMs: number,
  ): SourcingRequest {
    const more = new Map<number, number>()
    for (const { line, quantity } of fulfillment?.lines ?? []) more.set(line, (more.get(line) ?? 0) + quantity)
    const lines = order.lines.flatMap((line) => {
      const quantity = unmet(line) + (more.get(line.number) ?? 0)
      return quantity > 0 ? [{ line, quantity }] : []
    })
    const request = this.requests.of(timeMs, order, lines, offers)
    if (!fulfillment) return request
    return { ...request, excluded: [...request.excluded, { location: fulfillment.location, reason: 'taken back' }] }
  }

  /** Gives up a try that is under way: what it holds, or will be told that it holds, is given back. */
  abandon(step: Step, order: Order): void {
    const { saga } = order
    if (!saga) return
    delete order.saga
    order.epoch++
    if (saga.phase === 'holding') this.giveBack(step, order, saga)
    this.answerWakes(step, order)
  }

  /** It has taken what it could of what has come: the next ones on the waiting lists may be asked. */
  answerWakes(step: Step, order: Order): void {
    for (const sku of order.wokenFor ?? []) this.desk.answer(step, sku, order.id)
    delete order.wokenFor
  }

  private attempt(step: Step, order: Order, attempt: number, known: readonly Availability[] = []): void {
    order.epoch++
    const saga = newSaga('asking', order.epoch, attempt)
    const wanted = order.lines.filter((line) => unmet(line) > 0)
    const skus = [...new Set(wanted.map(({ sku }) => sku))]
    for (const sku of skus) {
      if (!this.desk.isOwn(sku)) continue
      const offer = known.find((other) => other.sku === sku)
      saga.offers.push(offer ?? this.desk.availability(sku, order.channelIndex, order.id, step.timeMs))
    }
    const reservations = wanted.flatMap(({ number: line, sku, reservation: id }) => (id ? [{ line, sku, id }] : []))
    for (const wish of reservations) {
      if (this.desk.isOwn(wish.sku)) saga.reserved.push(this.desk.reserved(wish, step.timeMs))
    }
    const ask = { order: order.id, epoch: order.epoch, channel: order.channelIndex, skus, reservations }
    saga.waiting = saga.offers.length === skus.length ? [] : this.desk.ask(step, ask)
    order.saga = saga
    if (saga.waiting.length === 0) this.decide(step, order, saga)
  }

  /** A partition has said what it has. */
  told(step: Step, from: number, body: Told): void {
    const order = this.waitingFor(from, body, 'asking')
    if (!order) return
    const saga = order.saga!
    saga.offers.push(...body.offers)
    saga.reserved.push(...body.reserved)
    saga.waiting = saga.waiting.filter((other) => other !== from)
    if (saga.waiting.length === 0) this.decide(step, order, saga)
  }

  private waitingFor(
    from: number,
    { order: id, epoch }: { order: string; epoch: number },
    phase: Saga['phase'],
  ): Order | undefined {
    const saga = this.orders.get(id)?.saga
    const isMeant = saga?.phase === phase && saga.epoch === epoch && saga.waiting.includes(from)
    return isMeant ? this.orders.change(id) : undefined
  }

  private decide(step: Step, order: Order, saga: Saga): void {
    const reserved = this.reservedLines(step, order, saga)
    const rest = order.lines.filter((line) => unmet(line) > 0 && !line.reservation)
    const wanted = rest.map((line) => ({ line, quantity: unmet(line) }))
    const request = this.requests.of(step.timeMs, order, wanted, saga.offers)
    const whole = plan(request)
    order.refused = byReason(whole.refused)
    const short = whole.shortLines.map((number) => lineOf(order, number))
    if (short.some((line) => this.substitute(step, order, line))) {
      this.attempt(step, order, saga.attempt)
      return
    }
    if (short.length > 0 && this.waitForCapacity(step, order, request)) return
    const isAllOrNone = !order.allowPartial && order.fulfillments.length === 0
    if (short.length > 0 && isAllOrNone) {
      this.conclude(step, order, saga, short)
      return
    }
    const chosen = short.length > 0 ? planOfPart(order, request) : whole
    saga.promises = chosen.promises
    this.hold(step, order, saga, [...reserved, ...chosen.assignments])
  }

  /**
   * Where the stock is there and only the day of its locations is full, the order waits for their next one; true where it
   * does.
   */
  private waitForCapacity(step: Step, order: Order, request: SourcingRequest): boolean {
    const full = order.refused.find(({ reason }) => reason === 'capacity')?.locations
    if (!full) return false
    const candidates = request.candidates.map((candidate) => ({
      ...candidate,
      capacityLeft: Math.max(1, candidate.capacityLeft),
    }))
    if (plan({ ...request, candidates }).shortLines.length > 0) return false
    const cutoffs = full.map((location) => nextCutoff(this.places.get(location)!.calendar, step.timeMs))
    order.retryMs = Math.min(...cutoffs) + 1
    delete order.saga
    fire(order, 'SOURCED')
    note(order, step.timeMs, 'order.waits_for_capacity', SYSTEM)
    const names = full.map((location) => this.places.get(location)!.id)
    this.exceptions.raise(step, order, 'capacity_exceeded', undefined, `full for the day: ${names.join(', ')}`)
    this.answerWakes(step, order)
    return true
  }

  /** Lines that take over a buyer's reservation are where it is. One that is gone is sourced like any other. */
  private reservedLines(step: Step, order: Order, saga: Saga): { location: number; line: number; quantity: number }[] {
    return order.lines.flatMap((line) => {
      if (!line.reservation || unmet(line) === 0) return []
      const found = saga.reserved.find(({ line: number }) => number === line.number)
      if (found && found.quantity === unmet(line)) return [found]
      note(order, step.timeMs, 'order.reservation_lost', SYSTEM, `line ${line.number}`)
      delete line.reservation
      return []
    })
  }

  /** Offers another SKU where the customer takes one; true where the line has changed. */
  private substitute(step: Step, order: Order, line: Line): boolean {
    const next = line.substitutes?.shift()
    if (next === undefined || unmet(line) !== line.quantity) return false
    line.substitutedFor ??= line.sku
    line.sku = next
    note(order, step.timeMs, 'line.substituted', SYSTEM, `line ${line.number}`)
    return true
  }

  private hold(
    step: Step,
    order: Order,
    saga: Saga,
    assignments: { location: number; line: number; quantity: number }[],
  ): void {
    saga.holds = assignments.map(({ location, line: number, quantity }): HoldLine => {
      const { sku } = lineOf(order, number)
      const allocation = allocationNumber(this.orders.nextAllocation(), this.partition)
      return { allocation, line: number, sku, location, quantity, channel: order.channelIndex }
    })
    const own = saga.holds.filter(({ sku }) => this.desk.isOwn(sku))
    const isAlone = own.length === saga.holds.length
    if (!this.desk.holdOwn(order.id, this.holdRequests(order, own), isAlone, step.timeMs)) {
      // Alone, asking again finds the same, but for a reservation that is then let go.
      const isFutile = isAlone && !order.lines.some(({ reservation }) => reservation)
      this.tryAgain(step, order, isFutile ? { ...saga, attempt: SOURCING_ATTEMPTS_MAX } : saga)
      return
    }
    if (isAlone) {
      this.conclude(step, order, saga, [])
      return
    }
    saga.phase = 'holding'
    this.maker.takeDays(step, saga)
    saga.held = [this.partition]
    const others = saga.holds.filter(({ sku }) => !this.desk.isOwn(sku))
    saga.waiting = this.desk.hold(step, {
      order: order.id,
      epoch: order.epoch,
      requests: this.holdRequests(order, others),
    })
  }

  private holdRequests(order: Order, holds: HoldLine[]): HoldRequest[] {
    return holds.map(({ line, ...hold }) => {
      const { reservation } = lineOf(order, line)
      const request: HoldRequest = hold
      if (order.buyer) request.buyer = order.buyer
      if (reservation) request.reservation = reservation
      return request
    })
  }

  /** A partition has said whether it holds its lines. */
  heldOrNot(
    step: Step,
    from: number,
    body: { order: string; epoch: number; held: boolean; lines: { allocation: number; sku: number }[] },
  ): void {
    const order = this.waitingFor(from, body, 'holding')
    if (!order) {
      if (body.held) this.desk.change(step, body.order, releases(body.lines))
      return
    }
    const saga = order.saga!
    saga.waiting = saga.waiting.filter((other) => other !== from)
    if (body.held) saga.held.push(from)
    else saga.isRefused = true
    if (saga.waiting.length > 0) return
    if (saga.isRefused) {
      this.giveBack(step, order, saga)
      this.tryAgain(step, order, saga)
      return
    }
    const allocations = this.desk.change(
      step,
      order.id,
      saga.holds.map(({ allocation, sku }) => ({ do: 'confirm', allocation, sku })),
    )
    this.conclude(step, order, saga, [])
    if (allocations.length > 0) this.lost(step, { order: order.id, allocations })
  }

  private giveBack(step: Step, order: Order, { holds, held, days }: Saga): void {
    this.maker.returnDays(days)
    const theirs = holds.filter(({ sku }) => held.includes(this.desk.partitionOf(sku)))
    if (theirs.length > 0) this.desk.change(step, order.id, releases(theirs))
  }

  private tryAgain(step: Step, order: Order, { attempt }: Saga): void {
    // Where a reservation could not be taken over, its line is sourced like any other.
    if (attempt >= 2) for (const line of order.lines) delete line.reservation
    if (attempt < SOURCING_ATTEMPTS_MAX) {
      this.attempt(step, order, attempt + 1)
      return
    }
    const wanted = order.lines.filter((line) => unmet(line) > 0)
    this.conclude(step, order, { ...newSaga('asking', order.epoch, attempt), offers: order.saga?.offers ?? [] }, wanted)
  }

  /** The end of a try: what is held becomes fulfillment orders, what is short waits, goes, or ends the order. */
  private conclude(step: Step, order: Order, saga: Saga, short: Line[]): void {
    delete order.saga
    const wasPromised = order.fulfillments.length > 0
    this.maker.make(step, order, saga)
    const missing = order.lines.filter((line) => unmet(line) > 0)
    if (missing.length > 0) {
      this.shortfall.settle(step, order, wasPromised, short.length > 0 ? short : missing, missing, saga.offers)
    }
    fire(order, 'SOURCED')
    if (saga.holds.length > 0) {
      note(order, step.timeMs, 'order.allocated', SYSTEM, allocatedDetail(this.places, saga.holds))
    }
    this.shortfall.leaveWaiting(step, order)
    this.answerWakes(step, order)
    this.exceptions.repaired(step, order)
  }

  /**
   * Holds that ran out before they were confirmed: their units are open again. Those that were picked meanwhile are the
   * order's, and stock is told that they are gone.
   */
  lost(step: Step, { order: id, allocations }: { order: string; allocations: number[] }): void {
    const order = this.orders.change(id)
    if (!order) return
    for (const fulfillment of order.fulfillments) {
      const { location, lines } = fulfillment
      // What has been rejected, cancelled or failed has given its units back already.
      if (!isStanding(fulfillment)) continue
      const gone = lines.filter(({ allocation }) => allocations.includes(allocation))
      const open = gone.filter(({ isPicked }) => !isPicked)
      const taken = gone.filter(({ isPicked }) => isPicked)
      this.desk.change(
        step,
        id,
        taken.map(({ allocation, sku, quantity: units }) => ({ do: 'taken', allocation, sku, location, units })),
      )
      for (const { line, quantity } of open) moveUnits(lineOf(order, line), 'allocated', 'REOPEN', quantity)
      fulfillment.lines = lines.filter((line) => !open.includes(line))
      if (open.length > 0 && fulfillment.lines.length === 0) {
        fireFulfillment(fulfillment, 'CANCEL', step.timeMs)
        this.capacity.giveBack(location, fulfillment.capacityDay)
      }
    }
    fire(order, 'SHORT')
    note(order, step.timeMs, 'order.hold_lost', SYSTEM)
    this.begin(step, order)
  }
}

/** Units of a line that a location is to send. */
export interface Assignment {
  location: number
  line: number
  quantity: number
}

/** What a partition says that it has. */
interface Told {
  order: string
  epoch: number
  offers: Availability[]
  reserved: Reserved[]
}

/** Many locations share a few reasons. */
function byReason(refusals: readonly Refusal[]): Order['refused'] {
  const reasons: Order['refused'] = []
  for (const { location, reason } of refusals) {
    const known = reasons.find((one) => one.reason === reason)
    if (known) known.locations.push(location)
    else reasons.push({ reason, locations: [location] })
  }
  return reasons
}

const releases = (lines: { allocation: number; sku: number }[]) =>
  lines.map(({ allocation, sku }) => ({ do: 'release', allocation, sku }) as const)

const allocatedDetail = (places: Places, holds: HoldLine[]): string =>
  [...new Set(holds.map(({ location }) => places.get(location)?.id ?? String(location)))].join(', ')
