/** The verifier's process, started anew when a directory has taken it down. */
import { type ChildProcess, fork } from 'node:child_process'
import { built } from './command-line.js'
import type { Finding, Order } from './damage-verifier.js'

/** Damage that makes verification take this long makes it hang. */
const TIMEOUT_MS = 30_000
/** Damaged environments stay mapped until their process ends. */
const DIRECTORIES_PER_PROCESS = 100

/** What became of the verification: what was found, or how it took the process down. */
export type Verdict = Finding | { readonly died: string }

export class VerifierProcess {
  private child: ChildProcess | undefined
  private directories = 0
  private stderr = ''

  async verify(order: Order): Promise<Verdict> {
    if (this.directories++ % DIRECTORIES_PER_PROCESS === 0) this.end()
    const child = this.start()
    let timer: NodeJS.Timeout | undefined
    const verdict = await new Promise<Verdict>((done) => {
      const died = (code: number | null, signal: string | null) =>
        done({ died: `${signal ?? `exit code ${code}`} ${this.stderr.slice(-2_000)}` })
      child.once('message', (finding) => {
        child.off('exit', died)
        done(finding as Finding) // the verifier sends nothing else
      })
      child.once('exit', died)
      timer = setTimeout(() => {
        child.off('exit', died)
        done({ died: `no answer in ${TIMEOUT_MS / 1000} s` })
      }, TIMEOUT_MS)
      child.send(order)
    })
    clearTimeout(timer)
    if ('died' in verdict) this.end()
    return verdict
  }

  end(): void {
    this.child?.removeAllListeners()
    this.child?.kill('SIGKILL')
    this.child = undefined
  }

  private start(): ChildProcess {
    if (this.child) return this.child
    this.stderr = ''
    const child = fork(built('test/support/damage-verifier.ts'), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk
    })
    this.child = child
    return child
  }
}
