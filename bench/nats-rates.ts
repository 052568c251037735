/** Our rates by NATS: server, nats-server and load on this machine. Every answer that is counted was durable here before. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AckPolicy, connect, DiscardPolicy, RetentionPolicy, StorageType } from 'nats'
import { fill } from './catalogue.js'
import { assertServed } from './engine-rates.js'
import type { Figure } from './figures.js'
import { runLoad } from './load.js'
import type { NatsJob } from './load-protocol.js'
import { freePort, type Resources } from './resources.js'
import { type Context, findProgram, type Scenario } from './scenario.js'
import { processSeconds, withServer } from './server.js'

const WARM_UP_MS = 3_000
const SKUS = 1_000
/** A run ends early before it fills what one partition remembers of reservations. */
const RESERVATIONS_MAX = 60_000_000
const MESSAGES_MAX = 5_000_000
const INTAKE_IN_FLIGHT = 4_096
const INTAKE_STREAM = 'DOORBUSTER_INTAKE'
const INTAKE_CONSUMER = 'doorbuster'
/** Messages of the bare run, for each second that a run is to take. */
const BARE_PER_SECOND = 40_000
const BARE_HELD = 131_072
const DRAIN_MS_MAX = 60_000
const TOOLS = ['.tools']

interface Shape {
  readonly mode: NatsJob['mode']
  readonly unit: string
  readonly inFlight: number
  readonly recordsPerFrame: number
  readonly how: string
  readonly against?: readonly string[]
}

const BARE_HOW =
  'the same messages taken and acknowledged by the nats client alone, with nothing done: the bound of the intake'

const missing = (): string | undefined =>
  findProgram('nats-server', TOOLS) ? undefined : 'there is no nats-server; run test/setup.sh'

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
    inFlight: INTAKE_IN_FLIGHT,
    recordsPerFrame: 1,
    how: 'reservation.create as JSON by a JetStream stream in files, from the first publish to the last acknowledgement',
    against: ['nats-intake-bare'],
  }),
  bare: {
    name: 'nats-intake-bare',
    summary: BARE_HOW,
    missing,
    run: measureBare,
  },
} satisfies Record<string, Scenario>

function scenario(name: string, shape: Shape): Scenario {
  return {
    name,
    summary: shape.how,
    missing,
    ...(shape.against && { against: shape.against }),
    run: (context) => measure(context, name, shape),
  }
}

interface RunningNats {
  readonly url: string
  /** Processor time that it has used. */
  seconds(): number
  stop(): Promise<void>
}

/** A nats-server with JetStream in a directory of its own; resolves its URL. */
async function startNats(resources: Resources): Promise<RunningNats> {
  const directory = resources.directory()
  const port = await freePort()
  const config = join(directory, 'nats.conf')
  writeFileSync(config, `listen: 127.0.0.1:${port}\njetstream { store_dir: ${JSON.stringify(directory)} }\n`)
  const started = await resources.start(findProgram('nats-server', TOOLS) as string, ['-c', config], {
    ready: /Server is ready/,
  })
  return {
    url: `nats://127.0.0.1:${port}`,
    seconds: () => processSeconds(started.pid),
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
        const job: NatsJob = {
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
        }
        // A run of the intake is timed to its last acknowledgement, so what warms it up is a run of its own.
        if (mode === 'intake') assertServed(await runLoad(context.resources, { ...job, measureMs: WARM_UP_MS }))
        const before = server.cpu()
        const natsBefore = nats.seconds()
        const report = await runLoad(context.resources, job)
        assertServed(report)
        const { allSeconds, mainSeconds, busiestSeconds } = server.cpuSince(before)
        const { operations, seconds, latency, generatorLoad, generatorSeconds = 0 } = report
        const natsSeconds = nats.seconds() - natsBefore
        const micros = (used: number): number => (used / operations) * 1_000_000
        // Of the warm-up too, where it is not a run of its own; so they are a bound.
        const cpu = {
          natsMicros: micros(natsSeconds),
          generatorMicros: micros(generatorSeconds),
          serverMicros: micros(allSeconds),
          // Of this machine's, of which others may have had the rest.
          coresUsed: (natsSeconds + generatorSeconds + allSeconds) / seconds,
        }
        return {
          name,
          value: operations / seconds,
          unit: shape.unit,
          latency,
          how: shape.how,
          detail: { generatorLoad, mainSeconds, partitionSeconds: busiestSeconds, ...cpu },
        }
      },
      { warmReservations: mode === 'packed' ? 20_000_000 : 2_000_000, env: { DOORBUSTER_NATS: nats.url } },
    )
  } finally {
    await nats.stop()
  }
}

async function measureBare({ resources, seconds }: Context): Promise<Figure> {
  const server = await startNats(resources)
  try {
    const nats = await connect({ servers: server.url })
    const manager = await nats.jetstreamManager()
    // As the server makes them.
    await manager.streams.add({
      name: INTAKE_STREAM,
      subjects: ['doorbuster.v1.intake.>'],
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      allow_direct: true,
    })
    await manager.consumers.add(INTAKE_STREAM, {
      durable_name: INTAKE_CONSUMER,
      ack_policy: AckPolicy.Explicit,
      max_ack_pending: BARE_HELD,
    })
    await nats.close()
    const messages = Math.ceil(seconds * BARE_PER_SECOND)
    const micros = (seconds: number): number => (seconds / messages) * 1_000_000
    const before = server.seconds()
    const limits = { nats: server.url, measureMs: DRAIN_MS_MAX }
    const [report, drained] = await Promise.all([
      runLoad(resources, {
        kind: 'nats',
        mode: 'intake',
        ...limits,
        url: undefined,
        names: Array.from({ length: SKUS }, (_, i) => `SKU-${i}`),
        skus: new Uint32Array(0),
        inFlight: INTAKE_IN_FLIGHT,
        recordsPerFrame: 1,
        messagesMax: messages,
        warmUpMs: 0,
      }),
      runLoad(resources, { kind: 'nats-drain', ...limits, messages }),
    ])
    const used = server.seconds() - before
    return {
      name: 'nats-intake-bare',
      value: messages / drained.seconds,
      unit: 'commands/s',
      how: BARE_HOW,
      detail: {
        natsMicros: micros(used),
        generatorMicros: micros(report.generatorSeconds ?? 0),
        clientMicros: micros(drained.generatorSeconds ?? 0),
        coresUsed: (used + (report.generatorSeconds ?? 0) + (drained.generatorSeconds ?? 0)) / drained.seconds,
      },
    }
  } finally {
    await server.stop()
  }
}
