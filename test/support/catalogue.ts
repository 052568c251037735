/** Locations, products and stock for tests. */
import { DoorbusterClient } from '../../gateway/client/index.js'

/** The body of `PUT /v1/locations/{id}`. */
export function place(id: string, fields: Record<string, unknown> = {}) {
  return {
    name: `Place ${id}`,
    type: 'warehouse',
    address: { line1: '1 Kirkgate', city: 'Leeds', postalCode: 'LS1 1AA', country: 'GB' },
    latitude: 53.8,
    longitude: -1.55,
    capacityPerDay: 500,
    cutoff: '16:00',
    timeZone: 'Europe/London',
    priority: 1,
    handlingCost: { amount: '0.50', currency: 'GBP' },
    active: true,
    ...fields,
  }
}

export interface Catalogue {
  /** Their indices, by SKU and location. */
  readonly skus: ReadonlyMap<string, number>
  readonly locations: ReadonlyMap<string, number>
}

const ITEMS_PER_COMMAND = 500

/** Makes SKUs known and stocks each with `onHand` at every location; resolves with their indices. */
export async function stockUp(
  url: string,
  skus: readonly string[],
  onHand: number,
  locations: readonly string[] = ['W1'],
): Promise<Catalogue> {
  const client = await DoorbusterClient.connect(url, { deadlineMs: 30_000 })
  const command = async (name: string, body: unknown) => {
    const { status, body: answer } = await client.command(name, body)
    if (status >= 300) throw new Error(`${name} was refused: ${JSON.stringify(answer)}`)
  }
  try {
    for (const id of locations) await command('location.put', { id, ...place(id) })
    for (let at = 0; at < skus.length; at += ITEMS_PER_COMMAND) {
      const some = skus.slice(at, at + ITEMS_PER_COMMAND)
      await command('product.putMany', { products: some.map((sku) => ({ sku, name: `Article ${sku}` })) })
      for (const location of locations)
        await command('inventory.putMany', { items: some.map((sku) => ({ sku, location, onHand })) })
    }
    const indices = await client.intern(skus, locations)
    return {
      skus: new Map(skus.map((sku, i) => [sku, indices.skus[i]!])),
      locations: new Map(locations.map((id, i) => [id, indices.locations[i]!])),
    }
  } finally {
    client.close()
  }
}
