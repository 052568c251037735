import { expect, test } from 'vitest'
import { kindOf, MESSAGE_KINDS } from './message-kinds.js'

test.each([
  ['order.received', 'order_confirmation'],
  ['order.changed', 'order_changed'],
  ['order.on_hold', 'order_on_hold'],
  ['order.cancelled', 'cancelled'],
  ['order.rejected', 'cancelled'],
  ['fulfillment.shipped', 'shipped'],
  ['fulfillment.ready_for_pickup', 'ready_for_pickup'],
  ['fulfillment.delivered', 'delivered'],
  ['tracking.out_for_delivery', 'out_for_delivery'],
  ['return.authorized', 'return_label'],
  ['return.received', 'return_received'],
  ['payment.refunded', 'refunded'],
])('the event %s gives the message %s', (type, kind) => {
  expect(kindOf({ type, data: {} })).toBe(kind)
})

test('an event that no customer needs to hear of gives no message', () => {
  for (const type of ['inventory.sold_out', 'fulfillment.picked', 'payment.captured', 'order.allocated', '__proto__']) {
    expect(kindOf({ type, data: {} })).toBeUndefined()
  }
})

test('a promise that is put off is told, one that is kept or brought forward is not', () => {
  const changed = (deliverByMs: number) => kindOf({ type: 'promise.changed', data: { deliverByMs, before: 1_000 } })
  expect(changed(2_000)).toBe('delayed')
  expect(changed(1_000)).toBeUndefined()
  expect(changed(500)).toBeUndefined()
  expect(kindOf({ type: 'order.promise_changed', data: null })).toBe('delayed')
})

test('of a pick-up it is told that it is ready, not that it left the store in the hands of its customer', () => {
  const pickup = (type: string) => kindOf({ type, data: { kind: 'pickup' } })
  expect(pickup('fulfillment.ready_for_pickup')).toBe('ready_for_pickup')
  expect(pickup('fulfillment.shipped')).toBeUndefined()
  expect(pickup('fulfillment.delivered')).toBeUndefined()
  expect(kindOf({ type: 'fulfillment.shipped', data: { kind: 'ship' } })).toBe('shipped')
})

test('a return that a carrier brings back to us is no parcel that comes to its customer', () => {
  const out = (data: object) => kindOf({ type: 'tracking.out_for_delivery', data })
  expect(out({ fulfillment: 'O-1-1' })).toBe('out_for_delivery')
  expect(out({ return: 'O-1-R1' })).toBeUndefined()
})

test('each kind is given by some event', () => {
  const types = [
    'order.received order.changed order.on_hold order.cancelled fulfillment.ready_for_pickup fulfillment.shipped',
    'fulfillment.delivered tracking.out_for_delivery promise.changed return.authorized return.received payment.refunded',
  ]
  const given = types.flatMap((some) => some.split(' ')).map((type) => kindOf({ type, data: {} }))
  expect(new Set(given)).toEqual(new Set(MESSAGE_KINDS))
})
