/** Lists, counts and timers of a partition, compared with what is found by reading all of its orders. */
import { expect } from 'vitest'
import { RETURN_STATUSES } from '../../return/return-machine.js'
import type { Fulfillment, Order } from '../order.js'
import { ORDER_STATUSES, orderStatus, stateOf } from '../order-status.js'
import type { OrderView } from '../order-views.js'
import { CHANNELS, CUSTOMERS, LOCATIONS } from './goods.contract.js'
import type { Shop } from './shop.contract.js'

export const OVER = ['cancelled', 'rejected', 'completed']

export function checkPartition(shop: Shop, partition: number): void {
  const driven = shop.partitions[partition]!
  const orders = shop.ordersOf(partition)
  const ask = <T>(name: string, body: unknown): T => driven.query(shop.timeMs, name, body).body as T
  const counted = Object.fromEntries(ORDER_STATUSES.map((status) => [status, 0]))
  for (const order of orders) counted[orderStatus(order)]!++
  expect(ask('order.counts', {}), 'orders by status').toEqual(counted)

  const listed = (filter: object): string[] => {
    const ids: string[] = []
    for (let before: string | null | undefined; before !== null; ) {
      const wish = { filter, limit: 1_000, detail: 'short', ...(before === undefined ? {} : { before }) }
      const page = ask<{ items: { order: OrderView }[]; before: string | null }>('order.list', wish)
      ids.push(...page.items.map(({ order }) => order.id))
      before = page.before
    }
    return ids.sort()
  }
  const scanned = (matches: (order: Order) => boolean): string[] =>
    orders
      .filter(matches)
      .map(({ id }) => id)
      .sort()
  expect(listed({}), 'all orders').toEqual(scanned(() => true))
  for (const status of ORDER_STATUSES) {
    expect(listed({ status }), status).toEqual(scanned((order) => orderStatus(order) === status))
  }
  for (const channel of CHANNELS) expect(listed({ channel })).toEqual(scanned((order) => order.channel === channel))
  for (const customer of CUSTOMERS) {
    const theirs = scanned((order) => order.customer.id === customer)
    expect(listed({ customer }), customer).toEqual(theirs)
    expect(listed({ customer: `${customer}@` }), customer).toEqual(theirs)
    expect(listed({ q: ['york', customer] }), customer).toEqual(
      scanned((order) => order.customer.id === customer && order.search.includes('york')),
    )
  }
  for (const location of LOCATIONS) {
    const matches = ({ fulfillments }: Order): boolean => fulfillments.some((one) => one.location === location)
    expect(listed({ location }), `orders at ${location}`).toEqual(scanned(matches))
  }
  checkLists(ask, orders)
  const due = orders.filter((order) => hasTimer(shop, order)).map(({ id }) => id)
  expect(shop.actorsOf(partition).orders.open.timers.running, `timers, for ${due}`).toBe(due.length)
}

function checkLists(ask: <T>(name: string, body: unknown) => T, orders: Order[]): void {
  const all = <T extends { number: number }>(of: (order: Order) => T[], matches: (one: T) => boolean): string[] =>
    orders
      .flatMap((order) =>
        of(order)
          .filter(matches)
          .map(({ number }) => `${order.id}-${number}`),
      )
      .sort()
  for (const status of [
    'pending',
    'accepted',
    'picking',
    'packed',
    'shipped',
    'delivered',
    'rejected',
    'failed',
    'cancelled',
  ]) {
    for (const location of [undefined, ...LOCATIONS]) {
      const body = { statuses: [status], limit: 1_000, ...(location === undefined ? {} : { location }) }
      const { items } = ask<{ items: { order: string; fulfillment: Fulfillment }[] }>('fulfillment.list', body)
      expect(
        items.map(({ order, fulfillment }) => `${order}-${fulfillment.number}`).sort(),
        `${status} at ${location}`,
      ).toEqual(
        all(
          ({ fulfillments }) => fulfillments,
          (one) => one.status === status && (location === undefined || one.location === location),
        ),
      )
    }
  }
  for (const status of RETURN_STATUSES) {
    const { items } = ask<{ items: { order: string; return: { number: number } }[] }>('return.list', {
      statuses: [status],
      limit: 1_000,
    })
    expect(items.map((item) => `${item.order}-${item.return.number}`).sort(), `returns ${status}`).toEqual(
      all(
        ({ returns }) => returns ?? [],
        (one) => one.status === status,
      ),
    )
  }
  for (const status of ['open', 'acknowledged', 'resolved']) {
    const { items } = ask<{ items: { order: string; exception: { number: number } }[] }>('exception.list', {
      statuses: [status],
      limit: 1_000,
    })
    expect(items.map(({ order, exception }) => `${order}-${exception.number}`).sort(), `exceptions ${status}`).toEqual(
      all(
        ({ exceptions }) => exceptions,
        (one) => one.status === status,
      ),
    )
  }
}

/** Whether something will be due for it by itself: a deadline, an escalation, the end of its remorse, its completion. */
function hasTimer(shop: Shop, order: Order): boolean {
  const { progress, hold } = stateOf(order)
  if (OVER.includes(progress)) return false
  if (progress === 'delivered' || order.retryMs !== undefined) return true
  if (progress === 'received' && hold === 'none' && order.releaseMs > shop.timeMs) return true
  if (order.exceptions.some(({ status, escalatesMs }) => status === 'open' && escalatesMs < Number.POSITIVE_INFINITY)) {
    return true
  }
  if (
    order.shipByMs !== undefined &&
    ['received', 'backordered', 'allocated', 'partially_shipped'].includes(progress)
  ) {
    if (!order.exceptions.some(({ type, fulfillment }) => type === 'late' && fulfillment === undefined)) return true
  }
  const types: Record<string, string> = {
    pending: 'stuck',
    accepted: 'stuck',
    picking: 'stuck',
    packed: 'late',
    shipped: 'carrier_silent',
  }
  return order.fulfillments.some(({ status, number, sinceMs }) => {
    const type = types[status]
    if (type === undefined) return false
    return !order.exceptions.some(
      (one) =>
        one.type === type && one.fulfillment === number && (one.status !== 'resolved' || one.raisedMs >= sinceMs),
    )
  })
}
