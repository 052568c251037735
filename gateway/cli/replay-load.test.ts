import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FrameSocket } from '../client/index.js'
import { StockServer } from '../client/stock-server.contract.js'
import { Outcome } from './cancellations.js'
import { type History, joinPieces } from './history.js'
import { audit, oversoldUnits } from './replay-audit.js'
import { type LoadResult, ReplayLoad } from './replay-load.js'

interface Line {
  readonly kind: 0 | 1
  readonly sku: number
  readonly customer: number
  readonly quantity: number
}

const SKUS = 4
const line: fc.Arbitrary<Line> = fc.record({
  kind: fc.constantFrom(0, 0, 0, 1),
  sku: fc.nat(SKUS - 1),
  customer: fc.nat(3),
  quantity: fc.integer({ min: 1, max: 4 }),
})

function history(lines: readonly Line[]): History {
  return joinPieces([
    {
      lines: lines.length,
      lineBreaks: lines.length,
      kinds: Uint8Array.from(lines, ({ kind }) => kind),
      skus: Uint32Array.from(lines, ({ sku }) => sku),
      quantities: Uint32Array.from(lines, ({ quantity }) => quantity),
      atMs: Float64Array.from(lines, (_, i) => i),
      customers: Float64Array.from(lines, ({ customer }) => customer),
      lineNumbers: Uint32Array.from(lines, (_, i) => i + 2),
      articles: Array.from({ length: SKUS }, (_, i) => ({ sku: `SKU-${i}`, name: '', price: '' })),
      charges: new Map(),
      badLines: new Map(),
      badExamples: [],
      writeOffs: 0,
    },
  ])
}

/** The same history by hand, one line after the other. */
function byHand(lines: readonly Line[], stock: readonly number[]) {
  const left = [...stock]
  const outcomes = lines.map(() => Outcome.none as number)
  const releases = lines.map(() => -1)
  lines.forEach(({ kind, sku, customer, quantity }, at) => {
    if (kind === 0) {
      const fits = (left[sku] ?? 0) >= quantity
      outcomes[at] = fits ? Outcome.held : Outcome.refused
      if (fits) left[sku] = (left[sku] ?? 0) - quantity
      return
    }
    const candidates = lines
      .map((other, index) => ({ ...other, index }))
      .filter((other) => other.kind === 0 && other.index < at && outcomes[other.index] === Outcome.held)
      .filter((other) => other.sku === sku && other.customer === customer && other.quantity <= quantity)
      .sort((a, b) => b.quantity - a.quantity || b.index - a.index)
    const chosen = candidates[0]
    if (!chosen) return
    releases[at] = chosen.index
    outcomes[chosen.index] = Outcome.released
    left[sku] = (left[sku] ?? 0) + chosen.quantity
  })
  return { outcomes, releases, left }
}

describe('replaying a history', () => {
  const server = new StockServer()
  beforeAll(() => server.listening())
  afterAll(() => server.stop())

  async function replay(
    lines: readonly Line[],
    stock: readonly number[],
    run: number,
  ): Promise<{ past: History; load: LoadResult }> {
    stock.forEach((units, sku) => void server.stock.set(sku, units))
    server.held.clear()
    const past = history(lines)
    const socket = await FrameSocket.connect(server.url)
    const skuIndices = Uint32Array.from({ length: SKUS }, (_, i) => i)
    const idPrefix = Buffer.alloc(16, run)
    const load = await new ReplayLoad({ history: past, skuIndices, idPrefix, speed: 'max' }, socket).run()
    socket.terminate()
    return { past, load }
  }

  it('gives each line what it would have had one after the other, however late and shuffled the answers come', async () => {
    // Answers wait a little and overtake each other, as they may; the frames are done in order.
    server.intercept = (bytes, socket) => {
      const answer = server.answer(bytes)
      setTimeout(() => socket.send(answer), (bytes[4] ?? 0) % 3)
      return true
    }
    let run = 0
    const stocks = fc.array(fc.nat(60), { minLength: SKUS, maxLength: SKUS })
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 700, size: 'max' }), stocks, async (lines, stock) => {
        const expected = byHand(lines, stock)
        const { load, past } = await replay(lines, stock, ++run)
        expect([...load.outcomes]).toEqual(expected.outcomes)
        expect([...load.releases]).toEqual(expected.releases)
        expect(load.cancellationsMatched).toBe(expected.releases.filter((sale) => sale >= 0).length)
        const inventory = (left: readonly number[], of: readonly number[]) =>
          left.map((units, sku) => ({
            sku: `SKU-${sku}`,
            onHand: of[sku] ?? 0,
            reserved: (of[sku] ?? 0) - units,
            allocated: 0,
            atp: units,
            locations: [],
          }))
        const accounts = audit(past, load, inventory(stock, stock), inventory(expected.left, stock))
        expect(accounts.filter((account) => oversoldUnits(account) > 0)).toEqual([])
      }),
      { numRuns: 10 },
    )
    server.intercept = undefined
  })

  it('gives a unit that comes back to the next in line, not to one behind', async () => {
    const sale: Line = { kind: 0, sku: 0, customer: 1, quantity: 1 }
    const lines = [sale, sale, { ...sale, kind: 1 } as const, ...Array.from({ length: 600 }, () => sale)]
    const { load } = await replay(lines, [2, 0, 0, 0], 199)
    const held = [...load.outcomes].flatMap((outcome, at) => (outcome === Outcome.held ? [at] : []))
    expect([load.outcomes[1], held]).toEqual([Outcome.released, [0, 3]])
  })

  it('sends again what the server is too busy for, until it is done', async () => {
    let frames = 0
    server.intercept = (bytes, socket) => {
      if (frames++ % 2 === 1) return false
      const count = bytes.readUInt16LE(2)
      const busy = Buffer.alloc(8 + 8 * count)
      bytes.copy(busy, 0, 0, 8)
      busy[1] = (bytes[1] ?? 0) | 0x80
      for (let i = 0; i < count; i++) busy[8 + 8 * i] = 8
      socket.send(busy)
      return true
    }
    const lines = Array.from(
      { length: 210 },
      (_, i): Line => ({ kind: i % 7 === 6 ? 1 : 0, sku: i % SKUS, customer: 1, quantity: 1 }),
    )
    const { load } = await replay(lines, [1000, 1000, 1000, 1000], 200)
    expect(load.overloads).toBeGreaterThan(0)
    const settled: number[] = [Outcome.held, Outcome.released]
    expect(lines.every(({ kind }, i) => kind === 1 || settled.includes(load.outcomes[i] ?? 0))).toBe(true)
    server.intercept = undefined
  })

  it('names what is wrong when the server booked otherwise than it told, or promised too much', async () => {
    const lines: Line[] = [
      { kind: 0, sku: 0, customer: 1, quantity: 3 },
      { kind: 0, sku: 1, customer: 1, quantity: 2 },
    ]
    const { load, past } = await replay(lines, [10, 10, 10, 10], 201)
    const stock = (reserved: readonly number[], onHand: number) =>
      reserved.map((units, sku) => ({
        sku: `SKU-${sku}`,
        onHand,
        reserved: units,
        allocated: 0,
        atp: onHand - units,
        locations: [],
      }))
    const units = (before: number, after: readonly number[]) =>
      audit(past, load, stock([0, 0, 0, 0], before), stock(after, before)).map(oversoldUnits)
    expect(units(10, [3, 2, 0, 0])).toEqual([0, 0, 0, 0])
    expect(units(10, [3, 1, 0, 0])).toEqual([0, 1, 0, 0])
    expect(units(2, [3, 2, 0, 0])).toEqual([1, 0, 0, 0])
  })

  it('stops with an error when the connection breaks', async () => {
    server.intercept = (_bytes, socket) => {
      socket.close(1011, 'out of disk')
      return true
    }
    const lines: Line[] = [{ kind: 0, sku: 0, customer: 1, quantity: 1 }]
    await expect(replay(lines, [1, 1, 1, 1], 202)).rejects.toThrow(/1011 out of disk/)
    server.intercept = undefined
  })
})
