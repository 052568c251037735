/** Deals everything that some partitions hold out to others: same entities, same digest, other owners. */
import type { Actors } from '../engine/actors.js'
import { NAME_KINDS } from './catalog/catalog.js'
import { kindOfDocument } from './digest.js'
import { adoptDocumentOfSku, readDocument, writeDocument } from './documents.js'
import { RetailActors } from './main.js'
import { Capacity } from './order/capacity.js'
import { orderPartition } from './order/order-id.js'
import { isRecordKey, recordName } from './records/records.js'
import type { ReturnRef } from './return/return-requests.js'

export function redistribute(from: Actors[], to: Actors[], timeMs: number): void {
  const [old, fresh] = [from, to].map((all) =>
    all.map((actors) => {
      if (!(actors instanceof RetailActors)) throw new Error('only actors of this module can be redistributed')
      return actors
    }),
  ) as [RetailActors[], RetailActors[]]
  const owner = (index: number): RetailActors => fresh[fresh[0]!.context.placement.partitionOf(index)]!

  for (const kind of NAME_KINDS) {
    const names = old[0]!.catalog.names[kind]
    for (let index = 0; index < names.count; index++) fresh[0]!.catalog.names[kind].add(names.name(index))
  }
  for (const actors of old) moveDocuments(actors, fresh, owner)
  for (const actors of fresh) actors.rebuild()
  moveIdempotencyKeys(old[0]!, fresh[0]!)
  for (const actors of old) {
    moveStock(actors, owner)
    const pools = movePools(actors, owner, timeMs)
    moveReservations(actors, owner, pools, timeMs)
    moveServing(actors, owner)
  }
  adoptOrders(old, fresh, timeMs)
  for (const { inventory } of fresh) {
    inventory.countBuyers()
    // What moved between partitions has not moved for anybody who waits.
    inventory.stock.moved.clear()
  }
}

function moveDocuments(from: RetailActors, to: RetailActors[], owner: (index: number) => RetailActors): void {
  const { store, partition } = from.context
  for (const [key, bytes] of store.documents()) {
    const kind = kindOfDocument(key)
    if (kind === 'everywhere' && partition === 0) for (const { context } of to) context.store.put(key, bytes.slice())
    if (kind !== 'once') continue
    const order = orderOfDocument(from, key)
    if (order !== undefined) {
      to[orderPartition(order, to.length)]!.context.store.put(key, bytes.slice())
      continue
    }
    const sku = skuOfDocument(from, key)
    if (sku === undefined) to[0]!.context.store.put(key, bytes.slice())
    else adoptDocumentOfSku(owner(sku).context.store, key, sku, bytes.slice())
  }
}

/** The SKU index that a document belongs to; none for those of the first partition. */
function skuOfDocument({ context }: RetailActors, key: string): number | undefined {
  const [kind, name] = key.split('/', 2) as [string, string]
  switch (kind) {
    case 'product':
    case 'supply-of':
    case 'waiting':
      return Number(name)
    case 'supply':
    case 'adjustment':
    case 'receipt':
    case 'transfer':
    case 'waitlist':
      return readDocument<{ sku: number }>(context.store, key)!.sku
    case 'key':
      return undefined
    default:
      throw new Error(`nobody knows whose document ${key} is`)
  }
}

/** The order (or its home), or the record, by whose name a document is placed. */
function orderOfDocument({ context }: RetailActors, key: string): string | undefined {
  if (isRecordKey(key)) return recordName(key)
  if (key.startsWith('return-ref/')) return readDocument<ReturnRef>(context.store, key)!.order
  const [kind, id] = key.split('/', 2) as [string, string]
  return ['order', 'order-ref', 'order-request', 'payment-task'].includes(kind) ? id : undefined
}

/** Indexes, counts and timers are made from the orders; capacity that was taken is shared out anew. */
function adoptOrders(old: RetailActors[], fresh: RetailActors[], timeMs: number): void {
  const lastAllocation = Math.max(...old.map(({ orders }) => orders.orders.lastAllocation))
  const windows = old.flatMap(({ orders }) => orders.orders.windows.starts())
  for (const { orders, records, context } of fresh) {
    orders.orders.continueAllocationsAfter(lastAllocation)
    orders.orders.windows.adopt(windows)
    for (const [key] of [...context.store.documents()]) {
      if (key.startsWith('order/')) orders.orders.adopt(key.slice('order/'.length), timeMs)
      if (isRecordKey(key)) records.adopt(key)
      if (key.startsWith('waitlist/')) orders.waitlist.adopt(key.slice('waitlist/'.length))
      if (key.startsWith('payment-task/')) orders.payments.adopt(key.slice('payment-task/'.length))
    }
  }
  const parts = fresh.map(({ orders }) => orders.capacity)
  Capacity.shareOut(
    old.map(({ orders }) => orders.capacity),
    parts,
  )
}

/** SKUs whose waiters are being asked go on being served where they are now. */
function moveServing(from: RetailActors, owner: (index: number) => RetailActors): void {
  for (const sku of from.orders.watch.servingSkus) owner(sku).orders.watch.serveAgain(sku)
}

function moveIdempotencyKeys(from: RetailActors, to: RetailActors): void {
  from.idempotency.forEachKey((key) => to.idempotency.adopt(key))
}

function moveStock(from: RetailActors, owner: (index: number) => RetailActors): void {
  const { stock } = from.inventory
  const { placement, partition } = from.context
  for (let sku = 0; sku < stock.skuCount; sku++) {
    if (!stock.exists(sku)) continue
    const index = placement.indexOf(partition, sku)
    const target = owner(index)
    const local = target.context.placement.localOf(index)
    target.inventory.stock.add(local)
    target.inventory.stock.setLimitPerBuyer(local, stock.limitPerBuyer(sku))
    target.inventory.stock.setWatch(local, stock.watch(sku))
    target.inventory.stock.setOpenSupply(local, stock.openSupply(sku))
    stock.forEachRow(sku, (row) => target.inventory.stock.adoptRow(local, stock.rows, row))
  }
}

/** Returns what each pool's number has become. */
function movePools(from: RetailActors, owner: (index: number) => RetailActors, timeMs: number): Map<number, number> {
  const { pools } = from.inventory
  const numbers = new Map<number, number>()
  for (let pool = 1; pool <= pools.used; pool++) {
    const purpose = from.sales.purpose(pool)!
    const target = owner(purpose.sku)
    const local = target.context.placement.localOf(purpose.sku)
    const moved = target.inventory.pools.adopt(local, pools.image(pool), timeMs)
    numbers.set(pool, moved)
    writeDocument(target.context.store, `pool/${moved}`, purpose)
    writeDocument(target.context.store, `pool-of/${purpose.kind}/${purpose.sku}/${purpose.name}`, moved)
  }
  return numbers
}

function moveReservations(
  from: RetailActors,
  owner: (index: number) => RetailActors,
  pools: Map<number, number>,
  timeMs: number,
): void {
  const { reservations } = from.inventory
  const move = (record: number): void => {
    const image = reservations.words.slice(record * 16, record * 16 + 16)
    const pool = reservations.pool(record)
    if (pool >= 0) image[10] = pools.get(pool)! + 1
    owner(reservations.sku(record)).inventory.reservations.adopt(image, timeMs)
  }
  reservations.forEach((record) => {
    if (reservations.isLive(record)) move(record)
  })
  // In the order in which they ended, which is the order in which they will be forgotten.
  reservations.forEachEnded(move)
}
