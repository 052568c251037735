/** Steps of a return: fired, noted and published, or refused with what is possible instead. */
import type { Step } from '../../engine/actors.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Order } from '../order/order.js'
import { invalidTransition, note } from '../order/transitions.js'
import type { OrderReturn } from './order-return.js'
import { RETURN_EVENTS, type ReturnEventType } from './return-machine.js'
import { returnTable } from './return-table.js'

export function fireReturn(step: Step, found: OrderReturn, type: ReturnEventType): void {
  const next = returnTable.next(found.status, { type })
  if (next === null) return
  // The table is of the return machine, whose states these are.
  found.status = next as OrderReturn['status']
  found.sinceMs = step.timeMs
}

export function tellReturn(
  step: Step,
  order: Order,
  found: OrderReturn,
  what: string,
  by: string,
  detail?: string,
): void {
  note(order, step.timeMs, `return.${what}`, by, detail === undefined ? found.id : `${found.id}: ${detail}`)
  step.publish(`return.${what}`, `order/${order.id}`, {
    order: order.id,
    return: found.id,
    number: found.number,
    status: found.status,
    resolution: found.resolution,
    channel: order.channel,
    ...(found.exchange?.order === undefined ? {} : { placed: found.exchange.order }),
  })
}

export function refusedReturn({ id, status }: OrderReturn, action: string): Outcome {
  const possible = RETURN_EVENTS.filter((type) => returnTable.next(status, { type }) !== null)
  const list = possible.join(', ').toLowerCase() || 'none'
  return invalidTransition(
    `Return ${id} is ${status}; ${action} is not possible now. Possible are: ${list}.`,
    status,
    possible,
  )
}
