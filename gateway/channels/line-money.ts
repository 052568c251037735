/**
 * Turns what a shop says of a line’s money into what an order here says: a net price for each unit, a discount and a tax
 * that together come to exactly what the customer pays. Everything is in whole ten-thousandths.
 */
import { AMOUNT_MAX } from '../money.js'

export interface StatedLine {
  quantity: number
  /** Of all units, before discounts; with tax where `taxIncluded`. */
  amount: number
  /** Of all units; with tax where `taxIncluded`. */
  discount: number
  tax: number
  taxIncluded: boolean
}

export interface LineMoney {
  unitPrice: number
  discount: number
}

/**
 * Unit price and discount without tax, such that unitPrice × quantity − discount + tax is what the customer pays. What does
 * not divide by the quantity is rounded up in the price and given back in the discount. A text where it can’t be: why.
 */
export function lineMoney({ quantity, amount, discount, tax, taxIncluded }: StatedLine): LineMoney | string {
  if (!Number.isSafeInteger(amount) || amount > AMOUNT_MAX * 10_000) return `comes to more than ${AMOUNT_MAX}`
  const paid = amount - discount
  if (paid < 0) return 'has a discount larger than itself'
  const net = taxIncluded ? paid - tax : paid
  if (net < 0) return 'has more tax than its price'
  const netDiscount = taxIncluded && paid > 0 ? share(discount, net, paid) : discount
  const unitPrice = Math.ceil((net + netDiscount) / quantity)
  return { unitPrice, discount: unitPrice * quantity - net }
}

/** amount × part / whole, exactly reckoned and rounded half up; all zero or more. */
export function share(amount: number, part: number, whole: number): number {
  if (whole === 0) return 0
  const doubled = 2n * BigInt(amount) * BigInt(part) + BigInt(whole)
  return Number(doubled / (2n * BigInt(whole)))
}

/** The amount shared out by weight, to the last ten-thousandth; onto the first where nothing weighs anything. */
export function spread(amount: number, weights: number[]): number[] {
  const whole = weights.reduce((sum, weight) => sum + BigInt(weight), 0n)
  if (whole === 0n) return weights.map((_, at) => (at === 0 ? amount : 0))
  let upTo = 0n
  let given = 0n
  return weights.map((weight) => {
    upTo += BigInt(weight)
    const now = (BigInt(amount) * upTo) / whole - given
    given += now
    return Number(now)
  })
}
