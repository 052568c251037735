/** What is read of Shopify’s payloads, by the names of its Admin REST API (Order, Refund, InventoryLevel); the rest passes. */
import { z } from 'zod'
import { QUANTITY_MAX } from '../../../actors/inventory/wire.js'
import { ORDER_LINES_MAX } from '../../../actors/limits.js'
import { money } from '../../schemas.js'
import { cost, numericId, optionalId, price, statedAmount, words } from '../payload.js'

const currency = money.shape.currency
const optionalCurrency = currency.nullish().transform((code) => code ?? undefined)
const count = z.int().min(0).max(QUANTITY_MAX)
const list = <Item extends z.ZodType>(item: Item, max = ORDER_LINES_MAX) =>
  z
    .array(item)
    .max(max)
    .nullish()
    .transform((items) => items ?? [])
const optionalCount = count.nullish().transform((quantity) => quantity ?? undefined)
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? undefined)
export const instant = z.iso
  .datetime({ offset: true, error: 'not a time such as "2024-01-31T12:00:00+00:00"' })
  .transform((text) => new Date(text).toISOString())
export const optionalInstant = instant.nullish().transform((at) => at ?? undefined)

const side = z.object({ amount: price, currency_code: currency })
/** An amount in both currencies. */
const moneySet = z
  .object({ shop_money: side, presentment_money: side })
  .nullish()
  .transform((set) => set ?? undefined)
export type MoneySet = z.output<typeof moneySet>

const taxLine = z.object({
  title: words(200),
  rate: z.number().nullish(),
  price: price,
  price_set: moneySet,
})
const discountAllocation = z.object({ amount: price, amount_set: moneySet })
const property = z.object({ name: z.unknown().optional(), value: z.unknown().optional() })

export const lineItem = z.object({
  id: numericId,
  sku: words(1_000),
  title: words(2_000),
  variant_id: optionalId,
  product_id: optionalId,
  quantity: count,
  current_quantity: optionalCount,
  fulfillable_quantity: optionalCount,
  price,
  price_set: moneySet,
  total_discount: cost,
  total_discount_set: moneySet,
  requires_shipping: flag,
  gift_card: flag,
  tax_lines: list(taxLine, 100),
  discount_allocations: list(discountAllocation, 500),
  properties: list(property, 200),
})
export type LineItem = z.output<typeof lineItem>

const address = z
  .object({
    name: words(400),
    first_name: words(400),
    last_name: words(400),
    company: words(400),
    address1: words(1_000),
    address2: words(1_000),
    city: words(400),
    province: words(400),
    zip: words(100),
    country_code: words(10),
    phone: words(100),
    latitude: z.union([z.string(), z.number()]).nullish(),
    longitude: z.union([z.string(), z.number()]).nullish(),
  })
  .nullish()
  .transform((value) => value ?? undefined)
export type Address = NonNullable<z.output<typeof address>>

const customer = z
  .object({
    id: optionalId,
    first_name: words(400),
    last_name: words(400),
    email: words(400),
    phone: words(100),
  })
  .nullish()
  .transform((value) => value ?? undefined)

const shippingLine = z.object({
  title: words(400),
  code: words(400),
  price: price,
  price_set: moneySet,
  discounted_price: statedAmount,
  discounted_price_set: moneySet,
  tax_lines: list(taxLine, 100),
  discount_allocations: list(discountAllocation, 500),
  is_removed: flag,
})

const fulfillment = z.object({
  status: words(50),
  line_items: list(z.object({ id: numericId, quantity: count })),
})

export const orderPayload = z.object({
  id: numericId,
  name: words(200),
  currency,
  presentment_currency: optionalCurrency,
  taxes_included: flag,
  financial_status: words(50),
  cancelled_at: optionalInstant,
  cancel_reason: words(200),
  updated_at: optionalInstant,
  test: flag,
  note: words(5_000),
  email: words(400),
  contact_email: words(400),
  phone: words(100),
  location_id: optionalId,
  total_price: statedAmount,
  total_price_set: moneySet,
  current_total_price: statedAmount,
  current_total_price_set: moneySet,
  total_discounts: cost,
  total_discounts_set: moneySet,
  tax_lines: list(taxLine, 200),
  line_items: list(lineItem),
  shipping_lines: list(shippingLine, 100),
  shipping_address: address,
  billing_address: address,
  customer,
  fulfillments: list(fulfillment),
})
export type OrderPayload = z.output<typeof orderPayload>

export const refundPayload = z.object({
  id: numericId,
  order_id: numericId,
  note: words(5_000),
  restock: flag,
  refund_line_items: list(
    z.object({
      line_item_id: numericId,
      quantity: count,
      restock_type: words(50),
      location_id: optionalId,
      subtotal: statedAmount,
      subtotal_set: moneySet,
      total_tax: statedAmount,
      total_tax_set: moneySet,
      line_item: z
        .object({ sku: words(1_000) })
        .nullish()
        .transform((line) => line ?? undefined),
    }),
  ),
  transactions: list(
    z.object({ kind: words(50), status: words(50), amount: statedAmount, currency: optionalCurrency }),
    1_000,
  ),
  refund_shipping_lines: list(z.object({ subtotal_amount_set: moneySet }), 100),
})
export type RefundPayload = z.output<typeof refundPayload>

export const inventoryLevel = z.object({
  inventory_item_id: numericId,
  location_id: numericId,
  // Null where the item is not counted at the location.
  available: z.int().min(-QUANTITY_MAX).max(QUANTITY_MAX).nullable(),
  updated_at: optionalInstant,
})
export const inventoryItem = z.object({ inventory_item: z.object({ sku: words(1_000) }) })
