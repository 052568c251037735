/**
 * The one error of outward calls. Its message names the host and what to do, and never a path, query, header or body: those
 * carry secrets and customers' data, and messages end in logs.
 */
import { DoorbusterError } from '../../engine/errors.js'

export type OutwardErrorCode =
  /** The URL or the address behind its name is not one that may be called. */
  | 'refused_address'
  /** The request cannot be sent as it is: a header or a body that is none. */
  | 'invalid_request'
  /** No connection, or it broke: name not found, refused, reset, certificate not trusted. */
  | 'unreachable'
  | 'timeout'
  /** An answer that is not 2xx; redirects are among them. */
  | 'http_status'
  | 'too_large'
  | 'not_json'
  /** Too many calls of this host or connection wait already; nothing was sent. */
  | 'overloaded'
  /** The caller, or the end of the process, stopped it. */
  | 'stopped'

interface OutwardErrorDetails {
  /** Of `http_status`. */
  status?: number
  /** The beginning of what was answered. */
  excerpt?: string
  /** When the other side asked to come back, counted from its answer; at most a day. */
  retryAfterMs?: number
  cause?: unknown
}

/** Answers after which the same request may well succeed: timeouts, too early, too many, and what servers fail by. */
const PASSING_STATUSES = new Set([408, 425, 429, 500, 502, 503, 504])
const PASSING_CODES = new Set<OutwardErrorCode>(['unreachable', 'timeout', 'overloaded'])

const UNDICI_TIMEOUTS = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
])

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

export class OutwardError extends DoorbusterError {
  declare readonly code: OutwardErrorCode
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
  /** Private, so that what prints an error with all its fields leaves it out: it may hold personal data. */
  readonly #excerpt: string

  constructor(code: OutwardErrorCode, message: string, details: OutwardErrorDetails = {}) {
    super(code, message, details.cause === undefined ? undefined : { cause: details.cause })
    this.status = details.status
    this.retryAfterMs = details.retryAfterMs
    this.#excerpt = details.excerpt ?? ''
  }

  /** The beginning of what was answered, for whoever looks into this one failure; not for logs. */
  get excerpt(): string {
    return this.#excerpt
  }

  /** Whether the same request, later, may succeed without anybody changing anything. */
  get isWorthRetrying(): boolean {
    return this.status === undefined ? PASSING_CODES.has(this.code) : PASSING_STATUSES.has(this.status)
  }
}

/** What undici, the system or the queue says, in our words. */
export function asOutwardError(error: unknown, method: string, url: URL): OutwardError {
  if (error instanceof OutwardError) return error
  const code = codeOf(error)
  const call = `${method} ${url.host}`
  if (UNDICI_TIMEOUTS.has(code))
    return new OutwardError('timeout', `${call} was not answered in time.`, { cause: error })
  if (code === 'UND_ERR_HEADERS_OVERFLOW')
    return new OutwardError('too_large', `${call} was answered with too long headers.`, { cause: error })
  if (code === 'UND_ERR_INVALID_ARG' || error instanceof TypeError)
    return new OutwardError('invalid_request', `${call} cannot be sent: a header or the body is not valid.`)
  return new OutwardError('unreachable', `${call} cannot be reached${code ? ` (${code})` : ''}.`, { cause: error })
}
