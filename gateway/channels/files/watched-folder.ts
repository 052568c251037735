/**
 * A folder that files of orders are put into: each is taken once it is complete (its size stands still, or it was renamed
 * into place), imported, and moved to `done/` or `failed/` with a report beside it. A file is moved last of all, so one
 * that a crash cut off is still there and is taken again; what was placed of it is placed once all the same.
 */

import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, realpath, rename, writeFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { Readable } from 'node:stream'
import { type FSWatcher, watch as watchFolder } from 'chokidar'
import PQueue from 'p-queue'
import type { Logger } from 'pino'
import type { FileReport } from './file-report.js'
import type { ImportOptions } from './order-batch.js'
import { formatOfName, importOrderFile, UnreadableFile } from './order-file.js'
import { reportCsv, reportJson } from './report.js'

/** Some hundred thousand lines; the numbers of its orders are in memory while it is read. */
const FILE_BYTES_MAX = 64 * 1024 * 1024
/** Bad lines of one report: more help nobody. */
const BAD_LINES_MAX = 10_000
const POLL_MS = 100
/** After a try that the server had no room for, or that failed. */
const RETRY_MS = 5_000
/** Names of one kind in `done/`: after so many the folder should be cleared. */
const SAME_NAMES_MAX = 100_000

export interface WatchedFolderOptions extends Omit<ImportOptions, 'badLinesMax'> {
  folder: string
  logger: Pick<Logger, 'info' | 'warn' | 'error'>
  /** A file whose size has not changed for so long is complete. */
  stableMs?: number
  /** Told of each file that was moved. */
  onMoved?: (name: string, to: 'done' | 'failed') => void
}

/** The file has changed while it was read, or is no file: why it is not imported. */
class Unfit extends Error {}

export class WatchedFolder {
  private readonly queue = new PQueue({ concurrency: 1 })
  private readonly retries = new Set<NodeJS.Timeout>()
  private isStopped = false

  private constructor(
    private readonly options: WatchedFolderOptions,
    private readonly folder: string,
    private readonly watcher: FSWatcher,
  ) {
    watcher.on('add', (path) => this.take(basename(path)))
    // Also one that was corrected in place after a try that failed.
    watcher.on('change', (path) => this.take(basename(path)))
    watcher.on('error', (error) => options.logger.error({ err: error, folder }, 'a folder of orders cannot be watched'))
  }

  /** Takes what is there already and what comes. Rejects where the folder or its `done` and `failed` cannot be used. */
  static async start(options: WatchedFolderOptions): Promise<WatchedFolder> {
    const folder = await realpath(options.folder)
    for (const name of ['done', 'failed']) {
      const path = join(folder, name)
      await mkdir(path, { recursive: true })
      // A link here would carry customers' files out of the folder.
      if (!(await lstat(path)).isDirectory()) throw new Error(`${path} is not a folder; remove it`)
    }
    const watcher = watchFolder(folder, {
      depth: 0,
      followSymlinks: false,
      // A new file under the name of one that has just been moved is a file to take, not a change of that one.
      atomic: false,
      awaitWriteFinish: { stabilityThreshold: options.stableMs ?? 2_000, pollInterval: POLL_MS },
      ignored: (path) => path !== folder && !isWanted(basename(path)),
    })
    const watched = new WatchedFolder(options, folder, watcher)
    await new Promise<void>((ready) => watcher.once('ready', ready))
    return watched
  }

  /** Takes nothing more, and resolves when what was begun is over. */
  async stop(): Promise<void> {
    this.isStopped = true
    for (const timer of this.retries) clearTimeout(timer)
    await this.watcher.close()
    this.queue.clear()
    await this.queue.onIdle()
  }

  private take(name: string): void {
    if (this.isStopped) return
    void this.queue.add(() => this.takeOne(name))
  }

  private async takeOne(name: string): Promise<void> {
    const { logger, connection } = this.options
    try {
      const { report, isGood } = await this.importOne(name)
      await this.move(name, isGood ? 'done' : 'failed', report)
      logger.info({ connection, name, imported: report.imported, bad: report.bad }, 'a file of orders was taken')
    } catch (error) {
      if (isGone(error)) return
      if (error instanceof UnreadableFile || error instanceof Unfit) {
        logger.warn({ connection, name, reason: error.message }, 'a file of orders was refused')
        await this.move(name, 'failed', refusal(name, error.message)).catch((failure) => this.tryAgain(name, failure))
      } else this.tryAgain(name, error)
    }
  }

  private tryAgain(name: string, error: unknown): void {
    if (this.isStopped || isGone(error)) return
    this.options.logger.error({ err: error, name }, 'a file of orders could not be taken; it is tried again')
    const timer = setTimeout(() => {
      this.retries.delete(timer)
      this.take(name)
    }, RETRY_MS)
    timer.unref()
    this.retries.add(timer)
  }

  private async importOne(name: string): Promise<{ report: FileReport; isGood: boolean }> {
    const handle = await openRegular(join(this.folder, name))
    try {
      const before = await handle.stat()
      if (before.size > FILE_BYTES_MAX) {
        throw new Unfit(`a file is at most ${FILE_BYTES_MAX} bytes, not ${before.size}; put it in several`)
      }
      const report = await importOrderFile(
        // A name that is watched has one of these formats.
        { name, format: formatOfName(name)!, open: () => textOf(handle, before.size) },
        { ...this.options, badLinesMax: BAD_LINES_MAX },
      )
      const after = await handle.stat()
      if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
        throw new Error('it was written to while it was read')
      }
      return { report, isGood: report.imported + report.repeated > 0 }
    } finally {
      await handle.close()
    }
  }

  /** The report first: once the file is in its place, all is said. */
  private async move(name: string, to: 'done' | 'failed', report: FileReport): Promise<void> {
    const path = await this.freeName(to, name)
    await writeWhole(`${path}.report.json`, reportJson(report))
    await writeWhole(`${path}.report.csv`, reportCsv(report))
    await rename(join(this.folder, name), path)
    this.options.onMoved?.(name, to)
  }

  private async freeName(to: string, name: string): Promise<string> {
    const extension = extname(name)
    for (let number = 1; number <= SAME_NAMES_MAX; number++) {
      const other = number === 1 ? name : `${name.slice(0, -extension.length)}.${number}${extension}`
      const path = join(this.folder, to, other)
      if (!(await isThere(path))) return path
    }
    throw new Error(`${to}/ has ${SAME_NAMES_MAX} files named ${name}; clear it`)
  }
}

/** Names that begin with a dot are being written by others. */
const isWanted = (name: string): boolean => !name.startsWith('.') && formatOfName(name) !== undefined

/** Opens a file itself, never what a link stands for, nor a pipe that nobody writes to. */
async function openRegular(path: string): Promise<FileHandle> {
  let handle: FileHandle
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (codeOf(error) === 'ELOOP') throw new Unfit('it is a symbolic link; put the file itself here')
    throw error
  }
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw new Unfit('it is not a file')
}

/** The file from its beginning, as far as it went when it was opened; bytes that are no text end it. */
function textOf(handle: FileHandle, size: number): Readable {
  if (size === 0) return Readable.from([])
  const bytes = handle.createReadStream({ start: 0, end: size - 1, autoClose: false })
  return Readable.from(checked(bytes))
}

async function* checked(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const chunk of bytes) {
      decoder.decode(chunk, { stream: true })
      yield chunk
    }
    decoder.decode()
  } catch (error) {
    if (codeOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw new Error('it is not UTF-8; save it as that')
    throw error
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text)
  await rename(`${path}.tmp`, path)
}

const isThere = async (path: string): Promise<boolean> => {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isGone(error)) return false
    throw error
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)
const isGone = (error: unknown): boolean => codeOf(error) === 'ENOENT'

function refusal(name: string, reason: string): FileReport {
  const badLines = [{ line: 0, reason }]
  return {
    name,
    lines: 0,
    orders: 0,
    imported: 0,
    repeated: 0,
    bad: 1,
    badLines,
    badLinesLeftOut: 0,
    ignoredColumns: [],
  }
}
