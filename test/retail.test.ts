/** The real file: ten months of a retailer's orders in one go, against a second program that counts for itself. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { run, verify } from './support/command-line.js'
import type { StockDocument } from './support/http-call.js'
import { playHistory } from './support/online-retail-model.js'
import { PackedSocket } from './support/packed-socket.js'
import { TestServer } from './support/test-server.js'

const file = resolve(process.env.RETAIL_FILE ?? '../shared/data/online-retail-2010-12-to-2011-09.csv.gz')
const SKUS_PER_COMMAND = 500

interface Summary {
  readonly lines: number
  readonly reservations: number
  readonly held: number
  readonly refused: number
  readonly released: number
  readonly cancellationsMatched: number
  readonly cancellationsUnmatched: number
  readonly writeOffs: number
  readonly charges: Record<string, number>
  readonly badLines: Record<string, number>
  readonly unitsHeld: number
  readonly unitsRefused: number
  readonly skus: number
  readonly overloads: number
  readonly oversold: number
  readonly wrong: readonly unknown[]
}

const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0)

async function stocks(url: string, skus: readonly string[]): Promise<Map<string, StockDocument>> {
  const socket = await PackedSocket.connect(url)
  const all = new Map<string, StockDocument>()
  for (let at = 0; at < skus.length; at += SKUS_PER_COMMAND) {
    const body = { skus: skus.slice(at, at + SKUS_PER_COMMAND) }
    const answer = await socket.command<{ items: StockDocument[] }>('inventory.getMany', body)
    for (const stock of answer.body.items) all.set(stock.sku, stock)
  }
  socket.close()
  return all
}

describe.skipIf(!existsSync(file))(
  `the replay of ${file.split('/').at(-1)} (skipped where the file is not there)`,
  () => {
    test.each([
      ['0.8', ['--partitions', '1']],
      ['0.3', ['--partitions', '3', '--threads', '2']],
    ])('with %s of the demand holds, SKU by SKU, what comes first', { timeout: 300_000 }, async (share, args) => {
      const server = await TestServer.start({ args })
      const [expected, finished] = await Promise.all([
        playHistory(file, Number(share)),
        run(['replay', file, '--speed', 'max', '--json', '--stock', share, '--url', server.url], {
          timeoutMs: 240_000,
        }),
      ])
      expect({ code: finished.code, stderr: finished.stderr }).toEqual({ code: 0, stderr: '' })
      const summary = JSON.parse(finished.stdout) as Summary
      expect(summary.wrong).toEqual([])
      expect(summary.oversold).toBe(0)
      expect(summary.overloads).toBe(0)
      expect({ ...summary, charges: total(summary.charges), bad: total(summary.badLines) }).toMatchObject({
        lines: expected.lines,
        reservations: expected.reservations,
        held: expected.held,
        refused: expected.refused,
        released: expected.cancellationsMatched,
        cancellationsMatched: expected.cancellationsMatched,
        cancellationsUnmatched: expected.cancellationsUnmatched,
        writeOffs: expected.writeOffs,
        charges: expected.charges,
        bad: expected.bad,
        unitsHeld: expected.unitsHeld,
        unitsRefused: expected.unitsRefused,
        skus: expected.skus.size,
      })
      expect(expected.refused).toBeGreaterThan(0)
      expect(expected.cancellationsMatched).toBeGreaterThan(0)

      const seen = await stocks(server.url, [...expected.skus.keys()])
      const differing = [...expected.skus].flatMap(([sku, { stock, held, left }]) => {
        const is = seen.get(sku)
        const same = is?.onHand === stock && is.reserved === held && is.allocated === 0 && is.atp === left
        return same ? [] : [{ sku, expected: { stock, held, left }, is }]
      })
      expect(differing).toEqual([])
      const digest = await server.settledDigest()
      expect(await server.stop()).toEqual({ code: 0, signal: null })
      const verified = await verify(server.dataDir)
      expect({ faults: verified.faults, digest: verified.digest }).toEqual({ faults: [], digest })
    })
  },
)
