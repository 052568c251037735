/** What is read of WooCommerce’s payloads, by the names of its REST API v3 (Order, Refund); the rest passes. */
import { z } from 'zod'
import { QUANTITY_MAX } from '../../../actors/inventory/wire.js'
import { ORDER_LINES_MAX } from '../../../actors/limits.js'
import { money } from '../../schemas.js'
import { balance, cost, numericId, optionalId, price, statedAmount, words } from '../payload.js'

const list = <Item extends z.ZodType>(item: Item, max = ORDER_LINES_MAX) =>
  z
    .array(item)
    .max(max)
    .nullish()
    .transform((items) => items ?? [])

/** WooCommerce writes UTC without saying so. */
const utc = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/, 'not a time such as "2024-01-31T12:00:00"')
  .nullish()
  .transform((text, context) => {
    if (text == null) return undefined
    const at = new Date(`${text}Z`)
    if (!Number.isNaN(at.getTime())) return at.toISOString()
    context.addIssue({ code: 'custom', message: 'no such time' })
    return z.NEVER
  })

const meta = z.object({
  key: z.unknown().optional(),
  value: z.unknown().optional(),
  display_key: z.unknown().optional(),
  display_value: z.unknown().optional(),
})

const address = z
  .object({
    first_name: words(400),
    last_name: words(400),
    company: words(400),
    address_1: words(1_000),
    address_2: words(1_000),
    city: words(400),
    state: words(400),
    postcode: words(100),
    country: words(10),
    email: words(400),
    phone: words(100),
  })
  .nullish()
  .transform((value) => value ?? undefined)
export type Address = NonNullable<z.output<typeof address>>

const taxes = list(z.object({ id: optionalId, total: balance }), 100)

const lineItem = z.object({
  id: numericId,
  name: words(2_000),
  product_id: optionalId,
  variation_id: optionalId,
  sku: words(1_000),
  quantity: z.int().min(0).max(QUANTITY_MAX),
  subtotal: price,
  total: price,
  total_tax: cost,
  taxes,
  meta_data: list(meta, 1_000),
})
export type LineItem = z.output<typeof lineItem>

export const orderPayload = z.object({
  id: numericId,
  number: words(100),
  status: z.string().max(50),
  currency: money.shape.currency,
  date_modified_gmt: utc,
  date_paid_gmt: utc,
  transaction_id: words(1_000),
  customer_id: optionalId,
  customer_note: words(5_000),
  total: statedAmount,
  billing: address,
  shipping: address,
  line_items: list(lineItem),
  tax_lines: list(
    z.object({ rate_id: optionalId, label: words(200), rate_code: words(200), rate_percent: z.unknown().optional() }),
    100,
  ),
  shipping_lines: list(
    z.object({
      method_title: words(400),
      method_id: words(400),
      total: cost,
      total_tax: cost,
      meta_data: list(meta, 1_000),
    }),
    100,
  ),
  fee_lines: list(z.object({ name: words(400), total: balance, total_tax: balance }), 500),
  coupon_lines: list(z.object({ code: words(400) }), 500),
  refunds: list(z.object({ id: numericId, reason: words(5_000), total: balance }), 1_000),
})
export type OrderPayload = z.output<typeof orderPayload>

/** What a drafted, binned or deleted order has for sure. */
export const orderHead = z.object({
  id: numericId,
  status: z
    .string()
    .max(50)
    .nullish()
    .transform((status) => status ?? undefined),
})

/** A refund as the API has it; quantities of what is given back are below zero. */
export const refundAnswer = z.object({
  line_items: list(
    z.object({ sku: words(1_000), quantity: z.int().min(-QUANTITY_MAX).max(0), meta_data: list(meta, 1_000) }),
  ),
})
