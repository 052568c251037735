/** NATS and the server go away and come back, at any moment and under load: nothing is lost, nothing counts twice. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JetStreamManager, NatsConnection } from 'nats'
import { beforeAll, describe, expect, test } from 'vitest'
import { stockUp } from './support/catalogue.js'
import { expectOnceAndInOrder, readEvents } from './support/nats-events.js'
import { Feed, ORDERED } from './support/nats-feed.js'
import { eventually, NatsServer, natsServerPath } from './support/nats-server.js'
import { TestServer, temporaryDirectory } from './support/test-server.js'

const SKUS = ['F-0', 'F-1', 'F-2', 'F-3']
const STOCK = 100_000

const streamExists = (manager: JetStreamManager, stream: string): Promise<boolean> =>
  manager.streams.info(stream).then(
    () => true,
    () => false,
  )

describe.skipIf(natsServerPath === undefined)(
  'NATS under faults (nats-server 2.12 or newer; test/setup.sh installs it)',
  () => {
    let natsServer: NatsServer
    let nats: NatsConnection
    let manager: JetStreamManager
    let server: TestServer
    const dataDir = temporaryDirectory()

    beforeAll(async () => {
      natsServer = await NatsServer.start({ isDurable: true })
      nats = await natsServer.connect()
      manager = await nats.jetstreamManager()
      server = await TestServer.start({ dataDir, args: ['--nats', natsServer.url, '--partitions', '1'] })
      await stockUp(server.url, SKUS, STOCK)
      // A place does 500 orders a day.
      await stockUp(server.url, [ORDERED], STOCK, ['W2', 'W3', 'W4'])
      await eventually('the intake is there', () => streamExists(manager, 'DOORBUSTER_INTAKE'))
    })

    /** Begins anew on the same data directory, after a kill where one runs; it is gone with its test. */
    const serve = async (): Promise<void> => {
      await server?.kill()
      server = await TestServer.start({ dataDir, args: ['--nats', natsServer.url, '--partitions', '1'] })
    }

    /** A server, and a feed that begins where the tests before ended. */
    const begin = async (): Promise<Feed> => {
      await serve()
      return Feed.begin(nats, server, SKUS)
    }

    test('the server is killed and started again under load', { timeout: 90_000 }, async () => {
      const feed = await begin()
      const sent = feed.send(2_000)
      for (let kills = 0; kills < 2; kills++) {
        await sleep(400)
        await serve()
      }
      await sent
      await feed.expectCounted(server, manager)
    })

    test('nats-server is killed and started again under load', { timeout: 90_000 }, async () => {
      const feed = await begin()
      const sent = feed.send(2_000)
      for (let kills = 0; kills < 2; kills++) {
        await sleep(400)
        await natsServer.kill()
        await sleep(200)
        await natsServer.run()
      }
      await sent
      await feed.expectCounted(server, manager)
      const after = await server.call<{ items: unknown[] }>('GET', '/readyz')
      expect(after.status).toBe(200)
      expect(await server.metric('doorbuster_nats_reconnects')).toBeGreaterThan(0)
    })

    test('messages come again and again before they are acknowledged', { timeout: 60_000 }, async () => {
      const feed = await begin()
      const { config } = await manager.consumers.info('DOORBUSTER_INTAKE', 'doorbuster')
      await manager.consumers.update('DOORBUSTER_INTAKE', 'doorbuster', { ...config, ack_wait: 10_000_000 })
      await feed.send(2_000)
      await feed.expectCounted(server, manager)
      await manager.consumers.update('DOORBUSTER_INTAKE', 'doorbuster', { ...config })
      expect(await server.metric('doorbuster_nats_intake_redelivered')).toBeGreaterThan(0)
    })

    test('events of all this are published once each and in order', { timeout: 60_000 }, async () => {
      await serve()
      const id = randomUUID()
      const { body } = await server.call<{ id: string }>('POST', '/v1/orders', {
        channel: 'last',
        externalId: id,
        currency: 'GBP',
        customer: { name: 'Ada Byron' },
        shipTo: { line1: '1 Kirkgate', city: 'Leeds', postalCode: 'LS1 1AA', country: 'GB' },
        lines: [{ sku: ORDERED, quantity: 1, unitPrice: { amount: '9.00', currency: 'GBP' } }],
      })
      await eventually('the last order is told', async () =>
        JSON.stringify((await readEvents(manager)).slice(-20)).includes(body.id),
      )
      const events = await readEvents(manager)
      expectOnceAndInOrder(events)
      const numbers = events.map((event) => Number(event.id.split('-')[1]))
      expect(numbers).toEqual(numbers.map((_, i) => i + 1))
    })
  },
)

describe.skipIf(natsServerPath === undefined)('NATS that is away', () => {
  test('at the start keeps nothing from serving, and hears of what happened meanwhile', {
    timeout: 60_000,
  }, async () => {
    const natsServer = await NatsServer.prepare()
    const server = await TestServer.start({ args: ['--nats', natsServer.url, '--partitions', '1'] })
    await stockUp(server.url, ['AWAY'], 1_000)
    expect(await server.metric('doorbuster_nats_connected')).toBe(0)
    const order = async (): Promise<string> => {
      const { status, body } = await server.call<{ id: string }>('POST', '/v1/orders', {
        channel: 'web',
        currency: 'GBP',
        customer: { name: 'Ada Byron', email: 'ada@example.com' },
        shipTo: { line1: '1 Kirkgate', city: 'Leeds', postalCode: 'LS1 1AA', country: 'GB' },
        lines: [{ sku: 'AWAY', quantity: 1, unitPrice: { amount: '9.00', currency: 'GBP' } }],
      })
      expect(status).toBe(201)
      return body.id
    }
    const orders = await Promise.all(Array.from({ length: 100 }, order))
    await natsServer.run()
    const nats = await natsServer.connect()
    const manager = await nats.jetstreamManager()
    await eventually('the events are published', () => streamExists(manager, 'DOORBUSTER_EVENTS'))

    await natsServer.kill()
    orders.push(...(await Promise.all(Array.from({ length: 100 }, order))))
    expect((await server.call('GET', '/readyz')).status).toBe(200)
    await natsServer.run()
    orders.push(await order())

    const toldOf = async (): Promise<Set<string>> =>
      new Set(
        (await readEvents(manager))
          .filter(({ data }) => data.type === 'order.allocated')
          .map(({ data }) => data.subject),
      )
    await eventually('all orders are told', async () => {
      const told = [...(await toldOf().catch(() => []))]
      return orders.every((id) => told.some((subject) => subject.includes(id)))
    })
    expectOnceAndInOrder(await readEvents(manager))
    const { code } = await server.stop()
    expect(code).toBe(0)
  })

  test('does not keep the server from stopping', async () => {
    const natsServer = await NatsServer.prepare()
    const server = await TestServer.start({ args: ['--nats', natsServer.url] })
    expect((await server.stop()).code).toBe(0)
  })
})
