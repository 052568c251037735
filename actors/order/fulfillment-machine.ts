/** The life of a fulfillment order: what one location does for one order. Staff and a WMS move it on by the same events. */
import { setup } from 'xstate'

export const FULFILLMENT_EVENTS = [
  'ACCEPT',
  'REJECT',
  'PICK',
  'SHORT',
  'PACK',
  'SHIP',
  'DELIVER',
  'FAIL',
  'CANCEL',
] as const
export type FulfillmentEventType = (typeof FULFILLMENT_EVENTS)[number]
export interface FulfillmentEvent {
  type: FulfillmentEventType
}

export const fulfillmentMachine = setup({ types: { events: {} as FulfillmentEvent } }).createMachine({
  id: 'fulfillment',
  initial: 'pending',
  states: {
    pending: { on: { ACCEPT: 'accepted', REJECT: 'rejected', CANCEL: 'cancelled' } },
    accepted: { on: { PICK: 'picking', SHORT: 'failed', REJECT: 'rejected', CANCEL: 'cancelled' } },
    // Several rounds may pick for it; SHORT: nothing of it was found; CANCEL: what was left to pick is not wanted any more.
    picking: { on: { PICK: 'picking', SHORT: 'failed', PACK: 'packed', FAIL: 'failed', CANCEL: 'cancelled' } },
    packed: { on: { SHIP: 'shipped', FAIL: 'failed' } },
    shipped: { on: { DELIVER: 'delivered', FAIL: 'failed' } },
    delivered: { type: 'final' },
    rejected: { type: 'final' },
    failed: { type: 'final' },
    cancelled: { type: 'final' },
  },
})
