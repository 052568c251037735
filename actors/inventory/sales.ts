/**
 * Sales and channel pools as they are asked for: each becomes a pool of every SKU that it names, in the partition that
 * owns the SKU. A sale is known to all partitions.
 */
import { LATER, type Step } from '../../engine/actors.js'
import { assert } from '../../engine/assert.js'
import type { Placement } from '../../engine/placement.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { readDocument, writeDocument } from '../documents.js'
import { SALE_OFFERS_MAX } from '../limits.js'
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

/** A sale of which other partitions are being asked whether they can carry it out. */
interface Offer {
  /** The command that asked for it. */
  number: number
  sale: Sale
  waiting: number
  refusal: Outcome | null
}

/** One after the other, so that none takes the room that another was promised: the first of them is under way. */
const OFFERS_KEY = 'sale-offers'

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

  /** In the first partition: asks all whether they can carry it out; then all do, or none. */
  put(step: Step, sale: Sale): Outcome {
    const { others } = this.replication
    const refusal = this.refusal(sale)
    if (refusal) return refusal
    if (others === 0) return this.carryOut(step, step.commandNumber, sale)
    const offers = this.offers()
    if (offers.length >= SALE_OFFERS_MAX) return full('sales at the same time')
    if (!step.hasRoom(2 * others * (offers.length + 1))) return full('messages to other partitions')
    offers.push({ number: step.commandNumber, sale, waiting: others, refusal: null })
    writeDocument(this.store, OFFERS_KEY, offers)
    if (offers.length === 1) this.offer(step, sale)
    return LATER
  }

  private offers(): Offer[] {
    return readDocument<Offer[]>(this.store, OFFERS_KEY) ?? []
  }

  private offer(step: Step, sale: Sale): void {
    for (let partition = 1; partition <= this.replication.others; partition++) step.send(partition, 'sale.offer', sale)
  }

  /** In another partition: says whether it can carry it out. */
  offered(step: Step, sale: Sale): void {
    step.send(0, 'sale.offered', { refusal: this.refusal(sale) ?? null })
  }

  /** Back in the first partition: one more has said so. */
  decide(step: Step, { refusal }: { refusal: Outcome | null }): void {
    const offers = this.offers()
    const offer = offers[0]
    assert(offer !== undefined, 'a partition says what it was asked')
    offer.waiting--
    offer.refusal ??= refusal
    if (offer.waiting === 0) {
      offers.shift()
      // What this partition could do when it was asked itself, others may have taken the room for since.
      const own = offer.refusal ?? this.refusal(offer.sale)
      if (own) step.answer(offer.number, own)
      else this.carryOut(step, offer.number, offer.sale)
      if (offers[0]) this.offer(step, offers[0].sale)
    }
    if (offers.length > 0) writeDocument(this.store, OFFERS_KEY, offers)
    else this.store.delete(OFFERS_KEY)
  }

  private carryOut(step: Step, number: number, sale: Sale): Outcome {
    this.apply(step, sale)
    return this.replication.tell(step, number, 'sale.put', { sale }, ok(sale))
  }

  /** In another partition: carries it out for its SKUs. */
  told(step: Step, body: { sale: Sale; replication: number }): void {
    this.apply(step, body.sale)
    this.replication.told(step, body)
  }

  private ownItems(sale: Sale): Sale['items'] {
    return sale.items.filter(({ sku }) => this.placement.partitionOf(sku) === this.partition)
  }

  /** Why this partition cannot carry it out for its SKUs. */
  private refusal(sale: Sale): Outcome | undefined {
    const own = this.ownItems(sale)
    if (own.some(({ sku }) => !this.inventory.stock.exists(this.placement.localOf(sku)))) return unknownSku()
    if (!this.hasRoomFor(sale.id, own)) return full('pools of one SKU')
    return undefined
  }

  private apply(step: Step, sale: Sale): void {
    const own = this.ownItems(sale)
    const before = readDocument<Sale>(this.store, saleKey(sale.id))
    const { limitPerBuyer, opensAtMs, closesAtMs, channels } = sale
    for (const { sku, quantity } of own) {
      const purpose = { kind: PoolKind.sale, name: sale.id, sku }
      const terms = { kind: PoolKind.sale, quantity, limitPerBuyer, opensAtMs, closesAtMs, channels }
      this.putPool(step, purpose, terms)
    }
    for (const { sku } of before?.items ?? []) {
      const pool = readDocument<number>(this.store, poolOfKey({ kind: PoolKind.sale, name: sale.id, sku }))
      if (pool !== undefined && !own.some((item) => item.sku === sku)) this.inventory.pools.close(pool)
    }
    writeDocument(this.store, saleKey(sale.id), sale)
    this.remember(sale.id)
  }

  /** Whether each SKU can have a pool of the sale: all of them or none. */
  private hasRoomFor(id: string, items: Sale['items']): boolean {
    const purposes = items.map(({ sku }) => ({ kind: PoolKind.sale, name: id, sku }))
    const fresh = purposes.filter((purpose) => this.needsNewPool(purpose))
    return this.inventory.pools.hasRoom(fresh.length) && fresh.every(({ sku }) => this.skuHasRoom(sku))
  }

  private hasRoomForPool(purpose: PoolPurpose): boolean {
    return !this.needsNewPool(purpose) || (this.inventory.pools.hasRoom(1) && this.skuHasRoom(purpose.sku))
  }

  private needsNewPool(purpose: PoolPurpose): boolean {
    const known = readDocument<number>(this.store, poolOfKey(purpose))
    return known === undefined && this.inventory.pools.spent(this.placement.localOf(purpose.sku)) < 0
  }

  private skuHasRoom(sku: number): boolean {
    return this.inventory.pools.hasRoomFor(this.placement.localOf(sku))
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
    if (!this.hasRoomForPool(purpose)) return full('pools of one SKU')
    this.putPool(step, purpose, terms)
    return ok({ quantity })
  }

  private putPool(step: Step, purpose: PoolPurpose, terms: PoolTerms): void {
    const { pools } = this.inventory
    const sku = this.placement.localOf(purpose.sku)
    const known = readDocument<number>(this.store, poolOfKey(purpose)) ?? -1
    const limitBefore = known < 0 ? 0 : pools.limitPerBuyer(known)
    const pool = pools.put(sku, terms, known < 0 ? this.takeSpent(sku) : known, step.timeMs)
    if (known < 0) {
      writeDocument(this.store, poolOfKey(purpose), pool)
      writeDocument(this.store, purposeKey(pool), purpose)
    } else if ((limitBefore === 0) !== (terms.limitPerBuyer === 0)) {
      const scope = (POOL_SCOPE | pool) >>> 0
      this.inventory.recount(sku, terms.limitPerBuyer > 0, (record) =>
        this.inventory.reservations.pool(record) === pool ? scope : -1,
      )
    }
  }

  /** A pool of an earlier sale that nobody needs any more; it forgets what it was for. -1 where there is none. */
  private takeSpent(sku: number): number {
    const spent = this.inventory.pools.spent(sku)
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
