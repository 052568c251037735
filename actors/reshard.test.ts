import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'

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
  IDEMPOTENCY_KEYS_KEPT: 3,
}))
vi.mock('../engine/limits.js', async (original) => ({
  ...(await original<typeof import('../engine/limits.js')>()),
  CHECKPOINT_RING_BYTES: 2 * 1024 * 1024,
  CHECKPOINT_PAGES_PER_STEP: 1,
  CHECKPOINT_DOCUMENTS_PER_STEP: 1,
}))

const { DrivenPartition, OpenStore } = await import('../engine/driven-partition.contract.js')
const { Placement } = await import('../engine/placement.js')
const { PartitionState } = await import('../engine/state.js')
const { command, frame, namedRecord, reserveRecord, replies } = await import(
  './inventory/inventory-sequences.contract.js'
)
const { ANY_LOCATION, Operation, Status } = await import('./inventory/wire.js')
const { createActors } = await import('./main.js')
const { moves, Network } = await import('./network.contract.js')
const { redistribute } = await import('./reshard.js')
type Driven = InstanceType<typeof DrivenPartition>
type Net = InstanceType<typeof Network>
type Ordered = ReturnType<typeof command>

const RUNS = Number(process.env.RESHARD_RUNS ?? 12)
const { RESHARD_SEED, RESHARD_PATH } = process.env
const REPLAY = {
  ...(RESHARD_SEED ? { seed: Number(RESHARD_SEED) } : {}),
  ...(RESHARD_PATH ? { path: RESHARD_PATH } : {}),
}

/** What the partitions hold, dealt out to `count` others, written whole and opened again. */
async function dealtOut(from: Driven[], count: number): Promise<Driven[]> {
  const placement = new Placement(count)
  const to = Array.from({ length: count }, (_, partition) => {
    const directory = mkdtempSync(join(tmpdir(), 'doorbuster-'))
    const store = new OpenStore(join(directory, 'store.mdb'), partition, 'offline')
    const seed = crypto.getRandomValues(new Uint32Array(4))
    return { directory, store, state: new PartitionState(store, partition, placement, createActors, seed) }
  })
  const timeMs = Math.max(...from.map(({ state }) => state.timeMs))
  const sequence = Math.max(...from.map(({ state }) => state.position.sequence))
  redistribute(
    from.map(({ state }) => state.actors),
    to.map(({ state }) => state.actors),
    timeMs,
  )
  for (const { state, store } of to) {
    expect(state.actors.check()).toEqual([])
    store.writeWhole({ position: { sequence, crc: 0 }, timeMs })
    await store.close()
  }
  return to.map(
    ({ directory }, partition) => new DrivenPartition({ createActors, directory, partition, partitions: count }),
  )
}

const extra = fc.array(
  fc.oneof(
    fc.record({ name: fc.constant('limit' as const), sku: fc.nat(5), n: fc.constantFrom(0, 1, 3) }),
    fc.record({ name: fc.constant('pool' as const), sku: fc.nat(5), n: fc.constantFrom(0, 1, 5) }),
    fc.record({ name: fc.constant('adjust' as const), sku: fc.nat(5), n: fc.constantFrom(1, 2, 7) }),
    fc.record({ name: fc.constant('announce' as const), sku: fc.nat(5), n: fc.constantFrom(1, 2, 3) }),
    fc.record({ name: fc.constant('receive' as const), sku: fc.nat(5), n: fc.constantFrom(1, 2, 3) }),
    fc.record({ name: fc.constant('key' as const), sku: fc.nat(5), n: fc.nat(5) }),
    fc.record({ name: fc.constant('intern' as const), sku: fc.nat(5), n: fc.nat(9) }),
  ),
  { maxLength: 12 },
)

/** Everything else that partitions hold; each id is of one SKU. */
function furnish(network: Net, { name, sku, n }: { name: string; sku: number; n: number }): void {
  const at = network.placement.partitionOf(sku)
  const run = (partition: number, ordered: Ordered): void => {
    network.run(partition, [ordered])
  }
  switch (name) {
    case 'limit': {
      const product = { name: 'Thing', ...(n > 0 ? { limitPerBuyer: n } : {}) }
      run(at, command('product.put', { items: [{ index: sku, sku: `SKU-${sku}`, product }] }))
      break
    }
    case 'pool':
      run(at, command('pool.put', { sku, channel: 1, quantity: n }))
      break
    case 'adjust':
      run(at, command('inventory.adjust', { id: `a${sku}-${n}`, sku, location: 2, delta: n, reason: 'found' }))
      break
    case 'announce': {
      const id = `s${sku}`
      const line = { id, sku, location: 1, quantity: n * 2, received: 0, expectedAtMs: 1e12 + n, reference: '' }
      run(at, command('supply.announce', line))
      break
    }
    case 'receive':
      run(at, command('supply.receive', { id: `s${sku}`, quantity: n, receipt: `r${n}` }))
      break
    case 'key':
      run(0, command('idempotency.begin', { key: `k${n}`, fingerprint: 'f' }))
      if (n % 2 === 1) break
      run(0, command('idempotency.finish', { key: `k${n}`, fingerprint: 'f', answer: { status: 201, body: n } }))
      break
    default:
      run(0, command('catalog.intern', { skus: [`SKU-${n}`], channels: [`channel ${n % 3}`] }))
  }
}

const count = fc.integer({ min: 1, max: 4 })

describe('redistributing what some partitions hold to others', () => {
  it('changes neither the digest nor any answer, there and back', { timeout: 3_600_000 }, async () => {
    const world = fc.record({
      n: count,
      m: count,
      stock: fc.constantFrom(3, 10),
      before: moves,
      after: moves,
      extra,
      more: extra,
    })
    await fc.assert(
      fc.asyncProperty(world, async ({ n, m, stock, before, after, extra, more }) => {
        const networks: Net[] = []
        try {
          const first = new Network(n)
          networks.push(first)
          first.open(stock)
          for (const item of extra) furnish(first, item)
          for (const move of before) await first.move(move)
          first.settle()
          first.checkQuiet()

          const second = first.over(await dealtOut(first.partitions, m))
          networks.push(second)
          expect(second.digest(), 'the digest of the whole').toBe(first.digest())
          expect(second.views()).toEqual(first.views())

          first.heard.length = 0
          for (const network of [first, second]) {
            for (const item of more) furnish(network, item)
            for (const move of after) {
              await network.move(move)
              network.settle()
            }
            network.checkQuiet()
          }
          expect(second.heard, 'the answers after it').toEqual(first.heard)
          expect(second.views()).toEqual(first.views())
          expect(second.digest()).toBe(first.digest())

          const third = second.over(await dealtOut(second.partitions, n))
          networks.push(third)
          expect(third.digest(), 'the digest of the whole, back again').toBe(second.digest())
          expect(third.views()).toEqual(first.views())
        } finally {
          for (const network of networks) await network.dispose()
        }
      }),
      { numRuns: RUNS, ...REPLAY },
    )
  })

  it('keeps both of two reservations that share an id', async () => {
    const two = new Network(2)
    two.open(5)
    const line = (sku: number) =>
      ({ id: 'r0', sku, quantity: 1, ttlSeconds: 900, location: ANY_LOCATION, buyer: 0n, channel: 0 }) as const
    for (const sku of [0, 1]) two.run(sku, [frame(Operation.reserve, [reserveRecord(line(sku))])])
    const one = two.over(await dealtOut(two.partitions, 1))
    try {
      expect(one.digest()).toBe(two.digest())
      const [confirmed] = one.run(0, [
        frame(
          Operation.confirm,
          [0, 1].map((sku) => namedRecord('r0', sku)),
        ),
      ])
      expect(replies(confirmed!).map(({ status }) => status)).toEqual([Status.done, Status.done])
      expect([0, 1].map((sku) => one.stockOf(sku).allocated)).toEqual([1, 1])
      const [released] = one.run(0, [
        frame(
          Operation.release,
          [0, 1].map((sku) => namedRecord('r0', sku)),
        ),
      ])
      expect(replies(released!).map(({ status }) => status)).toEqual([Status.done, Status.done])
      expect([0, 1].map((sku) => one.stockOf(sku).atp)).toEqual([10, 10])
    } finally {
      await two.dispose()
      await one.dispose()
    }
  })

  it.each([
    [
      'adjustments',
      (sku: number) => command('inventory.adjust', { id: 'x', sku, location: 0, delta: 1, reason: 'found' }),
    ],
    [
      'supply',
      (sku: number) =>
        command('supply.announce', {
          id: 'x',
          sku,
          location: 0,
          quantity: 5,
          received: 0,
          expectedAtMs: 1e12,
          reference: '',
        }),
    ],
  ])('is not stopped by %s that share an id', async (_what, order) => {
    const two = new Network(2)
    two.open(5)
    for (const sku of [0, 1]) two.run(sku, [order(sku)])
    const one = two.over(await dealtOut(two.partitions, 1))
    try {
      expect(one.digest()).toBe(two.digest())
    } finally {
      await two.dispose()
      await one.dispose()
    }
  })
})
