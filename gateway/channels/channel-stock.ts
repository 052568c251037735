/** What a channel sees of stock: what is available to promise to it, or its pool, less its buffer, in its own SKUs. */
import type { Availability } from '../../actors/order/order.js'
import { failed, type OperationContext } from '../operations/operation.js'
import type { Connection, StockLevel } from './channel.js'
import { commonSettings } from './connections.js'

/** Of SKUs by their index here. Kits, and what is no product any more, have no stock of their own. */
export async function channelStock(
  connection: Connection,
  skus: number[],
  { dispatch, directory, channels }: OperationContext,
): Promise<StockLevel[]> {
  const { buffer } = commonSettings(connection)
  const names = channels.connections.theirSkus(connection)
  const channel = Math.max(0, directory.find('channels', connection.id))
  const levels: StockLevel[] = []
  for (const [partition, own] of directory.byPartition(skus, (sku) => sku)) {
    const outcome = await dispatch.query(partition, 'availability.get', { skus: own, channel })
    if (failed(outcome)) throw new Error(`stock cannot be read: ${outcome.status}`)
    const { items } = outcome.body as { items: Availability[] }
    for (const { sku, product, most } of items) {
      if (!product || product.kit.length > 0) continue
      const name = directory.name('skus', sku)
      for (const { theirs, quantity } of names.get(name) ?? [{ theirs: name, quantity: 1 }]) {
        levels.push({ sku: theirs, available: Math.max(0, Math.floor((most - buffer) / quantity)) })
      }
    }
  }
  return levels
}
