/**
 * Damage: every kind of it, in copies of one data directory with a checkpoint and a tail of log. `verify` names it and
 * `serve` refuses to start on it; bytes that carry nothing change nothing.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { place, stockUp } from './support/catalogue.js'
import { verify } from './support/command-line.js'
import { copyDirectory, type Damage, file } from './support/damage.js'
import type { Finding } from './support/damage-verifier.js'
import { descriptionDamage, fileDamage, logDamage, storeDamage } from './support/named-damage.js'
import { newId, PackedSocket } from './support/packed-socket.js'
import { Random, seed } from './support/random.js'
import { byteFlip, lostPage, type Region, regionsOf, truncation } from './support/random-damage.js'
import { TestServer, temporaryDirectory } from './support/test-server.js'
import { VerifierProcess } from './support/verifier-process.js'

/** How many cases are drawn, as a multiple of the suite's default. */
const times = Number(process.env.DAMAGE ?? 1)
const FLIPS = 160 * times
const TRUNCATIONS = 30 * times
const LOST_PAGES = 40 * times

/** Start-ups that run side by side. */
const STARTS = 2

const random = new Random(seed)
const verifier = new VerifierProcess()
const skus = Array.from({ length: 40 }, (_, i) => `SKU-${i}`)
const files = [file(0, 'log'), file(0, 'store'), file(1, 'log'), file(1, 'store')]

let intact = ''
/** What is found in the intact directory: as a whole, and by partition. */
let sound: Finding
let soundParts: Finding[] = []
let other = ''
let single = ''

/** Makes a data directory with something of everything, as a killed server leaves it: a checkpoint, and log behind it. */
async function make(args: readonly string[]): Promise<string> {
  const dataDir = temporaryDirectory()
  let server = await TestServer.start({ dataDir, args })
  const { skus: indices } = await stockUp(server.url, skus, 1_000, ['W1', 'W2', 'S1', 'S2'])
  const hold = async (frames: number) => {
    const socket = await PackedSocket.connect(server.url)
    for (let frame = 0; frame < frames; frame++) {
      const records = skus.map((sku) => ({ id: newId(), sku: indices.get(sku)!, buyer: frame + 1 }))
      await socket.reserve(records)
      if (frame % 3 === 0) await socket.confirm(records.slice(0, 10))
      if (frame % 3 === 1) await socket.release(records.slice(5, 15))
    }
    socket.close()
  }
  const [opensAt, closesAt] = [-1, 1].map((days) => new Date(Date.now() + days * 86_400_000).toISOString())
  await server.call('PUT', '/v1/sales/FLASH', {
    opensAt,
    closesAt,
    skus: ['SKU-0', 'SKU-1'],
    quantity: 100,
    limitPerBuyer: 9,
  })
  await server.call('PUT', '/v1/inventory/SKU-2/pools/web', { quantity: 50 })
  for (let i = 0; i < 20; i++) {
    const body = { id: `A-${i}`, sku: skus[i], location: 'W1', delta: i + 1, reason: 'found' }
    await server.call('POST', '/v1/inventory/adjustments', body, { 'idempotency-key': `key-${i}` })
  }
  await hold(20)
  await server.stop()
  server = await TestServer.start({ dataDir, args })
  await hold(12)
  await server.call('PUT', '/v1/locations/W3', place('W3'))
  await server.kill()
  return dataDir
}

beforeAll(async () => {
  const args = ['--partitions', '2', '--threads', '2']
  intact = await make(args)
  other = await make(args)
  single = await make(['--partitions', '1'])
  const copy = join(temporaryDirectory(), 'sound')
  copyDirectory(intact, copy)
  const look = async (partition?: number): Promise<Finding> => {
    const verdict = await verifier.verify({ directory: copy, partition })
    if ('died' in verdict) throw new Error(`the intact directory takes the verifier down: ${verdict.died}`)
    return verdict
  }
  sound = await look()
  soundParts = [await look(0), await look(1)]
}, 120_000)

afterAll(() => verifier.end())

/** A damaged copy while `look` looks at it. */
async function damaged<T>(damage: Damage, look: (directory: string) => Promise<T>): Promise<T> {
  const copy = join(temporaryDirectory(), 'data')
  try {
    copyDirectory(intact, copy)
    await damage.apply(copy)
    return await look(copy)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** What is wrong with how the damage was found; undefined where it was found, or carries nothing and changed nothing. */
async function oversight(damage: Damage, mayBeHarmless: boolean): Promise<string | undefined> {
  const { partition } = damage
  const verdict = await damaged(damage, (directory) => verifier.verify({ directory, partition }))
  if ('died' in verdict) return `${damage.name}: took the process down: ${verdict.died}`
  const { faults, digest, sequences, bug } = verdict
  if (bug !== undefined) return `${damage.name}: an error that is not for people: ${bug}`
  if (faults.length > 0) {
    const unnamed = faults.filter((fault) => !/partition \d|doorbuster\.json|generation|data directory/.test(fault))
    return unnamed.length > 0 ? `${damage.name}: does not say where: ${unnamed[0]}` : undefined
  }
  const before = partition === undefined ? sound : soundParts[partition]!
  const same = digest === before.digest && JSON.stringify(sequences) === JSON.stringify(before.sequences)
  if (same && mayBeHarmless) return undefined
  return `${damage.name}: passes${same ? '' : `, as ${digest} at ${sequences} instead of ${before.digest} at ${before.sequences}`}`
}

async function oversights(cases: readonly Damage[], mayBeHarmless: boolean): Promise<string[]> {
  const found: string[] = []
  for (const damage of cases) {
    const what = await oversight(damage, mayBeHarmless)
    if (what !== undefined) found.push(what)
  }
  return found
}

const named = () => [
  ...logDamage(file(1, 'log')),
  ...storeDamage(),
  ...descriptionDamage(),
  ...fileDamage(other, single),
]

describe(`verify (seed ${seed})`, () => {
  test('says yes to the directory of a killed server, and to its copy', async () => {
    expect(sound.faults).toEqual([])
    const { code, ok, digest } = await verify(intact)
    expect({ code, ok, digest }).toEqual({ code: 0, ok: true, digest: sound.digest })
  })

  test('names what is wrong with records of the log', { timeout: 120_000 }, async () => {
    expect(await oversights(logDamage(file(1, 'log')), false)).toEqual([])
  })

  test('names what is wrong with pages and documents of the store', { timeout: 120_000 }, async () => {
    expect(await oversights(storeDamage(), false)).toEqual([])
  })

  test('names what is wrong with doorbuster.json', { timeout: 120_000 }, async () => {
    expect(await oversights(descriptionDamage(), false)).toEqual([])
  })

  test('names files that are missing, empty, foreign or in each other’s place', { timeout: 120_000 }, async () => {
    expect(await oversights(fileDamage(other, single), false)).toEqual([])
  })

  test(`finds or survives ${FLIPS} changed bytes`, { timeout: 300_000 * times }, async () => {
    const drawn: Damage[] = []
    const regions = new Map<string, Region[]>()
    for (const path of files) {
      const copy = join(temporaryDirectory(), 'data')
      copyDirectory(intact, copy)
      regions.set(path, await regionsOf(join(copy, path)))
    }
    for (let i = 0; i < FLIPS; i++) {
      const path = random.pick(files)
      drawn.push(byteFlip(random, path, statSync(join(intact, path)).size, regions.get(path)!))
    }
    expect(await oversights(drawn, true)).toEqual([])
  })

  test(`finds or survives ${TRUNCATIONS} truncations`, { timeout: 200_000 * times }, async () => {
    const drawn = Array.from({ length: TRUNCATIONS }, () => {
      const path = random.pick(files)
      return truncation(random, path, statSync(join(intact, path)).size)
    })
    expect(await oversights(drawn, true)).toEqual([])
  })

  test(`finds or survives ${LOST_PAGES} pages of zeros or of elsewhere`, { timeout: 200_000 * times }, async () => {
    const drawn = Array.from({ length: LOST_PAGES }, () => {
      const path = random.pick(files)
      return lostPage(random, path, statSync(join(intact, path)).size)
    })
    expect(await oversights(drawn, true)).toEqual([])
  })

  test('exits with 1 and says a sentence, on the command line too', { timeout: 60_000 }, async () => {
    const lost = named().find(({ name }) => name === `${file(1, 'log')} is missing`)!
    const inLog = logDamage(file(1, 'log'))[0]!
    for (const damage of [lost, inLog, descriptionDamage()[0]!]) {
      await damaged(damage, async (directory) => {
        const { code, ok, faults, stderr } = await verify(directory)
        expect({ damage: damage.name, code, ok }).toEqual({ damage: damage.name, code: 1, ok: false })
        expect([...faults, stderr].join('\n')).toMatch(/partition \d|doorbuster\.json/)
        expect(stderr).not.toMatch(/^\s+at /m)
      })
    }
  })
})

/** Names and contents of all files but the locks. */
function fingerprint(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !/lock/.test(entry.name))
    .map(({ parentPath, name }) => {
      const path = join(parentPath, name)
      return `${path.slice(directory.length)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`
    })
    .sort()
}

describe('serve', () => {
  test('refuses each of them in a sentence, at once, and leaves the files as they are', {
    timeout: 240_000,
  }, async () => {
    const cases = named()
    const problems: string[] = []
    const work = Array.from({ length: STARTS }, async () => {
      for (let damage = cases.shift(); damage; damage = cases.shift()) {
        const { name } = damage
        await damaged(damage, async (dataDir) => {
          const before = fingerprint(dataDir)
          const { code, stderr } = await TestServer.refused({ dataDir })
          if (code !== 1) problems.push(`${name}: exits with ${code}`)
          if (!/^doorbuster: .+$/m.test(stderr)) problems.push(`${name}: says no sentence, but ${stderr.slice(-300)}`)
          const after = fingerprint(dataDir)
          if (JSON.stringify(after) !== JSON.stringify(before))
            problems.push(`${name}: files are changed: ${after.filter((line) => !before.includes(line))}`)
        }).catch((error: Error) => problems.push(`${name}: ${error.message.slice(0, 300)}`))
      }
    })
    await Promise.all(work)
    expect(problems).toEqual([])
  })
})
