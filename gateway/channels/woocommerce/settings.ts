/**
 * What a connection to a WooCommerce shop is told. Its secret is the webhook’s secret as plain text, or JSON
 * `{ "webhookSecret", "consumerKey", "consumerSecret" }`; the REST API’s key pair is needed for calls to the shop.
 */
import { z } from 'zod'
import type { Connection } from '../channel.js'
import { readSettings, shopSettings } from '../connection-settings.js'

/** Ours, and the shop’s own: it knows no parcels, only how far an order is. */
const STATUSES = { shipped: 'completed', delivered: 'completed', completed: 'completed', cancelled: 'cancelled' }

export const settings = shopSettings.omit({ testOrders: true }).extend({
  statuses: z
    .record(z.string().max(50), z.string().regex(/^[a-z0-9-]{1,50}$/))
    .default(STATUSES)
    .meta({ description: 'Our order statuses that the shop is told, and its own for each' }),
  notifyCustomer: z.boolean().default(false).meta({ description: 'Whether notes on parcels are sent to the customer' }),
})
export type WooSettings = z.output<typeof settings>

/** `apiUrl` is such as `https://SHOP/wp-json/wc/v3`. */
export const settingsOf = (connection: Connection): WooSettings => readSettings(settings, connection)
