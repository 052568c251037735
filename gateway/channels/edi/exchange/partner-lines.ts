/** An order's lines in a partner's numbers: its line ids and SKUs where it gave them, ours where it did not. */

import type { OperationContext } from '../../../operations/operation.js'
import type { OpenedLine, OpenedOrder } from '../../../personal-data/opened-order.js'
import type { Connection } from '../../channel.js'
import type { ChannelMemory } from '../../channel-memory.js'

export interface PartnerLine {
  line: OpenedLine
  lineId: string
  sku: string
  /** Units of ours in one of theirs. */
  each: number
}

/** Lines that were ordered, in their order; components of kits are parts of theirs. */
export function partnerLines(
  order: OpenedOrder,
  memory: ChannelMemory,
  connection: Connection,
  { directory, channels }: OperationContext,
): PartnerLine[] {
  const own = order.lines.filter(({ parent }) => parent === undefined)
  return own.map((line, at) => {
    const theirs = memory.theirSkus?.[at]
    if (theirs === undefined || theirs === '') {
      return { line, lineId: memory.lineIds[at] ?? String(line.number), sku: directory.name('skus', line.sku), each: 1 }
    }
    const { quantity } = channels.connections.alias(connection, theirs)
    return { line, lineId: memory.lineIds[at] ?? String(line.number), sku: theirs, each: quantity }
  })
}

/** Units of a line by what became of them, in our units. */
export interface LineUnits {
  ordered: number
  accepted: number
  backordered: number
  cancelled: number
  open: number
}

/** A kit is what its scarcest component makes of it. */
export function unitsOf(line: OpenedLine, { lines }: OpenedOrder): LineUnits {
  const tally = (units: readonly number[]): Omit<LineUnits, 'ordered'> => {
    const [open = 0, backordered = 0, allocated = 0, picking = 0, shipped = 0, delivered = 0, cancelled = 0] = units
    const returned = units[7] ?? 0
    return { open, backordered, cancelled, accepted: allocated + picking + shipped + delivered + returned }
  }
  if (!line.isKit) return { ordered: line.quantity, ...tally(line.units) }
  const parts = lines.filter(({ parent }) => parent === line.number)
  const counts = parts.map(({ units, perParent = 1 }) => ({ ...tally(units), perParent }))
  const most = (of: (count: (typeof counts)[number]) => number): number =>
    Math.max(0, ...counts.map((count) => Math.ceil(of(count) / count.perParent)))
  const accepted = Math.min(line.quantity, ...counts.map((count) => Math.floor(count.accepted / count.perParent)))
  const cancelled = Math.min(
    line.quantity - accepted,
    most((count) => count.cancelled),
  )
  const open = Math.min(
    line.quantity - accepted - cancelled,
    most((count) => count.open),
  )
  return { ordered: line.quantity, accepted, cancelled, open, backordered: line.quantity - accepted - cancelled - open }
}

/** Theirs of ours: what is not a whole one is not there. */
export const inTheirs = (units: number, each: number): number => Math.floor(units / each)

export const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
