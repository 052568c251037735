/**
 * GET /v1/orders/export: all orders that match, newest first. They are read a page at a time, and the next page only once
 * the reader has taken the last, so an export costs the same memory whatever its length.
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import type { z } from 'zod'
import type { OrderView } from '../../actors/order/order-views.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Guard } from '../guard.js'
import { EXPORT_STALL_MS_MAX, EXPORTS_MAX } from '../limits.js'
import type { Metrics } from '../metrics.js'
import { checkInput, type OperationContext } from '../operations/operation.js'
import { filterOf, pageOf } from '../operations/orders.js'
import { ORDER_TEXTS } from '../order-rows.js'
import { orderExport } from '../order-schemas.js'
import { openOrder } from '../personal-data/opened-order.js'
import { overloaded, problem } from '../problems.js'
import { PacedBody } from './paced-body.js'
import { respond } from './responder.js'

const NAME = 'order.export'
const PAGE = 100

/** In the metrics: its reader did not wait for the end. As nginx names it. */
const READER_GONE = 499

interface ExportedOrder {
  entry: string
  order: OrderView
}

export class OrderExports {
  private readonly running = new Set<PacedBody>()
  private stopping = false

  constructor(
    private readonly context: OperationContext,
    private readonly guard: Guard,
    private readonly metrics: Metrics,
  ) {}

  /** Cuts all exports off: the server stops. */
  stop(): void {
    this.stopping = true
    for (const body of this.running) body.cut()
  }

  handle(res: HttpResponse, req: HttpRequest): void {
    const started = performance.now()
    const refusal = this.refusal(req)
    const query = Object.fromEntries(new URLSearchParams(req.getQuery() ?? ''))
    const body = new PacedBody(res, EXPORT_STALL_MS_MAX)
    const finish = (status: number): void => this.metrics.request(NAME, status, performance.now() - started)
    if (refusal) {
      respond(res, refusal)
      finish(refusal.status)
      return
    }
    this.running.add(body)
    void this.answer(query, body, res)
      .then(finish)
      .finally(() => this.running.delete(body))
  }

  private refusal(req: HttpRequest): Outcome | undefined {
    const foreign = this.guard.refusal(req)
    if (foreign !== undefined) return problem(403, 'foreign_request', foreign)
    if (this.running.size < EXPORTS_MAX && !this.stopping) return undefined
    return overloaded('There are as many exports under way as there can be.')
  }

  /** Resolves with the status that it came to. */
  private async answer(query: object, body: PacedBody, res: HttpResponse): Promise<number> {
    try {
      const status = await this.write(query, body)
      if (typeof status === 'number') return status
      if (!body.isGone) respond(res, status)
      return status.status
    } catch (error) {
      this.metrics.fault(NAME, error)
      body.cut()
      return 500
    }
  }

  /** The outcome where nothing was written yet. */
  private async write(query: object, body: PacedBody): Promise<number | Outcome> {
    const checked = checkInput({ query: orderExport }, { parameters: {}, query, body: {} })
    if ('refused' in checked) return checked.refused
    const { format, ...wanted } = checked.input as z.output<typeof orderExport>
    const found = filterOf(wanted, this.context)
    if ('refused' in found) return found.refused
    const text = ORDER_TEXTS[format]
    const ask = { filter: found.filter, detail: text.detail }
    const read = (cursor?: string) => pageOf<ExportedOrder>('order.list', ask, PAGE, cursor, this.context)
    let page = await read()
    if ('status' in page) return page
    body.begin({
      'Content-Type': text.contentType,
      'Content-Disposition': `attachment; filename="${text.fileName}"`,
      'Cache-Control': 'no-store',
    })
    await body.write(text.head)
    for (;;) {
      const { directory, people } = this.context
      await body.write(page.items.map(({ order }) => text.render(openOrder(people, order), directory)).join(''))
      if (body.isGone) return READER_GONE
      if (page.nextCursor === null) break
      page = await read(page.nextCursor)
      if ('status' in page) {
        body.cut()
        return page.status
      }
    }
    body.end()
    return 200
  }
}
