/**
 * Rows of CSV that are one order, wherever in the file they stand: it is read twice, first how many rows each order has,
 * then the rows, which are kept from an order's first to its last.
 */
import { DoorbusterError } from '../../engine/errors.js'
import type { Row } from './row.js'

/** Their numbers are in memory: some hundred bytes each. */
const ORDERS_MAX = 1_000_000
/** Rows that wait for the last one of their order: some kilobyte each. */
const ROWS_WAITING_MAX = 200_000

type Body = Record<string, unknown>

export interface RowFault {
  line: number
  reason: string
}

/** Rows without a key stand alone. Rejects with a sentence where rows stand too far apart for memory. */
export async function* wholeOrders(
  first: AsyncIterable<Row>,
  again: () => Promise<AsyncIterable<Row>>,
  keyOf: (body: Body) => string | undefined,
  rowsWaitingMax = ROWS_WAITING_MAX,
): AsyncGenerator<Row[]> {
  // Rows of CSV have what `bodyOf` has made.
  const keyOfRow = ({ body }: Row): string | undefined => (body === undefined ? undefined : keyOf(body as Body))
  const counts = new Map<string, number>()
  for await (const row of first) {
    const key = keyOfRow(row)
    if (key === undefined) continue
    counts.set(key, (counts.get(key) ?? 0) + 1)
    if (counts.size > ORDERS_MAX)
      throw new DoorbusterError('bad_file', `more than ${ORDERS_MAX} orders; split the file`)
  }
  const begun = new Map<string, Row[]>()
  let waiting = 0
  for await (const row of await again()) {
    const key = keyOfRow(row)
    if (key === undefined) {
      yield [row]
      continue
    }
    const rows = begun.get(key) ?? []
    rows.push(row)
    if (rows.length < (counts.get(key) ?? 0)) {
      begun.set(key, rows)
      if (++waiting > rowsWaitingMax) {
        throw new DoorbusterError('bad_file', 'the rows of its orders stand too far apart; sort it by order number')
      }
      continue
    }
    begun.delete(key)
    waiting -= rows.length - 1
    yield rows
  }
}

/** What is wrong with rows of one order: those that can't be read, and those that say something else of it than the first. */
export function faultsOf(rows: readonly Row[]): RowFault[] {
  const first = rows[0]?.body as Body | undefined
  return rows.flatMap(({ line, body, reason }) => {
    const why = reason ?? contradiction(first, body as Body)
    return why === undefined ? [] : [{ line, reason: why }]
  })
}

/** An order is whole or not at all: where some of its lines are bad, the others are named with them. */
export function withLeftOut(lines: readonly number[], faults: readonly RowFault[]): RowFault[] {
  const [first] = faults
  const isTold = new Set(faults.map(({ line }) => line))
  const others = lines.filter((line) => !isTold.has(line))
  return [...faults, ...others.map((line) => ({ line, reason: `left out: line ${first?.line} of its order is bad` }))]
}

/** What a row says of its order that the first row of it says otherwise. */
function contradiction(first: Body | undefined, row: Body): string | undefined {
  for (const [key, value] of Object.entries(row)) {
    if (key === 'line' || first?.[key] === undefined) continue
    if (JSON.stringify(first[key]) !== JSON.stringify(value)) return `${key}: not as in the first row of the order`
  }
  return undefined
}
