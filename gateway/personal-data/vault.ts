/**
 * Keys with which personal data is sealed, one for each person, apart from the log and its checkpoints: a log cannot forget,
 * so what must be forgotten is in it only in a form that is useless once its key is gone. The vault is a file of its own in
 * the data directory; a key is on disk before anything that is sealed with it is sent to the log.
 */
import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto'
import { chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open } from 'lmdb'
import { Packr } from 'msgpackr'
import { DamageError } from '../../engine/errors.js'

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
const KEY_BYTES = 32
const HEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES
const ALGORITHM = 'aes-256-gcm'
const INSTALLATION = 'installation'
const keyName = (person: string): string => `key/${person}`

const packr = new Packr({ useRecords: false })

export const vaultFile = (dataDir: string): string => join(dataDir, 'vault.mdb')

export class Vault {
  private readonly db: Database<Buffer, string>
  private readonly indexKey: Buffer
  private readonly ownKey: Buffer
  /** Keys that are being written: whoever needs one meanwhile waits for the same. */
  private readonly coming = new Map<string, Promise<void>>()

  constructor(dataDir: string) {
    const file = vaultFile(dataDir)
    const isNew = !existsSync(file)
    this.db = open<Buffer, string>({ path: file, noSubdir: true, encoding: 'binary', overlappingSync: false })
    if (isNew) chmodSync(file, 0o600)
    let installation = this.db.get(INSTALLATION)
    if (installation === undefined) {
      installation = randomBytes(KEY_BYTES)
      this.db.transactionSync(() => this.db.putSync(INSTALLATION, installation as Buffer))
    }
    if (installation.length !== KEY_BYTES) {
      throw new DamageError(`${file} is damaged: restore the data directory from a backup`)
    }
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
    await this.db.put(keyName(person), randomBytes(KEY_BYTES))
    // A put resolves at its commit; keys that are asked for in one turn are flushed together.
    await this.db.flushed
  }

  /** Seals a value for a person whose key is there. */
  seal(person: string, value: unknown): Sealed {
    const key = this.db.get(keyName(person))
    if (key === undefined) throw new Error('a value is sealed for a person whose key is not in the vault')
    return encrypt(key, person, value)
  }

  /** What was sealed for a person; undefined where the person was erased, also where he or she has come back since. */
  open<T>(person: string, sealed: Sealed): T | undefined {
    const key = this.db.get(keyName(person))
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
    return this.db.doesExist(keyName(person))
  }

  /** Destroys a person's key: on disk once it returns. Overwritten first, so that the page's next reader finds nothing. */
  destroy(person: string): void {
    this.db.transactionSync(() => {
      if (this.db.doesExist(keyName(person))) this.db.putSync(keyName(person), Buffer.alloc(KEY_BYTES))
    })
    this.db.transactionSync(() => this.db.removeSync(keyName(person)))
    // LMDB writes to pages that were given up two commits ago: the one that held the key is written over.
    for (let turn = 0; turn < 4; turn++) {
      this.db.transactionSync(() => this.db.putSync('churn', randomBytes(KEY_BYTES)))
    }
  }

  close(): Promise<void> {
    return this.db.close()
  }
}

const derive = (key: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `doorbuster/${purpose}`, KEY_BYTES))

function encrypt(key: Buffer, name: string, value: unknown): Sealed {
  const nonce = randomBytes(NONCE_BYTES)
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
