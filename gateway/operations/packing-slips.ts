/** The slip of a fulfillment: what its parcel holds, and what comes apart from it. */
import { z } from 'zod'
import type { LocationEntry } from '../../actors/catalog/catalog.js'
import { unitsIn } from '../../actors/order/lines.js'
import type { Fulfillment } from '../../actors/order/order.js'
import { parseFulfillmentId } from '../../actors/order/order-id.js'
import { isStanding } from '../../actors/order/order-status.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Address, PackingSlip } from '../documents/packing-slip.js'
import { printPackingSlip } from '../documents/printer.js'
import * as shapes from '../order-schemas.js'
import type { OpenedLine, OpenedOrder } from '../personal-data/opened-order.js'
import { problem } from '../problems.js'
import { withoutUndefined } from '../without-undefined.js'
import { readProducts } from './catalog.js'
import { unknownFulfillment } from './fulfillments.js'
import { failed, type OperationContext, operation } from './operation.js'
import { isOutcome, openedOrder } from './orders.js'

const unitsOf = ({ lines }: Fulfillment, { number }: OpenedLine): number =>
  lines.reduce((sum, { line, quantity }) => (line === number ? sum + quantity : sum), 0)

/** Units of a line that are in other parcels, or that no parcel has yet. */
function unitsApart(order: OpenedOrder, own: Fulfillment, line: OpenedLine): number {
  if (line.isKit) return 0
  const waiting = unitsIn(line, 'open') + unitsIn(line, 'backordered')
  const others = order.fulfillments.filter((other) => other.number !== own.number && isStanding(other))
  return others.reduce((sum, other) => sum + unitsOf(other, line), waiting)
}

const isGiven = (text: string | undefined): text is string => text !== undefined && text !== ''

function slipOf(
  id: string,
  order: OpenedOrder,
  fulfillment: Fulfillment,
  shipFrom: PackingSlip['shipFrom'],
  article: (sku: number) => { sku: string; name: string },
): PackingSlip {
  const inParcel = order.lines.filter((line) => unitsOf(fulfillment, line) > 0)
  const messages = new Set(inParcel.map(({ gift }) => gift?.message).filter(isGiven))
  const packages = new Set(fulfillment.packages.map(({ trackingNumber }) => trackingNumber).filter(isGiven))
  return {
    order: order.id,
    fulfillment: id,
    placedAt: new Date(order.placedMs).toISOString(),
    shipFrom,
    shipTo: withoutUndefined({ name: order.customer.name, ...order.shipTo }),
    service: fulfillment.service,
    lines: inParcel.map((line) => ({
      ...article(line.sku),
      quantity: unitsOf(fulfillment, line),
      ordered: line.quantity,
      gift: line.gift !== undefined,
      ...(line.note === undefined ? {} : { note: line.note }),
    })),
    rest: order.lines.flatMap((line) => {
      const quantity = unitsApart(order, fulfillment, line)
      return quantity > 0 ? [{ ...article(line.sku), quantity }] : []
    }),
    giftMessage: [...messages].join('\n\n'),
    ...withoutUndefined({
      externalId: order.externalId,
      carrier: fulfillment.carrier,
      trackingNumber: fulfillment.trackingNumber ?? [...packages].join(', '),
      notes: order.notes,
    }),
  }
}

async function printSlip(id: string, context: OperationContext): Promise<Outcome> {
  const { dispatch, directory } = context
  const named = parseFulfillmentId(id)
  if (!named) return unknownFulfillment(id)
  const order = await openedOrder(named.order, context)
  if (isOutcome(order)) return order.status === 404 ? unknownFulfillment(id) : order
  const fulfillment = order.fulfillments[named.number - 1]
  if (!fulfillment) return unknownFulfillment(id)
  if (!isStanding(fulfillment)) {
    return problem(
      409,
      'fulfillment_over',
      `Fulfillment ${id} is ${fulfillment.status}: there is no parcel for a slip.`,
    )
  }
  const place = await dispatch.query(0, 'location.get', { index: fulfillment.location })
  if (failed(place)) return place
  // As location.put has checked it.
  const { name, address } = (place.body as LocationEntry).location as unknown as { name: string; address: Address }
  const products = await readProducts([...new Set(order.lines.map(({ sku }) => sku))], context)
  if ('status' in products) return products
  const article = (index: number) => {
    const sku = directory.name('skus', index)
    return { sku, name: String(products.get(index)?.product.name ?? sku) }
  }
  return printPackingSlip(slipOf(id, order, fulfillment, { name, address }, article))
}

export const packingSlipOperations = [
  operation({
    name: 'fulfillment.packingSlip',
    summary: 'The slip that lies in a fulfillment’s parcel, as PDF',
    http: {
      method: 'GET',
      path: '/v1/fulfillments/{id}/packing-slip.pdf',
      status: 200,
      produces: 'application/pdf',
    },
    parameters: z.object({ id: shapes.fulfillmentId }),
    run: ({ id }, context) => printSlip(id, context),
  }),
]
