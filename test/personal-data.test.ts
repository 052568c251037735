/** Personal data from outside: nothing of it stands in the clear in any file or output, and customers get all of it. */
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DoorbusterClient } from '../gateway/client/index.js'
import { stockUp } from './support/catalogue.js'
import { built, run } from './support/command-line.js'
import {
  ada,
  advance,
  DELIVER,
  type ExportDocument,
  exported,
  home,
  type OrderDocument,
  orderOf,
  placed,
  pounds,
  read,
  shop,
  threads,
  wait,
} from './support/customer-orders.js'
import { EventReader } from './support/event-reader.js'
import { filesOf, found } from './support/file-search.js'
import type { Answer } from './support/http-call.js'
import { expectProblem } from './support/shop.js'
import { TestServer, temporaryDirectory, whenDone } from './support/test-server.js'

const numberForms = (value: number): Buffer[] => {
  const both = [Buffer.alloc(8), Buffer.alloc(8)]
  both[0]!.writeDoubleBE(value)
  both[1]!.writeDoubleLE(value)
  return both
}

/** Every personal field of an order, each with a word of its own. */
class Words {
  readonly all: string[] = []
  private made = 0
  word(): string {
    const word = `Qz${this.made++}Ødegård${randomUUID().slice(0, 8)}`
    this.all.push(word)
    return word
  }
  plain(): string {
    const word = `qx${this.made++}k${randomUUID().slice(0, 8)}`
    this.all.push(word)
    return word
  }
  customer() {
    const phone = `+44 7700 ${900_000 + this.made++}`
    this.all.push(phone)
    return { name: this.word(), email: `${this.plain()}@example.com`, phone }
  }
  address() {
    return {
      ...home,
      name: this.word(),
      line1: this.word(),
      line2: this.word(),
      latitude: LATITUDE,
      longitude: LONGITUDE,
    }
  }
  order(fields: Record<string, unknown> = {}) {
    return orderOf({
      customer: this.customer(),
      shipTo: this.address(),
      notes: this.word(),
      lines: [
        { sku: 'TEE', quantity: 2, unitPrice: pounds('10.00'), gift: { message: this.word() }, note: this.word() },
      ],
      ...fields,
    })
  }
}
const LATITUDE = 51.507_234_561
const LONGITUDE = -0.135_789_123
test('no file and no output has personal data in the clear, whichever call it came by', async () => {
  const words = new Words()
  const server = await shop()
  const said: string[] = []
  const events = await EventReader.open(server.url)
  const client = await DoorbusterClient.connect(server.url)
  whenDone(() => client.close())
  client.subscribe(['event.>', 'inventory.TEE'], (event) => said.push(JSON.stringify(event)))
  const key = () => ({ 'idempotency-key': randomUUID() })
  const post = <Body = OrderDocument>(path: string, body: unknown, headers = key()): Promise<Answer<Body>> =>
    server.call<Body>('POST', path, body, headers)

  const first = await post('/v1/orders', words.order())
  expect(first.status).toBe(201)
  const { id } = first.body
  await post('/v1/orders', words.order({ customer: { ...words.customer(), id: `${words.plain()}@example.com` } }))
  await post(
    '/v1/orders',
    words.order({ payment: { status: 'pending', amount: pounds('20.00'), provider: 'builtin' } }),
  )
  await post('/v1/orders', words.order({ delivery: { method: 'ship_to_store', location: 'S1' } }))
  await post('/v1/orders', words.order({ delivery: { method: 'pickup', location: 'S1' } }))
  await post('/v1/orders', words.order({ lines: [{ sku: 'TEE', quantity: 90_000, unitPrice: pounds('1.00') }] }))
  await post('/v1/bulk/orders', { orders: [words.order(), words.order({ externalId: randomUUID() })] })
  expect((await client.command('order.create', words.order())).status).toBe(201)

  // What is refused is kept, too.
  await post('/v1/orders', words.order({ lines: [{ sku: 'NONE', quantity: 1, unitPrice: pounds('1.00') }] }))
  await post('/v1/orders', words.order({ customer: { name: words.word(), email: words.word() } }))
  await post('/v1/orders', `{ "customer": "${words.plain()}" `)
  await post('/v1/orders', { ...words.order(), shipTo: words.word() })

  const revision = { customer: words.customer(), shipTo: words.address(), notes: words.word() }
  expect((await server.call('PATCH', `/v1/orders/${id}`, revision)).status).toBe(200)
  // Refused where the SKU is of another partition than the order.
  const gift = { gift: { message: words.word() }, note: words.word() }
  const lines = [{ sku: 'TEE', quantity: 1, unitPrice: pounds('1.00'), ...gift }]
  await server.call('PATCH', `/v1/orders/${first.body.id}`, { lines })
  for (const step of ['hold', 'resume']) expect((await post(`/v1/orders/${id}/${step}`, {})).status).toBe(200)
  await post('/v1/bulk/orders/hold', { orders: [id], reason: 'checked' })
  await post(`/v1/orders/${id}/resume`, {})
  await advance(server, id, DELIVER)
  await post(`/v1/orders/${id}/credits`, { amount: pounds('1.00') })
  const back = await post<{ id: string }>('/v1/returns', {
    order: id,
    lines: [{ sku: 'TEE', quantity: 1, reason: 'too small' }],
    resolution: 'exchange',
    exchange: [{ sku: 'TEE', quantity: 1, unitPrice: pounds('10.00') }],
  })
  expect(back.status).toBe(201)
  await post(`/v1/returns/${back.body.id}/authorize`, { label: false })
  const line = { sku: 'TEE', quantity: 1, disposition: 'restock' }
  expect((await post(`/v1/returns/${back.body.id}/receive`, { location: 'S1', lines: [line] })).status).toBe(200)
  await post('/v1/returns/at-the-counter', { order: id, location: 'S1', lines: [line] })

  const entry = await wait(server, words.customer(), key())
  expect(entry.status).toBe(201)
  await post(`/v1/waitlist/${entry.body.id}/leave`, {})
  await wait(server, words.customer())
  await client.command('waitlist.join', { sku: 'TEE', quantity: 20_000, customer: words.customer() })

  // Asked for by what the files must not show.
  const { customer } = await read(server, id)
  for (const query of [`q=${customer.name}`, `customer=${customer.email}`, `cursor=${words.plain()}`]) {
    await server.call('GET', `/v1/orders?${query}`)
  }
  expect((await exported(server, customer.email!)).body.orders.length).toBeGreaterThan(0)
  const shown = await Promise.all(
    ['/v1/exceptions', '/v1/fulfillments', '/v1/order-counts', '/metrics'].map((path) =>
      fetch(server.url + path).then((answer) => answer.text()),
    ),
  )
  const wave = await post('/v1/waves', { location: 'W1', statuses: ['pending', 'accepted'] })
  expect(wave.status).toBe(200)
  const trial = { rules: [{ id: 'r', condition: 'order.total >= 0', actions: [{ type: 'tag', tag: 'seen' }] }] }
  const tried = await post('/v1/rules/try', trial)
  expect(tried.status).toBe(200)
  expect(found(words.all, Buffer.from([...shown, wave, tried].map((part) => JSON.stringify(part)).join()))).toEqual([])

  const target = join(temporaryDirectory(), 'backup')
  expect((await run(['backup', target, '--data-dir', server.dataDir, '--url', server.url])).code).toBe(0)
  await expect.poll(() => events.events.length).toBeGreaterThan(10)
  const running = filesOf(server.dataDir).map((file) => ({ file, bytes: readFileSync(file) }))
  client.close()
  expect((await server.stop()).code).toBe(0)
  const stopped = [server.dataDir, target].flatMap(filesOf).map((file) => ({ file, bytes: readFileSync(file) }))

  // What is looked for could be found: the city stands in logs and checkpoints alike.
  for (const name of ['log.mdb', 'store.mdb']) {
    const some = [...running, ...stopped].filter(({ file }) => file.endsWith(name))
    expect(
      some.some(({ bytes }) => bytes.includes('London')),
      name,
    ).toBe(true)
  }
  // Where mail goes as long as no mail server is named: a mail is a mail.
  const outbox = join(server.dataDir, 'outbox')
  for (const { file, bytes } of [...running, ...stopped]) {
    if (file.startsWith(outbox)) continue
    expect(found(words.all, bytes), file).toEqual([])
    for (const exact of [LATITUDE, LONGITUDE].flatMap(numberForms)) expect(bytes.includes(exact), file).toBe(false)
  }
  const output = [server.stdout, server.stderr, ...said, ...events.events.map((event) => JSON.stringify(event))]
  expect(said.length).toBeGreaterThan(0)
  expect(found(words.all, Buffer.from(output.join('\n')))).toEqual([])
})
test('a buyer’s address is a keyed number in every file, and counts against the limit by whichever way it comes', async () => {
  const server = await shop()
  const [opensAt, closesAt] = [-1, 1].map((days) => new Date(Date.now() + days * 86_400_000).toISOString())
  const sale = { opensAt, closesAt, skus: [{ sku: 'TEE', quantity: 100 }], limitPerBuyer: 4 }
  expect((await server.call('PUT', '/v1/sales/night', sale)).status).toBe(200)
  const buyer = `ada-${randomUUID()}@example.com`
  const ask = (quantity = 1) => ({ id: randomUUID(), sku: 'TEE', quantity, buyer })
  const byHttp = (at: TestServer, quantity?: number) => at.call('POST', '/v1/reservations', ask(quantity))
  expect((await byHttp(server)).status).toBe(201)
  const client = await DoorbusterClient.connect(server.url)
  whenDone(() => client.close())
  expect((await client.command('reservation.create', ask())).status).toBe(201)
  const batch = { reservations: [ask()], allOrNothing: true }
  expect((await server.call('POST', '/v1/reservations/batch', batch)).status).toBe(201)
  expectProblem(await byHttp(server, 2), 409, 'buyer_limit')
  const backup = join(temporaryDirectory(), 'backup')
  expect((await run(['backup', backup, '--data-dir', server.dataDir, '--url', server.url])).code).toBe(0)
  client.close()
  expect((await server.stop()).code).toBe(0)

  // What anybody could compute who guesses the address.
  const guess = createHash('sha256').update(buyer).digest().subarray(0, 8)
  const guesses = [guess, Buffer.from(guess).swap64()]
  for (const file of [server.dataDir, backup].flatMap(filesOf)) {
    const bytes = readFileSync(file)
    expect(
      guesses.some((one) => bytes.includes(one)),
      file,
    ).toBe(false)
    expect(found([buyer], bytes), file).toEqual([])
  }

  const dataDir = join(temporaryDirectory(), 'restored')
  expect((await run(['restore', backup, '--data-dir', dataDir])).code).toBe(0)
  for (const directory of [server.dataDir, dataDir]) {
    const again = await TestServer.start({ dataDir: directory })
    expectProblem(await byHttp(again, 2), 409, 'buyer_limit')
    expect((await byHttp(again)).status).toBe(201)
  }
})

test('records about a customer are exported with their sealed parts open, and go with the customer', async () => {
  const { Server }: typeof import('../gateway/server.js') = await import(built('gateway/server.ts'))
  const { default: pino } = await import('pino')
  const dataDir = temporaryDirectory()
  const own = {
    host: '127.0.0.1',
    port: 0,
    dataDir,
    partitions: 2,
    version: '0',
    warmReservations: 0,
    outward: {},
    messaging: {},
  }
  const server = await Server.start({ ...own, logger: pino({ enabled: false }) })
  whenDone(() => server.stop())
  const { records, people, call } = server.context
  await stockUp(server.url, ['TEE'], 10)
  const order = orderOf()
  expect((await call('order.create', order)).status).toBe(201)
  const person = people.personOf(ada, '')
  // As much of a message as the way to its provider needs.
  const known = { medium: 'email', key: 'key.0.hash', resends: 0, at: 'now' }
  const about = { address: people.sealText(ada.email, person), ...known }
  const refs = [people.keyOf(ada.email), person, order.id, `${order.id}-1`]
  const kinds = ['message', 'label', 'intake', 'consent']
  for (const kind of kinds) {
    for (const [at, ref] of refs.entries()) await records.put({ kind, id: `${kind}-${at}`, value: about, refs: [ref] })
    await records.put({ kind, id: `${kind}-of-eve`, value: { at: 'now' }, refs: ['eve'] })
  }
  const all = async () => (await call('customer.export', { customer: ada.email, limit: 500 })).body
  const ids = kinds.flatMap((kind) => refs.map((_ref, at) => `${kind}-${at}`))
  const exportedRecords = ((await all()) as { records: { id: string; value: unknown }[] }).records
  const shown = exportedRecords.filter(({ id }) => kinds.some((kind) => id.startsWith(kind)))
  expect(shown.map(({ id }) => id).sort()).toEqual(ids.sort())
  for (const { value } of shown) expect(value).toEqual({ address: ada.email, ...known })
  const wish = { customer: ada.email, reason: 'asked for', by: 'privacy office', force: true }
  expect(await call('customer.erase', wish)).toMatchObject({ status: 200, body: { orders: 1 } })
  expect(await all()).toMatchObject({ orders: [], records: [], erasures: [{ state: 'done' }] })
  for (const kind of kinds) expect((await records.all(kind)).map(({ id }) => id)).toEqual([`${kind}-of-eve`])
})
describe('an export', () => {
  test('shows everything of a customer once, in pages of any size', async () => {
    const server = await shop(threads(3))
    const customer = { ...ada, id: 'C-17' }
    const orders = Array.from({ length: 7 }, (_, at) =>
      orderOf({ customer: at % 2 === 0 ? customer : ada, notes: `note ${at}` }),
    )
    await server.call('POST', '/v1/bulk/orders', { orders })
    await placed(server, { customer: { name: 'Eve', email: 'eve@example.com' } })
    for (let at = 0; at < 3; at++) await wait(server, ada)
    for (const limit of [1, 2, 5, 100]) {
      const pages: ExportDocument[] = []
      for (let cursor = ''; ; ) {
        const { status, body } = await exported(server, ada.email, `&limit=${limit}${cursor}`)
        expect(status).toBe(200)
        pages.push(body)
        if (body.nextCursor === null) break
        cursor = `&cursor=${body.nextCursor}`
      }
      const ids = pages.flatMap((page) => page.orders.map(({ id }) => id))
      expect(ids.sort()).toEqual(orders.map(({ id }) => id).sort())
      expect(pages.flatMap((page) => page.orders).every(({ notes }) => notes?.startsWith('note'))).toBe(true)
      const waiting = pages.flatMap((page) => page.waitlist)
      expect(new Set(waiting.map(({ id }) => id)).size).toBe(3)
      expect(waiting).toHaveLength(3)
    }
    expectProblem(await exported(server, ada.email, '&cursor=bm8'), 422, 'invalid')
    expect((await exported(server, 'nobody@example.com')).body).toMatchObject({ orders: [], nextCursor: null })
  })
})
