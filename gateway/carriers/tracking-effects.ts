/** What a carrier's event means for the order or return that its parcel belongs to. Each may be carried in again: it counts once. */
import { parseFulfillmentId } from '../../actors/order/order-id.js'
import type { OrderView } from '../../actors/order/order-views.js'
import type { Outcome } from '../../engine/protocol.js'
import { failed, type OperationContext } from '../operations/operation.js'
import type { TrackingEvent } from './carrier.js'
import { type LabelRecord, labelsOf, trackableLabel } from './label-record.js'

/** `too_early`: the product has not come so far; the event is to be carried in later. */
export type Effect = 'done' | 'too_early'

/** Throws where it was not carried in and is to be tried again. */
export function carryIn(
  record: LabelRecord,
  event: TrackingEvent,
  context: OperationContext,
  nowMs: number,
): Promise<Effect> {
  return 'return' in record.purpose
    ? carryIntoReturn(record, record.purpose.return, event, context)
    : carryIntoFulfillment(record, record.purpose.fulfillment, event, context, nowMs)
}

async function orderOf({ order }: LabelRecord, { dispatch, directory }: OperationContext): Promise<OrderView> {
  const outcome = await dispatch.query(directory.partitionOfOrder(order), 'order.get', { id: order })
  if (failed(outcome)) throw new Error(`order ${order} cannot be read`)
  return outcome.body as OrderView
}

const OVER = ['cancelled', 'rejected', 'failed']

const fulfillmentOf = ({ fulfillments }: OrderView, id: string) =>
  fulfillments[(parseFulfillmentId(id)?.number ?? 0) - 1]

/** Whether its parcel will not be sent any more. */
export async function isUnused(record: LabelRecord, context: OperationContext): Promise<boolean> {
  const { purpose } = record
  const order = await orderOf(record, context)
  const part =
    'return' in purpose
      ? order.returns?.find(({ id }) => id === purpose.return)
      : fulfillmentOf(order, purpose.fulfillment)
  return part !== undefined && OVER.includes(part.status)
}

const idOf = (event: TrackingEvent): string => `tracking:${event.id}`.slice(0, 128)

/** 409: somebody else has done it, or something else has happened to it. */
function settled(outcome: Outcome, what: string): void {
  if (failed(outcome) && outcome.status !== 409) throw new Error(`${what}: ${outcome.status}`)
}

async function carryIntoFulfillment(
  record: LabelRecord,
  fulfillment: string,
  event: TrackingEvent,
  context: OperationContext,
  nowMs: number,
): Promise<Effect> {
  const order = await orderOf(record, context)
  const status = fulfillmentOf(order, fulfillment)?.status
  if (status === undefined || status === 'delivered' || OVER.includes(status)) return 'done'
  if (status !== 'shipped') return 'too_early'
  if (event.type === 'out_for_delivery' || event.type === 'exception') {
    await noted(record, event, { fulfillment }, context)
  }
  const by = record.label.carrierName
  if (event.type === 'delivered' && (await allAre('delivered', record, fulfillment, context, nowMs))) {
    const step = { fulfillment, id: idOf(event), by }
    settled(await context.call('fulfillment.deliver', step), `delivery of ${fulfillment}`)
  }
  if (isLost(event) && (await allAre('lost', record, fulfillment, context, nowMs))) {
    const step = { fulfillment, id: idOf(event), by, reason: 'lost' }
    settled(await context.call('fulfillment.fail', step), `loss of ${fulfillment}`)
  }
  return 'done'
}

async function carryIntoReturn(
  record: LabelRecord,
  id: string,
  event: TrackingEvent,
  context: OperationContext,
): Promise<Effect> {
  const order = await orderOf(record, context)
  const status = order.returns?.find((one) => one.id === id)?.status
  if (status === 'requested') return 'too_early'
  if (event.type === 'accepted') {
    const step = { return: id, id: idOf(event), by: record.label.carrierName }
    settled(await context.call('return.transit', step), `way of return ${id}`)
  }
  if (event.type === 'out_for_delivery' || event.type === 'exception') {
    await noted(record, event, { return: id }, context)
  }
  return 'done'
}

async function noted(
  { order, label }: LabelRecord,
  event: TrackingEvent,
  about: { fulfillment: string } | { return: string },
  { dispatch, directory }: OperationContext,
): Promise<void> {
  const { trackingNumber, carrierName: by } = label
  const reason = event.type === 'exception' ? { reason: event.reason } : {}
  const note = { id: order, event: event.id, type: event.type, by, trackingNumber, ...about, ...reason }
  const outcome = await dispatch.command(directory.partitionOfOrder(order), 'tracking.note', note)
  settled(outcome, `event ${event.id} of order ${order}`)
}

const isLost = (event: TrackingEvent): boolean => event.type === 'exception' && event.reason === 'lost'

/**
 * Whether each of a fulfillment's parcels has come to the same end: one of several alone says nothing of the others. Where
 * some arrived and some are lost, neither is so: what becomes of it is for a person to say.
 */
async function allAre(
  end: 'delivered' | 'lost',
  { label }: LabelRecord,
  fulfillment: string,
  { records, people, shipping }: OperationContext,
  nowMs: number,
): Promise<boolean> {
  for (const other of await labelsOf(records, fulfillment)) {
    if (other.label.trackingNumber === label.trackingNumber) continue
    const events = await shipping.carrier(other.label.carrier).track(trackableLabel(people, other), nowMs)
    if (!events.some((event) => (end === 'lost' ? isLost(event) : event.type === end))) return false
  }
  return true
}
