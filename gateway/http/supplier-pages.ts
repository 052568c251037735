/** What a supplier sees and sends behind a signed link: pages and forms, since no more than a browser is needed for them. */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import { z } from 'zod'
import { Refused } from '../channels/applied.js'
import { type Hand, shipAsSaid, standingOf, take } from '../channels/edi/exchange/fulfillment-steps.js'
import { openSupplierToken } from '../channels/edi/supplier/supplier-link.js'
import {
  closedPage,
  POSSIBLE,
  SUPPLIER_HEADERS,
  type SupplierPage,
  supplierPage,
} from '../channels/edi/supplier/supplier-page.js'
import type { Metrics } from '../metrics.js'
import type { OperationContext } from '../operations/operation.js'
import { problem } from '../problems.js'
import { readBody } from './body.js'
import { respond, respondPage } from './responder.js'

const NAME = 'supplier.page'

const form = z.discriminatedUnion('step', [
  z.object({ step: z.literal('accept') }),
  z.object({
    step: z.literal('ship'),
    carrier: z.string().trim().min(1).max(100),
    trackingNumber: z.string().trim().max(100).default(''),
  }),
])

export class SupplierPages {
  constructor(
    private readonly context: OperationContext,
    private readonly metrics: Metrics,
  ) {}

  show(res: HttpResponse, req: HttpRequest): void {
    const { token, answer } = this.begin(res, req)
    answer(this.pageOf(token, async () => undefined))
  }

  submit(res: HttpResponse, req: HttpRequest): void {
    const { token, answer, refuse } = this.begin(res, req)
    readBody(res, Number(req.getHeader('content-length')) || 0, (body) => {
      if (body === undefined) return
      if (body === 'tooLarge') return refuse(413, 'A form is at most 1 MiB.')
      const sent = form.safeParse(Object.fromEntries(new URLSearchParams(body.toString())))
      answer(
        this.pageOf(token, async (fulfillment) => {
          if (!sent.success) return { status: 422, message: 'Please fill in the carrier.' }
          return this.stepOn(fulfillment, sent.data)
        }),
      )
    })
  }

  private begin(res: HttpResponse, req: HttpRequest) {
    const started = performance.now()
    const token = req.getParameter(0) ?? ''
    let gone = false
    res.onAborted(() => {
      gone = true
    })
    const refuse = (status: number, detail: string): void => {
      this.metrics.request(NAME, status, performance.now() - started)
      if (!gone)
        respond(res, problem(status, status === 413 ? 'body_too_large' : 'overloaded', detail), undefined, true)
    }
    const answer = (work: Promise<SupplierPage>): void => {
      work
        .then((page) => {
          this.metrics.request(NAME, page.status, performance.now() - started)
          if (!gone) respondPage(res, page.status, page.html, SUPPLIER_HEADERS)
        })
        .catch((error: unknown) => {
          this.metrics.fault(NAME, error)
          refuse(503, 'It could not be done now; try again.')
        })
    }
    return { token, answer, refuse }
  }

  /** The page as it is after what is done; `work` says what is in the way of it. */
  private async pageOf(
    token: string,
    work: (fulfillment: string) => Promise<{ status: 409 | 422; message: string } | undefined>,
  ): Promise<SupplierPage> {
    const opened = openSupplierToken(token, this.context)
    if ('reason' in opened) return closedPage(opened.reason)
    try {
      const fault = await work(opened.fulfillment)
      return supplierPage(await standingOf(opened.fulfillment, this.context), this.context, fault)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return closedPage('unknown')
    }
  }

  private async stepOn(
    fulfillment: string,
    wish: z.output<typeof form>,
  ): Promise<{ status: 409 | 422; message: string } | undefined> {
    const { context } = this
    const { fulfillment: now } = await standingOf(fulfillment, context)
    const isDone = wish.step === 'accept' ? now.status !== 'pending' : ['shipped', 'delivered'].includes(now.status)
    const isOff = !isDone && !POSSIBLE[now.status]?.includes(wish.step)
    if (isOff) return { status: 409, message: 'It is not to be sent any more.' }
    // Twice the same button, or the page of before: it is as it should be.
    if (isDone) return undefined
    const location = context.directory.name('locations', now.location)
    const hand: Hand = { fulfillment, by: location, source: 'supplier-link' }
    try {
      if (wish.step === 'accept') await take('accept', hand, {}, context)
      else await shipAsSaid(hand, undefined, sentBy(wish), context)
    } catch (error) {
      if (error instanceof Refused) return { status: 409, message: error.message }
      throw error
    }
    return undefined
  }
}

function sentBy({ carrier, trackingNumber }: { carrier: string; trackingNumber: string }) {
  const tracking = trackingNumber === '' ? {} : { trackingNumber }
  return { carrier, ...tracking, packages: [{ weightGrams: 0, ...tracking }] }
}
