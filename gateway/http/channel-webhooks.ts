/** What platforms POST to us: bodies are kept as they were sent, since it is their bytes that are signed. */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import type { Outcome } from '../../engine/protocol.js'
import { CHANNEL_TYPES } from '../channels/channel.js'
import { CHANNEL_HEADERS_MAX } from '../limits.js'
import type { Metrics } from '../metrics.js'
import type { OperationContext } from '../operations/operation.js'
import { problem } from '../problems.js'
import { readBody } from './body.js'
import { respond } from './responder.js'

const NAME = 'channel.webhook'

export class ChannelWebhooks {
  constructor(
    private readonly context: OperationContext,
    private readonly metrics: Metrics,
  ) {}

  handle(res: HttpResponse, req: HttpRequest): void {
    const started = performance.now()
    let gone = false
    res.onAborted(() => {
      gone = true
    })
    const [type, id] = [decodeURIComponent(req.getParameter(0) ?? ''), decodeURIComponent(req.getParameter(1) ?? '')]
    const headers: Record<string, string> = {}
    let count = 0
    req.forEach((name, value) => {
      if (count++ < CHANNEL_HEADERS_MAX) headers[name] = value
    })
    const answer = (outcome: Outcome, closing = false): void => {
      this.metrics.request(NAME, outcome.status, performance.now() - started)
      if (!gone) respond(res, outcome, undefined, closing)
    }
    const kind = CHANNEL_TYPES.find((one) => one === type)
    const connection = kind && this.context.channels.connections.get(kind, id)
    readBody(res, Number(req.getHeader('content-length')) || 0, (body) => {
      if (body === undefined) return
      if (body === 'tooLarge') return answer(problem(413, 'body_too_large', 'A delivery is at most 1 MiB.'), true)
      if (!connection)
        return answer(problem(404, 'unknown_channel', `There is no ${type.slice(0, 40)} connection of this name.`))
      void this.context.channels.intake
        .receive(connection, { headers, body })
        .catch((error: unknown) => {
          this.metrics.fault(NAME, error)
          return problem(503, 'overloaded', 'The delivery could not be kept; send it again.')
        })
        .then((outcome) => answer(outcome))
    })
  }
}
