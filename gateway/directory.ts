/**
 * The gateway's copy of the catalogue's names: text outside, indices inside. The first partition's catalogue gives the
 * indices and they never change, so the copy is only ever added to.
 */
import { getRandomValues } from 'node:crypto'
import { NAME_KINDS, type NameKind } from '../actors/catalog/catalog.js'
import { Names } from '../actors/catalog/names.js'
import { CHANNELS_MAX, LOCATIONS_MAX, SKUS_MAX } from '../actors/limits.js'
import { orderPartition } from '../actors/order/order-id.js'
import { KeyedHash } from '../engine/hash-index.js'
import { Placement } from '../engine/placement.js'
import type { Outcome } from '../engine/protocol.js'
import type { Dispatch } from './dispatch.js'

const PAGE = 10_000

export class Directory {
  readonly placement: Placement
  private readonly names: Record<NameKind, Names>

  constructor(private readonly dispatch: Dispatch) {
    this.placement = new Placement(dispatch.links.partitions)
    const hash = new KeyedHash(getRandomValues(new Uint32Array(4)))
    this.names = {
      skus: Names.inMemory(SKUS_MAX * dispatch.links.partitions, hash),
      locations: Names.inMemory(LOCATIONS_MAX, hash),
      channels: Names.inMemory(CHANNELS_MAX, hash),
    }
  }

  /** Learns all names that there are. */
  async load(): Promise<void> {
    for (const kind of NAME_KINDS) {
      for (let from = 0; ; from = this.names[kind].count) {
        const { status, body } = await this.dispatch.query(0, 'catalog.names', { kind, from, limit: PAGE })
        if (status !== 200) throw new Error(`the catalogue's ${kind} cannot be read: ${JSON.stringify(body)}`)
        const page = body as { names: string[]; count: number }
        for (const name of page.names) this.names[kind].add(name)
        if (this.names[kind].count >= page.count) break
      }
    }
  }

  count(kind: NameKind): number {
    return this.names[kind].count
  }

  /** The index of a known name, or -1. */
  find(kind: NameKind, name: string): number {
    return this.names[kind].find(name)
  }

  name(kind: NameKind, index: number): string {
    return this.names[kind].name(index)
  }

  partitionOfSku(index: number): number {
    return this.placement.partitionOf(index)
  }

  partitionOfOrder(id: string): number {
    return orderPartition(id, this.placement.partitions)
  }

  /** Items by the partition that owns each one's SKU. */
  byPartition<T>(items: T[], skuOf: (item: T) => number): Map<number, T[]> {
    const groups = new Map<number, T[]>()
    for (const item of items) {
      const partition = this.partitionOfSku(skuOf(item))
      const group = groups.get(partition)
      if (group) group.push(item)
      else groups.set(partition, [item])
    }
    return groups
  }

  /** The indices of names, new ones included; an outcome where the catalogue has no room for them. */
  async intern(kind: NameKind, names: string[]): Promise<number[] | Outcome> {
    const known = names.map((name) => this.find(kind, name))
    if (!known.includes(-1)) return known
    const outcome = await this.dispatch.command(0, 'catalog.intern', { [kind]: names })
    if (outcome.status !== 200) return outcome
    const indices = (outcome.body as Record<NameKind, number[]>)[kind]
    // Answers come in the order of the log and new indices are dealt out in that order, so none is skipped.
    await this.catchUp(kind, Math.max(...indices))
    return indices
  }

  private async catchUp(kind: NameKind, index: number): Promise<void> {
    while (this.names[kind].count <= index) {
      const from = this.names[kind].count
      const { body } = await this.dispatch.query(0, 'catalog.names', { kind, from, limit: PAGE })
      // Another caller may have learned the same names meanwhile; adding one again changes nothing.
      for (const name of (body as { names: string[] }).names) this.names[kind].add(name)
    }
  }
}
