/** Store credits that tills have given: kept under an id of their own, whose they are sealed. */
import { orderOfReceipt } from './till-orders.js'
import type { TillStep } from './till-step.js'
import type { TransactionResult } from './transactions.js'

const CREDITS = 'pos-store-credit'

/** One for each transaction, however often it is tried. */
export async function giveCredit(
  amount: { amount: string; currency: string },
  { connection, till, settings, entry, idOf, context }: TillStep,
): Promise<NonNullable<TransactionResult['storeCredit']>> {
  const { records } = context
  const storeCredit = { id: idOf('credit'), amount: amount.amount, currency: amount.currency }
  const order = orderOfReceipt(connection, till, entry.id)
  // Whose it is stands in the transaction, which is sealed.
  const value = { ...storeCredit, connection, location: settings.location, transaction: `${till}/${entry.id}`, order }
  await records.put({ kind: CREDITS, id: storeCredit.id, value, refs: [connection] })
  return storeCredit
}
