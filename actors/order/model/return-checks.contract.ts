/** What must hold of returns once nothing is under way: units, where they lie, and what was given for them. */
import { expect } from 'vitest'
import { ReservationStatus } from '../../inventory/reservations.js'
import { ALLOCATION_MARK_0 } from '../../inventory/wire.js'
import type { OrderReturn } from '../../return/order-return.js'
import { unitsIn } from '../lines.js'
import type { Order } from '../order.js'
import { priceOf, SETTINGS } from './goods.contract.js'
import type { Shop } from './shop.contract.js'

const sumOf = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0)

export function checkReturns(shop: Shop, orders: Order[]): void {
  for (const order of orders) {
    for (const line of order.lines) {
      if (line.isKit) continue
      const name = `${order.id} line ${line.number}`
      const back = sumOf(order.returns ?? [], ({ lines }) =>
        sumOf(lines, (one) => (one.line === line.number ? one.received : 0)),
      )
      expect(unitsIn(line, 'returned'), `${name}: units that came back`).toBe(back)
      expect(back, `${name}: no more came back than was sent`).toBeLessThanOrEqual(
        shop.staff.sent.get(`${order.id}/${line.number}`) ?? 0,
      )
    }
    for (const found of order.returns ?? []) checkUnits(shop, found)
    checkGiven(order)
  }
}

function checkUnits(shop: Shop, { id, lines, pieces, status }: OrderReturn): void {
  const { came, waiting } = shop.returns.deliveries.get(id)!
  const bySku = new Map<number, number>()
  for (const { sku, quantity } of pieces) bySku.set(sku, (bySku.get(sku) ?? 0) + quantity)
  expect([...bySku].sort(), `${id}: every unit that came in is one of its pieces`).toEqual([...came].sort())
  const open = pieces.filter(({ disposition }) => disposition === undefined)
  const lying = (of: { sku: number; quantity: number; location: number }[]): string[] => {
    const units = new Map<string, number>()
    for (const { sku, quantity, location } of of) {
      if (quantity > 0) units.set(`${sku} at ${location}`, (units.get(`${sku} at ${location}`) ?? 0) + quantity)
    }
    return [...units].map(([where, count]) => `${count} of ${where}`).sort()
  }
  expect(lying(open), `${id}: what nobody has looked at`).toEqual(lying(waiting))
  if (status === 'inspected' || status === 'closed') expect(open, `${id} is ${status}`).toEqual([])
  for (const [at, { quantity, received, settled }] of lines.entries()) {
    const own = pieces.filter((piece) => piece.at === at)
    expect(received, `${id} line ${at}: received`).toBe(sumOf(own, (piece) => piece.quantity))
    expect(received).toBeLessThanOrEqual(quantity)
    const passed = own.filter(({ disposition, isRefused }) => disposition && !isRefused)
    expect(settled, `${id} line ${at}: each unit that passed is settled once`).toBe(
      sumOf(passed, (piece) => piece.quantity),
    )
  }
}

/** What was given for what came back: the rest of an exchange that is paid out is a part of what was kept for it. */
const givenFor = ({ refunds }: OrderReturn): number => sumOf(refunds, ({ isRest, amount }) => (isRest ? 0 : amount))

function checkGiven(order: Order): void {
  const { id, returns = [], credits, totals, lines } = order
  const credited = sumOf(credits, ({ amount }) => amount)
  const given = sumOf(returns, givenFor)
  expect(given + credited, `${id}: no more is given back than it cost`).toBeLessThanOrEqual(totals.total)
  for (const { resolution, refunds, exchange, payer, label, labelCharged } of returns) {
    expect(labelCharged, 'what of its label the customer paid').toBeLessThanOrEqual(
      payer === 'customer' ? (label?.cost ?? 0) : 0,
    )
    if (resolution === 'none' || resolution === 'warranty') expect(refunds).toEqual([])
    if (resolution !== 'exchange') continue
    const rest = sumOf(refunds, ({ isRest, amount }) => (isRest ? amount : 0))
    const kept = sumOf(refunds, ({ by, amount }) => (by === 'exchange' ? amount : 0))
    expect(rest).toBeLessThanOrEqual(Math.max(0, kept - exchange!.total))
  }
  // What nothing else has touched is reckoned to the penny.
  const isPlain =
    credits.length === 0 &&
    totals.tax === 0 &&
    lines.every((line) => !line.isKit && line.parent === undefined && unitsIn(line, 'cancelled') === 0) &&
    lines.every((line) => line.unitPrice === priceOf(line.sku)) &&
    returns.every(({ resolution }) => !['none', 'warranty'].includes(resolution))
  if (!isPlain) return
  const worth = sumOf(returns, (one) => sumOf(one.lines, ({ sku, settled }) => settled * priceOf(sku)))
  const kept = sumOf(returns, (one) =>
    sumOf(
      one.lines,
      ({ sku, settled, reason }) => settled * priceOf(sku) * (SETTINGS.returns.reasons[reason]?.fee ?? 0),
    ),
  )
  const labels = sumOf(returns, ({ labelCharged }) => labelCharged)
  const isAllOurFault = returns.every((one) =>
    one.lines.every(({ settled, reason }) => settled === 0 || reason === 'damaged'),
  )
  const isAllBack = lines.every((line) => settledOf(order, line.number) === line.quantity)
  const shipping = isAllOurFault && isAllBack ? totals.shipping : 0
  expect(given, `${id}: the price of what passed, less fees and labels`).toBe(worth - kept - labels + shipping)
}

const settledOf = ({ returns = [] }: Order, number: number): number =>
  sumOf(returns, (one) => sumOf(one.lines, ({ line, settled }) => (line === number ? settled : 0)))

/** Once who looks after exchanges has done so: what was reserved is an order, is given back, or waits for the goods. */
export function checkExchanges(shop: Shop): void {
  const wanted: string[] = []
  for (const { order, found } of shop.returns.all) {
    if (!found.exchange) continue
    const { id, status, exchange, pieces } = found
    const isOver = ['rejected', 'cancelled', 'closed'].includes(status)
    const hasPassed = pieces.some((piece) => piece.at !== undefined && piece.disposition && !piece.isRefused)
    if (exchange.order !== undefined) {
      expect(hasPassed, `${id} was exchanged for something that came back`).toBe(true)
      expect(shop.order(exchange.order), `what ${id} was exchanged for`).toBeDefined()
      continue
    }
    const placed = shop.order(`x-${order.id}-R${found.number}`)
    expect(placed, `${id} knows its order`).toBeUndefined()
    if (isOver) continue
    for (const { sku, quantity, reservation } of exchange.lines) {
      if (!shop.exchanges.lapsed.has(reservation)) wanted.push(`${quantity} of ${sku}, confirmed`)
    }
  }
  const live: string[] = []
  for (const [partition] of shop.partitions.entries()) {
    const { reservations } = shop.actorsOf(partition).inventory
    reservations.forEach((record) => {
      if (reservations.words[record * 16] === ALLOCATION_MARK_0 || !reservations.isLive(record)) return
      const status = reservations.status(record) === ReservationStatus.confirmed ? 'confirmed' : 'held'
      live.push(`${reservations.quantity(record)} of ${reservations.sku(record)}, ${status}`)
    })
  }
  expect(live.sort(), 'reserved for exchanges').toEqual(wanted.sort())
}
