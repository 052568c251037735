/** A server of a test's own: on a free port, in a temporary directory, gone when the test is. */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'
import { type Finished, Output, spawnCli } from './command-line.js'
import { call, type ReservationDocument, type StockDocument } from './http-call.js'

const START_TIMEOUT_MS = 60_000
/** A refusal needs no recovery. */
const REFUSAL_TIMEOUT_MS = 20_000
const STOP_TIMEOUT_MS = 30_000
/** What is done behind the last event, such as sending a message that was written, is done within a few of these. */
const SETTLE_MS = 100
const SETTLED_READINGS = 3
const LISTENING = /^doorbuster listening on http:\/\/(\S+):(\d+)$/m

const atTheEnd: (() => unknown)[] = []

afterAll(async () => {
  for (const cleanUp of atTheEnd.splice(0).reverse()) await cleanUp()
})

/** Cleans up with the test that runs, whether it passes or not; outside of tests, with the test file. */
export function whenDone(cleanUp: () => unknown): void {
  try {
    onTestFinished(async () => void (await cleanUp()))
  } catch {
    // No test runs: this is a hook of the whole file.
    atTheEnd.push(cleanUp)
  }
}

/** An empty directory that goes with its test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'doorbuster-test-'))
  whenDone(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))
  return directory
}

export interface TestServerOptions {
  readonly dataDir?: string
  readonly port?: number
  readonly args?: readonly string[]
  readonly env?: Record<string, string>
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class TestServer {
  readonly dataDir: string
  readonly exited: Promise<Exit>
  url = ''
  port = 0
  isRunning = true
  private readonly child: ChildProcess
  private readonly output: Output

  private constructor({ dataDir = temporaryDirectory(), port = 0, args = [], env }: TestServerOptions) {
    this.dataDir = dataDir
    const serve = ['serve', '--no-demo', '--port', String(port), '--data-dir', dataDir, ...args]
    this.child = spawnCli(serve, env === undefined ? {} : { env })
    this.output = new Output(this.child)
    this.exited = new Promise((done) => {
      this.child.once('close', (code, signal) => {
        this.isRunning = false
        done({ code, signal })
      })
    })
    whenDone(() => this.kill())
  }

  /** Starts one without waiting for it; see `listening`. */
  static launch(options: TestServerOptions = {}): TestServer {
    return new TestServer(options)
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(options)
    await server.listening()
    return server
  }

  /** Starts one that should refuse to, and resolves with how it ended. Rejects where it listens instead, or hangs. */
  static async refused(options: TestServerOptions): Promise<Finished> {
    const server = new TestServer(options)
    const { stdout, stderr, ended } = await server.firstWord(REFUSAL_TIMEOUT_MS)
    if (ended) return { ...ended, stdout, stderr }
    await server.kill()
    const what = LISTENING.test(stdout) ? 'listens although it should refuse to' : 'neither listens nor ends'
    throw new Error(`the server ${what}:\n${stdout}${stderr}`)
  }

  /** Resolves once it accepts traffic; rejects with its output where it ends or hangs instead. */
  async listening(): Promise<void> {
    const { stdout, stderr, ended } = await this.firstWord(START_TIMEOUT_MS)
    const [, , port] = LISTENING.exec(stdout) ?? []
    if (port !== undefined && !ended) {
      this.port = Number(port)
      this.url = `http://127.0.0.1:${port}`
      return
    }
    await this.kill()
    const how = ended ? `ended (${ended.code ?? ended.signal})` : `said nothing for ${START_TIMEOUT_MS / 1000} s`
    throw new Error(`the server ${how} before it listened:\n${stdout}${stderr}`)
  }

  /** Waits until it has said that it listens, has ended, or has taken too long. */
  private async firstWord(timeoutMs: number): Promise<{ stdout: string; stderr: string; ended: Exit | undefined }> {
    let timer: NodeJS.Timeout | undefined
    const said = new Promise<undefined>((done) => {
      timer = setTimeout(() => done(undefined), timeoutMs)
      this.child.stdout?.on('data', () => {
        if (LISTENING.test(this.output.stdout)) done(undefined)
      })
    })
    const ended = await Promise.race([said, this.exited])
    clearTimeout(timer)
    return { stdout: this.output.stdout, stderr: this.output.stderr, ended }
  }

  get pid(): number {
    return this.child.pid!
  }
  get stdout(): string {
    return this.output.stdout
  }
  get stderr(): string {
    return this.output.stderr
  }
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  async kill(): Promise<Exit> {
    this.child.kill('SIGKILL')
    return await this.exited
  }

  /** Stops it as an operator would; killed where that takes too long. */
  async stop(): Promise<Exit> {
    this.child.kill('SIGTERM')
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    const exit = await this.exited
    clearTimeout(timer)
    return exit
  }

  call<Body = Record<string, unknown>>(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
    return call<Body>(this.url, method, path, body, headers)
  }

  async stock(sku: string): Promise<StockDocument> {
    const { status, body } = await this.call<StockDocument>('GET', `/v1/inventory/${encodeURIComponent(sku)}`)
    if (status !== 200) throw new Error(`the stock of ${sku} cannot be read: ${status} ${JSON.stringify(body)}`)
    return body
  }

  async reservation(id: string): Promise<ReservationDocument> {
    return (await this.call<ReservationDocument>('GET', `/v1/reservations/${id}`)).body
  }

  async digest(): Promise<string> {
    return (await this.call<{ digest: string }>('GET', '/v1/admin/digest')).body.digest
  }

  /** The digest once nothing goes on behind what was answered: all readers of events have read what there is. */
  async settledDigest(): Promise<string> {
    let before = await this.digest()
    for (let same = 0; same < SETTLED_READINGS; ) {
      await new Promise((done) => setTimeout(done, SETTLE_MS))
      const now = await this.digest()
      const isRead = (await this.metric('doorbuster_event_reader_lag')) === 0
      same = now === before && isRead ? same + 1 : 0
      before = now
    }
    return before
  }

  /** Memory of its own that it has in use, in bytes: without files that are mapped, which the kernel takes back as it likes. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    const kibibytes = [...status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm)]
    return kibibytes.reduce((sum, [, count]) => sum + Number(count) * 1_024, 0)
  }

  /** A figure of /metrics, summed over its labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    if (lines.length === 0) throw new Error(`there is no metric ${name}`)
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }
}
