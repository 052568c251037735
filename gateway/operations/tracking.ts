/** The page that a customer sees behind the link in a message. */
import { z } from 'zod'
import type { Fulfillment } from '../../actors/order/order.js'
import { isStanding } from '../../actors/order/order-status.js'
import type { Outcome } from '../../engine/protocol.js'
import { brandData } from '../notify/brands.js'
import { customerKeys } from '../notify/customer-wishes.js'
import { localeOf, timeZoneOf } from '../notify/locality.js'
import { articleNames, orderNumber, readPlace, trackingNumbers } from '../notify/message-content.js'
import { trackingPage } from '../notify/tracking-page/tracking-page.js'
import { ORDER_STATUSES, type TrackingView } from '../notify/tracking-page/tracking-view.js'
import { wordsFor } from '../notify/tracking-page/words.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import { problem } from '../problems.js'
import { withoutUndefined } from '../without-undefined.js'
import { Content, type OperationContext, operation } from './operation.js'
import { isOutcome, openedOrder } from './orders.js'

const isoTime = (ms: number): string => new Date(ms).toISOString()

const noSuchPage = (): Outcome =>
  problem(404, 'unknown_link', 'This link opens nothing; take it whole out of the message that it came in.')

async function page(token: string, context: OperationContext): Promise<Outcome> {
  const { messaging, people, now } = context
  const link = messaging.verifyLink(token, now())
  if (!link.valid) {
    if (link.reason !== 'expired') return noSuchPage()
    return problem(410, 'link_expired', 'This link is too old; the newest message about the order has one that opens.')
  }
  const order = await openedOrder(link.payload, context)
  if (isOutcome(order)) return order.status === 404 ? noSuchPage() : order
  const { brand } = await messaging.brandOf(order.channel)
  const wishes = await messaging.recipients.wishes.of(customerKeys(order.customer, people))
  const { country } = order.shipTo
  const locale = wishes.locale ?? brand.locale ?? localeOf(country)
  const { url, logoUrl, name, colour, supportEmail } = brandData(brand)
  const view = await viewOf(order, locale, context)
  const { html, headers } = trackingPage(
    { brand: withoutUndefined({ url, logoUrl, name, colour, supportEmail }), ...view },
    { locale, timeZone: wishes.timeZone ?? timeZoneOf(country) },
  )
  return { status: 200, body: new Content(Buffer.from(html), headers) }
}

async function viewOf(
  order: OpenedOrder,
  locale: string,
  context: OperationContext,
): Promise<Omit<TrackingView, 'brand'>> {
  const name = await articleNames(order, context)
  const goods = (lines: readonly { sku: number; quantity: number }[]) =>
    lines.filter(({ quantity }) => quantity > 0).map(({ sku, quantity }) => ({ name: name(sku), quantity }))
  const pickup = order.fulfillments.find((one) => one.kind === 'pickup' && isStanding(one))
  const parcels = order.fulfillments.filter(
    ({ kind, status }) => kind !== 'pickup' && ['shipped', 'delivered'].includes(status),
  )
  return {
    order: {
      number: orderNumber(order),
      status: ORDER_STATUSES.find((status) => status === order.status) ?? 'received',
      placedAt: isoTime(order.placedMs),
      lines: goods(order.lines.filter(({ parent }) => parent === undefined)),
    },
    ...(order.promise ? { promise: { deliverBy: isoTime(order.promise.deliverByMs) } } : {}),
    ...(pickup ? { pickup: await pickupOf(pickup, context) } : {}),
    parcels: parcels.map((parcel) => parcelOf(parcel, order, locale, goods)),
  }
}

async function pickupOf({ location, status }: Fulfillment, context: OperationContext) {
  const { name, address } = await readPlace(location, context)
  const { line1, postalCode, city } = address
  return { name, address: `${line1}, ${postalCode} ${city}`, isReady: status === 'packed' }
}

/** With what we know of its way: when it left us, and when it was handed over. */
function parcelOf(
  parcel: Fulfillment,
  { timeline }: OpenedOrder,
  locale: string,
  goods: (lines: Fulfillment['lines']) => { name: string; quantity: number }[],
): TrackingView['parcels'][number] {
  const { steps } = wordsFor(locale)
  const descriptions = new Map([
    ['fulfillment.packed', steps.preparing],
    ['fulfillment.shipped', steps.underway],
    ['fulfillment.delivered', steps.delivered],
  ])
  const events = timeline.flatMap(({ type, atMs, detail }) => {
    const description = descriptions.get(type)
    // The timeline names the fulfillment by its number, and what was said of it behind a colon.
    const isOwn = detail?.split(':', 1)[0] === `${parcel.number}`
    return description !== undefined && isOwn ? [{ at: isoTime(atMs), description }] : []
  })
  const numbers = trackingNumbers(parcel)
  return {
    carrier: parcel.carrier ?? '–',
    lines: goods(parcel.lines),
    events,
    ...(numbers.length === 0 ? {} : { trackingNumber: numbers.join(', ') }),
  }
}

export const trackingOperations = [
  operation({
    name: 'order.track',
    summary: 'An order’s page for its customer, behind the signed link of a message',
    http: { method: 'GET', path: '/v1/track/{token}', status: 200, produces: 'text/html; charset=utf-8' },
    parameters: z.object({ token: z.string().min(1).max(1_000) }),
    run: ({ token }, context) => page(token, context),
  }),
]
