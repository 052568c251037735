/** The three machines, each behind its table: what the actor asks at each step. */
import { type FulfillmentEvent, fulfillmentMachine } from './fulfillment-machine.js'
import { type OrderEvent, orderMachine } from './order-machine.js'
import { TransitionTable } from './transition-table.js'
import { type UnitEvent, unitMachine } from './unit-machine.js'

export const orderTable = new TransitionTable<OrderEvent>(orderMachine, ({ type, outlook }) => `${type} ${outlook}`)
export const fulfillmentTable = new TransitionTable<FulfillmentEvent>(fulfillmentMachine, ({ type }) => type)
export const unitTable = new TransitionTable<UnitEvent>(unitMachine, ({ type }) => type)
