/**
 * BigCommerce signs no webhook by itself: whoever makes the hook gives it headers of their own, and a secret in one of them,
 * X-Doorbuster-Secret, is what tells the store from others. Apps may also get Standard Webhooks signatures (webhook-id,
 * webhook-timestamp, webhook-signature), keyed with the app’s client secret. Either is enough.
 */
import { isUtf8 } from 'node:buffer'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { z } from 'zod'
import type { Connection, Delivery } from '../channel.js'
import { secrets } from '../secret.js'
import { headerId, isSameSecret } from '../signed-body.js'

/** The library compares text, so bytes that are no text, and would all read the same, are refused before. */
function isStandardWebhook({ headers, body }: Delivery, secret: string): boolean {
  if (secret === '' || headers['webhook-signature'] === undefined || !isUtf8(body)) return false
  try {
    const key = secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(Buffer.from(secret), { format: 'raw' })
    key.verify(Buffer.from(body), { ...headers }, { jsonParse: false })
    return true
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false
    throw error
  }
}

export function isSigned(delivery: Delivery, { secret }: Connection): boolean {
  const named = secrets(secret)
  const shared = named.get('webhookSecret') ?? ''
  return (
    isSameSecret(shared, delivery.headers['x-doorbuster-secret']) ||
    isStandardWebhook(delivery, named.get('clientSecret') ?? shared)
  )
}

const hashed = z.object({ hash: z.string() })

/** The body’s own hash, which is the same when BigCommerce sends the same event again. */
export function deliveryId({ body }: Delivery): string | undefined {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
  const read = hashed.safeParse(value)
  return read.success ? headerId(read.data.hash) : undefined
}
