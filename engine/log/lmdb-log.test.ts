import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DamageError } from '../errors.js'
import { LmdbLog } from './lmdb-log.js'
import { describeLog, sealedRecord } from './log.contract.js'
import { LOG_START } from './log.js'

const PARTITION = 3
let directory: string
let homes = 0

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'doorbuster-log-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function keyOf(sequence: number): Buffer {
  const key = Buffer.alloc(8)
  key.writeBigUInt64BE(BigInt(sequence))
  return key
}

/** Into the environment itself, past the log. */
async function reachInto(file: string, change: (db: ReturnType<typeof open<Buffer, Buffer>>) => void): Promise<void> {
  const options = { noSubdir: true, overlappingSync: false, encoding: 'binary', keyEncoding: 'binary' } as const
  const db = open<Buffer, Buffer>({ path: file, ...options })
  change(db)
  await db.close()
}

function makeHome() {
  const file = join(directory, `${++homes}.mdb`)
  return {
    partition: PARTITION,
    file,
    open: (position = LOG_START) => new LmdbLog({ file, partition: PARTITION, position }),
    openRefusing: () => new LmdbLog({ file, partition: PARTITION, position: LOG_START, readOnly: true }),
    damage: (sequence: number, change: (record: Uint8Array) => Uint8Array | undefined) =>
      reachInto(file, (db) => {
        const changed = change(Uint8Array.from(db.getBinary(keyOf(sequence))!))
        if (changed) db.putSync(keyOf(sequence), Buffer.from(changed))
        else db.removeSync(keyOf(sequence))
      }),
    plant: (sequence: number, record: Uint8Array) =>
      reachInto(file, (db) => db.putSync(keyOf(sequence), Buffer.from(record))),
  }
}

describeLog('the embedded log', makeHome)

describe('the embedded log, damaged by others', () => {
  it.each([
    ['before all', Buffer.from([0])],
    ['among them', Buffer.concat([keyOf(2), Buffer.from('x')])],
    ['behind all', Buffer.from('zebra')],
  ])('names a key that is no sequence (%s)', async (_where, key) => {
    const home = makeHome()
    let log = home.open()
    for (let i = 0; i < 3; i++) log.append(sealedRecord(PARTITION, log.last))
    await log.close()
    await reachInto(home.file, (db) => db.putSync(key, Buffer.from('what is this?')))
    expect(() => {
      log = home.open()
      return [...log.read(LOG_START)]
    }).toThrow(DamageError)
    await log.close()
  })
})
