/** Warehouse management systems as they are connected, what they are told, and what they say. */
import { z } from 'zod'
import { parseFulfillmentId } from '../../actors/order/order-id.js'
import { overloaded, problem, unknownLocation } from '../problems.js'
import { page } from '../schemas.js'
import { withoutUndefined } from '../without-undefined.js'
import {
  CONNECTIONS_MAX,
  connectionId,
  connectionSettings,
  connectionView,
  type WmsConnection,
} from '../wms/connection.js'
import { findConnection, keepConnection, listConnections } from '../wms/connections.js'
import { wmsMessages } from '../wms/message.js'
import { type MessageOutcome, NotTaken, takeMessages, WMS_MESSAGE, waitingOf } from '../wms/messages.js'
import { contentOf, type Told, toldId, WMS_NOTICE } from '../wms/notice.js'
import { unknownFulfillment } from './fulfillments.js'
import { operation } from './operation.js'
import { isOutcome, openedOrder } from './orders.js'

const parameters = z.object({ connection: connectionId })
const unknownConnection = (id: string) =>
  problem(404, 'unknown_connection', `There is no connection to a WMS called ${id}; put it first.`)

export const wmsOperations = [
  operation({
    name: 'wms.put',
    summary: 'Connects a WMS: the locations that it runs, and where it is told of their fulfillment orders',
    http: { method: 'PUT', path: '/v1/wms/{connection}', status: 200 },
    parameters,
    body: connectionSettings,
    async run({ connection: id, secret, ...settings }, context) {
      const unknown = settings.locations.find((name) => context.directory.find('locations', name) < 0)
      if (unknown !== undefined) return unknownLocation(unknown)
      const known = await findConnection(id, context)
      const kept = secret ?? known?.secret
      if (kept === undefined && settings.url !== undefined) {
        return problem(422, 'invalid', 'secret: a new connection that is told needs one')
      }
      const all = await listConnections(CONNECTIONS_MAX, undefined, context)
      if (!known && all.items.length >= CONNECTIONS_MAX) {
        return problem(409, 'too_many_connections', `There are ${CONNECTIONS_MAX} connections to WMS already.`)
      }
      const value: WmsConnection = withoutUndefined({ ...settings, id, secret: kept })
      await keepConnection(value, context)
      return { status: 200, body: connectionView(value) }
    },
  }),
  operation({
    name: 'wms.get',
    summary: 'A connection to a WMS, without its secret',
    http: { method: 'GET', path: '/v1/wms/{connection}', status: 200 },
    parameters,
    async run({ connection }, context) {
      const found = await findConnection(connection, context)
      return found ? { status: 200, body: connectionView(found) } : unknownConnection(connection)
    },
  }),
  operation({
    name: 'wms.list',
    summary: 'Connections to WMS',
    http: { method: 'GET', path: '/v1/wms', status: 200 },
    query: page,
    async run({ limit, cursor }, context) {
      const { items, nextCursor } = await listConnections(limit, cursor, context)
      return { status: 200, body: { items: items.map(connectionView), nextCursor } }
    },
  }),
  operation({
    name: 'wms.messages',
    summary: 'What a WMS has done, or could not do: each message once, with its own outcome',
    http: { method: 'POST', path: '/v1/wms/{connection}/messages', status: 200 },
    parameters,
    body: wmsMessages,
    async run({ connection, messages }, context) {
      const found = await findConnection(connection, context)
      if (!found) return unknownConnection(connection)
      try {
        return { status: 200, body: { results: await takeMessages(found, messages, context) } }
      } catch (error) {
        if (error instanceof NotTaken) return overloaded(`${error.message} Send the messages again.`)
        throw error
      }
    },
  }),
  operation({
    name: 'wms.waiting',
    summary: 'Messages that wait for what should have come before them',
    http: { method: 'GET', path: '/v1/wms/{connection}/waiting', status: 200 },
    parameters,
    query: page,
    async run({ connection, limit, cursor }, { records }) {
      const { items, nextCursor } = await records.list<{ message: object; outcome: MessageOutcome }>(
        WMS_MESSAGE,
        limit,
        cursor,
        waitingOf(connection),
      )
      const shown = items.map(({ value: { message, outcome } }) => ({ ...message, detail: outcome.detail }))
      return { status: 200, body: { items: shown, nextCursor } }
    },
  }),
  operation({
    name: 'wms.fulfillment.get',
    summary: 'A fulfillment order as a WMS is told of it, with the version that it was told last',
    http: { method: 'GET', path: '/v1/wms/{connection}/fulfillments/{fulfillment}', status: 200 },
    parameters: parameters.extend({ fulfillment: z.string().min(1).max(64) }),
    async run({ connection, fulfillment: name }, context) {
      const { directory, records } = context
      const found = await findConnection(connection, context)
      if (!found) return unknownConnection(connection)
      const named = parseFulfillmentId(name)
      if (!named) return unknownFulfillment(name)
      const order = await openedOrder(named.order, context)
      const fulfillment = isOutcome(order) ? undefined : order.fulfillments[named.number - 1]
      if (
        isOutcome(order) ||
        !fulfillment ||
        !found.locations.includes(directory.name('locations', fulfillment.location))
      ) {
        return unknownFulfillment(name)
      }
      const told = await records.get<Told>(WMS_NOTICE, toldId(connection, name))
      const content = await contentOf(order, fulfillment, connection, context)
      return { status: 200, body: { version: told?.value.version ?? 0, ...content } }
    },
  }),
]
