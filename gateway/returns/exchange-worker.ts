/**
 * Looks after what customers get instead of what they send back: makes its reservation last once the return is in the log,
 * places the order when all that will come has come, gives the stock back when the return comes to nothing. Every step has an id
 * made of the return's, so that doing it twice does it once.
 */
import type { Logger } from 'pino'
import { exchangeNeed } from '../../actors/return/exchanges.js'
import { keptForExchange } from '../../actors/return/settlement.js'
import type { EngineEvent } from '../../engine/protocol.js'
import { money } from '../money.js'
import { failed, type OperationContext } from '../operations/operation.js'
import { findReturn } from '../operations/returns.js'
import { derivedId } from '../order-request.js'
import { EventConsumer, GiveUp } from '../outbox/event-consumer.js'

interface ReturnEvent {
  order: string
  return: string
  number: number
  status: string
  resolution: string
}

const WANTED = new Set([
  'return.requested',
  'return.inspected',
  'return.received',
  'return.rejected',
  'return.cancelled',
  'return.closed',
])

export function exchangeConsumer(context: OperationContext, logger: Logger): EventConsumer {
  const { dispatch, records } = context
  return new EventConsumer({
    name: 'exchanges',
    dispatch,
    records,
    logger,
    wants: (type) => WANTED.has(type),
    handle: (event) => handle(event, context),
  })
}

/** What has to be done is read off the return as it is now: events come late, and again. */
async function handle({ data }: EngineEvent, context: OperationContext): Promise<void> {
  // Published by the returns themselves.
  const { return: id, resolution } = data as ReturnEvent
  if (resolution !== 'exchange' && resolution !== 'warranty') return
  const there = await findReturn(id, context)
  if ('status' in there) throw new Error(`return ${id} cannot be read`)
  const need = exchangeNeed(there.found)
  if (need === undefined) return
  if (need === 'place') await place(there, context)
  else
    for (const { reservation } of there.found.exchange!.lines)
      await settled(`reservation.${need}`, reservation, context)
}

async function settled(name: string, reservation: string, { call }: OperationContext): Promise<void> {
  const outcome = await call(name, { id: reservation })
  // 404 and 409: it is over already, by an earlier try or by its time.
  if (failed(outcome) && outcome.status >= 500) throw new Error(`${name} of ${reservation}: ${outcome.status}`)
}

async function place(
  { order, found }: Exclude<Awaited<ReturnType<typeof findReturn>>, { status: number; body: unknown }>,
  context: OperationContext,
): Promise<void> {
  const { directory, call, dispatch } = context
  const exchange = found.exchange!
  const isFree = found.resolution === 'warranty'
  const due = isFree ? 0 : Math.max(0, exchange.total - keptForExchange(found))
  const placed = await call('order.create', {
    id: derivedId(['exchange-order', found.id]),
    channel: order.channel,
    currency: order.currency,
    customer: order.customer,
    shipTo: order.shipTo,
    lines: exchange.lines.map(({ sku, quantity, unitPrice, reservation }) => ({
      sku: directory.name('skus', sku),
      quantity,
      unitPrice: money(isFree ? 0 : unitPrice, order.currency),
      reservationId: reservation,
    })),
    allowSplit: true,
    allowBackorder: true,
    notes: `Exchange for return ${found.id} of order ${order.id}`,
    by: 'exchange',
    // What the goods cost more than what came back is still to be paid.
    ...(due > 0 ? { payment: { status: 'pending', amount: money(due, order.currency), reference: found.id } } : {}),
  })
  if (failed(placed)) {
    if (placed.status < 500)
      throw new GiveUp(`the exchange for ${found.id} was refused: ${JSON.stringify(placed.body)}`)
    throw new Error(`the exchange for ${found.id} could not be placed`)
  }
  const { id: number } = placed.body as { id: string }
  const told = await dispatch.command(directory.partitionOfOrder(order.id), 'return.exchanged', {
    order: order.id,
    number: found.number,
    placed: number,
  })
  if (failed(told)) throw new Error(`return ${found.id} could not be told of its order ${number}`)
}
