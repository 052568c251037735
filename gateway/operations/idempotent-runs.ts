/**
 * Carries a request out once for its idempotency key, whoever repeats it, also after a restart: the first answer is kept
 * with a fingerprint of the request, and the same key with another request is a conflict.
 */
import type { Outcome } from '../../engine/protocol.js'
import type { Dispatch } from '../dispatch.js'
import { failed } from './operation.js'

export const IDEMPOTENCY_KEY_BYTES_MAX = 200

export interface IdempotentOutcome {
  outcome: Outcome
  /** It is the answer that the first request got. */
  replayed: boolean
}

export class IdempotentRuns {
  /** Keys whose first request is still being carried out: a second one waits for its answer. */
  private readonly underWay = new Map<string, Promise<unknown>>()

  constructor(private readonly dispatch: Dispatch) {}

  async run(key: string, fingerprint: string, carryOut: () => Promise<Outcome>): Promise<IdempotentOutcome> {
    for (let other = this.underWay.get(key); other; other = this.underWay.get(key)) await other
    const first = this.begin(key, fingerprint, carryOut)
    this.underWay.set(
      key,
      first.catch(() => {}),
    )
    try {
      return await first
    } finally {
      this.underWay.delete(key)
    }
  }

  private async begin(key: string, fingerprint: string, carryOut: () => Promise<Outcome>): Promise<IdempotentOutcome> {
    const begun = await this.dispatch.command(0, 'idempotency.begin', { key, fingerprint })
    if (failed(begun)) return { outcome: begun, replayed: false }
    // What `idempotency.begin` answers (actors/idempotency.ts).
    const { answer } = begun.body as { answer: Outcome | null }
    if (answer) return { outcome: answer, replayed: true }
    const outcome = await carryOut()
    // What was refused for lack of room was not done: the next try is a first one.
    if (outcome.status >= 500) return { outcome, replayed: false }
    const finished = await this.dispatch.command(0, 'idempotency.finish', { key, fingerprint, answer: outcome })
    return { outcome: failed(finished) ? finished : outcome, replayed: false }
  }
}
