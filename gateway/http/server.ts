/** HTTP beside the operations: health, metrics, specifications, pages; and the answer to every other path. */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js'
import type { Guard } from '../guard.js'
import type { Metrics } from '../metrics.js'
import type { Operation, OperationContext } from '../operations/operation.js'
import { problem } from '../problems.js'
import { asyncApiDocument } from '../websocket/asyncapi.js'
import { ChannelWebhooks } from './channel-webhooks.js'
import { EdiInterchanges } from './edi-interchanges.js'
import { EventStreams } from './event-stream.js'
import { openApiDocument } from './openapi.js'
import { OrderExports } from './order-export.js'
import { docsPage, frontPage } from './pages.js'
import { refuseMethod, refusePath, respond, respondContent } from './responder.js'
import { Routes } from './routes.js'
import { SupplierPages } from './supplier-pages.js'

/** What takes long to make and is seldom asked for. */
function once(make: () => string): () => string {
  let made: string | undefined
  return () => {
    made ??= make()
    return made
  }
}

export interface HttpServerOptions {
  app: TemplatedApp
  operations: Operation[]
  context: OperationContext
  guard: Guard
  metrics: Metrics
  version: string
}

export class HttpServer {
  private readonly events: EventStreams
  private readonly exports: OrderExports
  /** From here on the server is not ready: it stops. */
  stopping = false

  constructor(private readonly options: HttpServerOptions) {
    const { app, operations, context, guard, metrics, version } = options
    this.events = new EventStreams(context, guard)
    app.get('/v1/events', (res, req) => this.events.handle(res, req))
    app.any('/v1/events', (res, req) => refuseMethod(res, req, ['GET']))
    this.exports = new OrderExports(context, guard, metrics)
    app.get('/v1/orders/export', (res, req) => this.exports.handle(res, req))
    app.any('/v1/orders/export', (res, req) => refuseMethod(res, req, ['GET']))
    const webhooks = new ChannelWebhooks(context, metrics)
    app.post('/v1/channels/:type/:connection/webhooks', (res, req) => webhooks.handle(res, req))
    app.any('/v1/channels/:type/:connection/webhooks', (res, req) => refuseMethod(res, req, ['POST']))
    const interchanges = new EdiInterchanges(context, guard, metrics)
    app.post('/v1/channels/edi/:connection/interchanges', (res, req) => interchanges.handle(res, req))
    app.any('/v1/channels/edi/:connection/interchanges', (res, req) => refuseMethod(res, req, ['POST']))
    const supplier = new SupplierPages(context, metrics)
    app.get('/v1/supplier/:token', (res, req) => supplier.show(res, req))
    app.post('/v1/supplier/:token', (res, req) => supplier.submit(res, req))
    app.any('/v1/supplier/:token', (res, req) => refuseMethod(res, req, ['GET', 'POST']))
    new Routes({ app, operations, context, guard, metrics })

    const openapi = once(() => JSON.stringify(openApiDocument(operations, version)))
    const asyncapi = once(() => JSON.stringify(asyncApiDocument(operations, version)))
    const docs = once(() => docsPage(operations))
    this.get('/healthz', (res) => respond(res, { status: 200, body: { status: 'alive' } }))
    this.get('/readyz', (res) => this.ready(res))
    this.get('/openapi.json', (res) => respondContent(res, 'application/json', openapi()))
    this.get('/asyncapi.json', (res) => respondContent(res, 'application/json', asyncapi()))
    this.get('/docs', (res) => respondContent(res, 'text/html; charset=utf-8', docs()))
    this.get('/metrics', (res, isGone) => {
      void metrics.text().then((text) => {
        if (!isGone()) respondContent(res, 'text/plain; version=0.0.4; charset=utf-8', text)
      })
    })
    this.get('/', (res, isGone) => {
      void this.frontPage().then((text) => {
        if (!isGone()) respondContent(res, 'text/html; charset=utf-8', text)
      })
    })
    app.any('/*', refusePath)
  }

  /** Ends what is still being written: the server stops. */
  stopStreams(): void {
    this.events.stop()
    this.exports.stop()
  }

  private get(path: string, answer: (res: HttpResponse, isGone: () => boolean) => void): void {
    const { app, guard } = this.options
    app.get(path, (res: HttpResponse, req: HttpRequest) => {
      let gone = false
      res.onAborted(() => {
        gone = true
      })
      const foreign = guard.refusal(req)
      if (foreign !== undefined) respond(res, problem(403, 'foreign_request', foreign))
      else answer(res, () => gone)
    })
    app.any(path, (res, req) => refuseMethod(res, req, ['GET']))
  }

  private ready(res: HttpResponse): void {
    const { logFault } = this.options.context.dispatch
    if (this.stopping) respond(res, problem(503, 'stopping', 'The server stops; use another.'))
    else if (logFault !== undefined) respond(res, problem(503, 'log_write_failed', logFault))
    else respond(res, { status: 200, body: { status: 'ready' } })
  }

  private async frontPage(): Promise<string> {
    const { dispatch, directory } = this.options.context
    const figures = await dispatch.queryAll('figures', {})
    const live = figures.reduce((sum, { body }) => sum + ((body as { live?: number }).live ?? 0), 0)
    return frontPage({
      version: this.options.version,
      partitions: dispatch.links.partitions,
      skus: directory.count('skus'),
      locations: directory.count('locations'),
      live,
    })
  }
}
