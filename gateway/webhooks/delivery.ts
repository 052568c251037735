/**
 * The delivery of one event to one webhook: what has been tried, what comes next, and one attempt itself, signed by the
 * Standard Webhooks specification. The event's id is the `webhook-id`, so a receiver that has seen it drops the repeat.
 */
import { Webhook as Signer } from 'standardwebhooks'
import type { CloudEvent } from '../events.js'
import { OutwardError } from '../outward/outward-error.js'
import type { OutwardClient } from '../outward/outward-http.js'
import { ATTEMPT_MS_MAX, ATTEMPTS_KEPT, ERROR_LENGTH_MAX } from './limits.js'
import { nextAttemptMs } from './schedule.js'
import type { Webhook } from './webhook.js'

export interface Attempt {
  atMs: number
  durationMs: number
  /** What the receiver answered; none: it did not. */
  status?: number
  /** Why it was no success, for a person: no secrets, and nothing of what was sent or answered. */
  error?: string
}

interface DeliveryRecord {
  id: string
  /** The webhook's id. */
  webhook: string
  /** The event's id. */
  event: string
  /** The event's type. */
  type: string
  /** Since when it waits: when it was made, or asked for again. */
  queuedAtMs: number
  /** Attempts since then. */
  tries: number
  /** The last ones, whenever they were. */
  attempts: Attempt[]
}

export type WaitingDelivery = DeliveryRecord & { state: 'waiting'; nextMs: number }
export type EndedDelivery = DeliveryRecord & { state: 'delivered' | 'dead' }
export type Delivery = WaitingDelivery | EndedDelivery

export interface AttemptResult extends Attempt {
  /** The receiver's `Retry-After`. */
  retryAfterMs?: number
  /** It was we who broke it off: it does not count. */
  isStopped?: boolean
}

/** A dot would make the signed text, id.timestamp.body, read in two ways; the rest keeps the id a header's value. */
const SIGNABLE_ID = /^[\w-]{1,200}$/

/** A delivery that is due at once. Throws RangeError for an event whose id cannot be signed. */
export function newDelivery(
  id: string,
  webhook: Webhook,
  { id: event, type }: Pick<CloudEvent, 'id' | 'type'>,
  nowMs: number,
): WaitingDelivery {
  if (!SIGNABLE_ID.test(event)) throw new RangeError(`the event id ${JSON.stringify(event)} cannot be a webhook-id`)
  const record = { id, webhook: webhook.id, event, type, queuedAtMs: nowMs, tries: 0, attempts: [] }
  return { ...record, state: 'waiting', nextMs: nowMs }
}

/** The same delivery once more, due at once and for a whole round of attempts: what a person asks for. */
export function redelivery(delivery: Delivery, nowMs: number): WaitingDelivery {
  return { ...recordOf(delivery), queuedAtMs: nowMs, tries: 0, state: 'waiting', nextMs: nowMs }
}

const recordOf = ({ id, webhook, event, type, queuedAtMs, tries, attempts }: Delivery): DeliveryRecord => ({
  id,
  webhook,
  event,
  type,
  queuedAtMs,
  tries,
  attempts,
})

/** Given up without another attempt, for a reason that a person reads. */
export const givenUp = (delivery: Delivery, error: string, nowMs: number): EndedDelivery => ({
  ...recordOf(delivery),
  attempts: [...delivery.attempts, { atMs: nowMs, durationMs: 0, error }].slice(-ATTEMPTS_KEPT),
  state: 'dead',
})

const isSuccess = ({ status, error }: Attempt): boolean =>
  error === undefined && status !== undefined && status >= 200 && status <= 299

/**
 * What an attempt makes of a delivery. `isGone`: the receiver answered 410, by which it says that it wants no more, and the
 * webhook is to be switched off. `random` is from 0 to 1.
 */
export function afterAttempt(
  delivery: WaitingDelivery,
  { retryAfterMs, isStopped: _, ...attempt }: AttemptResult,
  nowMs: number,
  random: number,
): { delivery: Delivery; isGone: boolean } {
  const tries = delivery.tries + 1
  const record = { ...recordOf(delivery), tries, attempts: [...delivery.attempts, attempt].slice(-ATTEMPTS_KEPT) }
  if (isSuccess(attempt)) return { delivery: { ...record, state: 'delivered' }, isGone: false }
  if (attempt.status === 410) return { delivery: { ...record, state: 'dead' }, isGone: true }
  const nextMs = nextAttemptMs(tries, nowMs, random, retryAfterMs)
  if (nextMs === undefined) return { delivery: { ...record, state: 'dead' }, isGone: false }
  return { delivery: { ...record, state: 'waiting', nextMs }, isGone: false }
}

/** Whether a result says that the receiver is down, and not only that it does not like this event. */
export const isReceiverDown = ({ status, error }: Attempt): boolean =>
  status === undefined
    ? error !== undefined
    : status >= 500 || (status >= 300 && status < 400) || [408, 425, 429].includes(status)

/**
 * The headers of Standard Webhooks: a signature by each secret, joined by spaces, so that a receiver who knows any of them
 * can check it. Throws where a secret is none.
 */
export function signedHeaders(webhook: Webhook, id: string, nowMs: number, body: string): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(nowMs / 1_000)),
    'webhook-signature': webhook.secrets.map((secret) => new Signer(secret).sign(id, new Date(nowMs), body)).join(' '),
  }
}

/** One attempt; what comes of it is the result, whatever it is. The body is the CloudEvent as JSON, byte for byte as signed. */
export async function attempt(
  webhook: Webhook,
  delivery: Delivery,
  event: CloudEvent,
  client: OutwardClient,
  nowMs: number,
  signal?: AbortSignal,
): Promise<AttemptResult> {
  const startMs = performance.now()
  const since = (): Pick<Attempt, 'atMs' | 'durationMs'> => ({
    atMs: nowMs,
    durationMs: Math.round(performance.now() - startMs),
  })
  try {
    const body = JSON.stringify(event)
    const { status } = await client.send({
      method: 'POST',
      url: webhook.url,
      headers: { 'content-type': 'application/json', ...signedHeaders(webhook, delivery.event, nowMs, body) },
      body,
      answer: 'unread',
      // The schedule repeats it, which outlives the process.
      retries: 0,
      totalMs: ATTEMPT_MS_MAX,
      queue: `webhook ${webhook.id}`,
      ...(signal ? { signal } : {}),
    })
    return { ...since(), status }
  } catch (error) {
    if (!(error instanceof OutwardError))
      return { ...since(), error: 'The event cannot be signed: put the webhook again, with new secrets.' }
    const { status, retryAfterMs, code, message } = error
    return {
      ...since(),
      error: message.slice(0, ERROR_LENGTH_MAX),
      ...(status === undefined ? {} : { status }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(code === 'stopped' ? { isStopped: true } : {}),
    }
  }
}
