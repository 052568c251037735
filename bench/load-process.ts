/** The load generator's process: takes one job, reports, ends. It is apart so that it and the bench do not share a thread. */
import { runChurn } from './load-churn.js'
import { runClosed } from './load-closed.js'
import { runHttp } from './load-http.js'
import { runNats } from './load-nats.js'
import { runNatsDrain } from './load-nats-drain.js'
import { runOpen } from './load-open.js'
import { runOpenOrders } from './load-open-orders.js'
import { runOrders } from './load-orders.js'
import type { Job, LoadAnswer, LoadReport } from './load-protocol.js'

function run(job: Job): Promise<LoadReport> {
  switch (job.kind) {
    case 'closed':
      return runClosed(job)
    case 'open':
      return runOpen(job)
    case 'churn':
      return runChurn(job)
    case 'http':
      return runHttp(job)
    case 'orders':
      return runOrders(job)
    case 'open-orders':
      return runOpenOrders(job)
    case 'nats':
      return runNats(job)
    case 'nats-drain':
      return runNatsDrain(job)
  }
}

process.once('message', (job: Job) => {
  run(job)
    .then(
      (report): LoadAnswer => ({ type: 'report', report }),
      (error: Error): LoadAnswer => ({ type: 'failed', reason: error.message }),
    )
    .then((answer) => process.send?.(answer, () => process.exit(0)))
})
// Whoever asked is gone, and with it the one who would stop the load.
process.once('disconnect', () => process.exit(1))
