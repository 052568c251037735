/** What concerns the same thing keeps its order, whatever is lost on its way and whoever has no room. */
import { headers } from 'nats'
import { expect, test } from 'vitest'
import { stockUp } from './support/catalogue.js'
import { eventually, NatsServer, natsServerPath } from './support/nats-server.js'
import { SwallowingLink } from './support/swallowing-link.js'
import { TestServer } from './support/test-server.js'

test.skipIf(natsServerPath === undefined)(
  'what was lost when a connection broke is not carried out behind what was sent later',
  { timeout: 60_000 },
  async () => {
    const natsServer = await NatsServer.start()
    const link = await SwallowingLink.to(natsServer.port)
    const server = await TestServer.start({ args: ['--nats', `nats://127.0.0.1:${link.port}`] })
    const skus = ['LOST-0', 'LOST-1']
    await stockUp(server.url, skus, 1)
    const nats = await natsServer.connect()
    const manager = await nats.jetstreamManager()
    const consumer = () => manager.consumers.info('DOORBUSTER_INTAKE', 'doorbuster').catch(() => undefined)
    await eventually('the intake asks for messages', async () => ((await consumer())?.num_waiting ?? 0) > 0)
    const count = async (onHand: number): Promise<void> => {
      for (const sku of skus) {
        const options = { msgID: `${sku}-${onHand}`, headers: headers() }
        const body = JSON.stringify({ sku, location: 'W1', onHand })
        await nats.jetstream().publish('doorbuster.v1.intake.inventory.put', body, options)
      }
    }

    link.swallows = true
    for (let i = 100; i < 110; i++) await count(i)
    await eventually('NATS has sent them', async () => (await consumer())?.num_ack_pending === 20)
    link.swallows = false
    link.breakOff()
    await eventually('NATS is back', async () => (await server.metric('doorbuster_nats_reconnects')) > 0)
    for (let i = 200; i < 210; i++) await count(i)
    await eventually(
      'the intake is empty',
      async () => (await manager.streams.info('DOORBUSTER_INTAKE')).state.messages === 0,
    )
    for (const sku of skus) expect((await server.stock(sku)).onHand).toBe(209)
  },
)
