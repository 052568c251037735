/** Parcels once they have labels: handed to carriers by the day, and followed on their way. */
import { z } from 'zod'
import type { Outcome } from '../../engine/protocol.js'
import { answering, eventView, labelView, listedManifestView, manifestView } from '../carriers/label-answers.js'
import { trackableLabel } from '../carriers/label-record.js'
import { ManifestBook } from '../carriers/manifest-book.js'
import { problem, unknownLocation } from '../problems.js'
import * as schemas from '../schemas.js'
import { trackingParameters, unknownLabel } from './labels.js'
import { type OperationContext, operation } from './operation.js'

const bookOf = ({ shipping, records, people, now }: OperationContext): ManifestBook =>
  new ManifestBook(shipping, records, people, now)

async function closeDay(carrier: string, name: string, context: OperationContext): Promise<Outcome> {
  const location = context.directory.find('locations', name)
  if (location < 0) return unknownLocation(name)
  const { id } = context.shipping.carrier(carrier)
  const manifest = await bookOf(context).close(id, location)
  return { status: 201, body: manifestView(context.directory, manifest) }
}

async function track(trackingNumber: string, context: OperationContext): Promise<Outcome> {
  const { shipping, people, now } = context
  const record = await shipping.label(trackingNumber)
  if (!record) return unknownLabel(trackingNumber)
  const events = await shipping.carrier(record.label.carrier).track(trackableLabel(people, record), now())
  const last = events.at(-1)
  const body = { ...labelView(record), ...(last ? { status: last.type } : {}), events: events.map(eventView) }
  return { status: 200, body }
}

export const shipmentOperations = [
  operation({
    name: 'manifest.create',
    summary: 'The end of a carrier’s day at a location: its labels that are on no list yet are put on one',
    http: { method: 'POST', path: '/v1/manifests', status: 201 },
    body: z.object({ carrier: z.string().min(1).max(100), location: schemas.locationName }),
    run: ({ carrier, location }, context) => answering(() => closeDay(carrier, location, context)),
  }),
  operation({
    name: 'manifest.list',
    summary: 'Manifests, newest first, without their tracking numbers',
    http: { method: 'GET', path: '/v1/manifests', status: 200 },
    query: schemas.page,
    async run({ limit, cursor }, context) {
      const { items, nextCursor } = await bookOf(context).list(limit, cursor)
      return {
        status: 200,
        body: { items: items.map(({ value }) => listedManifestView(context.directory, value)), nextCursor },
      }
    },
  }),
  operation({
    name: 'manifest.get',
    summary: 'A manifest with its tracking numbers',
    http: { method: 'GET', path: '/v1/manifests/{id}', status: 200 },
    parameters: z.object({ id: z.string().min(1).max(100) }),
    async run({ id }, context) {
      const manifest = await bookOf(context).get(id)
      if (!manifest) return problem(404, 'unknown_manifest', `There is no manifest ${id}.`)
      return { status: 200, body: manifestView(context.directory, manifest) }
    },
  }),
  operation({
    name: 'tracking.get',
    summary: 'How far a parcel has come, as its carrier tells it',
    http: { method: 'GET', path: '/v1/tracking/{trackingNumber}', status: 200 },
    parameters: trackingParameters,
    run: ({ trackingNumber }, context) => answering(() => track(trackingNumber, context)),
  }),
]
