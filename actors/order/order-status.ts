/** The status that clients see: what the order's machine says, of all regions the one that matters most. */
import type { Fulfillment, Order } from './order.js'

export const ORDER_STATUSES = [
  'received',
  'validating',
  'on_hold',
  'sourcing',
  'backordered',
  'allocated',
  'partially_shipped',
  'shipped',
  'delivered',
  'completed',
  'cancelled',
  'rejected',
] as const
export type OrderStatus = (typeof ORDER_STATUSES)[number]

export interface OrderState {
  hold: 'none' | 'held'
  payment: string
  sourcing: 'idle' | 'underway'
  progress: OrderStatus
}

/** States as they were taken apart: there are few, and each step of each order asks. */
const known = new Map<string, OrderState>()

export function stateOf({ state }: Order): OrderState {
  let parts = known.get(state)
  if (!parts) {
    parts = takeApart(state)
    known.set(state, parts)
  }
  return parts
}

function takeApart(state: string): OrderState {
  // The state was written by the order machine, whose regions these are.
  const [hold, payment, sourcing, progress] = state.split('/') as [
    OrderState['hold'],
    string,
    OrderState['sourcing'],
    OrderStatus,
  ]
  return { hold, payment, sourcing, progress }
}

/** Where a hold no longer matters: everything is on its way, or over. */
const BEYOND_HOLD: readonly OrderStatus[] = ['validating', 'shipped', 'delivered', 'completed', 'cancelled', 'rejected']

export function orderStatus(order: Order): OrderStatus {
  const { hold, sourcing, progress } = stateOf(order)
  if (BEYOND_HOLD.includes(progress)) return progress
  if (hold === 'held') return 'on_hold'
  return sourcing === 'underway' && progress !== 'partially_shipped' ? 'sourcing' : progress
}

/** Whether a fulfillment order counts: it is being worked on, or was; its units are not open again. */
export const isStanding = ({ status }: Fulfillment): boolean => !['rejected', 'failed', 'cancelled'].includes(status)
