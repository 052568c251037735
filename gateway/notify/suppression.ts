/**
 * Addresses that are not written to because of what came back from them. Writing on to dead addresses, or to people who
 * have called it spam, makes mailbox providers refuse all of a sender's mail.
 */

/** What came back: see bounces.ts and twilio/status-callback.ts. */
export interface DeliveryFailure {
  kind: 'bounce' | 'complaint'
  /** Of a bounce: the address itself is no good, and not only full or away. */
  permanent: boolean
  reason: string
}

export interface Suppression {
  kind: 'bounce' | 'complaint'
  reason: string
  /** When each of the passing bounces came that count still; at most three. */
  passingAtMs: number[]
  /** Not to be written to before then; null: until a person lifts it; 0: may be written to. */
  untilMs: number | null
}

const DAY_MS = 86_400_000
/** A mailbox that was full or away so often within these days is left alone for as many. */
const PASSING_BOUNCES_MAX = 3
const PASSING_WINDOW_MS = 7 * DAY_MS

/** What is known of an address after another failure. A complaint, or a bounce for good, holds until a person lifts it. */
export function suppressionAfter(
  before: Suppression | undefined,
  { kind, permanent, reason }: DeliveryFailure,
  atMs: number,
): Suppression {
  if (before?.untilMs === null && kind !== 'complaint') return before
  if (kind === 'complaint' || permanent) {
    return { kind, reason, passingAtMs: [], untilMs: null }
  }
  const passingAtMs = [...(before?.passingAtMs ?? []).filter((ms) => atMs - ms < PASSING_WINDOW_MS), atMs]
  return {
    kind,
    reason,
    passingAtMs: passingAtMs.slice(-PASSING_BOUNCES_MAX),
    untilMs: passingAtMs.length >= PASSING_BOUNCES_MAX ? atMs + PASSING_WINDOW_MS : (before?.untilMs ?? 0),
  }
}

export const isSuppressed = (suppression: Suppression | undefined, nowMs: number): boolean =>
  suppression !== undefined && (suppression.untilMs === null || suppression.untilMs > nowMs)
