import fc from 'fast-check'
import { describe, it, vi } from 'vitest'

vi.mock('./limits.js', async (original) => ({
  ...(await original<typeof import('./limits.js')>()),
  SKUS_MAX: 1_024,
  STOCK_BLOCKS_MAX: 64,
  RESERVATIONS_MAX: 1_024,
  CHANNELS_MAX: 64,
  POOLS_MAX: 64,
  BUYERS_MAX: 256,
  LOCATIONS_MAX: 64,
}))
vi.mock('../engine/limits.js', async (original) => ({
  ...(await original<typeof import('../engine/limits.js')>()),
  CHECKPOINT_RING_BYTES: 4 * 1024 * 1024,
  CHECKPOINT_PAGES_PER_STEP: 1,
}))

const { moves, Network } = await import('./network.contract.js')

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
