import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import pino from 'pino'
import { Webhook as Verifier } from 'standardwebhooks'
import { afterEach, describe, expect, it } from 'vitest'
import type { CloudEvent } from '../events.js'
import { OutwardClient } from '../outward/outward-http.js'
import { type Delivery, newDelivery } from './delivery.js'
import {
  type DeliveryStore,
  type DispatcherOptions,
  type DueDelivery,
  type LeftOut,
  WebhookDispatcher,
} from './dispatcher.js'
import { DELIVERY_AGE_MS_MAX, STORE_PAUSE_MS } from './limits.js'
import { ATTEMPTS_MAX, DELAYS_MS } from './schedule.js'
import { newSecret, type Webhook } from './webhook.js'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Waits for what events bring about, without looking at a clock. */
class Changes {
  private waiting: { holds: () => boolean; resolve: () => void }[] = []

  changed(): void {
    this.waiting = this.waiting.filter(({ holds, resolve }) => {
      if (!holds()) return true
      resolve()
      return false
    })
  }
  until(holds: () => boolean): Promise<void> {
    return holds() ? Promise.resolve() : new Promise((resolve) => this.waiting.push({ holds, resolve }))
  }
}

class MemoryStore implements DeliveryStore {
  readonly deliveries = new Map<string, Delivery>()
  readonly webhooks = new Map<string, Webhook>()
  readonly events = new Map<string, CloudEvent>()
  readonly changes = new Changes()
  saves = 0
  failing = false

  private waiting({ deliveries, webhooks }: LeftOut) {
    return [...this.deliveries.values()]
      .filter((delivery) => delivery.state === 'waiting')
      .filter(({ id, webhook }) => !deliveries.has(id) && !webhooks.has(webhook))
      .sort((a, b) => a.nextMs - b.nextMs)
  }
  async due(nowMs: number, limit: number, leftOut: LeftOut): Promise<DueDelivery[]> {
    if (this.failing) throw new Error('the disk is full')
    const due = this.waiting(leftOut).filter(({ nextMs }) => nextMs <= nowMs)
    return due.slice(0, limit).map((delivery) => {
      const webhook = this.webhooks.get(delivery.webhook)
      const event = this.events.get(delivery.event)
      return { delivery, ...(webhook ? { webhook } : {}), ...(event ? { event } : {}) }
    })
  }
  async save(delivery: Delivery, isGone: boolean): Promise<void> {
    if (this.failing) throw new Error('the disk is full')
    this.saves++
    this.deliveries.set(delivery.id, delivery)
    const webhook = this.webhooks.get(delivery.webhook)
    if (isGone && webhook) this.webhooks.set(webhook.id, { ...webhook, enabled: false })
    this.changes.changed()
  }
  async next(leftOut: LeftOut): Promise<number | undefined> {
    return this.waiting(leftOut)[0]?.nextMs
  }

  ofWebhook = (id: string, state: Delivery['state']): number =>
    [...this.deliveries.values()].filter(({ webhook, state: is }) => webhook === id && is === state).length
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void

/** A dispatcher with a clock that stands until it is moved, and as many receivers as wanted. */
function dispatching(options: Partial<DispatcherOptions> = {}) {
  const clock = { nowMs: Date.now() }
  const store = new MemoryStore()
  const client = new OutwardClient({ policy: { allowHttp: true, allowed: ['127.0.0.1'] } })
  const logged: string[] = []
  const logger = pino({}, { write: (line: string) => void logged.push(line) })
  const dispatcher = new WebhookDispatcher({
    store,
    client,
    logger,
    now: () => clock.nowMs,
    random: () => 0.5,
    ...options,
  })
  closing.push(() => client.close())
  closing.push(() => dispatcher.stop(0))

  async function receiver(id: string, answer: Answer) {
    const seen = { requests: 0, underWay: 0, underWayMost: 0, ids: [] as string[], arrived: new Changes() }
    const server = createServer((request, response) => {
      seen.requests++
      seen.underWay++
      seen.underWayMost = Math.max(seen.underWayMost, seen.underWay)
      seen.ids.push(String(request.headers['webhook-id']))
      response.on('close', () => {
        seen.underWay--
        seen.arrived.changed()
      })
      request.resume().on('end', () => answer(response, request))
      seen.arrived.changed()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    store.webhooks.set(id, { id, url, secrets: [newSecret()], events: ['>'], enabled: true })
    return seen
  }

  function deliver(webhook: string, count: number): void {
    for (let number = 0; number < count; number++) {
      const id = `${webhook}-${store.deliveries.size}`
      const event: CloudEvent = {
        specversion: '1.0',
        id,
        source: '/doorbuster',
        type: 'order.received',
        subject: `order/${number}`,
        time: new Date(clock.nowMs).toISOString(),
        datacontenttype: 'application/json',
        data: {},
      }
      store.events.set(id, event)
      store.deliveries.set(id, newDelivery(id, store.webhooks.get(webhook)!, event, clock.nowMs))
    }
    dispatcher.wake()
  }

  return { clock, store, client, dispatcher, logged, receiver, deliver }
}

const answering =
  (status: number): Answer =>
  (response) =>
    void response.writeHead(status).end()

describe('the dispatcher', () => {
  it('delivers each event once to a receiver that takes it, signed', async () => {
    const { store, receiver, deliver } = dispatching()
    let verified = 0
    const seen = await receiver('erp', (response, { headers }) => {
      const { secrets } = store.webhooks.get('erp')!
      const event = store.events.get(String(headers['webhook-id']))
      const plain = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
      new Verifier(secrets[0]!).verify(JSON.stringify(event), plain)
      verified++
      response.end()
    })
    deliver('erp', 200)
    await store.changes.until(() => store.ofWebhook('erp', 'delivered') === 200)
    expect([seen.requests, new Set(seen.ids).size, verified, store.saves]).toEqual([200, 200, 200, 200])
    expect(seen.underWayMost).toBeLessThanOrEqual(4)
  })

  it('is not held up by a receiver that is slow, however much waits for it', async () => {
    const { store, receiver, deliver } = dispatching({ atOnce: 8, atOnceEach: 2 })
    const slow = await receiver('slow', () => {})
    await receiver('fast', answering(200))
    deliver('slow', 500)
    await slow.arrived.until(() => slow.underWay === 2)
    deliver('fast', 50)
    await store.changes.until(() => store.ofWebhook('fast', 'delivered') === 50)
    expect(slow.requests).toBe(2)
    expect(store.ofWebhook('slow', 'waiting')).toBe(500)
  })

  it('tries again at the times of the schedule, and gives up after the last', async () => {
    const { clock, store, logged, receiver, deliver, dispatcher } = dispatching()
    const seen = await receiver('erp', answering(500))
    const startMs = clock.nowMs
    deliver('erp', 1)
    const distances: number[] = []
    for (let tries = 1; tries <= ATTEMPTS_MAX; tries++) {
      await store.changes.until(() => store.saves === tries)
      const delivery = [...store.deliveries.values()][0]!
      if (delivery.state !== 'waiting') break
      distances.push(delivery.nextMs - clock.nowMs)
      clock.nowMs = delivery.nextMs - 1
      dispatcher.wake()
      await new Promise(setImmediate)
      expect([seen.requests, dispatcher.attemptsUnderWay]).toEqual([tries, 0])
      clock.nowMs = delivery.nextMs
      dispatcher.wake()
    }
    expect(distances).toEqual(DELAYS_MS)
    expect(seen.requests).toBe(ATTEMPTS_MAX)
    expect(new Set(seen.ids).size).toBe(1)
    expect([...store.deliveries.values()][0]).toMatchObject({ state: 'dead' })
    expect(clock.nowMs - startMs).toBeLessThan(DELIVERY_AGE_MS_MAX)
    await dispatcher.stop()
    expect(logged.join()).toContain('a webhook was given up')
  })

  it('sends only one probe at a time to a receiver that is down, and all that waits once it is up', async () => {
    const { clock, store, receiver, deliver, dispatcher } = dispatching({ atOnceEach: 5 })
    let status = 503
    const held: ServerResponse[] = []
    const seen = await receiver('erp', (response) => {
      response.statusCode = status
      if (seen.requests > 5) response.end()
      else if (held.push(response) === 5) for (const each of held) each.end()
    })
    const quiet = async (): Promise<void> => {
      while (dispatcher.attemptsUnderWay > 0) await new Promise(setImmediate)
    }
    deliver('erp', 100)
    await store.changes.until(() => store.saves >= 5)
    await quiet()
    expect(seen.underWayMost).toBe(5)
    const requests = seen.requests
    expect(requests).toBeLessThan(10)
    seen.underWayMost = 0
    for (let probe = 1; probe <= 3; probe++) {
      clock.nowMs += 300_000
      dispatcher.wake()
      await store.changes.until(() => store.saves === requests + probe)
      await quiet()
      dispatcher.wake()
    }
    expect([seen.requests - requests, seen.underWayMost]).toEqual([3, 1])
    status = 200
    clock.nowMs += 300_000
    dispatcher.wake()
    await store.changes.until(() => store.ofWebhook('erp', 'delivered') >= 100 - requests - 3)
    clock.nowMs += 3_600_000
    dispatcher.wake()
    await store.changes.until(() => store.ofWebhook('erp', 'delivered') === 100)
  })

  it('gives up what waited too long for a receiver that is down, and never what nobody has tried', async () => {
    const { clock, store, receiver, deliver, dispatcher } = dispatching({ atOnceEach: 1 })
    await receiver('down', answering(503))
    deliver('down', 20)
    await store.changes.until(() => store.saves === 5)
    clock.nowMs += DELIVERY_AGE_MS_MAX + 1
    dispatcher.wake()
    await store.changes.until(() => store.ofWebhook('down', 'dead') === 20)
    for (const { attempts } of store.deliveries.values()) expect(attempts.at(-1)!.error).toMatch(/down for too long/)

    const up = await receiver('up', answering(200))
    const event = { ...[...store.events.values()][0]!, id: 'up-old' }
    store.events.set('up-old', event)
    store.deliveries.set('up-old', newDelivery('up-old', store.webhooks.get('up')!, event, 0))
    dispatcher.wake()
    await store.changes.until(() => store.ofWebhook('up', 'delivered') === 1)
    expect(up.requests).toBe(1)
  })

  it('switches a webhook off that answers 410, and sends it nothing more', async () => {
    const { store, receiver, deliver } = dispatching({ atOnceEach: 1 })
    const seen = await receiver('erp', answering(410))
    deliver('erp', 10)
    await store.changes.until(() => store.ofWebhook('erp', 'dead') === 10)
    expect(store.webhooks.get('erp')!.enabled).toBe(false)
    expect(seen.requests).toBe(1)
  })

  it('gives up deliveries of a webhook or an event that is no more', async () => {
    const { store, receiver, deliver, dispatcher } = dispatching()
    const seen = await receiver('erp', answering(200))
    await dispatcher.stop()
    deliver('erp', 2)
    const [first, second] = [...store.deliveries.values()]
    store.events.delete(first!.event)
    store.deliveries.set(second!.id, { ...second!, webhook: 'deleted' })
    const client = new OutwardClient()
    closing.push(() => client.close())
    const another = new WebhookDispatcher({ store, client, logger: pino({ level: 'silent' }) })
    closing.push(() => another.stop(0))
    another.wake()
    await store.changes.until(() => store.saves === 2)
    const errors = [...store.deliveries.values()].map(({ attempts }) => attempts[0]!.error)
    expect(errors).toEqual(['The event is no longer kept.', 'The webhook was deleted.'])
    expect(seen.requests).toBe(0)
  })

  it('waits before it tries again where the store fails, and then loses nothing', async () => {
    const { clock, store, logged, receiver, deliver, dispatcher } = dispatching()
    let failOnce = true
    const seen = await receiver('erp', (response) => {
      store.failing = failOnce
      failOnce = false
      response.end()
    })
    deliver('erp', 1)
    await seen.arrived.until(() => seen.requests === 1 && seen.underWay === 0)
    await dispatcher.stop()
    expect(logged.join()).toContain('the disk is full')
    expect(store.ofWebhook('erp', 'waiting')).toBe(1)

    const client = new OutwardClient({ policy: { allowHttp: true, allowed: ['127.0.0.1'] } })
    closing.push(() => client.close())
    const asked = new Changes()
    let questions = 0
    const due = store.due.bind(store)
    store.due = (...question) => {
      questions++
      asked.changed()
      return due(...question)
    }
    const another = new WebhookDispatcher({ store, client, logger: pino({ level: 'silent' }), now: () => clock.nowMs })
    closing.push(() => another.stop(0))
    another.wake()
    await asked.until(() => questions === 1)
    await new Promise(setImmediate)
    store.failing = false
    another.wake()
    await new Promise(setImmediate)
    expect(questions).toBe(1)
    clock.nowMs += STORE_PAUSE_MS
    another.wake()
    await store.changes.until(() => store.ofWebhook('erp', 'delivered') === 1)
    expect(seen.ids).toEqual(['erp-0', 'erp-0'])
  })

  it('begins nothing more once it is stopped, and what it broke off counts as not tried', async () => {
    const { store, receiver, deliver, dispatcher } = dispatching({ atOnceEach: 2 })
    const seen = await receiver('slow', () => {})
    deliver('slow', 10)
    await seen.arrived.until(() => seen.underWay === 2)
    await dispatcher.stop(10)
    await seen.arrived.until(() => seen.underWay === 0)
    dispatcher.wake()
    await new Promise(setImmediate)
    expect([seen.requests, store.saves, store.ofWebhook('slow', 'waiting')]).toEqual([2, 0, 10])
    for (const { tries } of store.deliveries.values()) expect(tries).toBe(0)
  })

  it('lets what is under way end when it is stopped', async () => {
    const { store, receiver, deliver, dispatcher } = dispatching()
    const held: ServerResponse[] = []
    const seen = await receiver('erp', (response) => void held.push(response))
    deliver('erp', 1)
    await seen.arrived.until(() => seen.underWay === 1)
    const stopped = dispatcher.stop()
    await new Promise(setImmediate)
    for (const response of held) response.end()
    await stopped
    expect(store.ofWebhook('erp', 'delivered')).toBe(1)
  })
})
