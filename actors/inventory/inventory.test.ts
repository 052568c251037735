import fc from 'fast-check'
import { describe, it, vi } from 'vitest'

// Room for all that a sequence can want, in arenas that are quick to make and to compare.
vi.mock('../limits.js', async (original) => ({
  ...(await original<typeof import('../limits.js')>()),
  SKUS_MAX: 2_048,
  STOCK_BLOCKS_MAX: 64,
  RESERVATIONS_MAX: 2_048,
  CHANNELS_MAX: 64,
  POOLS_MAX: 64,
  BUYERS_MAX: 256,
  OPEN_ORDERS_MAX: 1_024,
}))
vi.mock('../../engine/limits.js', async (original) => ({
  ...(await original<typeof import('../../engine/limits.js')>()),
  CHECKPOINT_RING_BYTES: 2 * 1024 * 1024,
  CHECKPOINT_PAGES_PER_STEP: 1,
  CHECKPOINT_DOCUMENTS_PER_STEP: 1,
}))

const { runSequence, sequences } = await import('./inventory-sequences.contract.js')

/** More for a long search: MODEL_RUNS=5000. */
const RUNS = Number(process.env.MODEL_RUNS ?? 50)
const { MODEL_SEED, MODEL_PATH } = process.env
const REPLAY = { ...(MODEL_SEED ? { seed: Number(MODEL_SEED) } : {}), ...(MODEL_PATH ? { path: MODEL_PATH } : {}) }

describe('inventory', () => {
  it('answers and shows what the model says, whatever happens to it', { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(sequences([0, 0, 509]), (sequence) => runSequence(sequence, true)),
      { numRuns: RUNS, ...REPLAY },
    )
  })
})
