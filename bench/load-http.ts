/**
 * HTTP load by autocannon, whose own client sends, parses and times. It would build each request with a new id from its
 * parts; here each is a prepared one into which a new id is written, because what the generator spends is missing from the
 * figure. One request at a time on a connection: few clients pipeline HTTP, and the server does not take it.
 */
import { randomUUID } from 'node:crypto'
import autocannon from 'autocannon'
import type { HttpJob, LoadReport } from './load-protocol.js'
import { Recorder } from './load-record.js'

const PATH = '/v1/reservations'
const TTL_SECONDS = 86_400
const ID_PLACE = '00000000-0000-4000-8000-000000000000'
/** Prepared requests of each connection, which it goes through in turn: SKUs vary among them. */
const PREPARED = 16

/** The part of autocannon's client that is used here and is not in its types. */
interface PreparedClient {
  getRequestBuffer(): Buffer
}

export async function runHttp(job: HttpJob): Promise<LoadReport> {
  await fire(job, job.warmUpMs)
  return fire(job, job.measureMs)
}

async function fire(job: HttpJob, durationMs: number): Promise<LoadReport> {
  const startMs = performance.now()
  const recorder = new Recorder(startMs, startMs + durationMs)
  let sku = 0
  const options: autocannon.Options = {
    url: `${job.url}${PATH}`,
    method: 'POST',
    connections: job.connections,
    duration: durationMs / 1_000,
    setupClient(client) {
      const prepared = Array.from({ length: PREPARED }, () => prepare(job, job.skus[sku++ % job.skus.length] ?? ''))
      // Its class has more than its types say.
      usePrepared(client as unknown as PreparedClient, prepared)
    },
  }
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon(options, (error, outcome) => (error ? reject(error) : resolve(outcome)))
    run.on('response', (_client, status, _bytes, latencyMs) => {
      if (status !== 201) recorder.refused(`HTTP ${status}`)
      recorder.answered(1, latencyMs, performance.now())
    })
  })
  if (result.errors > 0) recorder.refused('connection error', result.errors)
  return recorder.report(performance.now())
}

interface Prepared {
  readonly bytes: Buffer
  readonly idAt: number
}

function prepare(job: HttpJob, sku: string): Prepared {
  const body = JSON.stringify({ id: ID_PLACE, sku, quantity: 1, ttlSeconds: TTL_SECONDS })
  const head = [
    `POST ${PATH} HTTP/1.1`,
    `Host: ${new URL(job.url).host}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  const bytes = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
  return { bytes, idAt: bytes.indexOf(ID_PLACE) }
}

function usePrepared(client: PreparedClient, prepared: readonly Prepared[]): void {
  let next = 0
  client.getRequestBuffer = () => {
    const { bytes, idAt } = prepared[next++ % prepared.length] as Prepared
    bytes.write(randomUUID(), idAt, 'latin1')
    return bytes
  }
}
