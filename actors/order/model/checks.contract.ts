/** What must hold of orders, stock and money once nothing is under way, counted anew from what is stored. */
import { expect } from 'vitest'
import { ReservationStatus } from '../../inventory/reservations.js'
import { ALLOCATION_MARK_0, ALLOCATION_MARK_1 } from '../../inventory/wire.js'
import { outlookOf, unitsIn } from '../lines.js'
import type { FulfillmentLine, Line, Order } from '../order.js'
import { ORDER_STATUSES, orderStatus, stateOf } from '../order-status.js'
import { DAY_MS, ROOMY, SKUS, stockKey } from './goods.contract.js'
import { checkPartition, OVER } from './list-checks.contract.js'
import { checkReturns } from './return-checks.contract.js'
import type { Shop } from './shop.contract.js'
import { LIVE } from './staff.contract.js'

const HOLDS_NOTHING = [...OVER, 'shipped', 'delivered']

/** At any time. */
export function checkAlways(shop: Shop): void {
  for (const { state } of shop.partitions) expect(state.actors.check(), 'the books').toEqual([])
  for (const sku of SKUS) {
    for (const { atp } of shop.stockOf(sku).rows) expect(atp).toBeGreaterThanOrEqual(0)
  }
}

/** Once nothing is under way between partitions. */
export function checkQuiet(shop: Shop): void {
  checkAlways(shop)
  const { orders } = shop
  for (const [number, times] of shop.later) expect(times, `answers to ${number}`).toBe(1)
  for (const order of orders) checkOrder(shop, order)
  checkNames(shop, orders)
  checkAllocations(shop, orders)
  checkStock(shop)
  checkReturns(shop, orders)
  checkWaiting(shop, orders)
  for (let partition = 0; partition < shop.partitions.length; partition++) checkPartition(shop, partition)
}

const sumOf = <T>(items: T[], of: (item: T) => number): number => items.reduce((sum, item) => sum + of(item), 0)

function checkOrder(shop: Shop, order: Order): void {
  const { id, fulfillments } = order
  const status = orderStatus(order)
  expect(order.saga, `${id} asks for nothing while all is quiet`).toBeUndefined()
  expect(ORDER_STATUSES).toContain(status)
  expect(status, id).not.toMatch(/validating|sourcing/)
  for (const line of order.lines) checkLine(order, line)
  const live = fulfillments.filter((one) => LIVE.includes(one.status))
  if (HOLDS_NOTHING.includes(status)) expect(live, `${id} is ${status}`).toEqual([])
  for (const { lines, number } of live) expect(lines.length, `lines of ${id}-${number}`).toBeGreaterThan(0)
  const outlook = outlookOf(order)
  const { progress } = stateOf(order)
  if (progress === 'rejected') expect(outlook).toBe('cancelled')
  else if (progress === 'completed') expect(outlook).toBe('delivered')
  else expect(progress === 'received' ? 'open' : progress, `${id}: as far as its lines are`).toBe(outlook)
  if (outlook === 'open') expect(isOpenFor(shop, order), `${id} has open units for a reason`).toBe(true)
  checkMoney(shop, order)
  checkTime(shop, order)
}

function checkLine({ id, fulfillments }: Order, { number, units, quantity, isKit }: Line): void {
  if (isKit) {
    expect(units).toEqual([])
    return
  }
  const sumIn = (statuses: string[], of: (line: FulfillmentLine) => number): number =>
    sumOf(
      fulfillments.filter(({ status }) => statuses.includes(status)),
      ({ lines }) =>
        sumOf(
          lines.filter(({ line }) => line === number),
          of,
        ),
    )
  const held = (statuses: string[]): number => sumIn(statuses, (line) => line.quantity)
  const back = (statuses: string[]): number => sumIn(statuses, (line) => line.back ?? 0)
  const [, , allocated, picking, shipped, delivered, , returned] = units
  expect(
    units.reduce((sum, count) => sum + count, 0),
    `units of ${id} line ${number}`,
  ).toBe(quantity)
  for (const count of units) expect(count).toBeGreaterThanOrEqual(0)
  expect(held(LIVE), `${id} line ${number}: held by its fulfillment orders`).toBe(allocated! + picking!)
  // What comes back before it was handed over is taken out of its parcel; what comes later was delivered.
  expect(held(['shipped']) - back(['shipped']), `${id} line ${number}: on the way`).toBe(shipped)
  const arrived = delivered! + returned! - back(['shipped', 'delivered', 'failed'])
  expect(held(['delivered']) - back(['delivered']), `${id} line ${number}: arrived`).toBe(arrived)
}

/** Why units of an order are neither asked for nor waited for: it may not go on yet. */
function isOpenFor(shop: Shop, order: Order): boolean {
  const { hold, payment } = stateOf(order)
  return (
    hold === 'held' ||
    ['pending', 'failed', 'voided'].includes(payment) ||
    Math.max(order.releaseMs, order.retryMs ?? 0) > shop.timeMs
  )
}

function checkMoney(shop: Shop, order: Order): void {
  const placed = shop.buyers.placed.get(order.id)!
  expect(order.totals, `totals of ${order.id}`).toEqual(placed.totals)
  if (!order.payment) return
  const { captured, requested, refunded, refundRequested } = order.payment
  expect(refunded).toBeLessThanOrEqual(captured)
  if (!placed.isPaidOutside)
    expect(refunded + refundRequested, 'asked to be given back').toBeLessThanOrEqual(captured + requested)
  expect(requested).toBeGreaterThanOrEqual(0)
  if (!placed.isPaidOutside) expect(captured + requested).toBeLessThanOrEqual(order.totals.total)
}

/** Whatever was due has been done. */
function checkTime({ timeMs }: Shop, order: Order): void {
  const { progress } = stateOf(order)
  if (OVER.includes(progress)) return
  for (const { status, escalatesMs, number } of order.exceptions) {
    if (status === 'open') expect(escalatesMs, `exception ${order.id}-${number}`).toBeGreaterThan(timeMs)
  }
  if (progress !== 'delivered') return
  expect(order.deliveredMs, `${order.id} knows since when it is delivered`).toBeDefined()
  expect(order.deliveredMs! + 30 * DAY_MS, `${order.id} is to be completed`).toBeGreaterThan(timeMs)
}

/** A channel's name for an order stands for one order. */
function checkNames({ buyers: { placed } }: Shop, orders: Order[]): void {
  const names = orders.flatMap(({ channel, externalId }) =>
    externalId === undefined ? [] : [`${channel}/${externalId}`],
  )
  expect(new Set(names).size, 'names of orders').toBe(names.length)
  for (const { id } of orders) expect(placed.has(id)).toBe(true)
}

/** Every allocation of a live fulfillment order is one confirmed reservation, and there are no others. */
function checkAllocations(shop: Shop, orders: Order[]): void {
  const held = new Map<number, string>()
  for (let partition = 0; partition < shop.partitions.length; partition++) {
    const { reservations } = shop.actorsOf(partition).inventory
    reservations.forEach((record) => {
      const [mark0, mark1, high, low] = reservations.words.subarray(record * 16, record * 16 + 4)
      if (mark0 !== ALLOCATION_MARK_0 || mark1 !== ALLOCATION_MARK_1) return
      const status = reservations.status(record)
      if (status === ReservationStatus.released || status === ReservationStatus.expired) return
      const allocation = high! * 0x1_0000_0000 + low!
      expect(held.has(allocation), `allocation ${allocation} is there once`).toBe(false)
      held.set(
        allocation,
        `${reservations.quantity(record)} of ${reservations.sku(record)} at ${reservations.location(record)}, ${status === ReservationStatus.confirmed ? 'confirmed' : 'held'}`,
      )
    })
  }
  const wanted = new Map<number, string>()
  for (const { fulfillments } of orders) {
    for (const { status, location, lines } of fulfillments) {
      if (!LIVE.includes(status)) continue
      for (const { allocation, quantity, sku } of lines) {
        expect(wanted.has(allocation), `allocation ${allocation} belongs to one line`).toBe(false)
        wanted.set(allocation, `${quantity} of ${sku} at ${location}, confirmed`)
      }
    }
  }
  const inOrder = (map: Map<number, string>) => [...map].sort((a, b) => a[0] - b[0])
  expect(inOrder(held), 'what is held for orders is what orders hold').toEqual(inOrder(wanted))
}

function checkStock(shop: Shop): void {
  for (const sku of SKUS) {
    for (const { location, onHand } of shop.stockOf(sku).rows) {
      expect(onHand, `on hand of ${stockKey(sku, location)}`).toBe(shop.onHand.get(stockKey(sku, location)) ?? 0)
      expect(onHand, `what came in and what went out of ${stockKey(sku, location)}`).toBe(
        shop.moved.get(stockKey(sku, location)) ?? 0,
      )
    }
  }
}

const unmetOf = ({ lines }: Order, sku: number): number =>
  sumOf(
    lines.filter((line) => line.sku === sku && !line.isKit),
    (line) => unitsIn(line, 'open') + unitsIn(line, 'backordered'),
  )

/** Who waits has something to wait for, and who has to wait waits somewhere. */
function checkWaiting(shop: Shop, orders: Order[]): void {
  const byId = new Map(orders.map((order) => [order.id, order]))
  const waiting = new Set<string>()
  for (const sku of SKUS) {
    const partition = shop.partitions[shop.placement.partitionOf(sku)]!
    const { items } = partition.query(shop.timeMs, 'waiting.list', { sku }).body as {
      items: { id: string; priority: number; sinceMs: number }[]
    }
    for (const { id } of items) {
      expect(unmetOf(byId.get(id)!, sku), `${id} waits for ${sku}`).toBeGreaterThan(0)
      waiting.add(id)
    }
    const order = items.map(({ priority, sinceMs, id }) => `${priority}/${sinceMs}/${id}`)
    expect(order, 'by priority, then by who came first').toEqual([...order].sort())
  }
  for (const order of orders) {
    expect(couldBeServed(shop, order), `${order.id} waits although there is what it waits for`).toBe(false)
    const isWaiting = order.lines.some((line) => !line.isKit && unitsIn(line, 'backordered') > 0)
    if (isWaiting && order.retryMs === undefined)
      expect(waiting.has(order.id), `${order.id} has backordered units and waits`).toBe(true)
  }
}

/** Whether an order waits for one line that the locations whose days have room for all could send at once. */
function couldBeServed(shop: Shop, order: Order): boolean {
  const { hold, progress } = stateOf(order)
  const [line, ...others] = order.lines.filter(({ isKit, sku }) => !isKit && unmetOf(order, sku) > 0)
  const isFree =
    hold === 'none' &&
    ['backordered', 'partially_shipped'].includes(progress) &&
    order.allowSplit &&
    order.delivery.method === 'ship' &&
    order.excluded.length === 0 &&
    order.retryMs === undefined &&
    !isOpenFor(shop, order)
  if (!isFree || !line || others.length > 0) return false
  const roomy = shop.stockOf(line.sku).rows.filter(({ location }) => ROOMY.includes(location))
  return sumOf(roomy, ({ atp }) => atp) >= unmetOf(order, line.sku)
}
