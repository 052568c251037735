/** A Shopify shop: its webhooks come in, fulfillments and inventory levels go out by the Admin API. */
import type { ChannelListener, WebhookChannel } from '../channel.js'
import { shipped, stock } from './outward.js'
import { deliveryId, isSigned } from './signature.js'
import { read } from './webhooks.js'

export { settings as shopifySettings } from './settings.js'

export const shopify: WebhookChannel & ChannelListener = {
  type: 'shopify',
  isSigned,
  deliveryId,
  read,
  shipped,
  stock,
}
