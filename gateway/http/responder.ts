/** Writes answers: JSON documents and problem documents, each in one piece. */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import type { Outcome, Problem } from '../../engine/protocol.js'
import { RETRY_AFTER_SECONDS } from '../limits.js'
import { problem, problemDocument } from '../problems.js'

const STATUS_LINES: Record<number, string> = {
  200: '200 OK',
  201: '201 Created',
  202: '202 Accepted',
  400: '400 Bad Request',
  401: '401 Unauthorized',
  403: '403 Forbidden',
  404: '404 Not Found',
  405: '405 Method Not Allowed',
  409: '409 Conflict',
  410: '410 Gone',
  413: '413 Content Too Large',
  415: '415 Unsupported Media Type',
  422: '422 Unprocessable Content',
  500: '500 Internal Server Error',
  503: '503 Service Unavailable',
}

export interface ExtraHeaders {
  [name: string]: string
}

/** `closing`: the request was not read to its end, so the connection cannot be used again. */
export function respond(res: HttpResponse, outcome: Outcome, headers?: ExtraHeaders, closing = false): void {
  const { status, body } = outcome
  const failed = status >= 400
  const document = failed ? problemDocument(status, body as Problem) : body
  res.cork(() => {
    res.writeStatus(STATUS_LINES[status] ?? String(status))
    res.writeHeader('Content-Type', failed ? 'application/problem+json' : 'application/json')
    if (status === 503) res.writeHeader('Retry-After', String(RETRY_AFTER_SECONDS))
    for (const name in headers) res.writeHeader(name, headers[name]!)
    res.end(JSON.stringify(document), closing)
  })
}

/** Another method than a path has. An answer to HEAD has no body, or the connection would be out of step. */
export function refuseMethod(res: HttpResponse, req: HttpRequest, allow: string[]): void {
  const method = req.getMethod().toUpperCase()
  const detail = `${method} is not possible here; ${allow.join(' and ')} ${allow.length > 1 ? 'are' : 'is'}.`
  respondUnlessHead(res, method, problem(405, 'method_not_allowed', detail), { Allow: allow.join(', ') })
}

export function refusePath(res: HttpResponse, req: HttpRequest): void {
  const detail = `There is nothing at ${req.getUrl().slice(0, 200)}; see /docs for what is.`
  respondUnlessHead(res, req.getMethod().toUpperCase(), problem(404, 'not_found', detail))
}

function respondUnlessHead(res: HttpResponse, method: string, outcome: Outcome, headers?: ExtraHeaders): void {
  if (method !== 'HEAD') {
    respond(res, outcome, headers)
    return
  }
  res.cork(() => {
    res.writeStatus(STATUS_LINES[outcome.status]!)
    for (const name in headers) res.writeHeader(name, headers[name]!)
    res.endWithoutBody()
  })
}

/** Content that says itself, in its headers, what it is and what it may do. */
export function respondWithHeaders(
  res: HttpResponse,
  content: Uint8Array,
  status: number,
  headers: ExtraHeaders,
): void {
  res.cork(() => {
    res.writeStatus(STATUS_LINES[status]!)
    for (const name in headers) res.writeHeader(name, headers[name]!)
    res.end(content)
  })
}

export function respondContent(res: HttpResponse, type: string, content: string | Uint8Array, status = 200): void {
  res.cork(() => {
    res.writeStatus(STATUS_LINES[status]!)
    res.writeHeader('Content-Type', type)
    if (type.startsWith('text/html')) {
      res.writeHeader(
        'Content-Security-Policy',
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      )
    }
    res.writeHeader('X-Content-Type-Options', 'nosniff')
    res.end(content)
  })
}

/** A page that brings its own headers. */
export function respondPage(res: HttpResponse, status: number, content: string, headers: ExtraHeaders): void {
  res.cork(() => {
    res.writeStatus(STATUS_LINES[status] ?? String(status))
    for (const name in headers) res.writeHeader(name, headers[name]!)
    res.end(content)
  })
}
