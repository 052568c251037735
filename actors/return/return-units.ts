/** Units of an order's lines that may come back, and those that have. */
import { moveUnits, unitsIn } from '../order/lines.js'
import type { Line, Order } from '../order/order.js'

/** In these more is still expected of a return. */
const EXPECTING: readonly string[] = ['requested', 'authorized', 'in_transit', 'received', 'inspected']

/** Units of a line that were sent and neither came back nor were lost. */
export const unitsOut = (line: Line): number => unitsIn(line, 'shipped') + unitsIn(line, 'delivered')

/** Units of a line that were sent and are neither back nor expected back. */
export function returnable(order: Order, line: Line): number {
  const expected = (order.returns ?? []).filter(({ status }) => EXPECTING.includes(status))
  const coming = expected.reduce(
    (sum, { lines }) =>
      sum + lines.reduce((units, one) => units + (one.line === line.number ? one.quantity - one.received : 0), 0),
    0,
  )
  return unitsOut(line) - coming
}

/** Those that arrived first; what was never handed over is taken off the parcel that it was in, and counted. */
export function takeBackUnits(order: Order, line: Line, count: number): number {
  const arrived = Math.min(count, unitsIn(line, 'delivered'))
  moveUnits(line, 'delivered', 'RETURN', arrived)
  let left = count - arrived
  const early = left
  moveUnits(line, 'shipped', 'RETURN', left)
  for (const { status, lines } of order.fulfillments) {
    if (status !== 'shipped') continue
    for (const part of lines) {
      if (part.line !== line.number) continue
      const back = Math.min(left, part.quantity - (part.back ?? 0))
      if (back > 0) part.back = (part.back ?? 0) + back
      left -= back
    }
  }
  return early
}
