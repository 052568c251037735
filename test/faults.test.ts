/** What the surroundings do to a server: a full disk, a directory that is read-only, foreign or taken, a dead thread. */
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { stockUp } from './support/catalogue.js'
import { built, run, verify } from './support/command-line.js'
import { problemFaults } from './support/http-call.js'
import type { LockOrder } from './support/lock-contender.js'
import { canMount, readOnlyView, smallDisk } from './support/mounts.js'
import { newId, PackedSocket, type ReserveRecord, Status } from './support/packed-socket.js'
import { TestServer, temporaryDirectory } from './support/test-server.js'
import { debuggable, endThread } from './support/thread-end.js'

const SENTENCE = /^doorbuster: [^\n]+$/m

/** Fills a disk to its last byte; returns how to give the space back. */
function fill(directory: string): () => void {
  const ballast = join(directory, 'ballast')
  try {
    for (;;) writeFileSync(ballast, Buffer.alloc(65_536), { flag: 'a' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
  try {
    for (let i = 0; ; i++) writeFileSync(`${ballast}-${i}`, 'x')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
  return () => {
    for (const name of readdirSync(directory)) if (name.startsWith('ballast')) rmSync(join(directory, name))
  }
}

/** Reserves frame by frame until the disk is full; resolves with what was acknowledged and the frame that was not. */
async function reserveUntilRefused(socket: PackedSocket, sku: number) {
  const held: ReserveRecord[] = []
  for (let frame = 0; frame < 3_000; frame++) {
    const records = Array.from({ length: 1_024 }, () => ({ id: newId(), sku, ttlSeconds: 86_400 }))
    const replies = await socket.reserve(records)
    const statuses = new Set(replies.map(({ status }) => status))
    expect([...statuses], 'a frame is held whole or refused whole').toHaveLength(1)
    if (statuses.has(Status.overloaded)) return { held, refused: records }
    expect([...statuses]).toEqual([Status.done])
    held.push(...records)
  }
  throw new Error('the disk is never full')
}

/** Reserves one by one until one is refused; resolves with how many were held. */
async function countUntilRefused(server: TestServer): Promise<number> {
  for (let held = 0; held < 3_000; held++) {
    const body = { id: randomUUID(), sku: 'TEE', quantity: 1, ttlSeconds: 86_400 }
    const { status } = await server.call('POST', '/v1/reservations', body)
    if (status === 503) return held
    expect(status).toBe(201)
  }
  throw new Error('the disk is never full')
}

async function repeat(socket: PackedSocket, records: readonly ReserveRecord[]) {
  const replies = []
  for (let at = 0; at < records.length; at += 1_024)
    replies.push(...(await socket.reserve(records.slice(at, at + 1_024))))
  return replies
}

describe.skipIf(!canMount)('on a full disk (needs to mount a file system)', () => {
  test('it stops acknowledging, says why, and goes on once there is space', { timeout: 180_000 }, async () => {
    const disk = smallDisk(64)
    const dataDir = join(disk, 'data')
    const server = await TestServer.start({ dataDir })
    const { skus } = await stockUp(server.url, ['TEE'], 100_000_000)
    const sku = skus.get('TEE')!
    // So that the rest fills up in a moment, and what is freed is enough for as much again and a checkpoint.
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(48 * 1_048_576))
    const socket = await PackedSocket.connect(server.url)
    const { held, refused } = await reserveUntilRefused(socket, sku)
    // What is too little for a frame may be enough for a single one.
    const free = fill(disk)
    const singles = await countUntilRefused(server)

    const one = { id: randomUUID(), sku: 'TEE', quantity: 1 }
    const answer = await server.call<{ detail: string }>('POST', '/v1/reservations', one)
    expect(problemFaults(answer, 503, 'overloaded')).toEqual([])
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(answer.body.detail).toMatch(/space|ENOSPC/i)
    const product = await server.call('PUT', '/v1/products/NEW', { name: 'New' })
    expect(problemFaults(product, 503, 'overloaded')).toEqual([])
    const unready = await server.call<{ detail: string }>('GET', '/readyz')
    expect(unready.status).toBe(503)
    expect(unready.body.detail).toMatch(/space|ENOSPC/i)
    expect((await server.call('GET', '/healthz')).status).toBe(200)
    expect((await server.stock('TEE')).reserved, 'reads go on, and show what was acknowledged').toBe(
      held.length + singles,
    )
    expect(await server.metric('doorbuster_partition_log_write_failures')).toBeGreaterThan(0)

    free()
    // Nobody sends anything to a server that says it is not ready: it must find out by itself.
    const ready = async () => (await server.call('GET', '/readyz')).status
    await expect.poll(ready, { timeout: 15_000, interval: 100, message: 'readyz' }).toBe(200)
    expect((await server.call('POST', '/v1/reservations', one)).status).toBe(201)
    const late = await repeat(socket, refused)
    expect(late.every(({ status, replayed }) => status === Status.done && !replayed)).toBe(true)
    const again = await repeat(socket, held)
    expect(again.every(({ status, replayed }) => status === Status.done && replayed)).toBe(true)
    expect((await server.stock('TEE')).reserved).toBe(held.length + singles + refused.length + 1)
    const { code: stopped } = await server.stop()
    expect({ stopped, stderr: stopped === 0 ? '' : server.stderr }).toEqual({ stopped: 0, stderr: '' })
    const { code, faults } = await verify(dataDir)
    expect({ code, faults }).toEqual({ code: 0, faults: [] })
  })

  test('it goes on with reservations alone, too, and a kill meanwhile loses nothing', {
    timeout: 180_000,
  }, async () => {
    const disk = smallDisk(32)
    const dataDir = join(disk, 'data')
    const first = await TestServer.start({ dataDir, args: ['--partitions', '2', '--threads', '2'] })
    const { skus } = await stockUp(first.url, ['TEE', 'CAP'], 100_000_000)
    const free = fill(disk)
    let socket = await PackedSocket.connect(first.url)
    const { held } = await reserveUntilRefused(socket, skus.get('CAP')!)
    await first.kill()
    free()
    const second = await TestServer.start({ dataDir })
    socket = await PackedSocket.connect(second.url)
    const again = await repeat(socket, held)
    expect(again.every(({ status, replayed }) => status === Status.done && replayed)).toBe(true)
    expect((await second.stock('CAP')).reserved).toBe(held.length)
    expect((await second.call('POST', '/v1/reservations', { id: randomUUID(), sku: 'TEE', quantity: 1 })).status).toBe(
      201,
    )
    await second.stop()
    expect((await verify(dataDir)).code).toBe(0)
  })

  test('a stop that cannot write its last checkpoint says so, and loses nothing', { timeout: 120_000 }, async () => {
    const disk = smallDisk(32)
    const dataDir = join(disk, 'data')
    const server = await TestServer.start({ dataDir })
    const { skus } = await stockUp(server.url, ['TEE'], 100_000_000)
    const socket = await PackedSocket.connect(server.url)
    // More than the store's file has free pages for.
    const records = Array.from({ length: 4_096 }, () => ({ id: newId(), sku: skus.get('TEE')! }))
    await socket.reserve(records)
    const digest = await server.settledDigest()
    const free = fill(disk)
    const { code, signal } = await server.stop()
    expect({ code, signal }).toEqual({ code: 1, signal: null })
    expect(server.stderr).toMatch(/space|ENOSPC/i)
    free()
    const again = await TestServer.start({ dataDir })
    expect(await again.digest()).toBe(digest)
    expect(await again.stop()).toEqual({ code: 0, signal: null })
  })

  test('what falls due meanwhile waits without a hurry, and is done once there is space', {
    timeout: 120_000,
  }, async () => {
    const disk = smallDisk(32)
    const server = await TestServer.start({ dataDir: join(disk, 'data') })
    await stockUp(server.url, ['TEE'], 100_000)
    const id = randomUUID()
    await server.call('POST', '/v1/reservations', { id, sku: 'TEE', quantity: 5, ttlSeconds: 2 })
    const free = fill(disk)
    await countUntilRefused(server)
    const failures = () => server.metric('doorbuster_partition_log_write_failures')
    const status = async () => (await server.reservation(id)).status
    await setTimeout(2_500)
    const before = await failures()
    await setTimeout(1_000)
    expect((await failures()) - before, 'tries in a second').toBeLessThan(200)
    expect(await status()).toBe('held')
    free()
    await expect.poll(status, { timeout: 20_000 }).toBe('expired')
    expect(await server.stop()).toEqual({ code: 0, signal: null })
  })

  test('a new data directory on it is refused in a sentence', { timeout: 60_000 }, async () => {
    const disk = smallDisk(1)
    const free = fill(disk)
    const dataDir = join(disk, 'data')
    const { code, stderr } = await TestServer.refused({ dataDir })
    expect(code).toBe(1)
    expect(stderr).toMatch(SENTENCE)
    expect(stderr).toMatch(/space|ENOSPC/i)
    free()
    const server = await TestServer.start({ dataDir })
    await server.kill()
  })
})

describe('a data directory', () => {
  test.skipIf(!canMount)('that is read-only is refused in a sentence (needs to mount)', async () => {
    const dataDir = temporaryDirectory()
    const server = await TestServer.start({ dataDir })
    await server.stop()
    const { code, stderr } = await TestServer.refused({ dataDir: readOnlyView(dataDir) })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^doorbuster: .*(read-only|EROFS)/im)
    const empty = await TestServer.refused({ dataDir: readOnlyView(temporaryDirectory()) })
    expect(empty.code).toBe(1)
    expect(empty.stderr).toMatch(/^doorbuster: .*cannot be written/m)
  })

  test('that is another program’s is refused by name, and left alone', async () => {
    const dataDir = temporaryDirectory()
    writeFileSync(join(dataDir, 'holiday.jpg'), 'a picture')
    mkdirSync(join(dataDir, 'albums'))
    const { code, stderr } = await TestServer.refused({ dataDir })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^doorbuster: .*(holiday\.jpg|albums)/m)
    expect(readdirSync(dataDir).sort()).toEqual(['albums', 'holiday.jpg'])
  })

  test('that is a file, or below one, is refused in a sentence', async () => {
    const file = join(temporaryDirectory(), 'data')
    writeFileSync(file, 'a file')
    for (const dataDir of [file, join(file, 'below')]) {
      const { code, stderr } = await TestServer.refused({ dataDir })
      expect({ dataDir, code }).toEqual({ dataDir, code: 1 })
      expect(stderr).toMatch(SENTENCE)
      expect(stderr).toContain(dataDir)
    }
    expect(readFileSync(file, 'utf8')).toBe('a file')
  })

  test('that another server has open is refused with `in use`, and that server goes on', async () => {
    const server = await TestServer.start()
    await stockUp(server.url, ['TEE'], 10)
    const { code, stderr } = await TestServer.refused({ dataDir: server.dataDir })
    expect(code).toBe(1)
    expect(stderr).toMatch(new RegExp(`^doorbuster: .*in use by process ${server.pid}`, 'm'))
    for (const args of [['verify'], ['reshard', '--partitions', '2']]) {
      const finished = await run([...args, '--data-dir', server.dataDir])
      expect({ args, code: finished.code }).toEqual({ args, code: 1 })
      expect(finished.stderr).toMatch(/^doorbuster: .*in use/m)
    }
    expect((await server.call('POST', '/v1/reservations', { id: randomUUID(), sku: 'TEE', quantity: 1 })).status).toBe(
      201,
    )
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    expect((await verify(server.dataDir)).code).toBe(0)
  })

  test('whose server was killed is taken over, also where its process number is somebody else’s now', async () => {
    const first = await TestServer.start()
    await first.kill()
    const { dataDir } = first
    const lock = readFileSync(join(dataDir, 'lock'), 'utf8')
    const second = await TestServer.start({ dataDir })
    await second.kill()
    const stale = { ...(JSON.parse(lock) as object), pid: process.pid }
    writeFileSync(join(dataDir, 'lock'), JSON.stringify(stale))
    const third = await TestServer.start({ dataDir })
    expect(await third.stop()).toEqual({ code: 0, signal: null })
    for (const content of ['', 'not JSON', 'null', '{}', '[]', '{"pid":-1}', '{"pid":"x"}']) {
      writeFileSync(join(dataDir, 'lock'), content)
      expect({ content, code: (await verify(dataDir)).code }).toEqual({ content, code: 0 })
    }
  })

  test('is taken by one of several that find a dead one’s lock at the same moment', { timeout: 60_000 }, async () => {
    const directory = temporaryDirectory()
    const children: ChildProcess[] = [1, 2].map(() => fork(built('test/support/lock-contender.ts')))
    const told = (child: ChildProcess) =>
      new Promise<string>((done) => child.once('message', (said) => done(String(said))))
    const rounds: string[][] = []
    for (let round = 0; round < 300; round++) {
      writeFileSync(join(directory, 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, start: '1', boot: 'an earlier one' }))
      const answers = Promise.all(children.map(told))
      const order: LockOrder = { directory, atMs: Date.now() + 4 }
      for (const child of children) child.send(order)
      rounds.push(await answers)
    }
    for (const child of children) child.kill('SIGKILL')
    const held = rounds.map((answers) => answers.filter((answer) => answer === 'held').length)
    expect(held.filter((count) => count !== 1)).toEqual([])
  })

  test('that is made by several at the same moment becomes one server’s', { timeout: 120_000 }, async () => {
    for (let i = 0; i < 3; i++) {
      const dataDir = join(temporaryDirectory(), 'data')
      const servers = ['1', '2', '3'].map((n) =>
        TestServer.launch({ dataDir, args: ['--partitions', n, '--threads', n] }),
      )
      const outcomes = await Promise.all(
        servers.map((server) =>
          server.listening().then(
            () => 'listens',
            () => server.stderr,
          ),
        ),
      )
      expect(outcomes.filter((outcome) => outcome === 'listens')).toHaveLength(1)
      for (const outcome of outcomes)
        if (outcome !== 'listens') expect(outcome).toMatch(/^doorbuster: .*(in use|made for)/m)
      for (const server of servers) await server.kill()
      expect((await verify(dataDir)).code).toBe(0)
    }
  })

  test('for another number of partitions is refused, and says how to change it', async () => {
    const server = await TestServer.start({ args: ['--partitions', '2'] })
    await server.kill()
    const { dataDir } = server
    const { code, stderr } = await TestServer.refused({ dataDir, args: ['--partitions', '3'] })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^doorbuster: .*made for 2 partitions.*reshard --partitions 3/m)
    const again = await TestServer.start({ dataDir, args: ['--partitions', '2', '--threads', '1'] })
    expect(await again.stop()).toEqual({ code: 0, signal: null })
  })
})

describe('serve', () => {
  test('on a taken port ends in a sentence, and gives its data directory back', async () => {
    const server = await TestServer.start()
    const dataDir = temporaryDirectory()
    const { code, stderr } = await TestServer.refused({ dataDir, port: server.port })
    expect(code).toBe(1)
    expect(stderr).toMatch(new RegExp(`^doorbuster: .*${server.port} is taken`, 'm'))
    expect(existsSync(join(dataDir, 'lock'))).toBe(false)
    const other = await TestServer.start({ dataDir })
    expect(await other.stop()).toEqual({ code: 0, signal: null })
    expect((await server.call('GET', '/readyz')).status).toBe(200)
  })

  test('refuses options that make no sense, each in a sentence', { timeout: 120_000 }, async () => {
    const cases: [string[], RegExp][] = [
      [['--partitions', '0'], /whole number/],
      [['--partitions', '65'], /whole number/],
      [['--partitions', 'many'], /whole number/],
      [['--threads', '1.5'], /whole number/],
      [['--port', '65536'], /whole number/],
      [['--host', '0.0.0.0'], /key/],
      [['--host', 'example.com'], /key/],
      [['--no-such'], /unknown option/],
    ]
    for (const [args, what] of cases) {
      const dataDir = join(temporaryDirectory(), 'data')
      const { code, stderr } = await TestServer.refused({ dataDir, args })
      expect({ args, code }).toEqual({ args, code: 1 })
      expect(stderr).toMatch(what)
      expect(stderr).not.toMatch(/^\s+at /m)
      expect(existsSync(dataDir), 'nothing is made').toBe(false)
    }
  })

  test('takes its options from the environment, and rather from its flags', async () => {
    const [environment, flag] = [temporaryDirectory(), temporaryDirectory()]
    const server = await TestServer.start({
      dataDir: flag,
      env: { DOORBUSTER_DATA_DIR: environment, DOORBUSTER_PARTITIONS: '2', DOORBUSTER_PORT: '1' },
    })
    expect(existsSync(join(flag, 'generation-1', '1'))).toBe(true)
    expect(readdirSync(environment)).toEqual([])
    expect(await server.stop()).toEqual({ code: 0, signal: null })
  })

  const hasIpv6 = existsSync('/proc/net/if_inet6') && readFileSync('/proc/net/if_inet6', 'utf8') !== ''
  test.skipIf(!hasIpv6)('on ::1 prints an address that can be called (needs IPv6)', async () => {
    const server = await TestServer.start({ args: ['--host', '::1'] })
    const [, address] = /listening on (\S+)/.exec(server.stdout)!
    expect((await fetch(`${address}/healthz`)).status).toBe(200)
  })

  test.each(['partition-thread', 'checkpointer'])('whose %s dies ends with it, and recovers', async (script) => {
    const server = await TestServer.start({ env: debuggable })
    const { skus } = await stockUp(server.url, ['TEE'], 1_000)
    const socket = await PackedSocket.connect(server.url)
    const records = Array.from({ length: 50 }, () => ({ id: newId(), sku: skus.get('TEE')! }))
    await socket.reserve(records)
    await endThread(server, script)
    const ended = await Promise.race([server.exited, setTimeout(20_000)])
    expect(ended).toEqual({ code: 1, signal: null })
    expect(server.stderr).toMatch(/thread/)
    const again = await TestServer.start({ dataDir: server.dataDir })
    expect((await again.stock('TEE')).reserved).toBe(50)
  })
})
