/**
 * The life of one unit of an order's line. A line is as many of these as it has units; what is kept of them is how many
 * are in each state, so that nothing is lost or counted twice whatever a line is split into.
 */
import { setup } from 'xstate'

export const UNIT_STATES = [
  'open',
  'backordered',
  'allocated',
  'picking',
  'shipped',
  'delivered',
  'cancelled',
  'returned',
] as const
export type UnitState = (typeof UNIT_STATES)[number]

/** Units by their state, in the order of UNIT_STATES. */
export type UnitTally = number[]

export const UNIT_EVENTS = [
  'ALLOCATE',
  'BACKORDER',
  'REOPEN',
  'PICK',
  'SHIP',
  'DELIVER',
  'LOSE',
  'CANCEL',
  'RETURN',
] as const
export type UnitEventType = (typeof UNIT_EVENTS)[number]
export interface UnitEvent {
  type: UnitEventType
}

export const unitMachine = setup({ types: { events: {} as UnitEvent } }).createMachine({
  id: 'unit',
  initial: 'open',
  states: {
    open: { on: { ALLOCATE: 'allocated', BACKORDER: 'backordered', CANCEL: 'cancelled' } },
    backordered: { on: { ALLOCATE: 'allocated', REOPEN: 'open', CANCEL: 'cancelled' } },
    // A location that rejects it, or does not find it, opens it again.
    allocated: { on: { PICK: 'picking', REOPEN: 'open', CANCEL: 'cancelled' } },
    picking: { on: { SHIP: 'shipped', REOPEN: 'open', CANCEL: 'cancelled' } },
    // Lost on the way: it is shipped again, from stock.
    shipped: { on: { DELIVER: 'delivered', LOSE: 'open', RETURN: 'returned' } },
    delivered: { on: { RETURN: 'returned', LOSE: 'open' } },
    cancelled: { type: 'final' },
    returned: { type: 'final' },
  },
})
