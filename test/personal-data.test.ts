/**
 * Personal data from outside: nothing of it stands in the clear in any file or output, an erasure makes it unreadable
 * wherever it is, also after a crash, and backups have what it takes to read what they hold.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DoorbusterClient } from '../gateway/client/index.js'
import { stockUp } from './support/catalogue.js'
import { built, run, verify } from './support/command-line.js'
import { EventReader } from './support/event-reader.js'
import type { Answer, PageDocument } from './support/http-call.js'
import { expectProblem } from './support/shop.js'
import { TestServer, temporaryDirectory, whenDone } from './support/test-server.js'

interface OrderDocument {
  id: string
  status: string
  customer: { name: string; email?: string }
  shipTo: { line1: string; city: string }
  notes: string | null
  lines: { note?: string; gift?: { message?: string } }[]
  fulfillments: { id: string; status: string }[]
  timeline: { type: string; by: string }[]
}
interface ExportDocument {
  orders: OrderDocument[]
  waitlist: { id: string; customer: { name: string } }[]
  erasures: { state: string; orders: number; by: string }[]
  nextCursor: string | null
}

const pounds = (amount: string) => ({ amount, currency: 'GBP' })
const threads = (partitions: number) => ['--partitions', String(partitions), '--threads', '2']

async function shop(args: readonly string[] = threads(2), dataDir = temporaryDirectory()): Promise<TestServer> {
  const server = await TestServer.start({ args, dataDir })
  await stockUp(server.url, ['TEE'], 10_000, ['W1', 'S1'])
  return server
}

const ada = { name: 'Ada Byron', email: 'ada@example.com' }
const home = { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' }

const orderOf = (fields: Record<string, unknown> = {}) => ({
  id: randomUUID(),
  channel: 'web',
  currency: 'GBP',
  customer: ada,
  shipTo: home,
  lines: [{ sku: 'TEE', quantity: 1, unitPrice: pounds('10.00') }],
  ...fields,
})

const send = (server: TestServer, fields: Record<string, unknown> = {}, key?: string) =>
  server.call<OrderDocument>('POST', '/v1/orders', orderOf(fields), key === undefined ? {} : { 'idempotency-key': key })

async function placed(server: TestServer, fields: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await send(server, fields)
  expect(status).toBe(201)
  return body.id
}

/** Takes the fulfillment that nobody has begun through these steps. */
async function advance(server: TestServer, order: string, actions: readonly string[]): Promise<void> {
  const pending = async () => (await read(server, order)).fulfillments.find(({ status }) => status === 'pending')?.id
  await expect.poll(pending).toBeDefined()
  const fulfillment = await pending()
  for (const action of actions) {
    const body = action === 'ship' ? { carrier: 'post' } : {}
    expect((await server.call('POST', `/v1/fulfillments/${fulfillment}/${action}`, body)).status).toBe(200)
  }
}
const DELIVER = ['accept', 'pick', 'pack', 'ship', 'deliver']

const read = async (server: TestServer, order: string) =>
  (await server.call<OrderDocument>('GET', `/v1/orders/${order}`)).body

const cancel = (server: TestServer, order: string) => server.call('POST', `/v1/orders/${order}/cancel`, {})

const erase = (server: TestServer, customer: string, fields: Record<string, unknown> = {}) =>
  server.call<{ state: string; orders: number; waitlist: number }>('POST', '/v1/customers/erase', {
    customer,
    reason: 'asked for',
    by: 'privacy office',
    ...fields,
  })

const exported = (server: TestServer, customer: string, more = '') =>
  server.call<ExportDocument>('GET', `/v1/customers/export?customer=${encodeURIComponent(customer)}${more}`)

const wait = (server: TestServer, customer: Record<string, unknown>, headers = {}) =>
  server.call<{ id: string; status: string; customer: { name: string } }>(
    'POST',
    '/v1/waitlist',
    { sku: 'TEE', quantity: 20_000, customer },
    headers,
  )

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** The words that stand in the bytes, in UTF-8, Latin-1 or UTF-16 of either order, as they are or in lower case. */
function found(words: readonly string[], bytes: Buffer): string[] {
  const folded = Buffer.from(bytes.toString('latin1').toLowerCase(), 'latin1')
  return words.filter((word) =>
    [word, word.toLowerCase()].some((text) => {
      const wide = Buffer.from(text, 'utf16le')
      const forms = [Buffer.from(text), Buffer.from(text, 'latin1'), wide, Buffer.from(wide).swap16()]
      return forms.some((form) => bytes.includes(form) || folded.includes(form))
    }),
  )
}

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

describe('an erasure', () => {
  test('is refused while orders are not over, naming them, and carried out once they are', async () => {
    const server = await shop()
    const over = await placed(server)
    await advance(server, over, DELIVER)
    const open = await placed(server)
    const refused = await erase(server, ada.email)
    expectProblem(refused, 409, 'orders_open')
    expect(refused.body).toMatchObject({ orders: [open] })
    expect((await read(server, over)).customer).toEqual(ada)
    await cancel(server, open)
    const done = await erase(server, ada.email.toUpperCase())
    expect(done).toMatchObject({ status: 200, body: { state: 'done', orders: 2 } })
    for (const id of [over, open]) {
      const order = await read(server, id)
      expect(order.customer).toEqual({ name: 'erased' })
      expect(order.shipTo).toEqual({ line1: 'erased', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' })
      expect(order.timeline.at(-1)).toMatchObject({ type: 'order.personal_data_erased', by: 'privacy office' })
    }
    for (const query of ['customer=ada@example.com', 'q=Byron']) {
      const { body } = await server.call<PageDocument<unknown>>('GET', `/v1/orders?${query}`)
      expect(body.items).toEqual([])
    }
    expect(await erase(server, ada.email)).toMatchObject({ status: 200, body: { state: 'done', orders: 2 } })
    expect((await server.stop()).code).toBe(0)
    expect((await verify(server.dataDir)).faults).toEqual([])
  })

  test('of an order that is not over is carried out where it is forced', async () => {
    const server = await shop()
    const id = await placed(server, { notes: 'leave it with the porter' })
    expect(await erase(server, ada.email, { force: true })).toMatchObject({ status: 200, body: { orders: 1 } })
    expect(await read(server, id)).toMatchObject({ customer: { name: 'erased' }, notes: null })
  })

  test('finds all orders of a person, under every address that the person has had, and no others', async () => {
    const server = await shop(threads(3))
    const customer = { ...ada, id: 'C-17' }
    const own = [
      await placed(server, { customer }),
      await placed(server, { customer: { ...customer, email: 'byron@example.com' } }),
      await placed(server, { customer: { name: 'Ada Byron', email: 'ada@example.com' } }),
    ]
    const revised = await placed(server, { customer: { name: 'Ada Byron', email: 'ada@example.com' } })
    expect(
      (await server.call('PATCH', `/v1/orders/${revised}`, { customer: { name: 'Ada', email: 'new@example.com' } }))
        .status,
    ).toBe(200)
    own.push(revised)
    const other = await placed(server, { customer: { name: 'Eve', email: 'eve@example.com' } })
    const guest = await placed(server, { customer: { name: 'Guest' } })
    for (const id of own) await cancel(server, id)
    expect(await erase(server, 'ada@example.com')).toMatchObject({ status: 200, body: { orders: 4 } })
    for (const id of own) expect((await read(server, id)).customer).toEqual({ name: 'erased' })
    expect((await read(server, other)).customer.name).toBe('Eve')
    expect((await read(server, guest)).customer.name).toBe('Guest')
    for (const customer of ['C-17', 'byron@example.com', 'new@example.com']) {
      const { body } = await server.call<PageDocument<unknown>>('GET', `/v1/orders?customer=${customer}`)
      expect(body.items).toEqual([])
    }
  })

  test('of somebody unknown says so, and a wrong request says what is wrong', async () => {
    const server = await shop()
    expectProblem(await erase(server, 'nobody@example.com'), 404, 'unknown_customer')
    for (const fields of [
      { customer: '' },
      { reason: '' },
      { by: undefined },
      { force: 'yes' },
      { customer: 'a\u0000b' },
    ]) {
      expectProblem(await erase(server, ada.email, fields), 422, 'invalid')
    }
  })

  test('takes who waits off the waiting list', async () => {
    const server = await shop(threads(3))
    const { body } = await wait(server, ada)
    expect(await erase(server, ada.email)).toMatchObject({ status: 200, body: { orders: 0, waitlist: 1 } })
    const entry = await server.call('GET', `/v1/waitlist/${body.id}`)
    expect(entry.body).toMatchObject({ status: 'left', customer: { name: 'erased' } })
  })

  test('makes answers unreadable that are kept for an Idempotency-Key, while the others are given again', async () => {
    const server = await shop()
    const request = orderOf({ notes: 'leave it with the porter' })
    const other = orderOf({ customer: { name: 'Eve', email: 'eve@example.com' } })
    const ask = (body: object, key: string) =>
      server.call<OrderDocument>('POST', '/v1/orders', body, { 'idempotency-key': key })
    const first = await ask(request, 'K-1')
    await ask(other, 'K-2')
    const waiting = await wait(server, ada, { 'idempotency-key': 'K-3' })
    expect((await ask(request, 'K-1')).body).toEqual(first.body)
    expectProblem(await ask(other, 'K-1'), 409, 'conflict')
    await cancel(server, first.body.id)
    await erase(server, ada.email)
    expectProblem(await ask(request, 'K-1'), 410, 'erased')
    expectProblem(await wait(server, ada, { 'idempotency-key': 'K-3' }), 410, 'erased')
    expect(waiting.status).toBe(201)
    expect((await ask(other, 'K-2')).body.customer.name).toBe('Eve')
  })

  test('leaves what a customer orders who has come back', async () => {
    const server = await shop()
    const before = await placed(server)
    await cancel(server, before)
    await erase(server, ada.email)
    const after = await placed(server)
    expect((await read(server, before)).customer).toEqual({ name: 'erased' })
    expect((await read(server, after)).customer).toEqual(ada)
    const { body } = await exported(server, ada.email)
    expect(body.orders.map(({ id }) => id)).toEqual([after])
    await cancel(server, after)
    expect(await erase(server, ada.email)).toMatchObject({ body: { orders: 1 } })
    expect((await read(server, after)).customer).toEqual({ name: 'erased' })
  })

  test('that a crash cut off is completed at the next start', { timeout: 180_000 }, async () => {
    const dataDir = temporaryDirectory()
    let server = await shop(threads(2), dataDir)
    let cuts = 0
    for (const [round, moment] of (['begun', 'keys_destroyed', 'keys_destroyed', 'done'] as const).entries()) {
      const customer = { name: 'Ada Byron', email: `ada-${round}@example.com` }
      const orders = Array.from({ length: 60 }, () => orderOf({ customer }))
      await server.call('POST', '/v1/bulk/orders', { orders })
      const cutOff = erase(server, customer.email, { force: true }).catch(() => undefined)
      let state: string | undefined
      while (state === undefined || (state === 'begun' && moment !== 'begun')) {
        state = (await exported(server, customer.email, '&limit=500')).body.erasures[0]?.state
      }
      if (state !== 'done') cuts++
      await server.kill()
      await cutOff
      server = await TestServer.start({ dataDir, args: threads(2) })
      const names = await Promise.all(orders.map(async ({ id }) => (await read(server, id)).customer.name))
      expect(new Set(names)).toEqual(new Set(['erased']))
      const { body } = await exported(server, customer.email)
      expect(body.erasures.every(({ state }) => state === 'done')).toBe(true)
      expect(body.orders).toEqual([])
      expect(await erase(server, customer.email, { force: true })).toMatchObject({
        status: 200,
        body: { state: 'done', orders: 60 },
      })
    }
    expect((await server.stop()).code).toBe(0)
    expect((await verify(dataDir)).faults).toEqual([])
    expect(cuts, 'the test has cut some off').toBeGreaterThan(0)
  })

  test('is kept by a reshard, with the waiting list', async () => {
    const server = await shop()
    const gone = await placed(server)
    await cancel(server, gone)
    await erase(server, ada.email)
    const kept = await placed(server, { customer: { name: 'Eve', email: 'eve@example.com' } })
    await wait(server, { name: 'Eve', email: 'eve@example.com' })
    expect((await server.stop()).code).toBe(0)
    const { code, stderr } = await run(['reshard', '--partitions', '3', '--data-dir', server.dataDir])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const again = await TestServer.start({ dataDir: server.dataDir })
    expect((await read(again, gone)).customer).toEqual({ name: 'erased' })
    expect((await read(again, kept)).customer.name).toBe('Eve')
    expect((await exported(again, 'eve@example.com')).body.waitlist).toHaveLength(1)
    expect((await exported(again, ada.email)).body.erasures).toHaveLength(1)
  })
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
  const about = { address: people.sealText(ada.email, person), at: 'now' }
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
  for (const { value } of shown) expect(value).toEqual({ address: ada.email, at: 'now' })
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

describe('a backup', () => {
  test('has the vault, for its owner alone, and what it holds can be read once it is restored', async () => {
    const server = await shop()
    const id = await placed(server, { notes: 'leave it with the porter' })
    const target = join(temporaryDirectory(), 'backup')
    expect((await run(['backup', target, '--data-dir', server.dataDir, '--url', server.url])).code).toBe(0)
    expect(statSync(join(target, 'vault.mdb')).mode & 0o777).toBe(0o600)
    await cancel(server, id)
    await erase(server, ada.email)
    // Those who may write the backup may have changed its mode.
    chmodSync(join(target, 'vault.mdb'), 0o644)
    const dataDir = join(temporaryDirectory(), 'restored')
    expect((await run(['restore', target, '--data-dir', dataDir])).code).toBe(0)
    expect(statSync(join(dataDir, 'vault.mdb')).mode & 0o777).toBe(0o600)
    const again = await TestServer.start({ dataDir })
    expect(await read(again, id)).toMatchObject({ customer: ada, notes: 'leave it with the porter' })
    await again.stop()

    // The present vault in the place of the backup's: what was erased since stays erased.
    expect((await server.stop()).code).toBe(0)
    const later = join(temporaryDirectory(), 'restored')
    expect((await run(['restore', target, '--data-dir', later])).code).toBe(0)
    rmSync(join(later, 'vault.mdb'))
    cpSync(join(server.dataDir, 'vault.mdb'), join(later, 'vault.mdb'))
    expect((await verify(later)).faults).toEqual([])
    const erased = await TestServer.start({ dataDir: later })
    expect((await read(erased, id)).customer).toEqual({ name: 'erased' })
  })

  test('without its vault, and a data directory without one, are damaged', async () => {
    const server = await shop(['--partitions', '1'])
    await placed(server)
    expect((await server.stop()).code).toBe(0)
    const target = join(temporaryDirectory(), 'backup')
    expect((await run(['backup', target, '--data-dir', server.dataDir])).code).toBe(0)
    truncateSync(join(server.dataDir, 'vault.mdb'), 4_096)
    const damaged = await verify(server.dataDir)
    expect(damaged).toMatchObject({ code: 1, ok: false, faults: [expect.stringMatching(/vault\.mdb is damaged/)] })
    expect((await TestServer.refused({ dataDir: server.dataDir })).stderr).toMatch(/vault\.mdb is damaged/)
    rmSync(join(server.dataDir, 'vault.mdb'))
    const missing = await verify(server.dataDir)
    expect(missing).toMatchObject({ code: 1, ok: false, faults: [expect.stringMatching(/vault\.mdb is missing/)] })
    const refused = await TestServer.refused({ dataDir: server.dataDir })
    expect({ code: refused.code, stderr: refused.stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/vault\.mdb is missing.*restore it/),
    })
    const none = await run(['backup', join(temporaryDirectory(), 'none'), '--data-dir', server.dataDir])
    expect({ code: none.code, stderr: none.stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/vault\.mdb is missing/),
    })
    rmSync(join(target, 'vault.mdb'))
    const restored = await run(['restore', target, '--data-dir', join(temporaryDirectory(), 'restored')])
    expect({ code: restored.code, stderr: restored.stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/vault\.mdb is missing/),
    })
  })
})

test('a key that was asked for is there after any kill', { timeout: 60_000 }, async () => {
  const { Vault } = await import('../gateway/personal-data/vault.js')
  const dataDir = temporaryDirectory()
  const program = `
    import { Vault } from ${JSON.stringify(built('gateway/personal-data/vault.ts'))}
    const vault = new Vault(${JSON.stringify(dataDir)})
    for (let round = 0; ; round++) {
      const names = Array.from({ length: 8 }, (_, i) => process.argv[1] + '-' + round + '-' + i)
      await Promise.all(names.map((name) => vault.ensure(name).then(() => process.stdout.write(name + '\\n'))))
    }`
  const told: string[] = []
  for (let kill = 0; kill < 5; kill++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, `p${kill}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    whenDone(() => child.kill('SIGKILL'))
    const ended = new Promise((done) => child.once('close', done))
    let text = ''
    await new Promise<void>((done) => {
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk
        if (text.length > 2_000 * (kill + 1)) done()
      })
    })
    child.kill('SIGKILL')
    await ended
    told.push(...text.split('\n').slice(0, -1))
  }
  const vault = new Vault(dataDir)
  whenDone(() => vault.close())
  expect(told.length).toBeGreaterThan(100)
  expect(told.filter((name) => !vault.has(name))).toEqual([])
  expect(vault.open(told[0]!, vault.seal(told[0]!, 'Ada'))).toBe('Ada')
})
