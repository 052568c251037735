/** Our own server, started as anyone would start it: a process with a free port and a data directory of its own. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DoorbusterClient } from '../gateway/client/index.js'
import { freePort, type Resources, type Started } from './resources.js'

const CLI = fileURLToPath(new URL('../gateway/cli.js', import.meta.url))
const COMMAND_DEADLINE_MS = 120_000
const READY_POLL_MS = 100

export interface Memory {
  /** What the process has of its own: anonymous memory and shared memory. This is what runs out. */
  readonly ownBytes: number
  /** Pages of mapped files: the kernel's cache, which it takes back when it needs it. */
  readonly fileBytes: number
}

/** Processor time, user and system together. */
export interface Cpu {
  readonly allSeconds: number
  readonly mainSeconds: number
  /** Of the busiest other thread: with one partition this is the partition's. */
  readonly busiestSeconds: number
}

/** Seconds of each thread, by its id. */
type ThreadSeconds = ReadonlyMap<string, number>

/** `/proc` counts in ticks of 10 ms on all that Node runs on. */
const TICKS_PER_SECOND = 100
/** Readers of events give way to orders, and begin in earnest behind them. */
const READERS_DEADLINE_MS = 1_800_000

function secondsIn(file: string): number {
  const line = readFileSync(file, 'utf8')
  // The name in parentheses may have spaces; user and system time are the 12th and 13th field after it.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Processor time that a process has used, all its threads together. */
export const processSeconds = (pid: number): number => secondsIn(`/proc/${pid}/stat`)

export class Server {
  readonly port: number
  readonly directory: string
  readonly #process: Started
  readonly #resources: Resources

  private constructor(resources: Resources, started: Started, port: number, directory: string) {
    this.#resources = resources
    this.#process = started
    this.port = port
    this.directory = directory
  }

  /** Starts it on an empty data directory, or on the one that is given. */
  static async start(resources: Resources, options: StartOptions = {}): Promise<Server> {
    const port = await freePort()
    const directory = options.directory ?? resources.directory()
    const args = [CLI, 'serve', '--no-demo', '--host', '127.0.0.1', '--port', String(port), '--data-dir', directory]
    args.push('--warm-reservations', String(options.warmReservations ?? 0))
    // Whatever DOORBUSTER_… stands in the caller's environment is not part of the measurement.
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('DOORBUSTER_'))
    const started = await resources.start(process.execPath, [...resources.nodeFlags, ...args], {
      env: { ...Object.fromEntries(inherited), ...options.env },
      ready: /doorbuster listening on http/,
    })
    const server = new Server(resources, started, port, directory)
    if (options.warmReservations) await server.#memoryReady()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Returns once it has got memory ready for as many reservations as it was told to. */
  async #memoryReady(): Promise<void> {
    await this.#metricIs('doorbuster_partition_memory_ready', '1', COMMAND_DEADLINE_MS)
  }

  /** Returns once a metric has this value under each of its labels. */
  async #metricIs(name: string, wanted: string, deadlineMs: number): Promise<void> {
    const signal = AbortSignal.timeout(deadlineMs)
    for (;;) {
      const metrics = await (await fetch(`${this.url}/metrics`, { signal })).text()
      const values = [...metrics.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, 'gm'))]
      if (values.length > 0 && values.every(([, value]) => value === wanted)) return
      await sleep(READY_POLL_MS, undefined, { signal })
    }
  }

  /** Returns once readers of events have read all that there is: messages are written, the ledger is posted. */
  async readersDone(): Promise<void> {
    await this.#metricIs('doorbuster_event_reader_lag', '0', READERS_DEADLINE_MS)
  }

  client(): Promise<DoorbusterClient> {
    return DoorbusterClient.connect(this.url, { deadlineMs: COMMAND_DEADLINE_MS })
  }

  /** The JSON lines of its log with this message. */
  logged(message: string): Record<string, unknown>[] {
    return this.#process
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{') && line.includes(`"${message}"`))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((entry) => entry.msg === message)
  }

  memory(): Memory {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8')
    const bytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1_024
    return { ownBytes: bytes('RssAnon') + bytes('RssShmem'), fileBytes: bytes('RssFile') }
  }

  cpu(): ThreadSeconds {
    const tasks = `/proc/${this.#process.pid}/task`
    return new Map(readdirSync(tasks).map((thread) => [thread, secondsIn(`${tasks}/${thread}/stat`)]))
  }

  cpuSince(before: ThreadSeconds): Cpu {
    const spent = [...this.cpu()].map(([thread, seconds]) => ({
      isMain: thread === String(this.#process.pid),
      seconds: seconds - (before.get(thread) ?? 0),
    }))
    return {
      allSeconds: spent.reduce((sum, { seconds }) => sum + seconds, 0),
      mainSeconds: spent.find(({ isMain }) => isMain)?.seconds ?? 0,
      busiestSeconds: Math.max(...spent.map(({ isMain, seconds }) => (isMain ? 0 : seconds))),
    }
  }

  /** What the server spends while something is done to it. */
  async cpuOf<T>(use: () => Promise<T>): Promise<[T, Cpu]> {
    const before = this.cpu()
    const result = await use()
    return [result, this.cpuSince(before)]
  }

  /** Ends it without a chance to tidy up. */
  async kill(): Promise<void> {
    await this.#process.stop('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#process.stop()
    this.#resources.remove(this.directory)
  }
}

interface StartOptions {
  readonly directory?: string
  /** How many reservations it has memory ready for before it is measured; none by default. */
  readonly warmReservations?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Runs something against a server that is started for it, and stops the server whatever happens. */
export async function withServer<T>(
  resources: Resources,
  use: (server: Server) => Promise<T>,
  options: StartOptions = {},
): Promise<T> {
  const server = await Server.start(resources, options)
  try {
    return await use(server)
  } finally {
    await server.stop()
  }
}

/** Runs one of the server's other commands to its end and resolves what it printed. */
export function runCommand(resources: Resources, args: readonly string[], timeoutMs: number): Promise<string> {
  return resources.run(process.execPath, [CLI, ...args], { timeoutMs })
}
