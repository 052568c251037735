import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lineMoney, share, spread } from './line-money.js'

const amount = fc.integer({ min: 0, max: 1_000_000_000_000 })

describe('a line’s money', () => {
  it('comes to exactly what the customer pays, with tax inside the price or beside it, and no discount larger than the line', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        amount,
        amount,
        amount,
        fc.boolean(),
        (quantity, a, b, c, taxIncluded) => {
          const discount = Math.min(a, b)
          const tax = taxIncluded ? Math.min(a - discount, c) : c
          const line = lineMoney({ quantity, amount: a, discount, tax, taxIncluded })
          if (typeof line === 'string') throw new Error(line)
          const paid = a - discount + (taxIncluded ? 0 : tax)
          expect(line.unitPrice * quantity - line.discount + tax).toBe(paid)
          expect(line.discount).toBeGreaterThanOrEqual(0)
          expect(line.discount).toBeLessThanOrEqual(line.unitPrice * quantity)
        },
      ),
    )
  })

  it('is refused where the discount or the tax is more than the price', () => {
    expect(lineMoney({ quantity: 1, amount: 10, discount: 11, tax: 0, taxIncluded: false })).toMatch('discount larger')
    expect(lineMoney({ quantity: 1, amount: 10, discount: 0, tax: 11, taxIncluded: true })).toMatch('more tax')
    expect(lineMoney({ quantity: 1, amount: 1e24, discount: 0, tax: 0, taxIncluded: true })).toMatch('more than')
  })

  it('shared out by weight loses nothing', () => {
    fc.assert(
      fc.property(amount, fc.array(amount, { minLength: 1, maxLength: 50 }), (whole, weights) => {
        const parts = spread(whole, weights)
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(whole)
        expect(parts.every((part) => part >= 0)).toBe(true)
      }),
    )
    expect(share(10, 1, 3)).toBe(3)
    expect(share(10, 1, 4)).toBe(3)
  })
})
