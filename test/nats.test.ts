/** What NATS clients see: commands, packed frames, the intake, events; and who the server may be to its NATS. */
import { randomUUID } from 'node:crypto'
import { Packr } from 'msgpackr'
import { headers, type JetStreamClient, type JetStreamManager, type MsgHdrs, type NatsConnection } from 'nats'
import { beforeAll, describe, expect, test } from 'vitest'
import { stockUp } from './support/catalogue.js'
import { expectOnceAndInOrder, readEvents } from './support/nats-events.js'
import { certificates, credentials, nkeyUser } from './support/nats-identities.js'
import { eventually, NatsServer, type NatsServerOptions, natsServerPath } from './support/nats-server.js'
import { ANY_LOCATION, newId, PackedSocket, reserveFrame, Status } from './support/packed-socket.js'
import { TestServer } from './support/test-server.js'

const packr = new Packr({ useRecords: false, variableMapSize: true })
const REQUEST_MS = 10_000

interface Reply<Body = Record<string, unknown>> {
  readonly status: number
  readonly body: Body
  readonly headers: MsgHdrs | undefined
}

const withHeaders = (fields: Record<string, string>): MsgHdrs => {
  const made = headers()
  for (const [name, value] of Object.entries(fields)) made.set(name, value)
  return made
}

async function command<Body = Record<string, unknown>>(
  nats: NatsConnection,
  name: string,
  body: unknown,
  fields: Record<string, string> = {},
): Promise<Reply<Body>> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await nats.request(`doorbuster.v1.command.${name}`, text, {
    timeout: REQUEST_MS,
    headers: withHeaders(fields),
  })
  return { ...answer.json<{ status: number; body: Body }>(), headers: answer.headers }
}

const connected = (server: TestServer): Promise<void> =>
  eventually('NATS is connected', async () => (await server.metric('doorbuster_nats_connected')) === 1)

describe.skipIf(natsServerPath === undefined)('by NATS (nats-server 2.12 or newer; test/setup.sh installs it)', () => {
  let server: TestServer
  let nats: NatsConnection
  let jetstream: JetStreamClient
  let manager: JetStreamManager
  let tee = 0

  beforeAll(async () => {
    const natsServer = await NatsServer.start()
    server = await TestServer.start({ args: ['--nats', natsServer.url] })
    const { skus } = await stockUp(server.url, ['TEE', 'CAP'], 1_000, ['W1'])
    tee = skus.get('TEE')!
    nats = await natsServer.connect()
    jetstream = nats.jetstream()
    manager = await nats.jetstreamManager()
    await connected(server)
    await eventually('the intake is there', () =>
      manager.streams.info('DOORBUSTER_INTAKE').then(
        () => true,
        () => false,
      ),
    )
  })

  const onHand = async (sku: string): Promise<number> => (await server.stock(sku)).onHand
  const intake = (name: string, body: unknown, msgID?: string, fields: Record<string, string> = {}) =>
    jetstream.publish(`doorbuster.v1.intake.${name}`, typeof body === 'string' ? body : JSON.stringify(body), {
      headers: withHeaders(fields),
      ...(msgID === undefined ? {} : { msgID }),
    })
  const emptied = (): Promise<void> =>
    eventually(
      'the intake is empty',
      async () => (await manager.streams.info('DOORBUSTER_INTAKE')).state.messages === 0,
      60_000,
    )

  test('a command has the status and the body that it has over HTTP', async () => {
    const id = randomUUID()
    const made = await command(nats, 'reservation.create', { id, sku: 'TEE', quantity: 2 })
    expect(made).toMatchObject({ status: 201, body: { id, sku: 'TEE', quantity: 2, location: 'W1', status: 'held' } })
    const { body } = await server.call('GET', `/v1/reservations/${id}`)
    expect(await command(nats, 'reservation.get', { id })).toMatchObject({ status: 200, body })
    expect((await command(nats, 'reservation.create', { id, sku: 'TEE', quantity: 3 })).status).toBe(409)
  })

  test('a command in msgpack is answered in msgpack', async () => {
    const bytes = packr.pack({ sku: 'TEE' })
    const fields = withHeaders({ 'content-type': 'application/msgpack' })
    const answer = await nats.request('doorbuster.v1.command.inventory.get', bytes, {
      timeout: REQUEST_MS,
      headers: fields,
    })
    expect(answer.headers?.get('Content-Type')).toBe('application/msgpack')
    expect(packr.unpack(answer.data)).toMatchObject({ status: 200, body: { sku: 'TEE', onHand: 1_000 } })
  })

  test('what is wrong with a command is told as a problem', async () => {
    const wrong = { status: 422, code: 'invalid' }
    expect(await command(nats, 'reservation.create', { id: 'x', sku: 'TEE' })).toMatchObject({
      status: 422,
      body: { ...wrong, errors: expect.arrayContaining([expect.objectContaining({ path: 'id' })]) },
    })
    expect(await command(nats, 'reservation.create', '{"id"')).toMatchObject({ status: 400, body: { code: 'invalid' } })
    expect(await command(nats, 'no.such', {})).toMatchObject({ status: 404, body: { code: 'not_found' } })
    expect(await command(nats, 'order.list', 'x', { 'Content-Type': 'text/plain' })).toMatchObject({ status: 415 })
    for (const bytes of [Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff), Uint8Array.of(0x81), Uint8Array.of(0xc1)]) {
      const answer = await nats.request('doorbuster.v1.command.order.list', bytes, {
        timeout: REQUEST_MS,
        headers: withHeaders({ 'Content-Type': 'application/msgpack' }),
      })
      expect(packr.unpack(answer.data)).toMatchObject({ status: 400, body: { code: 'invalid' } })
    }
  })

  test('an Idempotency-Key gives the first answer again, and with another body a conflict', async () => {
    const order = (sku: string) => ({
      channel: 'web',
      currency: 'GBP',
      customer: { name: 'Ada Byron', email: 'ada@example.com' },
      shipTo: { name: 'Ada Byron', line1: '1 Kirkgate', city: 'Leeds', postalCode: 'LS1 1AA', country: 'GB' },
      lines: [{ sku, quantity: 1, unitPrice: { amount: '9.00', currency: 'GBP' } }],
    })
    const key = { 'Idempotency-Key': randomUUID() }
    const first = await command<{ id: string }>(nats, 'order.create', order('CAP'), key)
    const again = await command<{ id: string }>(nats, 'order.create', order('CAP'), key)
    expect([first.status, again.status]).toEqual([201, 201])
    expect(again.body.id).toBe(first.body.id)
    expect(again.headers?.get('Idempotent-Replayed')).toBe('true')
    expect(await command(nats, 'order.create', order('TEE'), key)).toMatchObject({ status: 409 })
    const other = await command<{ id: string }>(nats, 'order.create', order('CAP'))
    expect(other.body.id).not.toBe(first.body.id)
  })

  test('a packed frame is answered with the bytes that the WebSocket answers with', async () => {
    const socket = await PackedSocket.connect(server.url)
    const records = [
      { id: newId(), sku: tee },
      { id: newId(), sku: tee, quantity: 100_000 },
      { id: newId(), sku: 4_000_000 },
      { id: newId(), sku: tee, location: 77 },
      { id: newId(), sku: tee, quantity: 0 },
    ]
    const answer = await nats.request('doorbuster.v1.reserve', reserveFrame(7, records), { timeout: REQUEST_MS })
    const bytes = Buffer.from(answer.data)
    expect([bytes[0], bytes[1], bytes.readUInt16LE(2), bytes.readUInt32LE(4)]).toEqual([1, 0x81, records.length, 7])
    const replies = records.map((_, i) => ({
      status: bytes[8 + 8 * i],
      replayed: bytes[9 + 8 * i] === 1,
      location: bytes.readUInt16LE(10 + 8 * i),
      remaining: bytes.readUInt32LE(12 + 8 * i),
    }))
    expect(replies.map(({ status }) => status)).toEqual([
      Status.done,
      Status.insufficientStock,
      Status.unknownSku,
      Status.unknownLocation,
      Status.invalid,
    ])
    const overSocket = await socket.reserve(records)
    expect(overSocket).toEqual([{ ...replies[0], replayed: true }, ...replies.slice(1)])
    expect(replies[0]!.location).not.toBe(ANY_LOCATION)
  })

  test('a malformed frame is told so, and nothing of it is done', async () => {
    const { reserved } = (await server.stock('TEE')) as unknown as { reserved: number }
    const good = reserveFrame(1, [{ id: newId(), sku: tee }])
    const unknown = Uint8Array.from(good)
    unknown[1] = 9
    const counted = Uint8Array.from(good)
    counted[2] = 2
    const version = Uint8Array.from(good)
    version[0] = 2
    for (const bytes of [new Uint8Array(0), good.slice(0, 7), good.slice(0, -1), unknown, counted, version]) {
      const answer = await nats.request('doorbuster.v1.reserve', bytes, { timeout: REQUEST_MS })
      expect(answer.headers?.get('Doorbuster-Status')).toBe('400')
      expect(answer.json()).toMatchObject({ status: 400, code: 'invalid' })
    }
    const long = await nats.request('doorbuster.v1.reserve', new Uint8Array(300_000).fill(1), { timeout: REQUEST_MS })
    expect(long.headers?.get('Doorbuster-Status')).toBe('413')
    expect(await server.stock('TEE')).toMatchObject({ reserved })
  })

  test('commands of the intake are carried out once, whatever comes twice', { timeout: 120_000 }, async () => {
    const sku = 'INTAKE'
    await stockUp(server.url, [sku], 10_000)
    const adjustments = Array.from({ length: 700 }, (_, i) => ({
      id: `adj-${i}`,
      sku,
      location: 'W1',
      delta: 1,
      reason: 'x',
    }))
    const holds = Array.from({ length: 700 }, () => ({ id: randomUUID(), sku, quantity: 2, ttlSeconds: 86_400 }))
    const orders = Array.from({ length: 300 }, (_, i) => ({
      channel: 'feed',
      externalId: `F-${i}`,
      currency: 'GBP',
      customer: { name: 'Ada Byron' },
      shipTo: { line1: '1 Kirkgate', city: 'Leeds', postalCode: 'LS1 1AA', country: 'GB' },
      lines: [{ sku, quantity: 1, unitPrice: { amount: '9.00', currency: 'GBP' } }],
    }))
    const messages: [string, object, string?][] = [
      ...adjustments.map((body): [string, object] => ['inventory.adjust', body]),
      ...holds.map((body): [string, object, string] => ['reservation.create', body, `hold-${body.id}`]),
      ...orders.map((body): [string, object, string] => ['order.create', body, `order-${body.externalId}`]),
    ]
    // Repeats of both kinds, and kinds mixed: what has an own id comes with another Nats-Msg-Id, or with none.
    const repeats = messages
      .filter((_, i) => i % 4 === 0)
      .map(([name, body], i): [string, object, string] => [name, body, `again-${i}`])
    const all = [...messages, ...messages.filter((_, i) => i % 7 === 0), ...repeats].sort(() => Math.random() - 0.5)
    await Promise.all(all.map(([name, body, id]) => intake(name, body, id)))
    await emptied()
    await eventually('all orders are allocated', async () => (await server.stock(sku)).allocated === 300)
    expect(await server.stock(sku)).toMatchObject({ onHand: 10_700, reserved: 1_400, allocated: 300 })
    const listed = await server.call<{ items: unknown[] }>('GET', '/v1/orders?channel=feed&limit=500')
    expect(listed.body.items).toHaveLength(300)
  })

  test('counts and adjustments of one SKU are applied in the order in which they were sent', async () => {
    const skus = ['SEQ-0', 'SEQ-1', 'SEQ-2']
    await stockUp(server.url, skus, 1)
    const sent: Promise<unknown>[] = []
    for (let i = 0; i < 60; i++) {
      for (const sku of skus) {
        sent.push(intake('inventory.putMany', { items: [{ sku, location: 'W1', onHand: i * 10 }] }))
        sent.push(intake('inventory.adjust', { id: `seq-${sku}-${i}`, sku, location: 'W1', delta: 3, reason: 'x' }))
      }
    }
    await Promise.all(sent)
    await emptied()
    for (const sku of skus) expect(await onHand(sku)).toBe(593)
  })

  test('a count that comes late again does not undo a later one', async () => {
    await stockUp(server.url, ['LATE'], 1)
    const count = (onHand: number) => ({ sku: 'LATE', location: 'W1', onHand })
    await manager.streams.update('DOORBUSTER_INTAKE', { duplicate_window: 100_000_000 })
    await intake('inventory.put', count(10), 'late-1')
    await intake('inventory.put', count(20), 'late-2')
    await emptied()
    await eventually(
      'NATS has forgotten the id',
      async () => !(await intake('inventory.put', count(10), 'late-1')).duplicate,
    )
    await emptied()
    expect(await onHand('LATE')).toBe(20)
    await manager.streams.update('DOORBUSTER_INTAKE', { duplicate_window: 120_000_000_000 })
  })

  test('what no repetition would help goes to the dead letters with the reason, and holds nobody up', async () => {
    const before = await manager.streams.info('DOORBUSTER_DEAD').then(({ state }) => state.last_seq)
    const rollup = { 'Nats-Rollup': 'all' }
    await intake('inventory.adjust', '{"id":')
    await intake('no.such.command', {})
    await intake('reservation.create', { id: randomUUID(), sku: 'NOWHERE', quantity: 1 }, undefined)
    await intake('reservation.create', { id: 'not-a-uuid', sku: 'TEE', quantity: 1 }, 'poison-1')
    await intake('inventory.adjust', Buffer.from([0xc1]).toString('latin1'), undefined, {
      'Content-Type': 'text/plain',
    })
    await expect(intake('inventory.adjust', {}, undefined, rollup)).rejects.toThrow()
    await emptied()
    const dead = await Promise.all(
      [1, 2, 3, 4, 5].map((i) => manager.streams.getMessage('DOORBUSTER_DEAD', { seq: before + i })),
    )
    const seen = dead
      .map(({ subject, header }) => [subject, header.get('Doorbuster-Status'), header.get('Doorbuster-Code')].join(' '))
      .sort()
    expect(seen).toEqual([
      'doorbuster.v1.dead.inventory.adjust 400 invalid',
      'doorbuster.v1.dead.inventory.adjust 415 invalid',
      'doorbuster.v1.dead.no.such.command 404 not_found',
      'doorbuster.v1.dead.reservation.create 404 unknown_sku',
      'doorbuster.v1.dead.reservation.create 422 invalid',
    ])
    const invalid = dead.find(({ header }) => header.get('Doorbuster-Status') === '422')!
    expect(invalid.header.get('Doorbuster-Reason')).toContain('id')
    expect(invalid.json()).toMatchObject({ id: 'not-a-uuid', sku: 'TEE' })
    expect(await server.metric('doorbuster_nats_intake_dead')).toBeGreaterThanOrEqual(5)
  })

  test('events are CloudEvents on their subjects, once by their id, those of one subject in order', async () => {
    const first = await server.call<{ id: string }>('POST', '/v1/orders', {
      channel: 'web',
      currency: 'GBP',
      customer: { name: 'Ada Byron', email: 'ada@example.com' },
      shipTo: { line1: '1 Kirkgate', city: 'Leeds', postalCode: 'LS1 1AA', country: 'GB' },
      lines: [{ sku: 'CAP', quantity: 1, unitPrice: { amount: '9.00', currency: 'GBP' } }],
    })
    await server.call('POST', `/v1/orders/${first.body.id}/cancel`, { reason: 'changed my mind' })
    const read = await readEvents(manager)
    await eventually('the cancelled order is told', async () =>
      (await readEvents(manager)).some(
        ({ data }) => data.type === 'order.cancelled' && data.subject.includes(first.body.id),
      ),
    )
    for (const { subject, id, data } of read) {
      expect(subject).toBe(`doorbuster.v1.event.${data.type}`)
      expect(data).toMatchObject({ specversion: '1.0', id })
      expect(subject).not.toContain('ada@')
    }
    expectOnceAndInOrder(read)
  })
})

const SECRET = 'do not tell 5ecret'

describe.skipIf(natsServerPath === undefined)('the server says who it is to NATS', () => {
  /** Starts both and resolves once they are connected; nothing secret stands in the log. */
  async function expectConnects(
    options: NatsServerOptions,
    urlOf: (port: number) => string,
    env: Record<string, string>,
    secrets: string[],
  ): Promise<void> {
    const natsServer = await NatsServer.start(options)
    const server = await TestServer.start({ env: { DOORBUSTER_NATS: urlOf(natsServer.port), ...env } })
    await connected(server)
    await server.stop()
    for (const secret of secrets) expect(server.stderr + server.stdout).not.toContain(secret)
  }
  const plain = (port: number) => `nats://127.0.0.1:${port}`
  const quoted = JSON.stringify(SECRET)

  test('by user and password in the URL', () =>
    expectConnects(
      { config: `authorization { user: shop, password: ${quoted} }` },
      (port) => `nats://127.0.0.1:1,nats://shop:${encodeURIComponent(SECRET)}@127.0.0.1:${port}`,
      {},
      [SECRET, encodeURIComponent(SECRET)],
    ))

  test('by token, in the URL or as an option', async () => {
    const options = { config: `authorization { token: ${quoted} }` }
    await expectConnects(options, plain, { DOORBUSTER_NATS_TOKEN: SECRET }, [SECRET])
    await expectConnects(options, (port) => `nats://${encodeURIComponent(SECRET)}@127.0.0.1:${port}`, {}, [SECRET])
  })

  test('by nkey', async () => {
    const { publicKey, seed, seedFile } = nkeyUser()
    const config = `authorization { users: [ { nkey: ${publicKey} } ] }`
    await expectConnects({ config }, plain, { DOORBUSTER_NATS_NKEY: seedFile }, [seed])
  })

  test('by credentials file', async () => {
    const { config, credsFile, seed } = credentials()
    await expectConnects({ config }, plain, { DOORBUSTER_NATS_CREDS: credsFile }, [seed])
  })

  test('by TLS, with a certificate of its own where the server wants one', async () => {
    const { ca, serverCert, serverKey, clientCert, clientKey } = certificates()
    const tls = (more: string) =>
      `tls { cert_file: ${JSON.stringify(serverCert)}, key_file: ${JSON.stringify(serverKey)} ${more} }`
    const secure = (port: number) => `tls://127.0.0.1:${port}`
    await expectConnects({ config: tls('') }, secure, { DOORBUSTER_NATS_TLS_CA: ca }, [])
    const env = {
      DOORBUSTER_NATS_TLS_CA: ca,
      DOORBUSTER_NATS_TLS_CERT: clientCert,
      DOORBUSTER_NATS_TLS_KEY: clientKey,
    }
    await expectConnects({ config: tls(`, ca_file: ${JSON.stringify(ca)}, verify: true`) }, secure, env, [])
  })

  test('a wrong password leaves HTTP serving, and is not told', async () => {
    const natsServer = await NatsServer.start({ config: 'authorization { user: shop, password: right }' })
    const server = await TestServer.start({ args: ['--nats', `nats://shop:wr0ng@127.0.0.1:${natsServer.port}`] })
    await eventually('the refusal is in the log', () => server.stderr.includes('AUTHORIZATION_VIOLATION'))
    expect((await server.call('GET', '/readyz')).status).toBe(200)
    expect(await server.metric('doorbuster_nats_connected')).toBe(0)
    expect((await server.stop()).code).toBe(0)
    expect(server.stderr).not.toContain('wr0ng')
  })

  test('options that cannot be used are refused with what to write, without their secrets', async () => {
    const cases = [
      [['--nats', 'http://u:s3cr3t@127.0.0.1:4222'], 'http://'],
      [['--nats', 'nats://127.0.0.1', '--nats-tls-cert', '/none/such'], '--nats-tls-key'],
    ] as const
    for (const { code, stderr } of await Promise.all(cases.map(([args]) => TestServer.refused({ args })))) {
      expect(code).toBe(1)
      expect(cases.some(([, words]) => stderr.includes(words))).toBe(true)
      expect(stderr).not.toContain('s3cr3t')
    }
  })
})
