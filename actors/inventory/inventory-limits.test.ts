import fc from 'fast-check'
import { describe, it, vi } from 'vitest'

// So little room that every sequence comes up against it.
vi.mock('../limits.js', async (original) => ({
  ...(await original<typeof import('../limits.js')>()),
  SKUS_MAX: 2_048,
  STOCK_BLOCKS_MAX: 64,
  RESERVATIONS_MAX: 6,
  ENDED_KEPT: 3,
  CHANNELS_MAX: 64,
  POOLS_MAX: 7,
  POOLS_PER_SKU: 3,
  BUYERS_MAX: 256,
  OPEN_ORDERS_MAX: 1_024,
  SUPPLY_PER_SKU: 1,
  IDEMPOTENCY_KEYS_KEPT: 2,
}))
vi.mock('../../engine/limits.js', async (original) => ({
  ...(await original<typeof import('../../engine/limits.js')>()),
  CHECKPOINT_RING_BYTES: 2 * 1024 * 1024,
  CHECKPOINT_PAGES_PER_STEP: 1,
  CHECKPOINT_DOCUMENTS_PER_STEP: 1,
  TIMERS_PER_ENTRY: 2,
  EVENTS_KEPT: 3,
}))

const { runSequence, sequences } = await import('./inventory-sequences.contract.js')

/** More for a long search: MODEL_RUNS=5000. */
const RUNS = Number(process.env.MODEL_RUNS ?? 50)
const { MODEL_SEED, MODEL_PATH } = process.env
const REPLAY = { ...(MODEL_SEED ? { seed: Number(MODEL_SEED) } : {}), ...(MODEL_PATH ? { path: MODEL_PATH } : {}) }

describe('inventory at its limits', () => {
  it('refuses, forgets and puts off what the model does, and nothing else', { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(sequences([0]), (sequence) => runSequence(sequence, true)),
      { numRuns: RUNS, ...REPLAY },
    )
  })
})
