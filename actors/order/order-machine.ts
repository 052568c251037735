/**
 * The life of an order as the trade draws it: four regions that do not block each other. Hold and payment say whether it
 * may go on, sourcing says whether stock is being asked for just now, progress says how far its lines have come.
 *
 * The machine is pure and has no context: what its guards look at comes with the event as the outlook of the lines.
 */
import { setup } from 'xstate'
import type { Outlook } from './outlook.js'

export const ORDER_EVENTS = [
  'ACCEPT',
  'REJECT',
  'HOLD',
  'RESUME',
  'REVISE',
  'CANCEL',
  'SOURCE',
  'SOURCED',
  'PICK',
  'SHORT',
  'SHIP',
  'DELIVER',
  'LOSE',
  'RETURN',
  'CREDIT',
  'COMPLETE',
  'PAYMENT_DUE',
  'PAYMENT_AUTHORIZED',
  'PAYMENT_CAPTURED',
  'PAYMENT_FAILED',
  'PAYMENT_VOIDED',
  'PAYMENT_REFUNDED',
] as const
export type OrderEventType = (typeof ORDER_EVENTS)[number]

export interface OrderEvent {
  type: OrderEventType
  /** How far the lines are, with the event's effect on them. */
  outlook: Outlook
}

/** Where the lines alone decide. */
const byLines = [
  { guard: 'everythingIsCancelled', target: '#cancelled' },
  { guard: 'everythingIsDelivered', target: '#delivered' },
  { guard: 'everythingIsShipped', target: '#shipped' },
  { guard: 'somethingIsShipped', target: '#partially_shipped' },
  { guard: 'somethingIsOpen', target: '#received' },
  { guard: 'somethingIsBackordered', target: '#backordered' },
  { guard: 'everythingIsAllocated', target: '#allocated' },
] as const

/** What may happen as long as not everything has been shipped. */
const untilShipped = {
  SOURCED: byLines,
  REVISE: byLines,
  CANCEL: byLines,
  SHORT: byLines,
  PICK: byLines,
  SHIP: byLines,
  DELIVER: byLines,
  LOSE: byLines,
} as const

export const orderMachine = setup({
  types: { events: {} as OrderEvent },
  guards: {
    everythingIsCancelled: ({ event }) => event.outlook === 'cancelled',
    everythingIsDelivered: ({ event }) => event.outlook === 'delivered',
    everythingIsShipped: ({ event }) => event.outlook === 'shipped',
    somethingIsShipped: ({ event }) => event.outlook === 'partially_shipped',
    somethingIsOpen: ({ event }) => event.outlook === 'open',
    somethingIsBackordered: ({ event }) => event.outlook === 'backordered',
    everythingIsAllocated: ({ event }) => event.outlook === 'allocated',
  },
}).createMachine({
  id: 'order',
  type: 'parallel',
  states: {
    hold: {
      initial: 'none',
      states: {
        none: { on: { HOLD: 'held' } },
        held: { on: { HOLD: 'held', RESUME: 'none' } },
      },
    },
    payment: {
      initial: 'settled',
      states: {
        settled: {
          on: { PAYMENT_DUE: 'pending', PAYMENT_AUTHORIZED: 'authorized', PAYMENT_CAPTURED: 'captured' },
        },
        pending: {
          on: {
            PAYMENT_AUTHORIZED: 'authorized',
            PAYMENT_CAPTURED: 'captured',
            PAYMENT_FAILED: 'failed',
            PAYMENT_VOIDED: 'voided',
          },
        },
        authorized: {
          on: {
            PAYMENT_CAPTURED: 'captured',
            PAYMENT_FAILED: 'failed',
            PAYMENT_VOIDED: 'voided',
          },
        },
        // An order that is shipped in parts is captured in parts.
        captured: { on: { PAYMENT_CAPTURED: 'captured', PAYMENT_REFUNDED: 'refunded' } },
        failed: {
          on: { PAYMENT_AUTHORIZED: 'authorized', PAYMENT_CAPTURED: 'captured', PAYMENT_VOIDED: 'voided' },
        },
        voided: {},
        refunded: { on: { PAYMENT_CAPTURED: 'captured', PAYMENT_REFUNDED: 'refunded' } },
      },
    },
    sourcing: {
      initial: 'idle',
      states: {
        idle: { on: { SOURCE: 'underway' } },
        // What interrupts it leaves the answers that are under way to be given back.
        underway: { on: { SOURCED: 'idle', CANCEL: 'idle', REVISE: 'idle', REJECT: 'idle' } },
      },
    },
    progress: {
      initial: 'validating',
      states: {
        validating: { on: { ACCEPT: 'received', REJECT: 'rejected' } },
        received: { id: 'received', on: { ...untilShipped, REJECT: 'rejected' } },
        backordered: { id: 'backordered', on: { ...untilShipped, REJECT: 'rejected' } },
        allocated: { id: 'allocated', on: untilShipped },
        partially_shipped: {
          id: 'partially_shipped',
          on: { ...untilShipped, RETURN: byLines, CREDIT: 'partially_shipped' },
        },
        shipped: {
          id: 'shipped',
          // What comes back before it was handed over has been as far as it will go.
          on: { DELIVER: byLines, LOSE: byLines, RETURN: byLines, CREDIT: 'shipped' },
        },
        delivered: {
          id: 'delivered',
          on: { LOSE: byLines, RETURN: 'delivered', CREDIT: 'delivered', COMPLETE: 'completed' },
        },
        completed: { on: { RETURN: 'completed', CREDIT: 'completed' } },
        cancelled: { id: 'cancelled' },
        rejected: {},
      },
    },
  },
})
