/** GET /v1/events: published events as server-sent events, resumable by Last-Event-ID. */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import type { Outcome } from '../../engine/protocol.js'
import { cloudEvent, EventCursor } from '../events.js'
import type { Guard } from '../guard.js'
import { EVENT_STREAM_KEEPALIVE_MS, EVENT_STREAMS_MAX } from '../limits.js'
import type { OperationContext } from '../operations/operation.js'
import { overloaded, problem } from '../problems.js'
import { respond } from './responder.js'

const PAGE = 100

export class EventStreams {
  private streams = 0
  private stopping = false
  private readonly wakes = new Set<() => void>()

  constructor(
    private readonly context: OperationContext,
    private readonly guard: Guard,
  ) {
    context.dispatch.onEvent(() => this.wakeAll())
  }

  private wakeAll(): void {
    for (const wake of this.wakes) wake()
  }

  /** Ends all streams: the server stops. */
  stop(): void {
    this.stopping = true
    this.wakeAll()
  }

  handle(res: HttpResponse, req: HttpRequest): void {
    let gone = false
    let wake = (): void => {}
    res.onAborted(() => {
      gone = true
      wake()
    })
    const foreign = this.guard.refusal(req)
    const refuse = (outcome: Outcome): void => {
      gone = true
      respond(res, outcome)
    }
    if (foreign !== undefined) {
      refuse(problem(403, 'foreign_request', foreign))
      return
    }
    const after = req.getHeader('last-event-id') || new URLSearchParams(req.getQuery() ?? '').get('after') || ''
    const cursor = EventCursor.parse(after, this.context.dispatch.links.partitions)
    if (!cursor) {
      refuse(problem(422, 'invalid', 'after: not a cursor that this server gave.'))
      return
    }
    if (this.streams >= EVENT_STREAMS_MAX) {
      refuse(overloaded('There are as many event streams as there can be.'))
      return
    }
    res.cork(() => {
      res.writeStatus('200 OK')
      res.writeHeader('Content-Type', 'text/event-stream')
      res.writeHeader('Cache-Control', 'no-store')
      res.write(': events follow\n\n')
    })
    this.streams++
    const isGone = (): boolean => gone
    const wait = (): Promise<boolean> =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), EVENT_STREAM_KEEPALIVE_MS)
        wake = () => {
          clearTimeout(timer)
          resolve(true)
        }
        this.wakes.add(wake)
      }).then((woken) => {
        this.wakes.delete(wake)
        return woken as boolean
      })
    void this.pump(res, cursor, isGone, wait).finally(() => {
      this.streams--
      this.wakes.delete(wake)
    })
  }

  private async pump(
    res: HttpResponse,
    cursor: EventCursor,
    isGone: () => boolean,
    wait: () => Promise<boolean>,
  ): Promise<void> {
    const { dispatch, directory } = this.context
    while (!isGone() && !this.stopping) {
      // Whatever is published from here on wakes the reader, so nothing falls between the reading and the waiting.
      const woken = wait()
      let any = false
      for await (const event of cursor.next(dispatch, PAGE)) {
        if (isGone()) return
        any = true
        if (event === 'missed') {
          res.cork(() => res.write(': events before these are no longer kept, some were missed\n\n'))
          continue
        }
        const { id: _id, ...rest } = cloudEvent(directory, event)
        const text = JSON.stringify({ ...rest, id: `${event.partition}-${event.number}` })
        res.cork(() => res.write(`id: ${cursor}\nevent: ${event.type}\ndata: ${text}\n\n`))
      }
      if (any) continue
      if (!(await woken) && !isGone()) res.cork(() => res.write(': still here\n\n'))
    }
    if (!isGone()) res.cork(() => res.end())
  }
}
