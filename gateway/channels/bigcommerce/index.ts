/** A BigCommerce store: its webhooks name what changed, which is read from it; shipments and stock go out by its API. */
import type { ChannelListener, WebhookChannel } from '../channel.js'
import { shipped, stock } from './outward.js'
import { deliveryId, isSigned } from './signature.js'
import { read } from './webhooks.js'

export { settings as bigcommerceSettings } from './settings.js'

export const bigcommerce: WebhookChannel & ChannelListener = {
  type: 'bigcommerce',
  isSigned,
  deliveryId,
  read,
  shipped,
  stock,
}
