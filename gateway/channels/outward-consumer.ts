/**
 * Tells channels what happens to their orders: that they were taken, shipped, and what has become of them. One order is told
 * of one thing after the other, and each is looked up at the platform before it is made there, so a repeat changes nothing.
 */
import type { Logger } from 'pino'
import type { EngineEvent } from '../../engine/protocol.js'
import type { OperationContext } from '../operations/operation.js'
import { isOutcome, openedOrder } from '../operations/orders.js'
import { EventConsumer, GiveUp } from '../outbox/event-consumer.js'
import { OutwardError } from '../outward/outward-error.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import { listeners, polledChannels } from './adapters.js'
import { type Connection, type ShippedParcel, UnreadablePayload } from './channel.js'
import { type ChannelMemory, MEMORY } from './channel-memory.js'
import { isAwaited, keepWaiting } from './waiting-tellings.js'

interface OrderEvent {
  order: string
  /** Of events of the order itself. */
  channel?: string
  fulfillment?: string
  status: string
}

const STATUSES = new Set(['order.received', 'order.cancelled', 'order.shipped', 'order.delivered', 'order.completed'])

export function channelConsumer(context: OperationContext, logger: Logger): EventConsumer {
  return new EventConsumer({
    name: 'channels',
    dispatch: context.dispatch,
    records: context.records,
    logger,
    wants: (type) => type === 'fulfillment.shipped' || STATUSES.has(type),
    handle: (event) => tellOrKeep(event, context),
  })
}

/** Whether trying again would give the same. */
export const isHopeless = (error: unknown): boolean =>
  error instanceof UnreadablePayload ||
  error instanceof GiveUp ||
  (error instanceof OutwardError && !error.isWorthRetrying)

async function tellOrKeep(event: EngineEvent, context: OperationContext): Promise<void> {
  const concerned = await concernedBy(event, context)
  if (!concerned) return
  const key = `${concerned.connection.type}/${concerned.connection.id}`
  if (await isAwaited(key, context)) return keepWaiting(event, key, context)
  try {
    await tellOf(event, concerned, context)
  } catch (error) {
    if (isHopeless(error)) throw new GiveUp((error as Error).message)
    await keepWaiting(event, key, context)
  }
}

export async function tell(event: EngineEvent, context: OperationContext): Promise<void> {
  const concerned = await concernedBy(event, context)
  if (concerned) await tellOf(event, concerned, context)
}

interface Concerned {
  order: OpenedOrder
  externalId: string
  connection: Connection
}

/** The order and its channel; undefined where that has told nobody where its API is, and so is told nothing. */
async function concernedBy({ data }: EngineEvent, context: OperationContext): Promise<Concerned | undefined> {
  // Published by orders and fulfillments themselves.
  const { order: id, channel } = data as OrderEvent
  if (channel !== undefined && !apiOf(channel, context)) return undefined
  const order = await openedOrder(id, context)
  if (isOutcome(order)) throw new Error(`order ${id} cannot be read: ${order.status}`)
  const { externalId } = order
  const connection = apiOf(order.channel, context)
  return connection && externalId !== undefined ? { order, externalId, connection } : undefined
}

/** The connection of a channel that has told where its API is. */
function apiOf(channel: string, { channels }: OperationContext): Connection | undefined {
  const connection = channels.connections.byChannel(channel)
  return connection?.settings.apiUrl === undefined ? undefined : connection
}

async function tellOf(
  { type, data }: EngineEvent,
  { order, externalId, connection }: Concerned,
  context: OperationContext,
): Promise<void> {
  const { fulfillment, status } = data as OrderEvent
  const http = context.outward.forConnection(`channel/${connection.type}/${connection.id}`)
  if (type === 'order.received') {
    await polledChannels[connection.type]?.acknowledge([{ externalId, order: order.id }], connection, http)
    return
  }
  const listener = listeners[connection.type]
  if (fulfillment === undefined) await listener?.statusChanged?.({ externalId, status }, connection, http)
  else await listener?.shipped(await parcelOf(order, fulfillment, connection, context), connection, http)
}

async function parcelOf(
  order: OpenedOrder,
  fulfillment: string,
  connection: Connection,
  { records, directory }: OperationContext,
): Promise<ShippedParcel> {
  const externalId = order.externalId!
  const sent = order.fulfillments.find(({ number }) => fulfillment === `${order.id}-${number}`)
  if (!sent) throw new GiveUp(`there is no fulfillment ${fulfillment}`)
  const memory = await records.get<ChannelMemory>(MEMORY, `${connection.id}/${externalId}`)
  const own = order.lines.filter(({ parent }) => parent === undefined)
  const theirLocation = placeThere(connection, directory.name('locations', sent.location))
  const parcel: ShippedParcel = {
    externalId,
    fulfillment,
    carrier: sent.carrier ?? '',
    units: sent.lines.map(({ line, sku, quantity }) => {
      const top = order.lines[line - 1]?.parent ?? line
      const lineId = memory?.value.lineIds[own.findIndex(({ number }) => number === top)]
      return { sku: directory.name('skus', sku), quantity, ...(lineId === undefined ? {} : { lineId }) }
    }),
  }
  if (sent.trackingNumber !== undefined) parcel.trackingNumber = sent.trackingNumber
  if (theirLocation !== undefined) parcel.location = theirLocation
  return parcel
}

/** The channel's name of one of our locations. */
function placeThere({ settings }: Connection, ours: string): string | undefined {
  const { locations } = settings as { locations?: Record<string, string> }
  return Object.entries(locations ?? {}).find(([, location]) => location === ours)?.[0]
}
