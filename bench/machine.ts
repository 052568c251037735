/** What a figure was measured on: without it a figure says nothing. */
import { statfsSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'

export function machine(): Record<string, string | number> {
  const cores = cpus()
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    kernel: release(),
  }
}

const TMPFS_MAGIC = 0x0102_1994

/** Flushing to a file system in memory costs nothing, so durable figures from there would flatter everyone. */
export function temporaryDirectoryIsMemory(): boolean {
  return statfsSync(tmpdir()).type === TMPFS_MAGIC
}
