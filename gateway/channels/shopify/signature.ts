/** Shopify’s signature: X-Shopify-Hmac-Sha256 is the base64 HMAC-SHA256 of the raw body (Shopify, “Verify webhooks”). */
import type { Connection, Delivery } from '../channel.js'
import { secrets } from '../secret.js'
import { headerId, isHmacOf } from '../signed-body.js'

export const isSigned = ({ headers, body }: Delivery, { secret }: Connection): boolean =>
  isHmacOf(body, secrets(secret).get('webhookSecret') ?? '', headers['x-shopify-hmac-sha256'])

export const deliveryId = ({ headers }: Delivery): string | undefined => headerId(headers['x-shopify-webhook-id'])
