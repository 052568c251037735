/** NATS and the server go away and come back, at any moment and under load: nothing is lost, nothing counts twice. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { headers, type JetStreamManager, type NatsConnection } from 'nats'
import { beforeAll, describe, expect, test } from 'vitest'
import { stockUp } from './support/catalogue.js'
import { expectOnceAndInOrder, readEvents } from './support/nats-events.js'
import { eventually, NatsServer, natsServerPath } from './support/nats-server.js'
import { Random, seed } from './support/random.js'
import { TestServer, temporaryDirectory } from './support/test-server.js'

const PUBLISHED_AT_ONCE = 64
const PUBLISH_MS = 1_000
const SKUS = ['F-0', 'F-1', 'F-2', 'F-3']
const STOCK = 100_000

const streamExists = (manager: JetStreamManager, stream: string): Promise<boolean> =>
  manager.streams.info(stream).then(
    () => true,
    () => false,
  )

/** A feed that sends each command until NATS has it, some twice, and knows what has to come of it. */
class Feed {
  readonly onHand = new Map(SKUS.map((sku) => [sku, STOCK]))
  readonly reserved = new Map(SKUS.map((sku) => [sku, 0]))
  orders = 0
  private readonly random = new Random(seed)
  private readonly run = randomUUID()

  constructor(private readonly nats: NatsConnection) {}

  async send(count: number): Promise<void> {
    let next = 0
    const one = async (): Promise<void> => {
      while (next < count) await this.sendOne(next++)
    }
    await Promise.all(Array.from({ length: PUBLISHED_AT_ONCE }, one))
  }

  private async sendOne(number: number): Promise<void> {
    const { random } = this
    const sku = SKUS[random.below(SKUS.length)]!
    const quantity = random.between(1, 5)
    const [name, body] = this.command(number, sku, quantity)
    await this.publish(name, body, `${this.run}-${number}`)
    if (random.chance(0.1)) await this.publish(name, body, `${this.run}-${number}`)
    if (random.chance(0.1) && name !== 'order.create') await this.publish(name, body, `${this.run}-${number}-again`)
  }

  private command(number: number, sku: string, quantity: number): [string, object] {
    if (number % 10 === 0) {
      this.orders++
      const order = {
        channel: 'feed',
        currency: 'GBP',
        customer: { name: 'Ada Byron' },
        shipTo: { line1: '1 Kirkgate', city: 'Leeds', postalCode: 'LS1 1AA', country: 'GB' },
        lines: [{ sku: 'ORDERED', quantity: 1, unitPrice: { amount: '9.00', currency: 'GBP' } }],
      }
      // No id of its own: its Nats-Msg-Id is what makes it one order.
      return ['order.create', order]
    }
    if (number % 2 === 0) {
      this.onHand.set(sku, this.onHand.get(sku)! + quantity)
      return ['inventory.adjust', { id: `${this.run}-${number}`, sku, location: 'W1', delta: quantity, reason: 'feed' }]
    }
    this.reserved.set(sku, this.reserved.get(sku)! + quantity)
    return ['reservation.create', { id: randomUUID(), sku, quantity, ttlSeconds: 86_400 }]
  }

  private async publish(name: string, body: object, id: string): Promise<void> {
    for (;;) {
      try {
        const options = { msgID: id, headers: headers(), timeout: PUBLISH_MS }
        await this.nats.jetstream().publish(`doorbuster.v1.intake.${name}`, JSON.stringify(body), options)
        return
      } catch {
        await sleep(100)
      }
    }
  }

  /** Once nothing is left in the intake, all counts are what they have to be, to the unit. */
  async expectCounted(server: TestServer, manager: JetStreamManager): Promise<void> {
    await eventually(
      'the intake is empty',
      async () => (await manager.streams.info('DOORBUSTER_INTAKE').catch(() => undefined))?.state.messages === 0,
      60_000,
    )
    await eventually('the orders are allocated', async () => (await server.stock('ORDERED')).allocated >= this.orders)
    expect(await server.stock('ORDERED')).toMatchObject({ allocated: this.orders, reserved: 0 })
    for (const sku of SKUS) {
      const { onHand, reserved } = await server.stock(sku)
      expect({ sku, onHand, reserved }).toEqual({
        sku,
        onHand: this.onHand.get(sku),
        reserved: this.reserved.get(sku),
      })
    }
    expect((await manager.streams.info('DOORBUSTER_DEAD')).state.messages).toBe(0)
    const { body } = await server.call<Record<string, number>>('GET', '/v1/admin/digest')
    expect(body.digest).toBeTruthy()
  }
}

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
      await stockUp(server.url, ['ORDERED'], STOCK, ['W2', 'W3', 'W4'])
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
      const feed = new Feed(nats)
      feed.orders = (await server.stock('ORDERED')).allocated
      for (const sku of SKUS) {
        const { onHand, reserved } = await server.stock(sku)
        feed.onHand.set(sku, onHand)
        feed.reserved.set(sku, reserved)
      }
      return feed
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
        lines: [{ sku: 'ORDERED', quantity: 1, unitPrice: { amount: '9.00', currency: 'GBP' } }],
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
