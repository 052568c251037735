/** Brands: under which name and look, from which address and when customers of a channel are written to. */
import { z } from 'zod'
import type { KnownRecords } from '../known-records.js'
import { channelName } from '../schemas.js'
import { emailAddress } from './addresses.js'
import { MESSAGE_KINDS, type Medium, type MessageKind } from './message-kinds.js'
import { messageData } from './templates/message-data.js'
import { canonicalLocale } from './templates/template.js'

export const BRANDS_MAX = 200
export const BRAND = 'brand'
/** The brand of channels that belong to none. */
const DEFAULT_BRAND = 'default'

const mailAddress = z
  .string()
  .max(254)
  .refine((text) => emailAddress(text) !== undefined, 'a mail address, such as orders@shop.example')
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day, such as "21:00"')
const kinds = z.array(z.enum(MESSAGE_KINDS)).max(MESSAGE_KINDS.length)
export const locale = z
  .string()
  .max(35)
  .refine((text) => canonicalLocale(text) !== undefined, 'a language tag (BCP 47), such as de-AT')

export const brandInput = messageData.shape.brand.extend({
  name: messageData.shape.brand.shape.name.min(1),
  supportEmail: mailAddress.optional(),
  channels: z.array(channelName).max(100).default([]).meta({ description: 'Channels that belong to it' }),
  from: z
    .object({ address: mailAddress, name: z.string().max(100).optional() })
    .optional()
    .meta({ description: 'Whom mails come from; none: the server’s --mail-from' }),
  replyTo: mailAddress.optional(),
  smsFrom: z
    .string()
    .regex(/^(\+[1-9]\d{6,14}|[A-Za-z0-9 ]{1,11})$/, 'a number as +441234567890, or a name of at most 11 characters')
    .optional(),
  quietHours: z
    .object({ from: timeOfDay, to: timeOfDay })
    .optional()
    .meta({ description: 'When no SMS is sent, in the customer’s time; the same twice: never quiet' }),
  kinds: z
    .object({ email: kinds, sms: kinds })
    .partial()
    .optional()
    .meta({ description: 'Which messages are sent, by medium; none: all that the templates have' }),
  locale: locale.optional().meta({ description: 'The language of its customers; none: their country’s' }),
})

export type Brand = z.output<typeof brandInput>

/** As far as laws ask for it where they do (47 CFR 64.1200 of the United States names these hours). */
export const QUIET_HOURS = { from: '21:00', to: '08:00' }

/** The brand of a channel, with its id. */
export async function brandOf(
  channel: string,
  brands: KnownRecords<Brand>,
  name: string | undefined,
): Promise<{ id: string; brand: Brand }> {
  const all = await brands.all()
  for (const [id, brand] of all) if (brand.channels.includes(channel)) return { id, brand }
  const brand = all.get(DEFAULT_BRAND) ?? { name: name ?? channel, channels: [] }
  return { id: DEFAULT_BRAND, brand }
}

export const sends = ({ kinds: wanted }: Brand, medium: Medium, kind: MessageKind): boolean =>
  wanted?.[medium]?.includes(kind) ?? true

/** The part of it that templates speak of. */
export const brandData = ({ name, url, logoUrl, colour, supportEmail, supportPhone, imprint }: Brand) => ({
  name,
  url,
  logoUrl,
  colour,
  supportEmail,
  supportPhone,
  imprint,
})
