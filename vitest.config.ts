import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{engine,actors,gateway,bench,test}/**/*.test.ts'],
    // Backups and reshards of large directories take long: they have a command of their own, test:maintenance.
    exclude: process.env.MAINTENANCE ? [] : ['test/maintenance.test.ts', 'node_modules/**'],
    // Two cores: black-box tests start servers of their own, so files run one after another within a worker each.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
