/** A count that a channel tells of. */
import type { Problem } from '../../engine/protocol.js'
import { failed, type OperationContext } from '../operations/operation.js'
import { type Applied, Refused, refusal } from './applied.js'
import type { ChannelEvent, Connection } from './channel.js'
import { commonSettings, placeOf } from './connections.js'

/** The channel counts stock that is kept there: what it may sell and what is promised here is what is on hand. */
export async function applyCount(
  { sku: theirs, location: place, available }: Extract<ChannelEvent, { type: 'stock' }>,
  connection: Connection,
  context: OperationContext,
): Promise<Applied> {
  const { call, channels } = context
  if (!commonSettings(connection).takesStock) return { did: 'ignored: its counts are not ours (settings.takesStock)' }
  const location = placeOf(connection, place)
  if (location === undefined) throw new Refused(`their location ${place} is none of ours: put it in settings.locations`)
  const { sku, quantity } = channels.connections.alias(connection, theirs)
  const stock = await call('inventory.get', { sku })
  if (failed(stock)) throw refusal(stock.status, stock.body as Problem)
  const { locations } = stock.body as { locations: { location: string; reserved: number; allocated: number }[] }
  const here = locations.find((row) => row.location === location)
  const onHand = available * quantity + (here?.reserved ?? 0) + (here?.allocated ?? 0)
  const outcome = await call('inventory.put', { sku, location, onHand })
  if (failed(outcome)) throw refusal(outcome.status, outcome.body as Problem)
  return { did: `${sku} at ${location} counted` }
}
