/**
 * What an event is in the journal. Everything that an entry is made of stands in the event or in what an order keeps as it
 * was placed, so reading an event again makes the same entry, whatever has become of the order since.
 */
import type { StockMoved } from '../../actors/inventory/moves.js'
import type { SentLine } from '../../actors/order/fulfillments.js'
import type { Totals } from '../../actors/order/order.js'
import type { OrderView } from '../../actors/order/order-views.js'
import type { Disposition, ReturnRefund } from '../../actors/return/order-return.js'
import type { EngineEvent } from '../../engine/protocol.js'
import type { JournalEntry } from './entry.js'
import * as moneyPosting from './money-posting.js'
import { unitsBetween, unitsDisposed, unitsNotKnown, unitsOfMoves } from './stock-posting.js'

/** Reads an order as it is now; undefined where there is none. */
export type ReadOrder = (id: string) => Promise<OrderView | undefined>
/** Units by which stock that was told is more than the journal has before that event: see opening.ts. */
export type ReadOpening = (event: EngineEvent) => Promise<number[]>

interface OfOrder {
  order: string
  currency: string
  amount: number
}
type FulfillmentData = OfOrder & { fulfillment: string; lines?: SentLine[]; invoice?: Totals }
type ReturnData = OfOrder & { return: string; sku: number; quantity: number }

type Drafted = Omit<JournalEntry, 'atMs' | 'event'>
type Draft = (data: never, readOrder: ReadOrder) => Drafted | undefined | Promise<Drafted | undefined>

const asTold = (): undefined => undefined

// Events are published by the actors, whose types these are.
const DRAFTS: Record<string, Draft> = {
  'inventory.moved': (data: StockMoved) => ({
    type: 'stock',
    reason: data.detail === undefined ? data.reason : `${data.reason}: ${data.detail}`,
    ...(isOfOrder(data.reason) ? { order: data.ref ?? '' } : data.ref === undefined ? {} : { reference: data.ref }),
    units: unitsOfMoves(data),
  }),
  'inventory.discrepancy': (data: { sku: number; units: number; reason?: string; ref?: string }) => ({
    type: 'stock',
    reason: 'more left than was known',
    ...(data.ref === undefined ? {} : data.reason === 'shipped' ? { order: data.ref } : { reference: data.ref }),
    units: unitsNotKnown(data.reason ?? '', data.sku, data.units),
  }),
  'fulfillment.shipped': (data: FulfillmentData, readOrder) => invoice(data, 'invoice', readOrder),
  'fulfillment.delivered': ({ order, fulfillment, lines = [] }: FulfillmentData) => ({
    type: 'delivery',
    order,
    reference: fulfillment,
    units: unitsBetween('in_transit_to_customer', 'customer', lines),
  }),
  /** With lines: it was lost on the way. */
  'fulfillment.failed': async (data: FulfillmentData, readOrder) =>
    data.lines && {
      type: 'loss',
      order: data.order,
      reference: data.fulfillment,
      ...(await invoice(data, 'credit_note', readOrder)),
      reason: 'lost on the way',
      units: unitsBetween('in_transit_to_customer', 'shrinkage', data.lines),
    },
  'payment.captured': ({ order, amount, currency, reference }: OfOrder & { reference: string }) => ({
    type: 'settlement',
    order,
    ...(reference === '' ? {} : { reference }),
    currency,
    money: moneyPosting.captured(amount),
  }),
  'payment.refunded': ({ order, amount, currency, reference }: OfOrder & { reference: string }) => ({
    type: 'refund',
    order,
    ...(reference === '' ? {} : { reference }),
    currency,
    money: moneyPosting.refunded(amount),
  }),
  'order.credited': async ({ order, amount, currency, reason }: OfOrder & { reason: string }, readOrder) => {
    const view = await readOrder(order)
    if (!view) return undefined
    const money = moneyPosting.credited(amount, view.totals, 'money', settlingOf(view))
    return { type: 'credit_note', order, reason, currency, money }
  },
  'return.settled': (data: ReturnData & Pick<ReturnRefund, 'by'> & { isRest?: boolean }, readOrder) =>
    settlement(data, readOrder),
  'return.exchanged': async (data: ReturnData & { placed?: string }, readOrder) => {
    const placed = data.placed === undefined ? undefined : await readOrder(data.placed)
    const paid = placed ? placed.totals.total - (placed.payment?.amount ?? 0) : 0
    if (!placed || paid <= 0) return undefined
    const { id: order, currency } = placed
    const money = moneyPosting.storeCreditApplied(paid)
    return { type: 'store_credit_applied', order, reference: data.return, currency, money }
  },
  'return.intercepted': ({ order, return: reference, sku, quantity }: ReturnData) => ({
    type: 'delivery',
    order,
    reference,
    reason: 'came back before it was delivered',
    units: unitsBetween('in_transit_to_customer', 'customer', [{ sku, quantity }]),
  }),
  'return.disposed': (data: ReturnData & { disposition: Disposition }) => ({
    type: 'disposition',
    order: data.order,
    reference: data.return,
    reason: data.disposition,
    units: unitsDisposed(data.disposition, data.sku, data.quantity),
  }),
}

const RESTATED = 'inventory.restated'

export const isPosted = (type: string): boolean => type in DRAFTS || type === RESTATED

/** The entry of an event; undefined where it moves neither money nor units. */
export async function entryOf(
  event: EngineEvent,
  readOrder: ReadOrder,
  readOpening: ReadOpening,
): Promise<JournalEntry | undefined> {
  const { type, data, timeMs, partition, number } = event
  const drafted: Drafted | undefined =
    type === RESTATED
      ? { type: 'opening', reason: 'opening', units: await readOpening(event) }
      : await (DRAFTS[type] ?? asTold)(data as never, readOrder)
  if (!drafted || ((drafted.money?.length ?? 0) === 0 && (drafted.units?.length ?? 0) === 0)) return undefined
  return { ...drafted, atMs: timeMs, event: [partition, number] }
}

const isOfOrder = (reason: string): boolean => ['shipped', 'missing', 'returned'].includes(reason)

async function invoice(
  { order, fulfillment, invoice: totals, currency }: FulfillmentData,
  type: 'invoice' | 'credit_note',
  readOrder: ReadOrder,
): Promise<Drafted | undefined> {
  // Events from before invoices were worked out carry none.
  const view = totals && (await readOrder(order))
  if (!view) return undefined
  return { type, order, reference: fulfillment, currency, money: moneyPosting.invoiced(totals, settlingOf(view)) }
}

async function settlement(
  {
    order,
    return: reference,
    amount,
    currency,
    by,
    isRest,
  }: ReturnData & Pick<ReturnRefund, 'by'> & { isRest?: boolean },
  readOrder: ReadOrder,
): Promise<Drafted | undefined> {
  const view = await readOrder(order)
  if (!view) return undefined
  const settling = settlingOf(view)
  const isCredit = by === 'store_credit' || by === 'exchange'
  const money = isRest
    ? moneyPosting.exchangeRest(amount, settling)
    : moneyPosting.credited(amount, view.totals, isCredit ? 'store_credit' : 'money', settling)
  return { type: 'credit_note', order, reference, reason: by, currency, money }
}

/** An order that was placed in exchange is paid by what came back, and by its payment for the rest. */
const settlingOf = ({ payment, timeline }: OrderView): { hasPayment: boolean; isExchange: boolean } => ({
  hasPayment: payment !== undefined,
  isExchange: timeline.some(({ type, by }) => type === 'order.received' && by === 'exchange'),
})
