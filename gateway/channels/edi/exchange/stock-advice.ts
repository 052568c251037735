/** Tells partners what they may sell of our stock (846). */
import type { OperationContext } from '../../../operations/operation.js'
import type { Connection } from '../../channel.js'
import { channelStock } from '../../channel-stock.js'
import type { InventoryAdviceDocument } from '../documents.js'
import { documentId, issue, type Occasion } from './document-store.js'
import { day } from './partner-lines.js'
import { ediSettingsOf } from './partners.js'

/** SKUs of one advice: the text has some 60 bytes for each, and a record holds it whole. */
const SKUS_MAX = 5_000

/** Makes the advice of this time, in as many documents as it needs, and says the id of the first. */
export async function adviseStock(
  connection: Connection,
  atMs: number,
  subject: string,
  context: OperationContext,
): Promise<{ id: string }> {
  const settings = ediSettingsOf(connection)
  const skus = skusFor(connection, context)
  // The first comes last: once it is there, all are.
  for (let page = Math.max(0, Math.ceil(skus.length / SKUS_MAX) - 1); page >= 0; page--) {
    const part = page === 0 ? '' : `-${page + 1}`
    const levels = await channelStock(connection, skus.slice(page * SKUS_MAX, (page + 1) * SKUS_MAX), context)
    const occasion: Occasion = { connection, settings, syntax: 'x12', atMs, subject: `${subject}${part}` }
    const document: InventoryAdviceDocument = {
      type: 'inventoryAdvice',
      reference: `A${atMs}${part}`,
      date: day(atMs),
      items: levels,
    }
    await issue(document, occasion, context)
  }
  return { id: documentId({ connection, atMs, subject }) }
}

/** A partner with aliases is told of those SKUs, one without any of all. */
function skusFor(connection: Connection, { directory, channels }: OperationContext): number[] {
  const theirs = channels.connections.theirSkus(connection)
  if (theirs.size > 0) return [...theirs.keys()].map((sku) => directory.find('skus', sku))
  return Array.from({ length: directory.count('skus') }, (_, index) => index)
}
