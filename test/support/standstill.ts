/** A partition that stands still: its log is occupied by somebody else, as by a disk that does not answer. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { built } from './command-line.js'
import { type TestServer, whenDone } from './test-server.js'

/** Resolves once nothing can be appended any more, with what lets the partition go on. */
export async function standingStill({ dataDir }: TestServer, partition: number): Promise<() => Promise<void>> {
  const log = join(dataDir, 'generation-1', String(partition), 'log.mdb')
  const occupier = spawn(process.execPath, [built('test/support/log-occupier.ts'), log], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(occupier, 'exit')
  whenDone(() => occupier.kill('SIGKILL'))
  const first = await Promise.race([once(occupier.stdout, 'data'), ended.then(() => undefined)])
  if (!first) throw new Error(`the log of partition ${partition} cannot be occupied`)
  return async () => {
    occupier.stdin.end()
    await ended
  }
}
