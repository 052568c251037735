/** Orders from files, whatever a file looks like. */
import { Readable } from 'node:stream'
import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { importOrderFile } from './order-file.js'
import { reportCsv } from './report.js'

interface Sent {
  externalId: string
  channel: string
  lines: { sku: string; quantity: number }[]
}

/** Reads a text as a file of orders; what would be placed, and the report. */
async function read(content: string | Buffer, format: 'csv' | 'json' = 'csv') {
  const sent: Sent[] = []
  const report = await importOrderFile(
    { name: 'orders', format, open: () => Readable.from([Buffer.from(content)]) },
    {
      connection: 'partner',
      settings: { currency: 'GBP' },
      badLinesMax: 100,
      async call(_name, input) {
        const { orders } = input as { orders: Sent[] } // what an import calls with
        sent.push(...orders)
        return { status: 200, body: { results: orders.map(() => ({ status: 201 })) } }
      },
    },
  )
  return { sent, report }
}

const HEAD = ['externalId', 'customer', 'line1', 'city', 'postcode', 'country', 'sku', 'quantity', 'price', 'notes']

test('rows in any order, with any text in them, make the orders that they were written from', async () => {
  const clean = fc
    .string({ minLength: 1, maxLength: 20 })
    .map((text) => text.replaceAll(/[\p{Cc}\p{Surrogate}]/gu, '').trim())
  const orders = fc.uniqueArray(
    fc.record({
      number: fc.uuid(),
      note: clean,
      quantities: fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 5 }),
    }),
    { selector: ({ number }) => number, minLength: 1, maxLength: 8 },
  )
  await fc.assert(
    fc.asyncProperty(
      orders,
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.infiniteStream(fc.nat()),
      async (all, ends, bom, luck) => {
        const rows = all.flatMap(({ number, note, quantities }) =>
          quantities.map((quantity) => ({ number, key: luck.next().value as number, quantity, note })),
        )
        rows.sort((a, b) => a.key - b.key)
        const lines = rows.map(({ number, quantity, note }) => [
          number,
          'Ada Byron',
          'Line\nbreak',
          'London',
          'SW1Y 4LB',
          'GB',
          'TEE',
          quantity,
          '1.00',
          note,
        ])
        const { sent, report } = await read(stringify([HEAD, ...lines], { record_delimiter: ends, bom }))
        expect(report).toMatchObject({ bad: 0, imported: all.length, lines: rows.length })
        const found = new Map(sent.map((order) => [order.externalId, order.lines.map(({ quantity }) => quantity)]))
        const inTheirOrder = (number: string) => rows.filter((row) => row.number === number).map((row) => row.quantity)
        expect(found).toEqual(new Map(all.map(({ number }) => [number, inTheirOrder(number)])))
        expect(new Set(sent.map(({ channel }) => channel))).toEqual(new Set(['partner']))
      },
    ),
    { numRuns: 50 },
  )
})

test('any bytes at all end in a report or a sentence, never in anything else', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      fc.constantFrom('csv' as const, 'json' as const),
      async (bytes, format) => {
        const outcome = await read(Buffer.from(bytes), format).catch((error: Error) => error)
        if (outcome instanceof Error) expect(outcome.constructor.name).toBe('UnreadableFile')
        else expect(outcome.report.bad + outcome.report.imported).toBeGreaterThan(0)
      },
    ),
    { numRuns: 200 },
  )
})

test('a report has no cell that begins like a formula, whatever the file says', () => {
  fc.assert(
    fc.property(fc.constantFrom('=', '+', '-', '@', '\t', '\r'), fc.string(), (first, rest) => {
      const bad = { line: 1, order: first + rest, reason: first + rest }
      const report = { name: 'x', lines: 1, orders: 0, imported: 0, repeated: 0, bad: 1, badLinesLeftOut: 0 }
      const csv = reportCsv({ ...report, badLines: [bad], ignoredColumns: [] })
      expect(csv).toMatch(/^\uFEFFline,order,reason\n1,"?'/)
    }),
  )
})
