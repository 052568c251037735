/** A feed of commands by the intake stream, with repeats of both kinds, and the sums that have to come of it. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { headers, type JetStreamManager, type NatsConnection } from 'nats'
import { expect } from 'vitest'
import { eventually } from './nats-server.js'
import { Random, seed } from './random.js'
import type { TestServer } from './test-server.js'

const PUBLISHED_AT_ONCE = 64
const PUBLISH_MS = 1_000
/** The SKU that orders are for. */
export const ORDERED = 'ORDERED'

/** A feed that sends each command until NATS has it, some twice, and knows what has to come of it. */
export class Feed {
  private readonly onHand = new Map<string, number>()
  private readonly reserved = new Map<string, number>()
  private orders = 0
  private readonly random = new Random(seed)
  private readonly run = randomUUID()

  private constructor(
    private readonly nats: NatsConnection,
    private readonly skus: readonly string[],
  ) {}

  /** Begins with the stock as it is. */
  static async begin(nats: NatsConnection, server: TestServer, skus: readonly string[]): Promise<Feed> {
    const feed = new Feed(nats, skus)
    feed.orders = (await server.stock(ORDERED)).allocated
    for (const sku of skus) {
      const { onHand, reserved } = await server.stock(sku)
      feed.onHand.set(sku, onHand)
      feed.reserved.set(sku, reserved)
    }
    return feed
  }

  async send(count: number): Promise<void> {
    let next = 0
    const one = async (): Promise<void> => {
      while (next < count) await this.sendOne(next++)
    }
    await Promise.all(Array.from({ length: PUBLISHED_AT_ONCE }, one))
  }

  private async sendOne(number: number): Promise<void> {
    const { random } = this
    const sku = this.skus[random.below(this.skus.length)]!
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
        lines: [{ sku: ORDERED, quantity: 1, unitPrice: { amount: '9.00', currency: 'GBP' } }],
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
    await eventually('the orders are allocated', async () => (await server.stock(ORDERED)).allocated >= this.orders)
    expect(await server.stock(ORDERED)).toMatchObject({ allocated: this.orders, reserved: 0 })
    for (const sku of this.skus) {
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
