/**
 * What a connection to a seller’s account is told. Its secret is JSON `{ "clientId", "clientSecret", "refreshToken" }`:
 * the app’s pair for Login with Amazon and the seller’s grant to it.
 */
import { z } from 'zod'
import type { Connection } from '../channel.js'
import { apiUrl, readSettings, shopSettings } from '../connection-settings.js'

export const settings = shopSettings.pick({ shippingServices: true }).extend({
  apiUrl: apiUrl.meta({ description: 'The region’s endpoint of the Selling Partner API' }),
  tokenUrl: apiUrl.meta({ description: 'Where a refresh token is changed for an access token' }),
  marketplaceIds: z
    .array(z.string().regex(/^[A-Z0-9]{5,20}$/))
    .min(1)
    .max(50),
  sellerId: z.string().regex(/^[A-Z0-9]{5,30}$/),
  carriers: z
    .record(z.string().min(1).max(100), z.string().min(1).max(100))
    .default({})
    .meta({ description: 'Our carriers, and the codes that the marketplace has for them; the others go by name' }),
  takeFrom: z.iso
    .datetime({ offset: true })
    .meta({ description: 'Orders changed before this are not taken: the first poll begins here' }),
  overlapSeconds: z.int().min(0).max(86_400).default(600).meta({
    description: 'How far each poll looks back behind the last: a change may be seen there later than it was made',
  }),
  pricesIncludeTax: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether item prices carry the tax: in Europe they do, in North America they do not' }),
})
export type MarketplaceSettings = z.output<typeof settings>

export const settingsOf = (connection: Connection): MarketplaceSettings => readSettings(settings, connection)
