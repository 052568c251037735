import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { crc32c } from '@node-rs/crc32'
import { type Database, open, type RootDatabase } from 'lmdb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkLmdbStructure } from './lmdb-structure.js'

/** How many damages of a kind each file of more than some pages suffers, and how many that pass LMDB then reads. */
const DAMAGES = Number(process.env.STRUCTURE_DAMAGES ?? 300)
const READS = Number(process.env.STRUCTURE_READS ?? 60)
const SEED = Number(process.env.STRUCTURE_SEED ?? 1)
const VERBOSE = process.env.STRUCTURE_VERBOSE !== undefined
const PAGE = 4096
const META_BYTES = 24 + 144
const BRANCH = 1
const LEAF = 2
const META = 8

type Bytes = RootDatabase<Buffer, Buffer>

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'lmdb-structure-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let files = 0
const newFile = () => join(directory, `${++files}.mdb`)

const openFile = (file: string): Bytes =>
  open({ path: file, noSubdir: true, overlappingSync: false, noSync: true, encoding: 'binary', keyEncoding: 'binary' })

function random(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** Some of these, in their order. */
function some<T>(all: T[], count: number, pick: (below: number) => number): T[] {
  let left = Math.min(count, all.length)
  return all.filter((_, i) => {
    if (pick(all.length - i) >= left) return false
    left--
    return true
  })
}

function keyOf(sequence: number): Buffer {
  const key = Buffer.alloc(8)
  key.writeBigUInt64BE(BigInt(sequence))
  return key
}

/** As the product's values: a checksum over the rest, and in it the key that the value belongs to. */
function recordOf(key: number, bytes: number): Buffer {
  const value = Buffer.alloc(Math.max(bytes, 8), key & 0xff)
  value.writeUInt32LE(key, 4)
  value.writeUInt32LE(crc32c(value.subarray(4)), 0)
  return value
}

/** A log of `commits` batches that keeps the last `kept`. */
function writeLog(
  db: Database<Buffer, Buffer>,
  from: number,
  commits: number,
  kept: number,
  bytes: (n: number) => number,
) {
  for (let n = from; n < from + commits; n++) {
    db.transactionSync(() => {
      db.putSync(keyOf(n), recordOf(n, bytes(n)))
      if (n > kept) db.removeSync(keyOf(n - kept))
    })
  }
}

/** Checkpoints of `keys` entities in three databases, one of them with integer keys. */
function writeStore(file: string, seed: number, commits: number, keys: number, bytes: number) {
  const pick = random(seed)
  const db = openFile(file)
  const entities = db.openDB<Buffer, Buffer>({ name: 'entities', encoding: 'binary', keyEncoding: 'binary' })
  const orders = db.openDB<Buffer, number>({ name: 'orders', encoding: 'binary', keyEncoding: 'uint32' })
  db.openDB({ name: 'meta', encoding: 'binary', keyEncoding: 'binary' })
  for (let commit = 0; commit < commits; commit++) {
    db.transactionSync(() => {
      for (let i = pick(40); i >= 0; i--) {
        const key = 1 + pick(keys)
        if (pick(4) === 0) entities.removeSync(keyOf(key))
        else entities.putSync(keyOf(key), recordOf(key, pick(bytes)))
        if (pick(4) === 0) orders.removeSync(key)
        else orders.putSync(key, recordOf(key, 8 + pick(pick(8) === 0 ? 3 * PAGE : 120)))
      }
    })
  }
  db.close()
}

/** Commits batches to a log and prints each one's transaction, until it is killed. */
const WRITER = `
import fs from 'node:fs'
import { open } from 'lmdb'
const db = open({ path: process.argv[1], noSubdir: true, overlappingSync: false, noSync: true, encoding: 'binary', keyEncoding: 'uint32' })
for (let n = 1; ; n++) {
  db.transactionSync(() => {
    for (let i = 0; i < 40; i++) db.putSync(n * 7919 + i, Buffer.alloc(((n * i) % 30) * 1_000))
    for (let i = 0; i < 40; i++) db.removeSync((n - 20) * 7919 + i)
  })
  fs.writeSync(1, db.getStats().lastTxnId + '\\n')
}
`

const sound = (file: string) => {
  const report = checkLmdbStructure(file)
  expect(report.faults).toEqual([])
  return report
}

describe('a sound file has no faults', () => {
  test('without any commit', () => {
    const file = newFile()
    openFile(file).close()
    expect(sound(file)).toMatchObject({ pages: 2, freePages: 0, entries: 0, txnId: 0 })
  })

  test('with one commit', () => {
    const file = newFile()
    const db = openFile(file)
    writeLog(db, 1, 1, 10, () => 100)
    db.close()
    expect(sound(file)).toMatchObject({ entries: 1, txnId: 1 })
  })

  test('with a commit that only sets the main database to integer keys', () => {
    const file = newFile()
    open({ path: file, noSubdir: true, overlappingSync: false, keyEncoding: 'uint32' }).close()
    expect(sound(file)).toMatchObject({ txnId: 1, databases: [{ name: null, integerKeys: true, entries: 0 }] })
  })

  test('as a log of thousands of commits that is truncated from its front, while it is open and reopened', () => {
    const file = newFile()
    let db = openFile(file)
    const pick = random(SEED)
    for (let round = 0; round < 10; round++) {
      writeLog(db, 1 + 300 * round, 300, 50 + 20 * round, () => 100 + pick(pick(10) === 0 ? 200_000 : 9_000))
      sound(file)
      if (round % 3 === 0) {
        db.close()
        sound(file)
        db = openFile(file)
      }
    }
    db.close()
    expect(sound(file)).toMatchObject({ txnId: 3_000 })
  })

  test('as a store with named databases, and lists them', () => {
    const file = newFile()
    writeStore(file, SEED, 400, 500, 3_000)
    const { databases, entries } = sound(file)
    expect(databases.map(({ name, integerKeys }) => ({ name, integerKeys }))).toEqual([
      { name: null, integerKeys: false },
      { name: 'entities', integerKeys: false },
      { name: 'meta', integerKeys: false },
      { name: 'orders', integerKeys: true },
    ])
    const db = openFile(file)
    const counted = [
      db.openDB({ name: 'entities', encoding: 'binary', keyEncoding: 'binary' }).getCount(),
      db.openDB({ name: 'meta', encoding: 'binary', keyEncoding: 'binary' }).getCount(),
      db.openDB({ name: 'orders', encoding: 'binary', keyEncoding: 'uint32' }).getCount(),
    ]
    expect(databases.slice(1).map((database) => database.entries)).toEqual(counted)
    expect(entries).toBe(counted.reduce((sum, count) => sum + count))
    db.close()
  })

  test('with a deep tree, after most of it is deleted, after all of it is, and when it grows again', () => {
    const file = newFile()
    const db = openFile(file)
    const put = (from: number, to: number) =>
      db.transactionSync(() => {
        for (let n = from; n <= to; n++) db.putSync(keyOf(n), recordOf(n, n % 5 === 0 ? 2 * PAGE : 100))
      })
    const remove = (from: number, to: number) =>
      db.transactionSync(() => {
        for (let n = from; n <= to; n++) db.removeSync(keyOf(n))
      })
    put(1, 20_000)
    sound(file)
    // Every second page apart, so that the free list is long.
    for (let n = 1; n < 20_000; n += 40) remove(n, n + 20)
    expect(sound(file).freePages).toBeGreaterThan(2_000)
    remove(1, 19_000)
    sound(file)
    put(1, 4_000)
    sound(file)
    remove(1, 20_000)
    expect(sound(file)).toMatchObject({ entries: 0 })
    put(1, 100)
    expect(sound(file)).toMatchObject({ entries: 100 })
    db.close()
  })

  test('after transactions that fail, that replace a value twice and that remove what they put', () => {
    const file = newFile()
    const db = openFile(file)
    const pick = random(SEED)
    for (let n = 1; n <= 60; n++) {
      const attempt = () =>
        db.transactionSync(() => {
          for (let i = 0; i < 20; i++) {
            const key = 1 + pick(100)
            db.putSync(keyOf(key), recordOf(key, pick(5 * PAGE)))
            db.putSync(keyOf(key), recordOf(key, pick(200)))
            db.putSync(keyOf(1_000), recordOf(1_000, 30 * PAGE))
            db.removeSync(keyOf(1_000))
          }
          if (n % 7 === 0) throw new RangeError('given up')
        })
      if (n % 7 === 0) expect(attempt).toThrow(RangeError)
      else attempt()
      sound(file)
    }
    db.close()
  })

  test('where its last pages were allocated and freed again, never written, so that it is shorter than its last page', () => {
    const file = newFile()
    const db = openFile(file)
    writeLog(db, 1, 20, 5, () => 100)
    db.transactionSync(() => {
      for (let n = 21; n <= 1_000; n++) db.putSync(keyOf(n), recordOf(n, 100))
      for (let n = 21; n <= 1_000; n++) db.removeSync(keyOf(n))
    })
    db.close()
    const { pages } = sound(file)
    expect(readFileSync(file).length / PAGE).toBeLessThan(pages)
  })

  test('after its process was killed while it committed, and holds what that had said to be committed', async () => {
    const file = newFile()
    for (let round = 0; round < 4; round++) {
      const args = ['--input-type=module', '--eval', WRITER, file]
      const writer = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
      let said = ''
      writer.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text
        // Each round a little later, so that it is not always at the same place of a commit.
        if (said.length > 300 * round) writer.kill('SIGKILL')
      })
      await once(writer, 'close')
      const committed = Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1))
      expect(committed).toBeGreaterThan(0)
      expect(sound(file).txnId).toBeGreaterThanOrEqual(committed)
    }
  })

  test('in a backup, plain and compacting', async () => {
    const file = newFile()
    const db = openFile(file)
    writeLog(db, 1, 300, 60, (n) => (n % 3) * 9_000)
    for (const compact of [false, true]) {
      const copy = newFile()
      await db.backup(copy, compact)
      expect(sound(copy)).toMatchObject({ entries: 60 })
    }
    db.close()
  })
})

/** Bytes that are put over those of a file. */
interface Damage {
  what: string
  patches: { at: number; bytes: Buffer }[]
  /** The file's new length. */
  length?: number
}

interface Subject {
  name: string
  build(file: string): void
  databases: { name: string | null; integerKeys: boolean }[]
}

const MAIN = [{ name: null, integerKeys: false }]
const SUBJECTS: Subject[] = [
  {
    name: 'a log with short and long batches, truncated',
    databases: MAIN,
    build(file) {
      const db = openFile(file)
      writeLog(db, 1, 400, 150, (n) => (n % 7 === 0 ? 3 * PAGE : n % 5 === 0 ? 1_500 : 100))
      db.close()
    },
  },
  {
    name: 'a log of long batches',
    databases: MAIN,
    build(file) {
      const db = openFile(file)
      writeLog(db, 1, 40, 15, (n) => 20_000 + 3_000 * (n % 5))
      db.close()
    },
  },
  {
    name: 'a store with named databases',
    databases: [
      { name: null, integerKeys: false },
      { name: 'entities', integerKeys: false },
      { name: 'meta', integerKeys: false },
      { name: 'orders', integerKeys: true },
    ],
    build: (file) => writeStore(file, SEED, 60, 200, 400),
  },
  {
    // What the second commit frees is listed outside its tree.
    name: 'a tree that one commit wrote and one thinned out',
    databases: MAIN,
    build(file) {
      const db = openFile(file)
      db.transactionSync(() => {
        for (let n = 1; n <= 1_000; n++) db.putSync(keyOf(n), recordOf(n, n % 2 === 0 ? 3_000 : 100))
      })
      db.transactionSync(() => {
        for (let n = 1; n <= 1_000; n++) if (n % 200 < 130) db.removeSync(keyOf(n))
      })
      db.close()
    },
  },
  {
    name: 'three records',
    databases: MAIN,
    build(file) {
      const db = openFile(file)
      writeLog(db, 1, 3, 3, (n) => (n === 2 ? 2 * PAGE : 101))
      db.close()
    },
  },
]

/**
 * Opens damaged copies with LMDB, each in its own file, and prints a line for each: `same`; `caller` if a value fails
 * its checksum or lies under another key, as its reader would find; or what is different, at once or after commits
 * that take pages from the free list.
 */
const READER = `
import fs from 'node:fs'
import { open } from 'lmdb'
import { crc32c } from '@node-rs/crc32'
const [, jobFile, from, to] = process.argv
const { base, databases, damages } = JSON.parse(fs.readFileSync(jobFile, 'utf8'))
const original = fs.readFileSync(base)
const say = (line) => fs.writeSync(1, line.replaceAll('\\n', ' ') + '\\n')
const number = (key) => (typeof key === 'number' ? key : Number(key.readBigUInt64BE()))
const sound = (key, value) =>
  value.length >= 8 && value.readUInt32LE(4) === number(key) && crc32c(value.subarray(4)) === value.readUInt32LE(0)
function openAll(file) {
  const root = open({ path: file, noSubdir: true, overlappingSync: false, noSync: true, encoding: 'binary', keyEncoding: 'binary' })
  const dbs = databases.map(({ name, integerKeys }) => name === null
    ? databases.length > 1 ? undefined : root
    : root.openDB({ name, encoding: 'binary', keyEncoding: integerKeys ? 'uint32' : 'binary' }))
  return { root, dbs: dbs.filter((db) => db !== undefined) }
}
/** Of each database, key to checksum. */
function read(dbs) {
  return dbs.map((db) => {
    const entries = new Map()
    for (const { key, value } of db.getRange({})) {
      if (!sound(key, value)) throw new RangeError('caller')
      entries.set(number(key), value.readUInt32LE(0))
    }
    const { entryCount } = db.getStats()
    if (entryCount !== entries.size) throw new Error(entryCount + ' entries claimed, ' + entries.size + ' listed')
    for (const key of entries.keys()) {
      const keyed = db.keyEncoding === 'uint32' ? key : keyOf(key)
      const value = db.getBinary(keyed)
      if (value === undefined) throw new Error('key ' + key + ' is listed but not found')
      if (!sound(keyed, value)) throw new RangeError('caller')
    }
    return entries
  })
}
function keyOf(number) {
  const key = Buffer.alloc(8)
  key.writeBigUInt64BE(BigInt(number))
  return key
}
function differences(found, expected) {
  for (const [i, entries] of expected.entries()) {
    if (found[i].size !== entries.size) return found[i].size + ' entries, not ' + entries.size
    for (const [key, crc] of entries) if (found[i].get(key) !== crc) return 'another value of key ' + key
  }
}
function write({ root, dbs }, expected) {
  for (let commit = 0; commit < 8; commit++) {
    root.transactionSync(() => {
      for (const [i, db] of dbs.entries()) {
        // The fourth commit takes all free pages.
        for (let n = 0; n < (commit === 3 ? 200 : 6); n++) {
          const key = 100_000 + commit * 1_000 + n
          const value = Buffer.alloc(n === 0 ? 9_000 : commit === 3 ? 3_000 : 150, commit)
          value.writeUInt32LE(key, 4)
          value.writeUInt32LE(crc32c(value.subarray(4)), 0)
          db.putSync(db.keyEncoding === 'uint32' ? key : keyOf(key), value)
          expected[i].set(key, value.readUInt32LE(0))
        }
        const [first] = expected[i].keys()
        db.removeSync(db.keyEncoding === 'uint32' ? first : keyOf(first))
        expected[i].delete(first)
      }
    })
  }
}
fs.writeFileSync(base + '-sound', original)
const undamaged = openAll(base + '-sound')
const expected = read(undamaged.dbs)
undamaged.root.close()
for (let i = Number(from); i < Number(to); i++) {
  const { patches, length } = damages[i]
  let bytes = Buffer.from(original)
  for (const { at, hex } of patches) bytes.set(Buffer.from(hex, 'hex'), at)
  if (length !== undefined) bytes = bytes.subarray(0, length)
  const file = base + '-' + i
  fs.writeFileSync(file, bytes)
  try {
    const all = openAll(file)
    let different = differences(read(all.dbs), expected)
    if (different === undefined) {
      const after = expected.map((entries) => new Map(entries))
      write(all, after)
      different = differences(read(all.dbs), after)
      if (different !== undefined) different += ' after writing'
    }
    say(different ?? 'same')
    all.root.close()
  } catch (error) {
    say(error.message === 'caller' ? 'caller' : 'error ' + error.message)
  }
  fs.rmSync(file)
  fs.rmSync(file + '-lock', { force: true })
}
`

/** What LMDB makes of each damage, in order. */
function readDamaged(base: string, databases: Subject['databases'], damages: Damage[]): string[] {
  const jobs = `${base}-jobs.json`
  const hex = damages.map(({ patches, length }) => ({
    patches: patches.map(({ at, bytes }) => ({ at, hex: bytes.toString('hex') })),
    length,
  }))
  writeFileSync(jobs, JSON.stringify({ base, databases, damages: hex }))
  const results: string[] = []
  while (results.length < damages.length) {
    const from = results.length
    const to = Math.min(from + 200, damages.length)
    const args = ['--input-type=module', '--eval', READER, jobs, String(from), String(to)]
    const reader = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8', timeout: 20_000 })
    results.push(...reader.stdout.split('\n').slice(0, -1))
    // It goes on behind the one that ended it.
    if (results.length < to)
      results.push(`the reader ended by ${reader.signal ?? reader.status}: ${reader.stderr.slice(0, 300)}`)
  }
  return results
}

/** Those damages that neither show in the file nor in its list of databases. */
function passing(original: Buffer, databases: Subject['databases'], damages: Damage[]): Damage[] {
  const copy = newFile()
  const fd = openSync(copy, 'w+')
  writeSync(fd, original, 0, original.length, 0)
  const missed = damages.filter((damage) => {
    for (const { at, bytes } of damage.patches) writeSync(fd, bytes, 0, bytes.length, at)
    if (damage.length !== undefined) ftruncateSync(fd, damage.length)
    const report = checkLmdbStructure(copy)
    const listed = report.databases.map(({ name, integerKeys }) => ({ name, integerKeys }))
    for (const { at, bytes } of damage.patches) writeSync(fd, original, at, bytes.length, at)
    if (damage.length !== undefined) {
      writeSync(fd, original, damage.length, original.length - damage.length, damage.length)
    }
    return report.faults.length === 0 && isDeepStrictEqual(listed, databases)
  })
  closeSync(fd)
  return missed
}

/** Where the file holds structure that matters: meta records, headers, offsets, nodes without their values, free list. */
function structureOf(file: Buffer, databases: Subject['databases']): number[] {
  // The body of a long value does not say its own number, and what may be zeroed is a free page.
  const pages = Array.from({ length: file.length / PAGE }, (_, page) => page)
  const headers = pages.filter((page) => file.readBigUInt64LE(page * PAGE) === BigInt(page))
  const zeroed = headers.map((page) => ({ what: '', patches: [{ at: page * PAGE, bytes: Buffer.alloc(24) }] }))
  const unused = new Set(passing(file, databases, zeroed).map(({ patches }) => patches[0]!.at))
  const freeRoots = [0, PAGE].map((meta) => Number(file.readBigUInt64LE(meta + 24 + 24 + 40)) * PAGE)
  const places = new Set<number>()
  const add = (from: number, bytes: number) => {
    for (let at = from; at < from + bytes; at++) places.add(at)
  }
  for (const start of headers.map((page) => page * PAGE)) {
    if (unused.has(start)) continue
    const kind = file.readUInt16LE(start + 18)
    add(start, kind === META ? META_BYTES : 24)
    if (kind !== BRANCH && kind !== LEAF) continue
    const nodes = file.readUInt16LE(start + 20) / 2
    add(start + 24, 2 * nodes)
    for (let i = 0; i < nodes; i++) {
      const node = start + 24 + file.readUInt16LE(start + 24 + 2 * i)
      const data = node + 8 + file.readUInt16LE(node + 6)
      const [run, tree] = [1, 2].map((flag) => kind === LEAF && file.readUInt16LE(node + 4) === flag)
      add(node, data - node + (run ? 24 : tree ? 48 : 0))
      if (!freeRoots.includes(start)) continue
      add(run ? Number(file.readBigUInt64LE(data)) * PAGE + 24 : data, file.readUInt32LE(node))
    }
  }
  return [...places]
}

function bitFlips(file: Buffer, places: number[]): Damage[] {
  return places.flatMap((at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((bit) => {
      const what = `page ${Math.floor(at / PAGE)} offset ${at % PAGE} bit ${bit}`
      return { what, patches: [{ at, bytes: Buffer.of(file[at]! ^ (1 << bit)) }] }
    }),
  )
}

/** Up to eight bytes that become small or random numbers, some of them anywhere. */
function overwrites(file: Buffer, places: number[], pick: (below: number) => number, count: number): Damage[] {
  const damages: Damage[] = []
  while (damages.length < count) {
    const at = pick(5) === 0 ? pick(file.length - 8) : places[pick(places.length)]!
    const bytes = Buffer.alloc([1, 2, 4, 8][pick(4)]!)
    if (at + bytes.length > file.length) continue
    if (pick(2) === 0) bytes.writeUInt8(pick(256))
    else for (let i = 0; i < bytes.length; i++) bytes[i] = pick(256)
    const was = file.toString('hex', at, at + bytes.length)
    const what = `page ${Math.floor(at / PAGE)} offset ${at % PAGE}: ${was} to ${bytes.toString('hex')}`
    damages.push({ what, patches: [{ at, bytes }] })
  }
  return damages
}

/** At each page, and somewhere in each. */
function truncations(file: Buffer, pick: (below: number) => number): Damage[] {
  const damages: Damage[] = []
  for (let length = 0; length < file.length; length += PAGE) {
    for (const to of [length, length + 1 + pick(PAGE - 1)]) {
      damages.push({ what: `truncated to ${to}`, patches: [], length: to })
    }
  }
  return damages
}

/** Each page zeroed, with another one's content, and swapped with another one. */
function misplacedPages(file: Buffer, pick: (below: number) => number): Damage[] {
  const pages = file.length / PAGE
  const contentOf = (page: number) => file.subarray(page * PAGE, (page + 1) * PAGE)
  const damages: Damage[] = []
  for (let page = 0; page < pages; page++) {
    const other = pick(pages)
    const replaced = { at: page * PAGE, bytes: contentOf(other) }
    const swapped = [replaced, { at: other * PAGE, bytes: contentOf(page) }]
    damages.push({ what: `page ${page} zeroed`, patches: [{ at: page * PAGE, bytes: Buffer.alloc(PAGE) }] })
    damages.push({ what: `page ${page} overwritten by page ${other}`, patches: [replaced] })
    damages.push({ what: `pages ${page} and ${other} swapped`, patches: swapped })
  }
  return damages
}

describe('damage is found, or LMDB reads the same and goes on writing, or the reader of a value finds it,', () => {
  test.each(SUBJECTS)('in $name', ({ build, databases }) => {
    const file = newFile()
    build(file)
    sound(file)
    const bytes = readFileSync(file)
    const pick = random(SEED)
    const count = Math.max(DAMAGES, Math.floor((10_000 * PAGE) / bytes.length))
    const places = structureOf(bytes, databases)
    const kinds = {
      bitFlips: bitFlips(bytes, places),
      metaBitFlips: bitFlips(
        bytes,
        places.filter((at) => at < 2 * PAGE),
      ),
      overwrites: overwrites(bytes, places, pick, count),
      truncations: truncations(bytes, pick),
      misplacedPages: misplacedPages(bytes, pick),
    }
    const passed: Damage[] = []
    for (const [kind, all] of Object.entries(kinds)) {
      const damages = some(all, count, pick)
      const missed = passing(bytes, databases, damages)
      if (VERBOSE) console.log(`${kind}: ${damages.length}, of these ${missed.length} without a fault`)
      passed.push(...missed)
    }
    const read = some(passed, READS, pick)
    const results = readDamaged(file, databases, read)
    if (VERBOSE)
      console.log(Object.fromEntries(results.map((result) => [result, results.filter((r) => r === result).length])))
    const harmful = read.flatMap(({ what }, i) =>
      ['same', 'caller'].includes(results[i]!) ? [] : `${what}: ${results[i]}`,
    )
    expect(harmful).toEqual([])
  })
})
