/** Tells partners what they may sell of our stock  (846). */
import type { Outcome } from '../../../../engine/protocol.js'
import { failed, type OperationContext } from '../../../operations/operation.js'
import type { Connection } from '../../channel.js'
import { commonSettings } from '../../connections.js'
import type { InventoryAdviceDocument } from '../documents.js'
import { documentId, issue, type Occasion } from './document-store.js'
import { day } from './partner-lines.js'
import { ediSettingsOf } from './partners.js'

/** SKUs of one advice: the text has some 60 bytes for each, and a record holds it whole. */
const SKUS_MAX = 5_000
const ASKED_AT_ONCE = 500

/** Makes the advice of this time and says its id; an outcome where it cannot be. */
export async function adviseStock(
  connection: Connection,
  atMs: number,
  subject: string,
  context: OperationContext,
): Promise<{ id: string } | Outcome> {
  const items = await itemsFor(connection, context)
  if ('status' in items) return items
  const settings = ediSettingsOf(connection)
  const occasion: Occasion = { connection, settings, syntax: 'x12', atMs, subject }
  const id = documentId(occasion)
  const document: InventoryAdviceDocument = {
    type: 'inventoryAdvice',
    reference: `A${atMs}`,
    date: day(atMs),
    items,
  }
  await issue(document, occasion, context)
  return { id }
}

/** What has an alias is told under that name; a partner without any is told of all SKUs under ours. */
async function itemsFor(
  connection: Connection,
  context: OperationContext,
): Promise<InventoryAdviceDocument['items'] | Outcome> {
  const { directory, channels } = context
  const { buffer } = commonSettings(connection)
  const theirs = channels.connections.theirSkus(connection)
  const skus =
    theirs.size > 0
      ? [...theirs.keys()]
      : Array.from({ length: Math.min(SKUS_MAX, directory.count('skus')) }, (_, at) => directory.name('skus', at))
  const items: InventoryAdviceDocument['items'] = []
  for (let at = 0; at < Math.min(skus.length, SKUS_MAX); at += ASKED_AT_ONCE) {
    const some = skus.slice(at, at + ASKED_AT_ONCE)
    const outcome = await context.call('inventory.getMany', { skus: some })
    if (failed(outcome)) return outcome
    const { items: stock } = outcome.body as { items: ({ sku: string; atp: number } | null)[] }
    for (const [place, sku] of some.entries()) {
      const available = Math.max(0, (stock[place]?.atp ?? 0) - buffer)
      const names = theirs.get(sku) ?? [{ theirs: sku, quantity: 1 }]
      for (const name of names) items.push({ sku: name.theirs, available: Math.floor(available / name.quantity) })
    }
  }
  return items
}
