/** What a customer's page shows of an order, checked: what is wrong here is the caller's, and never reaches the page. */
import { z } from 'zod'
import { plainLine } from '../plain-line.js'

const line = (max: number) => z.string().overwrite((text) => plainLine(text, max))
const link = z.url({ protocol: /^https$/ }).max(2_000)
const instant = z.iso.datetime({ offset: true })

/** A list of which a page shows the first so many. */
const first = <T extends z.ZodType>(item: T, max: number) => z.array(item).overwrite((items) => items.slice(0, max))

/** As brands are kept; owners check what is put by it. */
export const trackingBrand = z.object({
  name: line(100),
  url: link.optional(),
  logoUrl: link.optional(),
  colour: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, 'a colour as #rrggbb')
    .optional(),
  supportEmail: z.email().max(254).optional(),
})

export const ORDER_STATUSES = [
  'received',
  'validating',
  'on_hold',
  'sourcing',
  'backordered',
  'allocated',
  'partially_shipped',
  'shipped',
  'delivered',
  'completed',
  'cancelled',
  'rejected',
] as const
export type OrderStatus = (typeof ORDER_STATUSES)[number]

const goods = first(z.object({ name: line(200), quantity: z.int().min(1) }), 200)

/** Times are RFC 3339. */
export const trackingView = z.object({
  brand: trackingBrand,
  order: z.object({ number: line(100), status: z.enum(ORDER_STATUSES), placedAt: instant, lines: goods }),
  promise: z.object({ deliverBy: instant, before: instant.optional() }).optional(),
  pickup: z.object({ name: line(200), address: line(300), until: instant.optional(), isReady: z.boolean() }).optional(),
  parcels: first(
    z.object({
      carrier: line(100),
      trackingNumber: line(100).optional(),
      trackingUrl: link.optional(),
      lines: goods.optional(),
      /** What the carrier has said, in any order. */
      events: z
        .array(z.object({ at: instant, description: line(300), place: line(200).optional() }))
        .overwrite((events) => events.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, 100)),
    }),
    50,
  ),
})

export type TrackingView = z.input<typeof trackingView>
export type CheckedView = z.output<typeof trackingView>
