/** From an order and the event that it is told of to the data that templates speak of. */
import type { z } from 'zod'
import type { LocationEntry } from '../../actors/catalog/catalog.js'
import type { Fulfillment } from '../../actors/order/order.js'
import { parseFulfillmentId } from '../../actors/order/order-id.js'
import type { EngineEvent } from '../../engine/protocol.js'
import { money } from '../money.js'
import { readProducts } from '../operations/catalog.js'
import { failed, type OperationContext } from '../operations/operation.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import type * as schemas from '../schemas.js'
import { type Brand, brandData } from './brands.js'
import type { MessageKind } from './message-kinds.js'
import type { MessageData } from './templates/message-data.js'

const isoTime = (ms: number): string => new Date(ms).toISOString()
type Goods = MessageData['order']['lines']

/** What events of orders, fulfillments, payments and returns carry; each of them some of it. */
interface OrderEventData {
  fulfillment?: string
  return?: string
  number?: number
  amount?: number
  shipByMs?: number
  deliverByMs?: number
  /** Of a promise the time before, of an order the status before. */
  before?: number | string
}

/** Names of an order's articles by SKU index. */
export async function articleNames(order: OpenedOrder, context: OperationContext): Promise<(sku: number) => string> {
  const products = await readProducts([...new Set(order.lines.map(({ sku }) => sku))], context)
  if ('status' in products) throw new Error('the products of an order cannot be read')
  return (sku) => String(products.get(sku)?.product.name ?? context.directory.name('skus', sku))
}

/** What the customer knows the order by. */
export const orderNumber = ({ externalId, id }: OpenedOrder): string => externalId ?? id

/** Rejects where something that is needed cannot be read just now. */
export async function contentOf(
  { data }: EngineEvent,
  kind: MessageKind,
  order: OpenedOrder,
  brand: Brand,
  context: OperationContext,
): Promise<MessageData> {
  // Published by our own actors.
  const facts = data as OrderEventData
  const name = await articleNames(order, context)
  const goods = (lines: readonly { sku: number; quantity: number }[]): Goods =>
    lines
      .filter(({ quantity }) => quantity > 0)
      .map(({ sku, quantity }) => ({ sku: context.directory.name('skus', sku), name: name(sku), quantity }))
  const number = facts.fulfillment === undefined ? undefined : parseFulfillmentId(facts.fulfillment)?.number
  const fulfillment = number === undefined ? undefined : order.fulfillments[number - 1]
  const found = order.returns?.find(({ id }) => id === facts.return)
  const { messaging, now } = context
  const labelUrl = kind === 'return_label' && found?.label ? messaging.returnLabelUrl(found.id, now()) : undefined
  return {
    brand: brandData(brand),
    customer: { name: order.customer.name },
    order: orderData(order, name, context),
    promise: promiseData(order, facts),
    parcel: fulfillment && parcelData(fulfillment, goods),
    pickup: kind === 'ready_for_pickup' && fulfillment ? await pickupData(fulfillment, context) : undefined,
    return: found && { id: found.id, labelUrl, lines: goods(found.lines) },
    refund:
      kind === 'refunded' && facts.amount !== undefined ? { amount: money(facts.amount, order.currency) } : undefined,
    statusUrl: messaging.trackingUrl(order.id, now()),
  }
}

function orderData(order: OpenedOrder, name: (sku: number) => string, { directory }: OperationContext) {
  const { totals, currency, shipTo, delivery } = order
  const amount = (value: number) => (value === 0 ? undefined : money(value, currency))
  const { latitude: _latitude, longitude: _longitude, ...place } = shipTo
  return {
    id: order.id,
    number: orderNumber(order),
    placedAt: isoTime(order.placedMs),
    // A kit's parts are no lines of what was ordered.
    lines: order.lines
      .filter(({ parent }) => parent === undefined)
      .map(({ sku, quantity, unitPrice }) => ({
        sku: directory.name('skus', sku),
        name: name(sku),
        quantity,
        unitPrice: money(unitPrice, currency),
        total: money(unitPrice * quantity, currency),
      })),
    subtotal: money(totals.subtotal, currency),
    discount: amount(totals.discount),
    shipping: amount(totals.shipping),
    tax: amount(totals.tax),
    total: money(totals.total, currency),
    shipTo: delivery.method === 'pickup' ? undefined : place,
  }
}

function promiseData({ promise }: OpenedOrder, { shipByMs, deliverByMs, before }: OrderEventData) {
  const told = deliverByMs === undefined ? promise : { shipByMs, deliverByMs }
  if (!told) return undefined
  return {
    deliverBy: isoTime(told.deliverByMs),
    ...(told.shipByMs === undefined ? {} : { shipBy: isoTime(told.shipByMs) }),
    ...(typeof before === 'number' ? { before: isoTime(before) } : {}),
  }
}

/** Numbers of a fulfillment's parcels, each once. */
export function trackingNumbers({ trackingNumber, packages }: Fulfillment): string[] {
  const numbers = [trackingNumber, ...packages.map((parcel) => parcel.trackingNumber)]
  return [...new Set(numbers.filter((one) => one !== undefined && one !== ''))] as string[] // undefined was filtered out
}

function parcelData(fulfillment: Fulfillment, goods: (lines: Fulfillment['lines']) => Goods): MessageData['parcel'] {
  const { kind, carrier, lines } = fulfillment
  if (kind === 'pickup' || carrier === undefined) return undefined
  const numbers = trackingNumbers(fulfillment)
  return { carrier, lines: goods(lines), ...(numbers.length === 0 ? {} : { trackingNumber: numbers.join(', ') }) }
}

/** A place as location.put has checked it. */
export async function readPlace(
  index: number,
  { dispatch }: OperationContext,
): Promise<z.output<typeof schemas.location>> {
  const outcome = await dispatch.query(0, 'location.get', { index })
  if (failed(outcome)) throw new Error('the location of a fulfillment cannot be read')
  return (outcome.body as LocationEntry).location as unknown as z.output<typeof schemas.location>
}

async function pickupData({ location }: Fulfillment, context: OperationContext): Promise<MessageData['pickup']> {
  const { name, address } = await readPlace(location, context)
  return { place: { name, ...address } }
}
