import fc from 'fast-check'
import { describe, it, vi } from 'vitest'

vi.mock('../limits.js', async (original) => ({
  ...(await original<typeof import('../limits.js')>()),
  SKUS_MAX: 1_024,
  STOCK_BLOCKS_MAX: 64,
  RESERVATIONS_MAX: 1_024,
  CHANNELS_MAX: 64,
  POOLS_MAX: 64,
  BUYERS_MAX: 256,
  LOCATIONS_MAX: 64,
  OPEN_ORDERS_MAX: 256,
  ORDERS_DECODED_MAX: 3,
  ORDERS_PER_WINDOW: 2,
  ORDER_WINDOWS_PER_PAGE: 2,
  WAKES_PER_ENTRY: 2,
  WAITING_PER_SKU_MAX: 3,
}))
vi.mock('../../engine/limits.js', async (original) => ({
  ...(await original<typeof import('../../engine/limits.js')>()),
  CHECKPOINT_RING_BYTES: 2 * 1024 * 1024,
  CHECKPOINT_PAGES_PER_STEP: 1,
  CHECKPOINT_DOCUMENTS_PER_STEP: 1,
}))

const { movesOfOne, movesOfReturns, movesOfSeveral } = await import('./model/moves.contract.js')
const { checkExchanges } = await import('./model/return-checks.contract.js')
const { Shop } = await import('./model/shop.contract.js')
const { checkAlways, checkQuiet } = await import('./model/checks.contract.js')

/** More for a long search: ORDERS_RUNS=2000. */
const RUNS = Number(process.env.ORDERS_RUNS ?? 5)
const { ORDERS_SEED, ORDERS_PATH } = process.env
const REPLAY = {
  interruptAfterTimeLimit: Number(process.env.ORDERS_MS ?? 600_000),
  ...(ORDERS_SEED ? { seed: Number(ORDERS_SEED) } : {}),
  ...(ORDERS_PATH ? { path: ORDERS_PATH } : {}),
}
const stock = fc.constantFrom(0, 2, 5, 20)
const remorse = fc.constantFrom(0, 0, 120)

describe('orders', () => {
  it('keep every unit and every penny, whatever happens in whatever order, in one partition', {
    timeout: 3_600_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.record({ stock, remorse, moves: movesOfOne }), async ({ stock, remorse, moves }) => {
        const shop = new Shop(1)
        try {
          shop.open(stock, remorse)
          for (const move of moves) {
            await shop.step(move)
            if (shop.isQuiet) checkQuiet(shop)
          }
          shop.comeToRest()
          checkQuiet(shop)
          checkExchanges(shop)
          await shop.checkRecovery()
        } finally {
          await shop.dispose()
        }
      }),
      { numRuns: RUNS, ...REPLAY },
    )
  })

  it('keep every unit that comes back and every penny that is given for it, once, over one or two partitions', {
    timeout: 3_600_000,
  }, async () => {
    const world = fc.record({ partitions: fc.integer({ min: 1, max: 2 }), stock, moves: movesOfReturns })
    await fc.assert(
      fc.asyncProperty(world, async ({ partitions, stock, moves }) => {
        const shop = new Shop(partitions)
        try {
          shop.open(stock)
          for (const move of moves) {
            await shop.step(move)
            shop.settle()
            checkQuiet(shop)
          }
          shop.comeToRest()
          checkQuiet(shop)
          checkExchanges(shop)
          await shop.checkRecovery()
        } finally {
          await shop.dispose()
        }
      }),
      { numRuns: RUNS, ...REPLAY },
    )
  })

  it('keep them over several partitions, whose messages come late, again and in any order, and which crash', {
    timeout: 3_600_000,
  }, async () => {
    const world = fc.record({ partitions: fc.integer({ min: 2, max: 4 }), stock, remorse, moves: movesOfSeveral })
    await fc.assert(
      fc.asyncProperty(world, async ({ partitions, stock, remorse, moves }) => {
        const shop = new Shop(partitions)
        try {
          shop.open(stock, remorse)
          for (const move of moves) {
            await shop.step(move)
            checkAlways(shop)
            if (shop.isQuiet) checkQuiet(shop)
          }
          shop.comeToRest()
          checkQuiet(shop)
          checkExchanges(shop)
          await shop.checkRecovery()
        } finally {
          await shop.dispose()
        }
      }),
      { numRuns: RUNS, ...REPLAY },
    )
  })
})
