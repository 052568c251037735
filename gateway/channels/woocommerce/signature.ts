/** WooCommerce’s signature: X-WC-Webhook-Signature is the base64 HMAC-SHA256 of the raw body (WooCommerce REST API, “Webhooks”). */
import type { Connection, Delivery } from '../channel.js'
import { secrets } from '../secret.js'
import { headerId, isHmacOf } from '../signed-body.js'

/** The ping that WooCommerce sends when a webhook is saved: a form of one number. */
export const isPing = (body: Uint8Array): boolean =>
  body.length < 100 && /^webhook_id=\d{1,20}$/.test(new TextDecoder().decode(body).trim())

/** A ping carries no signature, and the webhook stays off unless it is welcome; nothing is ever done for one. */
export const isSigned = ({ headers, body }: Delivery, { secret }: Connection): boolean =>
  isHmacOf(body, secrets(secret).get('webhookSecret') ?? '', headers['x-wc-webhook-signature']) ||
  (headers['x-wc-webhook-signature'] === undefined && isPing(body))

export const deliveryId = ({ headers }: Delivery): string | undefined => headerId(headers['x-wc-webhook-delivery-id'])
