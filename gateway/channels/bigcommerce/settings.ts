/**
 * What a connection to a BigCommerce store is told. Its secret is the webhook secret as plain text, or JSON
 * `{ "webhookSecret", "clientSecret", "accessToken" }`: the first is the value of the header that was set when the hook was
 * made, the second signs standard webhooks, the third is needed to read the orders that webhooks only name.
 */
import { z } from 'zod'
import type { Connection } from '../channel.js'
import { readSettings, shopSettings } from '../connection-settings.js'

export const settings = shopSettings.omit({ testOrders: true }).extend({
  pricesIncludeTax: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether the store’s prices and discounts are entered with tax' }),
  stockLocation: z
    .int()
    .min(1)
    .default(1)
    .meta({ description: 'The store’s id of the location that stock is told for; 1 where it has one' }),
})
export type BigCommerceSettings = z.output<typeof settings>

/** `apiUrl` is such as `https://api…/stores/HASH`, before the version. */
export const settingsOf = (connection: Connection): BigCommerceSettings => readSettings(settings, connection)
