/** Copies of LMDB files, also of files that another thread writes meanwhile: LMDB copies the state of one instant. */
import { open } from 'lmdb'

const openRaw = (file: string, readOnly: boolean) =>
  open<Buffer, Buffer>({
    path: file,
    noSubdir: true,
    overlappingSync: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    readOnly,
  })

export async function copyEnvironment(from: string, to: string): Promise<void> {
  const db = openRaw(from, true)
  try {
    await db.backup(to, false)
  } finally {
    await db.close()
  }
}

/** Drops the records of a log behind a sequence. */
export async function dropBehind(file: string, sequence: number): Promise<void> {
  const db = openRaw(file, false)
  try {
    const start = Buffer.alloc(8)
    start.writeBigUInt64BE(BigInt(sequence + 1))
    const keys = [...db.getKeys({ start })]
    db.transactionSync(() => {
      for (const key of keys) db.removeSync(key)
    })
  } finally {
    await db.close()
  }
}
