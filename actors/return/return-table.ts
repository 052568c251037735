/** The return machine's answers, remembered. */
import { TransitionTable } from '../order/transition-table.js'
import { type ReturnEvent, returnMachine } from './return-machine.js'

export const returnTable = new TransitionTable<ReturnEvent>(returnMachine, ({ type }) => type)
