/** The intake over several partitions: all is carried out once, and one that is slow or has no room holds up no other. */
import { randomUUID } from 'node:crypto'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInbox, type JetStreamManager, type NatsConnection } from 'nats'
import { describe, expect, test } from 'vitest'
import { stockUp } from './support/catalogue.js'
import { canMount, smallDisk } from './support/mounts.js'
import { Feed, ORDERED } from './support/nats-feed.js'
import { eventually, NatsServer, natsServerPath } from './support/nats-server.js'
import { standingStill } from './support/standstill.js'
import { TestServer } from './support/test-server.js'

const PARTITIONS = 2
const WAIT_MS = 60_000
/** More than are held of partitions that keep up. */
const WAITING = 12_000

interface Shop {
  readonly nats: NatsConnection
  readonly manager: JetStreamManager
  readonly server: TestServer
}

async function open(dataDir?: string): Promise<Shop> {
  const natsServer = await NatsServer.start()
  const server = await TestServer.start({
    ...(dataDir === undefined ? {} : { dataDir }),
    args: ['--nats', natsServer.url, '--partitions', String(PARTITIONS), '--threads', String(PARTITIONS)],
  })
  const nats = await natsServer.connect()
  const manager = await nats.jetstreamManager()
  await eventually('the intake asks for messages', async () => {
    const consumer = await manager.consumers.info('DOORBUSTER_INTAKE', 'doorbuster').catch(() => undefined)
    return (consumer?.num_waiting ?? 0) > 0
  })
  return { nats, manager, server }
}

const left = async (manager: JetStreamManager): Promise<number> =>
  (await manager.streams.info('DOORBUSTER_INTAKE')).state.messages
const deadLetters = async (manager: JetStreamManager): Promise<number> =>
  (await manager.streams.info('DOORBUSTER_DEAD')).state.messages

/** Sends messages in their order, without waiting for each; resolves once the stream has all. */
function sendAll(nats: NatsConnection, messages: readonly [name: string, body: object][]): Promise<void> {
  const inbox = createInbox()
  return new Promise((resolve, reject) => {
    let stored = 0
    nats.subscribe(inbox, {
      max: messages.length,
      callback(error, message) {
        if (error || !message.string().includes('"seq"')) reject(error ?? new Error(message.string()))
        else if (++stored === messages.length) resolve()
      },
    })
    for (const [name, body] of messages) {
      nats.publish(`doorbuster.v1.intake.${name}`, JSON.stringify(body), { reply: inbox })
    }
  })
}

const reservation = (sku: string): [string, object] => [
  'reservation.create',
  { id: randomUUID(), sku, quantity: 1, ttlSeconds: 86_400 },
]

/** Gives each SKU one unit and reserves one, over and over: where two of these change places a reservation is refused. */
function givenAndReserved(skus: readonly string[], times: number): [string, object][] {
  const given = (sku: string): [string, object] => [
    'inventory.adjust',
    { id: randomUUID(), sku, location: 'W1', delta: 1, reason: 'order' },
  ]
  return Array.from({ length: times }, () => skus.flatMap((sku) => [given(sku), reservation(sku)])).flat()
}

/** SKUs by the partition that they are dealt out to. */
async function skusByPartition(server: TestServer, count: number, onHand: number): Promise<string[][]> {
  const names = Array.from({ length: count }, (_, i) => `SKU-${i}`)
  const { skus } = await stockUp(server.url, names, onHand)
  return Array.from({ length: PARTITIONS }, (_, partition) =>
    names.filter((name) => skus.get(name)! % PARTITIONS === partition),
  )
}

describe.skipIf(natsServerPath === undefined)(
  'the intake over several partitions (nats-server 2.12 or newer; test/setup.sh installs it)',
  () => {
    test('what comes twice and out of order is carried out once, to the unit', { timeout: 120_000 }, async () => {
      const { nats, manager, server } = await open()
      const skus = Array.from({ length: 8 }, (_, i) => `P-${i}`)
      await stockUp(server.url, skus, 100_000)
      await stockUp(server.url, [ORDERED], 100_000, ['W2', 'W3', 'W4'])
      const feed = await Feed.begin(nats, server, skus)
      await feed.send(4_000)
      await feed.expectCounted(server, manager)
    })

    test('one that stands still holds up no other, and finds its own in their order', {
      timeout: 180_000,
    }, async () => {
      const { nats, manager, server } = await open()
      const [still, going] = (await skusByPartition(server, 100, 0)) as [string[], string[]]
      await stockUp(server.url, going, WAITING)
      const goOn = await standingStill(server, 0)

      const waiting = givenAndReserved(still, WAITING / 2 / still.length)
      await sendAll(
        nats,
        waiting.flatMap((message, i) => [message, reservation(going[i % going.length]!)]),
      )
      await eventually(
        'the others are carried out, while it stands still',
        async () => (await left(manager)) === WAITING,
        WAIT_MS,
      )
      await goOn()
      await eventually('all is carried out', async () => (await left(manager)) === 0, WAIT_MS)
      const each = WAITING / 2 / still.length
      for (const sku of still) expect(await server.stock(sku)).toMatchObject({ onHand: each, reserved: each })
      for (const sku of going) expect((await server.stock(sku)).reserved).toBe(WAITING / going.length)
      expect(await deadLetters(manager)).toBe(0)
    })
  },
)

describe.skipIf(natsServerPath === undefined || !canMount)(
  'the intake on a full disk (needs nats-server, and to mount a file system)',
  () => {
    test('what cannot be written is tried again with longer and longer waits, and nothing is lost', {
      timeout: 180_000,
    }, async () => {
      const disk = smallDisk(64)
      const { nats, manager, server } = await open(join(disk, 'data'))
      const skus = (await skusByPartition(server, 40, 0)).flat()
      const ballast = join(disk, 'ballast')
      const { bavail, bsize } = statfsSync(disk)
      writeFileSync(ballast, Buffer.alloc(bavail * bsize))
      const each = 50
      await sendAll(nats, givenAndReserved(skus, each))
      await eventually(
        'the intake is refused',
        async () => (await server.metric('doorbuster_nats_intake_postponed')) > 0,
        WAIT_MS,
      )
      expect(await left(manager)).toBeGreaterThan(0)
      const [name, body] = reservation(skus[0]!)
      const asked = await nats.request(`doorbuster.v1.command.${name}`, JSON.stringify(body), { timeout: WAIT_MS })
      expect(asked.json()).toMatchObject({ status: 503, body: { code: 'overloaded' } })
      rmSync(ballast)
      await eventually('all is carried out', async () => (await left(manager)) === 0, WAIT_MS)
      for (const sku of skus) expect(await server.stock(sku)).toMatchObject({ onHand: each, reserved: each })
      expect(await deadLetters(manager)).toBe(0)
    })
  },
)
