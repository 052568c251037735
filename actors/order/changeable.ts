/** Orders as commands find them: there, not just being taken, with room for one step more. */
import type { Outcome } from '../../engine/protocol.js'
import { problem } from '../outcomes.js'
import type { Order } from './order.js'
import type { OrderStore } from './order-store.js'
import { timelineIsFull } from './transitions.js'

export interface Wish {
  id: string
  by: string
  reason: string
  /** The same key is carried out once. */
  key?: string
}

export const unknownOrder = (id: string): Outcome => problem(404, 'unknown_order', `There is no order ${id}.`)

/** Finds an order to change; an outcome where there is none or it takes no more. */
export function changeable(orders: OrderStore, id: string): Order | Outcome {
  const order = orders.change(id)
  if (!order) return unknownOrder(id)
  if (order.saga && order.saga.command !== 0) {
    return problem(503, 'overloaded', `Order ${id} is just being taken; try again shortly.`)
  }
  return timelineIsFull(order) ?? order
}
