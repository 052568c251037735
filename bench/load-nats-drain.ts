/** The least that a consumer of the intake stream can do: takes each message and acknowledges it. */
import { connect, createInbox, nanos } from 'nats'
import type { LoadReport, NatsDrainJob } from './load-protocol.js'

const NEXT = '$JS.API.CONSUMER.MSG.NEXT.DOORBUSTER_INTAKE.doorbuster'
const ASKED = 2_048
const EXPIRES_MS = 20_000
const ACK = Buffer.from('+ACK')

export async function runNatsDrain(job: NatsDrainJob): Promise<LoadReport> {
  const nats = await connect({ servers: job.nats })
  const inbox = createInbox()
  let onTheWay = 0
  let taken = 0
  let startMs = 0
  let used = process.cpuUsage()
  const ask = (): void => {
    if (onTheWay >= ASKED) return
    onTheWay += ASKED
    nats.publish(NEXT, JSON.stringify({ batch: ASKED, expires: nanos(EXPIRES_MS) }), { reply: inbox })
  }
  try {
    await new Promise<void>((resolve, reject) => {
      nats.subscribe(inbox, {
        callback(error, message) {
          if (error) return reject(error)
          if (!message.reply) return
          if (taken++ === 0) {
            startMs = performance.now()
            used = process.cpuUsage()
          }
          onTheWay--
          message.respond(ACK)
          ask()
          if (taken === job.messages) resolve()
        },
      })
      ask()
    })
    await nats.flush()
    const seconds = (performance.now() - startMs) / 1_000
    const { user, system } = process.cpuUsage(used)
    const generatorSeconds = (user + system) / 1_000_000
    const latency = { p50Ms: 0, p99Ms: 0, p999Ms: 0 }
    const generatorLoad = generatorSeconds / seconds
    return { operations: taken, seconds, refused: {}, latency, generatorLoad, generatorSeconds }
  } finally {
    await nats.close()
  }
}
