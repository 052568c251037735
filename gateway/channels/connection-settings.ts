/** The settings that shops have in common; each channel’s `settings.ts` adds its own. */
import { z } from 'zod'
import { address, locationName } from '../schemas.js'
import type { Connection } from './channel.js'

/** The platform’s API, without a slash at its end; whether its host may be called is for the outward calls to say. */
export const apiUrl = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .refine((text) => !/[?#]/.test(text) && !/@/.test(text), 'no query, fragment or credentials')
  .transform((text) => text.replace(/\/+$/, ''))

const theirs = z.string().min(1).max(200)

export const shopSettings = z.object({
  apiUrl: apiUrl.optional().meta({ description: 'Needed for all that is asked of the shop or told to it' }),
  locations: z
    .record(theirs, locationName)
    .default({})
    .meta({ description: 'The shop’s locations: its id of each, and ours' }),
  shippingServices: z.record(theirs, z.string().min(1).max(50)).default({}).meta({
    description: 'The shop’s shipping methods, and our services; what is not here goes by the default service',
  }),
  pickUpAddress: address.optional().meta({ description: 'Written on orders that are collected and have no address' }),
  testOrders: z.boolean().default(false).meta({ description: 'Whether orders marked as tests are taken' }),
})

/** The API’s address; an Error that says what to do where there is none. */
export function neededUrl(settings: { apiUrl?: string | undefined }): string {
  if (settings.apiUrl !== undefined) return settings.apiUrl
  throw new Error('the connection’s settings have no apiUrl: put the address of the shop’s API there')
}

/** Ours of their location or method, looked up so that no name of JavaScript’s own is ever found. */
export const mapped = (map: Readonly<Record<string, string>>, name: string | undefined): string | undefined =>
  name !== undefined && Object.hasOwn(map, name) ? map[name] : undefined

/** The connection’s settings as its channel has them. Faults are the connection’s and not a payload’s: tried again later. */
export function readSettings<Schema extends z.ZodType>(schema: Schema, { id, settings }: Connection): z.output<Schema> {
  const read = schema.safeParse(settings)
  if (read.success) return read.data
  throw new Error(`the settings of the connection ${id} are wrong: ${z.prettifyError(read.error)}`)
}
