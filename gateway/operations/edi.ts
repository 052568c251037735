/** Documents by EDI that we made for partners, stock that they are told on request, and links for suppliers without EDI. */
import { z } from 'zod'
import { Refused } from '../channels/applied.js'
import { DOCUMENT, DOCUMENT_TYPES, type KeptDocument, refs, textOf } from '../channels/edi/exchange/document-store.js'
import { standingOf } from '../channels/edi/exchange/fulfillment-steps.js'
import { adviseStock } from '../channels/edi/exchange/stock-advice.js'
import { supplierToken } from '../channels/edi/supplier/supplier-link.js'
import * as shapes from '../order-schemas.js'
import { problem } from '../problems.js'
import * as schemas from '../schemas.js'
import { newId, operation } from './operation.js'

const connection = schemas.channelName.refine((name) => !name.includes('/'), 'no slash')
const parameters = z.object({ connection })
const unknownConnection = (id: string) =>
  problem(404, 'unknown_channel', `There is no edi connection ${id}; put it first.`)

const DAY_SECONDS = 86_400
const LINK_DAYS = 14
const CURSOR_DIGITS = 13

const view = (
  id: string,
  { text: _text, person: _person, awaitsFolder: _awaits, atMs, ...shown }: KeptDocument,
): object => ({
  id,
  ...shown,
  at: new Date(atMs).toISOString(),
})

export const ediOperations = [
  operation({
    name: 'edi.documents',
    summary: 'Documents that were made for a partner, newest first, by type, order and time',
    http: { method: 'GET', path: '/v1/channels/edi/{connection}/documents', status: 200 },
    parameters,
    query: schemas.page.extend({
      cursor: z.string().max(400).optional(),
      type: z
        .string()
        .refine((type) => DOCUMENT_TYPES.includes(type), `one of ${DOCUMENT_TYPES.join(', ')}`)
        .optional(),
      order: shapes.orderId.optional(),
      since: z.iso.datetime({ offset: true }).optional().meta({ description: 'Made at this time or later' }),
    }),
    async run({ connection: id, type, order, since, limit, cursor }, { channels, records }) {
      if (!channels.connections.get('edi', id)) return unknownConnection(id)
      const ref =
        order !== undefined ? refs.order(id, order) : type !== undefined ? refs.type(id, type) : refs.connection(id)
      const page = await records.list<KeptDocument>(DOCUMENT, limit, cursor, ref)
      const from = since === undefined ? '' : String(Date.parse(since)).padStart(CURSOR_DIGITS, '0')
      const recent = page.items.filter((row) => row.id >= from)
      const items = recent.filter(({ value }) => type === undefined || value.type === type)
      const isOver = recent.length < page.items.length
      return {
        status: 200,
        body: { items: items.map((row) => view(row.id, row.value)), nextCursor: isOver ? null : page.nextCursor },
      }
    },
  }),
  operation({
    name: 'edi.document',
    summary: 'A document as the partner reads it',
    http: {
      method: 'GET',
      path: '/v1/channels/edi/{connection}/documents/{document}',
      status: 200,
      produces: 'text/plain; charset=utf-8',
    },
    parameters: parameters.extend({ document: z.string().min(1).max(400) }),
    async run({ connection: id, document }, context) {
      const row = await context.records.get<KeptDocument>(DOCUMENT, document)
      if (!row || row.value.connection !== id) {
        return problem(404, 'unknown_document', `There is no document ${document} for ${id}.`)
      }
      const text = textOf(row.value, context.people)
      if (text === undefined) return problem(404, 'erased', 'Whom it is about was erased, and the text with it.')
      return { status: 200, body: new Uint8Array(Buffer.from(text)) }
    },
  }),
  operation({
    name: 'edi.advise',
    summary: 'Tells a partner what it may sell of our stock (846)',
    http: { method: 'POST', path: '/v1/channels/edi/{connection}/inventory-advices', status: 201 },
    parameters,
    async run({ connection: id }, context) {
      const known = context.channels.connections.get('edi', id)
      if (!known) return unknownConnection(id)
      if (!known.settings.ours || !known.settings.theirs) {
        return problem(409, 'unknown_ends', 'The settings name not both ends: set ours and theirs of the connection.')
      }
      const made = await adviseStock(known, context.now(), newId(context), context)
      return { status: 201, body: made }
    },
  }),
  operation({
    name: 'fulfillment.supplierLink',
    summary: 'A link by which a supplier without EDI confirms and ships one drop-ship fulfillment',
    http: { method: 'POST', path: '/v1/fulfillments/{fulfillment}/supplier-link', status: 201 },
    parameters: z.object({ fulfillment: shapes.fulfillmentId }),
    body: z.object({
      expiresInSeconds: z
        .int()
        .min(1)
        .max(90 * DAY_SECONDS)
        .default(LINK_DAYS * DAY_SECONDS),
    }),
    async run({ fulfillment, expiresInSeconds }, context) {
      try {
        const standing = await standingOf(fulfillment, context)
        if (standing.fulfillment.kind !== 'dropship') {
          return problem(
            409,
            'not_dropship',
            `Fulfillment ${fulfillment} is no supplier’s: only drop-ship ones have links.`,
          )
        }
      } catch (error) {
        if (error instanceof Refused)
          return problem(404, 'unknown_fulfillment', `There is no fulfillment ${fulfillment}.`)
        throw error
      }
      const expiresAtMs = context.now() + expiresInSeconds * 1_000
      const token = supplierToken(fulfillment, expiresAtMs, context)
      const expiresAt = new Date(expiresAtMs).toISOString()
      return { status: 201, body: { token, path: `/v1/supplier/${token}`, expiresAt } }
    },
  }),
]
