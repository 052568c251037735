/** Our rates by NATS: server, nats-server and load on this machine. Every answer that is counted was durable here before. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fill } from './catalogue.js'
import { assertServed } from './engine-rates.js'
import type { Figure } from './figures.js'
import { runLoad } from './load.js'
import type { NatsJob } from './load-protocol.js'
import { freePort, type Resources } from './resources.js'
import { type Context, findProgram, type Scenario } from './scenario.js'
import { withServer } from './server.js'

const WARM_UP_MS = 3_000
const SKUS = 1_000
/** A run ends early before it fills what one partition remembers of reservations. */
const RESERVATIONS_MAX = 60_000_000
const MESSAGES_MAX = 5_000_000
const TOOLS = ['.tools']

interface Shape {
  readonly mode: NatsJob['mode']
  readonly unit: string
  readonly inFlight: number
  readonly recordsPerFrame: number
  readonly how: string
}

export const natsScenarios = {
  packed: scenario('nats-packed', {
    mode: 'packed',
    unit: 'reservations/s',
    inFlight: 64,
    recordsPerFrame: 256,
    how: 'doorbuster.v1.reserve, 64 frames of 256 in flight on one connection, 1,000 SKUs',
  }),
  commands: scenario('nats-commands', {
    mode: 'commands',
    unit: 'commands/s',
    inFlight: 1_024,
    recordsPerFrame: 1,
    how: 'doorbuster.v1.command.reservation.create as JSON, 1,024 in flight on one connection, 1,000 SKUs',
  }),
  intake: scenario('nats-intake', {
    mode: 'intake',
    unit: 'commands/s',
    inFlight: 4_096,
    recordsPerFrame: 1,
    how: 'reservation.create as JSON by a JetStream stream in files, from the first publish to the last acknowledgement',
  }),
} satisfies Record<string, Scenario>

function scenario(name: string, shape: Shape): Scenario {
  return {
    name,
    summary: shape.how,
    missing: () => (findProgram('nats-server', TOOLS) ? undefined : 'there is no nats-server; run test/setup.sh'),
    run: (context) => measure(context, name, shape),
  }
}

/** A nats-server with JetStream in a directory of its own; resolves its URL. */
async function startNats(resources: Resources): Promise<{ url: string; stop: () => Promise<void> }> {
  const directory = resources.directory()
  const port = await freePort()
  const config = join(directory, 'nats.conf')
  writeFileSync(config, `listen: 127.0.0.1:${port}\njetstream { store_dir: ${JSON.stringify(directory)} }\n`)
  const started = await resources.start(findProgram('nats-server', TOOLS) as string, ['-c', config], {
    ready: /Server is ready/,
  })
  return {
    url: `nats://127.0.0.1:${port}`,
    stop: async () => {
      await started.stop()
      resources.remove(directory)
    },
  }
}

async function measure(context: Context, name: string, shape: Shape): Promise<Figure> {
  const nats = await startNats(context.resources)
  const { mode, inFlight, recordsPerFrame } = shape
  try {
    return await withServer(
      context.resources,
      async (server) => {
        const catalogue = await fill(server, SKUS)
        const before = server.cpu()
        const report = await runLoad(context.resources, {
          kind: 'nats',
          mode,
          nats: nats.url,
          url: server.url,
          names: catalogue.names,
          skus: catalogue.skus,
          inFlight,
          recordsPerFrame,
          messagesMax: Math.min(MESSAGES_MAX, Math.floor(RESERVATIONS_MAX / recordsPerFrame)),
          warmUpMs: mode === 'intake' ? 0 : WARM_UP_MS,
          measureMs: context.seconds * 1_000,
        })
        assertServed(report)
        const { mainSeconds, busiestSeconds } = server.cpuSince(before)
        const { operations, seconds, latency, generatorLoad } = report
        return {
          name,
          value: operations / seconds,
          unit: shape.unit,
          latency,
          how: shape.how,
          detail: { generatorLoad, mainSeconds, partitionSeconds: busiestSeconds },
        }
      },
      { warmReservations: mode === 'packed' ? 20_000_000 : 2_000_000, env: { DOORBUSTER_NATS: nats.url } },
    )
  } finally {
    await nats.stop()
  }
}
