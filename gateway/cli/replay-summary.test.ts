import { describe, expect, it } from 'vitest'
import { formatSummary, type ReplaySummary } from './replay-summary.js'

const summary: ReplaySummary = {
  lines: 370_931,
  reservations: 361_490,
  held: 298_634,
  refused: 62_856,
  released: 1_936,
  cancellationsMatched: 1_936,
  cancellationsUnmatched: 4_278,
  writeOffs: 1_023,
  charges: { POST: 872, DOT: 603 },
  badLines: {},
  badExamples: [],
  refusedBy: { insufficient_stock: 62_856 },
  overloads: 0,
  skus: 3_763,
  seconds: 0.93,
  linesPerSecond: 394_345,
  reservationsPerSecond: 387_681,
  p50Ms: 2.2,
  p99Ms: 36.6,
  p999Ms: 72.8,
  unitsHeld: 3_074_127,
  unitsRefused: 863_619,
  contended: [
    {
      sku: '47566',
      name: 'PARTY BUNTING',
      stock: 13_301,
      demand: 16_627,
      held: 13_499,
      refused: 3_128,
      reservationsRefused: 308,
    },
  ],
  oversold: 0,
  wrong: [],
  skusKnownBefore: 0,
}

const lineOf = (page: string, name: string) => page.split('\n').find((line) => line.trim().startsWith(name)) ?? ''

describe('the page at the end of a replay', () => {
  it('says in thousands what was held and refused, and that nothing was oversold', () => {
    const page = formatSummary(summary)
    expect(lineOf(page, 'held')).toMatch(/298,634\s+3,074,127 units/)
    expect(lineOf(page, 'refused')).toMatch(/62,856\s+863,619 units: insufficient_stock 62,856/)
    expect(lineOf(page, 'charges')).toMatch(/1,475\s+POST 872, DOT 603/)
    expect(lineOf(page, '47566')).toMatch(/PARTY BUNTING\s+13,301\s+16,627\s+13,499\s+3,128\s+308/)
    expect(lineOf(page, 'oversold')).toMatch(/0\s+3,763 SKUs agree with what the buyers were told/)
    expect(page).not.toContain('The server knew')
  })

  it('names the bad lines, and each SKU whose account is wrong', () => {
    const account = {
      sku: '22423',
      name: 'REGENCY CAKESTAND',
      stock: 10,
      demand: 20,
      held: 12,
      refused: 8,
      reservationsRefused: 4,
      released: 0,
      peak: 12,
      told: 12,
      serverReserved: 11,
      beyondStock: 2,
    }
    const badLines = { 'no Quantity': 1 }
    const page = formatSummary({
      ...summary,
      badLines,
      badExamples: [{ line: 1_234, reason: 'no Quantity' }],
      oversold: 2,
      wrong: [account],
      skusKnownBefore: 7,
    })
    expect(lineOf(page, 'line 1,234')).toContain('no Quantity')
    expect(lineOf(page, '22423:')).toContain('stock 10, at most 12 held at once; told 12, booked 11')
    expect(lineOf(page, 'oversold')).not.toContain('agree')
    expect(lineOf(page, 'The server knew')).toContain('7 of these SKUs')
  })
})
