/** What buyers and the channels do to orders, and what their orders have to cost. */
import { expect } from 'vitest'
import type { Outcome } from '../../../engine/protocol.js'
import type { Order, Totals } from '../order.js'
import type { OrderRequest } from '../order-request.js'
import type { PaymentTask } from '../payments.js'
import { ADDRESS, CHANNELS, CUSTOMERS, priceOf, SEALED } from './goods.contract.js'
import type { Move, PlaceMove, WishedLine } from './moves.contract.js'
import type { World } from './world.contract.js'

export interface Placed {
  request: OrderRequest
  totals: Totals
  /** Whether somebody outside has said what happened to its money. */
  isPaidOutside: boolean
}

/** What an order has that is not a buyer's wish. */
interface OwnTerms {
  id?: string | undefined
  price?: number | undefined
}

export class Buyers {
  readonly placed = new Map<string, Placed>()

  constructor(private readonly world: World) {}

  /** Places an order of these lines, as usual but for what `over` says; its id. */
  take(lines: WishedLine[], over: Partial<PlaceMove> = {}): string {
    const request = this.request(lines, over)
    this.world.send(this.world.partitionOf(request.id), 'order.place', request)
    return request.id
  }

  /** An order that is not sent yet. */
  request(lines: WishedLine[], over: Partial<PlaceMove> = {}, own: OwnTerms = {}): OrderRequest {
    return this.requestOf(
      {
        do: 'place',
        lines: lines.map(({ sku, quantity, substitute }) => ({ sku, quantity, substitute })),
        allowSplit: true,
        allowPartial: false,
        allowBackorder: false,
        pickup: undefined,
        channel: 0,
        customer: 0,
        externalId: undefined,
        payment: 'none',
        isOurs: false,
        priority: 5,
        score: 0,
        ...over,
      },
      own,
    )
  }

  /** Places an order; its id. */
  place(move: PlaceMove): string {
    const request = this.requestOf(move)
    this.world.send(this.world.partitionOf(request.id), 'order.place', request)
    return request.id
  }

  private requestOf(move: PlaceMove, own: OwnTerms = {}): OrderRequest {
    const id = own.id ?? this.world.newId('o')
    const channel = CHANNELS[move.channel]!
    const lines = move.lines.map(({ sku, quantity, substitute }) => ({
      sku,
      quantity,
      unitPrice: own.price ?? priceOf(sku),
      discount: 0,
      taxes: [],
      ...(substitute === undefined ? {} : { substitutes: [substitute] }),
    }))
    const subtotal = lines.reduce((sum, { unitPrice, quantity }) => sum + unitPrice * quantity, 0)
    const totals: Totals = { subtotal, discount: 0, shipping: 5_000, tax: 0, total: subtotal + 5_000 }
    const customer = CUSTOMERS[move.customer]!
    const { pickup, payment, externalId, allowSplit, allowPartial, allowBackorder, priority, score, shipHours } = move
    const home = externalId === undefined ? undefined : `h-${channel}-${externalId}`
    const request: OrderRequest = {
      // A channel's own id gives the order its id, unless the caller has named one.
      id: home !== undefined && move.isOurs ? home : id,
      ...(home === undefined ? {} : { home, externalId: String(externalId) }),
      fingerprint: JSON.stringify(move),
      channel,
      channelIndex: move.channel,
      currency: 'GBP',
      customer: { person: customer, sealed: SEALED, keys: [customer, `${customer}@`], id: customer },
      search: ['york', customer],
      shipTo: ADDRESS,
      delivery: pickup === undefined ? { method: 'ship' } : { method: 'pickup', location: pickup },
      lines,
      totals,
      ...(payment === 'none'
        ? {}
        : {
            payment: {
              status: payment,
              amount: totals.total,
              reference: `p-${id}`,
              provider: move.isOurs ? 'builtin' : 'elsewhere',
            },
          }),
      allowSplit,
      allowBackorder,
      allowPartial,
      priority,
      score,
      scoreReasons: [],
      by: 'buyer',
      ...(shipHours === undefined ? {} : { shipByMs: this.world.timeMs + shipHours * 3_600_000 }),
    }
    // What was refused before under this id has left nothing behind.
    if (!this.world.order(request.id)) {
      this.placed.set(request.id, { request, totals: { ...totals }, isPaidOutside: false })
    }
    return request
  }

  placeAgain(which: number, isOther: boolean): void {
    const all = [...this.placed.values()]
    if (all.length === 0) return
    const { request } = all.at(-1 - (which % all.length))!
    const again = isOther ? { ...request, fingerprint: 'another' } : request
    this.world.send(this.world.partitionOf(request.id), 'order.place', again)
  }

  /** An order, counted from the latest; undefined where there is none. */
  pick(which: number): Order | undefined {
    const ids = [...this.placed.keys()]
    const id = ids.at(-1 - (which % Math.max(1, ids.length)))
    return id === undefined ? undefined : this.world.order(id)
  }

  /** An order of which something was sent, counted from the latest; any, where there is none. */
  pickSent(which: number): Order | undefined {
    const sent = [...this.placed.keys()].flatMap((id) => {
      const order = this.world.order(id)
      return order?.lines.some(({ units }) => (units[4] ?? 0) + (units[5] ?? 0) > 0) ? [order] : []
    })
    return sent.at(-1 - (which % Math.max(1, sent.length))) ?? this.pick(which)
  }

  credit(which: number, amount: number): void {
    const order = this.pickSent(which)
    if (order) this.tell(order.id, 'order.credit', { reason: 'sorry', amount })
  }

  /** Does something to an order by its id. */
  tell(id: string, name: string, body: object): Outcome | undefined {
    return this.world.send(this.world.partitionOf(id), name, { id, by: 'staff', reason: 'told so', ...body })
  }

  toOrder(which: number, name: string, body: object): Outcome | undefined {
    const order = this.pick(which)
    if (!order) return undefined
    return this.world.send(this.world.partitionOf(order.id), name, { id: order.id, by: 'staff', ...body })
  }

  cancel({ which, lines }: Extract<Move, { do: 'cancel' }>): void {
    const order = this.pick(which)
    if (!order) return
    const at = (i: number) => order.lines[i % Math.max(1, order.lines.length)]
    const wanted = lines?.map(({ by, at: i, quantity }) =>
      by === 'line' ? { line: at(i)?.number ?? 1, quantity } : { sku: at(i)?.sku ?? 0, quantity },
    )
    const before = order.lines.map(({ units }) => units[6] ?? 0)
    const outcome = this.toOrder(which, 'order.cancel', {
      reason: 'changed mind',
      ...(wanted ? { lines: wanted } : {}),
    })
    if (outcome?.status !== 200) return
    const units = this.world.order(order.id)!.lines.reduce((sum, line, i) => sum + (line.units[6] ?? 0) - before[i]!, 0)
    const asked = wanted?.reduce((sum, { quantity }) => sum + quantity, 0) ?? 1
    expect(units, 'units cancelled by a cancellation that was carried out').toBeGreaterThanOrEqual(asked)
  }

  revise({ which, line, quantity, moves, adds }: Extract<Move, { do: 'revise' }>): void {
    const order = this.pick(which)
    if (!order || order.lines.length === 0) return
    const placed = this.placed.get(order.id)!
    const changed = order.lines[line % order.lines.length]!
    const totals = { ...placed.totals, tax: placed.totals.tax + 1, total: placed.totals.total + 1 }
    const terms = { sku: adds ?? 0, quantity: 2, unitPrice: 10_000, discount: 0, taxes: [] }
    const outcome = this.toOrder(which, 'order.revise', {
      ...(moves ? { shipTo: { ...ADDRESS, city: 'Leeds', latitude: 53 } } : {}),
      lines: [{ line: changed.number, quantity }, ...(adds === undefined ? [] : [{ quantity: 2, terms }])],
      totals,
    })
    if (outcome?.status !== 200) return
    placed.totals = totals
    const after = this.world.order(order.id)!.lines[changed.number - 1]!
    const live = after.quantity - after.units[6]!
    // What could not be had after all may be gone from it already.
    expect(live, 'units of a line after it was changed').toBeLessThanOrEqual(quantity)
  }

  pay({ which, event, amount }: Extract<Move, { do: 'pay' }>): void {
    const order = this.pick(which)
    if (!order) return
    const outcome = this.toOrder(which, 'order.payment', { event, amount, reference: 'told' })
    if (outcome?.status === 200) this.placed.get(order.id)!.isPaidOutside = true
  }

  provide({ which, done }: Extract<Move, { do: 'provide' }>): void {
    const tasks = this.world.partitions.flatMap((driven, partition) =>
      (driven.query(this.world.timeMs, 'payment.tasks', { limit: 50 }).body as { items: PaymentTask[] }).items.map(
        (asked) => ({ ...asked, partition }),
      ),
    )
    const task = tasks[which % Math.max(1, tasks.length)]
    if (!task) return
    // Nothing is given back that was not taken.
    const { captured, refunded } = this.world.order(task.order)!.payment!
    const isThere = task.action !== 'refund' || captured - refunded >= task.amount
    const answer = { key: task.key, done: done && isThere, reference: 'r', detail: 'no' }
    this.world.send(task.partition, 'payment.done', answer)
  }
}
