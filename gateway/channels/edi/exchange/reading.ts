/** Reads partners' files in a thread of their own, so that whoever reserves meanwhile does not wait for a day's orders. */
import { Piscina } from 'piscina'
import { UnreadablePayload } from '../../channel.js'
import type { Stamp } from '../documents.js'
import type { FileRead, FileToRead } from './read-file.js'

const IDLE_MS = 30_000
/** Files that wait for the thread: each has at most 1 MiB. */
const FILES_WAITING_MAX = 64

const pool = new Piscina<FileToRead, FileRead>({
  filename: new URL('./read-file.js', import.meta.url).href,
  minThreads: 0,
  maxThreads: 1,
  idleTimeout: IDLE_MS,
  maxQueue: FILES_WAITING_MAX,
})

export type ReadFile = Extract<FileRead, { file: unknown }>

/** Rejects with UnreadablePayload, or with an Error where too many wait: then it is to be tried again. */
export async function readEdi(
  body: Uint8Array,
  settings: Readonly<Record<string, unknown>>,
  stamp: Stamp,
): Promise<ReadFile> {
  const read = await pool.run({ text: decoded(body), settings, stamp })
  if ('file' in read) return read
  throw new UnreadablePayload(read.message, read.errors)
}

/** Character sets by EDIFACT's syntax level (ISO 9735, annex A; UNOD to UNOK are parts of ISO 8859). */
const LEVELS = new Map([
  ['UNOD', 'iso-8859-2'],
  ['UNOE', 'iso-8859-5'],
  ['UNOF', 'iso-8859-7'],
  ['UNOG', 'iso-8859-3'],
  ['UNOH', 'iso-8859-4'],
  ['UNOI', 'iso-8859-6'],
  ['UNOJ', 'iso-8859-8'],
  ['UNOK', 'windows-1254'],
  ['UNOW', 'utf-8'],
  ['UNOY', 'utf-8'],
])
const HEAD_BYTES = 200

/** EDIFACT names its character set; X12 does not: UTF-8 where it is that, else Latin-1. */
export function decoded(body: Uint8Array): string {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const level = /UNB[^A-Za-z0-9](UNO[A-Z])/.exec(bytes.subarray(0, HEAD_BYTES).toString('latin1'))?.[1]
  if (level !== undefined) {
    const set = LEVELS.get(level)
    return set === undefined ? bytes.toString('latin1') : new TextDecoder(set).decode(bytes)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}
