/** Decimal text of EDI documents and back, by whole ten-thousandths in BigInt: no amount ever passes through a float. */
import { QUANTITY_MAX } from '../../../actors/inventory/wire.js'

const DIGITS = 4
const UNIT = 10_000n

/** Ten-thousandths; undefined where it is no decimal number, has over 12 digits, or more than four behind the point that count. */
export function tenThousandths(text: string): bigint | undefined {
  const [, sign, whole = '', fraction = ''] = /^([+-]?)(\d{0,15})(?:[.,](\d{0,15}))?$/.exec(text) ?? []
  if (sign === undefined || whole + fraction === '') return undefined
  const shown = fraction.replace(/0+$/, '')
  const leading = whole.replace(/^0+/, '')
  if (shown.length > DIGITS || leading.length > 12) return undefined
  const value = BigInt(leading || '0') * UNIT + BigInt(shown.padEnd(DIGITS, '0'))
  return sign === '-' ? -value : value
}

/** Ten-thousandths of a number whose last two digits stand behind a point that is not written (X12's N2). */
export function fromImpliedCents(text: string): bigint | undefined {
  return /^-?\d{1,14}$/.test(text) ? BigInt(text) * (UNIT / 100n) : undefined
}

/** The nearest whole cents, halves away from zero, without a point (X12's N2). */
export function impliedCents(value: bigint): string {
  const cents = (abs(value) + UNIT / 200n) / (UNIT / 100n)
  return `${value < 0n && cents > 0n ? '-' : ''}${cents}`
}

/** As decimal text with as many digits as it needs, and at least `digitsMin` behind the point. */
export function decimalText(value: bigint, digitsMin = 0): string {
  const fraction = String(abs(value) % UNIT)
    .padStart(DIGITS, '0')
    .replace(/0+$/, '')
    .padEnd(digitsMin, '0')
  return `${value < 0n ? '-' : ''}${abs(value) / UNIT}${fraction === '' ? '' : `.${fraction}`}`
}

/** A count of things: `12`, or `12.00` as some partners write it. Undefined where it is none or too large for an order. */
export function wholeNumber(text: string): number | undefined {
  const value = tenThousandths(text)
  if (value === undefined || value < 0n || value % UNIT !== 0n) return undefined
  const count = Number(value / UNIT)
  return count <= QUANTITY_MAX ? count : undefined
}

/** `amount` dealt out by weight, exact to the last ten-thousandth: what rounding leaves goes to the first ones. */
export function spread(amount: bigint, weights: readonly bigint[]): bigint[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0n)
  if (total === 0n) return weights.map((_, at) => (at === 0 ? amount : 0n))
  const shares = weights.map((weight) => (amount * weight) / total)
  let left = amount - shares.reduce((sum, share) => sum + share, 0n)
  return shares.map((share, at) => {
    if (left === 0n || weights[at] === 0n) return share
    left -= 1n
    return share + 1n
  })
}

/** Ten-thousandths of amounts that our own records give; throws on what is no decimal text. */
export function amountOf(text: string, what: string): bigint {
  const value = tenThousandths(text)
  if (value === undefined) throw new RangeError(`${what} “${text}” is no decimal number with at most four digits`)
  return value
}

export const times = (value: bigint, quantity: number): bigint => value * BigInt(quantity)

const abs = (value: bigint): bigint => (value < 0n ? -value : value)
