/**
 * The operations over HTTP: one route for each, the same checks and the same answers for all. Every POST honours
 * Idempotency-Key.
 */

import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js'
import assert from 'node:assert'
import { createHash } from 'node:crypto'
import type { Outcome } from '../../engine/protocol.js'
import type { Guard } from '../guard.js'
import type { Metrics } from '../metrics.js'
import { IDEMPOTENCY_KEY_BYTES_MAX, IdempotentRuns, type Subject } from '../operations/idempotent-runs.js'
import { Content, checkInput, type Operation, type OperationContext } from '../operations/operation.js'
import { problem } from '../problems.js'
import { readBody } from './body.js'
import { type ExtraHeaders, refuseMethod, respond, respondContent, respondWithHeaders } from './responder.js'

export interface RoutesOptions {
  app: TemplatedApp
  operations: Operation[]
  context: OperationContext
  guard: Guard
  metrics: Metrics
}

/** What a request says besides its body; read at once, since uWS takes the request back. */
interface RequestHead {
  parameters: Record<string, string>
  query: Record<string, string>
  idempotencyKey: string
}

/** Bytes that are no text are refused instead of being taken for other text. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

export class Routes {
  private readonly once: IdempotentRuns

  constructor(private readonly options: RoutesOptions) {
    this.once = new IdempotentRuns(options.context)
    const byPath = new Map<string, string[]>()
    for (const operation of options.operations) {
      if (!operation.http) continue
      const { method, path, produces } = operation.http
      assert(!produces || method === 'GET', `${operation.name}: an answer in bytes is not kept for an Idempotency-Key`)
      const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)
      const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1')
      byPath.set(pattern, [...(byPath.get(pattern) ?? []), method])
      const register = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch' } as const
      options.app[register[method]](pattern, (res, req) => this.handle(operation, names, res, req))
    }
    for (const [pattern, methods] of byPath) {
      options.app.any(pattern, (res, req) => refuseMethod(res, req, methods))
    }
  }

  private handle(operation: Operation, names: string[], res: HttpResponse, req: HttpRequest): void {
    const started = performance.now()
    let gone = false
    const answer = (outcome: Outcome, headers?: ExtraHeaders, closing?: boolean): void => {
      this.options.metrics.request(operation.name, outcome.status, performance.now() - started)
      if (gone) return
      gone = true
      const { status, body } = outcome
      if (body instanceof Content) respondWithHeaders(res, body.bytes, status, body.headers)
      else if (body instanceof Uint8Array) respondContent(res, operation.http!.produces!, body, status)
      else respond(res, outcome, headers, closing)
    }
    res.onAborted(() => {
      gone = true
    })
    const foreign = this.options.guard.refusal(req)
    if (foreign !== undefined) {
      answer(problem(403, 'foreign_request', foreign), undefined, true)
      return
    }
    const head = this.head(names, req)
    if ('status' in head) {
      answer(head)
      return
    }
    const { form, isUnrepeatable } = operation.http!
    const isPost = operation.http!.method === 'POST' && !isUnrepeatable
    if (operation.http!.method === 'GET') {
      void this.run(operation, head, undefined).then((outcome) => answer(outcome))
      return
    }
    const type = req.getHeader('content-type')
    const signed = form && { query: req.getQuery() ?? '', signature: req.getHeader(form.signature) }
    readBody(res, Number(req.getHeader('content-length')) || 0, (body) => {
      if (body === undefined) return
      if (body === 'tooLarge') {
        const detail = 'A body is at most 1 MiB; send less at once, or use the import command.'
        return answer(problem(413, 'body_too_large', detail), undefined, true)
      }
      if (signed) {
        const input = Buffer.from(JSON.stringify({ ...signed, form: body.toString() }))
        return void this.run(operation, head, input).then((outcome) => answer(outcome))
      }
      if (body.length > 0 && type !== '' && !/^application\/([\w.+-]+\+)?json\b/i.test(type)) {
        return answer(problem(415, 'invalid', `The body is ${type}; send application/json.`))
      }
      if (isPost && head.idempotencyKey !== '')
        void this.runOnce(operation, head, body).then(({ outcome, headers }) => answer(outcome, headers))
      else void this.run(operation, head, body).then((outcome) => answer(outcome))
    })
  }

  private head(names: string[], req: HttpRequest): RequestHead | Outcome {
    try {
      const parameters: Record<string, string> = {}
      for (let i = 0; i < names.length; i++) parameters[names[i]!] = decodeURIComponent(req.getParameter(i) ?? '')
      const text = req.getQuery()
      const query = text ? Object.fromEntries(new URLSearchParams(text)) : {}
      const idempotencyKey = req.getHeader('idempotency-key')
      if (idempotencyKey.length > IDEMPOTENCY_KEY_BYTES_MAX) {
        return problem(422, 'invalid', `An Idempotency-Key is at most ${IDEMPOTENCY_KEY_BYTES_MAX} bytes.`)
      }
      return { parameters, query, idempotencyKey }
    } catch {
      return problem(400, 'invalid', 'The path is not encoded as a URL should be; encode each part of it.')
    }
  }

  private async run(
    operation: Operation,
    { parameters, query, idempotencyKey }: RequestHead,
    bytes: Buffer | undefined,
    subject?: Subject,
  ): Promise<Outcome> {
    let body: unknown
    if (bytes !== undefined && bytes.length > 0) {
      try {
        body = JSON.parse(utf8.decode(bytes))
      } catch (error) {
        return problem(400, 'invalid', `The body is not JSON: ${(error as Error).message}.`, [
          { path: '', message: 'not JSON' },
        ])
      }
    }
    // No body at all is one that says nothing: where a field is wanted, it is named.
    const isAbsent = bytes === undefined || bytes.length === 0
    const checked = checkInput(operation, { parameters, query, body: isAbsent ? {} : body })
    if ('refused' in checked) return checked.refused
    try {
      const { context } = this.options
      const keyed = subject === undefined ? context : { ...context, idempotencyKey, subject }
      return await operation.run(checked.input, keyed)
    } catch (error) {
      this.options.metrics.fault(operation.name, error)
      return problem(500, 'internal', 'Something went wrong here that should not; it is in the log of the server.')
    }
  }

  /** Carries a request out once for its Idempotency-Key, whoever repeats it, also after a restart. */
  private async runOnce(
    operation: Operation,
    head: RequestHead,
    body: Buffer,
  ): Promise<{ outcome: Outcome; headers?: ExtraHeaders }> {
    const digest = createHash('sha256')
      .update(JSON.stringify([operation.name, head.parameters]))
      .update(body)
      .digest('base64')
    const { outcome, replayed } = await this.once.run(head.idempotencyKey, digest, (subject) =>
      this.run(operation, head, body, subject),
    )
    return replayed ? { outcome, headers: { 'Idempotent-Replayed': 'true' } } : { outcome }
  }
}
