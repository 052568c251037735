/** A line in a channel's SKU, said in ours: one of theirs may be several of ours, and the line costs what it cost. */
import { money, units } from '../money.js'
import { Refused } from './applied.js'
import type { Alias } from './channel-desk.js'
import { lineMoney } from './line-money.js'

interface SoldLine {
  sku: string
  quantity: number
  unitPrice: { amount: string; currency: string }
  discount?: { amount: string; currency: string } | undefined
}

/** Throws Refused where its amounts are none that a line may have. */
export function aliasedLine<Line extends SoldLine>(line: Line, { sku, quantity: each }: Alias): Line {
  if (each === 1) return { ...line, sku }
  const { currency } = line.unitPrice
  const quantity = line.quantity * each
  const amount = (units(line.unitPrice.amount) ?? Number.NaN) * line.quantity
  const discount = units(line.discount?.amount ?? '0') ?? Number.NaN
  // What does not divide is put into the price and given back in the discount.
  const reckoned = lineMoney({ quantity, amount, discount, tax: 0, taxIncluded: false })
  if (typeof reckoned === 'string') throw new Refused(`the line of ${line.sku} ${reckoned}`)
  const { discount: _discount, ...rest } = line
  return {
    ...rest,
    sku,
    quantity,
    unitPrice: money(reckoned.unitPrice, currency),
    ...(reckoned.discount > 0 ? { discount: money(reckoned.discount, currency) } : {}),
    // Everything that Line has besides these four is in `rest`.
  } as Line
}
