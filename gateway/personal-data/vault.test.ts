import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { open } from 'lmdb'
import { describe, expect, onTestFinished, test } from 'vitest'
import { checkLmdbStructure } from '../../engine/log/lmdb-structure.js'
import { openAnswer, sealAnswer } from './kept-answers.js'
import { Vault } from './vault.js'
import { KEY_BYTES, personEntry } from './vault-entry.js'
import { copyVault, vaultFaults, vaultFile } from './vault-file.js'

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'doorbuster-vault-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

function newVault(dataDir = directory()): { vault: Vault; dataDir: string } {
  const vault = new Vault(dataDir)
  onTestFinished(() => vault.close())
  return { vault, dataDir }
}

/** The bytes of persons' keys, read beside the vault. */
async function keysOf(dataDir: string, persons: string[]): Promise<Buffer[]> {
  const db = open<Buffer, string>({ path: vaultFile(dataDir), noSubdir: true, encoding: 'binary', readOnly: true })
  const keys = persons.map((person) => Buffer.from(db.get(personEntry(person))!.subarray(0, KEY_BYTES)))
  await db.close()
  return keys
}

const ensureAll = (vault: Vault, persons: string[]) => Promise.all(persons.map((person) => vault.ensure(person)))
const some = (count: number, name = 'person') => Array.from({ length: count }, (_, i) => `${name}-${i}`)

test('whatever is sealed for a person is opened again, for that person alone', async () => {
  const { vault } = newVault()
  await ensureAll(vault, ['ada', 'eve'])
  const value = fc.oneof(fc.jsonValue({ noUnicodeString: false }), fc.uint8Array())
  fc.assert(
    fc.property(value, (given) => {
      const sealed = vault.seal('ada', given)
      const opened = vault.open('ada', sealed)
      if (given instanceof Uint8Array) expect(new Uint8Array(opened as Uint8Array)).toEqual(given)
      else expect(JSON.stringify(opened)).toBe(JSON.stringify(given))
      expect(vault.open('eve', sealed)).toBeUndefined()
      expect(vault.open('nobody', sealed)).toBeUndefined()
    }),
  )
})

test('what was changed or cut in any place is not opened', async () => {
  const { vault } = newVault()
  await vault.ensure('ada')
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(), fc.integer({ min: 1, max: 255 }), (given, place, flip) => {
      const sealed = vault.seal('ada', given)
      const changed = Uint8Array.from(sealed)
      changed[place % sealed.length]! ^= flip
      for (const wrong of [changed, sealed.subarray(0, place % sealed.length)]) {
        let opened: unknown
        try {
          opened = vault.open('ada', wrong)
        } catch (error) {
          expect(error).toMatchObject({ code: 'damaged' })
        }
        expect(opened).toBeUndefined()
      }
    }),
  )
})

test('the same value sealed twice is not the same bytes', async () => {
  const { vault } = newVault()
  await vault.ensure('ada')
  expect(vault.seal('ada', 'Ada Byron')).not.toEqual(vault.seal('ada', 'Ada Byron'))
})

describe('a destroyed key', () => {
  test.each([
    ['is alone', 1, 0],
    ['is among a hundred', 100, 0],
    ['is among twenty thousand', 20_000, 0],
    ['had many others written and destroyed about it', 2_000, 300],
  ])('is nowhere in the file where it %s', { timeout: 60_000 }, async (_where, count, rounds) => {
    const { vault, dataDir } = newVault()
    const persons = some(count)
    await ensureAll(vault, persons)
    // Each write gives up a page as it was, with the keys that are on it.
    for (let round = 0; round < rounds; round++) await vault.ensure(`late-${round}`)
    const gone = [persons[0]!, persons[count >> 1]!, persons.at(-1)!].filter(
      (person, at, all) => all.indexOf(person) === at,
    )
    const keys = await keysOf(dataDir, gone)
    const file = () => readFileSync(vaultFile(dataDir))
    for (const key of keys) expect(file().includes(key)).toBe(true)
    vault.destroy(gone)
    for (const key of keys) expect(file().includes(key)).toBe(false)
    for (const person of gone) expect(vault.has(person)).toBe(false)
    const others = persons.filter((person) => !gone.includes(person))
    for (const person of others.slice(0, 500)) expect(vault.open(person, vault.seal(person, 1))).toBe(1)
    await vault.close()
    for (const key of keys) expect(file().includes(key)).toBe(false)
    expect(checkLmdbStructure(vaultFile(dataDir)).faults).toEqual([])
    expect(await vaultFaults(dataDir)).toEqual([])
  })

  test('leaves the others as they were, whatever is written and destroyed in turn', { timeout: 60_000 }, async () => {
    const { vault, dataDir } = newVault()
    const kept = some(200, 'kept')
    await ensureAll(vault, kept)
    const sealed = kept.map((person) => vault.seal(person, person))
    const keys: Buffer[] = []
    for (let round = 0; round < 20; round++) {
      const gone = some(20, `gone-${round}`)
      const writing = ensureAll(vault, some(20, `new-${round}`))
      await ensureAll(vault, gone)
      keys.push(...(await keysOf(dataDir, gone)))
      vault.destroy(gone)
      await writing
    }
    const bytes = readFileSync(vaultFile(dataDir))
    expect(keys.filter((key) => bytes.includes(key))).toEqual([])
    await vault.close()
    expect(await vaultFaults(dataDir)).toEqual([])
    const again = newVault(dataDir).vault
    expect(kept.map((person, at) => again.open(person, sealed[at]!))).toEqual(kept)
  })

  test('is not in a copy that is made afterwards, and what it sealed is not opened by the next key', async () => {
    const { vault, dataDir } = newVault()
    await ensureAll(vault, some(500))
    const [key] = await keysOf(dataDir, ['person-7'])
    const sealed = vault.seal('person-7', 'Ada Byron')
    vault.destroy(['person-7'])
    await vault.ensure('person-7')
    expect(vault.open('person-7', sealed)).toBeUndefined()
    expect(vault.open('person-7', vault.seal('person-7', 'again'))).toBe('again')
    const copy = directory()
    await copyVault(dataDir, copy)
    expect(readFileSync(vaultFile(copy)).includes(key!)).toBe(false)
    expect(statSync(vaultFile(copy)).mode & 0o777).toBe(0o600)
    expect(await vaultFaults(copy)).toEqual([])
  })
})

test('a vault is for its owner alone', () => {
  const { dataDir } = newVault()
  expect(statSync(vaultFile(dataDir)).mode & 0o777).toBe(0o600)
})

test('words are found by the same hash in the same installation, and by none in another', () => {
  const { vault } = newVault()
  expect(vault.blind('ada@example.com')).toBe(vault.blind('ada@example.com'))
  expect(vault.blind('ada@example.com')).not.toBe(newVault().vault.blind('ada@example.com'))
})

test('a vault that is missing from a data directory in use is named instead of made anew', async () => {
  const dataDir = directory()
  expect(() => new Vault(dataDir, true)).toThrow(/vault\.mdb is missing/)
  expect(await vaultFaults(dataDir)).toEqual([expect.stringMatching(/vault\.mdb is missing/)])
})

test('a changed key is damage, not somebody who was erased', async () => {
  const { vault, dataDir } = newVault()
  await vault.ensure('ada')
  const sealed = vault.seal('ada', 'Ada Byron')
  const [key] = await keysOf(dataDir, ['ada'])
  await vault.close()
  const bytes = readFileSync(vaultFile(dataDir))
  for (let at = bytes.indexOf(key!); at >= 0; at = bytes.indexOf(key!)) bytes[at]! ^= 1
  writeFileSync(vaultFile(dataDir), bytes)
  expect(await vaultFaults(dataDir)).toEqual([expect.stringMatching(/key\/ada fails its checksum/)])
  expect(() => newVault(dataDir).vault.open('ada', sealed)).toThrow(/fails its checksum/)
})

test('a truncated vault is named before it is opened', async () => {
  const { vault, dataDir } = newVault()
  await ensureAll(vault, some(1_000))
  await vault.close()
  truncateSync(vaultFile(dataDir), 8_192)
  expect(await vaultFaults(dataDir)).toEqual([expect.stringMatching(/vault\.mdb is damaged/)])
  expect(() => new Vault(dataDir, true)).toThrow(/vault\.mdb is damaged/)
})

describe('an answer that is kept', () => {
  test('is given again as it was', async () => {
    const { vault } = newVault()
    await vault.ensure('ada')
    const body = { id: '7', customer: { name: 'Ada Byron' }, notes: null }
    for (const person of [undefined, 'ada']) {
      const kept = sealAnswer(vault, { status: 201, body }, person)
      expect(Buffer.from(kept.sealed).includes('Ada')).toBe(false)
      expect(openAnswer(vault, kept)).toEqual({ status: 201, body })
    }
  })

  test('is gone where its customer was erased, before or after', async () => {
    const { vault } = newVault()
    await vault.ensure('ada')
    const before = sealAnswer(vault, { status: 200, body: { name: 'Ada Byron' } }, 'ada')
    vault.destroy(['ada'])
    const after = sealAnswer(vault, { status: 200, body: { name: 'Ada Byron' } }, 'ada')
    for (const kept of [before, after]) {
      expect(openAnswer(vault, kept)).toMatchObject({ status: 410, body: { code: 'erased' } })
    }
  })
})
