/** A server of one's own for as long as a command runs: a child process on a free port, in a directory that is removed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DoorbusterError } from '../../engine/errors.js'

const START_TIMEOUT_MS = 60_000
/** After SIGTERM; then it is killed. */
const STOP_TIMEOUT_MS = 15_000
const OUTPUT_KEPT = 4_000
const LISTENING = /^doorbuster listening on (http:\/\/\S+)/m

export class OwnServer {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly exited: Promise<unknown>,
    private readonly temporaryDir: string | undefined,
    private readonly lastResort: () => void,
  ) {}

  /**
   * Starts `doorbuster serve` and waits until it listens. `dataDir`: kept afterwards; none: a temporary one. `signal`
   * ends it while it starts.
   */
  static async start(dataDir: string | undefined, signal: AbortSignal): Promise<OwnServer> {
    const port = await freePort()
    // From here to the listener nothing waits, so that no interruption is missed.
    signal.throwIfAborted()
    const temporaryDir = dataDir === undefined ? mkdtempSync(join(tmpdir(), 'doorbuster-')) : undefined
    const cli = fileURLToPath(new URL('../cli.js', import.meta.url))
    const directory = dataDir ?? temporaryDir ?? ''
    const args = ['serve', '--no-demo', '--host', '127.0.0.1', '--port', String(port), '--data-dir', directory]
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    // If this process must end at once, nothing is left behind.
    const lastResort = () => {
      child.kill('SIGKILL')
      if (temporaryDir) rmSync(temporaryDir, { recursive: true, force: true })
    }
    process.once('exit', lastResort)
    const exited = new Promise((resolve) => child.once('close', resolve))
    const kill = () => child.kill('SIGKILL')
    signal.addEventListener('abort', kill)
    try {
      const url = await listening(child)
      return new OwnServer(url, child, exited, temporaryDir, lastResort)
    } catch (error) {
      child.kill('SIGKILL')
      await exited
      if (temporaryDir) await rm(temporaryDir, { recursive: true, force: true })
      process.off('exit', lastResort)
      throw error
    } finally {
      signal.removeEventListener('abort', kill)
    }
  }

  /** Stops it as an operator would, and removes what it wrote. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM')
    const kill = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await this.exited
    clearTimeout(kill)
    if (this.temporaryDir) await rm(this.temporaryDir, { recursive: true, force: true })
    process.off('exit', this.lastResort)
  }
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    const timer = setTimeout(
      () =>
        reject(
          new DoorbusterError('no_server', `the server did not listen in ${START_TIMEOUT_MS / 1000} s:\n${output}`),
        ),
      START_TIMEOUT_MS,
    )
    const read = (chunk: Buffer) => {
      output = (output + chunk).slice(-OUTPUT_KEPT)
      const url = LISTENING.exec(output)?.[1]
      if (url === undefined) return
      clearTimeout(timer)
      resolve(url)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      reject(new DoorbusterError('no_server', `the server ended (${code ?? signal}) before it listened:\n${output}`))
    })
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        address && typeof address === 'object'
          ? resolve(address.port)
          : reject(new DoorbusterError('no_server', 'no free port')),
      )
    })
  })
}
