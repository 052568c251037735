/** Connections to channels, the aliases of their SKUs, and what they sent. */
import { z } from 'zod'
import { SETTINGS } from '../channels/adapters.js'
import { CHANNEL_TYPES, type Connection } from '../channels/channel.js'
import { type DeliveredPayload, INTAKE, type KeptDelivery, shownDelivery } from '../channels/kept-delivery.js'
import { orderId } from '../order-schemas.js'
import { problem, unknownSku } from '../problems.js'
import * as schemas from '../schemas.js'
import { operation } from './operation.js'

const type = z.enum(CHANNEL_TYPES)
const connection = schemas.channelName.refine((name) => !name.includes('/'), 'no slash')
const parameters = z.object({ type, connection })
const states = z.enum(['waiting', 'done', 'failed'])

/** Secrets are written, never read back. */
const view = ({ type: kind, id, name, settings, secret }: Connection): object => ({
  type: kind,
  id,
  name,
  settings,
  hasSecret: secret !== '',
})

const unknownConnection = (kind: string, id: string) =>
  problem(404, 'unknown_channel', `There is no ${kind} connection ${id}; put it first.`)

export const channelOperations = [
  operation({
    name: 'channel.put',
    summary: 'A connection to a channel; without a secret it keeps the one it has',
    http: { method: 'PUT', path: '/v1/channels/{type}/{connection}', status: 200 },
    parameters,
    body: z.object({
      name: z.string().min(1).max(200).optional(),
      secret: z.string().max(10_000).optional().meta({ writeOnly: true }),
      settings: z.record(z.string().max(100), z.unknown()).default({}),
    }),
    async run({ type: kind, connection: id, name, secret, settings }, { channels, directory }) {
      const checked = SETTINGS[kind].safeParse(settings)
      if (!checked.success) {
        const errors = checked.error.issues.map((issue) => ({
          path: `settings.${issue.path.join('.')}`,
          message: issue.message,
        }))
        return problem(422, 'invalid', `${errors[0]!.path}: ${errors[0]!.message}`, errors)
      }
      const other = channels.connections.byChannel(id)
      if (other && other.type !== kind) {
        return problem(409, 'conflict', `${id} is a ${other.type} connection; choose another name.`)
      }
      const interned = await directory.intern('channels', [id])
      if (!Array.isArray(interned)) return interned
      const known = channels.connections.get(kind, id)
      const put: Connection = {
        type: kind,
        id,
        name: name ?? known?.name ?? id,
        secret: secret ?? known?.secret ?? '',
        // As the schema has made it: an object, since every channel's schema is of one.
        settings: checked.data as Record<string, unknown>,
      }
      await channels.put(put)
      return { status: 200, body: view(put) }
    },
  }),
  operation({
    name: 'channel.get',
    summary: 'A connection to a channel, without its secret',
    http: { method: 'GET', path: '/v1/channels/{type}/{connection}', status: 200 },
    parameters,
    async run({ type: kind, connection: id }, { channels }) {
      const known = channels.connections.get(kind, id)
      return known ? { status: 200, body: view(known) } : unknownConnection(kind, id)
    },
  }),
  operation({
    name: 'channel.list',
    summary: 'All connections to channels',
    http: { method: 'GET', path: '/v1/channels', status: 200 },
    async run(_input, { channels }) {
      return { status: 200, body: { items: channels.connections.list().map(view), nextCursor: null } }
    },
  }),
  operation({
    name: 'channel.alias',
    summary: 'What a channel’s SKU is here: which one, and how many of it',
    http: { method: 'PUT', path: '/v1/channels/{type}/{connection}/aliases/{theirSku}', status: 200 },
    parameters: parameters.extend({ theirSku: z.string().min(1).max(200) }),
    body: z.object({ sku: schemas.skuName, quantity: z.int().min(1).max(10_000).default(1) }),
    async run({ type: kind, connection: id, theirSku, sku, quantity }, { channels, directory }) {
      const known = channels.connections.get(kind, id)
      if (!known) return unknownConnection(kind, id)
      if (directory.find('skus', sku) < 0) return unknownSku(sku)
      await channels.connections.putAlias(known, theirSku, { sku, quantity })
      return { status: 200, body: { theirSku, sku, quantity } }
    },
  }),
  operation({
    name: 'channel.deliveries',
    summary: 'What a channel sent and what came of it, by state, or what an order was made of',
    http: { method: 'GET', path: '/v1/channels/{type}/{connection}/deliveries', status: 200 },
    parameters,
    query: schemas.page.extend({ state: states.optional(), order: orderId.optional() }),
    async run({ type: kind, connection: id, state, order, limit, cursor }, { channels, records }) {
      if (!channels.connections.get(kind, id)) return unknownConnection(kind, id)
      const ref = order ?? (state === undefined ? `${kind}/${id}` : `${kind}/${id}/${state}`)
      const page = await records.list<KeptDelivery>(INTAKE, limit, cursor, ref)
      const items = page.items.map((row) => ({ id: row.id, ...shownDelivery(row.value) }))
      return { status: 200, body: { items, nextCursor: page.nextCursor } }
    },
  }),
  operation({
    name: 'channel.delivery',
    summary: 'A delivery as it came, whose it is being known',
    http: { method: 'GET', path: '/v1/channel-deliveries/{delivery}', status: 200 },
    parameters: z.object({ delivery: z.string().min(1).max(400) }),
    async run({ delivery }, { records, people }) {
      const row = await records.get<KeptDelivery>(INTAKE, delivery)
      if (!row) return problem(404, 'unknown_delivery', `There is no delivery ${delivery}.`)
      const opened = people.vault.open<DeliveredPayload>(row.value.person, row.value.payload)
      const shown = { id: delivery, ...shownDelivery(row.value) }
      if (!opened) return { status: 200, body: { ...shown, payload: null } }
      if ('told' in opened) return { status: 200, body: { ...shown, payload: opened.told } }
      const { body, answers } = opened
      const payload = Buffer.from(body).toString()
      return { status: 200, body: { ...shown, payload, ...(answers === undefined ? {} : { answers }) } }
    },
  }),
  operation({
    name: 'channel.retry',
    summary: 'Carries a delivery out again that has failed',
    http: { method: 'POST', path: '/v1/channel-deliveries/{delivery}/retry', status: 200 },
    parameters: z.object({ delivery: z.string().min(1).max(400) }),
    async run({ delivery }, { records, channels }) {
      const row = await records.get<KeptDelivery>(INTAKE, delivery)
      if (!row) return problem(404, 'unknown_delivery', `There is no delivery ${delivery}.`)
      const kept = row.value.state === 'done' ? row.value : await channels.intake.process(delivery)
      return { status: 200, body: { id: delivery, ...shownDelivery(kept) } }
    },
  }),
]
