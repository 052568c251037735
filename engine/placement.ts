/**
 * Which partition owns what. Keys are indices that the catalogue gives once and for ever, dealt out in turn: as even as
 * can be, the same after a restart, and still the same index after a reshard.
 */
export class Placement {
  constructor(readonly partitions: number) {}

  /** The partition that owns the entity with this index. */
  partitionOf(index: number): number {
    return this.partitions === 1 ? 0 : index % this.partitions
  }

  /** The entity's place within its partition: 0, 1, 2, … without gaps. */
  localOf(index: number): number {
    return this.partitions === 1 ? index : Math.floor(index / this.partitions)
  }

  /** The index of a partition's entity. */
  indexOf(partition: number, local: number): number {
    return local * this.partitions + partition
  }
}
