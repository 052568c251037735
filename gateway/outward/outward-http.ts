/**
 * The one way by which the gateway calls others over HTTP: only allowed addresses, everything bounded in time and size,
 * repeats only of what may be repeated, and a queue for each host or connection. Redirects are not followed.
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as sleepFor } from 'node:timers/promises'
import pRetry from 'p-retry'
import type { Agent, Dispatcher } from 'undici'
import type { OutwardHttp } from '../channels/channel.js'
import { undici } from '../lazy-libraries.js'
import { AddressGuard } from './address-guard.js'
import { readExcerpt, readWhole } from './answer-body.js'
import { CALL_LIMITS, type CallLimits, CallQueues } from './call-queues.js'
import * as limits from './limits.js'
import { asOutwardError, OutwardError } from './outward-error.js'
import type { JsonRequest, OutwardAnswer, OutwardOptions, OutwardRequest, OutwardTimeouts } from './outward-request.js'
import { fullJitterMs, retryAfterMs } from './retry-delay.js'

const REPEATABLE_METHODS = new Set(['GET', 'PUT', 'DELETE'])
const UTF8 = new TextDecoder('utf-8', { fatal: true })

export class OutwardClient implements OutwardHttp {
  readonly guard: AddressGuard
  /** Made with the first call. */
  private agent: Agent | undefined
  private readonly queues: CallQueues
  private readonly callLimits: CallLimits
  private readonly timeouts: OutwardTimeouts
  private readonly stopping = new AbortController()
  private readonly now: () => number
  private readonly random: () => number
  private readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>

  /** Throws DoorbusterError `invalid` where the policy can't be read. */
  constructor(private readonly options: OutwardOptions = {}) {
    this.now = options.now ?? Date.now
    this.random = options.random ?? Math.random
    this.sleep = options.sleep ?? ((ms, signal) => sleepFor(ms, undefined, { signal }))
    this.guard = new AddressGuard(options.policy)
    this.queues = new CallQueues(this.now)
    this.callLimits = { ...CALL_LIMITS, ...options.limits }
    this.timeouts = {
      connectMs: limits.CONNECT_MS,
      headersMs: limits.HEADERS_MS,
      bodyMs: limits.BODY_MS,
      totalMs: limits.TOTAL_MS,
      ...options.timeouts,
    }
    // One listener for each call under way or waiting, which the queues bound.
    setMaxListeners(0, this.stopping.signal)
    const stop = (): void => this.stopping.abort()
    if (options.signal?.aborted) stop()
    else options.signal?.addEventListener('abort', stop, { once: true })
  }

  /** Stops what is under way and waiting: it rejects with `stopped`. */
  async close(): Promise<void> {
    this.stopping.abort()
    await this.agent?.destroy()
  }

  /** The same client with a queue of its own for one connection to a shop, carrier or partner. */
  forConnection(key: string, own: Partial<CallLimits> = {}): OutwardHttp {
    const callLimits = { ...this.callLimits, ...own }
    return { json: (request) => this.jsonWithin(callLimits, { ...request, queue: key }) }
  }

  /** Resolves with the parsed JSON of a 2xx answer (undefined where it is empty); rejects with OutwardError. */
  json(request: JsonRequest): Promise<unknown> {
    return this.jsonWithin(this.callLimits, request)
  }

  /** Resolves with a 2xx answer; rejects with OutwardError. */
  send(request: OutwardRequest): Promise<OutwardAnswer> {
    return this.sendWithin(this.callLimits, request)
  }

  private async jsonWithin(callLimits: CallLimits, { body, ...request }: JsonRequest): Promise<unknown> {
    const headers: Record<string, string> = { accept: 'application/json', ...lowerCaseNames(request.headers) }
    const text = body === undefined ? undefined : jsonText(body)
    if (text !== undefined) headers['content-type'] ??= 'application/json'
    const answer = await this.sendWithin(callLimits, {
      ...request,
      headers,
      ...(text === undefined ? {} : { body: text }),
    })
    if (answer.body.length === 0) return undefined
    try {
      return JSON.parse(UTF8.decode(answer.body))
    } catch {
      // The parser's own message quotes the text, so it is not kept as the cause.
      const host = this.guard.url(request.url).host
      throw new OutwardError(
        'not_json',
        `${request.method} ${host} was answered ${answer.status} with what is no JSON.`,
      )
    }
  }

  private async sendWithin(callLimits: CallLimits, request: OutwardRequest): Promise<OutwardAnswer> {
    const url = this.guard.url(request.url)
    const mayRepeat =
      REPEATABLE_METHODS.has(request.method) || request.isRepeatable === true || request.idempotencyKey !== undefined
    const retries = mayRepeat ? (request.retries ?? this.options.retries ?? limits.RETRIES) : 0
    const call = new AbortController()
    const release = abortWith(call, [this.stopping.signal, request.signal])
    // The queue, the wait between two attempts and the attempt itself listen.
    setMaxListeners(0, call.signal)
    const attempt = (): Promise<OutwardAnswer> =>
      this.queues.run(request.queue ?? url.host, callLimits, call.signal, () => this.attempt(url, request, call.signal))
    try {
      return await pRetry(attempt, {
        retries,
        // All waiting is done in onFailedAttempt: p-retry has no full jitter and knows nothing of Retry-After.
        minTimeout: 0,
        shouldRetry: ({ error }) => canBeWaitedFor(error),
        onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
          if (retriesLeft === 0 || !canBeWaitedFor(error)) return
          const waitMs = Math.max(fullJitterMs(attemptNumber, this.random), error.retryAfterMs ?? 0)
          await this.sleep(Math.round(waitMs), call.signal)
        },
      })
    } catch (error) {
      throw call.signal.aborted ? stopped(request.method, url) : asOutwardError(error, request.method, url)
    } finally {
      release()
    }
  }

  private openAgent(): Agent {
    const { Agent, buildConnector } = undici()
    const { connectMs, headersMs, bodyMs } = this.timeouts
    this.agent ??= new Agent({
      connect: this.guard.connector(buildConnector, connectMs, this.options.resolve),
      headersTimeout: headersMs,
      bodyTimeout: bodyMs,
    })
    return this.agent
  }

  private async attempt(url: URL, request: OutwardRequest, signal: AbortSignal): Promise<OutwardAnswer> {
    const { method } = request
    const totalMs = request.totalMs ?? this.timeouts.totalMs
    const deadline = new AbortController()
    const release = abortWith(deadline, [signal])
    const late = new OutwardError('timeout', `${method} ${url.host} was not answered whole within ${totalMs} ms.`)
    const timer = setTimeout(() => deadline.abort(late), totalMs)
    try {
      const answer = await this.openAgent().request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: {
          'user-agent': 'Doorbuster',
          ...lowerCaseNames(request.headers),
          ...(request.idempotencyKey === undefined ? {} : { 'idempotency-key': request.idempotencyKey }),
        },
        body: request.body ?? null,
        signal: deadline.signal,
      })
      return await this.accept(answer, request, url)
    } catch (error) {
      throw asOutwardError(error, method, url)
    } finally {
      clearTimeout(timer)
      release()
    }
  }

  private async accept(
    { statusCode: status, headers, body }: Dispatcher.ResponseData,
    { method, answer = 'whole' }: OutwardRequest,
    url: URL,
  ): Promise<OutwardAnswer> {
    if (status < 200 || status > 299) {
      const header = headers['retry-after']
      const comeBackMs = retryAfterMs(typeof header === 'string' ? header : undefined, this.now())
      const excerpt = await readExcerpt(body, limits.EXCERPT_BYTES_MAX)
      const isRedirect = status >= 300 && status <= 399
      const hint = isRedirect ? ', which leads elsewhere and is not followed; give the address that it leads to' : ''
      const details = { status, excerpt, ...(comeBackMs === undefined ? {} : { retryAfterMs: comeBackMs }) }
      throw new OutwardError('http_status', `${method} ${url.host} was answered ${status}${hint}.`, details)
    }
    if (answer === 'unread') {
      await readExcerpt(body, limits.EXCERPT_BYTES_MAX)
      return { status, headers, body: new Uint8Array() }
    }
    const bytesMax = this.options.responseBytesMax ?? limits.RESPONSE_BYTES_MAX
    const bytes = await readWhole(body, bytesMax)
    if (bytes) return { status, headers, body: bytes }
    throw new OutwardError('too_large', `${method} ${url.host} was answered with more than ${bytesMax} bytes.`)
  }
}

/** Whether a failure passes, and soon enough to wait for it in memory. */
const canBeWaitedFor = (error: Error): error is OutwardError =>
  error instanceof OutwardError && error.isWorthRetrying && (error.retryAfterMs ?? 0) <= limits.RETRY_WAIT_MS_MAX

const stopped = (method: string, url: URL): OutwardError =>
  new OutwardError('stopped', `${method} ${url.host} was stopped before it was answered.`)

/** Aborts one when any of the others is, with its reason; the answer stops listening. */
function abortWith(controller: AbortController, others: (AbortSignal | undefined)[]): () => void {
  const listening = others.filter((other) => other !== undefined)
  const abort = ({ target }: Event): void => controller.abort((target as AbortSignal).reason) // only signals are listened to
  for (const other of listening) {
    if (other.aborted) controller.abort(other.reason)
    else other.addEventListener('abort', abort, { once: true })
  }
  return () => {
    for (const other of listening) other.removeEventListener('abort', abort)
  }
}

const lowerCaseNames = (headers: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

function jsonText(body: unknown): string {
  try {
    return JSON.stringify(body)
  } catch {
    throw new OutwardError('invalid_request', 'The body cannot be said as JSON: it has a cycle or a big integer in it.')
  }
}
