/** The shapes that clients send: checked at the edge, and the source of the OpenAPI document. */
import { IANAZone } from 'luxon'
import { z } from 'zod'
import { QUANTITY_MAX, TTL_SECONDS_DEFAULT, TTL_SECONDS_MAX } from '../actors/inventory/wire.js'
import { CHANNELS_PER_SALE, NAME_BYTES_MAX, SALE_ITEMS_MAX } from '../actors/limits.js'
import { BATCH_LINES_MAX, BULK_ITEMS_MAX } from './limits.js'

const CONTROL_CHARACTERS = /\p{Cc}/u
const HALF_CHARACTERS = /\p{Surrogate}/u
const ATTRIBUTES_MAX = 200
const CURRENCIES = new Set(Intl.supportedValuesOf('currency'))

const name = (what: string) =>
  z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= NAME_BYTES_MAX, `${what} is at most ${NAME_BYTES_MAX} bytes of UTF-8`)
    .refine((text) => !CONTROL_CHARACTERS.test(text), `${what} has no control characters`)
    .refine((text) => !HALF_CHARACTERS.test(text), `${what} has no half characters`)
    .refine((text) => text.trim() === text, `${what} has no space at its ends`)

export const skuName = name('a SKU').meta({ description: 'Stock keeping unit', examples: ['TEE-RED-M'] })
export const locationName = name('a location').meta({ description: 'Location id', examples: ['W1'] })
export const channelName = name('a channel').meta({ description: 'Channel', examples: ['web'] })
export const entityId = name('an id')

export const quantity = z.int().min(1).max(QUANTITY_MAX)
const stockFigure = z.int().min(0).max(QUANTITY_MAX)
export const uuid = z
  .string()
  .regex(/^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/, 'a UUID')
  .meta({ format: 'uuid' })
const time = z.iso.datetime({ offset: true })

export const money = z.object({
  amount: z.string().regex(/^-?\d{1,12}(\.\d{1,4})?$/, 'a decimal number as text, such as "12.50"'),
  currency: z.string().refine((code) => CURRENCIES.has(code), 'an ISO 4217 code, such as "GBP"'),
})

export const address = z.object({
  line1: z.string().min(1).max(200),
  line2: z.string().max(200).optional(),
  city: z.string().min(1).max(100),
  postalCode: z.string().max(20),
  region: z.string().max(100).optional(),
  country: z.string().regex(/^[A-Z]{2}$/, 'an ISO 3166-1 alpha-2 code, such as "GB"'),
})

export const location = z.object({
  name: z.string().min(1).max(200),
  type: z.enum(['warehouse', 'store', 'dropship', '3pl']),
  address,
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
  capacityPerDay: z.int().min(0).max(QUANTITY_MAX),
  cutoff: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day, such as "16:00"'),
  timeZone: z.string().refine((zone) => IANAZone.isValidZone(zone), 'an IANA time zone, such as "Europe/London"'),
  priority: z.int().min(0).max(1_000_000).meta({ description: 'The lower, the sooner it is chosen' }),
  handlingCost: money,
  active: z.boolean().default(true),
  workingDays: z
    .array(z.int().min(1).max(7))
    .max(7)
    .default([1, 2, 3, 4, 5])
    .meta({ description: 'Days on which it ships: 1 Monday to 7 Sunday' }),
  holidays: z
    .array(z.iso.date())
    .max(1_000)
    .optional()
    .meta({ description: 'Days on which it does not ship; none given: the public holidays of its country' }),
})

export const product = z.object({
  name: z.string().min(1).max(500),
  weightGrams: z.int().min(0).max(QUANTITY_MAX).optional(),
  price: money.optional(),
  attributes: z
    .record(z.string().max(100), z.union([z.string().max(1000), z.number(), z.boolean()]))
    .refine((attributes) => Object.keys(attributes).length <= ATTRIBUTES_MAX, `at most ${ATTRIBUTES_MAX} attributes`)
    .optional(),
  kit: z
    .array(z.object({ sku: skuName, quantity }))
    .max(100)
    .optional(),
  limitPerBuyer: quantity.optional(),
  backorder: z.boolean().optional(),
  finalSale: z.boolean().optional().meta({ description: 'Comes back for faults alone: see the reasons of returns' }),
  lowStock: stockFigure.optional().meta({ description: 'ATP at which it is told that stock is low' }),
})
export const products = z.object({
  products: z
    .array(product.extend({ sku: skuName }))
    .min(1)
    .max(BULK_ITEMS_MAX),
})

export const count = z.object({ onHand: stockFigure, safetyStock: stockFigure.default(0) })
export const counts = z.object({
  items: z
    .array(count.extend({ sku: skuName, location: locationName }))
    .min(1)
    .max(BULK_ITEMS_MAX),
})
export const skuList = z.object({ skus: z.array(skuName).min(1).max(BULK_ITEMS_MAX) })

export const adjustment = z.object({
  id: entityId,
  sku: skuName,
  location: locationName,
  delta: z
    .int()
    .min(-QUANTITY_MAX)
    .max(QUANTITY_MAX)
    .refine((delta) => delta !== 0, 'not zero'),
  reason: z.string().min(1).max(200),
})

export const supply = z.object({
  id: entityId,
  sku: skuName,
  location: locationName,
  quantity,
  expectedAt: time,
  reference: z.string().max(200).default(''),
})
export const receipt = z.object({
  quantity,
  id: entityId.optional().meta({ description: 'Makes a repeated receipt count once' }),
})

export const atpQuery = z.object({
  sku: skuName,
  quantity: z.coerce.number().pipe(quantity).default(1),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .optional(),
  postalCode: z.string().max(20).optional(),
})

export const reservation = z.object({
  id: uuid,
  sku: skuName,
  quantity,
  location: locationName.optional(),
  buyer: z
    .union([z.int().min(1), z.string().min(1).max(200)])
    .optional()
    .meta({ description: 'Whoever a limit for each buyer applies to: a number, or any text' }),
  channel: channelName.optional(),
  ttlSeconds: z.int().min(1).max(TTL_SECONDS_MAX).default(TTL_SECONDS_DEFAULT),
})
export const reservationBatch = z.object({
  reservations: z.array(reservation).min(1).max(BATCH_LINES_MAX),
  allOrNothing: z.boolean().default(true),
})

export const sale = z
  .object({
    name: z.string().max(200).optional(),
    opensAt: time,
    closesAt: time,
    skus: z
      .array(z.union([skuName, z.object({ sku: skuName, quantity: quantity.optional() })]))
      .min(1)
      .max(SALE_ITEMS_MAX),
    quantity: quantity.optional().meta({ description: 'Set apart of each SKU that names none; none: the whole stock' }),
    limitPerBuyer: quantity.optional(),
    channels: z.array(channelName).max(CHANNELS_PER_SALE).optional(),
  })
  .refine(({ opensAt, closesAt }) => Date.parse(opensAt) < Date.parse(closesAt), {
    message: 'a sale closes after it opens',
    path: ['closesAt'],
  })
export const channelPool = z.object({ quantity: stockFigure })

export const page = z.object({
  limit: z.coerce.number().pipe(z.int().min(1).max(500)).default(50),
  cursor: z.string().max(200).optional(),
})
export const backup = z.object({
  directory: z.string().min(1).max(4_096),
  dataDirectoryId: z.uuid().optional().meta({ description: 'Refused where the server has another one open' }),
})
