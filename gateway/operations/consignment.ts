/** A fulfillment as carriers are asked about it: from whom to whom, and in which packages. */
import type { LocationEntry } from '../../actors/catalog/catalog.js'
import type { Fulfillment } from '../../actors/order/order.js'
import { parseFulfillmentId } from '../../actors/order/order-id.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Party, RateRequest } from '../carriers/carrier.js'
import { customerParty, locationParty, type PackageRequest, packagesOf } from '../carriers/parcels.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import { unknownFulfillment } from './fulfillments.js'
import { failed, type OperationContext } from './operation.js'
import { isOutcome, openedOrder } from './orders.js'

/** A fulfillment, its order, and where it leaves from. */
interface Consignment {
  id: string
  order: OpenedOrder
  fulfillment: Fulfillment
  from: Party
}

/** The party of a location; an outcome where there is none. */
export async function partyOf(index: number, { dispatch }: OperationContext): Promise<Party | Outcome> {
  const outcome = await dispatch.query(0, 'location.get', { index })
  return failed(outcome) ? outcome : locationParty(outcome.body as LocationEntry)
}

export async function consignment(id: string, context: OperationContext): Promise<Consignment | Outcome> {
  const named = parseFulfillmentId(id)
  if (!named) return unknownFulfillment(id)
  const order = await openedOrder(named.order, context)
  if (isOutcome(order)) return order.status === 404 ? unknownFulfillment(id) : order
  const fulfillment = order.fulfillments[named.number - 1]
  if (!fulfillment) return unknownFulfillment(id)
  const from = await partyOf(fulfillment.location, context)
  return 'status' in from ? from : { id, order, fulfillment, from }
}

export const requestsOf = (
  { order, fulfillment, from }: Consignment,
  given: readonly PackageRequest[] | undefined,
  readyMs: number,
): RateRequest[] =>
  (given ?? packagesOf(order, fulfillment)).map((one) => ({ ...one, from, to: customerParty(order), readyMs }))
