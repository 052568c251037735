/**
 * What templates may speak of. One schema checks what the caller gives, says which variables exist when a template is put,
 * and fills in what is absent, so that `{% if parcel %}` never meets an unknown word.
 */
import { z } from 'zod'
import { plainLine } from '../plain-line.js'

/** Text of one line, cut rather than refused: a long name must not keep a message from its customer. */
const line = (max: number) => z.string().overwrite((text) => plainLine(text, max))
/** Only https: what stands in a link of a mail must not be a script, nor a page that others on the way can change. */
const link = z.url({ protocol: /^https$/ }).max(2_000)
const instant = z.iso.datetime({ offset: true })
const money = z.object({
  amount: z.string().regex(/^-?\d{1,15}(\.\d{1,4})?$/, 'a decimal number as text, such as 12.50'),
  currency: z.string().regex(/^[A-Z]{3}$/, 'three letters (ISO 4217)'),
})
const place = z.object({
  name: line(200).optional(),
  line1: line(200),
  line2: line(200).optional(),
  city: line(100),
  region: line(100).optional(),
  postalCode: line(20).optional(),
  country: z.string().regex(/^[A-Z]{2}$/, 'two letters (ISO 3166-1)'),
})
const goods = z
  .array(
    z.object({
      sku: line(100),
      name: line(200),
      quantity: z.int().min(1),
      unitPrice: money.optional(),
      total: money.optional(),
    }),
  )
  .max(500)

/** Absent parts are null in a template. Times are RFC 3339; money is decimal text and a currency. */
export const messageData = z.object({
  brand: z.object({
    name: line(100),
    url: link.optional(),
    logoUrl: link.optional(),
    colour: z
      .string()
      .regex(/^#[0-9a-f]{6}$/i, 'a colour as #rrggbb')
      .optional(),
    supportEmail: line(254).optional(),
    supportPhone: line(40).optional(),
    /** Who the company is, as the law of its country wants it at the foot of a business letter. */
    imprint: line(500).optional(),
  }),
  customer: z.object({ name: line(100).optional() }),
  order: z.object({
    id: line(100),
    /** What the customer knows it by. */
    number: line(100),
    placedAt: instant,
    lines: goods,
    subtotal: money.optional(),
    discount: money.optional(),
    shipping: money.optional(),
    tax: money.optional(),
    total: money,
    shipTo: place.optional(),
  }),
  promise: z.object({ shipBy: instant.optional(), deliverBy: instant, before: instant.optional() }).optional(),
  parcel: z
    .object({
      carrier: line(100),
      trackingNumber: line(100).optional(),
      trackingUrl: link.optional(),
      lines: goods.optional(),
    })
    .optional(),
  pickup: z
    .object({ place, until: instant.optional(), code: line(50).optional(), openingHours: line(300).optional() })
    .optional(),
  return: z.object({ id: line(100), labelUrl: link.optional(), sendBy: instant.optional(), lines: goods }).optional(),
  refund: z.object({ amount: money, method: line(100).optional() }).optional(),
  /** Of a hold, a change, a cancellation or a delay, in words that a customer may read. */
  reason: line(500).optional(),
  /** The order's own page, by a signed link. */
  statusUrl: link.optional(),
})

export type MessageData = z.input<typeof messageData>

/** Where an unknown name in a path begins, or undefined where the whole path may stand in a template. */
export function unknownVariable(path: readonly (string | number)[]): string | undefined {
  let schema: z.core.$ZodType = scope
  for (const [at, name] of path.entries()) {
    schema = unwrapped(schema)
    const next = step(schema, name)
    if (!next) return path.slice(0, at + 1).join('.')
    schema = next
  }
  return undefined
}

const scope = messageData.extend({ locale: z.string(), timeZone: z.string() })

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional ? unwrapped(schema.unwrap()) : schema
}

function step(schema: z.core.$ZodType, name: string | number): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) {
    const shape: Record<string, z.core.$ZodType> = schema.shape
    return typeof name === 'string' && Object.hasOwn(shape, name) ? shape[name] : undefined
  }
  if (schema instanceof z.ZodArray) {
    if (name === 'size') return z.number()
    return typeof name === 'number' || name === 'first' || name === 'last' ? schema.element : undefined
  }
  return schema instanceof z.ZodString && name === 'size' ? z.number() : undefined
}

/** The data with null wherever something may be and is not. The data must have passed the schema. */
export function complete(data: z.output<typeof messageData>): Record<string, unknown> {
  // The schema is an object's, so what is made of it is one.
  return filled(messageData, data) as Record<string, unknown>
}

function filled(schema: z.core.$ZodType, value: unknown): unknown {
  const inner = unwrapped(schema)
  if (value === undefined) return null
  if (inner instanceof z.ZodArray)
    return Array.isArray(value) ? value.map((item) => filled(inner.element, item)) : value
  if (!(inner instanceof z.ZodObject) || typeof value !== 'object' || value === null) return value
  const shape: Record<string, z.core.$ZodType> = inner.shape
  const given: Record<string, unknown> = { ...value }
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, filled(field, given[name])]))
}
