/**
 * Sequences of everything that can happen to inventory, run against the actors the way a partition runs them (batches,
 * log, checkpoints, crashes) and against the model beside it. After each batch the two have answered the same and show
 * the same; after each checkpoint, crash and replay the state is the same to the byte.
 */
import fc from 'fast-check'
import { expect } from 'vitest'
import {
  type Answer,
  copyOf,
  DrivenPartition,
  differences,
  type Entry,
  type Recovered,
} from '../../engine/driven-partition.contract.js'
import { TIMERS_PER_ENTRY } from '../../engine/limits.js'
import type { Outcome } from '../../engine/protocol.js'
import { CHANNELS_PER_SALE } from '../limits.js'
import { createActors, RetailActors } from '../main.js'
import type { CountItem } from './counts.js'
import { InventoryModel, type ModelEvent, type Reply, type ReserveLine } from './inventory-model.contract.js'
import { ALL } from './pools.js'
import type { Sale } from './sales.js'
import { ANY_LOCATION, Operation, QUANTITY_MAX, type Status, TTL_SECONDS_MAX } from './wire.js'

// ---- what can happen

const SKUS = [0, 1, 600, 1100] as const
const UNKNOWN_SKUS = [3, 4_000_000, 0xffff_ffff]
const LOCATIONS = [0, 1, 2, 3, 4] as const
const UNKNOWN_LOCATIONS = [5, 4_096, 0xfffe]
const IDS = 20
const SALES = ['flash', 'drop', 'clearance', 'members'] as const
const PREFILL_SKU = 5
const START_MS = 1_700_000_000_123

/** A line that was sent before, word for word or with one thing changed. */
interface Again {
  again: number
  change: 'nothing' | 'quantity' | 'ttlSeconds' | 'buyer' | 'any location' | 'other location' | 'channel' | 'sku'
}
type Line = ReserveLine | Again
/** A confirm or release of one of those that are held (counted from the newest), or of whatever has an id. */
type Named = { held: number } | { id: string; sku: number | undefined }

type Action =
  | { do: 'reserve'; lines: Line[] }
  | { do: 'batch'; lines: Line[]; allOrNothing: boolean }
  | { do: 'confirm' | 'release'; named: Named[] }
  | { do: 'countPacked' | 'count'; items: CountItem[] }
  | { do: 'adjust'; id: string; sku: number; location: number; delta: number; reason: string }
  | { do: 'announce'; id: string; sku: number; location: number; quantity: number; expectedAtMs: number }
  | { do: 'receive'; id: string; quantity: number; receipt: string }
  | { do: 'product'; sku: number; limitPerBuyer: number }
  | { do: 'location'; index: number; active: boolean; priority: number }
  | { do: 'pool'; sku: number; channel: number; quantity: number }
  | {
      do: 'sale'
      id: string
      opensInMs: number
      lastsMs: number
      limitPerBuyer: number
      channels: number[]
      items: { sku: number; quantity: number }[]
    }
  | { do: 'intern'; skus: string[]; locations: string[]; channels: string[] }
  | { do: 'begin'; key: string; fingerprint: string }
  | { do: 'finish'; key: string; fingerprint: string; answer: Outcome }

export interface SequenceStep {
  /** Time passes, or it becomes the instant at which a hold expires or a sale turns, give or take a millisecond. */
  time:
    | { passMs: number }
    | { expiryOf: string; offMs: number }
    | { sale: string; turn: 'opensAtMs' | 'closesAtMs'; offMs: number }
  actions: Action[]
  /** Slices of checkpoint behind the batch; 0: none is begun. `refused`: the disk takes none of it. */
  slices: number
  refused: boolean
  crash: boolean
}

export interface Sequence {
  /** Holds that stand already, so that what follows lies over a page's edge. */
  prefill: number
  truncates: boolean
  steps: SequenceStep[]
}

const oneOf = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const often = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 15, arbitrary: usual }, { weight: 1, arbitrary: rare })

const id = fc.integer({ min: 0, max: IDS - 1 }).map((n) => `r${n}`)
const sku = often<number>(oneOf(SKUS), oneOf(UNKNOWN_SKUS))
const knownSku = oneOf(SKUS)
const location = often<number>(oneOf(LOCATIONS), oneOf(UNKNOWN_LOCATIONS))
const channel = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: oneOf([1, 2, 1023]) })
const buyer = oneOf([0n, 1n, 2n, 0x1_0000_0001n, 0xffff_ffff_ffff_ffffn])
const quantity = often(oneOf([1, 1, 1, 2, 2, 3, 5, 8]), oneOf([0, QUANTITY_MAX, QUANTITY_MAX + 1, 0xffff_ffff]))
const figure = often(oneOf([0, 1, 2, 3, 5, 8, 13, 21]), oneOf([QUANTITY_MAX]))

const line: fc.Arbitrary<Line> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      id,
      sku,
      quantity,
      ttlSeconds: often(oneOf([0, 0, 1, 2, 3, 10, 17, 30, 900]), oneOf([TTL_SECONDS_MAX, TTL_SECONDS_MAX + 1])),
      location: fc.oneof(fc.constant(ANY_LOCATION), location),
      buyer,
      channel,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      again: fc.nat(5),
      change: fc.oneof(
        { weight: 1, arbitrary: fc.constant('nothing' as const) },
        {
          weight: 1,
          arbitrary: oneOf([
            'quantity',
            'ttlSeconds',
            'buyer',
            'any location',
            'other location',
            'channel',
            'sku',
          ] as const),
        },
      ),
    }),
  },
)
const lines = fc.array(line, { minLength: 1, maxLength: 5 })
const named = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ held: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ id, sku: often(fc.constant(undefined), oneOf(SKUS)) }) },
  ),
  { minLength: 1, maxLength: 3 },
)
const countItem = fc.record({ sku, location, onHand: figure, safetyStock: often(oneOf([0, 0, 0, 1, 2, 4]), figure) })
const countItems = fc.array(countItem, { minLength: 1, maxLength: 4 })

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('reserve' as const), lines }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('batch' as const), lines, allOrNothing: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('confirm' as const), named }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('release' as const), named }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('countPacked' as const), items: countItems }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('count' as const), items: countItems }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('adjust' as const),
      id: oneOf(['a1', 'a2', 'a3', 'a4', 'a5']),
      sku,
      location,
      delta: often(oneOf([-13, -5, -2, -1, 1, 2, 5]), oneOf([-QUANTITY_MAX, QUANTITY_MAX])),
      reason: oneOf(['damaged', 'found']),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('announce' as const),
      id: oneOf(['s1', 's2', 's3', 's4']),
      sku,
      location,
      quantity: oneOf([1, 4, 20]),
      expectedAtMs: oneOf([START_MS, START_MS + 86_400_000]),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('receive' as const),
      id: oneOf(['s1', 's2', 's3', 's4']),
      quantity: often(oneOf([1, 3, 4]), oneOf([20, QUANTITY_MAX])),
      receipt: oneOf(['', 'd1', 'd2']),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('product' as const), sku: knownSku, limitPerBuyer: oneOf([0, 0, 1, 3, 5]) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('location' as const),
      index: oneOf(LOCATIONS),
      active: oneOf([true, true, false]),
      priority: oneOf([0, 1, 1, 2, 1_000_000]),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('pool' as const),
      sku,
      channel: oneOf([1, 2, 1023]),
      quantity: oneOf([0, 1, 3, 5, 8]),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('sale' as const),
      // Mostly one and the same, so that it is changed while it runs.
      id: oneOf<string>(['flash', 'flash', 'flash', ...SALES]),
      opensInMs: oneOf([-5_000, -5_000, 0, 0, 1, 1_000, 20_000]),
      lastsMs: oneOf([1, 500, 5_000, 17_000, 600_000]),
      limitPerBuyer: oneOf([0, 0, 1, 2, 5]),
      channels: fc.oneof(
        fc.constant([] as number[]),
        fc.uniqueArray(oneOf([1, 2, 3, 4, 5, 6, 7, 8, 1023]), { minLength: 1, maxLength: CHANNELS_PER_SALE }),
      ),
      items: fc.uniqueArray(fc.record({ sku, quantity: often(oneOf([1, 2, 4, 8, ALL]), oneOf([QUANTITY_MAX])) }), {
        minLength: 1,
        maxLength: 3,
        selector: (item) => item.sku,
      }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('intern' as const),
      skus: fc.array(oneOf(['A', 'B', 'Ä', '😀']), { maxLength: 2 }),
      locations: fc.array(oneOf(['W1', 'W2']), { maxLength: 2 }),
      channels: fc.array(oneOf(['web', 'shop']), { maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('begin' as const),
      key: oneOf(['k1', 'k2', 'k3', 'k4']),
      fingerprint: oneOf(['f1', 'f1', 'f2']),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('finish' as const),
      key: oneOf(['k1', 'k2', 'k3', 'k4']),
      fingerprint: fc.constant('f1'),
      answer: fc.constant({ status: 201, body: { id: 'x' } }),
    }),
  },
)

const time: fc.Arbitrary<SequenceStep['time']> = fc.oneof(
  {
    weight: 5,
    arbitrary: oneOf([0, 0, 1, 63, 64, 65, 500, 999, 1_000, 3_000, 16_384, 30_000, 900_000, 4_194_304]).map(
      (passMs) => ({
        passMs,
      }),
    ),
  },
  { weight: 2, arbitrary: fc.record({ expiryOf: id, offMs: oneOf([-1, 0, 0, 1, 63, 64]) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      sale: oneOf(SALES),
      turn: oneOf(['opensAtMs', 'closesAtMs'] as const),
      offMs: oneOf([-1, 0, 0, 1, 64]),
    }),
  },
)

const step: fc.Arbitrary<SequenceStep> = fc.record({
  time,
  actions: fc.array(action, { minLength: 1, maxLength: 4 }),
  slices: oneOf([0, 0, 1, 1, 2, 5, 100]),
  refused: often(fc.constant(false), fc.constant(true)),
  crash: often(fc.constant(false), fc.constant(true)),
})

/** What each sequence begins with, so that most of what follows has something to be about. */
const opening: fc.Arbitrary<SequenceStep> = fc
  .record({
    limits: fc.tuple(...SKUS.map(() => oneOf([0, 0, 0, 2, 5]))),
    priorities: fc.tuple(...LOCATIONS.map(() => oneOf([0, 1, 1, 2]))),
    stock: fc.array(
      fc.record({ sku: knownSku, location: oneOf(LOCATIONS), onHand: figure, safetyStock: oneOf([0, 0, 1]) }),
      {
        minLength: 4,
        maxLength: 10,
      },
    ),
  })
  .map(({ limits, priorities, stock }) => ({
    time: { passMs: 0 },
    actions: [
      ...SKUS.map((known, i) => ({ do: 'product', sku: known, limitPerBuyer: limits[i]! }) as const),
      ...LOCATIONS.map((index) => ({ do: 'location', index, active: true, priority: priorities[index]! }) as const),
      { do: 'countPacked', items: stock } as const,
    ],
    slices: 0,
    refused: false,
    crash: false,
  }))

/** Sequences in front of which `prefills` many holds stand, one or the other. */
export const sequences = (prefills: number[]): fc.Arbitrary<Sequence> =>
  fc
    .record({
      prefill: oneOf(prefills),
      truncates: fc.boolean(),
      opening,
      steps: fc.array(step, { minLength: 1, maxLength: 25, size: 'max' }),
    })
    .map(({ prefill, truncates, opening, steps }) => ({ prefill, truncates, steps: [opening, ...steps] }))

// ---- as it goes to the actors

/** Sixteen bytes for a name, most of them the same from name to name. */
export function idBytes(id: string): Buffer {
  const n = Number(id.slice(1))
  const bytes = Buffer.alloc(16, 7)
  bytes.writeUInt32LE(id.startsWith('p') ? n + 1000 : n, (n % 4) * 4)
  return bytes
}

export function reserveRecord({ id, sku, quantity, ttlSeconds, location, buyer, channel }: ReserveLine): Buffer {
  const bytes = Buffer.alloc(40)
  idBytes(id).copy(bytes)
  bytes.writeBigUInt64LE(buyer, 16)
  bytes.writeUInt32LE(sku, 24)
  bytes.writeUInt32LE(quantity, 28)
  bytes.writeUInt32LE(ttlSeconds, 32)
  bytes.writeUInt16LE(location, 36)
  bytes.writeUInt16LE(channel, 38)
  return bytes
}

export function namedRecord(id: string, sku: number): Buffer {
  const bytes = Buffer.alloc(20)
  idBytes(id).copy(bytes)
  bytes.writeUInt32LE(sku, 16)
  return bytes
}

export function countRecord({ sku, location, onHand, safetyStock }: CountItem): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32LE(sku, 0)
  bytes.writeUInt32LE(onHand, 4)
  bytes.writeUInt32LE(safetyStock, 8)
  bytes.writeUInt16LE(location, 12)
  return bytes
}

export const frame = (operation: number, records: Buffer[]): Entry => ({
  kind: 'frame',
  operation,
  count: records.length,
  records: Buffer.concat(records),
})

export const command = (name: string, body: unknown): Entry => ({ kind: 'command', name, body })

export function replies({ words }: Answer): Reply[] {
  const found: Reply[] = []
  for (let i = 0; i < words!.length; i += 2) {
    const word = words![i]!
    // The low byte is a status: the actors write no other.
    const status = (word & 0xff) as Status
    found.push({ status, replayed: (word & 0xff00) !== 0, location: word >>> 16, remaining: words![i + 1]! })
  }
  return found
}

/** A problem is compared by its code, everything else whole. */
export function told({ status, body }: Outcome): Outcome {
  const { code, results } = (body ?? {}) as { code?: string; results?: object[] }
  if (code !== undefined) return { status, body: { code } }
  if (!results) return { status, body }
  const each = results.map((result) => ('body' in result ? told(result as Outcome) : result))
  return { status, body: { ...(body as object), results: each } }
}

/** What an action is to be answered, in the form in which the answer is compared. */
type Expected = Reply[] | Outcome

class Run {
  readonly model = new InventoryModel()
  readonly partition: DrivenPartition
  private readonly sent: ReserveLine[] = []
  private timeMs = START_MS
  private checked = 0

  /** `toTheByte`: states are compared as they lie in memory, which only small arenas allow; otherwise by their digests. */
  constructor(
    private readonly sequence: Sequence,
    private readonly toTheByte: boolean,
  ) {
    this.partition = new DrivenPartition({ createActors, copies: toTheByte })
  }

  async all(): Promise<void> {
    if (this.sequence.prefill > 0) this.prefill(this.sequence.prefill)
    for (const step of this.sequence.steps) await this.step(step)
    await this.recoveries()
  }

  private prefill(holds: number): void {
    const item: CountItem = { sku: PREFILL_SKU, location: 0, onHand: holds, safetyStock: 0 }
    const ids = Array.from({ length: holds }, (_, i) => `p${i}`)
    const lines = ids.map((id) => ({
      id,
      sku: PREFILL_SKU,
      quantity: 1,
      ttlSeconds: TTL_SECONDS_MAX,
      location: ANY_LOCATION,
      buyer: 0n,
      channel: 0,
    }))
    const { entries } = this.prepare([
      { do: 'product', sku: PREFILL_SKU, limitPerBuyer: 0 },
      { do: 'location', index: 0, active: true, priority: 0 },
      { do: 'countPacked', items: [item] },
      { do: 'reserve', lines },
    ])
    this.compareEvents(this.partition.run(this.timeMs, entries).events)
    this.sent.length = 0
  }

  private async step({ time, actions, slices, refused, crash }: SequenceStep): Promise<void> {
    this.timeMs = this.timeOf(time)
    if (slices > 0) this.partition.beginCheckpoint()
    this.letTimersRun()
    const { entries, expected } = this.prepare(actions)
    const { answers, events } = this.partition.run(this.timeMs, entries)
    answers.forEach((answer, i) => {
      const given = answer.outcome ? told(answer.outcome) : replies(answer)
      expect(given, `the answer to ${JSON.stringify(actions[i], bigintAsText)}`).toEqual(expected[i])
    })
    this.compareEvents(events)
    this.compareViews()
    for (let i = 0; i < slices; i++) await this.slice(refused)
    if (crash) await this.crash()
  }

  private timeOf(time: SequenceStep['time']): number {
    if ('passMs' in time) return this.timeMs + time.passMs
    const instant =
      'sale' in time ? this.model.sales.get(time.sale)?.[time.turn] : this.model.holds.get(time.expiryOf)?.expiresAtMs
    return Math.max(this.timeMs, (instant ?? this.timeMs) + time.offMs)
  }

  /** Entries that carry the actions out, and what the model says to each, in order. */
  private prepare(actions: Action[]): { entries: Entry[]; expected: Expected[] } {
    const entries: Entry[] = []
    const expected: Expected[] = []
    for (const action of actions) {
      const [entry, answer] = this.carryOut(action)
      this.model.publishMoves()
      entries.push(entry)
      expected.push(answer)
    }
    return { entries, expected }
  }

  private resolve(lines: Line[]): ReserveLine[] {
    return lines.flatMap((line) => {
      const resolved = 'again' in line ? this.changed(line) : line
      if (resolved) this.sent.push(resolved)
      return resolved ? [resolved] : []
    })
  }

  private name(named: Named): { id: string; sku: number } {
    const { holds } = this.model
    if ('id' in named) return { id: named.id, sku: named.sku ?? holds.get(named.id)?.sku ?? 0 }
    const live = [...holds.values()].filter(({ status }) => status === 'held' || status === 'confirmed')
    return live.at(-1 - (named.held % Math.max(1, live.length))) ?? { id: 'r0', sku: 0 }
  }

  private changed({ again, change }: Again): ReserveLine | undefined {
    const before = this.sent.at(-1 - (again % Math.max(1, this.sent.length)))
    if (!before) return undefined
    switch (change) {
      case 'quantity':
        return { ...before, quantity: before.quantity === 1 ? 2 : 1 }
      case 'ttlSeconds':
        return { ...before, ttlSeconds: before.ttlSeconds === 0 ? 900 : before.ttlSeconds + 1 }
      case 'buyer':
        return { ...before, buyer: before.buyer ^ 0x1_0000_0000n }
      case 'any location': {
        // Where it was in fact taken from is not what was asked for, either.
        const taken = this.model.holds.get(before.id)?.at ?? 0
        return { ...before, location: before.location === ANY_LOCATION ? taken : ANY_LOCATION }
      }
      case 'other location':
        return { ...before, location: before.location === 1 ? 2 : 1 }
      case 'channel':
        return { ...before, channel: before.channel === 0 ? 1 : 0 }
      case 'sku':
        return { ...before, sku: before.sku === 0 ? 1 : 0 }
      default:
        return before
    }
  }

  private carryOut(action: Action): [Entry, Expected] {
    const { model, timeMs } = this
    switch (action.do) {
      case 'reserve': {
        const lines = this.resolve(action.lines)
        return [frame(Operation.reserve, lines.map(reserveRecord)), lines.map((line) => model.reserve(line, timeMs))]
      }
      case 'batch': {
        const lines = this.resolve(action.lines)
        const { allOrNothing } = action
        const body = { lines: Buffer.concat(lines.map(reserveRecord)), allOrNothing }
        return [command('reservation.batch', body), model.reserveBatch(lines, allOrNothing, timeMs)]
      }
      case 'confirm':
      case 'release': {
        const items = action.named.map((each) => this.name(each))
        const records = items.map(({ id, sku }) => namedRecord(id, sku))
        return action.do === 'confirm'
          ? [frame(Operation.confirm, records), items.map(({ id, sku }) => model.confirm(id, sku, timeMs))]
          : [frame(Operation.release, records), items.map(({ id, sku }) => model.release(id, sku))]
      }
      case 'countPacked':
        return [
          frame(Operation.count, action.items.map(countRecord)),
          action.items.map((item) => model.countPacked(item)),
        ]
      case 'count': {
        const { items } = action
        return [
          command('inventory.count', { items }),
          { status: 200, body: { results: items.map((item) => model.count(item)) } },
        ]
      }
      case 'adjust': {
        const { do: _, ...adjustment } = action
        return [command('inventory.adjust', adjustment), model.adjust(adjustment)]
      }
      case 'announce': {
        const { do: _, ...rest } = action
        const line = { ...rest, received: 0, reference: 'PO 7' }
        return [command('supply.announce', line), model.announce(line)]
      }
      case 'receive': {
        const { do: _, ...receipt } = action
        return [command('supply.receive', receipt), model.receive(receipt.id, receipt.quantity, receipt.receipt)]
      }
      case 'product': {
        const { sku, limitPerBuyer } = action
        const product = { name: 'Thing', ...(limitPerBuyer > 0 ? { limitPerBuyer } : {}) }
        const items = [{ index: sku, sku: `SKU-${sku}`, product }]
        return [
          command('product.put', { items }),
          { status: 200, body: { results: [model.putProduct(sku, limitPerBuyer)] } },
        ]
      }
      case 'location': {
        const { index, active, priority } = action
        const entry = { index, id: `W${index}`, location: { active, priority, name: 'Hall' } }
        return [command('location.put', entry), model.putLocation(index, active, priority, entry)]
      }
      case 'pool': {
        const { sku, channel, quantity } = action
        return [command('pool.put', { sku, channel, quantity }), model.putChannelPool(sku, channel, quantity, timeMs)]
      }
      case 'sale': {
        const { id, limitPerBuyer, channels, items } = action
        const opensAtMs = timeMs + action.opensInMs
        const closesAtMs = opensAtMs + action.lastsMs
        const sale: Sale = { id, name: id, opensAtMs, closesAtMs, limitPerBuyer, channels, items }
        return [command('sale.put', sale), model.putSale(sale, timeMs)]
      }
      case 'intern': {
        const { do: _, ...names } = action
        return [command('catalog.intern', names), model.intern(names)]
      }
      case 'begin': {
        const { key, fingerprint } = action
        return [command('idempotency.begin', { key, fingerprint }), model.begin(key, fingerprint)]
      }
      default: {
        const { key, fingerprint, answer } = action
        return [command('idempotency.finish', { key, fingerprint, answer }), model.finish(key, fingerprint, answer)]
      }
    }
  }

  /**
   * Timers run before the batch, in as many slices as it takes. Which of those that are due runs first is the wheel's
   * business; that they were due, and that none is left, is the model's.
   */
  private letTimersRun(): void {
    const { partition, model } = this
    for (let slices = 0; partition.state.actors.isDue(this.timeMs); slices++) {
      expect(slices, 'slices until nothing is due').toBeLessThan(1_000)
      const { events } = partition.run(this.timeMs, [{ kind: 'advance' }])
      this.expireAsSeen()
      for (const event of events) this.closeAsSeen(event)
      this.compareEvents(events)
    }
    expect(model.overdue(this.timeMs), 'holds whose time is up').toEqual([])
    expect(model.closings(this.timeMs), 'sales whose time is over').toEqual([])
  }

  private expireAsSeen(): void {
    const { model } = this
    const due = new Set(model.overdue(this.timeMs))
    const ended = this.endedInOrder()
    const expired = ended.filter((id) => model.holds.get(id)?.status === 'held')
    expect(expired.length).toBeLessThanOrEqual(TIMERS_PER_ENTRY)
    for (const id of expired) {
      expect(due.has(id), `${id} is due`).toBe(true)
      model.expire(id)
    }
    expect(ended, 'what has ended, oldest first').toEqual(model.ended)
  }

  private closeAsSeen({ type, subject, data }: ModelEvent): void {
    expect(this.model.closings(this.timeMs)).toContainEqual({ type, subject, data })
    const { sale, sku } = data as { sale: string; sku: number }
    this.model.close(sale, sku)
  }

  private get actors(): RetailActors {
    const { actors } = this.partition.state
    if (!(actors instanceof RetailActors)) throw new Error('these are the actors of this module')
    return actors
  }

  private endedInOrder(): string[] {
    const { reservations } = this.actors.inventory
    const names = new Map([...this.model.holds.keys()].map((id) => [idBytes(id).toString('hex'), id]))
    const ended: string[] = []
    reservations.forEachEnded((record) => {
      const bytes = Buffer.from(reservations.words.slice(record * 16, record * 16 + 4).buffer)
      ended.push(names.get(bytes.toString('hex')) ?? 'nobody')
    })
    return ended
  }

  private compareEvents(events: ModelEvent[]): void {
    const given = events.map(({ type, subject, data }) => ({ type, subject, data }))
    expect(given, 'what was published').toEqual(this.model.events.slice(this.checked))
    this.checked = this.model.events.length
  }

  private compareViews(): void {
    const { model } = this
    const ask = (name: string, body: unknown): Outcome => this.partition.query(this.timeMs, name, body)
    for (const sku of [...SKUS, ...UNKNOWN_SKUS, PREFILL_SKU]) {
      const view = model.stockView(sku)
      const outcome = ask('inventory.get', { index: sku })
      if (view) expect(outcome).toEqual({ status: 200, body: view })
      else expect(told(outcome)).toEqual({ status: 404, body: { code: 'unknown_sku' } })
    }
    for (let n = 0; n < IDS; n++) {
      const view = model.reservationView(`r${n}`)
      const outcome = ask('reservation.get', { id: idBytes(`r${n}`) })
      if (view) expect(outcome).toEqual({ status: 200, body: view })
      else expect(told(outcome)).toEqual({ status: 404, body: { code: 'unknown_reservation' } })
    }
    expect(ask('sale.list', {})).toEqual({ status: 200, body: { items: [...model.sales.values()] } })
    for (const sale of model.sales.keys()) {
      expect(ask('sale.taken', { id: sale })).toEqual({ status: 200, body: { items: model.takenOf(sale) } })
    }
    const locations = [...model.locations.values()].map(({ entry }) => entry)
    expect(ask('location.list', {})).toEqual({ status: 200, body: { items: locations } })
    for (const line of model.supply.values()) {
      expect(ask('supply.get', { id: line.id })).toEqual({ status: 200, body: line })
    }
    for (const kind of ['skus', 'locations', 'channels'] as const) {
      expect(ask('catalog.names', { kind, from: 1, limit: 2 })).toEqual(model.namesFrom(kind, 1, 2))
    }
    expect(ask('figures', {}).body as object).toMatchObject(model.figures)
    this.compareKeptEvents()
    expect(this.partition.state.actors.check()).toEqual([])
  }

  private compareKeptEvents(): void {
    const { first, last } = this.model.eventNumbers
    const { events, ...rest } = this.partition.state.outbox.eventsAfter(0, Number.POSITIVE_INFINITY)
    expect(rest).toEqual({ missed: first > 1, last })
    expect(events.map(({ type, subject, data }) => ({ type, subject, data }))).toEqual(
      this.model.events.slice(first - 1),
    )
  }

  private async slice(refused: boolean): Promise<void> {
    const { partition } = this
    const begun = partition.continueCheckpoint(refused)
    if (!begun) return
    if (this.toTheByte) await partition.fromCheckpoint(({ store }) => expect(differences(store, begun)).toEqual([]))
    if (this.sequence.truncates) partition.truncateLog()
  }

  private async crash(): Promise<void> {
    const same = this.sameAsNow()
    await this.partition.restart()
    same(this.partition)
    this.compareViews()
  }

  /** Holds another state to what this one is now. */
  private sameAsNow(): (recovered: Recovered) => void {
    const digest = this.partition.digest()
    const copy = this.toTheByte ? copyOf(this.partition.store) : undefined
    return ({ state, store }) => {
      if (copy) expect(differences(store, copy)).toEqual([])
      expect(state.digest().toString()).toBe(digest)
      expect(state.actors.check()).toEqual([])
    }
  }

  /** Every way back to the state leads to the same state. */
  private async recoveries(): Promise<void> {
    const { partition } = this
    const same = this.sameAsNow()
    await partition.fromLog(async (recovered) => {
      same(recovered)
      await partition.fromWhole(recovered, same)
    })
    await this.crash()
    same(partition)
    partition.checkpoint()
    await partition.fromCheckpoint(same)
  }

  dispose(): Promise<void> {
    return this.partition.dispose()
  }
}

const bigintAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

export async function runSequence(sequence: Sequence, toTheByte: boolean): Promise<void> {
  const run = new Run(sequence, toTheByte)
  try {
    await run.all()
  } finally {
    await run.dispose()
  }
}
