/** The shapes of orders, fulfillment orders, rules and settings that clients send. */
import { z } from 'zod'
import { ORDER_ID_BYTES_MAX, ORDER_LINES_MAX } from '../actors/limits.js'
import { ORDER_STATUSES } from '../actors/order/order-status.js'
import { PAYMENT_EVENTS } from '../actors/order/payments.js'
import { DISPOSITIONS, RESOLUTIONS } from '../actors/return/order-return.js'
import { LOCATION_TYPES } from '../actors/rules/rule.js'
import { BULK_ITEMS_MAX, WAVE_FULFILLMENTS_MAX, WAVE_LINES_MAX } from './limits.js'
import { address, channelName, entityId, locationName, money, quantity, skuName, uuid } from './schemas.js'

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !/\p{Surrogate}/u.test(value), 'no half characters')
/** Text by which orders are found: it is part of an index's name. */
const key = (max: number) => text(max).refine((value) => !/\p{Cc}/u.test(value), 'no control characters')
const by = text(100).optional().meta({ description: 'Who does it, as the timeline shows it' })

export const orderId = z
  .string()
  .regex(
    new RegExp(`^[A-Za-z0-9._:-]{1,${ORDER_ID_BYTES_MAX}}$`),
    `1 to ${ORDER_ID_BYTES_MAX} letters, digits and . _ : -`,
  )
  .refine((id) => id !== 'export', 'another word than export, which is a call')
  .meta({ description: 'Order id' })
export const fulfillmentId = text(ORDER_ID_BYTES_MAX + 8).meta({ description: 'Fulfillment id' })

const customer = z.object({
  id: key(100).optional(),
  name: text(200),
  email: z.email().max(200).optional(),
  phone: text(40).optional(),
})

const shipTo = address.extend({
  name: text(200).optional(),
  latitude: z.number().min(-90).max(90).optional(),
  longitude: z.number().min(-180).max(180).optional(),
})

const tax = z.object({ name: text(100), rate: z.number().min(0).max(1).optional(), amount: money })

const line = z.object({
  sku: skuName,
  quantity,
  unitPrice: money,
  discount: money.optional(),
  taxes: z.array(tax).max(20).optional(),
  reservationId: uuid.optional().meta({ description: 'A reservation whose units the line takes over' }),
  gift: z.union([z.boolean(), z.object({ message: z.string().max(1_000).optional() })]).optional(),
  substitutes: z.array(skuName).max(10).optional().meta({ description: 'SKUs that the customer takes instead' }),
  note: text(500).optional(),
})

const totals = z
  .object({ subtotal: money, discount: money, shipping: money, tax: money, total: money })
  .partial()
  .meta({ description: 'Checked where given: subtotal − discount + shipping + tax = total' })

const delivery = z
  .object({ method: z.enum(['ship', 'pickup', 'ship_to_store']), location: locationName.optional() })
  .refine(({ method, location }) => method === 'ship' || location !== undefined, {
    message: 'a location to collect it from',
    path: ['location'],
  })

export const order = z.object({
  id: orderId.optional(),
  channel: channelName,
  externalId: key(128).optional(),
  currency: money.shape.currency,
  customer,
  shipTo,
  delivery: delivery.default({ method: 'ship' }),
  lines: z
    .array(line)
    .min(1, 'an order has at least one line')
    .max(ORDER_LINES_MAX, `at most ${ORDER_LINES_MAX} lines`),
  shippingService: text(50).optional(),
  shipBy: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({ description: 'Promised by whoever sold it: where it is not sent by then, an exception is raised' }),
  shipping: money.optional().meta({ description: 'What the customer pays for shipping' }),
  totals: totals.optional(),
  payment: z
    .object({
      status: z.enum(['pending', 'authorized', 'captured']),
      amount: money,
      reference: z.string().max(200).default(''),
      provider: z.enum(['elsewhere', 'builtin']).default('elsewhere'),
    })
    .optional(),
  allowSplit: z.boolean().default(true),
  allowBackorder: z.boolean().default(false),
  allowPartial: z.boolean().default(false),
  priority: z.int().min(0).max(9).default(5).meta({ description: '0 goes first' }),
  notes: z.string().max(2_000).optional(),
  unknownSkus: z
    .enum(['refuse', 'hold'])
    .default('refuse')
    .meta({ description: 'hold: it is taken and held with the reason unknown_sku, for what is sold already' }),
  by,
})
export type OrderInput = z.output<typeof order>

export const orders = z.object({ orders: z.array(order).min(1).max(BULK_ITEMS_MAX) })

export const reason = z.object({ reason: text(500).default('unspecified'), by })
export const cancel = reason.extend({
  lines: z
    .array(z.object({ line: z.int().min(1).optional(), sku: skuName.optional(), quantity }))
    .min(1)
    .max(ORDER_LINES_MAX)
    .optional()
    .meta({ description: 'Units to cancel; none: all that can be' }),
})
export const bulk = reason.extend({
  orders: z.array(orderId).min(1).max(BULK_ITEMS_MAX),
})
export const revision = z
  .object({
    shipTo: shipTo.optional(),
    customer: customer.optional(),
    notes: z.string().max(2_000).optional(),
    shippingService: text(50).optional(),
    lines: z
      .array(
        z.union([
          z.object({ line: z.int().min(1), quantity: z.int().min(0).max(0x7fff_ffff) }),
          line.omit({ reservationId: true }),
        ]),
      )
      .min(1)
      .max(ORDER_LINES_MAX)
      .optional()
      .meta({ description: 'New quantities by line number; lines without a number are new' }),
    by,
  })
  .refine(({ by: _by, ...changes }) => Object.values(changes).some((value) => value !== undefined), 'nothing to change')
export const paymentEvent = z.object({
  event: z.enum(PAYMENT_EVENTS),
  amount: money,
  reference: z.string().max(200).default(''),
  by,
})
export const credit = reason.extend({ amount: money })

export const orderQuery = z.object({
  status: z.enum(ORDER_STATUSES).optional(),
  channel: channelName.optional(),
  externalId: key(128).optional(),
  customer: key(200).optional().meta({ description: 'Customer id or e-mail address' }),
  location: locationName.optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
  q: text(200).optional().meta({ description: 'Words of name, address, e-mail, external id' }),
})
export const orderExport = orderQuery.extend({ format: z.enum(['csv', 'jsonl']).default('csv') })

const inspected = z.object({
  sku: skuName,
  quantity,
  disposition: z.enum(DISPOSITIONS).optional(),
  condition: text(200).optional(),
  refuse: z.boolean().optional().meta({ description: 'Nothing is given for it: not what was sold, or spoilt' }),
})
const returnLines = z
  .array(
    z.object({
      line: z.int().min(1).optional().meta({ description: 'Of the order; none: by SKU' }),
      sku: skuName,
      quantity,
      reason: text(100),
      condition: text(200).optional(),
    }),
  )
  .min(1)
  .max(500)
export const returnRequest = z.object({
  id: entityId.max(ORDER_ID_BYTES_MAX).optional(),
  order: orderId,
  lines: returnLines,
  location: locationName.optional().meta({ description: 'Where it is expected; any location may receive it' }),
  resolution: z.enum(RESOLUTIONS).default('refund'),
  exchange: z
    .array(z.object({ sku: skuName, quantity, unitPrice: money }))
    .min(1)
    .max(50)
    .optional()
    .meta({ description: 'What the customer gets instead: reserved at once, sent when the goods are back' }),
  label: z
    .boolean()
    .default(true)
    .meta({ description: 'Where returns are authorized at once: whether it comes by a carrier' }),
  by,
})
export const returnStep = z.object({
  id: entityId.optional().meta({ description: 'The same id is carried out once' }),
  reason: text(500).optional(),
  by,
})
export const returnAuthorization = returnStep.extend({
  location: locationName.optional(),
  label: z.boolean().default(true).meta({ description: 'Whether it comes by a carrier; else the customer brings it' }),
})
export const returnReceipt = returnStep.extend({
  location: locationName.optional(),
  lines: z.array(inspected).min(1).max(500).optional().meta({ description: 'None: all that is expected' }),
})
export const returnInspection = returnStep.extend({
  lines: z.array(inspected).min(1).max(500).optional().meta({ description: 'None: all that waits is restocked' }),
})
export const returnAtTheCounter = z.object({
  id: entityId.max(ORDER_ID_BYTES_MAX).optional(),
  order: orderId,
  location: locationName,
  lines: z
    .array(inspected.extend({ reason: text(100).default('at_the_counter') }))
    .min(1)
    .max(500),
  resolution: z.enum(['refund', 'store_credit', 'none']).default('refund'),
  by,
})

const packages = z
  .array(z.object({ weightGrams: z.int().min(0).max(10_000_000), trackingNumber: text(100).optional() }))
  .max(100)
export const fulfillmentStep = z.object({
  id: entityId.optional().meta({ description: 'The same id is carried out once' }),
  location: locationName.optional().meta({ description: 'Whose work it is; refused where it is another’s' }),
  by,
})
export const pick = fulfillmentStep.extend({
  lines: z
    .array(z.object({ sku: skuName, quantity: z.int().min(0).max(0x7fff_ffff) }))
    .max(ORDER_LINES_MAX)
    .optional()
    .meta({ description: 'Units found; none: all' }),
})
export const pack = fulfillmentStep.extend({ packages: packages.optional() })
export const ship = fulfillmentStep.extend({
  carrier: text(100).optional().meta({ description: 'None: that of the labels that were bought for it' }),
  trackingNumber: text(100).optional(),
  packages: packages.default([]),
})
export const refuse = fulfillmentStep.extend({ reason: text(500).default('unspecified') })

export const fulfillmentCommands = z.object({
  commands: z
    .array(
      z.object({
        fulfillment: fulfillmentId,
        action: z.enum(['accept', 'reject', 'pick', 'pack', 'ship', 'deliver', 'fail']),
        ...pick.shape,
        ...ship.partial().shape,
        reason: text(500).optional(),
      }),
    )
    .min(1)
    .max(BULK_ITEMS_MAX),
})

export const wave = z.object({
  location: locationName,
  zone: text(100)
    .default('zone')
    .meta({ description: 'The product attribute by which lines are grouped; what lacks it is in the zone “none”' }),
  limit: z.coerce
    .number()
    .pipe(z.int().min(1).max(WAVE_FULFILLMENTS_MAX))
    .default(50)
    .meta({ description: `Fulfillments, those due first; fewer where they have over ${WAVE_LINES_MAX} lines` }),
})
export const waveRequest = wave.extend({
  statuses: z
    .array(z.enum(['pending', 'accepted', 'picking']))
    .min(1)
    .max(3)
    .default(['accepted']),
})

const ruleAction = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hold'), reason: text(200) }),
  z.object({ type: z.literal('tag'), tag: text(200) }),
  z.object({ type: z.literal('priority'), priority: z.int().min(0).max(9) }),
  z.object({ type: z.literal('onlyLocations'), locations: z.array(locationName).min(1).max(256) }),
  z.object({ type: z.literal('excludeLocations'), locations: z.array(locationName).min(1).max(256) }),
  z.object({ type: z.literal('locationTypes'), types: z.array(z.enum(LOCATION_TYPES)).min(1).max(4) }),
  z.object({ type: z.literal('service'), service: text(200) }),
  z.object({ type: z.literal('allowSplit'), allow: z.boolean() }),
  z.object({ type: z.literal('splitBy'), attribute: text(200) }),
  z.object({ type: z.literal('review'), reason: text(200) }),
  z.object({ type: z.literal('reject'), reason: text(200) }),
])
export const rule = z.object({
  name: text(200).optional(),
  order: z.int().min(-1_000_000).max(1_000_000).default(100).meta({ description: 'Lower is tried first' }),
  enabled: z.boolean().default(true),
  from: z.iso.datetime({ offset: true }).optional().meta({ description: 'In force from; none: at once' }),
  until: z.iso.datetime({ offset: true }).optional(),
  condition: text(2_000).meta({ description: 'CEL over order, customer, lines, stock and time' }),
  actions: z.array(ruleAction).min(1).max(16),
})
export const ruleTrial = z.object({
  rules: z
    .array(rule.extend({ id: entityId }))
    .min(1)
    .max(50),
  orders: z.array(orderId).max(BULK_ITEMS_MAX).optional(),
  limit: z.int().min(1).max(BULK_ITEMS_MAX).default(100).meta({ description: 'How many of the latest orders' }),
})

const payer = z.enum(['customer', 'retailer'])
const share = z.number().min(0).max(1).meta({ description: 'Share of the price that is kept' })
const returnPolicy = z.object({
  autoAuthorize: z.boolean(),
  payer: payer.meta({ description: 'Who pays for the label where the reason does not say' }),
  reasons: z
    .record(
      text(100),
      z.object({
        payer: payer.optional(),
        fee: share.optional(),
        isRefused: z.boolean().optional(),
        extraDays: z.int().min(0).max(3_650).optional(),
        refundsShipping: z.boolean().optional(),
        takesFinalSale: z.boolean().optional(),
      }),
    )
    .refine((reasons) => Object.keys(reasons).length <= 100, 'at most 100 reasons'),
  conditions: z
    .record(text(200), z.object({ isRefused: z.boolean().optional(), fee: share.optional() }))
    .refine((conditions) => Object.keys(conditions).length <= 100, 'at most 100 conditions'),
})

const seconds = z.int().min(1).max(31_536_000)
const figure = z.number().min(0).max(1e9)
const deadlines = z.object({
  accept: seconds,
  pick: seconds,
  pack: seconds,
  shipGrace: seconds,
  silent: seconds,
  escalate: seconds,
})
export const settings = z
  .object({
    remorseSeconds: z.int().min(0).max(2_592_000),
    fraudThreshold: z.int().min(1).max(101),
    returnDays: z.int().min(0).max(3_650),
    returns: returnPolicy.partial(),
    services: z
      .array(
        z.object({
          name: text(50),
          transitDays: z.object({
            domestic: z.int().min(0).max(100),
            foreign: z.int().min(0).max(100),
            byZone: z.record(z.enum(['local', 'near', 'middle', 'far', 'foreign']), z.int().min(0).max(100)).optional(),
          }),
          costFactor: z.number().min(0).max(100),
          countries: z.array(address.shape.country).max(250).optional(),
        }),
      )
      .min(1)
      .max(50),
    defaultService: text(50),
    weights: z
      .object({
        parcel: figure,
        split: figure,
        lateDay: figure,
        waitingDay: figure,
        kilometre: figure,
        balance: figure,
        priority: figure,
        parcelByZone: z.record(z.enum(['local', 'near', 'middle', 'far', 'foreign']), figure),
        kilogramByZone: z.record(z.enum(['local', 'near', 'middle', 'far', 'foreign']), figure),
        scarcity: z.record(z.enum(LOCATION_TYPES), figure),
      })
      .partial(),
    deadlines: deadlines.partial(),
    deadlineExceptions: z
      .array(
        z.object({
          location: locationName.optional(),
          service: text(50).optional(),
          deadlines: deadlines.omit({ escalate: true }).partial(),
        }),
      )
      .max(500),
    reshipmentsMax: z.int().min(0).max(10),
  })
  .partial()
