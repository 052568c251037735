/**
 * Carries a request out once for its idempotency key, whoever repeats it, also after a restart: the first answer is kept
 * with a fingerprint of the request, and the same key with another request is a conflict. Both are in the log, so the answer
 * is sealed for whom it shows, and the fingerprint is keyed, so that it cannot be compared with guesses.
 */
import type { Outcome } from '../../engine/protocol.js'
import { type KeptAnswer, openAnswer, sealAnswer } from '../personal-data/kept-answers.js'
import { failed, type OperationContext } from './operation.js'

export const IDEMPOTENCY_KEY_BYTES_MAX = 200

/** Whose data the answer shows: noted by the operation. */
export type Subject = NonNullable<OperationContext['subject']>

export interface IdempotentOutcome {
  outcome: Outcome
  /** It is the answer that the first request got. */
  replayed: boolean
}

export class IdempotentRuns {
  /** Keys whose first request is still being carried out: a second one waits for its answer. */
  private readonly underWay = new Map<string, Promise<unknown>>()

  constructor(private readonly context: Pick<OperationContext, 'dispatch' | 'people'>) {}

  /** `digest` is of the whole request. */
  async run(key: string, digest: string, carryOut: (subject: Subject) => Promise<Outcome>): Promise<IdempotentOutcome> {
    const fingerprint = this.context.people.vault.blind(`request:${digest}`)
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

  private async begin(
    key: string,
    fingerprint: string,
    carryOut: (subject: Subject) => Promise<Outcome>,
  ): Promise<IdempotentOutcome> {
    const { dispatch, people } = this.context
    const begun = await dispatch.command(0, 'idempotency.begin', { key, fingerprint })
    if (failed(begun)) return { outcome: begun, replayed: false }
    // What `idempotency.finish` was given.
    const { answer: kept } = begun.body as { answer: KeptAnswer | null }
    if (kept) return { outcome: openAnswer(people.vault, kept), replayed: true }
    const subject: Subject = {}
    const outcome = await carryOut(subject)
    // What was refused for lack of room was not done: the next try is a first one.
    if (outcome.status >= 500) return { outcome, replayed: false }
    const answer = sealAnswer(people.vault, outcome, subject.person)
    const finished = await dispatch.command(0, 'idempotency.finish', { key, fingerprint, answer })
    return { outcome: failed(finished) ? finished : outcome, replayed: false }
  }
}
