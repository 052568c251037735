/**
 * The catalogue: names and their indices (kept by the first partition), products (each with the partition that owns its
 * SKU) and locations (known to all).
 */
import type { Step } from '../../engine/actors.js'
import type { KeyedHash } from '../../engine/hash-index.js'
import type { Placement } from '../../engine/placement.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { ArenaId } from '../arenas.js'
import { readDocument, writeDocument } from '../documents.js'
import type { Inventory } from '../inventory/inventory.js'
import { CHANNELS_MAX, LOCATIONS_MAX, SKUS_MAX } from '../limits.js'
import { full, ok, unknownLocation, unknownSku } from '../outcomes.js'
import type { Replication } from '../replication.js'
import { Names } from './names.js'
import { type LocationDocument, Places } from './places.js'

export interface ProductEntry {
  /** SKU index. */
  index: number
  sku: string
  /** As the gateway has checked it; a kit's components are SKU indices. */
  product: { limitPerBuyer?: number; lowStock?: number } & Record<string, unknown>
  kit?: { sku: number; quantity: number }[]
}

/** What an order needs to know of a product. */
export interface ProductFacts {
  /** The SKU's name: only the first partition knows the names of all. */
  sku: string
  name: string
  weightGrams: number
  mayBackorder: boolean
  /** It does not come back because it is no longer wanted. */
  isFinalSale?: boolean
  attributes: Record<string, unknown>
  kit: { sku: number; quantity: number }[]
}

/** Products whose facts are kept decoded. */
const FACTS_MAX = 100_000

export interface LocationEntry {
  index: number
  id: string
  location: { active: boolean; priority: number } & Record<string, unknown>
}

export const NAME_KINDS = ['skus', 'locations', 'channels'] as const
export type NameKind = (typeof NAME_KINDS)[number]

const productKey = (index: number): string => `product/${index}`
const locationKey = (index: number): string => `location/${index}`

export class Catalog {
  readonly names: Record<NameKind, Names>
  readonly places = new Places()
  private readonly facts = new Map<number, ProductFacts>()

  constructor(
    private readonly store: Store,
    private readonly inventory: Inventory,
    private readonly placement: Placement,
    private readonly replication: Replication,
    hash: KeyedHash,
  ) {
    const make = (entries: number, bytes: number, what: string, max: number): Names =>
      Names.inStore(store, entries, bytes, what, max, hash)
    this.names = {
      skus: make(ArenaId.skuNames, ArenaId.skuNameBytes, 'SKU', SKUS_MAX),
      locations: make(ArenaId.locationNames, ArenaId.locationNameBytes, 'location', LOCATIONS_MAX),
      channels: make(ArenaId.channelNames, ArenaId.channelNameBytes, 'channel', CHANNELS_MAX),
    }
  }

  rebuild(): void {
    for (const kind of NAME_KINDS) this.names[kind].rebuild()
    for (const index of this.locationIndices()) {
      const entry = readDocument<LocationEntry>(this.store, locationKey(index))
      if (!entry) continue
      this.inventory.locations.set(index, entry.location.active, entry.location.priority)
      this.putPlace(entry)
    }
  }

  /** Gives names their indices, for ever; channel 0 is no channel. */
  intern(body: Partial<Record<NameKind, string[]>>): Outcome {
    const { channels } = this.names
    if (channels.count === 0) channels.add('')
    const answer: Partial<Record<NameKind, number[]>> = {}
    for (const kind of NAME_KINDS) {
      const indices = (body[kind] ?? []).map((name) => this.names[kind].add(name))
      if (indices.includes(-1)) return full(kind)
      answer[kind] = indices
    }
    return ok(answer)
  }

  /** A page of names from an index on: how a gateway learns them. */
  list(kind: NameKind, from: number, limit: number): Outcome {
    const names = this.names[kind]
    const page: string[] = []
    for (let index = from; index < names.count && page.length < limit; index++) page.push(names.name(index))
    return ok({ names: page, count: names.count })
  }

  putProducts(items: ProductEntry[]): Outcome {
    return ok({ results: items.map((item) => this.putProduct(item)) })
  }

  private putProduct(entry: ProductEntry): Outcome {
    const sku = this.placement.localOf(entry.index)
    if (!this.inventory.stock.add(sku)) return full('SKUs')
    writeDocument(this.store, productKey(entry.index), entry)
    this.facts.delete(entry.index)
    this.inventory.stock.setLowStock(sku, entry.product.lowStock)
    this.inventory.setLimitPerBuyer(sku, entry.product.limitPerBuyer ?? 0)
    return ok(null)
  }

  product(index: number): ProductEntry | undefined {
    return readDocument<ProductEntry>(this.store, productKey(index))
  }

  productFacts(index: number): ProductFacts | undefined {
    const known = this.facts.get(index)
    if (known) return known
    const entry = this.product(index)
    if (!entry) return undefined
    const {
      name,
      weightGrams = 0,
      backorder = false,
      finalSale = false,
      attributes = {},
    } = entry.product as {
      name?: string
      weightGrams?: number
      backorder?: boolean
      finalSale?: boolean
      attributes?: Record<string, unknown>
    }
    const facts: ProductFacts = {
      sku: entry.sku,
      name: name ?? entry.sku,
      weightGrams,
      mayBackorder: backorder,
      attributes,
      kit: entry.kit ?? [],
    }
    if (finalSale) facts.isFinalSale = true
    if (this.facts.size >= FACTS_MAX) this.facts.clear()
    this.facts.set(index, facts)
    return facts
  }

  getProduct(index: number): Outcome {
    const entry = this.product(index)
    return entry ? ok(entry) : unknownSku()
  }

  /** In the first partition: carries it out and tells the others. */
  putLocation(step: Step, entry: LocationEntry): Outcome {
    if (!step.hasRoom(this.replication.others)) return full('messages to other partitions')
    this.applyLocation(entry)
    return this.replication.tell(step, step.commandNumber, 'location.put', { entry }, ok(entry))
  }

  locationTold(step: Step, body: { entry: LocationEntry; replication: number }): void {
    this.applyLocation(body.entry)
    this.replication.told(step, body)
  }

  private applyLocation(entry: LocationEntry): void {
    const { index, location } = entry
    const indices = this.locationIndices()
    if (!indices.includes(index)) writeDocument(this.store, 'locations', [...indices, index])
    writeDocument(this.store, locationKey(index), entry)
    this.putPlace(entry)
    const flips = this.inventory.locations.set(index, location.active, location.priority)
    if (flips) this.inventory.stock.recomputeAtp()
  }

  private putPlace({ index, id, location }: LocationEntry): void {
    // The gateway has checked it against the schema of locations.
    this.places.put(index, id, location as unknown as LocationDocument)
  }

  private locationIndices(): number[] {
    return readDocument<number[]>(this.store, 'locations') ?? []
  }

  getLocation(index: number): Outcome {
    const entry = readDocument<LocationEntry>(this.store, locationKey(index))
    return entry ? ok(entry) : unknownLocation()
  }

  /** All locations, in the order in which they were made. */
  listLocations(): Outcome {
    return ok({
      items: this.locationIndices().map((index) => readDocument<LocationEntry>(this.store, locationKey(index))),
    })
  }
}
