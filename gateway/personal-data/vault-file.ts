/**
 * The vault as a file: where it is, whether it is whole, and its copy in a backup.
 *
 * An erasure destroys a key in the vault of the data directory. A backup that was taken before has a vault of its own, in
 * which the key still is, so what was erased can be read again in what is restored from it. Keep backups no longer than
 * you may keep what they hold. Before an older backup is restored, its vault.mdb can be replaced by the vault.mdb of the
 * data directory or of a newer backup of it: a newer vault has all keys of an older one but those that were destroyed.
 */
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { syncToDisk } from '../../engine/data-directory.js'
import { DamageError } from '../../engine/errors.js'
import { copyEnvironment } from '../../engine/log/lmdb-copy.js'
import { checkLmdbStructure } from '../../engine/log/lmdb-structure.js'
import { INSTALLATION, keyFrom } from './vault-entry.js'

/** For its owner alone. */
export const VAULT_MODE = 0o600

export const vaultFile = (dataDir: string): string => join(dataDir, 'vault.mdb')

export const missingVault = (dataDir: string): string =>
  `${vaultFile(dataDir)} is missing, and without it nobody can read the personal data of this directory; restore it, or the data directory, from a backup`

/** Throws DamageError where LMDB, which trusts its file, would not be safe with it. */
export function checkVaultStructure(file: string): void {
  const [fault] = checkLmdbStructure(file).faults
  if (!fault) return
  throw new DamageError(
    `${file} is damaged at page ${fault.page}: ${fault.what}; restore it, or the data directory, from a backup`,
  )
}

/** What is wrong with the vault of a data directory that nobody has open, in sentences; reads every key. */
export async function vaultFaults(dataDir: string): Promise<string[]> {
  const file = vaultFile(dataDir)
  if (!existsSync(file)) return [missingVault(dataDir)]
  try {
    checkVaultStructure(file)
    const db = open<Buffer, string>({ path: file, noSubdir: true, encoding: 'binary', readOnly: true })
    try {
      keyFrom(file, INSTALLATION, db.get(INSTALLATION))
      for (const { key, value } of db.getRange()) keyFrom(file, key, value)
    } finally {
      await db.close()
    }
    return []
  } catch (error) {
    if (error instanceof DamageError) return [error.message]
    throw error
  }
}

/** Copies the vault of a data directory, also of one that a server has open, into another; on disk once it resolves. */
export async function copyVault(from: string, to: string): Promise<void> {
  if (!existsSync(vaultFile(from))) throw new DamageError(missingVault(from))
  // Nobody else can look into it before its mode is set.
  const closed = mkdtempSync(join(to, 'vault-'))
  try {
    const copy = join(closed, 'copy')
    await copyEnvironment(vaultFile(from), copy)
    chmodSync(copy, VAULT_MODE)
    syncToDisk(copy)
    renameSync(copy, vaultFile(to))
    syncToDisk(to)
  } finally {
    rmSync(closed, { recursive: true, force: true })
  }
}
