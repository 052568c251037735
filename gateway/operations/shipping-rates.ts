/** What carriers ask for a parcel, whether it is a fulfillment's or only thought of, and which service is chosen. */
import { z } from 'zod'
import type { Outcome } from '../../engine/protocol.js'
import { CarrierRefusal, type RateRequest } from '../carriers/carrier.js'
import { answering, rateView, refusalOf, sentence } from '../carriers/label-answers.js'
import { addressParty } from '../carriers/parcels.js'
import { chooseRate } from '../carriers/rate-shopping.js'
import * as shapes from '../order-schemas.js'
import { unknownLocation } from '../problems.js'
import * as schemas from '../schemas.js'
import { withoutUndefined } from '../without-undefined.js'
import { consignment, partyOf, requestsOf } from './consignment.js'
import { type OperationContext, operation } from './operation.js'

const millimetres = z.int().min(1).max(20_000)
export const dimensionsMm = z.object({ length: millimetres, width: millimetres, height: millimetres })
export const weightGrams = z.int().min(1).max(10_000_000)
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

export const shippingRateOperations = [
  operation({
    name: 'shipping.rates',
    summary: 'What carriers ask for a parcel, and which service is chosen by cost and promise',
    http: { method: 'POST', path: '/v1/shipping/rates', status: 200 },
    body: rateQuestion,
    run: (input, context) => answering(() => rates(input, context)),
  }),
]
