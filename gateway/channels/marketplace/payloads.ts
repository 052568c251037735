/** What is read of the Selling Partner Orders API v0 (Order, OrderItem), by its names; the rest passes. */
import { z } from 'zod'
import { QUANTITY_MAX } from '../../../actors/inventory/wire.js'
import { ORDER_LINES_MAX } from '../../../actors/limits.js'
import { money } from '../../schemas.js'
import { price, words } from '../payload.js'

const optional = <Value extends z.ZodType>(value: Value) => value.nullish().transform((given) => given ?? undefined)
const count = z.int().min(0).max(QUANTITY_MAX)

/** Goes into addresses that are called, so nothing but what the platform’s ids are made of. */
export const sellerOrderId = z.string().regex(/^[A-Za-z0-9-]{1,50}$/, 'not an order id, such as 902-3159896-1390916')
const instant = z.iso.datetime({ offset: true, error: 'not a time such as "2024-01-31T12:00:00Z"' })
const optionalInstant = optional(instant)

const amount = optional(z.object({ Amount: price, CurrencyCode: money.shape.currency }))

const address = optional(
  z.object({
    Name: words(400),
    CompanyName: words(400),
    AddressLine1: words(1_000),
    AddressLine2: words(1_000),
    AddressLine3: words(1_000),
    City: words(400),
    StateOrRegion: words(400),
    PostalCode: words(100),
    CountryCode: words(10),
    Phone: words(100),
  }),
)
export type Address = NonNullable<z.output<typeof address>>

export const sellerOrder = z.object({
  AmazonOrderId: sellerOrderId,
  OrderStatus: z.string().max(100),
  FulfillmentChannel: words(50),
  LastUpdateDate: instant.transform((text) => new Date(text).toISOString()),
  OrderTotal: amount,
  ShipServiceLevel: words(200),
  ShipmentServiceLevelCategory: words(200),
  EarliestShipDate: optionalInstant,
  LatestShipDate: optionalInstant,
  MarketplaceId: words(50),
  ShippingAddress: address,
  BuyerInfo: optional(z.object({ BuyerEmail: words(400), BuyerName: words(400) })),
})
export type SellerOrder = z.output<typeof sellerOrder>

/** One page of orders, each still unread: one that can’t be read does not take the page with it. */
export const ordersPage = z.object({
  payload: z.object({
    Orders: z.array(z.unknown()).max(100),
    NextToken: optional(z.string().min(1).max(20_000)),
    LastUpdatedBefore: optionalInstant,
  }),
})

export const orderItem = z.object({
  OrderItemId: z.string().regex(/^[A-Za-z0-9-]{1,50}$/, 'not an item id'),
  SellerSKU: words(1_000),
  ASIN: words(50),
  Title: words(5_000),
  QuantityOrdered: count,
  ItemPrice: amount,
  ItemTax: amount,
  ShippingPrice: amount,
  ShippingTax: amount,
  ShippingDiscount: amount,
  PromotionDiscount: amount,
  BuyerRequestedCancel: optional(
    z.object({
      IsBuyerRequestedCancel: z
        .union([z.boolean(), z.enum(['true', 'false'])])
        .transform((is) => String(is) === 'true'),
      BuyerCancelReason: words(1_000),
    }),
  ),
  BuyerInfo: optional(z.object({ GiftMessageText: words(5_000) })),
  IsGift: z
    .union([z.boolean(), z.enum(['true', 'false'])])
    .nullish()
    .transform((is) => String(is) === 'true'),
})
export type OrderItem = z.output<typeof orderItem>

export const orderItems = z.array(orderItem).max(ORDER_LINES_MAX)

/** A page of items, still unread, so that faults are named by the place in the whole list. */
export const itemsPage = z.object({
  payload: z.object({
    OrderItems: z.array(z.unknown()).max(ORDER_LINES_MAX),
    NextToken: optional(z.string().min(1).max(20_000)),
  }),
})

export const addressAnswer = z.object({ payload: z.object({ ShippingAddress: address }) })
export const orderAnswer = z.object({ payload: z.object({ MarketplaceId: z.string().max(50) }) })
