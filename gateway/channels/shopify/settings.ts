/**
 * What a connection to a Shopify shop is told. Its secret is the webhook secret (the app’s client secret) as plain text, or
 * JSON `{ "webhookSecret", "accessToken" }`; the access token (header X-Shopify-Access-Token) is needed for calls to it.
 */
import { z } from 'zod'
import type { Connection } from '../channel.js'
import { readSettings, shopSettings } from '../connection-settings.js'

export const settings = shopSettings.extend({
  money: z
    .enum(['shop', 'presentment'])
    .default('shop')
    .meta({ description: 'The currency orders are kept in: the shop’s own, or the one the customer saw' }),
  stockLocation: z
    .string()
    .regex(/^\d{1,20}$/)
    .optional()
    .meta({ description: 'The shop’s id of the location whose available quantity is what can be promised here' }),
  notifyCustomer: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether Shopify writes to the customer on shipping' }),
})
export type ShopifySettings = z.output<typeof settings>

/** `apiUrl` is such as `https://SHOP/admin/api/2024-10`. */
export const settingsOf = (connection: Connection): ShopifySettings => readSettings(settings, connection)
