/** How goods come back by a carrier: a return is authorized with a label, which is kept with it and printed again as it was. */
import type { z } from 'zod'
import type { ReturnLabel } from '../../actors/return/order-return.js'
import type { Outcome } from '../../engine/protocol.js'
import { CarrierRefusal, type Label } from '../carriers/carrier.js'
import { answering, sentence } from '../carriers/label-answers.js'
import { type LabelRecord, openedLabel } from '../carriers/label-record.js'
import { type ShippingLabel, shippingLabelOf } from '../carriers/labels/shipping-label.js'
import { customerParty, returnGrams, shippedFrom } from '../carriers/parcels.js'
import { printLabels } from '../documents/printer.js'
import * as shapes from '../order-schemas.js'
import { problem, unknownLocation } from '../problems.js'
import { partyOf } from './consignment.js'
import { erasedLabel, printZpl, ZPL } from './label-prints.js'
import { failed, type OperationContext, operation } from './operation.js'
import { advanceReturn, findReturn, returnParameters as parameters } from './returns.js'

type Found = Exclude<Awaited<ReturnType<typeof findReturn>>, Outcome>
type Authorization = z.output<typeof shapes.returnAuthorization> & { return: string }

/** Where it goes and by what; `fault`: why no carrier brings it. */
type Bought = { label: ReturnLabel; location: number; trackingNumber: string } | { fault: string }

/** The label of a return, bought by the cheapest service from the customer's address; the same again for the same return. */
async function buyLabel(
  { order, found }: Found,
  place: number | undefined,
  context: OperationContext,
): Promise<Bought> {
  const { shipping, people, now } = context
  if (order.delivery.method === 'ship_to_store') {
    return {
      fault: 'It was collected in a store, and the customer’s own address is not known: it is brought back there.',
    }
  }
  const location = place ?? found.location ?? shippedFrom(order, found)
  if (location === undefined) return { fault: 'Nothing says where it goes: name a location.' }
  const to = await partyOf(location, context)
  if ('status' in to) return { fault: 'The location that it goes to is not in service: name another.' }
  const request = { from: customerParty(order), to, weightGrams: returnGrams(order, found), readyMs: now() }
  const purpose = { return: found.id }
  try {
    const parcel = { purpose, order: order.id, person: order.person, location, request }
    const { record } = await shipping.buy(parcel, undefined)
    return { ...returnLabelOf(record, order.currency, people), location: record.location }
  } catch (error) {
    if (error instanceof CarrierRefusal) return { fault: sentence(error.message) }
    throw error
  }
}

function returnLabelOf(record: LabelRecord, currency: string, people: OperationContext['people']) {
  const opened = openedLabel(people, record)
  if (!opened) throw new CarrierRefusal('bad_parcel', 'whose return it is has been erased')
  const { carrier, service, trackingNumber, cost, boughtMs: atMs } = opened
  const label: ReturnLabel = {
    carrier,
    service,
    trackingNumber,
    // Refunds are reckoned in the order's currency: a label that was paid for in another is not charged to the customer.
    cost: opened.currency === currency ? cost : 0,
    atMs,
    document: people.vault.seal(record.person, opened),
  }
  return { label, trackingNumber }
}

export async function authorize(
  { label: isWanted, ...step }: Authorization,
  context: OperationContext,
): Promise<Outcome> {
  const there = await findReturn(step.return, context)
  if ('status' in there) return there
  if (step.location !== undefined && context.directory.find('locations', step.location) < 0) {
    return unknownLocation(step.location)
  }
  if (!isWanted || there.found.status !== 'requested') return advanceReturn('authorize', step, context)
  const place = step.location === undefined ? undefined : context.directory.find('locations', step.location)
  const bought = await buyLabel(there, place, context)
  if ('fault' in bought) {
    const outcome = await advanceReturn('authorize', step, context)
    return failed(outcome) ? outcome : { ...outcome, body: { ...(outcome.body as object), labelFault: bought.fault } }
  }
  const { label, location, trackingNumber } = bought
  const outcome = await advanceReturn('authorize', step, context, { label, location })
  // Somebody else has decided it meanwhile: where that was without this label, it is given back.
  if (outcome.status >= 400 && outcome.status < 500) {
    const now = await findReturn(step.return, context)
    if (!('status' in now) && now.found.label?.trackingNumber !== trackingNumber) {
      await context.shipping.void(trackingNumber)
    }
  }
  return outcome
}

async function printable(id: string, context: OperationContext): Promise<ShippingLabel[] | Outcome> {
  const there = await findReturn(id, context)
  if ('status' in there) return there
  const { order, found } = there
  if (!found.label) {
    const detail = `Return ${id} has no label: it was authorized without one, or is not authorized. The goods are brought in.`
    return problem(404, 'no_label', detail)
  }
  const { trackingNumber, document } = found.label
  const kept = await context.shipping.label(trackingNumber)
  if (kept?.label.voidedMs !== undefined) {
    return problem(404, 'no_label', `The label ${trackingNumber} of return ${id} has been voided.`)
  }
  // Sealed above, when it was bought.
  const label = context.people.vault.open<Label>(order.person, document as Uint8Array)
  return label ? [shippingLabelOf(label)] : erasedLabel(trackingNumber)
}

export const returnLabelOperations = [
  operation({
    name: 'return.authorize',
    summary: 'It may come back; with a label by the cheapest service, unless there is to be none',
    http: { method: 'POST', path: '/v1/returns/{return}/authorize', status: 200 },
    parameters,
    body: shapes.returnAuthorization,
    run: (input, context) => answering(() => authorize(input, context)),
  }),
  operation({
    name: 'return.labelPdf',
    summary: 'The label of a return as PDF',
    http: { method: 'GET', path: '/v1/returns/{return}/label.pdf', status: 200, produces: 'application/pdf' },
    parameters,
    async run({ return: id }, context) {
      const labels = await printable(id, context)
      return 'status' in labels ? labels : printLabels(labels)
    },
  }),
  operation({
    name: 'return.labelZpl',
    summary: 'The label of a return as ZPL II',
    http: { method: 'GET', path: '/v1/returns/{return}/label.zpl', status: 200, produces: ZPL },
    parameters,
    async run({ return: id }, context) {
      const labels = await printable(id, context)
      return 'status' in labels ? labels : printZpl(labels)
    },
  }),
]
