/**
 * Outward calls of which the answers are noted: a webhook that carries only an id is no order without what was then read
 * from the shop. Only what was asked for is noted, never what was sent: that has secrets in it.
 */
import type { OutwardHttp } from './channel.js'

/** Together with what was sent it is one record of the log, which has at most 1 MiB. */
const NOTED_BYTES_MAX = 512 * 1_024

export class NotedHttp implements OutwardHttp {
  private readonly noted: Record<string, unknown> = {}
  private bytes = 0

  constructor(private readonly http: OutwardHttp) {}

  /** By path and query; undefined where nothing was asked, or so much that it is not kept. */
  get answers(): Readonly<Record<string, unknown>> | undefined {
    return this.bytes === 0 || this.bytes > NOTED_BYTES_MAX ? undefined : this.noted
  }

  json: OutwardHttp['json'] = async (request) => {
    const answer = await this.http.json(request)
    if (request.method === 'GET' && answer !== undefined) {
      const { pathname, search } = new URL(request.url)
      this.noted[pathname + search] = answer
      this.bytes += Buffer.byteLength(JSON.stringify(answer))
    }
    return answer
  }
}
