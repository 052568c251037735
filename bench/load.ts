/** Runs one job in a load generator's process of its own. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Job, LoadAnswer, LoadReport } from './load-protocol.js'
import type { Resources } from './resources.js'

const PROCESS = fileURLToPath(new URL('./load-process.js', import.meta.url))
/** Connecting before, and answers that are still due after: more than this and somebody hangs. */
const PATIENCE_MS = 60_000

export async function runLoad(resources: Resources, job: Job): Promise<LoadReport> {
  // Structured clone, so that a million SKU indices travel as bytes.
  const child = fork(PROCESS, { serialization: 'advanced' })
  const exited = resources.own(child)
  const answered = new Promise<LoadAnswer>((resolve) => child.once('message', (answer: LoadAnswer) => resolve(answer)))
  child.send(job)
  const timer = setTimeout(() => child.kill('SIGKILL'), warmUpMs(job) + job.measureMs + PATIENCE_MS)
  const answer = await Promise.race([
    answered,
    exited.then((why): LoadAnswer => ({ type: 'failed', reason: `the load generator ended: ${why}` })),
  ])
  await exited
  clearTimeout(timer)
  if (answer.type === 'failed') throw new Error(answer.reason)
  return answer.report
}

function warmUpMs(job: Job): number {
  return 'warmUpMs' in job ? job.warmUpMs : 0
}
