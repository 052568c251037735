/**
 * Sales and channel pools as they are asked for: each becomes a pool of every SKU that it names, in the partition that
 * owns the SKU. A sale is known to all partitions.
 */
import type { Step } from '../../engine/actors.js'
import { assert } from '../../engine/assert.js'
import type { Placement } from '../../engine/placement.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { readDocument, writeDocument } from '../documents.js'
import { full, ok, problem, unknownSku } from '../outcomes.js'
import type { Replication } from '../replication.js'
import { POOL_SCOPE } from './buyers.js'
import type { Inventory } from './inventory.js'
import { PoolKind, type PoolTerms } from './pools.js'

export interface Sale {
  id: string
  name: string
  opensAtMs: number
  closesAtMs: number
  /** 0: none. */
  limitPerBuyer: number
  /** Channel indices; none: all. */
  channels: number[]
  /** SKU index and quantity set apart (ALL: the whole stock). */
  items: { sku: number; quantity: number }[]
}

/** What a pool is for; `sku` is an index. */
interface PoolPurpose {
  kind: PoolKind
  name: string
  sku: number
}

const saleKey = (id: string): string => `sale/${id}`
const purposeKey = (pool: number): string => `pool/${pool}`
const poolOfKey = ({ kind, name, sku }: PoolPurpose): string => `pool-of/${kind}/${sku}/${name}`

export class Sales {
  constructor(
    private readonly store: Store,
    private readonly inventory: Inventory,
    private readonly placement: Placement,
    private readonly partition: number,
    private readonly replication: Replication,
  ) {}

  /** In the first partition: checks nothing can refuse it there, carries it out, tells the others. */
  put(step: Step, sale: Sale): Outcome {
    const outcome = this.apply(step, sale)
    if (outcome.status !== 200) return outcome
    return this.replication.tell(step, 'sale.put', { sale }, ok(sale))
  }

  /** In another partition: carries it out for its SKUs. */
  told(step: Step, body: { sale: Sale; replication: number }): void {
    this.apply(step, body.sale)
    this.replication.told(step, body)
  }

  private apply(step: Step, sale: Sale): Outcome {
    const own = sale.items.filter(({ sku }) => this.placement.partitionOf(sku) === this.partition)
    if (own.some(({ sku }) => !this.inventory.stock.exists(this.placement.localOf(sku)))) return unknownSku()
    if (!this.hasRoomFor(step, sale.id, own)) return full('pools of one SKU')
    const before = readDocument<Sale>(this.store, saleKey(sale.id))
    const { limitPerBuyer, opensAtMs, closesAtMs, channels } = sale
    for (const { sku, quantity } of own) {
      const purpose = { kind: PoolKind.sale, name: sale.id, sku }
      const terms = { kind: PoolKind.sale, quantity, limitPerBuyer, opensAtMs, closesAtMs, channels }
      assert(this.putPool(step, purpose, terms), 'a pool that there is room for is made')
    }
    for (const { sku } of before?.items ?? []) {
      const pool = readDocument<number>(this.store, poolOfKey({ kind: PoolKind.sale, name: sale.id, sku }))
      if (pool !== undefined && !own.some((item) => item.sku === sku)) this.inventory.pools.close(pool)
    }
    writeDocument(this.store, saleKey(sale.id), sale)
    this.remember(sale.id)
    return ok(sale)
  }

  /** Whether each SKU can have a pool of the sale: all of them or none. */
  private hasRoomFor(step: Step, id: string, items: Sale['items']): boolean {
    const { pools } = this.inventory
    const fresh = items.filter(({ sku }) => {
      const known = readDocument<number>(this.store, poolOfKey({ kind: PoolKind.sale, name: id, sku }))
      return known === undefined && pools.spent(this.placement.localOf(sku), step.timeMs) < 0
    })
    return pools.hasRoom(fresh.length) && fresh.every(({ sku }) => pools.hasRoomFor(this.placement.localOf(sku)))
  }

  private remember(id: string): void {
    const ids = this.ids()
    if (!ids.includes(id)) writeDocument(this.store, 'sales', [...ids, id])
  }

  /** Ids of all sales, oldest first. */
  ids(): string[] {
    return readDocument<string[]>(this.store, 'sales') ?? []
  }

  get(id: string): Sale | undefined {
    return readDocument<Sale>(this.store, saleKey(id))
  }

  /** What was taken of this partition's SKUs in a sale. */
  taken(id: string): { sku: number; taken: number }[] {
    const own = (this.get(id)?.items ?? []).filter(({ sku }) => this.placement.partitionOf(sku) === this.partition)
    return own.map(({ sku }) => {
      const pool = readDocument<number>(this.store, poolOfKey({ kind: PoolKind.sale, name: id, sku }))
      return { sku, taken: pool === undefined ? 0 : this.inventory.pools.taken(pool) }
    })
  }

  /** A channel's own share of a SKU; 0 gives it back. */
  putChannelPool(step: Step, sku: number, channel: number, quantity: number): Outcome {
    const local = this.placement.localOf(sku)
    if (!this.inventory.stock.exists(local)) return unknownSku()
    const purpose = { kind: PoolKind.channel, name: String(channel), sku }
    const always = { limitPerBuyer: 0, opensAtMs: 0, closesAtMs: Number.POSITIVE_INFINITY }
    const terms = { kind: PoolKind.channel, quantity, channels: [channel], ...always }
    if (!this.putPool(step, purpose, terms)) return full('pools of one SKU')
    return ok({ quantity })
  }

  private putPool(step: Step, purpose: PoolPurpose, terms: PoolTerms): boolean {
    const { pools } = this.inventory
    const sku = this.placement.localOf(purpose.sku)
    const known = readDocument<number>(this.store, poolOfKey(purpose)) ?? -1
    const limitBefore = known < 0 ? 0 : pools.limitPerBuyer(known)
    const pool = pools.put(sku, terms, known < 0 ? this.takeSpent(sku, step.timeMs) : known, step.timeMs)
    if (pool < 0) return false
    if (known < 0) {
      writeDocument(this.store, poolOfKey(purpose), pool)
      writeDocument(this.store, purposeKey(pool), purpose)
    } else if ((limitBefore === 0) !== (terms.limitPerBuyer === 0)) {
      const scope = (POOL_SCOPE | pool) >>> 0
      this.inventory.recount(sku, terms.limitPerBuyer > 0, (record) =>
        this.inventory.reservations.pool(record) === pool ? scope : -1,
      )
    }
    return true
  }

  /** A pool of an earlier sale that nobody needs any more; it forgets what it was for. -1 where there is none. */
  private takeSpent(sku: number, timeMs: number): number {
    const spent = this.inventory.pools.spent(sku, timeMs)
    const purpose = spent < 0 ? undefined : this.purpose(spent)
    if (purpose) this.store.delete(poolOfKey(purpose))
    return spent
  }

  /** A sale's time for one SKU is over. */
  close(step: Step, pool: number): void {
    this.inventory.pools.close(pool)
    const purpose = readDocument<PoolPurpose>(this.store, purposeKey(pool))
    if (purpose?.kind === PoolKind.sale) {
      step.publish('sale.closed', 'sale', { sale: purpose.name, sku: purpose.sku })
    }
  }

  purpose(pool: number): PoolPurpose | undefined {
    return readDocument<PoolPurpose>(this.store, purposeKey(pool))
  }
}

export const unknownSale = (id: string): Outcome => problem(404, 'unknown_sale', `There is no sale ${id}.`)
