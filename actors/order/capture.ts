/**
 * Taking an order: who has it already, whether all its SKUs are known, what its lines are, what the business rules say of
 * it. Where something has to be asked of other partitions it is `validating` until they have answered; whoever sent it is
 * answered once it is taken or refused.
 */
import { LATER, type Step } from '../../engine/actors.js'
import type { Placement } from '../../engine/placement.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { readDocument, writeDocument } from '../documents.js'
import { conflict, created, full, ok } from '../outcomes.js'
import type { OpenOrders } from './open-orders.js'
import type { Availability, Order, Saga } from './order.js'
import { orderPartition } from './order-id.js'
import {
  cancelledTally,
  componentsOf,
  faultsOf,
  linesOf,
  newOrder,
  type OrderRequest,
  skusOf,
} from './order-request.js'
import type { OrderRules } from './order-rules.js'
import type { OrderSourcing } from './order-sourcing.js'
import type { OrderStore } from './order-store.js'
import type { Payments } from './payments.js'
import { newSaga } from './sagas.js'
import type { Settings } from './settings.js'
import type { StockDesk } from './stock-desk.js'
import { fire, note } from './transitions.js'

const MESSAGES_PER_ORDER = 64
/** Callers that wait for one order to be taken. */
const REPEATS_MAX = 64

export class Capture {
  constructor(
    private readonly store: Store,
    private readonly orders: OrderStore,
    private readonly open: OpenOrders,
    private readonly desk: StockDesk,
    private readonly rules: OrderRules,
    private readonly sourcing: OrderSourcing,
    private readonly payments: Payments,
    private readonly settings: Settings,
    private readonly placement: Placement,
    private readonly partition: number,
  ) {}

  place(step: Step, request: OrderRequest): Outcome {
    const known = this.orders.get(request.id)
    if (known) return this.repeat(step, known, request)
    if (!this.open.hasRoom) return full('open orders')
    if (!step.hasRoom(MESSAGES_PER_ORDER)) return full('messages to other partitions')
    const { home } = request
    if (home === undefined) return this.take(step, request)
    if (home === request.id) {
      const other = readDocument<string>(this.store, refKey(home))
      return other === undefined ? this.take(step, request) : ok({ order: other, moved: true })
    }
    const owner = orderPartition(home, this.placement.partitions)
    if (owner === this.partition) {
      const other = this.claim(home, request.id)
      return other === undefined ? this.take(step, request) : ok({ order: other, moved: true })
    }
    const order = newOrder(request, this.settings.orders, step.timeMs)
    order.saga = { ...newSaga('claiming', 0, 0), waiting: [owner], command: step.commandNumber }
    this.orders.add(order)
    writeDocument(this.store, requestKey(order.id), request)
    step.send(owner, 'order.claim', { home, id: request.id })
    return LATER
  }

  private repeat(step: Step, order: Order, request: OrderRequest): Outcome {
    const isSameName = request.externalId !== undefined && order.home === request.home
    if (!isSameName && order.fingerprint !== request.fingerprint) return conflict('This order id')
    const saga = this.orders.get(order.id)?.saga
    if (!saga || saga.command === 0) return ok({ order: order.id, replayed: true })
    // It is just being taken: whoever repeats it is answered with the first one.
    if (saga.repeats.length >= REPEATS_MAX) return full('repeats of one order')
    this.orders.change(order.id)!.saga!.repeats.push(step.commandNumber)
    return LATER
  }

  /** In the partition of the name: whose it is; undefined where it was free and is `id`'s now. */
  private claim(home: string, id: string): string | undefined {
    if (this.orders.get(home)) return home
    const other = readDocument<string>(this.store, refKey(home))
    if (other !== undefined && other !== id) return other
    writeDocument(this.store, refKey(home), id)
    return undefined
  }

  claimAsked(step: Step, from: number, { home, id }: { home: string; id: string }): void {
    step.send(from, 'order.claimed', { id, other: this.claim(home, id) ?? null })
  }

  /** An order that was refused gives its name back. */
  unclaim({ home, id }: { home: string; id: string }): void {
    if (readDocument<string>(this.store, refKey(home)) === id) this.store.delete(refKey(home))
  }

  claimed(step: Step, { id, other }: { id: string; other: string | null }): void {
    const order = this.orders.change(id)
    if (order?.saga?.phase !== 'claiming') return
    const request = readDocument<OrderRequest>(this.store, requestKey(id))!
    const { saga } = order
    if (other !== null) {
      this.forget(order)
      answerAll(step, saga, ok({ order: other, moved: true }))
      return
    }
    this.askForProducts(step, order, request, saga.command, saga.repeats)
  }

  private take(step: Step, request: OrderRequest): Outcome {
    const order = newOrder(request, this.settings.orders, step.timeMs)
    const skus = skusOf(request)
    if (skus.every((sku) => this.desk.isOwn(sku))) {
      const offers = skus.map((sku) => this.desk.availability(sku, order.channelIndex, order.id, step.timeMs))
      const kits = componentsOf(offers).filter((sku) => !skus.includes(sku))
      if (kits.every((sku) => this.desk.isOwn(sku))) {
        const components = kits.map((sku) => this.desk.availability(sku, order.channelIndex, order.id, step.timeMs))
        this.orders.add(order)
        return this.accept(step, order, request, [...offers, ...components], true)
      }
    }
    this.orders.add(order)
    writeDocument(this.store, requestKey(order.id), request)
    this.askForProducts(step, order, request, step.commandNumber)
    return LATER
  }

  private askForProducts(
    step: Step,
    order: Order,
    request: OrderRequest,
    command: number,
    repeats: number[] = [],
  ): void {
    order.epoch++
    order.saga = { ...newSaga('asking', 0, 0), epoch: order.epoch, command, repeats }
    this.ask(step, order, skusOf(request))
    if (order.saga.waiting.length === 0) this.productsKnown(step, order)
  }

  private ask(step: Step, order: Order, skus: number[]): void {
    const saga = order.saga!
    for (const sku of skus) {
      if (this.desk.isOwn(sku)) {
        saga.offers.push(this.desk.availability(sku, order.channelIndex, order.id, step.timeMs))
      }
    }
    const ask = { order: order.id, epoch: order.epoch, channel: order.channelIndex, skus, reservations: [] }
    saga.waiting = this.desk.ask(step, ask)
  }

  /** A partition has said what it has; true where that was for taking this order. */
  told(step: Step, from: number, body: { order: string; epoch: number; offers: Availability[] }): boolean {
    const saga = this.orders.get(body.order)?.saga
    if (!saga || saga.command === 0) return false
    if (saga.phase !== 'asking' || saga.epoch !== body.epoch || !saga.waiting.includes(from)) return true
    const order = this.orders.change(body.order)!
    order.saga!.offers.push(...body.offers)
    order.saga!.waiting = order.saga!.waiting.filter((other) => other !== from)
    if (order.saga!.waiting.length === 0) this.productsKnown(step, order)
    return true
  }

  private productsKnown(step: Step, order: Order): void {
    const saga = order.saga!
    const missing = componentsOf(saga.offers).filter((sku) => !saga.offers.some((offer) => offer.sku === sku))
    if (missing.length > 0) {
      this.ask(step, order, missing)
      if (saga.waiting.length > 0) return
    }
    const request = readDocument<OrderRequest>(this.store, requestKey(order.id))!
    delete order.saga
    this.store.delete(requestKey(order.id))
    answerAll(step, saga, this.accept(step, order, request, saga.offers))
  }

  private forget(order: Order): void {
    this.store.delete(requestKey(order.id))
    this.orders.remove(order)
  }

  /** All that has to be known is known: the order is taken, or refused with everything that is wrong. */
  private accept(step: Step, order: Order, request: OrderRequest, offers: Availability[], areFresh = false): Outcome {
    const bySku = new Map(offers.map((offer) => [offer.sku, offer]))
    const unknown = request.holdsUnknown && request.lines.some(({ sku }) => !bySku.get(sku)?.product)
    const faults = faultsOf(request, bySku)
    if (faults) {
      this.forget(order)
      const { home, id } = request
      if (home !== undefined && home !== id) {
        const owner = orderPartition(home, this.placement.partitions)
        if (owner === this.partition) this.unclaim({ home, id })
        else step.send(owner, 'order.unclaim', { home, id })
      }
      return faults
    }
    order.lines = linesOf(request, bySku)
    note(order, step.timeMs, 'order.received', request.by, request.channel)
    const decision = this.rules.apply(step, order, offers, request.score)
    fire(order, 'ACCEPT')
    step.publish('order.received', `order/${order.id}`, {
      order: order.id,
      channel: order.channel,
      ...(order.externalId === undefined ? {} : { externalId: order.externalId }),
    })
    this.takePayment(step, order, request)
    if (decision.reject !== undefined) {
      for (const line of order.lines) if (line.units.length > 0) line.units = cancelledTally(line)
      note(order, step.timeMs, 'order.rejected', 'rules', decision.reject)
      fire(order, 'REJECT')
      this.payments.cancelled(order)
      return created({ order: order.id })
    }
    const holds = [
      ...(unknown ? ['unknown_sku'] : []),
      ...decision.holds,
      ...decision.review.map((reason) => `review: ${reason}`),
    ]
    if (request.score >= this.settings.orders.fraudThreshold) {
      holds.push(`fraud: ${request.scoreReasons.join(', ') || `score ${request.score}`}`)
    }
    for (const reason of new Set(holds)) {
      order.holds.push({ reason, by: 'rules', sinceMs: step.timeMs })
      note(order, step.timeMs, 'order.on_hold', 'rules', reason)
      fire(order, 'HOLD')
    }
    this.payments.begin(order)
    this.sourcing.begin(step, order, areFresh ? offers : [])
    return created({ order: order.id })
  }

  private takePayment(step: Step, order: Order, { payment, by }: OrderRequest): void {
    if (!payment) return
    order.payment = {
      provider: payment.provider,
      amount: payment.amount,
      reference: payment.reference,
      authorized: 0,
      captured: 0,
      requested: 0,
      refunded: 0,
      refundRequested: 0,
    }
    if (payment.status === 'pending') fire(order, 'PAYMENT_DUE')
    else {
      this.payments.happened(step, order, {
        event: payment.status,
        amount: payment.amount,
        reference: payment.reference,
        by,
      })
    }
  }
}

const refKey = (home: string): string => `order-ref/${home}`
const requestKey = (id: string): string => `order-request/${id}`

/** Whoever repeated it meanwhile gets the same, as one that was there already. */
function answerAll(step: Step, { command, repeats }: Saga, outcome: Outcome): void {
  step.answer(command, outcome)
  const again = outcome.status === 201 ? ok({ ...(outcome.body as object), replayed: true }) : outcome
  for (const waiting of repeats) step.answer(waiting, again)
}
