/** What each movement of units is in the journal: which account gains what another one loses. */
import type { MoveReason, StockMoved } from '../../actors/inventory/moves.js'
import type { Disposition } from '../../actors/return/order-return.js'
import { type UnitAccount, unitAccount } from './accounts.js'

/** Where units go to, or come from, that leave or enter a location's stock. */
const OTHER_SIDE: Record<MoveReason, UnitAccount> = {
  counted: 'adjustment',
  adjusted: 'adjustment',
  received: 'supplier',
  transfer_shipped: 'transfer_in_transit',
  transfer_received: 'transfer_in_transit',
  shipped: 'in_transit_to_customer',
  missing: 'shrinkage',
  returned: 'customer',
}

/** Reasons of adjustments by which goods are thrown away. */
const SCRAPPED = /^(scrap|scrapped|damaged?|expired|destroyed)$/i

const DISPOSED: Record<Exclude<Disposition, 'restock'>, UnitAccount> = {
  scrap: 'scrap',
  refurbish: 'refurbish',
  back_to_vendor: 'vendor_returns',
}

/** Movements of stock; the other side is summed up for each SKU, so that a count of many rows has few lines more. */
export function unitsOfMoves({ reason, detail, moves }: StockMoved): number[] {
  const other = reason === 'adjusted' && SCRAPPED.test(detail ?? '') ? 'scrap' : OTHER_SIDE[reason]
  const units: number[] = []
  const sums = new Map<number, number>()
  for (let i = 0; i + 2 < moves.length; i += 3) {
    const sku = moves[i]!
    const count = moves[i + 2]!
    units.push(moves[i + 1]!, sku, count)
    sums.set(sku, (sums.get(sku) ?? 0) + count)
  }
  for (const [sku, sum] of sums) if (sum !== 0) units.push(unitAccount(other), sku, -sum)
  return units
}

/** More left than was known to be there: the books had too few. */
export const unitsNotKnown = (reason: string, sku: number, units: number): number[] => {
  if (reason !== 'shipped' && reason !== 'transfer_shipped') return []
  return [unitAccount(OTHER_SIDE[reason]), sku, units, unitAccount('adjustment'), sku, -units]
}

export function unitsBetween(
  from: UnitAccount,
  to: UnitAccount,
  lines: readonly { sku: number; quantity: number }[],
): number[] {
  return lines.flatMap(({ sku, quantity }) =>
    quantity === 0 ? [] : [unitAccount(to), sku, quantity, unitAccount(from), sku, -quantity],
  )
}

/** What came back and is not for sale; what is, is a movement of stock. */
export const unitsDisposed = (disposition: Disposition, sku: number, quantity: number): number[] =>
  disposition === 'restock' ? [] : unitsBetween('customer', DISPOSED[disposition], [{ sku, quantity }])
