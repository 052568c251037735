/** The books: what must hold between reservations, stock, pools and buyers, recounted from the reservations. */
import type { Placement } from '../../engine/placement.js'
import { POOL_SCOPE } from './buyers.js'
import type { Inventory } from './inventory.js'
import { ReservationStatus } from './reservations.js'
import { Row } from './stock.js'

/** What does not hold, in sentences. */
export function checkBooks(inventory: Inventory, placement: Placement): string[] {
  const faults: string[] = []
  const { stock, reservations, pools, buyers } = inventory
  const promised = new Map<string, number>()
  const add = (key: string, quantity: number): void => {
    promised.set(key, (promised.get(key) ?? 0) + quantity)
  }
  let live = 0
  let timed = 0
  reservations.forEach((record) => {
    const status = reservations.status(record)
    if (status > ReservationStatus.confirmed) return
    live++
    if (status === ReservationStatus.held && !reservations.isTentative(record)) timed++
    const sku = placement.localOf(reservations.sku(record))
    const quantity = reservations.quantity(record)
    const pool = reservations.pool(record)
    add(
      `${status === ReservationStatus.held ? 'reserved' : 'allocated'}/${sku}/${reservations.location(record)}`,
      quantity,
    )
    if (pool >= 0) add(`pool/${pool}`, quantity)
    const low = reservations.words[record * 16 + 4]!
    const high = reservations.words[record * 16 + 5]!
    if ((low | high) === 0) return
    if (stock.limitPerBuyer(sku) > 0) add(`buyer/${low}/${high}/${sku}`, quantity)
    if (pool >= 0 && pools.limitPerBuyer(pool) > 0) add(`buyer/${low}/${high}/${(POOL_SCOPE | pool) >>> 0}`, quantity)
  })

  const expect = (what: string, key: string, figure: number): void => {
    const counted = promised.get(key) ?? 0
    promised.delete(key)
    if (counted !== figure) faults.push(`${what} says ${figure}, its reservations add up to ${counted}`)
  }
  if (reservations.live !== live) faults.push(`${reservations.live} reservations are said to be live, ${live} are`)
  if (reservations.timers.running !== timed) faults.push(`${reservations.timers.running} timers run for ${timed} holds`)
  for (let sku = 0; sku < stock.skuCount; sku++) {
    if (!stock.exists(sku)) continue
    stock.forEachRow(sku, (row) => {
      const location = stock.rows[row]! - 1
      const where = `SKU ${sku} at location ${location}`
      expect(`${where}: reserved`, `reserved/${sku}/${location}`, stock.rows[row + Row.reserved]!)
      expect(`${where}: allocated`, `allocated/${sku}/${location}`, stock.rows[row + Row.allocated]!)
    })
    const atp = stock.atpOfRows(sku)
    if (stock.atp(sku) !== atp)
      faults.push(`SKU ${sku}: ATP is said to be ${stock.atp(sku)}, its locations add up to ${atp}`)
  }
  for (let pool = 1; pool <= pools.used; pool++) expect(`pool ${pool}: taken`, `pool/${pool}`, pools.taken(pool))
  buyers.forEach((_record, low, high, scope, units) => {
    expect(`buyer ${high}:${low} in scope ${scope}`, `buyer/${low}/${high}/${scope}`, units)
  })
  for (const [key, quantity] of promised) faults.push(`${quantity} units are held under ${key}, which nobody counts`)
  return faults
}
