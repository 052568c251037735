/** Our engine's rates and latencies. Every answer that is counted was durable before it was sent. */
import { fill } from './catalogue.js'
import type { Figure } from './figures.js'
import { runLoad } from './load.js'
import type { LoadReport } from './load-protocol.js'
import type { Context, Scenario } from './scenario.js'
import { withServer } from './server.js'

const WARM_UP_MS = 3_000
const UNIT = 'reservations/s'
const SKUS = 1_000
/** A sale's server runs long before the sale: memory is ready for what a run reserves, as --warm-reservations makes it. */
const WARM = { warmReservations: 30_000_000 }
/** A run ends early before it fills what one partition remembers of reservations (67 million). */
const RESERVATIONS_MAX = 60_000_000

interface Shape {
  readonly recordsPerFrame: number
  readonly sockets: number
  readonly framesInFlight: number
}

/** Windows found by trying: wide enough to keep the log busy, no wider than that. */
const PACKED_64: Shape = { recordsPerFrame: 64, sockets: 8, framesInFlight: 32 }
const PACKED_256: Shape = { recordsPerFrame: 256, sockets: 8, framesInFlight: 16 }
const PACKED_1024: Shape = { recordsPerFrame: 1_024, sockets: 8, framesInFlight: 6 }
/** As many in flight as connections and pipelined commands usually make in a shop: 256. */
const SINGLE: Shape = { recordsPerFrame: 1, sockets: 64, framesInFlight: 4 }
const IDLE: Shape = { recordsPerFrame: 1, sockets: 1, framesInFlight: 1 }

const HTTP_CONNECTIONS = 64
const OPEN_SOCKETS = 8
const OPEN_SHARE = 0.5
/** The open loop runs this many times as long as the others: a minute by default, so that it meets checkpoints. */
const OPEN_SECONDS_FACTOR = 6
const LATE_PERCENT_WORTH_SAYING = 1

export const rateScenarios = {
  packed256: closed('packed-256-many', PACKED_256, SKUS, ['redis-lua-always-p64']),
  packed64: closed('packed-64-many', PACKED_64, SKUS, ['redis-lua-always-p64']),
  packed1024: closed('packed-1024-many', PACKED_1024, SKUS, ['redis-lua-always-p64']),
  packedHot: closed('packed-256-hot', PACKED_256, 1, ['packed-256-many', 'postgres-hot-row']),
  single: closed('single-64x4', SINGLE, SKUS, ['redis-lua-always-p1']),
  idle: closed('idle-single', IDLE, SKUS),
  million: closed('packed-256-million', PACKED_256, 1_000_000, ['packed-256-many']),
  http: {
    name: 'http',
    summary: `POST /v1/reservations by autocannon, ${HTTP_CONNECTIONS} connections, one request at a time on each`,
    run: measureHttp,
  },
  open: {
    name: 'open-loop',
    summary: 'frames of 256, due by a Poisson schedule at half of the rate of packed-256-many',
    run: measureOpen,
  },
} satisfies Record<string, Scenario>

function closed(name: string, shape: Shape, skus: number, against: readonly string[] = []): Scenario {
  const { recordsPerFrame, sockets, framesInFlight } = shape
  const how = `${sockets} sockets × ${framesInFlight} frames of ${recordsPerFrame} in flight, ${skus.toLocaleString('en')} SKUs`
  return {
    name,
    summary: how,
    against,
    run: (context) => measureClosed(context, name, shape, skus, how),
  }
}

function measureClosed(context: Context, name: string, shape: Shape, skus: number, how: string): Promise<Figure> {
  return withServer(
    context.resources,
    async (server) => {
      const catalogue = await fill(server, skus)
      const report = await runLoad(context.resources, {
        kind: 'closed',
        port: server.port,
        skus: catalogue.skus,
        ...shape,
        warmUpMs: WARM_UP_MS,
        measureMs: context.seconds * 1_000,
        reservationsMax: RESERVATIONS_MAX,
      })
      assertServed(report)
      return figureOf(name, report, how)
    },
    WARM,
  )
}

function measureHttp(context: Context): Promise<Figure> {
  return withServer(context.resources, async (server) => {
    const catalogue = await fill(server, SKUS)
    const report = await runLoad(context.resources, {
      kind: 'http',
      url: server.url,
      skus: catalogue.names,
      connections: HTTP_CONNECTIONS,
      warmUpMs: WARM_UP_MS,
      measureMs: context.seconds * 1_000,
    })
    assertServed(report)
    return figureOf('http', report, `autocannon, ${HTTP_CONNECTIONS} connections, one request at a time on each`)
  })
}

async function measureOpen(context: Context): Promise<Figure> {
  const highest = context.figure('packed-256-many') ?? (await rateScenarios.packed256.run(context))
  const framesPerSecond = (highest.value * OPEN_SHARE) / PACKED_256.recordsPerFrame
  const room = (RESERVATIONS_MAX * 1_000) / (highest.value * OPEN_SHARE) - WARM_UP_MS
  const seconds = Math.floor(Math.min(context.seconds * OPEN_SECONDS_FACTOR, room / 1_000))
  return withServer(
    context.resources,
    async (server) => {
      const catalogue = await fill(server, SKUS)
      const report = await runLoad(context.resources, {
        kind: 'open',
        port: server.port,
        skus: catalogue.skus,
        recordsPerFrame: PACKED_256.recordsPerFrame,
        sockets: OPEN_SOCKETS,
        framesPerSecond,
        warmUpMs: WARM_UP_MS,
        measureMs: seconds * 1_000,
      })
      const { frames = 0, lateFrames = 0, latestMs = 0 } = report
      const late = (100 * lateFrames) / Math.max(1, frames)
      if (late > LATE_PERCENT_WORTH_SAYING)
        context.say(
          `  the load generator itself was over 1 ms late with ${late.toFixed(1)} % of the frames; this is counted in`,
        )
      const refused = Object.values(report.refused).reduce((sum, count) => sum + count, 0)
      const how = [
        `${Math.round(framesPerSecond)} frames of 256 a second over ${OPEN_SOCKETS} sockets, ${seconds} s, due by Poisson`,
        ...Object.entries(report.refused).map(([reason, count]) => `${count} × ${reason}`),
      ]
      return {
        ...figureOf('open-loop', report, how.join('; ')),
        detail: { frames, lateFrames, latestMs, refused, generatorLoad: report.generatorLoad },
      }
    },
    { warmReservations: RESERVATIONS_MAX },
  )
}

function figureOf(name: string, report: LoadReport, how: string): Figure {
  const value = report.operations / report.seconds
  return {
    name,
    value,
    unit: UNIT,
    latency: report.latency,
    how,
    detail: { generatorLoad: report.generatorLoad },
  }
}

/** There is stock to spare and room for all: a refusal means that less work was done than is claimed. */
export function assertServed(report: LoadReport): void {
  const refused = Object.entries(report.refused).map(([reason, count]) => `${count} × ${reason}`)
  if (report.operations === 0) throw new Error('The server answered nothing.')
  if (refused.length > 0) throw new Error(`The server refused: ${refused.join(', ')}.`)
}
