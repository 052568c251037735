/**
 * Gives labels back whose parcel will not be sent: the fulfillment was cancelled, rejected or failed before it left, or the
 * return came to nothing. As soon as it is told; what a crash kept from it is seen when the parcel is next looked at. What
 * the carrier has already is left as it is.
 */
import type { EngineEvent } from '../../engine/protocol.js'
import type { OperationContext } from '../operations/operation.js'
import { CarrierRefusal } from './carrier.js'
import { labelsOf } from './label-record.js'

const WANTED = new Set([
  'fulfillment.cancelled',
  'fulfillment.rejected',
  'fulfillment.failed',
  'return.cancelled',
  'return.rejected',
])

export function giveBackUnused(context: OperationContext): void {
  context.dispatch.onEvent((event) => {
    if (WANTED.has(event.type)) void giveBackLabelsOf(event, context).catch(context.fault)
  })
}

async function giveBackLabelsOf({ data }: EngineEvent, { records, shipping }: OperationContext): Promise<void> {
  // Published by fulfillments and returns, one or the other of them.
  const { fulfillment, return: returned } = data as { fulfillment?: string; return?: string }
  const labels = fulfillment === undefined ? [] : await labelsOf(records, fulfillment)
  const known = returned === undefined ? undefined : (await shipping.known({ return: returned })).label
  for (const { label } of known ? [known] : labels) await giveBack(label.trackingNumber, { shipping })
}

export async function giveBack(
  trackingNumber: string,
  { shipping }: Pick<OperationContext, 'shipping'>,
): Promise<void> {
  try {
    await shipping.void(trackingNumber)
  } catch (error) {
    // Under way, or on a manifest: the carrier will not take it back.
    if (!(error instanceof CarrierRefusal)) throw error
  }
}
