/** The lock of a data directory: one process at a time, and a dead one's lock is nobody's. */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DoorbusterError, systemReason } from './errors.js'

export const LOCK_FILE = 'lock'

/** Tells one life of a process from another with the same number: Linux's start time, in ticks since the boot. */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Takes the directory for this process; returns how to give it back. A lock whose process is gone (killed, or the machine
 * restarted) is taken over. Throws `locked` where another process has it open.
 */
export function lockDataDirectory(directory: string): () => void {
  const lock = join(directory, LOCK_FILE)
  const own = join(directory, `${LOCK_FILE}.${process.pid}`)
  const content = JSON.stringify({ pid: process.pid, start: processStart(process.pid) ?? '', boot: bootId() })
  try {
    writeFileSync(own, content)
  } catch (error) {
    throw new DoorbusterError(
      'data_directory_unusable',
      `the data directory ${directory} cannot be written (${systemReason(error)}); choose another --data-dir or mend its permissions`,
      { cause: error },
    )
  }
  try {
    for (let tries = 0; tries < 10; tries++) {
      try {
        // A link is made whole or not at all, and never over what is there.
        linkSync(own, lock)
        return () => rmSync(lock, { force: true })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = readHolder(lock)
      if (
        holder &&
        holder.boot === bootId() &&
        isAlive(holder.pid) &&
        processStart(holder.pid) === (holder.start || undefined)
      ) {
        throw new DoorbusterError(
          'locked',
          `${directory} is in use by process ${holder.pid}; stop that server first, or choose another --data-dir`,
        )
      }
      rmSync(lock, { force: true })
    }
    throw new DoorbusterError('locked', `${directory} is being opened by several processes at once; start one`)
  } finally {
    rmSync(own, { force: true })
  }
}

function readHolder(lock: string): { pid: number; start: string; boot: string } | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as { pid: number; start: string; boot: string }
  } catch {
    return undefined
  }
}
