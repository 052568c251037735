import fc from 'fast-check'
import { describe, it } from 'vitest'
import { runSequence, sequences } from './inventory-sequences.contract.js'

/** Each state takes its whole address space here, which takes time. */
const RUNS = Number(process.env.MODEL_SIZE_RUNS ?? 5)
const { MODEL_SIZE_SEED } = process.env
const REPLAY = MODEL_SIZE_SEED ? { seed: Number(MODEL_SIZE_SEED) } : {}

describe('inventory at its full size', () => {
  it('answers and shows what the model says, and comes back to the same', { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(sequences([0, 600]), (sequence) => runSequence(sequence, false)),
      { numRuns: RUNS, ...REPLAY },
    )
  })
})
