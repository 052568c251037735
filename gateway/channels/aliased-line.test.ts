import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { money, units } from '../money.js'
import { aliasedLine } from './aliased-line.js'

const GBP = (amount: number) => money(amount, 'GBP')

describe('a line of which one of theirs is several of ours', () => {
  it('costs what it cost, whatever does not divide', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (quantity, each, price, part) => {
          const discount = Math.floor(price * quantity * part)
          const line = { sku: 'PACK', quantity, unitPrice: GBP(price), discount: GBP(discount) }
          const ours = aliasedLine(line, { sku: 'ONE', quantity: each })
          expect(ours).toMatchObject({ sku: 'ONE', quantity: quantity * each })
          const paid = units(ours.unitPrice.amount)! * ours.quantity - units(ours.discount?.amount ?? '0')!
          expect(paid).toBe(price * quantity - discount)
        },
      ),
    )
  })

  it('keeps its price and all else where one of theirs is one of ours', () => {
    const line = { sku: 'THEIRS', quantity: 3, unitPrice: GBP(100), note: 'red' }
    expect(aliasedLine(line, { sku: 'OURS', quantity: 1 })).toEqual({ ...line, sku: 'OURS' })
  })

  it('is refused where its discount is more than itself', () => {
    const line = { sku: 'PACK', quantity: 1, unitPrice: GBP(100), discount: GBP(101) }
    expect(() => aliasedLine(line, { sku: 'ONE', quantity: 6 })).toThrow('discount larger')
  })
})
