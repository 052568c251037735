/**
 * Sales that no order could have (a rule or a sale's limit stood against them): the stock left by an adjustment, and the
 * till's journal alone says what was sold. By it they come back in any store, and no more than was sold.
 */
import { money, units } from '../../money.js'
import { giveCredit } from './store-credit.js'
import type { SeenOrder } from './till-orders.js'
import { SOLD } from './till-sale.js'
import { JOURNAL, type JournalEntry, journalId, refsOfEntry, refuse, type TillStep } from './till-step.js'
import type { BroughtBack, TransactionResult } from './transactions.js'

type Done = Omit<TransactionResult, 'id' | 'type'>

export interface UnbookedSale {
  /** Of its journal. */
  name: string
  entry: JournalEntry
}

/** The sale that an order was made for and could not have; undefined where the order has the goods. */
export async function unbookedSale(
  { channel, externalId }: SeenOrder,
  { context }: TillStep,
): Promise<UnbookedSale | undefined> {
  if (externalId === null) return undefined
  // A receipt's name is the external id of its order.
  const name = `${channel}/${externalId}`
  const kept = await context.records.get<JournalEntry>(JOURNAL, name)
  if (!kept?.value.adjustments.some(({ reason }) => reason === SOLD)) return undefined
  return { name, entry: kept.value }
}

/** Units of each SKU that were sold and have not come back. */
export function outstanding({ adjustments, returned = {} }: JournalEntry): Map<string, number> {
  const left = new Map<string, number>()
  const add = (sku: string, quantity: number): void => void left.set(sku, (left.get(sku) ?? 0) + quantity)
  for (const { sku, delta, reason } of adjustments) if (reason === SOLD) add(sku, -delta)
  for (const { sku, quantity } of Object.values(returned).flat()) add(sku, -quantity)
  return left
}

/** `lines` as the customer bought them, `parts` as they are on the shelf. */
export async function unbookedBack(
  order: SeenOrder,
  sale: UnbookedSale,
  lines: BroughtBack,
  parts: BroughtBack,
  resolution: 'refund' | 'store_credit' | 'none',
  step: TillStep,
): Promise<Partial<Done>> {
  // What the store would not have goes home again.
  const taken = parts.filter(({ refuse: isRefused }) => isRefused !== true)
  const mine = journalId(step.connection, step.till, step.entry.id)
  await step.context.records.update<JournalEntry>(JOURNAL, sale.name, (value) => {
    // Noted by a try that was cut off.
    if (!value || value.returned?.[mine]) return undefined
    if (value.voidedBy !== undefined) refuse('not_returnable', `That sale was voided by ${value.voidedBy}.`)
    const left = outstanding(value)
    for (const { sku, quantity } of taken) {
      const now = (left.get(sku) ?? 0) - quantity
      left.set(sku, now)
      if (now < 0) refuse('not_returnable', `Of ${sku} ${now + quantity} units of that sale can still come back.`)
    }
    const noted = taken.map(({ sku, quantity }) => ({ sku, quantity }))
    return { value: { ...value, returned: { ...value.returned, [mine]: noted } }, refs: refsOfEntry(value) }
  })
  for (const [at, { sku, quantity, disposition }] of taken.entries()) {
    if (disposition === 'restock') await step.adjust(`in/${at}`, { sku, delta: quantity, reason: 'returned_to_till' })
  }
  const adjustments = step.entry.adjustments.map(({ sku, delta, reason }) => ({ sku, delta, reason }))
  const notes = ['the sale had no order: what came back is in the adjustments']
  const refund = money(
    paidFor(
      order,
      lines.filter((one) => one.refuse !== true),
    ),
    step.settings.currency,
  )
  if (resolution === 'none') return { adjustments, notes }
  if (resolution === 'refund') return { adjustments, notes, refund }
  return { adjustments, notes, storeCredit: await giveCredit(refund, step) }
}

/** What was paid for the units, rounded down: many returns never come to more than the sale. */
function paidFor({ lines: sold }: SeenOrder, back: BroughtBack): number {
  const of = (amount: { amount: string } | undefined): number => units(amount?.amount ?? '0') ?? 0
  return back.reduce((sum, { sku, quantity }) => {
    const line = sold.find((one) => one.sku === sku && one.partOf === undefined)
    if (!line) return sum
    const taxes = (line.taxes ?? []).reduce((all, tax) => all + of(tax.amount), 0)
    const paid = of(line.unitPrice) * line.quantity - of(line.discount) + taxes
    return sum + Number((BigInt(paid) * BigInt(quantity)) / BigInt(line.quantity))
  }, 0)
}
