/**
 * Numbers for parcels, each given out once for ever: a counter that is kept durably and taken in blocks, so that a purchase
 * does not wait for the counter of another. What a crash leaves of a block is never used.
 */
import type { RecordStore } from '../records.js'

const KIND = 'label-serial'
const BLOCK = 256

export class SerialNumbers {
  private next = 0
  private end = 0
  private taking: Promise<void> | undefined

  constructor(
    private readonly records: RecordStore,
    private readonly carrier: string,
  ) {}

  async take(): Promise<number> {
    while (this.next === this.end) {
      this.taking ??= this.takeBlock().finally(() => {
        this.taking = undefined
      })
      await this.taking
    }
    return this.next++
  }

  private async takeBlock(): Promise<void> {
    let first = 0
    await this.records.update<number>(KIND, this.carrier, (taken = 0) => {
      first = taken
      return { value: taken + BLOCK }
    })
    this.next = first
    this.end = first + BLOCK
  }
}
