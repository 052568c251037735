/** Calls by the platform's own fetch: one try, bounded in time and size, no redirects. */
import type { OutwardHttp } from '../../channels/channel.js'

const TIMEOUT_MS = 30_000
const ANSWER_BYTES_MAX = 8 * 1_048_576

export class AnsweredOtherwise extends Error {
  constructor(
    method: string,
    host: string,
    readonly status: number,
  ) {
    super(`${method} ${host} was answered ${status}`)
  }
}

export const fetchHttp: OutwardHttp = {
  async json({ method, url, headers, body }) {
    const { host } = new URL(url)
    const answer = await fetch(url, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { Accept: 'application/json', ...(body === undefined ? {} : JSON_TYPE), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) {
      await answer.body?.cancel()
      throw new AnsweredOtherwise(method, host, answer.status)
    }
    const parts: Uint8Array[] = []
    let bytes = 0
    for await (const part of answer.body ?? []) {
      bytes += part.length
      if (bytes > ANSWER_BYTES_MAX)
        throw new Error(`${method} ${host} was answered with over ${ANSWER_BYTES_MAX} bytes`)
      parts.push(part)
    }
    return bytes === 0 ? undefined : JSON.parse(Buffer.concat(parts).toString('utf8'))
  },
}

const JSON_TYPE = { 'Content-Type': 'application/json' }
