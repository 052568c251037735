/** Labels as they are printed: PDF for any printer, ZPL for thermal ones. */
import { z } from 'zod'
import type { Outcome } from '../../engine/protocol.js'
import { labelsOf, openedLabel } from '../carriers/label-record.js'
import { LABELS_MAX, type ShippingLabel, shippingLabelOf } from '../carriers/labels/shipping-label.js'
import { printLabels } from '../documents/printer.js'
import { BULK_ITEMS_MAX } from '../limits.js'
import * as shapes from '../order-schemas.js'
import { problem } from '../problems.js'
import { consignment } from './consignment.js'
import { type OperationContext, operation } from './operation.js'

export const ZPL = 'application/zpl'

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

const byId = z.object({ id: shapes.fulfillmentId })
const fulfillmentList = z
  .string()
  .min(1)
  .max(16_384)
  .transform((text) => text.split(',').filter((id) => id !== ''))
  .pipe(z.array(shapes.fulfillmentId).min(1, 'at least one fulfillment').max(BULK_ITEMS_MAX))
  .meta({ description: 'Fulfillment ids with commas between them' })

export const labelPrintOperations = [
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
]
