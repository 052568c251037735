/** What is read of BigCommerce: webhook bodies, and the answers of its V2 orders and V3 catalogue and refunds; the rest passes. */
import { z } from 'zod'
import { QUANTITY_MAX } from '../../../actors/inventory/wire.js'
import { money } from '../../schemas.js'
import { cost, numericId, optionalId, price, statedAmount, words } from '../payload.js'

/** One page of the API; a longer list is asked for page by page. */
export const PAGE_ROWS = 250

const optional = <Value extends z.ZodType>(value: Value) => value.nullish().transform((given) => given ?? undefined)
const list = <Item extends z.ZodType>(item: Item, max: number) =>
  z
    .array(item)
    .max(max)
    .nullish()
    .transform((items) => items ?? [])

export const webhook = z.object({
  scope: z.string().max(200),
  data: z.object({
    id: optionalId,
    refund: optional(z.object({ refund_id: numericId })),
    inventory: optional(
      z.object({
        product_id: optionalId,
        variant_id: optionalId,
        location_id: optionalId,
        method: words(50),
        value: optional(z.number()),
      }),
    ),
  }),
  // Seconds since 1970.
  created_at: optional(z.int().min(0).max(253_402_300_799)),
})
export type Webhook = z.output<typeof webhook>

/** RFC 2822, as in "Tue, 05 Mar 2019 21:40:11 +0000". */
const mailDate = words(100).transform((text, context) => {
  if (text === undefined) return undefined
  const at = new Date(text)
  if (!Number.isNaN(at.getTime())) return at.toISOString()
  context.addIssue({ code: 'custom', message: 'not a time such as "Tue, 05 Mar 2019 21:40:11 +0000"' })
  return z.NEVER
})

const person = {
  first_name: words(400),
  last_name: words(400),
  company: words(400),
  street_1: words(1_000),
  street_2: words(1_000),
  city: words(400),
  state: words(400),
  zip: words(100),
  country_iso2: words(10),
  phone: words(100),
  email: words(400),
}
const billingAddress = z.object(person)

export const orderAnswer = z.object({
  id: numericId,
  customer_id: optionalId,
  date_modified: mailDate,
  status_id: z.int().min(0).max(1_000),
  payment_status: words(100),
  payment_provider_id: z.union([z.string().max(1_000), z.number()]).nullish(),
  currency_code: money.shape.currency,
  total_inc_tax: statedAmount,
  shipping_cost_inc_tax: cost,
  handling_cost_inc_tax: cost,
  wrapping_cost_inc_tax: cost,
  discount_amount: cost,
  coupon_discount: cost,
  customer_message: words(5_000),
  billing_address: optional(billingAddress),
})
export type OrderAnswer = z.output<typeof orderAnswer>

export const product = z.object({
  id: numericId,
  product_id: optionalId,
  variant_id: optionalId,
  order_address_id: optionalId,
  name: words(2_000),
  sku: words(1_000),
  type: words(50),
  quantity: z.int().min(0).max(QUANTITY_MAX),
  total_ex_tax: price,
  total_inc_tax: price,
  total_tax: cost,
  wrapping_message: words(5_000),
  applied_discounts: list(z.object({ amount: cost }), 500),
  product_options: list(z.object({ display_name: words(2_000), display_value: words(5_000) }), 500),
})
export type Product = z.output<typeof product>

export const shippingAddress = z.object({
  ...person,
  id: numericId,
  shipping_method: words(400),
  cost_inc_tax: cost,
  handling_cost_inc_tax: cost,
})
export type ShippingAddress = z.output<typeof shippingAddress>

export const productPage = z.array(product).max(PAGE_ROWS)
export const addressPage = z.array(shippingAddress).max(PAGE_ROWS)

export const refundsAnswer = z.object({
  data: z.array(
    z.object({
      id: numericId,
      total_amount: price,
      reason: words(5_000),
      items: list(z.object({ item_type: words(50), item_id: optionalId, quantity: optional(z.number()) }), 5_000),
    }),
  ),
})

export const variantAnswer = z.object({
  data: z.object({ sku: words(1_000), inventory_level: optional(z.int().min(-QUANTITY_MAX).max(QUANTITY_MAX)) }),
})
