/** Backup, restore and reshard: what comes out is what went in, also under load, and whatever is cut short leaves it whole. */
import { randomUUID } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { place, stockUp } from './support/catalogue.js'
import { run, spawnCli, verify } from './support/command-line.js'
import { EventReader } from './support/event-reader.js'
import { frameMaker, type HoldRecord, newId, PackedSocket, Status } from './support/packed-socket.js'
import { Random, seed } from './support/random.js'
import { TestServer, temporaryDirectory } from './support/test-server.js'

const random = new Random(seed)
const DAY_SECONDS = 86_400
const skus = Array.from({ length: 12 }, (_, i) => `SKU-${i}`)
const threads = (partitions: number) => ['--partitions', String(partitions), '--threads', '2']

/** A server with stock. */
async function stocked(args: readonly string[] = []) {
  const server = await TestServer.start({ args })
  const catalogue = await stockUp(server.url, skus, 100_000_000, ['W1', 'S1'])
  return { server, dataDir: server.dataDir, indices: skus.map((sku) => catalogue.skus.get(sku)!) }
}

async function hold(socket: PackedSocket, indices: readonly number[], count: number): Promise<HoldRecord[]> {
  const records = Array.from({ length: count }, (_, i) => ({
    id: newId(),
    sku: indices[i % indices.length]!,
    ttlSeconds: DAY_SECONDS,
  }))
  const replies = await socket.reserve(records)
  return records.filter((_, i) => replies[i]!.status === Status.done)
}

/** How many of these are not there any more: they would be held anew. */
async function missing(url: string, holds: readonly HoldRecord[]): Promise<number> {
  const socket = await PackedSocket.connect(url)
  let lost = 0
  for (let at = 0; at < holds.length; at += 4_096) {
    const records = holds.slice(at, at + 4_096).map(({ id, sku }) => ({ id, sku, ttlSeconds: DAY_SECONDS }))
    for (const { status, replayed } of await socket.reserve(records)) if (status !== Status.done || !replayed) lost++
  }
  socket.close()
  return lost
}

/** Buyers that go on until they are stopped. */
function load(server: TestServer, indices: readonly number[], records = 64) {
  const acknowledged: HoldRecord[] = []
  let going = true
  const work = Promise.all(
    [1, 2].map(async () => {
      const socket = await PackedSocket.connect(server.url)
      await Promise.all(
        [1, 2, 3].map(async () => {
          while (going) acknowledged.push(...(await hold(socket, indices, records)))
        }),
      )
      socket.close()
    }),
  )
  // A test that fails leaves it to break with its server.
  work.catch(() => {})
  return {
    acknowledged,
    async stop() {
      going = false
      await work
    },
  }
}

const backUp = (target: string, { dataDir, url }: TestServer) =>
  run(['backup', target, '--data-dir', dataDir, ...(url === '' ? [] : ['--url', url])])
const restore = (from: string, dataDir: string) => run(['restore', from, '--data-dir', dataDir])
const reshard = (dataDir: string, partitions: number) =>
  run(['reshard', '--partitions', String(partitions), '--data-dir', dataDir])

describe('a backup', () => {
  test.each([
    ['one partition', []],
    ['three partitions on two threads', threads(3)],
    ['two partitions on one thread', ['--partitions', '2', '--threads', '1']],
  ])(
    'of a server under load, with %s, holds all that was acknowledged before it began',
    { timeout: 120_000 },
    async (_name, args) => {
      const { server, indices } = await stocked(args)
      const buyers = load(server, indices)
      await expect.poll(() => buyers.acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(2_000)
      const before = [...buyers.acknowledged]
      const target = join(temporaryDirectory(), 'backup')
      const { code, stderr } = await backUp(target, server)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const during = buyers.acknowledged.length
      expect(during, 'it goes on meanwhile').toBeGreaterThan(before.length)
      await expect.poll(() => buyers.acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(during)
      await buyers.stop()
      expect(await missing(server.url, buyers.acknowledged)).toBe(0)
      expect(await server.stop()).toEqual({ code: 0, signal: null })
      expect((await verify(server.dataDir)).code).toBe(0)

      const dataDir = join(temporaryDirectory(), 'restored')
      const restored = await restore(target, dataDir)
      expect({ code: restored.code, stderr: restored.stderr }).toEqual({ code: 0, stderr: '' })
      const { code: sound, faults } = await verify(dataDir)
      expect({ sound, faults }).toEqual({ sound: 0, faults: [] })
      const again = await TestServer.start({ dataDir })
      const stock = await Promise.all(skus.map((sku) => again.stock(sku)))
      const reserved = stock.reduce((sum, one) => sum + one.reserved, 0)
      expect(reserved).toBeGreaterThanOrEqual(before.length)
      expect(reserved).toBeLessThanOrEqual(buyers.acknowledged.length)
      expect(await missing(again.url, before)).toBe(0)
      // It is a data directory like any other.
      const more = load(again, indices)
      await expect.poll(() => more.acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(1_000)
      await more.stop()
      expect(await again.stop()).toEqual({ code: 0, signal: null })
      expect((await verify(dataDir)).code).toBe(0)
    },
  )

  test('is one cut through all partitions: a batch is in it whole or not at all', { timeout: 120_000 }, async () => {
    const { server } = await stocked(threads(3))
    let going = true
    const batches: string[][] = []
    const buyers = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (going) {
          const lines = [0, 1, 2].map((i) => ({ id: randomUUID(), sku: skus[i], quantity: 1, ttlSeconds: DAY_SECONDS }))
          batches.push(lines.map(({ id }) => id))
          await server.call('POST', '/v1/reservations/batch', { reservations: lines })
        }
      }),
    )
    await expect.poll(() => batches.length, { timeout: 20_000 }).toBeGreaterThan(100)
    buyers.catch(() => {})
    const target = join(temporaryDirectory(), 'backup')
    expect((await backUp(target, server)).code).toBe(0)
    going = false
    await buyers
    await server.kill()
    const dataDir = join(temporaryDirectory(), 'restored')
    expect((await restore(target, dataDir)).code).toBe(0)
    const again = await TestServer.start({ dataDir })
    const waiting = () => again.metric('doorbuster_partition_messages_waiting')
    await expect.poll(waiting, { timeout: 20_000 }).toBe(0)
    const reserved = await Promise.all([0, 1, 2].map(async (i) => (await again.stock(skus[i]!)).reserved))
    expect(new Set(reserved).size).toBe(1)
    expect(reserved[0]).toBeGreaterThan(0)
  })

  test('taken twice at once is two whole backups, or one and a refusal', { timeout: 120_000 }, async () => {
    const { server, indices } = await stocked()
    const buyers = load(server, indices, 1_024)
    await expect.poll(() => buyers.acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(20_000)
    const before = [...buyers.acknowledged]
    const targets = Array.from({ length: 4 }, (_, i) => join(temporaryDirectory(), `backup-${i}`))
    const results = await Promise.all(
      targets.map((directory) => server.call<{ code?: string }>('POST', '/v1/admin/backups', { directory })),
    )
    await buyers.stop()
    expect(results.some(({ status }) => status === 201)).toBe(true)
    for (const [i, { status }] of results.entries()) {
      if (status !== 201) {
        expect(status).toBe(409)
        expect(existsSync(targets[i]!)).toBe(false)
        continue
      }
      const dataDir = join(temporaryDirectory(), 'restored')
      const { code, stdout, stderr } = await restore(targets[i]!, dataDir)
      expect({ i, code, stdout: code === 0 ? '' : stdout, stderr }).toEqual({ i, code: 0, stdout: '', stderr: '' })
      const again = await TestServer.start({ dataDir })
      expect(await missing(again.url, before)).toBe(0)
      await again.kill()
    }
    // Afterwards the log is cut behind checkpoints again: a stop leaves next to nothing of it.
    await server.stop()
    const last = await TestServer.start({ dataDir: server.dataDir })
    const records = () => last.metric('doorbuster_partition_log_records_kept')
    const socket = await PackedSocket.connect(last.url)
    for (let i = 0; i < 300 && (await records()) > 100; i++) await hold(socket, indices, 1)
    expect(await records()).toBeLessThanOrEqual(100)
  })

  test('under a flood comes about, or is refused; either way the log is cut again afterwards', {
    timeout: 120_000,
  }, async () => {
    const { server, indices } = await stocked()
    const sockets = await Promise.all([1, 2].map(() => PackedSocket.connect(server.url)))
    const make = frameMaker(indices[0]!, 4_096, { quantity: 2 ** 31 - 1 })
    let going = true
    const flood = Promise.all(
      sockets.flatMap((socket) =>
        Array.from({ length: 50 }, async () => {
          // What has no stock is written to the log, and nothing else.
          while (going) await socket.send(make)
        }),
      ),
    )
    flood.catch(() => {})
    const target = join(temporaryDirectory(), 'backup')
    const statuses: number[] = []
    for (let i = 0; i < 2; i++) {
      const { status } = await server.call('POST', '/v1/admin/backups', { directory: `${target}-${i}` })
      statuses.push(status)
    }
    going = false
    await flood
    expect(statuses.filter((status) => status !== 201 && status !== 409)).toEqual([])
    const kept = () => server.metric('doorbuster_partition_log_records_kept')
    const checkpoints = await server.metric('doorbuster_partition_checkpoints')
    // The last one may have been taken already: something is to be behind it.
    await hold(sockets[0]!, indices, 1)
    await expect
      .poll(() => server.metric('doorbuster_partition_checkpoints'), { timeout: 60_000, interval: 200 })
      .toBeGreaterThan(checkpoints)
    const records = await kept()
    for (let i = 0; i < 200 && (await kept()) > 100; i++) await hold(sockets[0]!, indices, 1)
    expect(await kept(), `of ${records} records`).toBeLessThanOrEqual(100)
  })

  test('of a stopped or killed directory needs no server', { timeout: 60_000 }, async () => {
    const { server, indices, dataDir } = await stocked(threads(2))
    const socket = await PackedSocket.connect(server.url)
    const holds = await hold(socket, indices, 500)
    for (const end of ['kill', 'stop'] as const) {
      const running = end === 'kill' ? server : await TestServer.start({ dataDir })
      await running[end]()
      const { digest } = await verify(dataDir)
      const target = join(temporaryDirectory(), 'backup')
      expect((await run(['backup', target, '--data-dir', dataDir])).code).toBe(0)
      const restored = join(temporaryDirectory(), 'restored')
      expect((await restore(target, restored)).code).toBe(0)
      expect((await verify(restored)).digest).toBe(digest)
      const again = await TestServer.start({ dataDir: restored })
      expect(await missing(again.url, holds)).toBe(0)
      await again.kill()
    }
  })

  test('is refused where it cannot be written, and leaves nothing behind', { timeout: 60_000 }, async () => {
    const { server } = await stocked()
    const parent = temporaryDirectory()
    mkdirSync(join(parent, 'there'))
    writeFileSync(join(parent, 'file'), '')
    for (const directory of [
      join(parent, 'there'),
      join(parent, 'file'),
      join(parent, 'file', 'below'),
      'relative/path',
    ]) {
      const answer = await server.call<{ detail: string }>('POST', '/v1/admin/backups', { directory })
      expect({ directory, status: answer.status }).toEqual({ directory, status: 409 })
      expect(answer.body.detail).toContain(directory)
    }
    for (const directory of [join(parent, 'there'), join(parent, 'file', 'below')]) {
      const { code, stderr } = await backUp(directory, server)
      expect({ directory, code }).toEqual({ directory, code: 1 })
      expect(stderr).toMatch(/^doorbuster: /m)
    }
    expect(readdirSync(parent).sort()).toEqual(['file', 'there'])
    expect(existsSync('relative')).toBe(false)
    const { status } = await server.call('POST', '/v1/reservations', { id: randomUUID(), sku: 'SKU-0', quantity: 1 })
    expect(status).toBe(201)
  })

  test('through another server than the one that has the directory open is refused', { timeout: 60_000 }, async () => {
    const [{ server }, other] = [await stocked(), await TestServer.start()]
    const target = join(temporaryDirectory(), 'backup')
    const { code, stderr } = await run(['backup', target, '--data-dir', server.dataDir, '--url', other.url])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^doorbuster: /m) })
    expect(existsSync(target)).toBe(false)
  })
})

describe('a restore', () => {
  test('refuses a target that is not empty, and a backup that is not whole', { timeout: 60_000 }, async () => {
    const { server, dataDir } = await stocked()
    await server.stop()
    const target = join(temporaryDirectory(), 'backup')
    expect((await run(['backup', target, '--data-dir', dataDir])).code).toBe(0)
    const full = temporaryDirectory()
    writeFileSync(join(full, 'holiday.jpg'), 'a picture')
    for (const directory of [full, dataDir]) {
      const before = readdirSync(directory).sort()
      const { code, stderr } = await restore(target, directory)
      expect({ directory, code }).toEqual({ directory, code: 1 })
      expect(stderr).toMatch(/^doorbuster: .*not empty/m)
      expect(readdirSync(directory).sort()).toEqual(before)
    }
    for (const lost of [
      'backup.json',
      'doorbuster.json',
      'generation-1',
      'generation-1/0/log.mdb',
      'generation-1/0/store.mdb',
    ]) {
      const broken = join(temporaryDirectory(), 'backup')
      cpSync(target, broken, { recursive: true })
      rmSync(join(broken, lost), { recursive: true })
      const into = join(temporaryDirectory(), 'restored')
      const { code, stderr, stdout } = await restore(broken, into)
      expect({ lost, code }).toEqual({ lost, code: 1 })
      expect(`${stdout}${stderr}`).not.toMatch(/^\s+at /m)
      // What is left must not be taken for a data directory.
      const started =
        existsSync(into) && readdirSync(into).length > 0 ? await TestServer.refused({ dataDir: into }) : undefined
      expect({ lost, code: started?.code ?? 1 }).toEqual({ lost, code: 1 })
    }
    expect((await restore(join(full, 'nothing'), join(full, 'new'))).code).toBe(1)
  })

  test('that is cut short leaves nothing that could be taken for the whole', { timeout: 120_000 }, async () => {
    const { server, indices, dataDir } = await stocked(threads(2))
    const socket = await PackedSocket.connect(server.url)
    for (let i = 0; i < 30; i++) await hold(socket, indices, 4_096)
    await server.kill()
    const { digest } = await verify(dataDir)
    const target = join(temporaryDirectory(), 'backup')
    expect((await run(['backup', target, '--data-dir', dataDir])).code).toBe(0)
    for (let i = 0; i < 4; i++) {
      const into = join(temporaryDirectory(), 'restored')
      const child = spawnCli(['restore', target, '--data-dir', into])
      const closed = new Promise((done) => child.once('close', done))
      // As soon as there is anything.
      while (child.exitCode === null && !existsSync(into)) await setTimeout(0)
      await setTimeout(random.below(60))
      child.kill('SIGKILL')
      await closed
      // Without its description it is no data directory yet, as if nothing had been restored.
      if (!existsSync(join(into, 'doorbuster.json'))) continue
      const seen = await verify(into)
      if (seen.code === 0) expect(seen.digest).toBe(digest)
      else {
        const { code } = await TestServer.refused({ dataDir: into })
        expect(code).toBe(1)
      }
    }
  })
})

describe('a reshard', () => {
  test('to any number of partitions changes nothing that a client can see', { timeout: 180_000 }, async () => {
    const { server, indices, dataDir } = await stocked()
    const socket = await PackedSocket.connect(server.url)
    const holds = await hold(socket, indices, 3_000)
    await socket.confirm(holds.slice(0, 500))
    await socket.release(holds.slice(400, 900))
    const [opensAt, closesAt] = [-1, 1].map((days) => new Date(Date.now() + days * 86_400_000).toISOString())
    await server.call('PUT', '/v1/sales/FLASH', {
      opensAt,
      closesAt,
      skus: ['SKU-0', 'SKU-1', 'SKU-2'],
      quantity: 9,
      limitPerBuyer: 3,
    })
    await server.call('PUT', '/v1/inventory/SKU-3/pools/web', { quantity: 5 })
    await server.call('PUT', '/v1/products/SKU-4', { name: 'Limited', limitPerBuyer: 2, attributes: { colour: 'red' } })
    const body = { sku: 'SKU-1', quantity: 2, buyer: 'ann', ttlSeconds: DAY_SECONDS }
    const keyed = { id: randomUUID(), ...body }
    await server.call('POST', '/v1/reservations', keyed, { 'idempotency-key': 'first' })
    const adjustment = { id: 'A-1', sku: 'SKU-5', location: 'W1', delta: -7, reason: 'damaged' }
    await server.call('POST', '/v1/inventory/adjustments', adjustment)
    const supply = {
      id: 'PO-1',
      sku: 'SKU-6',
      location: 'S1',
      quantity: 9,
      expectedAt: '2030-01-01T00:00:00Z',
      reference: 'r',
    }
    await server.call('POST', '/v1/inventory/supply', supply)
    await server.call('POST', '/v1/inventory/supply/PO-1/receive', { quantity: 4, id: 'slip' })

    const look = async (at: TestServer) => ({
      stock: await Promise.all(skus.map((sku) => at.stock(sku))),
      products: (await at.call('GET', '/v1/products')).body,
      locations: (await at.call('GET', '/v1/locations')).body,
      sale: (await at.call('GET', '/v1/sales/FLASH')).body,
      hold: await at.reservation(keyed.id),
    })
    const before = await look(server)
    await server.kill()
    const { digest } = await verify(dataDir)
    let current = digest
    for (const partitions of [3, 2, 1]) {
      const { code, stdout, stderr } = await reshard(dataDir, partitions)
      expect({ partitions, code, stderr }).toEqual({ partitions, code: 0, stderr: '' })
      expect(stdout).toContain(current)
      const verified = await verify(dataDir)
      expect({ partitions, digest: verified.digest, faults: verified.faults }).toEqual({
        partitions,
        digest: current,
        faults: [],
      })
      const again = await TestServer.start({ dataDir })
      expect(await look(again)).toEqual(before)
      const other = await PackedSocket.connect(again.url)
      expect((await other.intern(skus)).skus, 'the indices hold for the life of the directory').toEqual(indices)
      expect(await missing(again.url, holds)).toBe(0)
      expect((await other.release(holds.slice(500, 501)))[0]?.status).toBe(Status.done)
      const repeated = await again.call('POST', '/v1/reservations', keyed, { 'idempotency-key': 'first' })
      expect(repeated.headers.get('idempotent-replayed')).toBe('true')
      const limit = await again.call<{ code: string }>('POST', '/v1/reservations', { ...body, id: randomUUID() })
      expect({ partitions, code: limit.body.code }).toEqual({ partitions, code: 'buyer_limit' })
      expect((await again.call('POST', '/v1/inventory/adjustments', adjustment)).status).toBe(201)
      expect((await again.call('POST', '/v1/inventory/supply/PO-1/receive', { quantity: 4, id: 'slip' })).status).toBe(
        200,
      )
      expect((await again.stock('SKU-5')).onHand).toBe(before.stock[5]!.onHand)
      expect((await again.stock('SKU-6')).onHand).toBe(before.stock[6]!.onHand)
      // New ones are served, and take their place in the next round.
      const fresh = await again.call('POST', '/v1/reservations', { id: randomUUID(), sku: 'SKU-9', quantity: 1 })
      expect(fresh.status).toBe(201)
      expect((await again.call('POST', `/v1/reservations/${fresh.body.id}/release`)).status).toBe(200)
      before.stock = await Promise.all(skus.map((sku) => again.stock(sku)))
      expect(await again.stop()).toEqual({ code: 0, signal: null })
      current = (await verify(dataDir)).digest
      holds.splice(500, 1)
    }
    expect(readdirSync(dataDir).filter((name) => name.startsWith('generation-'))).toHaveLength(1)
  })

  test('lets live holds and sales end when their time is up', { timeout: 90_000 }, async () => {
    const { server, indices, dataDir } = await stocked(threads(2))
    const socket = await PackedSocket.connect(server.url)
    const record = (ttlSeconds: number) => indices.map((sku) => ({ id: newId(), sku, quantity: 2, ttlSeconds }))
    await socket.reserve([...record(1), ...record(20), ...record(DAY_SECONDS)])
    await server.stop()
    expect((await reshard(dataDir, 3)).code).toBe(0)
    expect((await reshard(dataDir, 1)).code).toBe(0)
    const again = await TestServer.start({ dataDir })
    const reserved = async () =>
      (await Promise.all(skus.map((sku) => again.stock(sku)))).reduce((sum, { reserved }) => sum + reserved, 0)
    await expect.poll(reserved, { timeout: 60_000, interval: 250 }).toBe(2 * skus.length)
    await again.stop()
    expect((await verify(dataDir)).faults).toEqual([])
  })

  test('that is killed leaves the directory as it was, or as it should be', { timeout: 180_000 }, async () => {
    const { server, indices, dataDir } = await stocked()
    const socket = await PackedSocket.connect(server.url)
    for (let i = 0; i < 20; i++) await hold(socket, indices, 4_096)
    await server.stop()
    const { digest } = await verify(dataDir)
    for (const partitions of [3, 2, 4]) {
      const child = spawnCli(['reshard', '--partitions', String(partitions), '--data-dir', dataDir])
      const closed = new Promise((done) => child.once('close', done))
      await setTimeout(random.between(100, 1_500))
      child.kill('SIGKILL')
      await closed
      const seen = await verify(dataDir)
      expect({ partitions, code: seen.code, digest: seen.digest }).toEqual({ partitions, code: 0, digest })
    }
    // As if one had been killed between its change over and the end.
    mkdirSync(join(dataDir, 'generation-0', '0'), { recursive: true })
    const { code } = await reshard(dataDir, 2)
    expect(code).toBe(0)
    expect(
      readdirSync(dataDir).filter((name) => name.startsWith('generation-')),
      'nothing is left behind',
    ).toHaveLength(1)
    const again = await TestServer.start({ dataDir })
    expect(await again.digest()).toBe(digest)
  })

  test('is refused while a server runs, for a senseless number, and of a damaged directory', {
    timeout: 60_000,
  }, async () => {
    const { server, dataDir } = await stocked()
    expect((await reshard(dataDir, 2)).stderr).toMatch(/^doorbuster: .*in use/m)
    await server.stop()
    for (const args of [['--partitions', '0'], ['--partitions', '65'], ['--partitions', 'x'], []]) {
      const { code } = await run(['reshard', ...args, '--data-dir', dataDir])
      expect({ args, code }).toEqual({ args, code: 1 })
    }
    const file = join(dataDir, 'doorbuster.json')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace('"partitions":1', '"partitions":2'))
    const { code, stderr } = await reshard(dataDir, 3)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^doorbuster: .*doorbuster\.json/m)
    writeFileSync(file, text)
    expect((await reshard(dataDir, 3)).code).toBe(0)
  })

  test('gives no event the id of an earlier one', { timeout: 90_000 }, async () => {
    let server = await TestServer.start()
    const { dataDir } = server
    await server.call('PUT', '/v1/locations/W1', place('W1'))
    await server.call('PUT', '/v1/products/TEE', { name: 'Tee' })
    const short = async () => {
      for (const onHand of [1, 0, 1]) await server.call('PUT', '/v1/inventory/TEE/W1', { onHand })
    }
    await server.call('PUT', '/v1/inventory/TEE/W1', { onHand: 1 })
    await server.call('POST', '/v1/reservations', {
      id: randomUUID(),
      sku: 'TEE',
      quantity: 1,
      ttlSeconds: DAY_SECONDS,
    })
    await short()
    const first = await EventReader.open(server.url)
    const [before] = await first.until(1)
    first.close()
    await server.stop()
    for (const partitions of [2, 1]) expect((await reshard(dataDir, partitions)).code).toBe(0)
    server = await TestServer.start({ dataDir })
    await short()
    // A consumer goes on from where it stood, and must be given what is new to it, under an id that is new to it.
    const second = await EventReader.open(server.url, `?after=${before!.id}`)
    const [after] = await Promise.race([second.until(1), setTimeout(10_000, [])])
    second.close()
    expect(after, 'the event after the reshard').toBeDefined()
    expect(after?.data.id).not.toBe(before?.data.id)
  })
})
