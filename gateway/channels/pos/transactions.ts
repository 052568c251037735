/**
 * What a till sends: a queue of transactions in the order in which they happened, each with the till's own id and time, so
 * that a queue that waited for the network can be sent late, in parts and again. A till's clock may be wrong: its time is
 * kept as data and decides nothing.
 */
import { z } from 'zod'
import { money as moneyOf, units } from '../../money.js'
import * as shapes from '../../order-schemas.js'
import { channelName, locationName, money, quantity, skuName } from '../../schemas.js'

/** A queue of a busy day: some seconds of work. */
export const TRANSACTIONS_MAX = 500
/** Lines of one sale: more than a till prints. */
const LINES_MAX = 500

/** What a connection of a shop's tills is set to. */
export const posSettings = z.object({
  location: locationName.meta({ description: 'The store that the tills stand in' }),
  currency: money.shape.currency,
  customer: shapes.order.shape.customer
    .default({ name: 'Walk-in customer' })
    .meta({ description: 'Who buys where the till does not say' }),
})
export type PosSettings = z.output<typeof posSettings>

export const tillName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,40}$/, '1 to 40 letters, digits and . _ -')
  .meta({ description: 'A till of the connection' })
export const transactionId = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,80}$/, '1 to 80 letters, digits and . _ : -')
  .meta({ description: 'The till’s own id of the transaction: the same one has one effect' })

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !/\p{Surrogate}/u.test(value), 'no half characters')

const sold = z.object({
  sku: skuName,
  quantity,
  unitPrice: money,
  discount: money.optional(),
  taxes: shapes.order.shape.lines.element.shape.taxes,
  note: text(500).optional(),
})
const soldLines = z.array(sold).min(1).max(LINES_MAX)
export type SoldLine = z.output<typeof sold>

const broughtBack = z
  .array(
    z.object({
      sku: skuName,
      quantity,
      disposition: shapes.returnAtTheCounter.shape.lines.element.shape.disposition.default('restock'),
      condition: text(200).optional(),
      refuse: z.boolean().optional(),
      reason: text(100).default('at_the_counter'),
    }),
  )
  .min(1)
  .max(LINES_MAX)
export type BroughtBack = z.output<typeof broughtBack>

const receipt = z
  .object({
    till: tillName,
    id: transactionId,
    connection: channelName.optional().meta({ description: 'Of another store; none: this one' }),
  })
  .meta({ description: 'The sale that a receipt was printed for' })

const common = {
  id: transactionId,
  at: text(40).optional().meta({ description: 'When it happened by the till’s clock: kept, not relied upon' }),
  by: text(100).optional().meta({ description: 'Who stood at the till' }),
}
const ofOrder = { order: shapes.orderId.optional(), receipt: receipt.optional() }
const namesOne = (
  value: { order?: string | undefined; receipt?: object | undefined },
  context: z.core.$RefinementCtx,
): void => {
  if ((value.order === undefined) === (value.receipt === undefined)) {
    context.addIssue({ code: 'custom', path: ['order'], message: 'either an order or a receipt' })
  }
}
const paid = {
  customer: shapes.order.shape.customer.optional(),
  total: money.optional().meta({ description: 'What the till took; checked against the lines where given' }),
  paymentReference: z.string().max(200).optional(),
}

export const transaction = z.discriminatedUnion('type', [
  z.object({ ...common, type: z.literal('sale'), lines: soldLines, ...paid }),
  z.object({
    ...common,
    type: z.literal('save_the_sale'),
    lines: soldLines,
    ...paid,
    customer: shapes.order.shape.customer,
    from: locationName.optional().meta({ description: 'Where the goods were found; none: sourcing decides' }),
    shipTo: shapes.order.shape.shipTo.optional().meta({ description: 'Shipped home; none: to the store' }),
    shippingService: text(50).optional(),
    shipping: money.optional(),
  }),
  z.object({ ...common, type: z.literal('pickup'), ...ofOrder }).superRefine(namesOne),
  z.object({
    ...common,
    type: z.literal('return'),
    ...ofOrder,
    lines: broughtBack,
    resolution: z.enum(['refund', 'store_credit', 'none']).default('refund'),
    credit: money.optional().meta({ description: 'Without a receipt: the store credit that was given' }),
    customer: shapes.order.shape.customer.optional(),
  }),
  z.object({ ...common, type: z.literal('exchange'), ...ofOrder, back: broughtBack, lines: soldLines, ...paid }),
  z.object({ ...common, type: z.literal('void'), of: transactionId.meta({ description: 'A sale of the same till' }) }),
  z.object({ ...common, type: z.literal('no_sale') }),
  z.object({ ...common, type: z.literal('cash') }),
])
export type Transaction = z.output<typeof transaction>
export type Sale = Extract<Transaction, { type: 'sale' }>

const { $schema: _schema, ...described } = z.toJSONSchema(transaction, { io: 'input' })

/** Each is checked by itself, so that a bad one does not hold up its queue, and is kept as it was sent. */
export const transactions = z.array(z.looseObject({}).meta(described)).min(1).max(TRANSACTIONS_MAX)

/** An adjustment that stock needed so that the books say what left the store. */
export interface StockNote {
  sku: string
  delta: number
  reason: string
}

/**
 * `done`: it is in the books. `ignored`: nothing of ours, for the reason given. `refused`: nothing was done; sent again,
 * it is tried again, unless it is `final`. `later`: there was no room now; send it and what follows it again.
 */
export interface TransactionResult {
  id: string
  outcome: 'done' | 'ignored' | 'refused' | 'later'
  type?: string
  reason?: string
  code?: string
  detail?: string
  errors?: { path: string; message: string }[]
  final?: boolean
  order?: string
  fulfillments?: string[]
  return?: string
  /** What the till gives back for goods of a sale that has no order to say it. */
  refund?: { amount: string; currency: string }
  storeCredit?: { id: string; amount: string; currency: string }
  adjustments?: StockNote[]
  notes?: string[]
}

/** What lines add up to, in ten-thousandths; undefined where an amount is out of range or in another currency. */
export function totalOf(
  lines: SoldLine[],
  shipping: { amount: string; currency: string } | undefined,
  currency: string,
) {
  let total = shipping === undefined ? 0 : units(shipping.amount)
  const add = (amount: { amount: string; currency: string } | undefined, times: number): void => {
    if (amount === undefined) return
    const value = amount.currency === currency ? units(amount.amount) : undefined
    total = total === undefined || value === undefined ? undefined : total + times * value
  }
  for (const { quantity: count, unitPrice, discount, taxes } of lines) {
    add(unitPrice, count)
    add(discount, -1)
    for (const { amount } of taxes ?? []) add(amount, 1)
  }
  if (shipping !== undefined && shipping.currency !== currency) return undefined
  return total === undefined || !Number.isSafeInteger(total) ? undefined : moneyOf(total, currency)
}
