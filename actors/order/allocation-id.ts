/**
 * What holds an order's units at a location: a reservation with an id that no caller can choose. The reserved first words
 * make no UUID (its version would be 0), and the inventory refuses them from outside.
 *
 *   number = count × 64 + the partition that gave it
 *   id     = two words of a mark · number's high word · number's low word
 */
import { PARTITIONS_MAX } from '../../engine/limits.js'
import { ALLOCATION_MARK_0, ALLOCATION_MARK_1 } from '../inventory/wire.js'

export const allocationNumber = (count: number, partition: number): number => count * PARTITIONS_MAX + partition

/** Writes the id of an allocation into four words. */
export function writeAllocationId(allocation: number, words: Uint32Array, at: number): void {
  words[at] = ALLOCATION_MARK_0
  words[at + 1] = ALLOCATION_MARK_1
  words[at + 2] = Math.floor(allocation / 0x1_0000_0000)
  words[at + 3] = allocation % 0x1_0000_0000
}
