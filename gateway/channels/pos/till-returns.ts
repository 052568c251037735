/** What comes back to a till: with a receipt or an order's number, without either, against other goods, or as a void. */

import { giveCredit } from './store-credit.js'
import { namedOrder, orderOf, orderOfReceipt, readOrder, type SeenOrder } from './till-orders.js'
import { sell } from './till-sale.js'
import { JOURNAL, type JournalEntry, journalId, refsOfEntry, refuse, type TillStep } from './till-step.js'
import { outstanding, type UnbookedSale, unbookedBack, unbookedSale } from './till-unbooked.js'
import type { BroughtBack, Transaction, TransactionResult } from './transactions.js'

type Of<Type extends Transaction['type']> = Extract<Transaction, { type: Type }>
type Done = Omit<TransactionResult, 'id' | 'type'>

/** A kit comes back by its components. */
function componentsOf(order: SeenOrder, lines: BroughtBack): BroughtBack {
  return lines.flatMap((line) => {
    const kit = order.lines.find((one) => one.kit && one.sku === line.sku)
    if (!kit) return [line]
    return order.lines
      .filter(({ partOf }) => partOf === kit.line)
      .map((part) => ({ ...line, sku: part.sku, quantity: (part.quantity / kit.quantity) * line.quantity }))
  })
}

async function receive(
  order: SeenOrder,
  lines: BroughtBack,
  resolution: 'refund' | 'store_credit' | 'none',
  by: string | undefined,
  step: TillStep,
): Promise<{ id: string }> {
  const { location } = step.settings
  return step.must<{ id: string }>('return.atTheCounter', {
    id: step.idOf('return'),
    order: order.id,
    location,
    lines: componentsOf(order, lines),
    resolution,
    by: by ?? location,
  })
}

/** By a return of the order, or against the journal where a sale has none. */
async function comeBack(
  order: SeenOrder,
  lines: BroughtBack,
  resolution: 'refund' | 'store_credit' | 'none',
  by: string | undefined,
  step: TillStep,
): Promise<Partial<Done>> {
  const sale = await unbookedSale(order, step)
  if (sale) return unbookedBack(order, sale, lines, componentsOf(order, lines), resolution, step)
  const made = await receive(order, lines, resolution, by, step)
  return { return: made.id }
}

export async function takeBack(back: Of<'return'>, step: TillStep): Promise<Done> {
  if (back.order === undefined && back.receipt === undefined) return takeWithoutReceipt(back, step)
  if (back.credit) refuse('invalid', 'credit: with a receipt the order says what is given; leave it out.')
  const order = await namedOrder(back, step)
  return { outcome: 'done', order: order.id, ...(await comeBack(order, back.lines, back.resolution, back.by, step)) }
}

/** Nobody knows what was paid, so nothing is refunded: the goods are taken in, with a store credit where one was given. */
async function takeWithoutReceipt(back: Of<'return'>, step: TillStep): Promise<Done> {
  const { context, settings } = step
  if (back.resolution === 'refund') {
    refuse('no_receipt', 'Money is given back against a receipt or an order alone; resolution: store_credit or none.')
  }
  if ((back.resolution === 'store_credit') !== (back.credit !== undefined)) {
    refuse('invalid', 'credit: the amount that was given, with the resolution store_credit alone.')
  }
  if (back.credit && (back.credit.currency !== settings.currency || back.credit.amount.startsWith('-'))) {
    refuse('invalid', `credit: an amount in ${settings.currency}, not below zero.`)
  }
  const unknown = back.lines.find(({ sku }) => context.directory.find('skus', sku) < 0)
  if (unknown) refuse('unknown_sku', `There is no SKU ${unknown.sku}; put the product first, then send this again.`)
  for (const [at, { sku, quantity, disposition }] of back.lines.entries()) {
    if (disposition !== 'restock') continue
    await step.adjust(`in/${at}`, { sku, delta: quantity, reason: 'returned_without_receipt' })
  }
  const adjustments = step.entry.adjustments.map(({ sku, delta, reason }) => ({ sku, delta, reason }))
  const notes = ['taken in without a receipt']
  if (!back.credit) return { outcome: 'done', adjustments, notes }
  return { outcome: 'done', adjustments, notes, storeCredit: await giveCredit(back.credit, step) }
}

/** Goods come back and others go out; the difference is the till's to settle. */
export async function exchange(both: Of<'exchange'>, step: TillStep): Promise<Done> {
  const order = await namedOrder(both, step)
  // Before anything comes back: what goes out must be what can be sold.
  await orderOf(both, step)
  const back = await comeBack(order, both.back, 'none', both.by, step)
  const sold = await sell(both, step)
  return { ...back, ...sold, notes: [...(sold.notes ?? []), 'what came back was settled at the till'] }
}

/** Takes a sale of the same till back, as if it had not been: the goods never left. */
export async function voidSale({ of, id, by }: Of<'void'>, step: TillStep): Promise<Done> {
  const { connection, till, context } = step
  const name = journalId(connection, till, of)
  const kept = await context.records.get<JournalEntry>(JOURNAL, name)
  const target = kept?.value
  if (target?.result?.outcome !== 'done') {
    return refuse(
      'unknown_transaction',
      `There is no sale ${of} of till ${till}; it must stand before its void in the queue.`,
    )
  }
  if (target.type !== 'sale' && target.type !== 'save_the_sale') {
    refuse('not_a_sale', `Transaction ${of} is a ${target.type}; only sales are voided.`)
  }
  if ((target.voidedBy ?? id) !== id) refuse('already_voided', `Sale ${of} was voided by ${target.voidedBy}.`)
  const order = await readOrder(orderOfReceipt(connection, till, of), step)
  if (!order) return refuse('unknown_order', `The order of sale ${of} is not there any more.`)
  const unbooked = await unbookedSale(order, step)
  const voided = (value: JournalEntry | undefined) =>
    value === undefined ? undefined : { value: { ...value, voidedBy: id }, refs: refsOfEntry(value) }
  // First of all where only the journal says what may come back: from here on nobody else may bring it.
  if (unbooked) await context.records.update<JournalEntry>(JOURNAL, name, voided)
  const undone = unbooked ? await putBack(unbooked, step) : await undo(order, by, step)
  if (!unbooked) await context.records.update<JournalEntry>(JOURNAL, name, voided)
  const adjustments = step.entry.adjustments.map(({ sku, delta, reason }) => ({ sku, delta, reason }))
  return { outcome: 'done', order: order.id, ...undone, ...(adjustments.length > 0 ? { adjustments } : {}) }
}

/** Stock that left without an order is there again, but for what has come back already. */
async function putBack(sale: UnbookedSale, step: TillStep): Promise<Partial<Done>> {
  for (const [sku, units] of outstanding(sale.entry)) {
    if (units > 0) await step.adjust(`void/${sku}`, { sku, delta: units, reason: 'voided_at_till' })
  }
  return {}
}

/** What has been handed over comes back, and the rest is not sent. */
async function undo(order: SeenOrder, by: string | undefined, step: TillStep): Promise<Partial<Done>> {
  const notes: string[] = []
  const out = order.lines.flatMap(({ sku, kit, units }) => {
    const quantity = (units?.delivered ?? 0) + (units?.shipped ?? 0)
    return kit || quantity === 0 ? [] : [{ sku, quantity, disposition: 'restock' as const, reason: 'voided_at_till' }]
  })
  const isCancellable = !['delivered', 'completed', 'cancelled', 'rejected', 'shipped'].includes(order.status)
  if (isCancellable) {
    const reason = 'voided at the till'
    const input = { id: order.id, reason, by: by ?? step.settings.location }
    await step.must('order.cancel', input, step.idOf('cancel'))
  }
  const known = await step.context.call('return.get', { return: step.idOf('return') })
  if (known.status === 200) return { return: step.idOf('return') }
  if (order.delivery.method !== 'pickup' && out.length > 0) {
    notes.push('what was sent already comes back as any return does')
    return { notes }
  }
  if (out.length === 0) return {}
  const made = await receive(order, out, 'refund', by, step)
  return { return: made.id }
}
