/** `doorbuster replay`: real order history as load, and an audit of what was promised. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Presets, SingleBar } from 'cli-progress'
import { DoorbusterError } from '../../engine/errors.js'
import { DoorbusterClient, FrameSocket } from '../client/index.js'
import type { History } from './history.js'
import { readHistoryFile } from './history-file.js'
import { readInventories } from './inventory-view.js'
import { OwnServer } from './own-server.js'
import { withPlainErrors } from './plain-error.js'
import { audit } from './replay-audit.js'
import { ReplayLoad } from './replay-load.js'
import { setStage } from './replay-seed.js'
import { formatSummary, type ReplaySummary, summarize } from './replay-summary.js'

export interface ReplayOptions {
  /** CSV in the Online Retail layout, gzipped where the name ends in `.gz`. */
  readonly file: string
  /** A running server; none: one of its own for the time of the replay. */
  readonly url?: string | undefined
  /** The directory of its own server, kept afterwards; none: a temporary one. */
  readonly dataDir?: string | undefined
  /** An API key for `url`. */
  readonly token?: string | undefined
  /** `max`, or how many times as fast as it happened. */
  readonly speed: number | 'max'
  /** Stock as a share of each SKU's total demand. */
  readonly stockFactor: number
  /** One JSON object on standard output instead of a page. */
  readonly json: boolean
}

const EXIT_OVERSOLD = 1
const EXIT_INTERRUPTED = 130

/** For commands that set the stage: a server busy with other things may take its time. */
const DEADLINE_MS = 60_000

/** Resolves with the exit code: 0 where nothing was oversold, 1 otherwise. Rejects with what a person should read. */
export function replayFile(options: ReplayOptions): Promise<number> {
  return withPlainErrors(() => replayAndTell(options))
}

/** One replay under way: what stops it early, and what is to be undone at its end, last first. */
interface Run {
  readonly signal: AbortSignal
  readonly cleanUp: (() => unknown)[]
}

async function replayAndTell(options: ReplayOptions): Promise<number> {
  const interruption = new AbortController()
  const { signal } = interruption
  const run: Run = { signal, cleanUp: [] }
  const interrupt = () => interruption.abort()
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  try {
    const interrupted = once(signal, 'abort').then(() => undefined)
    const summary = await Promise.race([replay(options, run), interrupted])
    if (!summary) return EXIT_INTERRUPTED
    process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : formatSummary(summary))
    return summary.oversold === 0 ? 0 : EXIT_OVERSOLD
  } finally {
    // Whatever is still starting or reading ends here too.
    interruption.abort()
    for (const step of run.cleanUp.reverse()) await step()
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

async function replay(options: ReplayOptions, run: Run): Promise<ReplaySummary> {
  const reading = readHistoryFile(options.file, run.signal)
  const [{ client, socket }, history] = await Promise.all([connect(options, run), reading])
  if (history.sales === 0) throw new DoorbusterError('bad_file', `${options.file} has no sale of goods in it`)

  const { skuIndices, before, articlesKnownBefore } = await setStage(history, options.stockFactor, client, socket)
  const idPrefix = runPrefix(options)
  const { bar, onProgress } = progress(options, history)
  run.cleanUp.push(() => bar?.stop())
  const load = await new ReplayLoad({ history, skuIndices, idPrefix, speed: options.speed, onProgress }, socket).run()
  bar?.stop()

  const after = await readInventories(
    client,
    history.articles.map(({ sku }) => sku),
  )
  return summarize(history, load, audit(history, load, before, after), articlesKnownBefore)
}

/** A client for the stage and the audit, a bare socket for the load. */
async function connect(options: ReplayOptions, run: Run) {
  const url = options.url ?? (await startServer(options, run))
  const { token } = options
  const client = await DoorbusterClient.connect(url, { token, deadlineMs: DEADLINE_MS })
  run.cleanUp.push(() => client.close())
  const socket = await FrameSocket.connect(url, { token })
  run.cleanUp.push(() => socket.terminate())
  return { client, socket }
}

async function startServer(options: ReplayOptions, { signal, cleanUp }: Run): Promise<string> {
  const starting = OwnServer.start(options.dataDir, signal)
  // Before it has started, too: an interruption must not leave it behind.
  cleanUp.push(() => starting.then((server) => server.stop()).catch(() => {}))
  return (await starting).url
}

/**
 * The part of the reservations' ids (UUID version 8, RFC 9562) that tells this run from others; each line's number is the
 * rest. A fresh server needs no telling apart, so that its run is the same each time.
 */
function runPrefix(options: ReplayOptions): Uint8Array {
  const isFresh = options.url === undefined && options.dataDir === undefined
  const prefix = isFresh ? Buffer.alloc(16, 'doorbuster replay') : randomBytes(16)
  prefix.writeUInt8(0x80 | ((prefix[6] ?? 0) & 0x0f), 6)
  prefix.writeUInt8(0x80 | ((prefix[8] ?? 0) & 0x3f), 8)
  return prefix
}

function progress(options: ReplayOptions, history: History) {
  if (options.json) return { bar: undefined, onProgress: () => {} }
  const bar = new SingleBar(
    {
      format: '  replaying  {bar}  {percentage}%  {value} of {total} lines  {duration_formatted}',
      hideCursor: true,
      stream: process.stderr,
    },
    Presets.shades_grey,
  )
  bar.start(history.length, 0)
  return { bar, onProgress: (lines: number) => bar.update(lines) }
}
