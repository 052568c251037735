/** What our engine needs in memory, whether that stays so, and how fast it comes back. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fill } from './catalogue.js'
import { assertServed } from './engine-rates.js'
import type { Figure } from './figures.js'
import { runLoad } from './load.js'
import type { Context, Scenario } from './scenario.js'
import { runCommand, Server, withServer } from './server.js'

const SKUS = 1_000
const LIVE_RESERVATIONS = 5_000_000
const LIVE_WARM_UP = 256_000
const NETWORK_SKUS = 1_000_000
const NETWORK_LOCATIONS = 23
const RECOVERED_RESERVATIONS = 10_000_000
const CHURN_LIVE = 500_000
const CHURN_SAMPLE_MS = 1_000
/** Time for a checkpoint to end and buffers to be given back before memory is read. */
const SETTLE_MS = 8_000
const FILL_PATIENCE_MS = 120_000
const MIB = 2 ** 20
const PACKED = { recordsPerFrame: 256, sockets: 8, framesInFlight: 8 }
const HISTORY = resolve('../shared/data/online-retail-2010-12-to-2011-09.csv.gz')
const REPLAY_PATIENCE_MS = 120_000

export const enduranceScenarios = {
  memoryReservations: {
    name: 'memory-reservations',
    summary: `bytes for each of ${LIVE_RESERVATIONS.toLocaleString('en')} live reservations, all told`,
    run: measureReservationMemory,
  },
  memorySkus: {
    name: 'memory-skus',
    summary: `memory with ${NETWORK_SKUS.toLocaleString('en')} SKUs at ${NETWORK_LOCATIONS} locations`,
    run: measureSkuMemory,
  },
  churn: {
    name: 'churn',
    summary: 'memory growth while reservations come and go (--minutes)',
    run: measureChurn,
  },
  recovery: {
    name: 'recovery',
    summary: `${RECOVERED_RESERVATIONS.toLocaleString('en')} reservations read back from the log after a kill`,
    run: measureRecovery,
  },
  replay: {
    name: 'replay',
    summary: "ten months of a retailer's orders at full speed",
    missing: () => (isReadable(HISTORY) ? undefined : `${HISTORY} is not there`),
    run: measureReplay,
  },
} satisfies Record<string, Scenario>

async function reserve(context: Context, server: Server, skus: Uint32Array, reservations: number): Promise<number> {
  const report = await runLoad(context.resources, {
    kind: 'closed',
    port: server.port,
    skus,
    ...PACKED,
    warmUpMs: 0,
    measureMs: FILL_PATIENCE_MS,
    reservationsMax: reservations,
  })
  assertServed(report)
  return report.operations
}

function measureReservationMemory(context: Context): Promise<Figure> {
  return withServer(context.resources, async (server) => {
    const { skus } = await fill(server, SKUS)
    // Buffers, mailboxes and compiled code have grown to their size before the first reading.
    await reserve(context, server, skus, LIVE_WARM_UP)
    await sleep(SETTLE_MS)
    const before = server.memory()
    const live = await reserve(context, server, skus, LIVE_RESERVATIONS)
    await sleep(SETTLE_MS)
    const after = server.memory()
    return {
      name: 'memory-reservations',
      value: (after.ownBytes - before.ownBytes) / live,
      unit: 'bytes/reservation',
      how: `growth of RssAnon + RssShmem over ${live.toLocaleString('en')} live reservations`,
      detail: {
        beforeMib: before.ownBytes / MIB,
        afterMib: after.ownBytes / MIB,
        mappedFilesMib: after.fileBytes / MIB,
      },
    }
  })
}

function measureSkuMemory(context: Context): Promise<Figure> {
  return withServer(context.resources, async (server) => {
    const empty = server.memory()
    const startedMs = performance.now()
    await fill(server, NETWORK_SKUS, NETWORK_LOCATIONS)
    const seconds = (performance.now() - startedMs) / 1_000
    await sleep(SETTLE_MS)
    const full = server.memory()
    return {
      name: 'memory-skus',
      value: full.ownBytes / MIB,
      unit: 'MiB',
      how: `RssAnon + RssShmem of the whole server, filled in ${seconds.toFixed(0)} s`,
      detail: { emptyMib: empty.ownBytes / MIB, mappedFilesMib: full.fileBytes / MIB, fillSeconds: seconds },
    }
  })
}

function measureChurn(context: Context): Promise<Figure> {
  return withServer(context.resources, async (server) => {
    const { skus } = await fill(server, SKUS)
    const samples: number[] = []
    const sampler = setInterval(() => samples.push(server.memory().ownBytes), CHURN_SAMPLE_MS)
    const report = await runLoad(context.resources, {
      kind: 'churn',
      port: server.port,
      skus,
      ...PACKED,
      live: CHURN_LIVE,
      measureMs: context.minutes * 60_000,
    }).finally(() => clearInterval(sampler))
    assertServed(report)
    // The first third fills what is bounded (what is remembered of ended reservations); then nothing may grow.
    const third = Math.max(1, Math.floor(samples.length / 3))
    const middle = mean(samples.slice(third, 2 * third))
    const last = mean(samples.slice(2 * third))
    return {
      name: 'churn',
      value: (100 * (last - middle)) / middle,
      unit: '% growth',
      latency: report.latency,
      how: `RssAnon + RssShmem, last third of ${context.minutes} min against the middle one, ${CHURN_LIVE.toLocaleString('en')} live`,
      detail: {
        middleMib: middle / MIB,
        lastMib: last / MIB,
        mappedFilesMib: server.memory().fileBytes / MIB,
        operationsPerSecond: report.operations / report.seconds,
      },
    }
  })
}

async function measureRecovery(context: Context): Promise<Figure> {
  const { resources } = context
  const directory = resources.directory()
  // With checkpoints held back the whole run must come from the log.
  const options = { directory, env: { DOORBUSTER_CHECKPOINT: 'off' } }
  const first = await Server.start(resources, options)
  let reservations = 0
  try {
    const { skus } = await fill(first, SKUS)
    reservations = await reserve(context, first, skus, RECOVERED_RESERVATIONS)
  } finally {
    await first.kill()
  }
  const startedMs = performance.now()
  return withServer(
    resources,
    async (server) => {
      const readyMs = performance.now() - startedMs
      const recovered = server.logged('recovered')
      const commands = recovered.reduce((sum, entry) => sum + Number(entry.commands), 0)
      // Partitions recover side by side: the slowest one is what is waited for.
      const milliseconds = Math.max(...recovered.map((entry) => Number(entry.milliseconds)))
      if (!(commands >= reservations)) throw new Error(`${reservations} were acknowledged, ${commands} were recovered.`)
      return {
        name: 'recovery',
        value: (commands / milliseconds) * 1_000,
        unit: 'commands/s',
        how: `${commands.toLocaleString('en')} commands from the log after SIGKILL, no checkpoint`,
        detail: { commands, recoveryMs: milliseconds, startToReadyMs: readyMs },
      }
    },
    options,
  )
}

/** What the bench reads of the summary that `replay --json` prints. */
interface ReplaySummary {
  readonly lines: number
  readonly seconds: number
  readonly linesPerSecond: number
  readonly oversold: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
}

async function measureReplay(context: Context): Promise<Figure> {
  const startedMs = performance.now()
  const args = ['replay', HISTORY, '--speed', 'max', '--json']
  const output = await runCommand(context.resources, args, REPLAY_PATIENCE_MS)
  const wholeSeconds = (performance.now() - startedMs) / 1_000
  // The command's own output: a field that is missing fails the check below.
  const summary = JSON.parse(output) as ReplaySummary
  if (summary.oversold !== 0) throw new Error(`The replay says oversold: ${summary.oversold}.`)
  const { lines, seconds, linesPerSecond, p50Ms, p99Ms, p999Ms } = summary
  return {
    name: 'replay',
    value: linesPerSecond,
    unit: 'lines/s',
    latency: { p50Ms, p99Ms, p999Ms },
    how: `${lines.toLocaleString('en')} lines in ${seconds.toFixed(2)} s, oversold 0; ${wholeSeconds.toFixed(1)} s with server, seed and audit`,
    detail: { lines, seconds, wholeSeconds },
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function isReadable(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}
