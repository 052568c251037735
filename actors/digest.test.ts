import { pack } from 'msgpackr'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

vi.mock('./limits.js', async (original) => ({
  ...(await original<typeof import('./limits.js')>()),
  SKUS_MAX: 1_024,
  STOCK_BLOCKS_MAX: 64,
  RESERVATIONS_MAX: 1_024,
  CHANNELS_MAX: 64,
  POOLS_MAX: 64,
  BUYERS_MAX: 256,
  OPEN_ORDERS_MAX: 1_024,
  LOCATIONS_MAX: 64,
}))
vi.mock('../engine/limits.js', async (original) => ({
  ...(await original<typeof import('../engine/limits.js')>()),
  CHECKPOINT_RING_BYTES: 1024 * 1024,
}))

const { DrivenPartition } = await import('../engine/driven-partition.contract.js')
const { command, frame, namedRecord, reserveRecord } = await import('./inventory/inventory-sequences.contract.js')
const { ANY_LOCATION, Operation } = await import('./inventory/wire.js')
const { createActors } = await import('./main.js')
type Driven = InstanceType<typeof DrivenPartition>
type Ordered = Parameters<Driven['run']>[1][number]

const NOW = 1_700_000_000_000
/** The second of two: what a partition other than the first holds counts, too. */
const SKU = 1

let partitions: Driven[] = []
beforeEach(() => {
  partitions = []
})
afterEach(async () => {
  for (const partition of partitions) await partition.dispose()
})

const product = (limitPerBuyer = 0): Ordered =>
  command('product.put', { items: [{ index: SKU, sku: 'A', product: { name: 'A', limitPerBuyer } }] })
const counted = (onHand: number, safetyStock = 0, location = 0): Ordered =>
  command('inventory.count', { items: [{ sku: SKU, location, onHand, safetyStock }] })
const told = (number: number, name: string, body: object): Ordered => ({
  kind: 'message',
  from: 0,
  payload: pack([number, name, { ...body, replication: number }]),
})
const place = (number: number, index: number): Ordered =>
  told(number, 'location.put', { entry: { index, id: `W${index}`, location: { active: true, priority: 0 } } })
const sale = (changes: object = {}): Ordered => {
  const times = { opensAtMs: NOW, closesAtMs: NOW + 60_000 }
  const terms = { id: 's', name: 's', ...times, limitPerBuyer: 0, channels: [1], items: [{ sku: SKU, quantity: 3 }] }
  return told(3, 'sale.put', { sale: { ...terms, ...changes } })
}
const held = (changes: object = {}): Ordered => {
  const line = { id: 'r1', sku: SKU, quantity: 1, ttlSeconds: 60, location: ANY_LOCATION, buyer: 5n, channel: 0 }
  return frame(Operation.reserve, [reserveRecord({ ...line, ...changes })])
}
const opening = [product(), place(1, 0), place(2, 1), counted(9)]

const states: [string, Ordered[]][] = [
  ['the opening', opening],
  ['another count', [...opening, counted(8)]],
  ['safety stock', [...opening, counted(9, 1)]],
  ['a row of nought', [...opening, counted(0, 0, 1)]],
  ['stock at another place', [...opening, counted(0), counted(9, 0, 1)]],
  ['a limit', [...opening, product(3)]],
  ['a pool', [...opening, command('pool.put', { sku: SKU, channel: 1, quantity: 2 })]],
  ['a pool of more', [...opening, command('pool.put', { sku: SKU, channel: 1, quantity: 3 })]],
  ['a pool of another channel', [...opening, command('pool.put', { sku: SKU, channel: 2, quantity: 2 })]],
  ['a sale', [...opening, sale()]],
  ['a sale of more', [...opening, sale({ items: [{ sku: SKU, quantity: 4 }] })]],
  ['a sale with a limit', [...opening, sale({ limitPerBuyer: 1 })]],
  ['a sale that opens later', [...opening, sale({ opensAtMs: NOW + 1 })]],
  ['a sale that closes later', [...opening, sale({ closesAtMs: NOW + 60_001 })]],
  ['a sale for others', [...opening, sale({ channels: [2] })]],
  ['a sale for all', [...opening, sale({ channels: [] })]],
  ['a sale that is over', [...opening, sale({ opensAtMs: NOW - 9, closesAtMs: NOW })]],
  ['a hold', [...opening, held()]],
  ['a hold of another id', [...opening, held({ id: 'r2' })]],
  ['a hold of more', [...opening, held({ quantity: 2 })]],
  ['a hold for longer', [...opening, held({ ttlSeconds: 61 })]],
  ['a hold of another buyer', [...opening, held({ buyer: 6n })]],
  ['a hold where it was asked for', [...opening, held({ location: 0 })]],
  ['a hold of another channel', [...opening, held({ channel: 4 })]],
  ['a hold out of a sale', [...opening, sale(), held({ channel: 1 })]],
  ['a confirmed one', [...opening, held(), frame(Operation.confirm, [namedRecord('r1', SKU)])]],
  ['a released one', [...opening, held(), frame(Operation.release, [namedRecord('r1', SKU)])]],
  [
    'an adjustment',
    [...opening, command('inventory.adjust', { id: 'a', sku: SKU, location: 0, delta: 1, reason: 'x' })],
  ],
]

describe('the digest of a partition', () => {
  it('tells states apart that differ in one thing', () => {
    const digests = new Map<string, string>()
    for (const [name, entries] of states) {
      const partition = new DrivenPartition({ createActors, partition: 1, partitions: 2 })
      partitions.push(partition)
      for (const entry of entries) partition.run(NOW, [entry])
      const digest = partition.digest()
      expect(digests.get(digest), `${name} looks the same as`).toBeUndefined()
      digests.set(digest, name)
    }
  })
})
