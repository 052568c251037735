/** The channels that there are: one line for each. */
import { z } from 'zod'
import { bigcommerce, bigcommerceSettings } from './bigcommerce/index.js'
import type { ChannelListener, ChannelType, WebhookChannel } from './channel.js'
import { edi } from './edi/exchange/reader.js'
import { ediSettings } from './edi/settings.js'
import { fileSettings } from './files/settings.js'
import { marketplace, marketplaceSettings } from './marketplace/index.js'
import type { PolledChannel } from './polled-channel.js'
import { posSettings } from './pos/transactions.js'
import { shopify, shopifySettings } from './shopify/index.js'
import { woocommerce, woocommerceSettings } from './woocommerce/index.js'

/** What every connection may be told besides what its channel needs. */
const common = {
  buffer: z.int().min(0).max(1_000_000).default(0).meta({ description: 'Units of each SKU that it does not see' }),
  pushesStock: z.boolean().default(false).meta({ description: 'Whether it is told what it may sell' }),
  takesStock: z.boolean().default(false).meta({ description: 'Whether its counts are ours' }),
}

export const SETTINGS: Record<ChannelType, z.ZodType> = {
  shopify: shopifySettings.extend(common),
  woocommerce: woocommerceSettings.extend(common),
  bigcommerce: bigcommerceSettings.extend(common),
  marketplace: marketplaceSettings.extend({ ...common, pollSeconds: z.int().min(1).max(86_400).default(60) }),
  edi: ediSettings.extend(common),
  pos: posSettings.partial().extend(common),
  files: fileSettings.extend(common),
}

export const webhookChannels: Partial<Record<ChannelType, WebhookChannel>> = { shopify, woocommerce, bigcommerce, edi }
export const polledChannels: Partial<Record<ChannelType, PolledChannel>> = { marketplace }
export const listeners: Partial<Record<ChannelType, ChannelListener>> = {
  shopify,
  woocommerce,
  bigcommerce,
  marketplace,
}
