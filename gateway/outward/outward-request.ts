/** What a call of others is: what is asked, what comes back, and by what bounds. */
import type { AddressPolicy, Resolver } from './address-guard.js'
import type { CallLimits } from './call-queues.js'

export interface OutwardTimeouts {
  /** Until the connection stands: name look-up, TCP and TLS. */
  connectMs: number
  /** Until the answer's headers are there. */
  headersMs: number
  /** Between two pieces of the answer's body. */
  bodyMs: number
  /** One attempt in all. */
  totalMs: number
}

export interface OutwardOptions {
  policy?: AddressPolicy
  timeouts?: Partial<OutwardTimeouts>
  responseBytesMax?: number
  /** Repeats of a call that may be repeated. */
  retries?: number
  limits?: Partial<CallLimits>
  /** Stops all calls, like `close`. */
  signal?: AbortSignal
  resolve?: Resolver
  now?: () => number
  /** From 0 to 1. */
  random?: () => number
  /** Waits; rejects when the signal is aborted. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

interface CallOptions {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: string
  headers?: Record<string, string>
  /** Sent as `Idempotency-Key`, and the call may be repeated whatever its method. */
  idempotencyKey?: string
  /** The other side does it once even if asked twice; GET, PUT and DELETE are such anyway. */
  isRepeatable?: boolean
  /** None: the client's. */
  retries?: number
  /** None: the client's. */
  totalMs?: number
  /** Whose queue it waits in; none: the host's. */
  queue?: string
  signal?: AbortSignal
}

export interface OutwardRequest extends CallOptions {
  body?: string | Uint8Array
  /** `unread`: a 2xx answer's body is of no interest and is cut off where it is long. */
  answer?: 'whole' | 'unread'
}

export interface OutwardAnswer {
  /** 2xx. */
  status: number
  headers: Readonly<Record<string, string | string[] | undefined>>
  /** Empty where it was not to be read. */
  body: Uint8Array
}

export interface JsonRequest extends CallOptions {
  /** Anything that JSON can say. */
  body?: unknown
}
