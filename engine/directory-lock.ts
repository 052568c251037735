/**
 * The lock of a data directory: one process at a time, and a dead one's lock is nobody's. The lock file says who; on
 * Linux a name in the kernel's abstract socket space, which goes with the process, settles it where two start at once.
 */
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { DoorbusterError, systemReason } from './errors.js'

export const LOCK_FILE = 'lock'

interface Holder {
  pid: number
  /** Tells one life of a process number from another. */
  start: string
  boot: string
}

/** Linux's start time of a process, in ticks since the boot; empty where it cannot be known. */
function processStart(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

function isAlive({ pid, start, boot }: Holder): boolean {
  if (boot !== bootId()) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return processStart(pid) === start
}

function readHolder(lock: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as Holder
  } catch {
    return undefined
  }
}

const inUse = (directory: string, by: string): DoorbusterError =>
  new DoorbusterError('locked', `${directory} is in use by ${by}; stop that first, or choose another --data-dir`)

/** Claims a name that the kernel gives to one process at a time; resolves with how to give it back. */
function claimName(name: string, directory: string): Promise<() => void> {
  const server: Server = createServer((socket) => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? inUse(directory, 'another process') : error)
    })
    server.listen(`\0${name}`, () => {
      server.unref()
      resolve(() => server.close())
    })
  })
}

/**
 * Takes the directory for this process; resolves with how to give it back. A lock whose process is gone (killed, or the
 * machine restarted) is taken over. Rejects with `locked` where another process has it open.
 */
export async function lockDataDirectory(directory: string): Promise<() => void> {
  const lock = join(directory, LOCK_FILE)
  const own = join(directory, `${LOCK_FILE}.${process.pid}`)
  const { dev, ino } = statSync(directory)
  const self: Holder = { pid: process.pid, start: processStart(process.pid), boot: bootId() }
  try {
    writeFileSync(own, JSON.stringify(self))
  } catch (error) {
    throw new DoorbusterError(
      'data_directory_unusable',
      `the data directory ${directory} cannot be written (${systemReason(error)}); choose another --data-dir or mend its permissions`,
      { cause: error },
    )
  }
  try {
    const holder = readHolder(lock)
    if (holder && isAlive(holder)) throw inUse(directory, `process ${holder.pid}`)
    const release =
      process.platform === 'linux' ? await claimName(`doorbuster-${dev}-${ino}`, directory) : (): void => {}
    rmSync(lock, { force: true })
    // A link is made whole or not at all, and never over what is there.
    linkSync(own, lock)
    return () => {
      rmSync(lock, { force: true })
      release()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw inUse(directory, 'another process')
    throw error
  } finally {
    rmSync(own, { force: true })
  }
}
