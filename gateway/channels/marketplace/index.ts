/**
 * A seller’s account on a marketplace of the shape of Amazon’s Selling Partner API: orders are polled, shipments, stock and
 * acknowledgements told. Another marketplace is one more folder of the same files: `payloads.ts` for its names, `orders.ts`
 * for what they mean, `seller-call.ts` for how it is called; `poll.ts` holds wherever changes can be asked for by time.
 */
import type { ChannelListener } from '../channel.js'
import type { PolledChannel } from '../polled-channel.js'
import { acknowledge, shipped, stock } from './outward.js'
import { poll } from './poll.js'
import { read } from './read.js'

export { settings as marketplaceSettings } from './settings.js'

export const marketplace: PolledChannel & ChannelListener = {
  type: 'marketplace',
  poll,
  read,
  acknowledge,
  shipped,
  stock,
}
