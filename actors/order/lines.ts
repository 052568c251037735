/** Lines as tallies of their units, what they add up to, and how units move from state to state. */
import { assert } from '../../engine/assert.js'
import { unitTable } from './machines.js'
import type { Line, Order } from './order.js'
import type { Outlook } from './outlook.js'
import { UNIT_STATES, type UnitEventType, type UnitState, type UnitTally } from './unit-machine.js'

const STATE_AT = Object.fromEntries(UNIT_STATES.map((state, at) => [state, at])) as Record<UnitState, number>

export const newTally = (quantity: number): UnitTally => UNIT_STATES.map((state) => (state === 'open' ? quantity : 0))

export const unitsIn = (line: Pick<Line, 'units'>, state: UnitState): number => line.units[STATE_AT[state]]!

/** Moves `count` of a line's units by an event out of the state `from`. */
export function moveUnits(line: Line, from: UnitState, type: UnitEventType, count: number): void {
  if (count === 0) return
  const next = unitTable.next(from, { type }) as UnitState | null
  assert(next !== null, 'a unit moves as its machine allows')
  assert(count > 0 && line.units[STATE_AT[from]]! >= count, 'no unit is moved that is not there')
  line.units[STATE_AT[from]]! -= count
  line.units[STATE_AT[next]]! += count
}

/** From the least advanced to the most: a line is where the least advanced of its units is. */
const PROGRESS: readonly UnitState[] = [
  'open',
  'backordered',
  'allocated',
  'picking',
  'shipped',
  'delivered',
  'returned',
]

export function lineStatus(order: Order, line: Line): UnitState {
  if (line.isKit) {
    const parts = partsOf(order, line).map((part) => lineStatus(order, part))
    return PROGRESS.find((state) => parts.includes(state)) ?? 'cancelled'
  }
  return PROGRESS.find((state) => unitsIn(line, state) > 0) ?? 'cancelled'
}

const OPEN = STATE_AT.open
const BACKORDERED = STATE_AT.backordered
const SHIPPED = STATE_AT.shipped
const DELIVERED = STATE_AT.delivered
const CANCELLED = STATE_AT.cancelled
const RETURNED = STATE_AT.returned

export function outlookOf(order: Order): Outlook {
  let live = 0
  let open = 0
  let backordered = 0
  let shipped = 0
  let delivered = 0
  for (const { units, quantity } of order.lines) {
    live += units.length === 0 ? 0 : quantity - units[CANCELLED]!
    open += units[OPEN] ?? 0
    backordered += units[BACKORDERED] ?? 0
    const arrived = (units[DELIVERED] ?? 0) + (units[RETURNED] ?? 0)
    delivered += arrived
    shipped += (units[SHIPPED] ?? 0) + arrived
  }
  if (live === 0) return 'cancelled'
  if (delivered === live) return 'delivered'
  if (shipped === live) return 'shipped'
  if (shipped > 0) return 'partially_shipped'
  if (open > 0) return 'open'
  return backordered > 0 ? 'backordered' : 'allocated'
}

/** Whether picking has begun anywhere, or gone beyond. */
export function isPicking(order: Order): boolean {
  return order.lines.some((line) => unitsIn(line, 'picking') > 0)
}

/** Units for which no stock is held yet. */
export const unmet = (line: Line): number =>
  line.units.length === 0 ? 0 : unitsIn(line, 'open') + unitsIn(line, 'backordered')

/** The lines of a kit's components. */
export const partsOf = ({ lines }: Order, kit: Line): Line[] => lines.filter(({ parent }) => parent === kit.number)

export const lineOf = (order: Order, number: number): Line => order.lines[number - 1]!

/** Lines by their numbers, for the timeline. */
export const lineList = (lines: Line[]): string =>
  `line${lines.length === 1 ? '' : 's'} ${lines.map(({ number }) => number).join(', ')}`
