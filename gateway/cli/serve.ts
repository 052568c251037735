/** doorbuster serve. */
import pino from 'pino'
import type { NatsOptions } from '../nats/options.js'
import type { MessagingOptions } from '../notify/providers.js'
import { Server } from '../server.js'
import { loadDemo } from './demo.js'

export interface ServeOptions extends Partial<NatsOptions>, MessagingOptions {
  host: string
  port: number
  dataDir: string
  partitions?: number
  threads?: number
  demo: boolean
  logLevel: string
  warmReservations: number
  allowHttp: boolean
  allowPrivate: boolean
  /** Hosts and networks in CIDR notation. */
  allowAddress: string[]
  simulatedCarrierSpeed: number
  version: string
}

export async function serve(options: ServeOptions): Promise<void> {
  const logger = pino({ level: options.logLevel, base: {} }, pino.destination({ dest: 2, sync: true }))
  const checkpoints = process.env.DOORBUSTER_CHECKPOINT !== 'off'
  const { nats, allowHttp, allowPrivate, allowAddress: allowed, ...others } = options
  const server = await Server.start({
    ...others,
    logger,
    checkpoints,
    outward: { allowHttp, allowPrivate, allowed },
    messaging: others,
    ...(nats === undefined ? {} : { nats: { ...others, nats } }),
  })
  let stopping = false
  const stop = (signal: string): void => {
    if (stopping) return
    stopping = true
    logger.info({ signal }, 'stopping')
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.fatal({ err: error }, 'the stop failed; the log has everything that was answered')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  const { directory } = server.context
  if (options.demo && directory.count('skus') === 0 && directory.count('locations') === 0) await loadDemo(server.url)
  process.stdout.write(`doorbuster listening on ${server.url}\n`)
}
