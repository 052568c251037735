/** GET /v1/events: published events as server-sent events, resumable by Last-Event-ID. */

import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EngineEvent, Outcome } from '../../engine/protocol.js'
import { cloudEvent, EventCursor } from '../events.js'
import type { Guard } from '../guard.js'
import { EVENT_STREAM_KEEPALIVE_MS, EVENT_STREAMS_MAX } from '../limits.js'
import type { OperationContext } from '../operations/operation.js'
import { overloaded, problem } from '../problems.js'
import { respond } from './responder.js'

/** Events written at once: what a reader that does not read costs. */
const PAGE = 100

/** One reader. It is written to only while it reads: what it has not read waits in the store, not in memory. */
class EventReader {
  private gone = false
  /** It has not read what it was written last. */
  private lagging = false
  private happened = (): void => {}
  private timer: NodeJS.Timeout | undefined

  constructor(
    private readonly res: HttpResponse,
    private readonly context: OperationContext,
    private readonly cursor: EventCursor,
  ) {
    res.onAborted(() => {
      this.gone = true
      this.happened()
    })
    res.onWritable(() => {
      this.lagging = false
      this.happened()
      return true
    })
  }

  /** Something was published, or the server stops. */
  wake(): void {
    this.happened()
  }

  /** Resolves false where nothing happens for `ms`. One wait at a time: an earlier one that nobody looks at is dropped. */
  private next(ms: number): Promise<boolean> {
    clearTimeout(this.timer)
    return new Promise((resolve) => {
      this.timer = setTimeout(() => resolve(false), ms)
      this.happened = () => {
        clearTimeout(this.timer)
        resolve(true)
      }
    })
  }

  /** Returns once the reader takes more. */
  private async write(text: string): Promise<void> {
    if (!this.gone) this.res.cork(() => (this.lagging = !this.res.write(text)))
    // What is published meanwhile wakes it too, and changes nothing about that.
    while (this.lagging && !this.gone) await this.next(EVENT_STREAM_KEEPALIVE_MS)
  }

  private render(event: EngineEvent | 'missed'): string {
    if (event === 'missed') return ': events before these are no longer kept, some were missed\n\n'
    const data = JSON.stringify(cloudEvent(this.context.directory, event))
    return `id: ${this.cursor}\nevent: ${event.type}\ndata: ${data}\n\n`
  }

  async run(isStopping: () => boolean): Promise<void> {
    await this.write(': events follow\n\n')
    while (!this.gone && !isStopping()) {
      // Whatever is published from here on wakes the reader, so nothing falls between the reading and the waiting.
      const woken = this.next(EVENT_STREAM_KEEPALIVE_MS)
      let page = ''
      for await (const event of this.cursor.next(this.context.dispatch, PAGE)) page += this.render(event)
      if (page !== '') {
        await this.write(page)
        // What was published last is at hand: who is behind reads it between others, not in one go.
        await nextTurn()
      } else if (!(await woken)) await this.write(': still here\n\n')
    }
    clearTimeout(this.timer)
    if (!this.gone) this.res.cork(() => this.res.end())
  }
}

export class EventStreams {
  private stopping = false
  private readonly readers = new Set<EventReader>()

  constructor(
    private readonly context: OperationContext,
    private readonly guard: Guard,
  ) {
    context.dispatch.onEvent(() => this.wakeAll())
  }

  private wakeAll(): void {
    for (const reader of this.readers) reader.wake()
  }

  /** Ends all streams: the server stops. */
  stop(): void {
    this.stopping = true
    this.wakeAll()
  }

  /** Why a request gets no stream. */
  private refusal(req: HttpRequest): Outcome | undefined {
    const foreign = this.guard.refusal(req)
    if (foreign !== undefined) return problem(403, 'foreign_request', foreign)
    if (this.readers.size < EVENT_STREAMS_MAX) return undefined
    return overloaded('There are as many event streams as there can be.')
  }

  handle(res: HttpResponse, req: HttpRequest): void {
    const after = req.getHeader('last-event-id') || new URLSearchParams(req.getQuery() ?? '').get('after') || ''
    const cursor = EventCursor.parse(after, this.context.dispatch.links.partitions)
    const refusal = this.refusal(req)
    if (refusal || !cursor) {
      respond(res, refusal ?? problem(422, 'invalid', 'after: not a cursor that this server gave.'))
      return
    }
    res.cork(() => {
      res.writeStatus('200 OK')
      res.writeHeader('Content-Type', 'text/event-stream')
      res.writeHeader('Cache-Control', 'no-store')
    })
    const reader = new EventReader(res, this.context, cursor)
    this.readers.add(reader)
    void reader.run(() => this.stopping).finally(() => this.readers.delete(reader))
  }
}
