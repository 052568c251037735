/**
 * A retailer in one thread: one or several partitions and the network between them, in an order that the test chooses.
 * Everything that can happen to orders happens; beside it a small ledger says what stock and money have to be. What must
 * hold is in order-invariants.contract.ts.
 */
import fc from 'fast-check'
import { expect } from 'vitest'
import { copyOf, DrivenPartition, differences, type Entry } from '../../engine/driven-partition.contract.js'
import { Placement } from '../../engine/placement.js'
import type { EngineEvent, Outcome } from '../../engine/protocol.js'
import { decodeDocument } from '../documents.js'
import { command } from '../inventory/inventory-sequences.contract.js'
import type { StockView } from '../inventory/views.js'
import { createActors, RetailActors } from '../main.js'
import type { OrderRequest } from './capture.js'
import type { FulfillmentAction, FulfillmentCommand } from './fulfillments.js'
import { fulfillmentTable } from './machines.js'
import type { Fulfillment, Order, Totals } from './order.js'
import { orderPartition } from './order-id.js'
import type { PaymentEvent, PaymentTask } from './payments.js'
import { DEFAULT_SETTINGS } from './settings.js'

/** Plain, plain with backorder, plain, backorder; kits of the first two and of the others. */
export const SKUS = [0, 1, 2, 3, 4, 5] as const
const BACKORDER = [1, 3]
const KITS: Record<number, { sku: number; quantity: number }[]> = {
  4: [
    { sku: 0, quantity: 1 },
    { sku: 1, quantity: 2 },
  ],
  5: [
    { sku: 2, quantity: 2 },
    { sku: 3, quantity: 1 },
  ],
}
export const LOCATIONS = [0, 1, 2, 3] as const
const CAPACITY = [1_000, 5, 1_000, 2]
/** Locations whose days are never full. */
export const ROOMY = [0, 2]
export const CHANNELS = ['web', 'shop', 'phone'] as const
export const CUSTOMERS = ['ann', 'bob', 'cid'] as const
const START_MS = 1_700_000_000_000
const HOUR_MS = 3_600_000
/** Holds live for a quarter of an hour: who waits longer lets messages arrive first. */
const HOLD_MS = 900_000
const SEALED = new Uint8Array([1, 2, 3])
const ADDRESS = { city: 'York', postalCode: 'YO1', country: 'GB', latitude: 54, longitude: -1, sealed: SEALED }

/** What may be refused, and how. */
const REFUSALS = [
  'invalid_transition',
  'not_cancellable',
  'on_hold',
  'not_picked',
  'not_to_pick',
  'picked_too_many',
  'wrong_location',
  'unknown_order',
  'unknown_sku',
  'unknown_supply',
  'unknown_exception',
  'unknown_fulfillment',
  'conflict',
  'credit_too_large',
  'refund_too_large',
  'invalid',
  'new_line_elsewhere',
  'new_kit',
  'overloaded',
]

interface LineWish {
  sku: number
  quantity: number
  substitute: number | undefined
}

type WishedLine = { sku: number; quantity: number; substitute?: number }

interface PlaceMove {
  do: 'place'
  lines: LineWish[]
  allowSplit: boolean
  allowPartial: boolean
  allowBackorder: boolean
  pickup: number | undefined
  channel: number
  customer: number
  externalId: number | undefined
  payment: 'none' | 'pending' | 'authorized' | 'captured'
  isOurs: boolean
  priority: number
  score: number
}

export type Move =
  | PlaceMove
  /** An order sent before: as it was, or another one under its id. */
  | { do: 'place again'; which: number; isOther: boolean }
  | { do: 'cancel'; which: number; lines: { by: 'line' | 'sku'; at: number; quantity: number }[] | undefined }
  | { do: 'hold' | 'resume' | 'release' | 'source'; which: number }
  | { do: 'credit'; which: number; amount: number }
  | { do: 'revise'; which: number; line: number; quantity: number; moves: boolean; adds: number | undefined }
  | { do: 'pay'; which: number; event: PaymentEvent; amount: number }
  /** The payment provider does, or refuses, what it was asked for. */
  | { do: 'provide'; which: number; done: boolean }
  /** What a fulfillment order needs next, or `action` whether it may be or not. */
  | {
      do: 'work'
      which: number
      action: FulfillmentAction | 'next'
      found: number
      reason: string
      elsewhere: boolean
      only: boolean
      /** So often, where it is what is needed next. */
      times: number
    }
  | { do: 'exception'; which: number; action: 'acknowledge' | 'resolve' }
  /** Whatever was sent before, word for word. */
  | { do: 'again'; which: number }
  | { do: 'count'; sku: number; location: number; onHand: number; safetyStock: number }
  | { do: 'adjust'; sku: number; location: number; delta: number }
  | { do: 'announce'; sku: number; location: number; quantity: number }
  | { do: 'receive'; which: number; quantity: number }
  | { do: 'location'; location: number; active: boolean; priority: number }
  | { do: 'pass'; ms: number }
  | { do: 'settle' }
  | { do: 'deliver'; link: number; back: number; count: number }
  | { do: 'acknowledge'; link: number; back: number }
  | { do: 'crash'; partition: number }
  | { do: 'checkpoint'; partition: number; slices: number }

const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const which = fc.nat(30)
const sku = oneOf<number>(...SKUS)
const location = oneOf<number>(...LOCATIONS)
const maybe = <T>(value: fc.Arbitrary<T>, never = 3): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: never, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })

const wish: fc.Arbitrary<LineWish> = fc.record({
  sku: fc.oneof({ weight: 30, arbitrary: sku }, { weight: 1, arbitrary: oneOf(77) }),
  quantity: oneOf(1, 1, 1, 2, 3, 5, 9),
  substitute: maybe(oneOf(0, 1, 2, 3), 9),
})
const placing: fc.Arbitrary<PlaceMove> = fc.record({
  do: fc.constant('place' as const),
  lines: fc.array(wish, { minLength: 1, maxLength: 4 }),
  allowSplit: fc.boolean(),
  allowPartial: fc.boolean(),
  allowBackorder: fc.boolean(),
  pickup: maybe(location, 5),
  channel: fc.nat(2),
  customer: fc.nat(2),
  externalId: maybe(fc.nat(5), 1),
  payment: oneOf('none', 'none', 'none', 'pending', 'authorized', 'captured'),
  isOurs: fc.boolean(),
  priority: oneOf(1, 5, 5, 9),
  score: oneOf(0, 0, 0, 0, 90),
})
const actions: FulfillmentAction[] = ['accept', 'reject', 'pick', 'pack', 'ship', 'deliver', 'fail']
const working: fc.Arbitrary<Move> = fc.record({
  do: fc.constant('work' as const),
  which,
  action: fc.oneof(
    { weight: 5, arbitrary: fc.constant('next' as const) },
    { weight: 1, arbitrary: oneOf<FulfillmentAction>(...actions) },
  ),
  found: oneOf(-1, -1, -1, 0, 1, 2),
  reason: oneOf('no staff', 'out_of_stock', 'damaged'),
  elsewhere: oneOf(false, false, false, false, false, true),
  only: oneOf(false, false, false, true),
  times: oneOf(1, 1, 2, 3, 5),
})

const of = <M extends Move>(
  weight: number,
  arbitrary: fc.Arbitrary<M>,
): { weight: number; arbitrary: fc.Arbitrary<Move> } => ({
  weight,
  arbitrary,
})
const doing = <D extends Move['do']>(name: D): fc.Arbitrary<D> => fc.constant(name)

const business = [
  of(10, placing),
  of(1, fc.record({ do: doing('place again'), which, isOther: fc.boolean() })),
  of(
    3,
    fc.record({
      do: doing('cancel'),
      which,
      lines: maybe(
        fc.array(
          fc.record({ by: oneOf('line' as const, 'sku' as const), at: fc.nat(4), quantity: oneOf(1, 1, 2, 4) }),
          { minLength: 1, maxLength: 2 },
        ),
        1,
      ),
    }),
  ),
  of(3, fc.record({ do: oneOf('hold' as const, 'resume' as const, 'release' as const, 'source' as const), which })),
  of(1, fc.record({ do: doing('credit'), which, amount: oneOf(1, 50_000, 10_000_000) })),
  of(
    3,
    fc.record({
      do: doing('revise'),
      which,
      line: fc.nat(4),
      quantity: oneOf(0, 1, 2, 3, 5, 8),
      moves: oneOf(false, false, true),
      adds: maybe(sku, 5),
    }),
  ),
  of(
    2,
    fc.record({
      do: doing('pay'),
      which,
      event: oneOf<PaymentEvent>('authorized', 'captured', 'failed', 'voided', 'refunded'),
      amount: oneOf(1, 10_000, 90_000),
    }),
  ),
  of(3, fc.record({ do: doing('provide'), which: fc.nat(5), done: oneOf(true, true, true, false) })),
  of(22, working),
  of(1, fc.record({ do: doing('exception'), which, action: oneOf('acknowledge' as const, 'resolve' as const) })),
  of(2, fc.record({ do: doing('again'), which })),
  of(
    2,
    fc.record({
      do: doing('count'),
      sku,
      location,
      onHand: oneOf(0, 1, 3, 6, 12),
      safetyStock: oneOf(0, 0, 0, 1),
    }),
  ),
  of(3, fc.record({ do: doing('adjust'), sku, location, delta: oneOf(-3, -1, 1, 2, 4, 7) })),
  of(1, fc.record({ do: doing('announce'), sku, location, quantity: oneOf(2, 5) })),
  of(2, fc.record({ do: doing('receive'), which, quantity: oneOf(1, 2, 5) })),
  of(1, fc.record({ do: doing('location'), location, active: oneOf(true, true, false), priority: oneOf(0, 1, 2) })),
  of(
    4,
    fc.record({
      do: doing('pass'),
      ms: oneOf(1, 1_000, 60_000, HOUR_MS, 5 * HOUR_MS, 24 * HOUR_MS, 24 * HOUR_MS, 35 * 24 * HOUR_MS),
    }),
  ),
  of(1, fc.record({ do: doing('crash'), partition: fc.nat(10) })),
  of(1, fc.record({ do: doing('checkpoint'), partition: fc.nat(10), slices: oneOf(1, 3, 60) })),
]
const network = [
  of(4, fc.record({ do: doing('settle') })),
  of(40, fc.record({ do: doing('deliver'), link: fc.nat(100), back: fc.nat(2), count: oneOf(1, 1, 2, 5) })),
  of(12, fc.record({ do: doing('acknowledge'), link: fc.nat(100), back: oneOf(0, 0, 1) })),
]
export const movesOfOne: fc.Arbitrary<Move[]> = fc.array(fc.oneof(...business), {
  minLength: 1,
  maxLength: 60,
  size: 'max',
})
export const movesOfSeveral: fc.Arbitrary<Move[]> = fc.array(fc.oneof(...business, ...network), {
  minLength: 1,
  maxLength: 80,
  size: 'max',
})

export const stockKey = (sku: number, location: number): string => `${sku} at ${location}`

export interface Placed {
  request: OrderRequest
  totals: Totals
  /** Whether somebody outside has said what happened to its money. */
  isPaidOutside: boolean
}

/** Parts of a fulfillment order that are somebody's work still. */
export const LIVE = ['pending', 'accepted', 'picking', 'packed']
const GONE = ['out_of_stock', 'damaged']
const NEXT: Record<string, FulfillmentAction> = {
  pending: 'accept',
  accepted: 'pick',
  picking: 'pack',
  packed: 'ship',
  shipped: 'deliver',
}

export class Shop {
  readonly partitions: DrivenPartition[]
  readonly placement: Placement
  timeMs = START_MS
  readonly placed = new Map<string, Placed>()
  /** What is on hand, as the world's doings say: counted and received, less what was shipped or is gone. */
  readonly onHand = new Map<string, number>()
  /** Commands that are answered later, by partition and number, and how often they were. */
  readonly later = new Map<string, number>()
  readonly heard: Outcome[] = []
  readonly events: EngineEvent[] = []
  private readonly sent: { partition: number; entry: Entry }[] = []
  private readonly supplies: { id: string; sku: number }[] = []
  private ids = 0

  constructor(count: number) {
    this.placement = new Placement(count)
    this.partitions = Array.from(
      { length: count },
      (_, partition) => new DrivenPartition({ createActors, partition, partitions: count }),
    )
  }

  actorsOf(partition: number): RetailActors {
    const { actors } = this.partitions[partition]!.state
    if (!(actors instanceof RetailActors)) throw new Error('these are the actors of this module')
    return actors
  }

  partitionOf(order: string): number {
    return orderPartition(order, this.partitions.length)
  }

  order(id: string): Order | undefined {
    return this.actorsOf(this.partitionOf(id)).orders.orders.get(id)
  }

  /** All orders of a partition, looked up in its store and not in an index. */
  ordersOf(partition: number): Order[] {
    return [...this.partitions[partition]!.store.documents()].flatMap(([key, bytes]) =>
      key.startsWith('order/') ? [decodeDocument<Order>(bytes)] : [],
    )
  }

  get orders(): Order[] {
    return this.partitions.flatMap((_, partition) => this.ordersOf(partition))
  }

  stockOf(sku: number): StockView {
    const partition = this.partitions[this.placement.partitionOf(sku)]!
    return partition.query(this.timeMs, 'inventory.get', { index: sku }).body as StockView
  }

  /** Products, locations, settings; a little stock. */
  open(stock: number, remorseSeconds = 0): void {
    for (const sku of SKUS) {
      const product = { name: `Thing ${sku}`, weightGrams: 500, backorder: BACKORDER.includes(sku) }
      const kit = KITS[sku]
      const items = [{ index: sku, sku: `SKU-${sku}`, product, ...(kit ? { kit } : {}) }]
      this.run(this.placement.partitionOf(sku), [command('product.put', { items })])
    }
    for (const location of LOCATIONS) this.putLocation(location, true, location % 2)
    this.run(0, [command('settings.put', { ...DEFAULT_SETTINGS, remorseSeconds })])
    this.settle()
    for (const sku of SKUS) {
      if (KITS[sku]) continue
      for (const location of LOCATIONS) if ((sku + location) % 2 === 0) this.count(sku, location, stock, 0)
    }
    this.settle()
    this.heard.length = 0
    this.sent.length = 0
  }

  // ---- running

  /** One batch in a partition; what is due comes first, until it has come to rest. */
  run(partition: number, entries: Entry[]): (Outcome | undefined)[] {
    this.runDue(partition)
    const answers = this.apply(partition, entries)
    this.runDue(partition)
    return answers
  }

  private runDue(partition: number): void {
    const { state } = this.partitions[partition]!
    const timeMs = Math.max(state.timeMs, this.timeMs)
    for (let rounds = 0; state.actors.isDue(timeMs); rounds++) {
      expect(rounds, 'rounds until nothing is due at this time').toBeLessThan(50)
      this.apply(partition, [{ kind: 'advance' }])
    }
  }

  private apply(partition: number, entries: Entry[]): (Outcome | undefined)[] {
    if (entries.length === 0) return []
    const driven = this.partitions[partition]!
    const timeMs = Math.max(driven.state.timeMs, this.timeMs)
    const { answers, answeredLater, events } = driven.run(timeMs, entries)
    this.events.push(...events)
    for (const { type, data } of events) {
      if (type !== 'inventory.discrepancy') continue
      // What should have left and was not there any more, by a count.
      const { sku, location, units } = data as { sku: number; location: number; units: number }
      this.enter(sku, location, units)
    }
    for (const { later, outcome } of answers) {
      if (later !== undefined) this.later.set(`${partition}/${later}`, 0)
      else if (outcome) this.heard.push(outcome)
    }
    for (const [number, outcome] of answeredLater) {
      const key = `${partition}/${number}`
      expect(this.later.has(key), 'what is answered was asked').toBe(true)
      this.later.set(key, this.later.get(key)! + 1)
      this.heard.push(outcome)
    }
    return answers.map(({ outcome }) => outcome)
  }

  /** Sends a command, which changes nothing where it is refused. */
  send(partition: number, name: string, body: unknown): Outcome | undefined {
    const entry = command(name, body)
    this.sent.push({ partition, entry })
    return this.sendEntry(partition, entry)
  }

  private sendEntry(partition: number, entry: Entry): Outcome | undefined {
    this.runDue(partition)
    const driven = this.partitions[partition]!
    const before = driven.digest()
    const [outcome] = this.apply(partition, [entry])
    if (outcome && outcome.status >= 400) {
      const { code } = outcome.body as { code: string }
      expect(REFUSALS, JSON.stringify(outcome.body)).toContain(code)
      expect(driven.digest(), `what is refused (${code}) changes nothing`).toBe(before)
    }
    this.runDue(partition)
    return outcome
  }

  /** Enters in the ledger what came to a location, or left it. */
  enter(sku: number, location: number, by: number): void {
    const key = stockKey(sku, location)
    this.onHand.set(key, (this.onHand.get(key) ?? 0) + by)
  }

  // ---- moves

  async step(move: Move): Promise<void> {
    switch (move.do) {
      case 'place':
        this.place(move)
        break
      case 'place again':
        this.placeAgain(move.which, move.isOther)
        break
      case 'cancel':
        this.cancel(move)
        break
      case 'hold':
      case 'resume':
      case 'release':
      case 'source':
        this.toOrder(move.which, `order.${move.do}`, { reason: 'told so' })
        break
      case 'credit':
        this.toOrder(move.which, 'order.credit', { reason: 'sorry', amount: move.amount })
        break
      case 'revise':
        this.revise(move)
        break
      case 'pay':
        this.pay(move)
        break
      case 'provide':
        this.provide(move)
        break
      case 'work':
        this.work(move)
        break
      case 'exception':
        this.handleException(move)
        break
      case 'again':
        this.again(move.which)
        break
      case 'count':
        this.count(move.sku, move.location, move.onHand, move.safetyStock)
        break
      case 'adjust':
        this.adjust(move.sku, move.location, move.delta)
        break
      case 'announce':
        this.announce(move.sku, move.location, move.quantity)
        break
      case 'receive':
        this.receive(move.which, move.quantity)
        break
      case 'location':
        this.putLocation(move.location, move.active, move.priority)
        break
      case 'pass':
        this.pass(move.ms)
        break
      case 'settle':
        this.settle()
        break
      case 'deliver':
        this.deliver(this.linkOf(move.link), move.back, move.count)
        break
      case 'acknowledge':
        this.acknowledge(this.linkOf(move.link), move.back)
        break
      case 'crash':
        await this.crash(move.partition % this.partitions.length)
        break
      default:
        await this.checkpoint(move.partition % this.partitions.length, move.slices)
    }
  }

  /** Places an order of these lines, as usual but for what `over` says; its id. */
  take(lines: WishedLine[], over: Partial<PlaceMove> = {}): string {
    const request = this.request(lines, over)
    this.send(this.partitionOf(request.id), 'order.place', request)
    return request.id
  }

  /** An order that is not sent yet. */
  request(lines: WishedLine[], over: Partial<PlaceMove> = {}): OrderRequest {
    return this.requestOf({
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
    })
  }

  private place(move: PlaceMove): void {
    const request = this.requestOf(move)
    this.send(this.partitionOf(request.id), 'order.place', request)
  }

  private requestOf(move: PlaceMove): OrderRequest {
    const number = this.ids++
    const channel = CHANNELS[move.channel]!
    const lines = move.lines.map(({ sku, quantity, substitute }) => ({
      sku,
      quantity,
      unitPrice: 10_000 * (1 + (sku % 3)),
      discount: 0,
      taxes: [],
      ...(substitute === undefined ? {} : { substitutes: [substitute] }),
    }))
    const subtotal = lines.reduce((sum, { unitPrice, quantity }) => sum + unitPrice * quantity, 0)
    const totals: Totals = { subtotal, discount: 0, shipping: 5_000, tax: 0, total: subtotal + 5_000 }
    const customer = CUSTOMERS[move.customer]!
    const id = `o${number}`
    const { pickup, payment, externalId, allowSplit, allowPartial, allowBackorder, priority, score } = move
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
              reference: `p${number}`,
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
    }
    // What was refused before under this id has left nothing behind.
    if (!this.order(request.id)) {
      this.placed.set(request.id, { request, totals: { ...totals }, isPaidOutside: false })
    }
    return request
  }

  private placeAgain(which: number, isOther: boolean): void {
    const all = [...this.placed.values()]
    if (all.length === 0) return
    const { request } = all.at(-1 - (which % all.length))!
    const again = isOther ? { ...request, fingerprint: 'another' } : request
    this.send(this.partitionOf(request.id), 'order.place', again)
  }

  /** An order, counted from the latest; undefined where there is none. */
  private pick(which: number): Order | undefined {
    const ids = [...this.placed.keys()]
    const id = ids.at(-1 - (which % Math.max(1, ids.length)))
    return id === undefined ? undefined : this.order(id)
  }

  /** Does something to an order by its id. */
  tell(id: string, name: string, body: object): Outcome | undefined {
    return this.send(this.partitionOf(id), name, { id, by: 'staff', reason: 'told so', ...body })
  }

  /** Moves a fulfillment order on, step by step. */
  advance(id: string, number: number, ...actions: FulfillmentAction[]): void {
    for (const action of actions) this.advanceFulfillment({ order: id, number, action, by: 'staff' })
  }

  private toOrder(which: number, name: string, body: object): Outcome | undefined {
    const order = this.pick(which)
    if (!order) return undefined
    return this.send(this.partitionOf(order.id), name, { id: order.id, by: 'staff', ...body })
  }

  private cancel({ which, lines }: Extract<Move, { do: 'cancel' }>): void {
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
    const units = this.order(order.id)!.lines.reduce((sum, line, i) => sum + (line.units[6] ?? 0) - before[i]!, 0)
    const asked = wanted?.reduce((sum, { quantity }) => sum + quantity, 0) ?? 1
    expect(units, 'units cancelled by a cancellation that was carried out').toBeGreaterThanOrEqual(asked)
  }

  private revise({ which, line, quantity, moves, adds }: Extract<Move, { do: 'revise' }>): void {
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
    const after = this.order(order.id)!.lines[changed.number - 1]!
    const live = after.quantity - after.units[6]!
    // What could not be had after all may be gone from it already.
    expect(live, 'units of a line after it was changed').toBeLessThanOrEqual(quantity)
  }

  private pay({ which, event, amount }: Extract<Move, { do: 'pay' }>): void {
    const order = this.pick(which)
    if (!order) return
    const outcome = this.toOrder(which, 'order.payment', { event, amount, reference: 'told' })
    if (outcome?.status === 200) this.placed.get(order.id)!.isPaidOutside = true
  }

  private provide({ which, done }: Extract<Move, { do: 'provide' }>): void {
    const tasks = this.partitions.flatMap((driven, partition) =>
      (driven.query(this.timeMs, 'payment.tasks', { limit: 50 }).body as { items: PaymentTask[] }).items.map(
        ({ key }) => ({ key, partition }),
      ),
    )
    const task = tasks[which % Math.max(1, tasks.length)]
    if (task) this.send(task.partition, 'payment.done', { key: task.key, done, reference: 'r', detail: 'no' })
  }

  /** Fulfillment orders, the latest last, those that somebody has to do something for where `live`. */
  fulfillments(live: boolean): { order: Order; fulfillment: Fulfillment }[] {
    return [...this.placed.keys()].flatMap((id) => {
      const order = this.order(id)
      if (!order) return []
      return order.fulfillments
        .filter(({ status }) => !live || NEXT[status] !== undefined)
        .map((fulfillment) => ({ order, fulfillment }))
    })
  }

  private work(move: Extract<Move, { do: 'work' }>): void {
    const { which, action, times } = move
    const all = this.fulfillments(action === 'next')
    const chosen = all.at(-1 - (which % Math.max(1, all.length)))
    if (!chosen) return
    const { order, fulfillment } = chosen
    if (action !== 'next') this.workOn(order, fulfillment, action, move)
    else {
      for (let i = 0; i < times; i++) {
        const next = NEXT[fulfillment.status]
        if (next) this.workOn(order, fulfillment, next, move)
      }
    }
  }

  private workOn(
    order: Order,
    fulfillment: Fulfillment,
    action: FulfillmentAction,
    { found, reason, elsewhere, only }: Extract<Move, { do: 'work' }>,
  ): void {
    const open = fulfillment.lines.filter(({ isPicked }) => !isPicked)
    const named = (only ? open.slice(0, 1) : open).map(({ sku, quantity }) => ({
      sku,
      quantity: found < 0 ? quantity : Math.min(found, quantity),
    }))
    const body: FulfillmentCommand = {
      order: order.id,
      number: fulfillment.number,
      action,
      by: 'staff',
      id: `c${this.ids++}`,
      reason,
      ...(elsewhere ? { location: (fulfillment.location + 1) % LOCATIONS.length } : {}),
      ...(action === 'pick' && (found >= 0 || only) ? { lines: named } : {}),
      ...(action === 'ship' ? { carrier: 'van', trackingNumber: 't', packages: [{ weightGrams: 100 }] } : {}),
    }
    this.advanceFulfillment(body)
  }

  /** Sends a command to a fulfillment order and enters in the ledger what left the building by it. */
  advanceFulfillment(body: FulfillmentCommand): Outcome | undefined {
    // Copied: the order is changed where it lies.
    const before = structuredClone(this.order(body.order)!.fulfillments[body.number - 1]!)
    const outcome = this.send(this.partitionOf(body.order), 'fulfillment.advance', body)
    this.checkAnswer(body, before, outcome!)
    this.enterWork(body, before)
    return outcome
  }

  private checkAnswer({ action, location, id }: FulfillmentCommand, before: Fulfillment, outcome: Outcome): void {
    const { status, body } = outcome
    if (before.commands?.includes(id!)) {
      expect(status, 'a command that comes twice is answered as it was').toBe(200)
      return
    }
    if (location !== undefined && location !== before.location) {
      expect(body).toMatchObject({ code: 'wrong_location' })
      return
    }
    const events = {
      accept: 'ACCEPT',
      reject: 'REJECT',
      pick: 'PICK',
      pack: 'PACK',
      ship: 'SHIP',
      deliver: 'DELIVER',
      fail: 'FAIL',
    } as const
    const isCollected = action === 'deliver' && before.kind === 'pickup' && before.status === 'packed'
    const isPossible = fulfillmentTable.next(before.status, { type: events[action] }) !== null || isCollected
    if (status === 200) expect(isPossible, `${action} of what is ${before.status}`).toBe(true)
    else if (!isPossible && (body as { code: string }).code !== 'on_hold') {
      expect(body).toMatchObject({ code: 'invalid_transition', current: before.status })
    }
  }

  private enterWork({ order, number, reason }: FulfillmentCommand, before: Fulfillment): void {
    const after = this.order(order)!.fulfillments[number - 1]!
    const hasLeft = (status: string): boolean => status === 'shipped' || status === 'delivered'
    for (const line of before.lines) {
      const now = after.lines.find(({ allocation }) => allocation === line.allocation)
      if (!hasLeft(before.status) && hasLeft(after.status)) this.enter(line.sku, before.location, -line.quantity)
      const isEnded = LIVE.includes(before.status) && ['rejected', 'failed'].includes(after.status)
      if (isEnded && now) {
        if (GONE.includes(reason!)) this.enter(line.sku, before.location, -line.quantity)
      } else if ((now?.quantity ?? 0) < line.quantity) {
        this.enter(line.sku, before.location, (now?.quantity ?? 0) - line.quantity)
      }
    }
  }

  private handleException({ which, action }: Extract<Move, { do: 'exception' }>): void {
    const all = this.orders.flatMap(({ id, exceptions }) => exceptions.map(({ number }) => ({ id, number })))
    const chosen = all.at(-1 - (which % Math.max(1, all.length)))
    if (!chosen) return
    this.send(this.partitionOf(chosen.id), 'exception.update', { ...chosen, action, by: 'staff', reason: 'seen' })
  }

  private again(which: number): void {
    const chosen = this.sent.at(-1 - (which % Math.max(1, this.sent.length)))
    if (chosen?.entry.kind !== 'command') return
    const { name, body } = chosen.entry
    // The world's own doings would have to be entered in the ledger once more.
    if (name === 'inventory.count') return
    if (name === 'fulfillment.advance') {
      const again = body as FulfillmentCommand
      if (this.order(again.order)) this.advanceFulfillment(again)
      return
    }
    if (name === 'order.revise') return
    const outcome = this.sendEntry(chosen.partition, chosen.entry)
    if (name === 'order.payment' && outcome?.status === 200) {
      this.placed.get((body as { id: string }).id)!.isPaidOutside = true
    }
  }

  count(sku: number, location: number, onHand: number, safetyStock: number): void {
    const row = (): number => this.stockOf(sku)?.rows.find((one) => one.location === location)?.onHand ?? 0
    const before = row()
    this.send(this.placement.partitionOf(sku), 'inventory.count', { items: [{ sku, location, onHand, safetyStock }] })
    this.enter(sku, location, onHand - before)
  }

  adjust(sku: number, location: number, delta: number): void {
    const body = { id: `a${this.ids++}`, sku, location, delta, reason: 'found' }
    const outcome = this.send(this.placement.partitionOf(sku), 'inventory.adjust', body)
    if (outcome?.status === 201) this.enter(sku, location, delta)
  }

  private announce(sku: number, location: number, quantity: number): void {
    const id = `s${this.ids++}`
    const expectedAtMs = this.timeMs + 48 * HOUR_MS
    const line = { id, sku, location, quantity, received: 0, expectedAtMs, reference: '' }
    this.supplies.push({ id, sku })
    this.send(this.placement.partitionOf(sku), 'supply.announce', line)
  }

  private receive(which: number, quantity: number): void {
    const supply = this.supplies[which % Math.max(1, this.supplies.length)]
    if (!supply) return
    const partition = this.placement.partitionOf(supply.sku)
    const receipt = `r${this.ids++}`
    const outcome = this.send(partition, 'supply.receive', { id: supply.id, quantity, receipt })
    if (outcome?.status === 200) this.enter(supply.sku, (outcome.body as { location: number }).location, quantity)
  }

  putLocation(location: number, active: boolean, priority: number): void {
    const document = {
      name: `Place ${location}`,
      type: location % 2 === 0 ? 'warehouse' : 'store',
      latitude: 51 + location,
      longitude: -1,
      address: { country: 'GB' },
      handlingCost: { amount: '1.00' },
      priority,
      capacityPerDay: CAPACITY[location],
      active,
    }
    this.send(0, 'location.put', { index: location, id: `L${location}`, location: document })
  }

  pass(ms: number): void {
    if (ms * 2 > HOLD_MS) this.settle()
    this.wait(ms)
  }

  /** Time passes, whatever is on the way. */
  wait(ms: number): void {
    this.timeMs += ms
    for (let partition = 0; partition < this.partitions.length; partition++) this.runDue(partition)
  }

  // ---- the network

  private linkOf(link: number): { from: number; to: number } {
    const count = this.partitions.length
    return { from: link % count, to: Math.floor(link / count) % count }
  }

  deliver({ from, to }: { from: number; to: number }, back: number, count: number): void {
    const { outbox } = this.partitions[from]!.state
    const next = this.partitions[to]!.state.outbox.seen(from) + 1
    const first = Math.max(outbox.acknowledged(to) + 1, next - back)
    const entries: Entry[] = []
    for (let number = first; number <= outbox.sent(to) && entries.length < count; number++) {
      entries.push({ kind: 'message', from, payload: outbox.message(to, number) })
    }
    if (entries.length > 0) this.run(to, entries)
  }

  private acknowledge({ from, to }: { from: number; to: number }, back: number): void {
    const upTo = this.partitions[to]!.state.outbox.seen(from) - back
    if (upTo > 0) this.run(from, [{ kind: 'acknowledgement', from: to, upTo }])
  }

  /** What is under way now arrives; what is sent because of it does not. */
  deliverAll(): void {
    const links = this.partitions.flatMap((_, from) => this.partitions.map((_, to) => ({ from, to })))
    const under = links.map((link) => {
      const { outbox } = this.partitions[link.from]!.state
      const next = this.partitions[link.to]!.state.outbox.seen(link.from) + 1
      return { link, count: outbox.sent(link.to) - next + 1 }
    })
    for (const { link, count } of under) if (count > 0) this.deliver(link, 0, count)
  }

  get isQuiet(): boolean {
    return this.partitions.every(({ state }) => state.outbox.waiting === 0)
  }

  /** Delivers all that is under way until nothing is. */
  settle(): void {
    for (let rounds = 0; !this.isQuiet; rounds++) {
      expect(rounds, 'rounds until all is quiet').toBeLessThan(200)
      for (let from = 0; from < this.partitions.length; from++) {
        for (let to = 0; to < this.partitions.length; to++) {
          this.deliver({ from, to }, 0, 100)
          this.acknowledge({ from, to }, 0)
        }
      }
    }
  }

  private async crash(partition: number): Promise<void> {
    const driven = this.partitions[partition]!
    const before = copyOf(driven.store)
    await driven.restart()
    expect(differences(driven.store, before), `partition ${partition} after a crash`).toEqual([])
  }

  private async checkpoint(partition: number, slices: number): Promise<void> {
    const driven = this.partitions[partition]!
    driven.beginCheckpoint()
    for (let i = 0; i < slices; i++) {
      const begun = driven.continueCheckpoint()
      if (!begun) continue
      await driven.fromCheckpoint(({ store }) => expect(differences(store, begun)).toEqual([]))
      driven.truncateLog()
      return
    }
  }

  /** Each partition comes back from its log and from its checkpoint as it is. */
  async checkRecovery(): Promise<void> {
    for (const driven of this.partitions) {
      const before = copyOf(driven.store)
      const digest = driven.digest()
      await driven.fromLog(({ store, state }) => {
        expect(differences(store, before)).toEqual([])
        expect(state.digest().toString()).toBe(digest)
      })
      await driven.restart()
      expect(differences(driven.store, before)).toEqual([])
      expect(driven.digest()).toBe(digest)
    }
  }

  async dispose(): Promise<void> {
    for (const driven of this.partitions) await driven.dispose()
  }
}
