/**
 * Reads a history file, gzipped or not, with all cores: this thread decompresses (in the thread pool of Node) and cuts,
 * a pool of threads parses. Only a few pieces are on their way at a time.
 */
import { createReadStream } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createGunzip } from 'node:zlib'
import { Piscina } from 'piscina'
import { DoorbusterError } from '../../engine/errors.js'
import { type History, joinPieces } from './history.js'
import { type HistoryPiece, readHeader } from './online-retail.js'
import type { PieceTask } from './online-retail-worker.js'
import { RecordCutter } from './record-cutter.js'

/** Long enough that handing it over costs nothing, short enough that the threads finish together. */
const PIECE_BYTES = 1024 * 1024

/** More threads than this wait for the decompression. */
const THREADS_MAX = 4

/** Parses a piece; a test may do it in its own thread. */
export type ParsePiece = (task: PieceTask) => Promise<HistoryPiece>

/** Reads `path` with a pool of parsing threads, until `signal`. */
export async function readHistoryFile(path: string, signal: AbortSignal): Promise<History> {
  const threads = Math.min(availableParallelism(), THREADS_MAX)
  const pool = new Piscina<PieceTask, HistoryPiece>({
    filename: new URL('./online-retail-worker.js', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
  })
  const parse: ParsePiece = (task) => {
    signal.throwIfAborted()
    return pool.run(task, { transferList: [task.bytes.buffer], signal })
  }
  try {
    return await readHistory(path, parse, threads)
  } finally {
    await pool.destroy()
  }
}

export async function readHistory(path: string, parse: ParsePiece, threads = 1): Promise<History> {
  const cutter = new RecordCutter(PIECE_BYTES)
  const pieces: Promise<HistoryPiece>[] = []
  let layout: PieceTask['layout'] | undefined
  const add = async (cut: Buffer) => {
    const isFirst = layout === undefined
    layout ??= readHeader(cut)
    const piece = parse({ bytes: new Uint8Array(cut), layout, isFirst })
    // Awaited below; until then a failure must not count as unhandled.
    piece.catch(() => {})
    pieces.push(piece)
    await pieces[pieces.length - 1 - 2 * threads]
  }
  for await (const chunk of openText(path)) {
    const piece = cutter.push(chunk)
    if (piece) await add(piece)
  }
  const last = cutter.end()
  if (last) await add(last)
  if (!layout) throw new DoorbusterError('bad_file', `${path} is empty`)
  return joinPieces(await Promise.all(pieces))
}

/** The bytes of a file, decompressed where its name ends in `.gz`. */
function openText(path: string): AsyncIterable<Buffer> {
  const chunkSize = 1024 * 1024
  const file = createReadStream(path, { highWaterMark: chunkSize })
  if (!path.endsWith('.gz')) return file
  const gunzip = createGunzip({ chunkSize })
  file.on('error', (error) => gunzip.destroy(error))
  return file.pipe(gunzip)
}
