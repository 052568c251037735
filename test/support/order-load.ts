/**
 * A shop's day for a test that kills the server under it: orders are placed, repeated, cancelled, held and resumed,
 * locations work on them, stock comes in. Everything is noted before it is asked and after it is answered; what was not
 * answered is asked again after the restart under the same id, and then it is known what has happened.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Answer } from './http-call.js'
import { add, stockKey } from './order-audit.js'
import type { FulfillmentDocument, OrderDocument, TimelineDocument } from './order-document.js'
import type { Random } from './random.js'
import type { TestServer } from './test-server.js'

interface OrderBody {
  readonly id?: string
  readonly channel: string
  readonly externalId?: string
  readonly lines: readonly { sku: string; quantity: number; unitPrice: { amount: string; currency: string } }[]
  readonly allowSplit: boolean
  readonly allowBackorder: boolean
  readonly allowPartial: boolean
  /** Names the request, so that its order is found whatever its id. */
  readonly notes: string
  readonly [more: string]: unknown
}

/** An order that was asked for. */
export interface Placed {
  readonly body: OrderBody
  /** Where it has no id of its own and no name at a channel. */
  readonly idempotencyKey?: string
  /** Its id; undefined until it is acknowledged. */
  id: string | undefined
  /** As it was last seen. */
  seen: OrderDocument | undefined
  /** Somebody works on it: steps and cancellations of one order come one after the other. */
  isBusy: boolean
}

interface Effect {
  readonly key: string
  readonly units: number
  readonly what: 'shipped' | 'missing'
}

interface Step {
  readonly placed: Placed
  readonly path: string
  readonly body: { readonly id: string; readonly [more: string]: unknown }
  /** What it does to stock if it is carried out. */
  readonly effects: readonly Effect[]
}

interface Arrival {
  readonly id: string
  readonly sku: string
  readonly location: string
  readonly delta: number
}

const TRIES_MAX = 400
/** Reasons of which the second kind say that the goods are gone. */
const REFUSALS = ['no staff', 'damaged'] as const

export class OrderBook {
  readonly placed: Placed[] = []
  readonly faults: string[] = []
  /** What has to be on hand, by SKU and location. */
  readonly onHand = new Map<string, number>()
  /** What left the building, and what was not found or was damaged. */
  readonly shipped = new Map<string, number>()
  readonly missing = new Map<string, number>()
  /** By what was done, how often it was acknowledged. */
  readonly acknowledged = new Map<string, number>()
  private readonly open = new Set<Placed>()
  private readonly steps = new Set<Step>()
  private readonly arrivals = new Set<Arrival>()
  private made = 0

  constructor(
    /** Those in front are asked for most. */
    private readonly skus: readonly string[],
    private readonly locations: readonly string[],
    private readonly random: Random,
  ) {}

  get answers(): number {
    return [...this.acknowledged.values()].reduce((sum, count) => sum + count, 0)
  }

  /** `hasId`: it is named by us, whatever else. */
  newOrder(hasId = this.random.chance(0.8)): Placed {
    const { random, skus } = this
    const number = ++this.made
    const isNamed = random.chance(0.5)
    const isPartial = random.chance(0.3)
    const lines = Array.from({ length: random.between(1, 4) }, () => ({
      sku: skus[Math.floor(random.next() * random.next() * skus.length)]!,
      quantity: random.between(1, 4),
      unitPrice: { amount: '9.99', currency: 'GBP' },
    }))
    const placed: Placed = {
      body: {
        ...(hasId ? { id: `order-${number}.${random.below(1_000_000)}` } : {}),
        ...(isNamed ? { externalId: `${number}` } : {}),
        channel: random.pick(['web', 'shop']),
        currency: 'GBP',
        customer: { name: `Buyer ${number % 50}`, email: `buyer-${number % 50}@example.com` },
        shipTo: { line1: '2 High Street', city: 'York', postalCode: 'YO1 7HH', country: 'GB' },
        lines,
        priority: random.pick([3, 5, 5, 5]),
        allowSplit: random.chance(0.85),
        allowPartial: isPartial,
        allowBackorder: random.chance(0.4),
        notes: `request ${number}`,
      },
      ...(hasId || isNamed ? {} : { idempotencyKey: randomUUID() }),
      id: undefined,
      seen: undefined,
      isBusy: false,
    }
    this.placed.push(placed)
    this.open.add(placed)
    return placed
  }

  async place(server: TestServer, placed: Placed): Promise<boolean> {
    const { idempotencyKey: key } = placed
    const headers = key === undefined ? undefined : { 'idempotency-key': key }
    const answer = await server.call<OrderDocument>('POST', '/v1/orders', placed.body, headers)
    if (!this.isAnswered('place', answer, [200, 201])) return false
    this.isPlaced(placed, answer.body.id)
    this.faults.push(...this.see(placed, answer.body))
    return true
  }

  async placeMany(server: TestServer, some: readonly Placed[]): Promise<void> {
    const orders = some.map(({ body }) => body)
    const answer = await server.call<{ results: { status: number; id: string }[] }>('POST', '/v1/bulk/orders', {
      orders,
    })
    if (!this.isAnswered('place many', answer, [200])) return
    answer.body.results.forEach(({ status, id, ...more }, i) => {
      if (status === 503) return
      if (status > 202) this.faults.push(`one of many orders is answered with ${status} ${JSON.stringify(more)}`)
      else this.isPlaced(some[i]!, id)
    })
  }

  private isPlaced(placed: Placed, id: string): void {
    if ((placed.id ?? placed.body.id ?? id) !== id)
      this.faults.push(`${placed.body.notes} is ${id}, and was ${placed.id ?? placed.body.id}`)
    placed.id = id
    this.open.delete(placed)
  }

  /** A repeat, perhaps under another id but the same name at its channel, gives the first order again. */
  async placeAgain(server: TestServer, placed: Placed): Promise<void> {
    const isNamed = placed.body.externalId !== undefined
    const body = isNamed && this.random.chance(0.5) ? { ...placed.body, id: randomUUID() } : placed.body
    if (!isNamed && body.id === undefined) return
    const answer = await server.call<OrderDocument>('POST', '/v1/orders', body)
    if (!this.isAnswered('place again', answer, [200])) return
    if (answer.body.id !== placed.id) this.faults.push(`a repeat of ${placed.id} is ${answer.body.id}`)
    this.faults.push(...this.see(placed, answer.body))
  }

  async cancel(server: TestServer, placed: Placed): Promise<void> {
    const { sku, quantity } = this.random.pick(placed.body.lines)
    const lines = this.random.chance(0.5) ? {} : { lines: [{ sku, quantity: this.random.between(1, quantity) }] }
    await this.change(server, placed, 'cancel', { reason: 'changed mind', ...lines })
  }

  async change(server: TestServer, placed: Placed, how: 'cancel' | 'hold' | 'resume', body: object): Promise<void> {
    const answer = await server.call<OrderDocument>('POST', `/v1/orders/${placed.id}/${how}`, body)
    if (!this.isAnswered(how, answer, [200, 409]) || answer.status === 409) return
    this.faults.push(...this.see(placed, answer.body))
  }

  /** The next steps of one of its fulfillments, whatever they may be. */
  async work(server: TestServer, placed: Placed): Promise<void> {
    const { status, body: order } = await server.call<OrderDocument>('GET', `/v1/orders/${placed.id}`)
    if (status === 503) return
    if (status !== 200) {
      this.faults.push(`${placed.id} was acknowledged, and reading it is answered with ${status}`)
      return
    }
    this.faults.push(...this.see(placed, order))
    const open = order.fulfillments.filter(({ status }) => WORK.has(status))
    if (open.length === 0) return
    let fulfillment: FulfillmentDocument | undefined = this.random.pick(open)
    do fulfillment = await this.carryOut(server, this.stepOf(placed, fulfillment))
    while (fulfillment && WORK.has(fulfillment.status) && this.random.chance(0.8))
  }

  private stepOf(placed: Placed, fulfillment: FulfillmentDocument): Step {
    const { random } = this
    const { id, location, lines, status } = fulfillment
    const { next, refuse, refused } = WORK.get(status)!
    const isRefused = random.chance(refused)
    const action = isRefused ? refuse : next
    const reason = random.pick(REFUSALS)
    const all = (what: Effect['what']) =>
      lines.map(({ sku, quantity }) => ({ key: stockKey(sku, location), units: quantity, what }))
    let effects: Effect[] = []
    let more: object = {}
    if (isRefused) {
      more = { reason }
      if (reason === 'damaged' && status !== 'shipped') effects = all('missing')
    } else if (action === 'ship') {
      more = { carrier: 'simulated', trackingNumber: `T-${id}`, packages: [{ weightGrams: 500 }] }
      effects = all('shipped')
    } else if (action === 'pick' && random.chance(0.25)) {
      const found = new Map<string, number>()
      for (const { sku, quantity } of lines) {
        const units = random.chance(0.5) ? quantity : random.below(quantity)
        add(found, sku, units)
        effects.push({ key: stockKey(sku, location), units: quantity - units, what: 'missing' })
      }
      more = { lines: [...found].map(([sku, quantity]) => ({ sku, quantity })) }
    }
    return { placed, path: `/v1/fulfillments/${id}/${action}`, body: { id: randomUUID(), location, ...more }, effects }
  }

  /** The fulfillment as it is then; undefined where the step was refused, or nobody said so. */
  private async carryOut(server: TestServer, step: Step): Promise<FulfillmentDocument | undefined> {
    this.steps.add(step)
    const answer = await server.call<FulfillmentDocument>('POST', step.path, step.body)
    const name = step.path.slice(step.path.lastIndexOf('/') + 1)
    if (!this.isAnswered(name, answer, [200, 409])) return undefined
    this.steps.delete(step)
    if (answer.status === 409) return undefined
    for (const { key, units, what } of step.effects) {
      add(this.onHand, key, -units)
      add(this[what], key, units)
    }
    return answer.body
  }

  async receive(server: TestServer): Promise<void> {
    const { random } = this
    const arrival: Arrival = {
      id: randomUUID(),
      sku: random.pick(this.skus),
      location: random.pick(this.locations),
      delta: random.between(1, 12),
    }
    this.arrivals.add(arrival)
    await this.arrive(server, arrival)
  }

  private async arrive(server: TestServer, arrival: Arrival): Promise<boolean> {
    const answer = await server.call('POST', '/v1/inventory/adjustments', { ...arrival, reason: 'counted' })
    if (!this.isAnswered('count', answer, [201])) return false
    this.arrivals.delete(arrival)
    add(this.onHand, stockKey(arrival.sku, arrival.location), arrival.delta)
    return true
  }

  /** Any order that was acknowledged and that nobody works on; the later ones sooner. */
  pick(): Placed | undefined {
    const { random, placed } = this
    for (let tries = 0; tries < 20; tries++) {
      const one = placed[placed.length - 1 - Math.floor(random.next() * random.next() * placed.length)]
      if (one?.id !== undefined && !one.isBusy) return one
    }
    return undefined
  }

  /** Whether it says what was done; `overloaded` and what is answered while a server stops says nothing. */
  private isAnswered(what: string, { status, body }: Answer<unknown>, expected: readonly number[]): boolean {
    if (status === 503) return false
    if (!expected.includes(status)) this.faults.push(`${what} is answered with ${status} ${JSON.stringify(body)}`)
    else if (status < 300) add(this.acknowledged, what, 1)
    return expected.includes(status)
  }

  /** Takes note of a look at an order; what is wrong where a later look has not everything that an earlier one had. */
  see(placed: Placed, order: OrderDocument): string[] {
    const before = placed.seen
    const [earlier, later] =
      before && before.timeline.length > order.timeline.length ? [order, before] : [before, order]
    placed.seen = later
    if (!earlier) return []
    const story = ({ timeline }: { timeline: readonly TimelineDocument[] }) => JSON.stringify(timeline)
    const isSame = story({ timeline: later.timeline.slice(0, earlier.timeline.length) }) === story(earlier)
    return isSame ? [] : [`the timeline of ${placed.id} was ${story(earlier)} and is ${story(later)}`]
  }

  /** After a restart: what was not answered is asked again, until it is. */
  async resolve(server: TestServer): Promise<void> {
    const again = async <T>(items: Iterable<T>, ask: (item: T) => Promise<boolean>) => {
      for (const item of [...items]) {
        let done = false
        for (let tries = 0; !done && tries < TRIES_MAX; tries++) {
          done = await ask(item)
          if (!done) await setTimeout(5)
        }
        if (!done) this.faults.push(`no answer after ${TRIES_MAX} tries: ${JSON.stringify(item)}`)
      }
    }
    await again(this.open, (placed) => this.place(server, placed))
    await again(this.steps, async (step) => {
      await this.carryOut(server, step)
      return !this.steps.has(step)
    })
    await again(this.arrivals, (arrival) => this.arrive(server, arrival))
    for (const placed of this.placed) placed.isBusy = false
  }
}

/** What comes next in each status, how it is refused, and how often. */
const WORK = new Map([
  ['pending', { next: 'accept', refuse: 'reject', refused: 0.1 }],
  ['accepted', { next: 'pick', refuse: 'reject', refused: 0.1 }],
  ['picking', { next: 'pack', refuse: 'fail', refused: 0.08 }],
  ['packed', { next: 'ship', refuse: 'fail', refused: 0.05 }],
  ['shipped', { next: 'deliver', refuse: 'fail', refused: 0.05 }],
])

const WORKERS = 12

export class OrderLoad {
  private readonly work: Promise<void>[] = []
  /** What broke first: as long as the server lives, nothing may. */
  broken: unknown

  /** `ordersMax`: new orders in this load at most. */
  constructor(
    private readonly server: TestServer,
    private readonly book: OrderBook,
    private readonly random: Random,
    private ordersLeft: number,
  ) {
    for (let i = 0; i < WORKERS; i++) this.work.push(this.untilGone())
  }

  /** Resolves once nothing is sent any more: the server is gone. */
  async ended(): Promise<void> {
    await Promise.all(this.work)
  }

  private async untilGone(): Promise<void> {
    while (this.broken === undefined) {
      try {
        await this.act()
      } catch (error) {
        this.broken ??= error
      }
    }
  }

  private async act(): Promise<void> {
    const { book, server, random } = this
    const dice = random.next()
    if (dice < 0.3 && this.ordersLeft > 0) {
      this.ordersLeft--
      const placed = book.newOrder()
      await this.alone(placed, () => book.place(server, placed))
      // Some change their mind while stock is still being asked for.
      if (placed.id !== undefined && random.chance(0.15)) await this.alone(placed, () => book.cancel(server, placed))
    } else if (dice < 0.33 && this.ordersLeft > 0) {
      const some = Array.from({ length: random.between(2, 6) }, () => book.newOrder(true))
      this.ordersLeft -= some.length
      await book.placeMany(server, some)
    } else if (dice < 0.4) await book.receive(server)
    else await this.change()
  }

  private async change(): Promise<void> {
    const { book, server, random } = this
    const placed = book.pick()
    if (!placed) {
      if (!server.isRunning) throw new Error('the server is gone')
      await setTimeout(1)
      return
    }
    const dice = random.next()
    if (dice < 0.06) await book.placeAgain(server, placed)
    else if (dice < 0.12) await book.change(server, placed, 'hold', { reason: 'a look at it' })
    else if (placed.seen?.status === 'on_hold' ? dice < 0.6 : dice < 0.14)
      await book.change(server, placed, 'resume', {})
    else if (dice < 0.3) await this.alone(placed, () => book.cancel(server, placed))
    else await this.alone(placed, () => book.work(server, placed))
  }

  /** Where the server goes meanwhile, the order stays busy until it is known what has happened. */
  private async alone(placed: Placed, work: () => Promise<unknown>): Promise<void> {
    if (placed.isBusy) return
    placed.isBusy = true
    await work()
    placed.isBusy = false
  }
}
