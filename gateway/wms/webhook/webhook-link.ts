/**
 * Tells a WMS by signed HTTP requests, as Standard Webhooks 1.0 says: `webhook-id`, `webhook-timestamp`,
 * `webhook-signature`. The id is the same for the same version of a fulfillment order, so that a repeat is told from news.
 */
import { Webhook } from 'standardwebhooks'
import { assert } from '../../../engine/assert.js'
import type { OutwardHttp } from '../../channels/channel.js'
import { GiveUp } from '../../outbox/event-consumer.js'
import type { WmsConnection } from '../connection.js'
import type { FulfillmentNotice, WmsLink } from '../wms.js'

/** Answers that another try would not change; 408, 425 and 429 ask for one. */
const isFinal = (status: unknown): boolean =>
  typeof status === 'number' && status >= 400 && status < 500 && ![401, 403, 404, 408, 425, 429].includes(status)

const signer = (secret: string): Webhook =>
  secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(secret, { format: 'raw' })

export class WebhookLink implements WmsLink {
  constructor(
    private readonly http: OutwardHttp,
    private readonly now: () => number,
  ) {}

  async tell(notice: FulfillmentNotice, { url, secret }: WmsConnection): Promise<void> {
    assert(url !== undefined && secret !== undefined, 'who is told has an address and a secret')
    const id = `${notice.connection}:${notice.fulfillment}:${notice.version}`
    const at = new Date(this.now())
    const body = { type: `fulfillment.${notice.type}`, timestamp: at.toISOString(), data: notice }
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': `${Math.trunc(at.getTime() / 1_000)}`,
      // Of the very text that the client sends: it writes JSON as JSON.stringify does.
      'webhook-signature': signer(secret).sign(id, at, JSON.stringify(body)),
    }
    try {
      await this.http.json({ method: 'POST', url, headers, body })
    } catch (error) {
      const { status, message } = error as Error & { status?: unknown }
      if (isFinal(status)) throw new GiveUp(`${id} was refused: ${message}`)
      throw error
    }
  }
}
