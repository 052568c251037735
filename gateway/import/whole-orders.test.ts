import { expect, it } from 'vitest'
import type { Row } from './row.js'
import { wholeOrders } from './whole-orders.js'

const keyOf = ({ order }: Record<string, unknown>): string => String(order)

async function* rowsOf(orders: string[]): AsyncGenerator<Row> {
  for (const [at, order] of orders.entries()) yield { line: at + 2, body: { order } }
}

async function grouped(orders: string[], rowsWaitingMax: number): Promise<number[][]> {
  const found: number[][] = []
  for await (const rows of wholeOrders(rowsOf(orders), async () => rowsOf(orders), keyOf, rowsWaitingMax)) {
    found.push(rows.map(({ line }) => line))
  }
  return found
}

it('orders come whole once their last row is read, and rows wait no longer than that', async () => {
  expect(await grouped(['1', '2', '1', '3', '2'], 2)).toEqual([[2, 4], [5], [3, 6]])
  // However many there are, as long as they stand together.
  const many = Array.from({ length: 1_000 }, (_, at) => `${Math.floor(at / 3)}`)
  expect(await grouped(many, 3)).toHaveLength(334)
})

it('rows that stand too far apart for memory are refused with what to do', async () => {
  const apart = [...Array(2)].flatMap(() => Array.from({ length: 50 }, (_, at) => `${at}`))
  await expect(grouped(apart, 10)).rejects.toThrow('sort it by order number')
})
