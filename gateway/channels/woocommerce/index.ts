/** A WooCommerce shop: its webhooks come in; notes on parcels, statuses and stock go out by the REST API v3. */
import type { ChannelListener, WebhookChannel } from '../channel.js'
import { shipped, statusChanged, stock } from './outward.js'
import { deliveryId, isSigned } from './signature.js'
import { read } from './webhooks.js'

export { settings as woocommerceSettings } from './settings.js'

export const woocommerce: WebhookChannel & ChannelListener = {
  type: 'woocommerce',
  isSigned,
  deliveryId,
  read,
  shipped,
  statusChanged,
  stock,
}
