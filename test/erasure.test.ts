/** Erasure from outside: what was sealed is unreadable wherever it is, also after a crash, and backups have their own keys. */
import { spawn } from 'node:child_process'
import { chmodSync, cpSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { built, run, verify } from './support/command-line.js'
import {
  ada,
  advance,
  cancel,
  DELIVER,
  type ExportDocument,
  erase,
  exported,
  type OrderDocument,
  orderOf,
  placed,
  read,
  shop,
  threads,
  wait,
} from './support/customer-orders.js'
import { filesOf, found } from './support/file-search.js'
import type { PageDocument } from './support/http-call.js'
import { expectProblem } from './support/shop.js'
import { TestServer, temporaryDirectory, whenDone } from './support/test-server.js'

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

  test('of a guest, who has neither an id nor an address, goes by the order, as does the export', async () => {
    const server = await shop(threads(3))
    const guest = { customer: { name: 'Ada Byron' }, notes: 'leave it with the porter' }
    const [own, other] = [await placed(server, guest), await placed(server, guest)]
    const byOrder = (order: string, fields: object = {}) =>
      server.call('POST', '/v1/customers/erase', { order, reason: 'asked for', by: 'privacy office', ...fields })
    const exportedBy = (order: string) => server.call<ExportDocument>('GET', `/v1/customers/export?order=${order}`)
    expect((await exportedBy(own)).body).toMatchObject({ order: own, orders: [{ id: own, customer: guest.customer }] })
    expectProblem(await byOrder(own), 409, 'orders_open')
    await cancel(server, own)
    for (let times = 0; times < 2; times++) {
      expect(await byOrder(own)).toMatchObject({ status: 200, body: { state: 'done', orders: 1 } })
    }
    expect(await read(server, own)).toMatchObject({ customer: { name: 'erased' }, notes: null })
    expect(await read(server, other)).toMatchObject({ customer: guest.customer, notes: guest.notes })
    expect((await exportedBy(own)).body).toMatchObject({ orders: [], erasures: [{ state: 'done', orders: 1 }] })
    expectProblem(await byOrder('O-NONE'), 404, 'unknown_order')
    expectProblem(await byOrder(other, { customer: ada.email }), 422, 'invalid')
    expectProblem(await server.call('GET', '/v1/customers/export'), 422, 'invalid')

    // Of somebody who is known by more than the order it is the whole customer.
    const known = [await placed(server), await placed(server, { customer: { ...ada, id: 'C-17' } })]
    for (const id of known) await cancel(server, id)
    expect(await byOrder(known[0]!)).toMatchObject({ status: 200, body: { orders: 2 } })
    for (const id of known) expect((await read(server, id)).customer).toEqual({ name: 'erased' })
  })

  test('takes the person’s messages out of the outbox folder, and nobody else’s', async () => {
    const server = await shop()
    const neverQuiet = { name: 'Lamp & Shade', quietHours: { from: '00:00', to: '00:00' } }
    expect((await server.call('PUT', '/v1/brands/default', neverQuiet)).status).toBe(200)
    const eve = { name: 'Eve', email: 'eve@example.com', phone: '+447400222111' }
    const own = await placed(server, { customer: { ...ada, phone: '+447400123456' } })
    const other = await placed(server, { customer: eve })
    const sent = async (order: string) =>
      (await server.call<{ items: { id: string; state: string }[] }>('GET', `/v1/messages?order=${order}`)).body.items
    const allSent = (order: string, count: number) =>
      expect
        .poll(async () => (await sent(order)).map(({ state }) => state), { timeout: 20_000 })
        .toEqual(Array(count).fill('sent'))
    for (const order of [own, other]) await allSent(order, 2)
    // Sent again it is another mail.
    for (const { id } of await sent(own)) await server.call('POST', `/v1/messages/${id}/resend`)
    await allSent(own, 2)
    await cancel(server, own)
    await allSent(own, 4)
    const outbox = join(server.dataDir, 'outbox')
    const bytes = () => Buffer.concat(filesOf(outbox).map((file) => readFileSync(file)))
    const [adas, eves] = [['ada@example.com', '+447400123456'], Object.values(eve)]
    expect(filesOf(outbox)).toHaveLength(8)
    expect(found([...adas, ...eves], bytes())).toEqual([...adas, ...eves])
    expect(await erase(server, ada.email)).toMatchObject({ status: 200, body: { orders: 1 } })
    expect(found(adas, bytes())).toEqual([])
    expect(found(eves, bytes())).toEqual(eves)
    expect(filesOf(outbox)).toHaveLength(2)
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
