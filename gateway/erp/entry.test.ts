import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MoveReason } from '../../actors/inventory/moves.js'
import { entryId, faultsOf, type JournalEntry } from './entry.js'
import { explain, type Movement } from './explanation.js'
import { credited, invoiced } from './money-posting.js'
import { unitsBetween, unitsOfMoves } from './stock-posting.js'

const entry = (fields: Partial<JournalEntry>): JournalEntry => ({ type: 'stock', atMs: 1, event: [0, 1], ...fields })
const amount = fc.integer({ min: 0, max: 1e9 })
const settling = fc.record({ hasPayment: fc.boolean(), isExchange: fc.boolean() })

describe('a journal entry', () => {
  it('that has more in than out, in money or in units, is found', () => {
    const [debit, credit] = [
      ['cash', 500],
      ['receivable', -400],
    ] as JournalEntry['money'] & object
    expect(faultsOf(entry({ currency: 'GBP', money: [debit!, credit!] }))).toEqual([
      'debits are 0.01 more than credits',
    ])
    expect(faultsOf(entry({ units: [3, 7, 2, -1, 7, -1] }))).toEqual(['1 units of SKU number 7 more in than out'])
    expect(faultsOf(entry({ units: [3, 7, 2, -1, 8, -2] }))).toHaveLength(2)
    expect(faultsOf(entry({ money: [debit!, ['cash', -500]] }))).toEqual(['amounts without a currency'])
  })

  it('balances whatever was moved', () => {
    const reason = fc.constantFrom<MoveReason>('counted', 'adjusted', 'received', 'shipped', 'missing', 'returned')
    const row = fc.tuple(fc.nat(5), fc.nat(3), fc.integer({ min: -100, max: 100 }))
    fc.assert(
      fc.property(reason, fc.array(row), fc.constantFrom('scrap', 'found'), (why, rows, detail) => {
        expect(faultsOf(entry({ units: unitsOfMoves({ reason: why, detail, moves: rows.flat() }) }))).toEqual([])
      }),
    )
    expect(faultsOf(entry({ units: unitsBetween('customer', 'scrap', [{ sku: 1, quantity: 2 }]) }))).toEqual([])
  })

  it('balances whatever was invoiced or credited, whoever settles it', () => {
    fc.assert(
      fc.property(amount, amount, amount, amount, settling, (subtotal, discount, shipping, tax, who) => {
        const totals = { subtotal, discount, shipping, tax, total: subtotal - discount + shipping + tax }
        expect(faultsOf(entry({ currency: 'GBP', money: invoiced(totals, who) }))).toEqual([])
        for (const to of ['money', 'store_credit'] as const) {
          expect(faultsOf(entry({ currency: 'GBP', money: credited(tax, totals, to, who) }))).toEqual([])
        }
      }),
    )
  })

  it('comes after those before it where ids are listed downwards', () => {
    const ids = [entryId(5, 0, 9), entryId(5, 0, 10), entryId(6, 1, 1), entryId(1_000, 0, 11)]
    expect([...ids].sort().reverse()).toEqual(ids)
  })
})

describe('a difference of stock', () => {
  const move = (atMs: number, units: number, fields: Partial<Movement> = {}): Movement => ({
    entry: `0-${atMs}`,
    atMs,
    reason: 'received',
    units,
    ...fields,
  })

  it('is explained by what moved later, and by nothing that did not', () => {
    const { explained, unexplained } = explain(-7, 10, [move(5, 9), move(11, 5), move(12, 2)])
    expect(unexplained).toBe(0)
    expect(explained.map(({ type, units }) => [type, units])).toEqual([
      ['later_movement', -5],
      ['later_movement', -2],
    ])
    expect(explain(3, 10, [move(5, 9)])).toMatchObject({ explained: [], unexplained: 3 })
  })

  it('is explained by what the other side was not told, by what is here twice, and by a guess at last', () => {
    const untold = explain(-4, 10, [move(5, 4, { isUndelivered: true })])
    expect(untold).toMatchObject({ unexplained: 0, explained: [{ type: 'unposted_movement' }] })
    const twice = explain(-4, 10, [move(5, 4, { cause: 'PO-1' }), move(6, 4, { cause: 'PO-1' })])
    expect(twice).toMatchObject({ unexplained: 0, explained: [{ type: 'duplicate', entry: '0-6' }] })
    const guess = explain(-4, 10, [move(5, 4, { cause: 'PO-1' }), move(6, 3)])
    expect(guess).toMatchObject({ unexplained: 0, explained: [{ type: 'unposted_movement', isGuess: true }] })
  })
})
