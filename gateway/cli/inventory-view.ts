/** Stock as the server tells it, for many SKUs at once. */
import { z } from 'zod'
import { DoorbusterError } from '../../engine/errors.js'
import type { DoorbusterClient } from '../client/index.js'

const SKUS_PER_COMMAND = 500

const Quantities = { onHand: z.int(), reserved: z.int(), allocated: z.int(), atp: z.int() }

const InventorySchema = z.object({
  sku: z.string(),
  ...Quantities,
  locations: z.array(z.object({ location: z.string(), ...Quantities })),
})

/** The part of `GET /v1/inventory/{sku}` that is needed here. */
export type Inventory = z.infer<typeof InventorySchema>

const ReplySchema = z.object({ items: z.array(InventorySchema) })

/** In the order of `skus`; throws where the server leaves one out. */
export async function readInventories(client: DoorbusterClient, skus: readonly string[]): Promise<Inventory[]> {
  const replies = []
  for (let at = 0; at < skus.length; at += SKUS_PER_COMMAND) {
    replies.push(client.command('inventory.getMany', { skus: skus.slice(at, at + SKUS_PER_COMMAND) }))
  }
  const bySku = new Map<string, Inventory>()
  for (const reply of await Promise.all(replies)) {
    if (reply.status >= 300)
      throw new DoorbusterError(
        'refused',
        `inventory.getMany was refused with ${reply.status}: ${JSON.stringify(reply.body)}`,
      )
    for (const item of ReplySchema.parse(reply.body).items) bySku.set(item.sku, item)
  }
  return skus.map((sku) => {
    const inventory = bySku.get(sku)
    if (!inventory) throw new DoorbusterError('refused', `the server told nothing of the stock of ${sku}`)
    return inventory
  })
}
