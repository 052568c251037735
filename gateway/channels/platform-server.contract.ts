/** A platform to call in tests: a real HTTP server that answers as a test tells it, and the outward calls to it, by fetch. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { OutwardHttp } from './channel.js'

export interface PlatformRequest {
  method: string
  path: string
  query: URLSearchParams
  headers: Record<string, string | undefined>
  /** Parsed where it is JSON, else text; undefined where there is none. */
  body: unknown
}

/** A body that is undefined is answered with 204; text goes as it is. */
export interface PlatformAnswer {
  status?: number
  body?: unknown
}

export class PlatformServer {
  readonly requests: PlatformRequest[] = []
  private readonly server: Server

  constructor(answer: (request: PlatformRequest) => PlatformAnswer | undefined) {
    this.server = createServer((incoming, outgoing) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        const url = new URL(incoming.url ?? '/', 'http://platform')
        const text = Buffer.concat(chunks).toString()
        const isJson = incoming.headers['content-type']?.startsWith('application/json') ?? false
        const request: PlatformRequest = {
          method: incoming.method ?? '',
          path: url.pathname,
          query: url.searchParams,
          // Only repeated headers are lists, and nothing here sends those.
          headers: incoming.headers as Record<string, string | undefined>,
          body: text === '' ? undefined : isJson ? JSON.parse(text) : text,
        }
        this.requests.push(request)
        const { status, body } = answer(request) ?? { status: 404, body: { error: 'no such thing' } }
        outgoing.writeHead(status ?? (body === undefined ? 204 : 200), { 'content-type': 'application/json' })
        outgoing.end(body === undefined ? undefined : JSON.stringify(body))
      })
    })
  }

  get url(): string {
    // Listening on a port, so it is no pipe’s name.
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async start(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done))
    return this
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((done) => this.server.close(done))
  }
}

export const fetchHttp: OutwardHttp = {
  async json({ method, url, headers = {}, body }) {
    const isText = typeof body === 'string' && headers['content-type'] !== undefined
    const answer = await fetch(url, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${new URL(url).pathname} was answered ${answer.status}: ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  },
}

/** For adapters that have no reason to call anybody. */
export const noHttp: OutwardHttp = {
  json: async ({ method, url }) => {
    throw new Error(`${method} ${url} was not expected`)
  },
}

/** Answers GETs from a table of path and JSON, without a server: for reading the same thing hundreds of times. */
export const tableHttp = (answers: Record<string, unknown>): OutwardHttp => ({
  json: async ({ method, url }) => {
    const { pathname } = new URL(url)
    if (method !== 'GET' || !Object.hasOwn(answers, pathname)) throw new Error(`${method} ${pathname} was not expected`)
    return answers[pathname]
  },
})
