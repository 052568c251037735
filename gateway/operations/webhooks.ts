/** Outgoing webhooks: where a retailer is told of events, what was delivered there, and what was not. */
import { z } from 'zod'
import type { Outcome } from '../../engine/protocol.js'
import { AddressGuard } from '../outward/address-guard.js'
import { OutwardError } from '../outward/outward-error.js'
import { problem } from '../problems.js'
import { RecordRefused } from '../records.js'
import * as schemas from '../schemas.js'
import type { Delivery } from '../webhooks/delivery.js'
import { shownWebhook, type Webhook, type WebhookInput, webhookInput } from '../webhooks/webhook.js'
import { isoTime } from './inventory.js'
import { type OperationContext, operation } from './operation.js'

const webhookId = z
  .string()
  .regex(/^[\w.-]{1,64}$/, '1 to 64 letters, digits and . _ -')
  .meta({ description: 'Webhook id' })
const parameters = z.object({ id: webhookId })
const deliveryParameters = parameters.extend({ delivery: z.string().min(1).max(100) })
const STATES = ['waiting', 'delivered', 'dead'] as const

/** Its shape alone: which addresses are allowed is the running server's to say. */
const body = z.object(
  webhookInput(new AddressGuard({ allowHttp: true, allowPrivate: true, allowed: ['0.0.0.0/0', '::/0'] })).shape,
)

const unknown = (id: string): Outcome => problem(404, 'unknown_webhook', `There is no webhook ${id}; put it first.`)

function deliveryView(delivery: Delivery): object {
  const { queuedAtMs, attempts, ...rest } = delivery
  const { nextMs, ...shown } = 'nextMs' in rest ? rest : { ...rest, nextMs: undefined }
  return {
    ...shown,
    queuedAt: isoTime(queuedAtMs),
    ...(nextMs === undefined ? {} : { nextAt: isoTime(nextMs) }),
    attempts: attempts.map(({ atMs, ...attempt }) => ({ at: isoTime(atMs), ...attempt })),
  }
}

async function put(id: string, input: WebhookInput, { outward, webhooks }: OperationContext): Promise<Outcome> {
  try {
    outward.guard.url(input.url)
    const { webhook, madeSecret } = await webhooks.put(id, input)
    return { status: 200, body: told(webhook, madeSecret) }
  } catch (error) {
    if (error instanceof RecordRefused) return error.outcome
    if (!(error instanceof OutwardError)) throw error
    return problem(422, 'invalid', `url: ${error.message}`, [{ path: 'url', message: error.message }])
  }
}

const told = (webhook: Webhook, madeSecret: string | undefined): object => ({
  ...shownWebhook(webhook),
  ...(madeSecret === undefined ? {} : { secret: madeSecret }),
})

export const webhookOperations = [
  operation({
    name: 'webhook.put',
    summary:
      'Makes a webhook, or changes it; a secret that is made is told by this answer alone. enabled: false ends it',
    http: { method: 'PUT', path: '/v1/webhooks/{id}', status: 200 },
    parameters,
    body,
    run: ({ id, ...input }, context) => put(id, input, context),
  }),
  operation({
    name: 'webhook.get',
    summary: 'A webhook, without its secrets',
    http: { method: 'GET', path: '/v1/webhooks/{id}', status: 200 },
    parameters,
    async run({ id }, { webhooks }) {
      const webhook = webhooks.get(id)
      return webhook ? { status: 200, body: shownWebhook(webhook) } : unknown(id)
    },
  }),
  operation({
    name: 'webhook.list',
    summary: 'All webhooks',
    http: { method: 'GET', path: '/v1/webhooks', status: 200 },
    async run(_input, { webhooks }) {
      return { status: 200, body: { items: (await webhooks.list()).map(shownWebhook), nextCursor: null } }
    },
  }),
  operation({
    name: 'webhook.rotateSecret',
    summary: 'Gives a webhook a new secret beside those it has; told by this answer alone, which is never repeated',
    http: { method: 'POST', path: '/v1/webhooks/{id}/rotate-secret', status: 200, isUnrepeatable: true },
    parameters,
    async run({ id }, { webhooks }) {
      const made = await webhooks.rotate(id)
      return made ? { status: 200, body: told(made.webhook, made.madeSecret) } : unknown(id)
    },
  }),
  operation({
    name: 'webhook.deliveries',
    summary: 'What was delivered to a webhook, waits, or was given up; newest first',
    http: { method: 'GET', path: '/v1/webhooks/{id}/deliveries', status: 200 },
    parameters,
    query: schemas.page.extend({ state: z.enum(STATES).optional() }),
    async run({ id, limit, cursor, state }, { webhooks }) {
      if (!webhooks.get(id)) return unknown(id)
      const { items, nextCursor } = await webhooks.deliveries.list(id, limit, cursor, state)
      return { status: 200, body: { items: items.map(({ value }) => deliveryView(value.delivery)), nextCursor } }
    },
  }),
  operation({
    name: 'webhook.redeliver',
    summary: 'Delivers an event to a webhook once more, whatever became of it before',
    http: { method: 'POST', path: '/v1/webhooks/{id}/deliveries/{delivery}/redeliver', status: 202 },
    parameters: deliveryParameters,
    async run({ id, delivery }, { webhooks }) {
      const webhook = webhooks.get(id)
      if (!webhook) return unknown(id)
      if (!webhook.enabled)
        return problem(409, 'webhook_off', `Webhook ${id} is switched off; put it with enabled: true first.`)
      const again = await webhooks.deliveries.again(id, delivery)
      if (!again) {
        const detail = `Webhook ${id} has no delivery ${delivery}; they are kept for some days after they are over.`
        return problem(404, 'unknown_delivery', detail)
      }
      webhooks.dispatcher.wake()
      return { status: 202, body: deliveryView(again) }
    },
  }),
]
