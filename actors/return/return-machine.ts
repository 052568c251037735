/** The life of a return (RMA): asked for, allowed, on its way, received, inspected, closed. Goods may come in several parcels. */
import { setup } from 'xstate'

export const RETURN_EVENTS = ['AUTHORIZE', 'REJECT', 'TRANSIT', 'RECEIVE', 'INSPECT', 'CLOSE', 'CANCEL'] as const
export type ReturnEventType = (typeof RETURN_EVENTS)[number]
export interface ReturnEvent {
  type: ReturnEventType
}

export const RETURN_STATUSES = [
  'requested',
  'authorized',
  'in_transit',
  'received',
  'inspected',
  'closed',
  'rejected',
  'cancelled',
] as const
export type ReturnStatus = (typeof RETURN_STATUSES)[number]

export const returnMachine = setup({ types: { events: {} as ReturnEvent } }).createMachine({
  id: 'return',
  initial: 'requested',
  states: {
    requested: { on: { AUTHORIZE: 'authorized', REJECT: 'rejected', CANCEL: 'cancelled' } },
    // Handed over a counter it is never in transit.
    authorized: { on: { TRANSIT: 'in_transit', RECEIVE: 'received', CANCEL: 'cancelled' } },
    in_transit: { on: { RECEIVE: 'received', CANCEL: 'cancelled' } },
    received: { on: { RECEIVE: 'received', INSPECT: 'inspected' } },
    // What was sent in a second parcel comes later.
    inspected: { on: { RECEIVE: 'received', CLOSE: 'closed' } },
    closed: { type: 'final' },
    rejected: { type: 'final' },
    cancelled: { type: 'final' },
  },
})
