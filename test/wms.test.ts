/** Warehouse systems: told of their fulfillment orders with all they need, once for each change, and believed once. */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { expect, test, vi } from 'vitest'
import { place as placeFields } from './support/catalogue.js'
import { expectProblem, Shop } from './support/shop.js'
import { whenDone } from './support/test-server.js'

const shop = Shop.open(['--allow-http', '--allow-address', '127.0.0.1'])
const SECRET = 'a-secret-of-the-warehouse'

interface Notice {
  type: string
  version: number
  fulfillment: string
  location: string
  shipTo: { line1: string }
  lines: { sku: string; quantity: number; name: string; gift?: { message?: string } }[]
  isHeld: boolean
}
interface Result {
  id: string
  outcome: string
  status?: string
  code?: string
  detail?: string
  isRepeat?: boolean
}
interface Heard {
  id: string
  status: number
  notice: Notice
}

/** A WMS that listens: answers as it is told to, and remembers what was signed. */
async function warehouse(answer: (heard: Heard[]) => number = () => 200): Promise<{ url: string; heard: Heard[] }> {
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const text = Buffer.concat(parts).toString()
      // Rejects what is not signed with the secret, over the bytes as they came.
      const headers = request.headers as Record<string, string>
      const { data } = new Webhook(SECRET, { format: 'raw' }).verify(text, headers) as { data: Notice }
      const status = answer(heard)
      heard.push({ id: headers['webhook-id']!, status, notice: data })
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  whenDone(() => server.close())
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/fulfillments`, heard }
}

/** A place of its own with a SKU that is nowhere else, and the WMS that runs it. */
async function connected(url: string, onHand = 20): Promise<{ connection: string; location: string; sku: string }> {
  const name = randomUUID().slice(0, 8)
  const [connection, location] = [`wms-${name}`, `L-${name}`]
  await shop.call('PUT', `/v1/locations/${location}`, placeFields(location))
  const sku = await shop.newSku(onHand, location)
  const put = await shop.call('PUT', `/v1/wms/${connection}`, { url, secret: SECRET, locations: [location] })
  expect(put.status, JSON.stringify(put.body)).toBe(200)
  return { connection, location, sku }
}

async function order(sku: string, quantity: number, fields: object = {}): Promise<{ id: string; fulfillment: string }> {
  const { status, body } = await shop.call<{ id: string }>('POST', '/v1/orders', {
    channel: 'web',
    currency: 'GBP',
    customer: { name: 'Ada Byron' },
    shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
    lines: [{ sku, quantity, unitPrice: { amount: '5.00', currency: 'GBP' }, gift: { message: 'Many returns' } }],
    ...fields,
  })
  expect(status).toBe(201)
  const fulfillment = await vi.waitFor(async () => {
    const found = (await orderOf(body.id)).fulfillments.at(-1)
    expect(found).toBeDefined()
    return found!.id
  }, 10_000)
  return { id: body.id, fulfillment }
}

const orderOf = async (id: string) =>
  (
    await shop.call<{ status: string; fulfillments: { id: string; status: string; packages: object[] }[] }>(
      'GET',
      `/v1/orders/${id}`,
    )
  ).body

const say = async (connection: string, ...messages: object[]): Promise<Result[]> => {
  const { status, body } = await shop.call<{ results: Result[] }>('POST', `/v1/wms/${connection}/messages`, {
    messages,
  })
  expect(status, JSON.stringify(body)).toBe(200)
  return body.results
}
const message = (type: string, fulfillment: string, fields: object = {}) => ({
  id: randomUUID().slice(0, 18),
  type,
  fulfillment,
  ...fields,
})

test('a fulfillment order is told signed and whole, each change once with a higher version, and its cancellation', async () => {
  const { url, heard } = await warehouse()
  const { sku, location } = await connected(url)
  const { id, fulfillment } = await order(sku, 3)
  await vi.waitFor(() => expect(heard).toHaveLength(1), 15_000)
  expect(heard[0]!.notice).toMatchObject({
    type: 'created',
    version: 1,
    fulfillment,
    location,
    shipTo: { line1: '12 St James Sq' },
    lines: [{ sku, quantity: 3, name: 'Own', gift: { message: 'Many returns' } }],
  })
  await shop.call('POST', `/v1/orders/${id}/cancel`, { reason: 'one less', lines: [{ line: 1, quantity: 1 }] })
  await vi.waitFor(
    () => expect(heard.at(-1)!.notice).toMatchObject({ type: 'changed', version: 2, lines: [{ quantity: 2 }] }),
    15_000,
  )
  await shop.call('POST', `/v1/orders/${id}/hold`, { reason: 'a look at it' })
  await vi.waitFor(() => expect(heard.at(-1)!.notice).toMatchObject({ version: 3, isHeld: true }), 15_000)
  await shop.call('POST', `/v1/orders/${id}/resume`, {})
  await vi.waitFor(() => expect(heard.at(-1)!.notice).toMatchObject({ version: 4, isHeld: false }), 15_000)
  await shop.call('POST', `/v1/orders/${id}/cancel`, { reason: 'changed my mind' })
  await vi.waitFor(() => expect(heard.at(-1)!.notice).toMatchObject({ type: 'cancelled', version: 5 }), 15_000)
  expect(heard.map(({ notice }) => notice.version)).toEqual([1, 2, 3, 4, 5])
})

test('a WMS that is away is told when it is back, under the same id, and its secret is never shown', async () => {
  const { url, heard } = await warehouse((so) => (so.length < 2 ? 503 : 200))
  const { sku, connection } = await connected(url)
  const { fulfillment } = await order(sku, 1)
  await vi.waitFor(() => expect(heard.at(-1)?.status).toBe(200), 20_000)
  expect(new Set(heard.map(({ id }) => id))).toEqual(new Set([`${connection}:${fulfillment}:1`]))
  for (const path of [`/v1/wms/${connection}`, '/v1/wms?limit=500']) {
    expect(JSON.stringify((await shop.call('GET', path)).body)).not.toContain(SECRET)
  }
  const again = await shop.call('PUT', `/v1/wms/${connection}`, { url, locations: ['W1'] })
  expect(again.body).toMatchObject({ hasSecret: true, locations: ['W1'] })
  expectProblem(await shop.call('PUT', '/v1/wms/new-one', { url, locations: ['W1'] }), 422, 'invalid')
  expectProblem(
    await shop.call('PUT', '/v1/wms/new-one', { url, secret: SECRET, locations: ['NOPE'] }),
    404,
    'unknown_location',
  )
})

test('messages that come in the wrong order, and twice, send an order once', async () => {
  const { url } = await warehouse()
  const { sku, connection, location } = await connected(url)
  const { id, fulfillment } = await order(sku, 2)
  const ship = message('ship', fulfillment, { carrier: 'post', trackingNumber: 'AB1' })
  const pack = message('pack', fulfillment, { cartons: [{ id: 'c1', weightGrams: 400, trackingNumber: 'AB1' }] })
  const pick = message('pick', fulfillment)
  expect(await say(connection, ship)).toMatchObject([{ outcome: 'waiting', detail: 'waits for pick' }])
  const waiting = await shop.call<{ items: { id: string }[] }>('GET', `/v1/wms/${connection}/waiting`)
  expect(waiting.body.items.map((one) => one.id)).toEqual([ship.id])
  expect(await say(connection, pack, pick, pick)).toMatchObject([
    { outcome: 'done', status: 'packed' },
    { outcome: 'done' },
    { outcome: 'done', isRepeat: true },
  ])
  // What waited was carried out when what it waited for had come.
  expect(await say(connection, ship)).toMatchObject([{ outcome: 'done', status: 'shipped', isRepeat: true }])
  expect(await say(connection, { ...ship, carrier: 'other' })).toMatchObject([{ outcome: 'refused', code: 'conflict' }])
  expect((await orderOf(id)).fulfillments).toMatchObject([{ status: 'shipped' }])
  const stock = (await shop.server.stock(sku)).locations.find((one) => one.location === location)!
  expect(stock).toMatchObject({ onHand: 18, allocated: 0 })
})

test('cartons that name their contents say what was picked; what is not in them is short', async () => {
  const { url } = await warehouse()
  const { sku, connection, location } = await connected(url, 3)
  const { id, fulfillment } = await order(sku, 3, { allowBackorder: true })
  const cartons = [{ weightGrams: 300, lines: [{ sku, quantity: 2 }] }]
  const [sent] = await say(connection, message('ship', fulfillment, { carrier: 'post', cartons }))
  expect(sent).toMatchObject({ outcome: 'done', status: 'shipped' })
  expect((await orderOf(id)).fulfillments[0]).toMatchObject({ status: 'shipped', packages: [{ weightGrams: 300 }] })
  const stock = (await shop.server.stock(sku)).locations.find((one) => one.location === location)!
  expect(stock.onHand).toBe(0)
})

test('short picks, damage and what cannot be sent are put right in stock, and another place’s work is refused', async () => {
  const { url } = await warehouse()
  const { sku, connection, location } = await connected(url)
  const onHand = async () => (await shop.server.stock(sku)).locations.find((one) => one.location === location)!.onHand
  const first = await order(sku, 4, { allowBackorder: true })
  const lines = [{ sku, quantity: 1 }]
  expect(await say(connection, message('damaged', first.fulfillment, { lines }))).toMatchObject([{ outcome: 'done' }])
  expect(await onHand()).toBe(19)
  const second = await order(sku, 2, { allowBackorder: true })
  expect(await say(connection, message('short_pick', second.fulfillment, { lines }))).toMatchObject([
    { outcome: 'done' },
  ])
  expect(await onHand()).toBe(18)
  const third = await order(sku, 2, { allowBackorder: true })
  const cannot = message('cannot_ship', third.fulfillment, { reason: 'closed today' })
  expect(await say(connection, cannot)).toMatchObject([{ outcome: 'done', status: 'rejected' }])
  expect(await say(connection, cannot)).toMatchObject([{ outcome: 'done', isRepeat: true }])
  expect(await onHand()).toBe(18)
  const elsewhere = await order('TEE', 1)
  expect(await say(connection, message('accept', elsewhere.fulfillment))).toMatchObject([
    { outcome: 'refused', code: 'wrong_location' },
  ])
  expect(await say(connection, message('accept', 'nowhere-1'))).toMatchObject([{ outcome: 'refused' }])
  expectProblem(await shop.call('POST', '/v1/wms/nobody/messages', { messages: [cannot] }), 404, 'unknown_connection')
  expect(
    (await shop.call('POST', `/v1/wms/${connection}/messages`, { messages: [{ id: 'x', type: 'fly' }] })).status,
  ).toBe(422)
})
