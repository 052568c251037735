/**
 * A digest of a set of entities: the sum, modulo 2^64, of a 64-bit hash of each. It does not depend on their order or on
 * where they lie in memory, and digests of disjoint parts add up, so the whole has one digest however it is partitioned.
 */
import { createHash } from 'node:crypto'

const MASK = (1n << 64n) - 1n

export class Digest {
  private sum = 0n
  entities = 0

  /** An entity as words, for the many small ones: two multiplicative hashes make the 64 bits. */
  addWords(kind: number, words: ArrayLike<number>, from: number, count: number): void {
    let low = 0x9e37_79b9 ^ kind
    let high = 0x85eb_ca6b ^ kind
    for (let i = from; i < from + count; i++) {
      low = Math.imul(low ^ words[i]!, 0xcc9e_2d51)
      low = (low << 15) | (low >>> 17)
      high = Math.imul(high ^ words[i]!, 0x1b87_3593)
      high = (high << 13) | (high >>> 19)
      high = (high + low) | 0
    }
    low = Math.imul(low ^ (low >>> 16), 0x85eb_ca6b)
    high = Math.imul(high ^ (high >>> 13), 0xc2b2_ae35)
    this.addHash((BigInt(high >>> 0) << 32n) | BigInt((low ^ (high >>> 16)) >>> 0))
  }

  addDocument(key: string, content: Uint8Array): void {
    const hash = createHash('sha256').update(key).update('\0').update(content).digest()
    this.addHash(hash.readBigUInt64LE())
  }

  private addHash(hash: bigint): void {
    this.sum = (this.sum + hash) & MASK
    this.entities++
  }

  /** Joins the digest of a disjoint part. */
  addDigest(hex: string): void {
    this.sum = (this.sum + BigInt(`0x${hex}`)) & MASK
  }

  toString(): string {
    return this.sum.toString(16).padStart(16, '0')
  }
}
