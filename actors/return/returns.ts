/**
 * Returns of orders: asked for, authorized, received wherever the customer brings them, inspected, and settled unit by unit.
 * A return is a part of its order, so in no order of requests does more come back than was sent.
 */
import type { Step } from '../../engine/actors.js'
import type { Outcome } from '../../engine/protocol.js'
import { COMMANDS_REMEMBERED } from '../limits.js'
import type { Order } from '../order/order.js'
import type { OrderStore } from '../order/order-store.js'
import { timelineIsFull } from '../order/transitions.js'
import { ok, problem } from '../outcomes.js'
import type { OrderReturn, ReturnLabel } from './order-return.js'
import type { CameIn, Receipts } from './receipts.js'
import type { ReturnEventType } from './return-machine.js'
import { returnId } from './return-requests.js'
import { fireReturn, refusedReturn, tellReturn } from './return-steps.js'
import { returnTable } from './return-table.js'
import type { Settlement } from './settlement.js'

export const RETURN_ACTIONS = ['authorize', 'reject', 'transit', 'receive', 'inspect', 'close', 'cancel'] as const
export type ReturnAction = (typeof RETURN_ACTIONS)[number]

export interface ReturnCommand extends CameIn {
  order: string
  number: number
  action: ReturnAction
  id?: string
  reason?: string
  label?: ReturnLabel
}

const EVENTS: Record<ReturnAction, ReturnEventType> = {
  authorize: 'AUTHORIZE',
  reject: 'REJECT',
  transit: 'TRANSIT',
  receive: 'RECEIVE',
  inspect: 'INSPECT',
  close: 'CLOSE',
  cancel: 'CANCEL',
}

export class Returns {
  constructor(
    private readonly orders: OrderStore,
    private readonly receipts: Receipts,
    private readonly settlement: Settlement,
  ) {}

  advance(step: Step, command: ReturnCommand): Outcome {
    const order = this.orders.change(command.order)
    const found = order?.returns?.[command.number - 1]
    if (!order || !found) {
      return problem(404, 'unknown_return', `There is no return ${returnId(command.order, command.number)}.`)
    }
    const done = ok({ order: order.id, number: found.number })
    if (command.id !== undefined && found.commands?.includes(command.id)) return done
    const type = EVENTS[command.action]
    if (returnTable.next(found.status, { type }) === null) return refusedReturn(found, command.action)
    const refused = timelineIsFull(order) ?? this[command.action](step, order, found, command)
    if (refused) return refused
    if (command.id !== undefined) found.commands = [...(found.commands ?? []), command.id].slice(-COMMANDS_REMEMBERED)
    return done
  }

  private authorize(step: Step, order: Order, found: OrderReturn, { by, label, location }: ReturnCommand): undefined {
    if (label) found.label = label
    if (location !== undefined) found.location = location
    fireReturn(step, found, 'AUTHORIZE')
    tellReturn(step, order, found, 'authorized', by, label?.trackingNumber)
  }

  private reject(step: Step, order: Order, found: OrderReturn, { by, reason }: ReturnCommand): undefined {
    found.reason = reason ?? 'rejected'
    fireReturn(step, found, 'REJECT')
    tellReturn(step, order, found, 'rejected', by, found.reason)
  }

  private cancel(step: Step, order: Order, found: OrderReturn, { by, reason }: ReturnCommand): undefined {
    found.reason = reason ?? 'cancelled'
    fireReturn(step, found, 'CANCEL')
    tellReturn(step, order, found, 'cancelled', by, found.reason)
  }

  private transit(step: Step, order: Order, found: OrderReturn, { by }: ReturnCommand): undefined {
    found.cameByLabel = true
    fireReturn(step, found, 'TRANSIT')
    tellReturn(step, order, found, 'in_transit', by, found.label?.trackingNumber)
  }

  private receive(step: Step, order: Order, found: OrderReturn, command: ReturnCommand): Outcome | undefined {
    return this.receipts.receive(step, order, found, command)
  }

  private inspect(step: Step, order: Order, found: OrderReturn, command: ReturnCommand): Outcome | undefined {
    return this.receipts.inspect(step, order, found, command)
  }

  private close(step: Step, order: Order, found: OrderReturn, { by }: ReturnCommand): undefined {
    fireReturn(step, found, 'CLOSE')
    this.settlement.close(step, order, found)
    tellReturn(step, order, found, 'closed', by)
  }

  /** The edge has placed the order that the customer gets instead. */
  exchanged(step: Step, { order: id, number, placed }: { order: string; number: number; placed: string }): Outcome {
    const order = this.orders.change(id)
    const found = order?.returns?.[number - 1]
    if (!order || !found?.exchange)
      return problem(404, 'unknown_return', `There is no exchange for ${returnId(id, number)}.`)
    if (found.exchange.order !== undefined) return ok({ order: id, number })
    found.exchange.order = placed
    tellReturn(step, order, found, 'exchanged', found.by, placed)
    return ok({ order: id, number })
  }
}
