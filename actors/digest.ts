/**
 * What the state is, apart from where it lies: the same whatever the order of slots, and adding up to the same whole for
 * any number of partitions. Left out is what belongs to one partition's doings (messages under way, events published).
 */
import type { ActorsContext } from '../engine/actors.js'
import type { Digest } from '../engine/digest.js'
import { ArenaId } from './arenas.js'
import { type Catalog, NAME_KINDS } from './catalog/catalog.js'
import { keyWithoutSku } from './documents.js'
import type { Inventory } from './inventory/inventory.js'
import type { Sales } from './inventory/sales.js'

/** Documents by the first part of their key: what everybody has counts once, what is one partition's own does not. */
const EVERYWHERE = new Set(['location', 'locations', 'sale', 'sales', 'settings', 'rules'])
const OWN = new Set([
  'outbox',
  'event',
  'replication',
  'batch',
  'batch-part',
  'pool',
  'pool-of',
  'key-order',
  'sale-offers',
  'serving',
])

/** How far readers have come in the events, which are one partition's own, too. */
const CURSORS = 'record/consumer/'

export const kindOfDocument = (key: string): 'everywhere' | 'own' | 'once' => {
  const kind = key.split('/', 1)[0]!
  return EVERYWHERE.has(kind) ? 'everywhere' : OWN.has(kind) ? 'own' : 'once'
}

interface Held {
  inventory: Inventory
  catalog: Catalog
  sales: Sales
}

export function addToDigest(digest: Digest, held: Held, { store, placement, partition }: ActorsContext): void {
  const { stock, reservations, pools } = held.inventory
  for (const [key, content] of store.documents()) {
    const kind = kindOfDocument(key)
    if (kind === 'own' || (kind === 'everywhere' && partition !== 0) || key.startsWith(CURSORS)) continue
    digest.addDocument(keyWithoutSku(key), content)
  }
  for (const kind of NAME_KINDS) {
    const names = held.catalog.names[kind]
    for (let index = 0; index < names.count; index++)
      digest.addDocument(`name/${kind}/${index}`, utf8.encode(names.name(index)))
  }
  const image = new Uint32Array(13)
  for (let sku = 0; sku < stock.skuCount; sku++) {
    if (!stock.exists(sku)) continue
    const index = placement.indexOf(partition, sku)
    image.set([index, stock.limitPerBuyer(sku), stock.watch(sku)])
    digest.addWords(ArenaId.skus, image, 0, 3)
    stock.forEachRow(sku, (row) => {
      image.set([index, ...stock.rows.subarray(row, row + 5)])
      digest.addWords(ArenaId.stockBlocks, image, 0, 6)
    })
  }
  const poolKeys = new Map<number, number>()
  for (let pool = 1; pool <= pools.used; pool++) {
    const purpose = held.sales.purpose(pool)
    const key = fnv(JSON.stringify(purpose))
    poolKeys.set(pool, key)
    image.set([key, ...pools.image(pool).subarray(2, 14)])
    digest.addWords(ArenaId.pools, image, 0, 13)
  }
  reservations.addToDigest(digest, (pool) => poolKeys.get(pool)!)
}

const utf8 = new TextEncoder()

function fnv(text: string): number {
  let hash = 0x811c_9dc5
  for (const byte of utf8.encode(text)) hash = Math.imul(hash ^ byte, 0x0100_0193)
  return hash >>> 0
}
