/**
 * Several partitions and the network between them, in one thread and in an order that the test chooses: messages arrive
 * late, again and again, and out of step with one another; partitions crash between any two steps; their clocks differ.
 * What no order may break is checked after every move and, once all is quiet, for the whole.
 */
import fc from 'fast-check'
import { expect } from 'vitest'
import { Digest } from '../engine/digest.js'
import { copyOf, DrivenPartition, differences, type Entry } from '../engine/driven-partition.contract.js'
import { Placement } from '../engine/placement.js'
import type { Outcome } from '../engine/protocol.js'
import type { LineResult } from './inventory/batch.js'
import type { Reply, ReserveLine } from './inventory/inventory-model.contract.js'
import {
  command,
  countRecord,
  frame,
  idBytes,
  namedRecord,
  replies,
  reserveRecord,
} from './inventory/inventory-sequences.contract.js'
import { ALL } from './inventory/pools.js'
import type { ReservationView, StockView } from './inventory/views.js'
import { ANY_LOCATION, Operation, Status } from './inventory/wire.js'
import { createActors, RetailActors } from './main.js'

export const SKUS = [0, 1, 2, 3, 4, 5]
const LOCATIONS = [0, 1, 2]
const START_MS = 1_700_000_000_000
/** What partitions keep for good; all else is gone once nothing is under way. */
const KEPT = /^(locations?|sales?|product|supply|supply-of|adjustment|receipt|key|key-order|pool|pool-of|event)(\/|$)/

interface BatchLine {
  sku: number
  quantity: number
  ttlSeconds: number
  location: number
  buyer: bigint
  channel: number
}

export type Move =
  | { do: 'batch'; lines: BatchLine[] }
  /** A batch that was sent before, word for word. */
  | { do: 'batch again'; which: number }
  | { do: 'reserve'; line: BatchLine }
  /** One line of a batch, as a reservation of its own. */
  | { do: 'reserve again'; which: number }
  | { do: 'confirm' | 'release'; which: number }
  | { do: 'location'; index: number; active: boolean; priority: number }
  | { do: 'sale'; id: string; items: number[]; quantity: number; limitPerBuyer: number; lastsMs: number }
  | { do: 'deliver'; link: number; back: number; count: number }
  | { do: 'acknowledge'; link: number; back: number }
  | { do: 'pass'; ms: number }
  | { do: 'crash'; partition: number }
  | { do: 'checkpoint'; partition: number; slices: number }

const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const line: fc.Arbitrary<BatchLine> = fc.record({
  sku: oneOf(...SKUS),
  quantity: oneOf(1, 1, 1, 2, 3, 6),
  ttlSeconds: oneOf(1, 2, 30, 900),
  location: oneOf(ANY_LOCATION, ANY_LOCATION, 0, 1, 2),
  buyer: oneOf(0n, 1n, 2n),
  channel: oneOf(0, 0, 1),
})
const which = fc.nat(40)
const link = fc.nat(100)

export const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('batch' as const),
        lines: fc.array(line, { minLength: 2, maxLength: 4 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('batch again' as const), which }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reserve' as const), line }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reserve again' as const), which }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('confirm' as const), which }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), which }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('location' as const),
        index: oneOf(...LOCATIONS),
        active: oneOf(true, true, false),
        priority: oneOf(0, 1, 2),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('sale' as const),
        id: oneOf('flash', 'drop'),
        items: fc.uniqueArray(oneOf(...SKUS), { minLength: 1, maxLength: 3 }),
        quantity: oneOf(1, 3, ALL),
        limitPerBuyer: oneOf(0, 0, 2),
        lastsMs: oneOf(1_000, 60_000),
      }),
    },
    {
      weight: 14,
      arbitrary: fc.record({ do: fc.constant('deliver' as const), link, back: fc.nat(2), count: oneOf(1, 1, 2, 5) }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), link, back: oneOf(0, 0, 1) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: oneOf(1, 64, 500, 1_000, 3_000) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), partition: fc.nat(10) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('checkpoint' as const), partition: fc.nat(10), slices: oneOf(1, 3, 50) }),
    },
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
)

interface Attempt {
  coordinator: number
  commandNumber: number | undefined
  answer: { held: boolean; results: LineResult[] } | undefined
}

/** One batch, however often it is sent. */
interface Batch {
  lines: ReserveLine[]
  attempts: Attempt[]
}

export class Network {
  readonly partitions: DrivenPartition[]
  readonly placement: Placement
  timeMs = START_MS
  private readonly skewMs: number[]
  private readonly batches: Batch[] = []
  /** Lines that were asked for, one by one or in batches. */
  private readonly lines: ReserveLine[] = []
  /** Commands that are answered later, and how often they were. */
  private readonly later = new Map<string, number>()
  /** Lines that were held when they were asked for by themselves. */
  private readonly heldAlone = new Set<string>()
  private ids = 0
  /** What the client was answered, in the order in which it heard. */
  readonly heard: unknown[] = []

  constructor(count: number, skewMs: number[] = [], partitions?: DrivenPartition[]) {
    this.placement = new Placement(count)
    this.skewMs = skewMs
    const fresh = (partition: number): DrivenPartition =>
      new DrivenPartition({ createActors, partition, partitions: count })
    this.partitions = partitions ?? Array.from({ length: count }, (_, partition) => fresh(partition))
  }

  /** The same clients before other partitions, which hold the same. */
  over(partitions: DrivenPartition[]): Network {
    const network = new Network(partitions.length, [], partitions)
    network.timeMs = this.timeMs
    network.ids = this.ids
    network.batches.push(...this.batches.map(({ lines, attempts }) => ({ lines, attempts: [...attempts] })))
    network.lines.push(...this.lines)
    for (const id of this.heldAlone) network.heldAlone.add(id)
    return network
  }

  actorsOf(partition: number): RetailActors {
    const { actors } = this.partitions[partition]!.state
    if (!(actors instanceof RetailActors)) throw new Error('these are the actors of this module')
    return actors
  }

  /** Products, locations and a little stock, known everywhere. */
  open(stock: number): void {
    for (const sku of SKUS) {
      const items = [{ index: sku, sku: `SKU-${sku}`, product: { name: 'Thing' } }]
      this.run(this.placement.partitionOf(sku), [command('product.put', { items })])
    }
    for (const index of LOCATIONS) this.putLocation(index, true, index)
    this.settle()
    for (const sku of SKUS) {
      const counts = [0, 1].map((location) => countRecord({ sku, location, onHand: stock, safetyStock: 0 }))
      this.run(this.placement.partitionOf(sku), [frame(Operation.count, counts)])
    }
  }

  /** One batch in a partition, at its own time; commands of earlier batches may be answered by it. */
  run(partition: number, entries: Entry[]) {
    const driven = this.partitions[partition]!
    const timeMs = Math.max(driven.state.timeMs, this.timeMs + (this.skewMs[partition] ?? 0))
    const due: Entry[] = driven.state.actors.isDue(timeMs) ? [{ kind: 'advance' }] : []
    const { answers, answeredLater } = driven.run(timeMs, [...due, ...entries])
    for (const { later, words, outcome } of answers) {
      if (later !== undefined) this.later.set(`${partition}/${later}`, 0)
      else if (words ?? outcome) this.heard.push(words ?? outcome)
    }
    for (const [number, outcome] of answeredLater) this.takeAnswer(partition, number, outcome)
    return answers.slice(due.length)
  }

  private takeAnswer(partition: number, number: number, outcome: Outcome): void {
    const key = `${partition}/${number}`
    expect(this.later.has(key), 'what is answered was asked').toBe(true)
    this.later.set(key, this.later.get(key)! + 1)
    this.heard.push(outcome)
    for (const { attempts } of this.batches) {
      const attempt = attempts.find((one) => one.coordinator === partition && one.commandNumber === number)
      if (attempt) attempt.answer = outcome.body as Attempt['answer']
    }
  }

  private putLocation(index: number, active: boolean, priority: number): void {
    this.run(0, [command('location.put', { index, id: `W${index}`, location: { active, priority } })])
  }

  async move(move: Move): Promise<void> {
    switch (move.do) {
      case 'batch':
        this.batches.push({ lines: move.lines.map((line) => this.newLine(line)), attempts: [] })
        this.send(this.batches.at(-1)!)
        break
      case 'batch again': {
        const batch = this.batches.at(-1 - (move.which % Math.max(1, this.batches.length)))
        if (batch) this.send(batch)
        break
      }
      case 'reserve':
        this.reserve(this.newLine(move.line))
        break
      case 'reserve again':
        if (this.lines.length > 0) this.reserve(this.lineOf(move.which))
        break
      case 'confirm':
      case 'release':
        if (this.lines.length > 0) this.settleLine(move.do, this.lineOf(move.which))
        break
      case 'location':
        this.putLocation(move.index, move.active, move.priority)
        break
      case 'sale':
        this.putSale(move)
        break
      case 'deliver':
        this.deliver(this.linkOf(move.link), move.back, move.count)
        break
      case 'acknowledge':
        this.acknowledge(this.linkOf(move.link), move.back)
        break
      case 'pass':
        this.timeMs += move.ms
        this.letTimersRun()
        break
      case 'crash':
        await this.crash(move.partition % this.partitions.length)
        break
      default:
        await this.checkpoint(move.partition % this.partitions.length, move.slices)
    }
    this.checkBooks()
  }

  private newLine(line: BatchLine): ReserveLine {
    const fresh: ReserveLine = { ...line, id: `r${this.ids++}` }
    this.lines.push(fresh)
    return fresh
  }

  private lineOf = (which: number): ReserveLine => this.lines.at(-1 - (which % this.lines.length))!

  private send(batch: Batch): void {
    const coordinator = this.placement.partitionOf(batch.lines[0]!.sku)
    const body = { lines: Buffer.concat(batch.lines.map(reserveRecord)), allOrNothing: true }
    const [answer] = this.run(coordinator, [command('reservation.batch', body)])
    const attempt: Attempt = { coordinator, commandNumber: answer!.later, answer: undefined }
    if (answer!.outcome) attempt.answer = answer!.outcome.body as Attempt['answer']
    batch.attempts.push(attempt)
  }

  private reserve(line: ReserveLine): void {
    const record = frame(Operation.reserve, [reserveRecord(line)])
    const [answer] = this.run(this.placement.partitionOf(line.sku), [record])
    const [{ status, replayed }] = replies(answer!) as [Reply]
    if (status === Status.done && !replayed) this.heldAlone.add(line.id)
  }

  private settleLine(how: 'confirm' | 'release', { id, sku }: ReserveLine): void {
    const operation = how === 'confirm' ? Operation.confirm : Operation.release
    const [answer] = this.run(this.placement.partitionOf(sku), [frame(operation, [namedRecord(id, sku)])])
    const [{ status, replayed }] = replies(answer!) as [Reply]
    if (status !== Status.done || replayed) return
    const batch = this.batches.find(({ lines }) => lines.some((line) => line.id === id))
    const wasTold = this.heldAlone.has(id) || batch!.attempts.some((attempt) => attempt.answer?.held)
    expect(wasTold, `somebody was told that ${id} is held before it could be ${how}ed`).toBe(true)
  }

  private putSale({ id, items, quantity, limitPerBuyer, lastsMs }: Extract<Move, { do: 'sale' }>): void {
    const sale = {
      id,
      name: id,
      opensAtMs: this.timeMs,
      closesAtMs: this.timeMs + lastsMs,
      limitPerBuyer,
      channels: [],
      items: items.map((sku) => ({ sku, quantity })),
    }
    this.run(0, [command('sale.put', sale)])
  }

  // ---- the network

  private linkOf(link: number): { from: number; to: number } {
    const count = this.partitions.length
    return { from: link % count, to: Math.floor(link / count) % count }
  }

  /** Messages of a link in order, beginning at the next one or up to `back` ones earlier. */
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

  private get waiting(): number {
    return this.partitions.reduce((sum, { state }) => sum + state.outbox.waiting, 0)
  }

  /** Delivers all that is under way until nothing is. */
  settle(): void {
    for (let rounds = 0; this.waiting > 0; rounds++) {
      expect(rounds, 'rounds until all is quiet').toBeLessThan(100)
      for (let from = 0; from < this.partitions.length; from++) {
        for (let to = 0; to < this.partitions.length; to++) {
          this.deliver({ from, to }, 0, 100)
          this.acknowledge({ from, to }, 0)
        }
      }
    }
    this.letTimersRun()
  }

  private letTimersRun(): void {
    for (let partition = 0; partition < this.partitions.length; partition++) this.run(partition, [])
  }

  // ---- crashes

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

  // ---- what must hold

  viewOf(id: string, sku: number): ReservationView | undefined {
    const partition = this.partitions[this.placement.partitionOf(sku)]!
    const { status, body } = partition.query(this.timeMs, 'reservation.get', { id: idBytes(id) })
    return status === 200 ? (body as ReservationView) : undefined
  }

  stockOf(sku: number): StockView {
    const partition = this.partitions[this.placement.partitionOf(sku)]!
    return partition.query(this.timeMs, 'inventory.get', { index: sku }).body as StockView
  }

  /** At any time: the books balance, and nothing is promised that is not there. */
  private checkBooks(): void {
    for (const { state } of this.partitions) expect(state.actors.check()).toEqual([])
    for (const sku of SKUS) {
      const { onHand, reserved, allocated, rows } = this.stockOf(sku)
      expect(reserved + allocated).toBeLessThanOrEqual(onHand)
      for (const row of rows) expect(row.shortage).toBe(0)
    }
  }

  /** Once all is quiet: every saga has ended, whole, and all know the same. */
  checkQuiet(): void {
    for (const [number, times] of this.later) expect(times, `answers to ${number}`).toBe(1)
    for (const [partition, { store, state }] of this.partitions.entries()) {
      expect(state.outbox.waiting).toBe(0)
      expect([...store.documents()].map(([key]) => key).filter((key) => !KEPT.test(key))).toEqual([])
      const { reservations } = this.actorsOf(partition).inventory
      reservations.forEach((record) => {
        expect(reservations.isTentative(record), `reservation ${record} of ${partition} is decided`).toBe(false)
      })
    }
    this.checkBatches()
    this.checkReplicas()
  }

  private checkBatches(): void {
    for (const { lines, attempts } of this.batches) {
      const there = lines.map(({ id, sku }) => this.viewOf(id, sku) !== undefined)
      const held = attempts.some(({ answer }) => answer!.held)
      const expected = lines.map(({ id }) => held || this.heldAlone.has(id))
      expect(there, held ? 'all lines of a batch that is held' : 'no line of a batch that is refused').toEqual(expected)
    }
  }

  private checkReplicas(): void {
    const all = (name: string): Outcome[] => this.partitions.map((driven) => driven.query(this.timeMs, name, {}))
    for (const name of ['location.list', 'sale.list']) {
      const [first, ...others] = all(name)
      for (const other of others) expect(other, name).toEqual(first)
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

  /** One digest over all partitions. */
  digest(): string {
    const total = new Digest()
    for (const driven of this.partitions) total.addDigest(driven.digest())
    return total.toString()
  }

  /** All that can be read, wherever it lies. */
  views(): unknown {
    const everywhere = (name: string, body: unknown): unknown =>
      this.partitions
        .map((driven) => driven.query(this.timeMs, name, body))
        .filter(({ status }) => status === 200)
        .map(({ body }) => body)
    const sales = this.partitions[0]!.query(this.timeMs, 'sale.list', {}).body as { items: { id: string }[] }
    const taken = sales.items.map(({ id }) => {
      const items = everywhere('sale.taken', { id }) as { items: { sku: number }[] }[]
      return items.flatMap((one) => one.items).sort((a, b) => a.sku - b.sku)
    })
    return {
      stock: SKUS.map((sku) => this.stockOf(sku)),
      reservations: this.lines.map(({ id, sku }) => this.viewOf(id, sku)),
      products: SKUS.map((index) => everywhere('product.get', { index })),
      supply: ['s1', 's2', 's3'].map((id) => everywhere('supply.get', { id })),
      locations: this.partitions[0]!.query(this.timeMs, 'location.list', {}),
      sales,
      taken,
    }
  }

  async dispose(): Promise<void> {
    for (const driven of this.partitions) await driven.dispose()
  }
}
