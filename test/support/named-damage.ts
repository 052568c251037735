/** Damage of every kind that has a name: records, pages and documents by LMDB itself, and whole files. */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { change, contentOf, type Damage, description, type Environment, edit, file } from './damage.js'

function swap(db: Environment, a: Buffer, b: Buffer): void {
  const [first, second] = [contentOf(db, a), contentOf(db, b)]
  db.putSync(a, second)
  db.putSync(b, first)
}

const sequenceKey = (sequence: bigint): Buffer => {
  const key = Buffer.alloc(8)
  key.writeBigUInt64BE(sequence)
  return key
}
const sequenceOf = (key: Buffer): bigint => key.readBigUInt64BE()

function inLog(name: string, change: (db: Environment, tail: Buffer[]) => void): Damage {
  return {
    name: `the log: ${name}`,
    // The last ten records lie behind the checkpoint.
    apply: (directory) => edit(join(directory, file(0, 'log')), (db, keys) => change(db, keys.slice(-10))),
  }
}

function inStore(name: string, change: (db: Environment, pages: Buffer[], documents: Buffer[]) => void): Damage {
  const tagged = (keys: Buffer[], tag: string) => keys.filter((key) => key[0] === tag.charCodeAt(0))
  return {
    name: `the store: ${name}`,
    apply: (directory) =>
      edit(join(directory, file(0, 'store')), (db, keys) => change(db, tagged(keys, 'p'), tagged(keys, 'd'))),
  }
}

/** Damage to what the log holds; `other` is the log of another partition. */
export function logDamage(otherLog: string): Damage[] {
  return [
    inLog('two records in each other’s place', (db, [a, , b]) => swap(db, a!, b!)),
    inLog('two neighbouring records in each other’s place', (db, [, , a, b]) => swap(db, a!, b!)),
    inLog('a record is missing', (db, tail) => void db.removeSync(tail[5]!)),
    inLog('all records but the last are missing', (db, tail) => {
      for (const key of [...db.getKeys({})].map((other) => Buffer.from(other))) {
        if (!key.equals(tail.at(-1)!)) db.removeSync(key)
      }
    }),
    inLog('all records are missing', (db) => {
      for (const key of [...db.getKeys({})].map((other) => Buffer.from(other))) db.removeSync(key)
    }),
    inLog('a record in place of the next', (db, tail) => void db.putSync(tail[4]!, contentOf(db, tail[3]!))),
    inLog('an old record once more at the end', (db, tail) => {
      db.putSync(sequenceKey(sequenceOf(tail.at(-1)!) + 1n), contentOf(db, tail[2]!))
    }),
    inLog('a gap, and records behind it', (db, tail) => {
      db.putSync(sequenceKey(sequenceOf(tail.at(-1)!) + 2n), contentOf(db, tail.at(-1)!))
    }),
    inLog('a record cut short', (db, tail) => void db.putSync(tail[4]!, contentOf(db, tail[4]!).subarray(0, -8))),
    inLog('a record that is too long', (db, tail) => {
      db.putSync(tail[4]!, Buffer.concat([contentOf(db, tail[4]!), Buffer.alloc(8)]))
    }),
    inLog('an empty record', (db, tail) => void db.putSync(tail[4]!, Buffer.alloc(0))),
    {
      name: 'the log: a record of another partition',
      apply: async (directory) => {
        let foreign: Buffer | undefined
        await edit(join(directory, otherLog), (db, keys) => {
          foreign = contentOf(db, keys.at(-1)!)
        })
        await edit(join(directory, file(0, 'log')), (db, keys) => void db.putSync(keys.at(-2)!, foreign!))
      },
    },
  ]
}

export function storeDamage(): Damage[] {
  return [
    inStore('two pages in each other’s place', (db, [a, b]) => swap(db, a!, b!)),
    inStore('the first and the last page in each other’s place', (db, pages) => swap(db, pages[0]!, pages.at(-1)!)),
    inStore('two documents in each other’s place', (db, _pages, [a, b]) => swap(db, a!, b!)),
    inStore('a page is missing', (db, pages) => void db.removeSync(pages[1]!)),
    inStore('a document is missing', (db, _pages, documents) => void db.removeSync(documents[1]!)),
    inStore('a page too many', (db, pages) => {
      const key = Buffer.from(pages[0]!)
      key.writeUInt32BE(7, 2)
      db.putSync(key, contentOf(db, pages[0]!))
    }),
    inStore(
      'a document too many',
      (db, _pages, [first]) => void db.putSync(Buffer.from('dno-such'), contentOf(db, first!)),
    ),
    inStore('an unknown key', (db, pages) => void db.putSync(Buffer.from('x'), contentOf(db, pages[0]!))),
    inStore('a page of an unknown kind', (db, pages) => {
      const key = Buffer.from(pages[0]!)
      key[1] = 250
      db.putSync(key, contentOf(db, pages[0]!))
    }),
    inStore('the watermark is missing', (db) => void db.removeSync(Buffer.from('w'))),
    inStore(
      'a page in place of the watermark',
      (db, pages) => void db.putSync(Buffer.from('w'), contentOf(db, pages[0]!)),
    ),
    inStore('nothing is left', (db, pages, documents) => {
      for (const key of [...pages, ...documents, Buffer.from('w')]) db.removeSync(key)
    }),
  ]
}

/** Damage to whole files; `other` is another data directory for as many partitions. */
export function fileDamage(other: string, single: string): Damage[] {
  const missing = (path: string): Damage =>
    change(`${path} is missing`, (directory) => rmSync(join(directory, path), { recursive: true }))
  const content = (name: string, path: string, bytes: string | Uint8Array): Damage =>
    change(`${path} ${name}`, (directory) => writeFileSync(join(directory, path), bytes))
  const exchange = (a: string, b: string): Damage =>
    change(`${a} and ${b} in each other’s place`, (directory) => {
      renameSync(join(directory, a), join(directory, 'between'))
      renameSync(join(directory, b), join(directory, a))
      renameSync(join(directory, 'between'), join(directory, b))
    })
  const of = (from: string, whose: string, path: string): Damage =>
    change(`${path} of ${whose}`, (directory) => {
      rmSync(join(directory, path), { recursive: true })
      cpSync(join(from, path), join(directory, path), { recursive: true })
    })
  return [
    missing(file(0, 'log')),
    missing(file(1, 'log')),
    missing(file(0, 'store')),
    missing(file(1, 'store')),
    missing('generation-1/0'),
    missing('generation-1/1'),
    missing('generation-1'),
    missing(description),
    change('generation-1/1 is empty', (directory) => {
      rmSync(join(directory, 'generation-1/1'), { recursive: true })
      mkdirSync(join(directory, 'generation-1/1'))
    }),
    content('is empty', file(0, 'log'), ''),
    content('is empty', file(0, 'store'), ''),
    content('is empty', description, ''),
    content('is of another program', file(0, 'log'), Buffer.from('SQLite format 3\0'.padEnd(40_960, 'x'))),
    content('is of another program', file(0, 'store'), Buffer.from('SQLite format 3\0'.padEnd(40_960, 'x'))),
    exchange(file(0, 'log'), file(1, 'log')),
    exchange(file(0, 'store'), file(1, 'store')),
    exchange('generation-1/0', 'generation-1/1'),
    exchange(file(0, 'log'), file(0, 'store')),
    of(other, 'another data directory', file(0, 'log')),
    of(other, 'another data directory', file(0, 'store')),
    of(other, 'another data directory', 'generation-1/1'),
    of(other, 'another data directory', description),
    of(single, 'a data directory of one partition', description),
  ]
}

/** Damage to doorbuster.json. */
export function descriptionDamage(): Damage[] {
  const text = (name: string, from: string | RegExp, to: string): Damage =>
    change(`doorbuster.json: ${name}`, (directory) => {
      const path = join(directory, description)
      const before = readFileSync(path, 'utf8')
      const after = before.replace(from, to)
      if (after === before) throw new Error(`${name} changes nothing in ${before}`)
      writeFileSync(path, after)
    })
  return [
    text('more partitions', '"partitions":2', '"partitions":3'),
    text('fewer partitions', '"partitions":2', '"partitions":1'),
    text('no partitions', '"partitions":2', '"partitions":0'),
    text('partitions as text', '"partitions":2', '"partitions":"2"'),
    text('without partitions', '"partitions":2,', ''),
    text('another generation', '"generation":1', '"generation":2'),
    text('another id', /"id":"./, '"id":"x'),
    text('another checksum', /"crc32c":\d/, '"crc32c":'),
    text('without checksum', /,"crc32c":\d+/, ''),
    text('cut off', /.{10}\n$/, ''),
    text('not an object', /^.*$/s, 'null'),
    text('an older format', '"format":2', '"format":1'),
  ]
}
