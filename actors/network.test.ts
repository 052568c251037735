import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'

vi.mock('./limits.js', async (original) => ({
  ...(await original<typeof import('./limits.js')>()),
  SKUS_MAX: 1_024,
  STOCK_BLOCKS_MAX: 64,
  RESERVATIONS_MAX: 1_024,
  CHANNELS_MAX: 64,
  POOLS_MAX: 64,
  BUYERS_MAX: 256,
  OPEN_ORDERS_MAX: 1_024,
  LOCATIONS_MAX: 64,
  POOLS_PER_SKU: 2,
}))
vi.mock('../engine/limits.js', async (original) => ({
  ...(await original<typeof import('../engine/limits.js')>()),
  CHECKPOINT_RING_BYTES: 2 * 1024 * 1024,
  CHECKPOINT_PAGES_PER_STEP: 1,
  CHECKPOINT_DOCUMENTS_PER_STEP: 1,
  OUTBOX_MESSAGES_MAX: 40,
}))

const { command, reserveRecord } = await import('./inventory/inventory-sequences.contract.js')
const { ANY_LOCATION } = await import('./inventory/wire.js')
const { moves, Network } = await import('./network.contract.js')
type Net = InstanceType<typeof Network>

/** More for a long search: NETWORK_RUNS=2000. */
const RUNS = Number(process.env.NETWORK_RUNS ?? 25)
const { NETWORK_SEED, NETWORK_PATH } = process.env
const REPLAY = {
  ...(NETWORK_SEED ? { seed: Number(NETWORK_SEED) } : {}),
  ...(NETWORK_PATH ? { path: NETWORK_PATH } : {}),
}

describe('several partitions', () => {
  it('hold all of a batch or none of it, in whatever order messages come and partitions crash', {
    timeout: 3_600_000,
  }, async () => {
    const skew = fc.array(fc.constantFrom(0, 300, -500), { minLength: 4, maxLength: 4 })
    const world = fc.record({
      partitions: fc.integer({ min: 2, max: 4 }),
      skew,
      stock: fc.constantFrom(2, 4, 50),
      moves,
    })
    await fc.assert(
      fc.asyncProperty(world, async ({ partitions, skew, stock, moves }) => {
        const network = new Network(partitions, skew)
        try {
          network.open(stock)
          for (const move of moves) await network.move(move)
          network.settle()
          network.checkQuiet()
          await network.checkRecovery()
        } finally {
          await network.dispose()
        }
      }),
      { numRuns: RUNS, ...REPLAY },
    )
  })
})

describe('two partitions', () => {
  let network: Net | undefined
  afterEach(() => network?.dispose())

  function opened(stock: number): Net {
    network = new Network(2)
    network.open(stock)
    network.heard.length = 0
    return network
  }

  const lineOf = (id: number, sku: number, ttlSeconds = 900, quantity = 1) =>
    ({ id: `r${id}`, sku, quantity, ttlSeconds, location: ANY_LOCATION, buyer: 0n, channel: 0 }) as const

  const batchOf = (...lines: ReturnType<typeof lineOf>[]) =>
    command('reservation.batch', { lines: Buffer.concat(lines.map(reserveRecord)), allOrNothing: true })

  it('forget a refused batch whole, so that it may be tried again, also when its time was up before', () => {
    const network = opened(2)
    // SKU 1 is in the other partition, and there are four of it.
    const refused = batchOf(lineOf(0, 0, 1), lineOf(1, 1, 1, 5))
    network.run(0, [refused])
    network.timeMs += 500
    network.deliver({ from: 0, to: 0 }, 0, 1)
    network.timeMs += 5_000
    network.settle()
    expect(network.heard).toMatchObject([{ body: { held: false } }])
    expect(network.viewOf('r0', 0), 'a line of a refused batch').toBeUndefined()
    network.heard.length = 0
    network.run(0, [batchOf(lineOf(0, 0, 1), lineOf(2, 1, 1))])
    network.settle()
    expect(network.heard).toMatchObject([{ body: { held: true, results: [{ state: 'held', replayed: false }, {}] } }])
  })

  const saleOf = (id: string, skus: number[]) => {
    const times = { opensAtMs: 0, closesAtMs: 4e12 }
    const items = skus.map((sku) => ({ sku, quantity: 1 }))
    return command('sale.put', { id, name: id, ...times, limitPerBuyer: 0, channels: [], items })
  }

  it('refuse a sale of which one of them can take no more', () => {
    const network = opened(9)
    for (const id of ['a', 'b']) network.run(0, [saleOf(id, [1])])
    network.settle()
    network.heard.length = 0
    network.run(0, [saleOf('c', [0, 1])])
    network.settle()
    expect(network.heard).toMatchObject([{ status: 503, body: { code: 'overloaded' } }])
    expect(network.stockOf(0).atp, 'nothing of it is set apart').toBe(18)
  })

  it('refuse a sale of a SKU that the other does not know', () => {
    const network = opened(9)
    network.run(0, [saleOf('c', [0, 77])])
    network.settle()
    expect(network.heard).toMatchObject([{ status: 404, body: { code: 'unknown_sku' } }])
  })

  it('keep so many messages and no more while they are not acknowledged, and refuse by name what needs more', () => {
    const network = opened(2)
    for (let i = 0; i < 60; i++) network.run(0, [batchOf(lineOf(2 * i, 0), lineOf(2 * i + 1, 1))])
    expect(network.partitions[0]!.state.outbox.waiting).toBeLessThanOrEqual(40)
    expect(network.heard.at(-1)).toMatchObject({ status: 503, body: { code: 'overloaded' } })
    network.settle()
    network.checkQuiet()
    network.heard.length = 0
    network.run(0, [batchOf(lineOf(900, 2), lineOf(901, 3))])
    network.settle()
    expect(network.heard).toMatchObject([{ body: { held: true } }])
  })
})
