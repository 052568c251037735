/** A nats-server of a test's own: a free port, a temporary directory, and nothing left of it afterwards. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, writeFileSync } from 'node:fs'
import { connect as connectTcp, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect, type NatsConnection } from 'nats'
import { temporaryDirectory, whenDone } from './test-server.js'

const START_TIMEOUT_MS = 20_000
const MAJOR_LEAST = 2
const MINOR_LEAST = 12

function versionOf(path: string): [number, number] | undefined {
  try {
    accessSync(path, constants.X_OK)
    const [, major, minor] = /v(\d+)\.(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' })) ?? []
    return [Number(major), Number(minor)]
  } catch {
    return undefined
  }
}

/** Path of a nats-server that is new enough; undefined where there is none (test/setup.sh installs one). */
export const natsServerPath: string | undefined = ['.tools', ...(process.env.PATH ?? '').split(delimiter)]
  .map((directory) => join(directory, 'nats-server'))
  .find((path) => {
    const version = versionOf(path)
    return version && (version[0] > MAJOR_LEAST || (version[0] === MAJOR_LEAST && version[1] >= MINOR_LEAST))
  })

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

export interface NatsServerOptions {
  /** Lines of its configuration: accounts, TLS. */
  readonly config?: string
  /** Each message on the disk before it is acknowledged. */
  readonly isDurable?: boolean
  /** How our own connections say who they are. */
  readonly login?: ConnectionOptions
}

export class NatsServer {
  private child: ChildProcess | undefined

  private constructor(
    readonly port: number,
    private readonly configFile: string,
    private readonly login: ConnectionOptions,
  ) {
    whenDone(() => this.kill())
  }

  /** One that is not started yet; its port is free. */
  static async prepare({ config = '', isDurable = false, login = {} }: NatsServerOptions = {}): Promise<NatsServer> {
    const directory = temporaryDirectory()
    const port = await freePort()
    const configFile = join(directory, 'nats.conf')
    const sync = isDurable ? 'sync_interval: always' : ''
    writeFileSync(
      configFile,
      `listen: 127.0.0.1:${port}\njetstream { store_dir: ${JSON.stringify(directory)}\n ${sync} }\n${config}\n`,
    )
    return new NatsServer(port, configFile, login)
  }

  static async start(options: NatsServerOptions = {}): Promise<NatsServer> {
    const server = await NatsServer.prepare(options)
    await server.run()
    return server
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`
  }

  /** Starts it, for the first time or again with what it had, and resolves once it takes connections. */
  async run(): Promise<void> {
    const child = spawn(natsServerPath!, ['-c', this.configFile], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.child = child
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-10_000)
    })
    for (const until = performance.now() + START_TIMEOUT_MS; performance.now() < until; ) {
      if (child.exitCode !== null) break
      if (said.includes('Server is ready') && (await this.takesConnections())) return
      await sleep(20)
    }
    throw new Error(`nats-server did not start: ${said}`)
  }

  private takesConnections(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connectTcp(this.port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
  }

  async kill(): Promise<void> {
    const { child } = this
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** A client's connection, closed with the test. */
  async connect(options: ConnectionOptions = {}): Promise<NatsConnection> {
    const connection = await connect({
      servers: `127.0.0.1:${this.port}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      ...this.login,
      ...options,
    })
    whenDone(() => connection.close())
    return connection
  }
}

/** Resolves once `holds` does; rejects with `what` where that takes too long. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean> | boolean,
  timeoutMs = 30_000,
): Promise<void> {
  for (const until = performance.now() + timeoutMs; ; await sleep(30)) {
    if (await holds()) return
    if (performance.now() > until) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`)
  }
}
