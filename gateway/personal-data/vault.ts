/**
 * Keys with which personal data is sealed, one for each person, apart from the log and its checkpoints: a log cannot forget,
 * so what must be forgotten is in it only in a form that is useless once its key is gone. The vault is a file of its own in
 * the data directory; a key is on disk before anything that is sealed with it is sent to the log.
 */
import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto'
import { chmodSync, existsSync } from 'node:fs'
import { type Database, open } from 'lmdb'
import { Packr } from 'msgpackr'
import { DamageError } from '../../engine/errors.js'
import { entryOf, INSTALLATION, KEY_BYTES, keyFrom, personEntry } from './vault-entry.js'
import { checkVaultStructure, missingVault, VAULT_MODE, vaultFile } from './vault-file.js'
import { wipe } from './wipe.js'

/**
 * A sealed value, AES-256-GCM (NIST SP 800-38D):
 *
 *   0      version, 1
 *   1      nonce, 12 bytes, random
 *   13     tag, 16 bytes
 *   29     msgpack, encrypted; the name of its key is authenticated with it
 */
export type Sealed = Uint8Array

const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES
const ALGORITHM = 'aes-256-gcm'

const packr = new Packr({ useRecords: false })

export class Vault {
  private readonly db: Database<Buffer, string>
  private readonly indexKey: Buffer
  private readonly ownKey: Buffer
  /** Keys that are being written: whoever needs one meanwhile waits for the same. */
  private readonly coming = new Map<string, Promise<void>>()

  private readonly file: string

  /** `isMade`: the data directory has been in use, so that a vault that is not there is damage. Throws DamageError. */
  constructor(dataDir: string, isMade = false) {
    this.file = vaultFile(dataDir)
    const isNew = !existsSync(this.file)
    if (isNew && isMade) throw new DamageError(missingVault(dataDir))
    if (!isNew) checkVaultStructure(this.file)
    this.db = open<Buffer, string>({ path: this.file, noSubdir: true, encoding: 'binary', overlappingSync: false })
    chmodSync(this.file, VAULT_MODE)
    if (!isMade && this.db.get(INSTALLATION) === undefined) {
      this.db.transactionSync(() => this.db.putSync(INSTALLATION, entryOf(INSTALLATION, randomBytes(KEY_BYTES))))
    }
    const installation = keyFrom(this.file, INSTALLATION, this.db.get(INSTALLATION))
    this.indexKey = derive(installation, 'index')
    this.ownKey = derive(installation, 'secrets')
  }

  /**
   * The same for the same text, and useless to who has not the vault: by it a sealed value is found. 96 bits of a keyed
   * hash, so two texts do not meet.
   */
  blind(text: string): string {
    return hash('sha256', Buffer.concat([this.indexKey, Buffer.from(text)]), 'base64url').slice(0, 16)
  }

  /** As `blind`, for where there is room for 64 bits: two texts of a billion billion meet. */
  blindNumber(text: string): bigint {
    return hash('sha256', Buffer.concat([this.indexKey, Buffer.from(text)]), 'buffer').readBigUInt64LE()
  }

  /** Makes sure that a person's key is on disk. */
  async ensure(person: string): Promise<void> {
    if (this.has(person)) return
    let underWay = this.coming.get(person)
    if (!underWay) {
      underWay = this.make(person).finally(() => this.coming.delete(person))
      this.coming.set(person, underWay)
    }
    await underWay
  }

  private async make(person: string): Promise<void> {
    const name = personEntry(person)
    await this.db.put(name, entryOf(name, randomBytes(KEY_BYTES)))
    // A put resolves at its commit; keys that are asked for in one turn are flushed together.
    await this.db.flushed
  }

  private keyOf(person: string): Buffer | undefined {
    const name = personEntry(person)
    const entry = this.db.get(name)
    return entry && keyFrom(this.file, name, entry)
  }

  /** Seals a value for a person whose key is there. */
  seal(person: string, value: unknown): Sealed {
    const key = this.keyOf(person)
    if (key === undefined) throw new Error('a value is sealed for a person whose key is not in the vault')
    return encrypt(key, person, value)
  }

  /** What was sealed for a person; undefined where the person was erased, also where he or she has come back since. */
  open<T>(person: string, sealed: Sealed): T | undefined {
    const key = this.keyOf(person)
    if (key === undefined || sealed.length === 0) return undefined
    try {
      // Its own kind wrote it, so its shape is known.
      return decrypt(key, person, sealed) as T
    } catch (error) {
      // The tag does not fit: sealed with a key that was destroyed. Damage is what the log's checksums find.
      if (error instanceof DamageError) throw error
      return undefined
    }
  }

  /** Secrets of our own: of channels, webhooks, providers. */
  sealSecret(purpose: string, value: unknown): Sealed {
    return encrypt(this.ownKey, purpose, value)
  }

  openSecret<T>(purpose: string, sealed: Sealed): T {
    return decrypt(this.ownKey, purpose, sealed) as T
  }

  /** A key for signing what leaves and comes back, by its purpose. */
  signingKey(purpose: string): Buffer {
    return derive(this.ownKey, purpose)
  }

  has(person: string): boolean {
    return this.db.doesExist(personEntry(person))
  }

  /**
   * Destroys the keys of persons: when it returns they are nowhere in the file, nor in the next copy of it. Copies that
   * were made before have them (see vault-file.ts).
   */
  destroy(persons: readonly string[]): void {
    const keys = persons.flatMap((person) => this.keyOf(person) ?? [])
    if (keys.length === 0) return
    this.db.transactionSync(() => {
      for (const person of persons) this.db.removeSync(personEntry(person))
    })
    // Under the write lock: what still holds a key is in no use, and is put to none meanwhile.
    this.db.transactionSync(() => wipe(this.file, keys))
    for (const key of keys) key.fill(0)
  }

  close(): Promise<void> {
    return this.db.close()
  }
}

const derive = (key: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `doorbuster/${purpose}`, KEY_BYTES))

/** Random bytes come many at once: asking the system for twelve costs as much as for four thousand. */
let pool = Buffer.alloc(0)

function freshNonce(): Buffer {
  if (pool.length < NONCE_BYTES) pool = randomBytes(NONCE_BYTES * 341)
  const nonce = pool.subarray(0, NONCE_BYTES)
  pool = pool.subarray(NONCE_BYTES)
  return nonce
}

function encrypt(key: Buffer, name: string, value: unknown): Sealed {
  const nonce = freshNonce()
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(name))
  const content = cipher.update(packr.pack(value))
  const last = cipher.final()
  return new Uint8Array(Buffer.concat([Buffer.from([VERSION]), nonce, cipher.getAuthTag(), content, last]))
}

function decrypt(key: Buffer, name: string, sealed: Sealed): unknown {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length)
  if (bytes[0] !== VERSION || bytes.length < HEAD_BYTES) throw new DamageError('a sealed value is of an unknown form')
  const nonce = bytes.subarray(1, 1 + NONCE_BYTES)
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(name))
  decipher.setAuthTag(bytes.subarray(1 + NONCE_BYTES, HEAD_BYTES))
  return packr.unpack(Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES)), decipher.final()]))
}
