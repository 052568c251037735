/** POST of partners' EDI files: raw text in, the acknowledgement as raw text out. */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import { type InterchangeAnswer, Interchanges } from '../channels/edi/exchange/interchanges.js'
import { hasSecret } from '../channels/edi/exchange/reader.js'
import type { Guard } from '../guard.js'
import type { Metrics } from '../metrics.js'
import type { OperationContext } from '../operations/operation.js'
import { problem } from '../problems.js'
import { readBody } from './body.js'
import { respond, respondContent } from './responder.js'

const NAME = 'edi.interchanges'

export class EdiInterchanges {
  private readonly interchanges: Interchanges

  constructor(
    private readonly context: OperationContext,
    private readonly guard: Guard,
    private readonly metrics: Metrics,
  ) {
    this.interchanges = new Interchanges(context)
  }

  handle(res: HttpResponse, req: HttpRequest): void {
    const started = performance.now()
    let gone = false
    res.onAborted(() => {
      gone = true
    })
    const id = req.getParameter(0) ?? ''
    const headers = { authorization: req.getHeader('authorization') }
    const foreign = this.guard.refusal(req)
    const answer = (answered: InterchangeAnswer, closing = false): void => {
      this.metrics.request(NAME, 'text' in answered ? 200 : answered.status, performance.now() - started)
      if (gone) return
      // Latin-1, of which X12's ASCII is a part.
      if ('text' in answered) respondContent(res, answered.type, Buffer.from(answered.text, 'latin1'))
      else respond(res, answered, answered.status === 401 ? { 'WWW-Authenticate': 'Bearer' } : undefined, closing)
    }
    readBody(res, Number(req.getHeader('content-length')) || 0, (body) => {
      if (body === undefined) return
      if (body === 'tooLarge') return answer(problem(413, 'body_too_large', 'A file is at most 1 MiB; send two.'), true)
      const connection = this.context.channels.connections.get('edi', decoded(id))
      if (!connection) {
        return answer(problem(404, 'unknown_channel', 'There is no edi connection of this name; put it first.'))
      }
      // Without a secret only programs on this machine may send, as with everything else here.
      if (connection.secret === '' && foreign !== undefined) return answer(problem(403, 'foreign_request', foreign))
      if (connection.secret !== '' && !hasSecret({ headers, body }, connection)) {
        return answer(problem(401, 'wrong_secret', 'Send Authorization: Bearer with this connection’s secret.'))
      }
      void this.interchanges
        .take(connection, body)
        .catch((error: unknown) => {
          this.metrics.fault(NAME, error)
          return problem(503, 'overloaded', 'The file could not be kept; send it again.')
        })
        .then((answered) => answer(answered))
    })
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
