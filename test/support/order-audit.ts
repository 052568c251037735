/**
 * What must hold of orders and stock once nothing is under way, counted from what the API shows and nothing else: no order
 * half allocated, no unit allocated twice, none lost. Each function names what is wrong; an empty list is good news.
 */
import type { StockDocument } from './http-call.js'
import type { FulfillmentDocument, OrderDocument, OrderLineDocument } from './order-document.js'

/** What holds stock. */
const HOLDING = ['pending', 'accepted', 'picking', 'packed']
/** Goods came back to sourcing: from then on an order may be short although it may not be partial. */
const REPAIRED = ['short', 'rejected', 'lost', 'no_stock']
const OVER = ['cancelled', 'rejected']

export const isHolding = ({ status }: FulfillmentDocument): boolean => HOLDING.includes(status)
/** It left the building, whether it arrived or was lost. */
export const hasShipped = ({ status, carrier }: FulfillmentDocument): boolean =>
  status === 'shipped' || status === 'delivered' || (status === 'failed' && carrier !== undefined)

export const stockKey = (sku: string, location: string): string => `${sku} at ${location}`

export const unitsOf = ({ units }: OrderLineDocument, ...states: string[]): number =>
  states.reduce((sum, state) => sum + (units?.[state] ?? 0), 0)

const unmetOf = (line: OrderLineDocument): number => unitsOf(line, 'open', 'backordered')
const sumOf = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0)

export function add(sums: Map<string, number>, key: string, units: number): void {
  sums.set(key, (sums.get(key) ?? 0) + units)
}

/** One order: its status, its lines and its fulfillments say the same. */
export function orderFaults(order: OrderDocument): string[] {
  const faults: string[] = []
  const fault = (what: string) => faults.push(`${order.id} (${order.status}): ${what}`)
  const lines = order.lines.filter(({ kit }) => !kit)
  for (const line of lines) {
    const all = sumOf(Object.values(line.units ?? {}), (units) => units)
    if (all !== line.quantity) fault(`line ${line.line} of ${line.quantity} has ${all} units`)
    const within = (of: (one: FulfillmentDocument) => boolean) =>
      sumOf(order.fulfillments.filter(of), (one) =>
        sumOf(
          one.lines.filter((part) => part.line === line.line),
          ({ quantity }) => quantity,
        ),
      )
    const seen = [
      within(isHolding),
      within(({ status }) => status === 'shipped'),
      within(({ status }) => status === 'delivered'),
    ]
    const said = [
      unitsOf(line, 'allocated', 'picking'),
      unitsOf(line, 'shipped'),
      unitsOf(line, 'delivered', 'returned'),
    ]
    if (seen.join() !== said.join())
      fault(`line ${line.line} says ${said} units held, shipped, delivered; its fulfillments ${seen}`)
  }
  const outlook = outlookOf(lines)
  if (order.status !== 'on_hold' && order.status !== outlook && !isSameEnd(order.status, outlook))
    fault(`its lines are ${outlook}`)
  const isPlaced = lines.some((line) => unitsOf(line, 'allocated', 'picking', 'shipped', 'delivered') > 0)
  const wasRepaired = order.exceptions.some(({ type }) => REPAIRED.includes(type))
  if (!order.allowPartial && !wasRepaired) {
    if (isPlaced && lines.some((line) => unmetOf(line) > 0)) fault('it is all or none, and half allocated')
    const wasCancelled = order.timeline.some(({ type }) => type === 'order.cancelled')
    if (isPlaced && !wasCancelled && lines.some((line) => unitsOf(line, 'cancelled') > 0))
      fault('it is all or none, and part of it was left out')
  }
  if (OVER.includes(order.status) && order.fulfillments.some(isHolding)) fault('it is over and holds stock')
  return faults
}

const isSameEnd = (status: string, outlook: string): boolean =>
  (status === 'rejected' && outlook === 'cancelled') || (status === 'completed' && outlook === 'delivered')

/** The status that lines add up to. */
function outlookOf(lines: readonly OrderLineDocument[]): string {
  const live = sumOf(lines, ({ quantity }) => quantity) - sumOf(lines, (line) => unitsOf(line, 'cancelled'))
  const delivered = sumOf(lines, (line) => unitsOf(line, 'delivered', 'returned'))
  const gone = delivered + sumOf(lines, (line) => unitsOf(line, 'shipped'))
  if (live === 0) return 'cancelled'
  if (delivered === live) return 'delivered'
  if (gone === live) return 'shipped'
  if (gone > 0) return 'partially_shipped'
  if (lines.some((line) => unitsOf(line, 'open') > 0)) return 'received'
  return lines.some((line) => unitsOf(line, 'backordered') > 0) ? 'backordered' : 'allocated'
}

/** Each SKU at each location: what fulfillments hold is allocated, once, and what is on hand is what it has to be. */
export function stockFaults(
  orders: readonly OrderDocument[],
  stocks: readonly StockDocument[],
  onHand: ReadonlyMap<string, number>,
): string[] {
  const allocated = new Map<string, number>()
  for (const { fulfillments } of orders) {
    for (const fulfillment of fulfillments.filter(isHolding)) {
      for (const { sku, quantity } of fulfillment.lines) add(allocated, stockKey(sku, fulfillment.location), quantity)
    }
  }
  const faults: string[] = []
  for (const { sku, locations, ...totals } of stocks) {
    for (const row of locations) {
      const key = stockKey(sku, row.location)
      const expected = { onHand: onHand.get(key) ?? 0, reserved: 0, allocated: allocated.get(key) ?? 0 }
      const seen = { onHand: row.onHand, reserved: row.reserved, allocated: row.allocated }
      if (JSON.stringify(seen) !== JSON.stringify(expected))
        faults.push(`${key}: ${JSON.stringify(seen)}, not ${JSON.stringify(expected)}`)
      if (row.atp < 0 || row.atp !== row.onHand - row.reserved - row.allocated)
        faults.push(`${key}: ATP ${row.atp} of ${JSON.stringify(seen)}`)
      allocated.delete(key)
    }
    for (const figure of ['onHand', 'reserved', 'allocated', 'atp'] as const) {
      const sum = sumOf(locations, (row) => row[figure])
      if (totals[figure] !== sum) faults.push(`${sku}: ${figure} ${totals[figure]}, over its locations ${sum}`)
    }
  }
  for (const [key, units] of allocated) if (units > 0) faults.push(`${key}: ${units} held where there is no stock`)
  return faults
}

/**
 * Orders that wait although there is stock for all who wait, so that nobody has to come after anybody. Those that want one
 * parcel may wait longer, and nobody waits for what a location that he was refused by still has.
 */
export function needlessWaits(orders: readonly OrderDocument[], stocks: readonly StockDocument[]): string[] {
  const wanted = new Map<string, number>()
  for (const { lines } of orders) for (const line of lines) add(wanted, line.sku, unmetOf(line))
  const bySku = new Map(stocks.map((stock) => [stock.sku, stock]))
  return orders.flatMap((order) => {
    const waiting = order.lines.filter((line) => unmetOf(line) > 0)
    if (waiting.length === 0 || !order.allowSplit) return []
    const refusing = order.fulfillments
      .filter(({ status, carrier }) => status !== 'cancelled' && carrier === undefined)
      .map(({ location }) => location)
    const isServable = waiting.every(({ sku }) => {
      const rows = bySku.get(sku)?.locations.filter(({ location }) => !refusing.includes(location)) ?? []
      return sumOf(rows, ({ atp }) => atp) >= wanted.get(sku)!
    })
    return isServable
      ? [`${order.id} (${order.status}) waits for ${waiting.map(({ sku }) => sku)}, which is there`]
      : []
  })
}
