/** Damage to a data directory: a change of a copy of it, with a name. */
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'

export interface Damage {
  readonly name: string
  /** The one partition that it concerns; none: the whole directory. */
  readonly partition?: number
  /** Damages the copy in `directory`. */
  apply(directory: string): Promise<void> | void
}

export const file = (partition: number, name: 'log' | 'store'): string =>
  join('generation-1', String(partition), `${name}.mdb`)
export const description = 'doorbuster.json'

/** A copy of a data directory, without the locks of those who had it open. */
export function copyDirectory(from: string, to: string): void {
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /^lock/.test(entry.name)) continue
    const target = join(to, entry.parentPath.slice(from.length), entry.name)
    mkdirSync(join(target, '..'), { recursive: true })
    copyFileSync(join(entry.parentPath, entry.name), target)
  }
}

export type Environment = RootDatabase<Buffer, Buffer>

/** Changes an LMDB file by LMDB itself, so that only what it holds is wrong. */
export async function edit(path: string, change: (db: Environment, keys: Buffer[]) => void): Promise<void> {
  const db = open<Buffer, Buffer>({
    path,
    noSubdir: true,
    overlappingSync: false,
    encoding: 'binary',
    keyEncoding: 'binary',
  })
  try {
    const keys = [...db.getKeys({})].map((key) => Buffer.from(key))
    db.transactionSync(() => change(db, keys))
  } finally {
    await db.close()
  }
}

export const contentOf = (db: Environment, key: Buffer): Buffer => Buffer.from(db.getBinary(key)!)

export const change = (name: string, apply: (directory: string) => void): Damage => ({ name, apply })
