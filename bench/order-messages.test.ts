import { unpack } from 'msgpackr'
import { expect, test } from 'vitest'
import * as shapes from '../gateway/order-schemas.js'
import { PlaceMessage, StepMessage } from './order-messages.js'
import { frameHeadBytes } from './socket.js'

const SKUS = ['A', 'B', 'C', 'D']
const HEAD_BYTES = frameHeadBytes(1_000)
const bodyOf = ({ bytes }: { bytes: Buffer }) => unpack(bytes.subarray(HEAD_BYTES)).body

test('a message of orders is numbered anew in place, and is what the server takes', () => {
  const message = new PlaceMessage(7, 2, SKUS, 'test')
  message.number(41)
  const { orders } = shapes.orders.parse(bodyOf(message))
  expect(orders.map(({ externalId }) => externalId)).toEqual(['test-000000000041', 'test-000000000042'])
  expect(orders.map(({ lines }) => lines.map(({ sku, quantity }) => [sku, quantity]))).toEqual(
    message.orders.map((lines) => lines.map(({ sku, quantity }) => [SKUS[sku], quantity])),
  )
  for (const { lines } of orders) expect(new Set(lines.map(({ sku }) => sku)).size).toBe(3)
})

test('a step is addressed to the first fulfillment of each order', () => {
  const orders = ['11111111-2222-8333-a444-555555555555', '66666666-7777-8888-a999-000000000000']
  for (const step of ['accept', 'ship'] as const) {
    const message = new StepMessage(1, step, 2)
    message.address(orders)
    const { commands } = shapes.fulfillmentCommands.parse(bodyOf(message))
    expect(commands.map(({ fulfillment, action }) => [fulfillment, action])).toEqual(
      orders.map((order) => [`${order}-1`, step]),
    )
  }
})
