/** Warehouses that work by webhooks and REST, by NATS, and by EDI: each is told, and says what it has done, in its own way. */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { JetStreamManager, NatsConnection } from 'nats'
import { X12FatInterchange, X12Parser } from 'node-x12'
import { Webhook } from 'standardwebhooks'
import { expect, vi } from 'vitest'
import { readEvents } from './nats-events.js'
import { eventually, NatsServer } from './nats-server.js'
import { TestServer, whenDone } from './test-server.js'

/** What a warehouse was told last of an order that it is to send. */
export interface Told {
  isCancelled: boolean
  line1: string
  lines: { sku: string; quantity: number }[]
}

export interface Shipment {
  sku: string
  quantity: number
  weightGrams: number
  trackingNumber: string
}

export interface Warehouse {
  /** What it knows of an order by now; undefined: nothing yet. */
  told(order: string): Promise<Told | undefined>
  /** Says that this, and no more, was found and sent. `again`: the same message once more. */
  ship(order: string, shipment: Shipment, again?: boolean): Promise<void>
}

export interface Way {
  server: TestServer
  /** A warehouse that runs the location. */
  open(location: string): Promise<Warehouse>
}

interface Notice {
  type?: string
  version: number
  fulfillment: string
  order: string
  status: string
  shipTo: { line1: string }
  lines: { sku: string; quantity: number }[]
}

const WAIT = { timeout: 20_000, interval: 50 }

const toldOf = ({ type, status, shipTo, lines }: Notice): Told => ({
  isCancelled: type === 'cancelled' || status === 'cancelled',
  line1: shipTo.line1,
  lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
})

/** One message, under an id that is the same when it is said again. */
class Messages {
  private readonly ids = new Map<string, string>()

  shipped(fulfillment: string, { sku, quantity, weightGrams, trackingNumber }: Shipment, again: boolean): object {
    const id = again ? this.ids.get(fulfillment) : randomUUID().slice(0, 18)
    this.ids.set(fulfillment, id!)
    const cartons = [{ weightGrams, trackingNumber, lines: [{ sku, quantity }] }]
    return { id, type: 'ship', fulfillment, carrier: 'UPSN', trackingNumber, cartons }
  }
}

export async function byWebhooks(): Promise<Way> {
  const server = await TestServer.start({ args: ['--allow-http', '--allow-address', '127.0.0.1'] })
  return {
    server,
    async open(location) {
      const secret = `secret-${randomUUID()}`
      const notices: Notice[] = []
      const listener = createServer((request, response) => {
        void text(request).then((body) => {
          const headers = request.headers as Record<string, string>
          notices.push((new Webhook(secret, { format: 'raw' }).verify(body, headers) as { data: Notice }).data)
          response.writeHead(200).end()
        })
      })
      await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
      whenDone(() => listener.close())
      const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`
      const connection = `wms-${location}`
      const put = await server.call('PUT', `/v1/wms/${connection}`, { url, secret, locations: [location] })
      expect(put.status).toBe(200)
      const messages = new Messages()
      const newest = (order: string) =>
        notices.filter((notice) => notice.order === order).sort((a, b) => b.version - a.version)[0]
      return {
        async told(order) {
          const notice = newest(order)
          return notice && toldOf(notice)
        },
        async ship(order, shipment, again = false) {
          const body = { messages: [messages.shipped(newest(order)!.fulfillment, shipment, again)] }
          expect((await server.call('POST', `/v1/wms/${connection}/messages`, body)).status).toBe(200)
        },
      }
    },
  }
}

export async function byNats(): Promise<Way> {
  const natsServer = await NatsServer.start()
  const server = await TestServer.start({ args: ['--nats', natsServer.url] })
  await eventually('NATS is connected', async () => (await server.metric('doorbuster_nats_connected')) === 1)
  const nats = await natsServer.connect()
  const manager = await nats.jetstreamManager()
  return { server, open: (location) => openByNats(location, nats, manager) }
}

async function openByNats(location: string, nats: NatsConnection, manager: JetStreamManager): Promise<Warehouse> {
  const command = async <Body>(name: string, body: object): Promise<Body> => {
    const answer = await nats.request(`doorbuster.v1.command.${name}`, JSON.stringify(body), { timeout: 10_000 })
    const { status, body: told } = answer.json<{ status: number; body: Body }>()
    expect(status, JSON.stringify(told)).toBe(200)
    return told
  }
  const connection = `wms-${location}`
  await command('wms.put', { connection, locations: [location] })
  const messages = new Messages()
  /** Of the order's events those that name a fulfillment order of this place. */
  const fulfillmentOf = async (order: string): Promise<string | undefined> => {
    const events = (await readEvents(manager)) as unknown as {
      data: { type: string; data: { order?: string; location?: string; fulfillment?: string } }
    }[]
    const own = events.filter(({ data }) => data.type.startsWith('fulfillment.') && data.data.order === order)
    return own.findLast(({ data }) => data.data.location === location)?.data.data.fulfillment
  }
  return {
    async told(order) {
      const fulfillment = await fulfillmentOf(order)
      return fulfillment && toldOf(await command<Notice>('wms.fulfillment.get', { connection, fulfillment }))
    },
    async ship(order, shipment, again = false) {
      const fulfillment = await fulfillmentOf(order)
      await command('wms.messages', { connection, messages: [messages.shipped(fulfillment!, shipment, again)] })
    },
  } as Warehouse
}

export async function byEdi(): Promise<Way> {
  const server = await TestServer.start()
  return { server, open: (location) => openByEdi(location, server) }
}

async function openByEdi(location: string, server: TestServer): Promise<Warehouse> {
  const connection = `edi-${location}`
  const ends = { ours: { qualifier: 'ZZ', id: 'DOORBUSTER' }, theirs: { qualifier: '12', id: '5551234567' } }
  const settings = { ...ends, currency: 'GBP', country: 'GB', warehouses: { [location]: 'WH7' } }
  expect((await server.call('PUT', `/v1/channels/edi/${connection}`, { settings })).status).toBe(200)
  const path = `/v1/channels/edi/${connection}`
  const newest = async (order: string): Promise<string[][] | undefined> => {
    const { body } = await server.call<{ items: { id: string }[] }>('GET', `${path}/documents?type=940&order=${order}`)
    const [first] = body.items
    if (!first) return undefined
    const parsed = new X12Parser(true).parse(
      await (await fetch(`${server.url}${path}/documents/${encodeURIComponent(first.id)}`)).text(),
    )
    if (parsed instanceof X12FatInterchange) throw new Error('several interchanges')
    const segments = parsed.functionalGroups[0]?.transactions[0]?.segments ?? []
    return segments.map(({ tag, elements }) => [tag, ...elements.map(({ value }) => value)])
  }
  const segment = (segments: string[][], tag: string): string[] => segments.find(([name]) => name === tag) ?? []
  const advices = new Map<string, string>()
  let control = 0
  return {
    async told(order) {
      const segments = await newest(order)
      if (!segments) return undefined
      return {
        isCancelled: segment(segments, 'W05')[1] === 'F',
        // The address behind the name of whom it is sent to.
        line1: segments[segments.findIndex(([tag, role]) => tag === 'N1' && role === 'ST') + 1]?.[1] ?? '',
        lines: segments
          .filter(([tag]) => tag === 'W01')
          .map((values) => ({ sku: values[values.indexOf('SK') + 1]!, quantity: Number(values[1]) })),
      }
    },
    async ship(order, { sku, quantity, weightGrams, trackingNumber }, again = false) {
      if (!again) {
        const [, , number] = segment((await newest(order))!, 'W05')
        advices.set(
          order,
          x12Advice(String(++control).padStart(9, '0'), [
            `W06*F*${number}*20260310`,
            'W27*M*UPSN',
            'LX*1',
            `MAN*CP*${trackingNumber}`,
            `W12*CP*${quantity}*${quantity}**EA**SK*${sku}`,
            `W03*${quantity}*${weightGrams / 1_000}*KG`,
          ]),
        )
      }
      const answer = await fetch(`${server.url}${path}/interchanges`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
        body: advices.get(order)!,
      })
      expect(answer.status, await answer.text()).toBe(200)
    },
  }
}

function x12Advice(number: string, segments: string[]): string {
  return [
    `ISA*00*          *00*          *12*5551234567     *ZZ*DOORBUSTER     *260309*0800*U*00401*${number}*0*P*>`,
    'GS*SW*5551234567*DOORBUSTER*20260309*0800*7*X*004010',
    'ST*945*0001',
    ...segments,
    `SE*${segments.length + 2}*0001`,
    'GE*1*7',
    `IEA*1*${number}`,
  ]
    .map((line) => `${line}~\n`)
    .join('')
}

/** What a warehouse is told of an order, once it is as is waited for. */
export const toldOnce = (warehouse: Warehouse, order: string, expected: object): Promise<void> =>
  vi.waitFor(async () => expect(await warehouse.told(order)).toMatchObject(expected), WAIT)
