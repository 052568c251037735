/** Shipping labels: what carriers ask, bought for the packages of fulfillments, printed, given back. */
import PQueue from 'p-queue'
import { z } from 'zod'
import type { LocationEntry } from '../../actors/catalog/catalog.js'
import type { Fulfillment } from '../../actors/order/order.js'
import { parseFulfillmentId } from '../../actors/order/order-id.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Party, RateRequest } from '../carriers/carrier.js'
import { CarrierRefusal } from '../carriers/carrier.js'
import { answering, labelView, rateView, refusalOf, sentence } from '../carriers/label-answers.js'
import { type LabelRecord, labelsOf, openedLabel, PACKAGES_MAX } from '../carriers/label-record.js'
import { LABELS_MAX, type ShippingLabel, shippingLabelOf } from '../carriers/labels/shipping-label.js'
import { addressParty, customerParty, locationParty, type PackageRequest, packagesOf } from '../carriers/parcels.js'
import { chooseRate } from '../carriers/rate-shopping.js'
import { printLabels } from '../documents/printer.js'
import { BULK_ITEMS_MAX } from '../limits.js'
import * as shapes from '../order-schemas.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import { problem, unknownLocation } from '../problems.js'
import * as schemas from '../schemas.js'
import { withoutUndefined } from '../without-undefined.js'
import { resultsOf } from './command-many.js'
import { unknownFulfillment } from './fulfillments.js'
import { failed, type OperationContext, operation } from './operation.js'
import { isOutcome, openedOrder } from './orders.js'

const BULK_AT_ONCE = 8
export const ZPL = 'application/zpl'

const millimetres = z.int().min(1).max(20_000)
const dimensionsMm = z.object({ length: millimetres, width: millimetres, height: millimetres })
const weightGrams = z.int().min(1).max(10_000_000)
const serviceChoice = z.object({
  carrier: z.string().min(1).max(100).optional(),
  service: z.string().min(1).max(100).optional().meta({ description: 'None: the cheapest that keeps the promise' }),
})
const packages = z
  .array(z.object({ weightGrams, dimensionsMm: dimensionsMm.optional() }))
  .min(1)
  .max(PACKAGES_MAX)
  .optional()
  .meta({ description: 'None: as they were packed, or one' })
const rateQuestion = z
  .object({
    fulfillment: shapes.fulfillmentId.optional(),
    from: schemas.locationName.optional(),
    to: schemas.address
      .extend({
        name: z.string().min(1).max(200).default('Recipient'),
        latitude: z.number().min(-90).max(90).optional(),
        longitude: z.number().min(-180).max(180).optional(),
      })
      .optional(),
    weightGrams: weightGrams.optional(),
    dimensionsMm: dimensionsMm.optional(),
    deliverBy: z.iso.datetime({ offset: true }).optional(),
    prefer: z.enum(['cost', 'speed']).default('cost'),
  })
  .refine(({ fulfillment, from, to, weightGrams: grams }) => fulfillment !== undefined || (from && to && grams), {
    message: 'name a fulfillment, or from, to and weightGrams',
  })

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

async function consignment(id: string, context: OperationContext): Promise<Consignment | Outcome> {
  const named = parseFulfillmentId(id)
  if (!named) return unknownFulfillment(id)
  const order = await openedOrder(named.order, context)
  if (isOutcome(order)) return order.status === 404 ? unknownFulfillment(id) : order
  const fulfillment = order.fulfillments[named.number - 1]
  if (!fulfillment) return unknownFulfillment(id)
  const from = await partyOf(fulfillment.location, context)
  return 'status' in from ? from : { id, order, fulfillment, from }
}

const requestsOf = (
  { order, fulfillment, from }: Consignment,
  given: readonly PackageRequest[] | undefined,
  readyMs: number,
): RateRequest[] =>
  (given ?? packagesOf(order, fulfillment)).map((one) => ({ ...one, from, to: customerParty(order), readyMs }))

async function rates(input: z.output<typeof rateQuestion>, context: OperationContext): Promise<Outcome> {
  const { shipping, directory, now } = context
  const { fulfillment: id, from: name, to, deliverBy, prefer, weightGrams: grams, dimensionsMm: size } = input
  const readyMs = now()
  let deliverByMs = deliverBy === undefined ? undefined : Date.parse(deliverBy)
  let request: RateRequest
  if (id !== undefined) {
    const found = await consignment(id, context)
    if ('status' in found) return found
    deliverByMs ??= found.fulfillment.deliverByMs
    const given = grams === undefined ? undefined : [withoutUndefined({ weightGrams: grams, dimensionsMm: size })]
    request = requestsOf(found, given, readyMs)[0]!
  } else {
    const location = directory.find('locations', name!)
    const from = location < 0 ? unknownLocation(name!) : await partyOf(location, context)
    if ('status' in from) return from
    const parcel = withoutUndefined({ weightGrams: grams!, dimensionsMm: size })
    request = { ...parcel, from, to: addressParty(to!.name, to!), readyMs }
  }
  const { rates: offered, failures } = await shipping.rates(request)
  const refused = failures.find(({ error }) => error instanceof CarrierRefusal)
  if (refused && offered.length === 0) return refusalOf(refused.error)!
  const chosen = chooseRate(offered, { prefer, ...(deliverByMs === undefined ? {} : { deliverByMs }) })
  const body = {
    rates: offered.map(rateView),
    chosen: chosen ? rateView(chosen) : null,
    failures: failures.map(({ carrier, error }) => ({
      carrier,
      detail: error instanceof CarrierRefusal ? sentence(error.message) : 'It does not answer.',
    })),
  }
  return { status: 200, body }
}

interface LabelWish {
  carrier?: string | undefined
  service?: string | undefined
  packages?: z.output<typeof packages>
}

/** The labels of a fulfillment's packages, bought as far as there are none. Throws what carriers refuse. */
async function buy(id: string, { carrier, service, packages: given }: LabelWish, context: OperationContext) {
  const { shipping, records, now } = context
  const found = await consignment(id, context)
  if ('status' in found) return found
  const { order, fulfillment } = found
  const answer = (bought: LabelRecord[], status: number): Outcome => ({
    status,
    body: { fulfillment: id, labels: bought.map(labelView) },
  })
  const there = await labelsOf(records, id)
  const isOver = !['pending', 'accepted', 'picking', 'packed'].includes(fulfillment.status)
  if (there.length > 0 && (isOver || given === undefined)) return answer(there, 200)
  if (isOver) {
    const detail = `Fulfillment ${id} is ${fulfillment.status}: labels are bought before it is shipped.`
    return problem(409, 'fulfillment_over', detail)
  }
  if (fulfillment.kind === 'pickup') {
    return problem(409, 'not_sent', `Fulfillment ${id} is collected by the customer: it needs no label.`)
  }
  const wanted = given?.map(withoutUndefined)
  const parcels = requestsOf(found, wanted, now()).map((request, at) => ({
    purpose: { fulfillment: id, package: at + 1 },
    ...{ order: order.id, person: order.person, location: fulfillment.location, request },
  }))
  // All are asked for before the first is bought, so that a package that nobody takes does not leave half of them bought.
  const choice = withoutUndefined({ carrier, service, prefer: 'cost' as const, deliverByMs: fulfillment.deliverByMs })
  const chosen = await Promise.all(
    parcels.map(async ({ purpose, request }) => {
      const { label, pending } = await shipping.known(purpose)
      return label || pending ? undefined : shipping.choose(request, choice)
    }),
  )
  const bought = await Promise.all(parcels.map((parcel, at) => shipping.buy(parcel, chosen[at])))
  return answer(
    bought.map(({ record }) => record),
    bought.some(({ isNew }) => isNew) ? 201 : 200,
  )
}

const buyLabels = (id: string, wish: LabelWish, context: OperationContext): Promise<Outcome> =>
  answering(() => buy(id, wish, context))

async function buyMany(fulfillments: readonly string[], wish: LabelWish, context: OperationContext): Promise<Outcome> {
  const queue = new PQueue({ concurrency: BULK_AT_ONCE })
  // Each is a customer of its own: the answer is kept for none of them.
  const outcomes = await queue.addAll(fulfillments.map((id) => () => buyLabels(id, wish, { ...context, subject: {} })))
  const answer = resultsOf(outcomes, ({ body }) => body as object)
  const { results } = answer.body as { results: object[] }
  return { ...answer, body: { results: results.map((one, at) => ({ fulfillment: fulfillments[at], ...one })) } }
}

/** What is printed for a fulfillment; an outcome where it has no label. */
async function printables(id: string, context: OperationContext): Promise<ShippingLabel[] | Outcome> {
  const labels = await labelsOf(context.records, id)
  if (labels.length === 0) {
    const found = await consignment(id, context)
    if ('status' in found) return found
    return problem(404, 'no_label', `Fulfillment ${id} has no label: buy one with POST /v1/fulfillments/${id}/labels.`)
  }
  const printed: ShippingLabel[] = []
  for (const record of labels) {
    const label = openedLabel(context.people, record)
    if (!label) return erasedLabel(record.label.trackingNumber)
    printed.push(shippingLabelOf(label))
  }
  return printed
}

export const erasedLabel = (trackingNumber: string): Outcome =>
  problem(404, 'erased', `Whose parcel ${trackingNumber} is has been erased: its label cannot be printed any more.`)

/** As ZPL for a thermal printer. What draws it is loaded with the first label: it is large. */
export async function printZpl(labels: readonly ShippingLabel[]): Promise<Outcome> {
  const { labelsZpl } = await import('../carriers/labels/zpl.js')
  return { status: 200, body: new TextEncoder().encode(await labelsZpl(labels)) }
}

async function printMany(ids: readonly string[], context: OperationContext): Promise<Outcome> {
  const labels: ShippingLabel[] = []
  for (const id of new Set(ids)) {
    const own = await printables(id, context)
    if ('status' in own) return own
    labels.push(...own)
    if (labels.length > LABELS_MAX) {
      return problem(422, 'invalid', `fulfillments: more than ${LABELS_MAX} labels; print them in several parts`)
    }
  }
  return printLabels(labels)
}

async function voidLabel(trackingNumber: string, context: OperationContext): Promise<Outcome> {
  const record = await context.shipping.label(trackingNumber)
  if (!record) return unknownLabel(trackingNumber)
  if ('fulfillment' in record.purpose && record.label.voidedMs === undefined) {
    const found = await consignment(record.purpose.fulfillment, context)
    if ('status' in found) return found
    const { status } = found.fulfillment
    if (status === 'shipped' || status === 'delivered') {
      const detail = `Fulfillment ${found.id} is ${status}: the label on its parcel cannot be voided.`
      return problem(409, 'label_in_use', detail)
    }
  }
  const voided = await context.shipping.void(trackingNumber)
  return voided ? { status: 200, body: labelView(voided) } : unknownLabel(trackingNumber)
}

export const unknownLabel = (trackingNumber: string): Outcome =>
  problem(404, 'unknown_label', `There is no label with the tracking number ${trackingNumber} that was bought here.`)

export const trackingParameters = z.object({
  trackingNumber: z
    .string()
    .regex(/^[0-9A-Za-z]{1,40}$/, 'letters and digits')
    .meta({ description: 'Tracking number' }),
})
const byFulfillment = z.object({ fulfillment: shapes.fulfillmentId })
const byId = z.object({ id: shapes.fulfillmentId })
const fulfillmentList = z
  .string()
  .min(1)
  .max(16_384)
  .transform((text) => text.split(',').filter((id) => id !== ''))
  .pipe(z.array(shapes.fulfillmentId).min(1, 'at least one fulfillment').max(BULK_ITEMS_MAX))
  .meta({ description: 'Fulfillment ids with commas between them' })

export const labelOperations = [
  operation({
    name: 'shipping.rates',
    summary: 'What carriers ask for a parcel, and which service is chosen by cost and promise',
    http: { method: 'POST', path: '/v1/shipping/rates', status: 200 },
    body: rateQuestion,
    run: (input, context) => answering(() => rates(input, context)),
  }),
  operation({
    name: 'fulfillment.buyLabels',
    summary: 'Buys a label for each package of a fulfillment; a package that has one keeps it',
    http: { method: 'POST', path: '/v1/fulfillments/{fulfillment}/labels', status: 201 },
    parameters: byFulfillment,
    body: serviceChoice.extend({ packages }),
    run: ({ fulfillment, ...wish }, context) => buyLabels(fulfillment, wish, context),
  }),
  operation({
    name: 'fulfillment.buyLabelsOfMany',
    summary: 'Labels for many fulfillments, each with its own outcome',
    http: { method: 'POST', path: '/v1/bulk/labels', status: 200 },
    body: serviceChoice.extend({ fulfillments: z.array(shapes.fulfillmentId).min(1).max(BULK_ITEMS_MAX) }),
    run: ({ fulfillments, ...wish }, context) => buyMany(fulfillments, wish, context),
  }),
  operation({
    name: 'fulfillment.labelPdf',
    summary: 'The labels of a fulfillment as PDF, a page of 4 × 6 inches for each package',
    http: { method: 'GET', path: '/v1/fulfillments/{id}/label.pdf', status: 200, produces: 'application/pdf' },
    parameters: byId,
    run: ({ id }, context) => printMany([id], context),
  }),
  operation({
    name: 'fulfillment.labelZpl',
    summary: 'The labels of a fulfillment as ZPL II, for thermal printers of 203 dots an inch',
    http: { method: 'GET', path: '/v1/fulfillments/{id}/label.zpl', status: 200, produces: ZPL },
    parameters: byId,
    async run({ id }, context) {
      const labels = await printables(id, context)
      return 'status' in labels ? labels : printZpl(labels)
    },
  }),
  operation({
    name: 'label.pdf',
    summary: 'The labels of many fulfillments in one PDF, in their order',
    http: { method: 'GET', path: '/v1/labels.pdf', status: 200, produces: 'application/pdf' },
    query: z.object({ fulfillments: fulfillmentList }),
    run: ({ fulfillments }, context) => printMany(fulfillments, context),
  }),
  operation({
    name: 'label.void',
    summary: 'Gives a label back to its carrier that is not on its way',
    http: { method: 'POST', path: '/v1/labels/{trackingNumber}/void', status: 200 },
    parameters: trackingParameters,
    run: ({ trackingNumber }, context) => answering(() => voidLabel(trackingNumber, context)),
  }),
]
