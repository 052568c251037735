/** The product's command line, run as its users run it: the build, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { dirname, resolve } from 'node:path'

/** Another build may be tested by naming its command line. */
export const cli = resolve(process.env.DOORBUSTER_CLI ?? 'dist/gateway/cli.js')

/** A module of the same build, by its path in the sources. */
export const built = (path: string): string => resolve(dirname(cli), '..', path.replace(/\.ts$/, '.js'))

export interface Finished {
  /** Null where a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** After this long it hangs, and is killed: `signal` is then SIGKILL. */
  readonly timeoutMs?: number
  readonly env?: Record<string, string>
  readonly cwd?: string
}

const OUTPUT_KEPT = 200_000

/** What a child writes, kept as it comes; the newest part of it. */
export class Output {
  stdout = ''
  stderr = ''

  constructor(child: ChildProcess) {
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout = (this.stdout + chunk).slice(-OUTPUT_KEPT)
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr = (this.stderr + chunk).slice(-OUTPUT_KEPT)
    })
  }
}

export function spawnCli(args: readonly string[], { env, cwd }: RunOptions = {}): ChildProcess {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd,
    // Many servers run here at once, none of them for long.
    env: { ...process.env, DOORBUSTER_WARM_RESERVATIONS: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lastResort = () => child.kill('SIGKILL')
  process.once('exit', lastResort)
  child.once('close', () => process.off('exit', lastResort))
  return child
}

/** Runs one command to its end. */
export function run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = spawnCli(args, options)
  const output = new Output(child)
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000)
  return new Promise((done) => {
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      done({ code, signal, stdout: output.stdout, stderr: output.stderr })
    })
  })
}

/** What `verify --json` prints. */
export interface Verified extends Finished {
  readonly ok: boolean
  readonly digest: string
  readonly faults: readonly string[]
}

export async function verify(dataDir: string): Promise<Verified> {
  const finished = await run(['verify', '--json', '--data-dir', dataDir])
  const document = finished.stdout.trim() === '' ? {} : (JSON.parse(finished.stdout) as Partial<Verified>)
  return { ok: false, digest: '', faults: [], ...document, ...finished }
}
