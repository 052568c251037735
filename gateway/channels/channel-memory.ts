/**
 * What a channel said of one order: kept beside it, since neither lines' ids nor times of changes are the order's own, and
 * partners of EDI are answered in the numbers that they gave.
 */
import type { OperationContext } from '../operations/operation.js'
import type { ChannelOrder } from './channel.js'

export const MEMORY = 'channel-order'

export interface ChannelMemory {
  lineIds: string[]
  /** The channel's own SKU of each line, where it is answered in its words. */
  theirSkus?: string[]
  origin?: NonNullable<ChannelOrder['origin']>
  /** When what was told last had happened there. */
  changedAt?: string
  /** It was cancelled there before it was here. */
  cancelled?: string
}

/** The lines of `input` behind those that were known; `lineIds` are all of them. */
export function toldLines(
  { origin, lines, lineIds: own }: ChannelOrder,
  lineIds: string[],
  before: ChannelMemory | undefined,
): Partial<ChannelMemory> {
  if (!origin) return { lineIds }
  const theirSkus = lineIds.map((id, at) => lines[own.indexOf(id)]?.sku ?? before?.theirSkus?.[at] ?? '')
  return { lineIds, theirSkus, origin }
}

export async function memoryOf(
  channel: string,
  externalId: string,
  { records }: OperationContext,
): Promise<ChannelMemory | undefined> {
  return (await records.get<ChannelMemory>(MEMORY, `${channel}/${externalId}`))?.value
}
