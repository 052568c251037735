/**
 * From open units to units that a location holds for them. Where all SKUs are of this partition it is one step: look, plan,
 * hold. Where some are elsewhere it is a saga: ask what there is, plan, ask to hold; all hold or all is given back, and
 * it is tried again with what there is then. Answers to a try that was given up (its epoch is over) are given back too, so
 * nothing leaks whatever happens meanwhile.
 */
import type { Step } from '../../engine/actors.js'
import type { Place, Places } from '../catalog/places.js'
import type { HoldRequest } from '../inventory/allocations.js'
import { SOURCING_ATTEMPTS_MAX } from '../limits.js'
import { afterWorkingDays, localDay, nextCutoff, shippingDay } from '../sourcing/calendar.js'
import type { ShippingService } from '../sourcing/costs.js'
import { type Candidate, type Plan, plan, type SourcingLine, type SourcingRequest } from '../sourcing/plan.js'
import { allocationNumber } from './allocation-id.js'
import type { Capacity } from './capacity.js'
import type { ExceptionBook } from './exceptions.js'
import { moveUnits, unitsIn } from './lines.js'
import type { Availability, DeliveryPromise, Fulfillment, HoldLine, Line, Order, Reserved, Saga } from './order.js'
import { stateOf } from './order-status.js'
import type { OrderStore } from './order-store.js'
import type { Payments } from './payments.js'
import type { Settings } from './settings.js'
import type { StockDesk, WaitingChange } from './stock-desk.js'
import { fire, fireFulfillment, note } from './transitions.js'

/** Who did it, where nobody asked: the system itself. */
export const SYSTEM = 'doorbuster'

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
    private readonly settings: Settings,
    private readonly exceptions: ExceptionBook,
    private readonly payments: Payments,
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
    const request = this.requestOf(timeMs, order, lines, offers)
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
    const request = this.requestOf(step.timeMs, order, wanted, saga.offers)
    const whole = plan(request)
    order.refused = whole.refused.map(({ location, reason }) => ({ location, reason }))
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
    const full = order.refused.filter(({ reason }) => reason === 'capacity')
    if (full.length === 0) return false
    const candidates = request.candidates.map((candidate) => ({
      ...candidate,
      capacityLeft: Math.max(1, candidate.capacityLeft),
    }))
    if (plan({ ...request, candidates }).shortLines.length > 0) return false
    const cutoffs = full.map(({ location }) => nextCutoff(this.places.get(location)!.calendar, step.timeMs))
    order.retryMs = Math.min(...cutoffs) + 1
    delete order.saga
    fire(order, 'SOURCED')
    note(order, step.timeMs, 'order.waits_for_capacity', SYSTEM)
    const names = full.map(({ location }) => this.places.get(location)!.id)
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

  private requestOf(
    timeMs: number,
    order: Order,
    lines: { line: Line; quantity: number }[],
    offers: Availability[],
  ): SourcingRequest {
    const { settings } = this
    const service = settings.service(order.service) ?? settings.orders.services[0]!
    const bySku = new Map(offers.map((offer) => [offer.sku, offer]))
    const wanted: SourcingLine[] = lines.map(({ line, quantity }) => ({
      line: line.number,
      sku: line.sku,
      quantity,
      weightGrams: line.weightGrams,
      group: line.group,
      allowSplit: order.allowSplit,
    }))
    return {
      lines: wanted,
      candidates: this.candidates(timeMs, order, lines, bySku),
      destination: {
        country: order.shipTo.country,
        latitude: order.shipTo.latitude,
        longitude: order.shipTo.longitude,
      },
      service,
      placedMs: order.placedMs,
      promisedByMs: order.promise?.deliverByMs,
      allowSplit: order.allowSplit,
      takePartial: false,
      useSupply: false,
      only: this.allowed(order),
      excluded: order.excluded,
      timeMs,
      weights: settings.orders.weights,
    }
  }

  private allowed(order: Order): number[] | undefined {
    if (order.delivery.method === 'pickup' && order.delivery.location !== undefined) return [order.delivery.location]
    return order.onlyLocations
  }

  private candidates(
    timeMs: number,
    order: Order,
    lines: { line: Line; quantity: number }[],
    bySku: Map<number, Availability>,
  ): Candidate[] {
    const allowed = this.allowed(order)
    const mayGive = (location: number): boolean => (allowed?.includes(location) ?? true) && !isExcluded(order, location)
    const wanted = new Map<number, number>()
    for (const { line, quantity } of lines) wanted.set(line.sku, (wanted.get(line.sku) ?? 0) + quantity)
    const bySkuUnits = new Map<number, Map<number, number>>()
    for (const [sku, units] of wanted) bySkuUnits.set(sku, unitsOf(bySku.get(sku), units, mayGive))
    const columns = lines.map(({ line }) => bySkuUnits.get(line.sku)!)
    const candidates: Candidate[] = []
    for (const place of this.places.all) {
      if (!place.active || (order.locationTypes && !order.locationTypes.includes(place.type))) continue
      const available: number[] = []
      let most = 0
      for (const column of columns) {
        const units = column.get(place.location) ?? 0
        available.push(units)
        if (units > most) most = units
      }
      if (most === 0) continue
      const { location, type, latitude, longitude, country, handlingCost, priority, capacityPerDay, calendar } = place
      const capacityLeft = this.capacity.left(place, shippingDay(calendar, timeMs))
      // Field by field: a spread of so many places for each order costs more than the plan.
      candidates.push({
        location,
        type,
        latitude,
        longitude,
        country,
        handlingCost,
        priority,
        capacityPerDay,
        capacityLeft,
        calendar,
        available,
      })
    }
    return candidates
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
    if (!this.desk.holdOwn(order.id, this.requests(order, own), isAlone, step.timeMs)) {
      this.tryAgain(step, order, saga)
      return
    }
    if (isAlone) {
      this.conclude(step, order, saga, [])
      return
    }
    saga.phase = 'holding'
    this.takeDays(step, saga)
    saga.held = [this.partition]
    const others = saga.holds.filter(({ sku }) => !this.desk.isOwn(sku))
    saga.waiting = this.desk.hold(step, { order: order.id, epoch: order.epoch, requests: this.requests(order, others) })
  }

  private requests(order: Order, holds: HoldLine[]): HoldRequest[] {
    return holds.map(({ line, ...hold }) => {
      const { reservation } = lineOf(order, line)
      return { ...hold, ...(order.buyer ? { buyer: order.buyer } : {}), ...(reservation ? { reservation } : {}) }
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
    this.returnDays(days)
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
    this.place(step, order, saga)
    const missing = order.lines.filter((line) => unmet(line) > 0)
    if (missing.length > 0) {
      this.settleMissing(step, order, wasPromised, short.length > 0 ? short : missing, missing, saga.offers)
    }
    fire(order, 'SOURCED')
    if (saga.holds.length > 0) {
      note(order, step.timeMs, 'order.allocated', SYSTEM, allocatedDetail(this.places, saga.holds))
    }
    this.leaveWaiting(step, order)
    this.answerWakes(step, order)
    this.exceptions.repaired(step, order)
  }

  /** What no location has: waits for supply, is left out, or is the end of the order, as the order says. */
  private settleMissing(
    step: Step,
    order: Order,
    wasPromised: boolean,
    short: Line[],
    missing: Line[],
    offers: Availability[],
  ): void {
    const mayWait = short.every(({ mayBackorder }) => mayBackorder)
    const isPartial = order.allowPartial && order.fulfillments.length > 0
    const waits = (line: Line): boolean => wasPromised || mayWait || (isPartial && line.mayBackorder)
    for (const line of missing) {
      if (waits(line)) moveUnits(line, 'open', 'BACKORDER', unitsIn(line, 'open'))
      else for (const state of ['open', 'backordered'] as const) moveUnits(line, state, 'CANCEL', unitsIn(line, state))
    }
    const waiting = short.filter(waits)
    if (waiting.length > 0) {
      note(order, step.timeMs, 'order.backordered', SYSTEM, lineList(waiting))
      this.wait(step, order, waiting, offers)
      this.promiseFromSupply(order, waiting, offers)
      if (wasPromised && !mayWait) {
        this.exceptions.raise(step, order, 'no_stock', undefined, `no location has ${lineList(short)}`)
      }
    }
    const out = short.filter((line) => !waits(line))
    if (out.length === 0) return
    if (isPartial) {
      note(order, step.timeMs, 'order.short', SYSTEM, `without ${lineList(out)}`)
      return
    }
    note(order, step.timeMs, 'order.rejected', SYSTEM, `no stock for ${lineList(out)}`)
    // While it has not been told that sourcing is over: what is cancelled cannot be rejected any more.
    fire(order, 'REJECT')
    this.payments.cancelled(order)
  }

  private wait(step: Step, order: Order, short: Line[], offers: Availability[]): void {
    const units = new Map<number, number>()
    for (const line of short) units.set(line.sku, (units.get(line.sku) ?? 0) + unmet(line))
    const changes = [...units].map(
      ([sku, wanted]): WaitingChange => ({
        sku,
        channel: order.channelIndex,
        known: offers.find((offer) => offer.sku === sku)?.most ?? 0,
        join: {
          id: order.id,
          kind: 'order',
          priority: order.priority,
          sinceMs: order.placedMs,
          units: wanted,
          isAsked: true,
        },
      }),
    )
    this.desk.wait(step, changes)
    order.waitsFor = [...new Set([...order.waitsFor, ...units.keys()])]
  }

  /** Leaves the waiting lists of SKUs of which nothing is missing any more. */
  leaveWaiting(step: Step, order: Order): void {
    if (order.waitsFor.length === 0) return
    const wanted = new Set(order.lines.filter((line) => unmet(line) > 0).map(({ sku }) => sku))
    const over = order.waitsFor.filter((sku) => !wanted.has(sku))
    if (over.length === 0) return
    this.desk.wait(
      step,
      over.map((sku) => ({ sku, leave: order.id })),
    )
    order.waitsFor = order.waitsFor.filter((sku) => wanted.has(sku))
  }

  /** When what waits can be expected, by the supply that is announced. */
  private promiseFromSupply(order: Order, short: Line[], offers: Availability[]): void {
    let latest = 0
    for (const line of short) {
      const supply = offers.find(({ sku }) => sku === line.sku)?.supply ?? []
      let units = 0
      const enough = [...supply]
        .sort((a, b) => a[2] - b[2])
        .find(([, more]) => {
          units += more
          return units >= unmet(line)
        })
      if (!enough) return
      latest = Math.max(latest, enough[2])
    }
    if (latest === 0) return
    const place = this.places.all[0]
    const shipByMs = place ? nextCutoff(place.calendar, latest) : latest
    order.promise = { shipByMs, deliverByMs: shipByMs + 5 * 86_400_000 }
  }

  /** While others are asked to hold, the days of the locations are taken already, or many orders at once would overfill them. */
  private takeDays(step: Step, saga: Saga): void {
    for (const location of new Set(saga.holds.map((hold) => hold.location))) {
      const place = this.places.get(location)
      if (!place) continue
      const day = shippingDay(place.calendar, step.timeMs)
      this.capacity.take(location, day)
      saga.days.push({ location, day })
    }
  }

  private returnDays(days: Saga['days']): void {
    for (const { location, day } of days.splice(0)) this.capacity.giveBack(location, day)
  }

  /** Makes fulfillment orders of what is held: one for each location and group of goods. */
  private place(step: Step, order: Order, { holds, promises, days }: Saga): void {
    this.returnDays(days)
    const made = new Map<string, Fulfillment>()
    for (const hold of holds) {
      const line = lineOf(order, hold.line)
      delete line.reservation
      const location = hold.location
      const key = `${location}/${line.group}`
      let fulfillment = made.get(key)
      if (!fulfillment) {
        const promised = promises.find((promise) => promise.location === location)
        fulfillment = this.newFulfillment(step, order, location, promised)
        made.set(key, fulfillment)
        order.fulfillments.push(fulfillment)
      }
      const { sku, quantity, allocation } = hold
      fulfillment.lines.push({ line: line.number, sku, quantity, picked: 0, isPicked: false, allocation })
      const fromOpen = Math.min(quantity, unitsIn(line, 'open'))
      moveUnits(line, 'open', 'ALLOCATE', fromOpen)
      moveUnits(line, 'backordered', 'ALLOCATE', quantity - fromOpen)
    }
    if (made.size > 0) this.promise(step, order)
  }

  private newFulfillment(
    step: Step,
    order: Order,
    location: number,
    promised: DeliveryPromise | undefined,
  ): Fulfillment {
    const place = this.places.get(location)!
    const service = this.settings.service(order.service) ?? this.settings.orders.services[0]!
    const { shipByMs, deliverByMs } = promised ?? promiseOf(place, order.shipTo.country, service, step.timeMs)
    const capacityDay = localDay(place.calendar, shipByMs)
    this.capacity.take(location, capacityDay)
    const kind = order.delivery.method === 'pickup' ? 'pickup' : place.type === 'dropship' ? 'dropship' : 'ship'
    return {
      number: order.fulfillments.length + 1,
      location,
      kind,
      status: 'pending',
      service: service.name,
      createdMs: step.timeMs,
      sinceMs: step.timeMs,
      shipByMs,
      deliverByMs,
      lines: [],
      packages: [],
      capacityDay,
    }
  }

  /** What is promised is when the last of it comes. A promise that was given and cannot be kept changes by an event. */
  private promise(step: Step, order: Order): void {
    const live = order.fulfillments.filter(({ status }) => !['rejected', 'failed', 'cancelled'].includes(status))
    const promise = {
      shipByMs: Math.max(...live.map(({ shipByMs }) => shipByMs)),
      deliverByMs: Math.max(...live.map(({ deliverByMs }) => deliverByMs)),
    }
    const before = order.promise
    if (before && promise.deliverByMs <= before.deliverByMs) return
    order.promise = promise
    if (!before) return
    note(order, step.timeMs, 'order.promise_changed', SYSTEM)
    step.publish('order.promise_changed', `order/${order.id}`, {
      order: order.id,
      shipByMs: promise.shipByMs,
      deliverByMs: promise.deliverByMs,
      before: before.deliverByMs,
    })
  }

  /**
   * Holds that ran out before they were confirmed: their units are open again. Those that were picked meanwhile are the
   * order's, and stock is told that they are gone.
   */
  lost(step: Step, { order: id, allocations }: { order: string; allocations: number[] }): void {
    const order = this.orders.change(id)
    if (!order) return
    for (const fulfillment of order.fulfillments) {
      const { location, lines, status } = fulfillment
      // What has been rejected, cancelled or failed has given its units back already.
      if (['rejected', 'cancelled', 'failed'].includes(status)) continue
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

/** As much as there is; of a kit that cannot wait, only what makes whole ones. */
function planOfPart(order: Order, request: SourcingRequest): Plan {
  const part = plan({ ...request, takePartial: true })
  const given = (line: Line): number =>
    part.assignments.reduce((sum, { line: number, quantity }) => sum + (number === line.number ? quantity : 0), 0)
  const held = (line: Line): number => line.quantity - unitsIn(line, 'cancelled') - unmet(line)
  const useful = (line: Line): number => {
    if (line.parent === undefined || line.mayBackorder) return Number.POSITIVE_INFINITY
    const parts = order.lines.filter(({ parent }) => parent === line.parent)
    const kits = Math.min(...parts.map((one) => Math.floor((held(one) + given(one)) / one.perParent!)))
    return Math.max(0, kits * line.perParent! - held(line))
  }
  const quantities = request.lines.map(({ line, quantity }) => Math.min(quantity, useful(lineOf(order, line))))
  if (request.lines.every(({ quantity }, i) => quantity === quantities[i])) return part
  const isWanted = (_: unknown, i: number): boolean => quantities[i]! > 0
  return plan({
    ...request,
    takePartial: true,
    lines: request.lines.map((line, i) => ({ ...line, quantity: quantities[i]! })).filter(isWanted),
    candidates: request.candidates.map((one) => ({ ...one, available: one.available.filter(isWanted) })),
  })
}

/** What each location has of an offer; where more is wanted than may be promised at all, together no more than that. */
function unitsOf(
  offer: Availability | undefined,
  wanted: number,
  mayGive: (location: number) => boolean,
): Map<number, number> {
  const units = new Map<number, number>()
  if (!offer) return units
  let left = wanted > offer.most ? offer.most : Number.POSITIVE_INFINITY
  for (const [location, atp] of offer.rows) {
    if (!mayGive(location)) continue
    const given = Math.min(atp, offer.most, left)
    units.set(location, given)
    left -= given
  }
  return units
}

/** Units of a line that a location is to send. */
export interface Assignment {
  location: number
  line: number
  quantity: number
}

const isExcluded = (order: Order, location: number): boolean =>
  order.excluded.some((exclusion) => exclusion.location === location)

/** What a partition says that it has. */
interface Told {
  order: string
  epoch: number
  offers: Availability[]
  reserved: Reserved[]
}

/** Units for which no stock is held yet. */
export const unmet = (line: Line): number =>
  line.units.length === 0 ? 0 : unitsIn(line, 'open') + unitsIn(line, 'backordered')

export const lineOf = (order: Order, number: number): Line => order.lines[number - 1]!

const releases = (lines: { allocation: number; sku: number }[]) =>
  lines.map(({ allocation, sku }) => ({ do: 'release', allocation, sku }) as const)

const lineList = (lines: Line[]): string =>
  `line${lines.length === 1 ? '' : 's'} ${lines.map(({ number }) => number).join(', ')}`

const allocatedDetail = (places: Places, holds: HoldLine[]): string =>
  [...new Set(holds.map(({ location }) => places.get(location)?.id ?? String(location)))].join(', ')

/** Where no plan has said so. */
function promiseOf(
  { calendar, country }: Place,
  destination: string,
  { transitDays }: ShippingService,
  timeMs: number,
): DeliveryPromise {
  const shipByMs = nextCutoff(calendar, timeMs)
  const days = country === destination ? transitDays.domestic : transitDays.foreign
  return { shipByMs, deliverByMs: afterWorkingDays(calendar, shipByMs, days) }
}

const newSaga = (phase: Saga['phase'], epoch: number, attempt: number): Saga => ({
  phase,
  epoch,
  attempt,
  waiting: [],
  offers: [],
  reserved: [],
  promises: [],
  days: [],
  holds: [],
  held: [],
  isRefused: false,
  command: 0,
  repeats: [],
})
