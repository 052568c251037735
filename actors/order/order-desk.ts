/** The orders of a partition, put together: commands, messages between partitions, queries, timers. */
import type { ActorsContext, Step } from '../../engine/actors.js'
import type { KeyedHash } from '../../engine/hash-index.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Catalog } from '../catalog/catalog.js'
import { Allocations } from '../inventory/allocations.js'
import { Availabilities } from '../inventory/availabilities.js'
import type { Inventory } from '../inventory/inventory.js'
import type { Supply } from '../inventory/supply.js'
import { Transfers } from '../inventory/transfers.js'
import { type Waiter, Waiting } from '../inventory/waiting.js'
import { Waitlist } from '../inventory/waitlist.js'
import { Watch } from '../inventory/watch.js'
import { COMMANDS_REMEMBERED } from '../limits.js'
import { full, ok } from '../outcomes.js'
import type { Replication } from '../replication.js'
import { Receipts } from '../return/receipts.js'
import { type ReturnRequest, ReturnRequests } from '../return/return-requests.js'
import { type ReturnCommand, Returns } from '../return/returns.js'
import { Settlement } from '../return/settlement.js'
import type { Rule } from '../rules/rule.js'
import { Capacity } from './capacity.js'
import { Capture } from './capture.js'
import { unknownOrder, type Wish } from './changeable.js'
import { ExceptionBook } from './exceptions.js'
import { FulfillmentMaker } from './fulfillment-maker.js'
import { type FulfillmentCommand, Fulfillments } from './fulfillments.js'
import { unitsIn } from './lines.js'
import { DueWork, Monitor } from './monitor.js'
import { OpenOrders } from './open-orders.js'
import type { Availability, Fulfillment } from './order.js'
import { type CancelWish, OrderChanges, type ReviseWish } from './order-changes.js'
import { orderPartition } from './order-id.js'
import type { OrderRequest } from './order-request.js'
import { OrderRules } from './order-rules.js'
import { OrderSourcing } from './order-sourcing.js'
import { OrderStore } from './order-store.js'
import { OrderViews } from './order-views.js'
import { Orders, type TrackingNote } from './orders.js'
import { Payments } from './payments.js'
import { type OrderSettings, Settings } from './settings.js'
import { Shortfall } from './shortfall.js'
import { SourcingRequests } from './sourcing-request.js'
import { type AvailabilityAsk, type HoldAsk, StockDesk, type WaitingChange } from './stock-desk.js'
import { invalidTransition } from './transitions.js'

type Body<T> = T extends (step: Step, body: infer B) => unknown ? B : never

export class OrderDesk {
  readonly orders: OrderStore
  readonly open: OpenOrders
  readonly waiting: Waiting
  readonly watch: Watch
  readonly settings: Settings
  readonly rules: OrderRules
  readonly capacity: Capacity
  private readonly capture: Capture
  private readonly changes: OrderChanges
  private readonly work: Orders
  private readonly sourcing: OrderSourcing
  private readonly fulfillments: Fulfillments
  readonly payments: Payments
  private readonly exceptions: ExceptionBook
  private readonly desk: StockDesk
  private readonly due: DueWork
  private readonly views: OrderViews
  private readonly transfers: Transfers
  readonly waitlist: Waitlist
  private readonly returnRequests: ReturnRequests
  private readonly returns: Returns

  constructor(
    private readonly context: ActorsContext,
    hash: KeyedHash,
    catalog: Catalog,
    inventory: Inventory,
    supply: Supply,
    private readonly replication: Replication,
  ) {
    const { store, placement, partition } = context
    const { places } = catalog
    this.settings = new Settings(store)
    this.exceptions = new ExceptionBook(this.settings)
    const monitor = new Monitor(
      this.settings,
      places,
      this.exceptions,
      (order, timeMs) =>
        order.lines.some((line) => line.units.length > 0 && unitsIn(line, 'open') > 0) &&
        this.sourcing.isDue(order, timeMs),
    )
    this.open = new OpenOrders(store, hash)
    this.orders = new OrderStore(store, this.open, (order, timeMs) => monitor.nextMs(order, timeMs))
    this.waiting = new Waiting(store, inventory.stock, placement)
    this.capacity = new Capacity(store, placement, partition)
    const allocations = new Allocations(inventory, placement)
    this.transfers = new Transfers(
      store,
      allocations,
      supply,
      inventory.locations,
      () => this.orders.nextAllocation(),
      partition,
    )
    this.waitlist = new Waitlist(store, inventory, this.waiting)
    const availabilities = new Availabilities(catalog, inventory, supply, this.waiting, placement)
    this.desk = new StockDesk(availabilities, allocations, this.waiting, placement, partition)
    this.payments = new Payments(store)
    const shortfall = new Shortfall(this.desk, places, this.exceptions, this.payments)
    this.sourcing = new OrderSourcing(
      this.orders,
      this.desk,
      places,
      this.capacity,
      new SourcingRequests(places, this.capacity, this.settings),
      new FulfillmentMaker(places, this.capacity, this.settings),
      shortfall,
      this.exceptions,
      partition,
    )
    this.rules = new OrderRules(store, places)
    this.capture = new Capture(
      store,
      this.orders,
      this.open,
      this.desk,
      this.rules,
      this.sourcing,
      this.payments,
      this.settings,
      placement,
      partition,
    )
    this.changes = new OrderChanges(
      this.orders,
      this.desk,
      this.sourcing,
      shortfall,
      this.capacity,
      this.payments,
      this.exceptions,
    )
    this.work = new Orders(this.orders, this.desk, this.sourcing, this.payments, this.exceptions)
    this.fulfillments = new Fulfillments(
      this.orders,
      this.desk,
      this.sourcing,
      this.capacity,
      this.exceptions,
      this.payments,
      this.settings,
    )
    const settlement = new Settlement(this.payments, this.settings)
    this.returnRequests = new ReturnRequests(store, this.orders, this.settings)
    this.returns = new Returns(
      this.orders,
      new Receipts(this.desk, this.exceptions, settlement, this.settings),
      settlement,
    )
    this.due = new DueWork(this.orders, this.settings, places, this.exceptions, this.sourcing, this.fulfillments)
    this.views = new OrderViews(store, this.orders)
    this.watch = new Watch(store, inventory.stock, this.waiting, placement, partition, (step, sku, waiter) =>
      this.serve(step, sku, waiter),
    )
    this.desk.onRefused = (step, order) => this.work.waitingRefused(step, order)
    this.desk.onAvailable = (sku) => this.watch.serveAgain(sku)
    this.orders.onStatus = (step, order, before, after) => {
      // That it was received is told when it is taken, whatever becomes of it in the same step.
      const isNew = before === undefined || before === 'validating'
      if (after === 'validating' || (isNew && after === 'received')) return
      step.publish(`order.${after}`, `order/${order.id}`, {
        order: order.id,
        channel: order.channel,
        ...(order.externalId === undefined ? {} : { externalId: order.externalId }),
        status: after,
        ...(before === undefined ? {} : { before }),
      })
    }
  }

  /** Stock has come for who waits: an order tries again where it lives, a customer gets a reservation. */
  private serve(step: Step, sku: number, waiter: Waiter): void {
    if (waiter.kind === 'customer') {
      this.waitlist.serve(step, waiter.id)
      this.waiting.hasAnswered(sku, waiter.id)
      return
    }
    const owner = orderPartition(waiter.id, this.context.placement.partitions)
    const wake = { id: waiter.id, sku }
    if (owner === this.context.partition) this.work.wake(step, wake)
    else step.send(owner, 'order.wake', wake)
  }

  readonly commands = {
    'order.place': (step: Step, body: OrderRequest) => this.capture.place(step, body),
    'order.placeMany': (step: Step, body: { orders: OrderRequest[] }) =>
      ok({ results: body.orders.map((order) => this.placeOne(step, order)) }),
    'order.hold': this.once((step, body: Wish) => this.work.hold(step, body)),
    'order.resume': this.once((step, body: Wish) => this.work.resume(step, body)),
    'order.cancel': this.once((step, body: CancelWish) => this.changes.cancel(step, body)),
    'order.revise': this.once((step, body: ReviseWish) => this.changes.revise(step, body)),
    'order.release': this.once((step, body: Wish) => this.work.release(step, body)),
    'order.source': this.once((step, body: Wish) => this.work.sourceAgain(step, body)),
    'order.credit': this.once((step, body: Wish & { amount: number }) => this.work.credit(step, body)),
    'order.forget': (step: Step, body: Wish) => this.work.forget(step, body),
    'order.payment': this.once((step, body: Body<Orders['pay']>) => this.work.pay(step, body)),
    'payment.done': (step: Step, body: Body<Orders['paid']>) => this.work.paid(step, body),
    'fulfillment.advance': (step: Step, body: FulfillmentCommand) => this.fulfillments.advance(step, body),
    'fulfillment.advanceMany': (step: Step, body: { commands: FulfillmentCommand[] }) =>
      ok({ results: body.commands.map((command) => this.advanceOne(step, command)) }),
    'return.request': (step: Step, body: ReturnRequest) => this.returnRequests.request(step, body),
    'return.advance': (step: Step, body: ReturnCommand) => this.returns.advance(step, body),
    'return.exchanged': (step: Step, body: Body<Returns['exchanged']>) => this.returns.exchanged(step, body),
    'tracking.note': (step: Step, body: TrackingNote) => this.work.trackingNoted(step, body),
    'exception.update': (step: Step, body: Body<Orders['handleException']>) => this.work.handleException(step, body),
    'order.reassign': (step: Step, body: Reassignment) => this.reassign(step, body),
    'transfer.create': (step: Step, body: Parameters<Transfers['create']>[1]) => this.transfers.create(step, body),
    'transfer.ship': (step: Step, body: { id: string }) => this.transfers.ship(step, body.id),
    'transfer.receive': (step: Step, body: { id: string; quantity: number; receipt: string }) =>
      this.transfers.receive(step, body.id, body.quantity, body.receipt),
    'transfer.cancel': (step: Step, body: { id: string }) => this.transfers.cancel(step, body.id),
    'waitlist.join': (step: Step, body: Parameters<Waitlist['join']>[1]) => this.waitlist.join(step, body),
    'waitlist.leave': (_step: Step, body: { id: string }) => this.waitlist.leave(body.id),
    'waitlist.forget': (_step: Step, body: { id: string }) => this.waitlist.forget(body.id),
    'rule.put': (step: Step, body: Rule) => this.putRule(step, body),
    'settings.put': (step: Step, body: OrderSettings) => this.putSettings(step, body),
  }

  /** A command that is carried out once for its key, also where its answer was lost with the server. */
  private once<B extends { id: string; key?: string }>(run: (step: Step, body: B) => Outcome) {
    return (step: Step, body: B): Outcome => {
      const { id, key } = body
      if (key === undefined) return run(step, body)
      if (this.orders.get(id)?.commands?.includes(key)) return ok({ order: id })
      const outcome = run(step, body)
      const order = outcome.status < 300 ? this.orders.change(id) : undefined
      if (order) order.commands = [...(order.commands ?? []), key].slice(-COMMANDS_REMEMBERED)
      return outcome
    }
  }

  /** One of many: what it changed is settled before the next one comes. */
  private placeOne(step: Step, request: OrderRequest): Outcome {
    const outcome = this.capture.place(step, request)
    this.orders.commit(step)
    return outcome.status === 0 ? { status: 202, body: { order: request.id } } : outcome
  }

  private advanceOne(step: Step, command: FulfillmentCommand): Outcome {
    const outcome = this.fulfillments.advance(step, command)
    this.orders.commit(step)
    return outcome
  }

  readonly messages = {
    'order.claim': (step: Step, body: { home: string; id: string }, from: number) =>
      this.capture.claimAsked(step, from, body),
    'order.claimed': (step: Step, body: { id: string; other: string | null }) => this.capture.claimed(step, body),
    'order.unclaim': (_step: Step, body: { home: string; id: string }) => this.capture.unclaim(body),
    'order.wake': (step: Step, body: { id: string; sku: number }) => this.work.wake(step, body),
    'availability.ask': (step: Step, body: AvailabilityAsk, from: number) => this.desk.asked(step, from, body),
    'availability.told': (step: Step, body: Parameters<OrderSourcing['told']>[2], from: number) => {
      if (!this.capture.told(step, from, body)) this.sourcing.told(step, from, body)
    },
    'allocation.hold': (step: Step, body: HoldAsk, from: number) => this.desk.holdAsked(step, from, body),
    'allocation.held': (step: Step, body: Parameters<OrderSourcing['heldOrNot']>[2], from: number) =>
      this.sourcing.heldOrNot(step, from, body),
    'allocation.change': (step: Step, body: Parameters<StockDesk['changed']>[2], from: number) =>
      this.desk.changed(step, from, body),
    'allocation.lost': (step: Step, body: { order: string; allocations: number[] }) => this.sourcing.lost(step, body),
    'waiting.answered': (_step: Step, body: { sku: number; order: string }) => this.desk.answered(body),
    'waiting.refused': (step: Step, body: { order: string }) => this.work.waitingRefused(step, body.order),
    'waiting.change': (step: Step, body: WaitingChange) => this.desk.waitTold(step, body),
    'rule.put': (step: Step, body: { rule: Rule; replication: number }) => {
      this.rules.put(body.rule)
      this.replication.told(step, body)
    },
    'settings.put': (step: Step, body: { settings: OrderSettings; replication: number }) => {
      this.settings.put(body.settings)
      this.replication.told(step, body)
    },
  }

  readonly queries = {
    'order.get': (body: { id: string }) => this.views.get(body.id),
    'order.list': (body: Parameters<OrderViews['list']>[0]) => this.views.list(body),
    'order.counts': () => this.views.counts(),
    'fulfillment.list': (body: Parameters<OrderViews['fulfillments']>[0]) => this.views.fulfillments(body),
    'return.find': (body: { id: string }) => this.returnRequests.find(body.id),
    'return.list': (body: Parameters<OrderViews['returns']>[0]) => this.views.returns(body),
    'exception.list': (body: Parameters<OrderViews['exceptions']>[0]) => this.views.exceptions(body),
    'rule.list': () => ok({ items: this.rules.list() }),
    'rule.try': (body: { rules: Rule[]; orders: string[] | null; limit: number }, timeMs: number) =>
      this.tryRules(body, timeMs),
    'settings.get': () => ok(this.settings.orders),
    'payment.tasks': (body: { limit: number }) => ok({ items: this.payments.queue(body.limit) }),
    'transfer.get': (body: { id: string }) => this.transfers.get(body.id),
    'waitlist.get': (body: { id: string }) => this.waitlist.get(body.id),
    'waitlist.ofCustomer': (body: Parameters<Waitlist['ofCustomer']>[0]) => this.waitlist.ofCustomer(body),
    'availability.get': (body: { skus: number[]; channel?: number }, timeMs: number) =>
      ok({ items: body.skus.map((sku) => this.desk.availability(sku, body.channel ?? 0, '', timeMs)) }),
    'order.request': (body: { id: string; number?: number; offers: Availability[] }, timeMs: number) =>
      this.requestIfTakenBack(body, timeMs),
    'waiting.list': (body: { sku: number }) => ok({ items: this.waiting.list(body.sku) }),
  }

  /** What rules would decide over past orders, given the stock of now. */
  private tryRules(
    { rules, orders, limit }: { rules: Rule[]; orders: string[] | null; limit: number },
    timeMs: number,
  ) {
    const ids = orders ?? this.views.latest(limit)
    const items = ids.slice(0, limit).flatMap((id) => {
      const order = this.orders.get(id)
      if (!order) return []
      const offers = [...new Set(order.lines.map(({ sku }) => sku))].flatMap((sku) =>
        this.desk.isOwn(sku) ? [this.desk.availability(sku, order.channelIndex, id, timeMs)] : [],
      )
      return [{ order: id, ...this.rules.wouldDecide(rules, order, offers, order.placedMs) }]
    })
    return ok({ items })
  }

  /** What sourcing would be asked if a fulfillment order were taken back: for those who plan many orders together. */
  private requestIfTakenBack(
    { id, number, offers }: { id: string; number?: number; offers: Availability[] },
    timeMs: number,
  ): Outcome {
    const order = this.orders.get(id)
    if (!order) return unknownOrder(id)
    const fulfillment = number === undefined ? undefined : order.fulfillments[number - 1]
    if (number !== undefined && !(fulfillment && isUnbegun(fulfillment))) return ok({ request: null })
    return ok({ request: this.sourcing.requestWithout(order, fulfillment, offers, timeMs) })
  }

  /** Takes a fulfillment order back that was not begun, or what waits, and places it as was planned; else as it finds best. */
  private reassign(step: Step, { id, number, reason, by, assignments }: Reassignment): Outcome {
    const order = this.orders.change(id)
    if (!order) return unknownOrder(id)
    if (number !== undefined) {
      const fulfillment = order.fulfillments[number - 1]
      if (!fulfillment || !isUnbegun(fulfillment)) {
        return invalidTransition(
          `Fulfillment ${id}-${number} is not one that nobody has begun.`,
          fulfillment?.status ?? '',
          [],
        )
      }
      order.excluded.push({ location: fulfillment.location, reason })
      this.fulfillments.takeBack(step, order, fulfillment, reason, by)
    }
    this.sourcing.beginWith(step, order, assignments)
    return ok({ order: id })
  }

  private putRule(step: Step, rule: Rule): Outcome {
    if (!step.hasRoom(this.replication.others)) return full('messages to other partitions')
    if (!this.rules.hasRoom && !this.rules.list().some(({ id }) => id === rule.id)) return full('rules')
    const version = (this.rules.list().find(({ id }) => id === rule.id)?.version ?? 0) + 1
    const put = { ...rule, version }
    this.rules.put(put)
    return this.replication.tell(step, step.commandNumber, 'rule.put', { rule: put }, ok(put))
  }

  private putSettings(step: Step, settings: OrderSettings): Outcome {
    if (!step.hasRoom(this.replication.others)) return full('messages to other partitions')
    this.settings.put(settings)
    return this.replication.tell(step, step.commandNumber, 'settings.put', { settings }, ok(settings))
  }

  isDue(timeMs: number): boolean {
    return this.watch.isServing || this.open.timers.isDue(timeMs)
  }

  advance(step: Step, max: number): void {
    this.open.timers.advance(step.timeMs, Math.ceil(max / TIMER_COST), (record) => {
      this.due.run(step, this.open.idOf(record))
      this.orders.commit(step)
    })
    this.watch.serve(step)
  }

  /** After each command: what it has changed is settled, and who waits for the stock that it moved is taken note of. */
  afterStep(step: Step): void {
    this.orders.commit(step)
    this.watch.afterStep(step)
  }

  rebuild(): void {
    this.open.rebuild()
    this.settings.rebuild()
    this.rules.rebuild()
    this.watch.rebuild()
  }
}

export interface Reassignment {
  id: string
  /** None: what is open or waits. */
  number?: number
  reason: string
  by: string
  assignments: { location: number; line: number; quantity: number }[]
}

const isUnbegun = ({ status }: Fulfillment): boolean => status === 'pending' || status === 'accepted'

/** An order that is due costs as much as so many reservations that end. */
const TIMER_COST = 32
