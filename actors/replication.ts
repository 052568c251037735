/**
 * What every partition must know (locations, sales): the first partition decides, tells the others by messages, and
 * answers once all have it. So whoever was answered can use it everywhere at once.
 */
import { LATER, type Step } from '../engine/actors.js'
import type { Placement } from '../engine/placement.js'
import type { Outcome } from '../engine/protocol.js'
import type { Store } from '../engine/store.js'
import { readDocument, writeDocument } from './documents.js'

interface Pending {
  waiting: number
  outcome: Outcome
}

export const REPLICATED = 'replicated'

export class Replication {
  constructor(
    private readonly store: Store,
    private readonly placement: Placement,
  ) {}

  /** How many partitions there are to tell. */
  get others(): number {
    return this.placement.partitions - 1
  }

  /** Tells all other partitions `name` with `body`; the outcome of command `number`, now or when they have it. */
  tell(step: Step, number: number, name: string, body: object, outcome: Outcome): Outcome {
    const { others } = this
    if (others === 0) return outcome
    const pending: Pending = { waiting: others, outcome }
    writeDocument(this.store, `replication/${number}`, pending)
    for (let partition = 1; partition <= others; partition++) {
      step.send(partition, name, { ...body, replication: number })
    }
    return LATER
  }

  /** A partition that was told has it. */
  told(step: Step, body: { replication: number }): void {
    step.send(0, REPLICATED, { replication: body.replication })
  }

  /** Back in the first partition: one more has it. */
  confirmed(step: Step, body: { replication: number }): void {
    const key = `replication/${body.replication}`
    const pending = readDocument<Pending>(this.store, key)
    if (!pending) return
    pending.waiting--
    if (pending.waiting > 0) {
      writeDocument(this.store, key, pending)
      return
    }
    this.store.delete(key)
    step.answer(body.replication, pending.outcome)
  }
}
