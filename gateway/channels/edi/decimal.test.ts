import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalText, fromImpliedCents, impliedCents, spread, tenThousandths, wholeNumber } from './decimal.js'

describe('decimal text of EDI', () => {
  it('is read to the last ten-thousandth and refused beyond', () => {
    expect(tenThousandths('9.25')).toBe(92_500n)
    expect(tenThousandths('.5')).toBe(5_000n)
    expect(tenThousandths('7.')).toBe(70_000n)
    expect(tenThousandths('1,5')).toBe(15_000n)
    expect(tenThousandths('0.00010')).toBe(1n)
    expect(tenThousandths('0.00001')).toBeUndefined()
    for (const text of ['', '-', '.', '1e3', '1.2.3', '0x10', 'NaN', '1 000', '1234567890123']) {
      expect(tenThousandths(text), text).toBeUndefined()
    }
  })

  it('is written as it was read', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 15n), 10n ** 15n), (value) => {
        expect(tenThousandths(decimalText(value, 2))).toBe(value)
      }),
    )
  })

  it('has its cents without a point in N2', () => {
    expect(impliedCents(123_456n)).toBe('1235')
    expect(impliedCents(-40n)).toBe('0')
    expect(fromImpliedCents('1235')).toBe(123_500n)
    expect(fromImpliedCents('12.35')).toBeUndefined()
  })

  it('counts whole pieces only, and no more than an order can have', () => {
    expect(wholeNumber('12.00')).toBe(12)
    expect(wholeNumber('12.5')).toBeUndefined()
    expect(wholeNumber('-1')).toBeUndefined()
    expect(wholeNumber('2147483648')).toBeUndefined()
  })

  it('is dealt out over lines without losing or making anything', () => {
    const weights = fc.array(fc.bigInt(0n, 10n ** 12n), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 12n), weights, (amount, each) => {
        const shares = spread(amount, each)
        expect(shares.reduce((sum, share) => sum + share, 0n)).toBe(amount)
        expect(shares.every((share) => share >= 0n)).toBe(true)
      }),
    )
  })
})
