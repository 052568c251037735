/**
 * Secondary indexes of orders. An entry is the time and the id, so each index is in the order of time; keys that are
 * fixed when an order is placed are apart from those that change, and names that are scattered are of a window.
 */

import type { Order } from './order.js'
import { orderStatus } from './order-status.js'

const TIME_DIGITS = 13
const TOKEN_LENGTH_MAX = 40

export const timeKey = (ms: number): string => String(ms).padStart(TIME_DIGITS, '0')

export const entryOf = (order: { id: string; placedMs: number }): string => `${timeKey(order.placedMs)}/${order.id}`

/** When the order of an entry was placed (ms). */
export const timeOfEntry = (entry: string): number => Number(entry.slice(0, TIME_DIGITS))

export const orderOfEntry = (entry: string): string => entry.slice(TIME_DIGITS + 1)

/** Words by which an order is found: lower case, letters and digits. */
export function tokensOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.map((token) => token.slice(0, TOKEN_LENGTH_MAX)) ?? []
  )
}

export const indexName = {
  all: 'order',
  status: (status: string): string => `order-status/${status}`,
  channel: (channel: string): string => `order-channel/${channel}`,
  customer: (window: number, key: string): string => `order-customer/${timeKey(window)}/${key}`,
  externalId: (window: number, externalId: string): string => `order-external/${timeKey(window)}/${externalId}`,
  text: (window: number, token: string): string => `order-text/${timeKey(window)}/${token}`,
  location: (location: number): string => `order-location/${location}`,
  fulfillment: (location: number | undefined, status: string): string =>
    location === undefined ? `fulfillment/${status}` : `fulfillment-at/${location}/${status}`,
  exception: (status: string): string => `exception/${status}`,
  return: (status: string): string => `return/${status}`,
}

/** The indexes in which an order of a window (order-windows.ts) stands as long as it is there. */
export function lastingIndexesOf(order: Order, window: number): string[] {
  const names = [indexName.all, indexName.channel(order.channel)]
  if (order.externalId !== undefined) names.push(indexName.externalId(window, order.externalId))
  return [...names, ...personalIndexesOf(order, window)]
}

/** Those by which its customer is found: they go when the customer is erased. */
export const personalIndexesOf = ({ customer, search }: Order, window: number): string[] => [
  ...customer.keys.map((key) => indexName.customer(window, key)),
  ...search.map((token) => indexName.text(window, token)),
]

/** What changes with the order: `index \t entry`. */
export function indexEntriesOf(order: Order): string[] {
  const entry = entryOf(order)
  const pairs = [`${indexName.status(orderStatus(order))}\t${entry}`]
  const locations = new Set<number>()
  for (const { number, location, status, createdMs } of order.fulfillments) {
    const own = `${timeKey(createdMs)}/${order.id}-${number}`
    pairs.push(`${indexName.fulfillment(undefined, status)}\t${own}`)
    pairs.push(`${indexName.fulfillment(location, status)}\t${own}`)
    locations.add(location)
  }
  for (const location of locations) pairs.push(`${indexName.location(location)}\t${entry}`)
  for (const { number, status, raisedMs } of order.exceptions) {
    pairs.push(`${indexName.exception(status)}\t${timeKey(raisedMs)}/${order.id}-${number}`)
  }
  for (const { number, status, createdMs } of order.returns ?? []) {
    pairs.push(`${indexName.return(status)}\t${timeKey(createdMs)}/${order.id}-${number}`)
  }
  return pairs
}
