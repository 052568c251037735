/** A store in a temporary directory whose checkpoints are begun, handed over, written and refused by a test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CheckpointReceiver, makeCheckpointRing } from './checkpoint-ring.js'
import { WatchedRing, writeCheckpoint } from './driven-partition.contract.js'
import { Store } from './store.js'

const PARTITION = 0

export class DrivenStore {
  private readonly directory = mkdtempSync(join(tmpdir(), 'doorbuster-store-'))
  readonly file = join(this.directory, 'store.mdb')
  private readonly memory = makeCheckpointRing()
  private readonly ring = new WatchedRing(this.memory)
  private readonly receiver = new CheckpointReceiver(this.memory)
  readonly store = new Store(this.file, PARTITION, this.ring)
  private sequence = 0

  constructor() {
    this.store.load()
  }

  begin(): void {
    this.store.beginCheckpoint({ sequence: ++this.sequence, crc: 0 }, 0)
  }

  /** Hands over one slice, or has what was handed over written or refused; true when the checkpoint is durable. */
  continue(refused = false): boolean {
    if (this.ring.complete) {
      if (refused) while (this.receiver.next().kind !== 'end');
      else writeCheckpoint(this.file, PARTITION, this.receiver)
      this.receiver.report(!refused)
    }
    return this.store.continueCheckpoint()
  }

  /** Continues the checkpoint until it is durable or given up. */
  end(refused = false): void {
    while (this.store.checkpointing) this.continue(refused)
  }

  checkpoint(): void {
    this.begin()
    this.end()
  }

  /** The items that a checkpoint begun now would hold, by kind; it is refused. */
  wanted(): Record<string, number> {
    this.begin()
    while (!this.ring.complete) this.store.continueCheckpoint()
    const kinds: Record<string, number> = {}
    this.receiver.next()
    for (let item = this.receiver.next(); item.kind !== 'end'; item = this.receiver.next()) {
      kinds[item.kind] = (kinds[item.kind] ?? 0) + 1
    }
    this.receiver.report(false)
    this.store.continueCheckpoint()
    return kinds
  }

  /** What is stored, as a partition that starts finds it. */
  async reloaded<R>(use: (store: Store) => R): Promise<R> {
    const store = new Store(this.file, PARTITION, undefined)
    store.load()
    const result = use(store)
    await store.close()
    return result
  }

  /** A store that is written as a whole. */
  async whole(fill: (store: Store) => void, use: (store: Store) => void): Promise<void> {
    const file = join(this.directory, 'whole.mdb')
    const store = new Store(file, PARTITION, 'offline')
    fill(store)
    store.writeWhole({ position: { sequence: 1, crc: 0 }, timeMs: 0 })
    await store.close()
    const again = new Store(file, PARTITION, undefined)
    again.load()
    use(again)
    await again.close()
  }

  async dispose(): Promise<void> {
    await this.store.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
