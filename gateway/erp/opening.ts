/**
 * Opening balances: where the journal has missed how stock came about (its reader was further behind than events are kept),
 * the partitions tell what is on hand, in the order of their events, and what the journal lacks of it becomes an entry. Told
 * again it lacks nothing, so it is told as often as one likes.
 */
import type { StockRestated } from '../../actors/inventory/counts.js'
import type { EngineEvent, Outcome } from '../../engine/protocol.js'
import { failed, type OperationContext } from '../operations/operation.js'
import { unitAccount } from './accounts.js'
import { bookedStock, placeKey } from './booked.js'
import { onHandOf } from './reconciliation.js'

const SKUS_AT_ONCE = 500
/** SKUs that the answer names. */
const NAMED_MAX = 100

/** Units of the entry of an event `inventory.restated`: what is on hand less what the journal has before it. */
export async function unitsOpening(
  event: EngineEvent,
  services: Pick<OperationContext, 'records' | 'dispatch'>,
): Promise<number[]> {
  // Published by the inventory's actors.
  const { onHand } = event.data as StockRestated
  const booked = await bookedStock(services, event)
  const units: number[] = []
  const sums = new Map<number, number>()
  for (let i = 0; i + 2 < onHand.length; i += 3) {
    const [sku, location, count] = [onHand[i]!, onHand[i + 1]!, onHand[i + 2]!]
    const lacking = count - (booked.get(placeKey(sku, location)) ?? 0)
    if (lacking === 0) continue
    units.push(location, sku, lacking)
    sums.set(sku, (sums.get(sku) ?? 0) + lacking)
  }
  for (const [sku, sum] of sums) if (sum !== 0) units.push(unitAccount('adjustment'), sku, -sum)
  return units
}

/** Has stock told of all SKUs whose books are not as their stock is. */
export async function openBooks(context: OperationContext): Promise<Outcome> {
  const { directory, dispatch } = context
  const booked = await bookedStock(context)
  const skus = new Set<number>()
  const count = directory.count('skus')
  for (let from = 0; from < count; from += SKUS_AT_ONCE) {
    const some = Array.from({ length: Math.min(SKUS_AT_ONCE, count - from) }, (_, at) => ({ sku: from + at }))
    for (const [key, units] of await onHandOf(some, context)) {
      if (units !== (booked.get(key) ?? 0)) skus.add(Number.parseInt(key, 10))
    }
  }
  for (const [partition, own] of directory.byPartition([...skus], (sku) => sku)) {
    for (let from = 0; from < own.length; from += SKUS_AT_ONCE) {
      const told = await dispatch.command(partition, 'inventory.restate', {
        skus: own.slice(from, from + SKUS_AT_ONCE),
      })
      if (failed(told)) return told
    }
  }
  const names = [...skus].slice(0, NAMED_MAX).map((sku) => directory.name('skus', sku))
  return { status: 202, body: { different: skus.size, skus: names } }
}
