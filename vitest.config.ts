import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{engine,actors,gateway,bench,test}/**/*.test.ts'],
    // Two cores: black-box tests start servers of their own, so files run one after another within a worker each.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
