/** Shipping labels: bought for the packages of fulfillments, and given back. */
import PQueue from 'p-queue'
import { z } from 'zod'
import type { Outcome } from '../../engine/protocol.js'
import { answering, labelView } from '../carriers/label-answers.js'
import { type LabelRecord, labelsOf, PACKAGES_MAX } from '../carriers/label-record.js'
import { BULK_ITEMS_MAX } from '../limits.js'
import * as shapes from '../order-schemas.js'
import { problem } from '../problems.js'
import { withoutUndefined } from '../without-undefined.js'
import { resultsOf } from './command-many.js'
import { consignment, requestsOf } from './consignment.js'
import { type OperationContext, operation } from './operation.js'
import { dimensionsMm, weightGrams } from './shipping-rates.js'

const BULK_AT_ONCE = 8

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
export const labelOperations = [
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
    name: 'label.void',
    summary: 'Gives a label back to its carrier that is not on its way',
    http: { method: 'POST', path: '/v1/labels/{trackingNumber}/void', status: 200 },
    parameters: trackingParameters,
    run: ({ trackingNumber }, context) => answering(() => voidLabel(trackingNumber, context)),
  }),
]
