/**
 * Everything the bench starts or makes is registered here, so that nothing outlives it: not after a failure, not after
 * Ctrl-C. Processes are ended by the handle they were started with, never by name.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const STOP_PATIENCE_MS = 20_000
const END_PATIENCE_MS = 5_000
/** Enough of a process's words to explain why it failed, and no more: a chatty one must not fill the memory. */
const OUTPUT_CHARACTERS_MAX = 200_000

export interface Started {
  readonly pid: number
  /** The last of what it wrote to its standard output and error. */
  output(): string
  /** Sends the signal, waits, and after twenty seconds ends it the hard way. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

export interface StartOptions extends Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'> {
  /** What it writes once it serves. */
  readonly ready: RegExp
  readonly readyMs?: number
}

export class Resources {
  /** What Node is told when it runs our server, such as `--cpu-prof`. */
  readonly nodeFlags: readonly string[]
  /** Set once the bench was told to stop. */
  ending = false
  readonly #children = new Set<ChildProcess>()
  readonly #directories = new Set<string>()

  constructor(nodeFlags: readonly string[] = []) {
    this.nodeFlags = nodeFlags
  }

  /** Starts a process and waits until it says that it is ready. */
  async start(command: string, args: readonly string[], options: StartOptions): Promise<Started> {
    const { ready, readyMs = 120_000, ...rest } = options
    if (this.ending) throw new Error('The bench is ending.')
    const child = spawn(command, args, { ...rest, stdio: ['ignore', 'pipe', 'pipe'] })
    const exited = this.own(child)
    let output = ''
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${command} ${why}. It said: ${output.slice(-2_000)}`))
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        fail(`was not ready after ${readyMs / 1_000} s`)
      }, readyMs)
      const read = (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX)
        if (ready.test(output)) {
          clearTimeout(timer)
          resolve()
        }
      }
      child.stdout?.on('data', read)
      child.stderr?.on('data', read)
      exited.then((why) => {
        clearTimeout(timer)
        fail(`ended (${why}) before it was ready`)
      })
    })
    return {
      pid: child.pid as number,
      output: () => output,
      stop: (signal = 'SIGTERM') => stopChild(child, exited, signal),
    }
  }

  /** Runs a command to its end and resolves what it wrote to standard output; rejects where it fails. */
  async run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { input, timeoutMs = 300_000, ...rest } = options
    if (this.ending) throw new Error('The bench is ending.')
    const child = spawn(command, args, { ...rest, stdio: ['pipe', 'pipe', 'pipe'] })
    const exited = this.own(child)
    let out = ''
    let err = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      err = (err + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX)
    })
    // One that ends before it has read its input is told apart by its exit status below.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input ?? '')
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    const why = await exited
    clearTimeout(timer)
    if (why !== 'status 0')
      throw new Error(`${command} ${args[0] ?? ''} ended with ${why}: ${(err || out).slice(-2_000)}`)
    return out
  }

  /** Registers a process that something else has started. Resolves why it ended, once it has. */
  own(child: ChildProcess): Promise<string> {
    this.#children.add(child)
    return new Promise((resolve) => {
      const gone = (why: string) => {
        this.#children.delete(child)
        resolve(why)
      }
      child.once('error', (error) => gone(error.message))
      // 'close' comes after the last output, 'exit' may come before it.
      child.once('close', (code, signal) => gone(signal ?? `status ${code}`))
    })
  }

  /** A new empty directory, owned by the given user where one is given. */
  directory(owner?: { uid: number; gid: number }): string {
    const path = mkdtempSync(join(tmpdir(), 'doorbuster-bench-'))
    if (owner) chownSync(path, owner.uid, owner.gid)
    this.#directories.add(path)
    return path
  }

  remove(directory: string): void {
    // A process that was just killed may still be writing its last file.
    rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    this.#directories.delete(directory)
  }

  /** Asks everything to end and waits a moment for it; from here on nothing more can be started. */
  async endSoon(): Promise<void> {
    this.ending = true
    const gone = [...this.#children].map((child) => new Promise((resolve) => child.once('close', resolve)))
    for (const child of this.#children) child.kill('SIGTERM')
    await Promise.race([Promise.all(gone), sleep(END_PATIENCE_MS)])
  }

  /** The last resort, callable where nothing can be awaited any more. */
  endAll(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    for (const directory of this.#directories) this.remove(directory)
  }
}

export interface RunOptions extends Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'> {
  readonly input?: string
  readonly timeoutMs?: number
}

async function stopChild(child: ChildProcess, exited: Promise<string>, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS)
  await exited
  clearTimeout(timer)
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
