/**
 * What a partition's store holds: its last checkpoint, in one LMDB environment.
 *
 *   key                               value
 *   'p' · u8 arena · u32 page (BE)    u32 CRC32C of key and content · u32 0 · the page's bytes
 *   'd' · document key (UTF-8)        u32 CRC32C of key and content · u32 0 · the document's bytes
 *   'i' · index name · 0 · entry      nothing: an entry of a secondary index is its key (UTF-8)
 *   'w'                               u32 CRC32C of key and content · u32 0 · the watermark, msgpack
 *
 * All of them change in one transaction: a store is always the state at one sequence of the log.
 */
import { crc32c } from '@node-rs/crc32'
import { open, type RootDatabase } from 'lmdb'
import { pack, unpack } from 'msgpackr'
import { assert } from './assert.js'
import { DamageError } from './errors.js'
import { KEY_BYTES_MAX, STORE_MAP_BYTES } from './limits.js'
import type { LogPosition } from './log/log.js'

export const VALUE_HEADER_BYTES = 8
const PAGE_TAG = 0x70
const DOCUMENT_TAG = 0x64
export const WATERMARK_KEY = Buffer.from('w')

/** The state's place in the log, and how much the store holds: what is gone without a trace is found by counting. */
export interface Watermark {
  /** Whose store it is (data-directory.ts). */
  owner: number
  position: LogPosition
  timeMs: number
  pages: number
  documents: number
}

export type StoreDatabase = RootDatabase<Buffer, Buffer>

export function openStore(file: string, readOnly: boolean): StoreDatabase {
  return open<Buffer, Buffer>({
    path: file,
    noSubdir: true,
    overlappingSync: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    mapSize: STORE_MAP_BYTES,
    noMemInit: true,
    readOnly,
  })
}

export function pageKey(arena: number, page: number): Buffer {
  const key = Buffer.allocUnsafe(6)
  key[0] = PAGE_TAG
  key[1] = arena
  key.writeUInt32BE(page, 2)
  return key
}

export const documentKey = (key: string): Buffer => Buffer.from(`d${key}`)

/** An entry of an index is its key. */
export const INDEX_VALUE = Buffer.alloc(0)

/** Where the entries of all indexes lie: from `start` up to, and without, `end`. */
export const INDEXES = { start: Buffer.from('i'), end: Buffer.from('j') }

export const indexKeyText = (index: string, entry: string): string => `i${index}\u0000${entry}`
export const indexKey = (index: string, entry: string): Buffer => Buffer.from(indexKeyText(index, entry))

/** Behind every entry of an index, and before all of the next one. */
export const indexEnd = (index: string): Buffer => Buffer.from(`i${index}\u0001`)

export function assertIndexName(index: string): void {
  assert(index !== '' && !index.includes('\u0000'), 'an index has a name, without the byte that ends it')
}

export function assertIndexEntry(index: string, entry: string): void {
  // Three bytes are the most that a unit of a string takes, so a short one need not be measured.
  const fits = 3 * (index.length + entry.length) <= KEY_BYTES_MAX - 2 || indexKey(index, entry).length <= KEY_BYTES_MAX
  assert(entry !== '' && fits, 'an index entry is a text that fits into a key')
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff

/** Compares texts as LMDB compares their keys, by their bytes in UTF-8: characters of two units come last. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const unitA = a.charCodeAt(i)
    const unitB = b.charCodeAt(i)
    if (unitA === unitB) continue
    const surrogate = isSurrogate(unitA)
    return surrogate === isSurrogate(unitB) ? unitA - unitB : surrogate ? 1 : -1
  }
  return a.length - b.length
}

export type StoreKey = { kind: 'page'; arena: number; page: number } | { kind: 'document'; key: string }

/** Reads the key of a page or a document; undefined for others. */
export function parseKey(key: Buffer): StoreKey | undefined {
  if (key[0] === PAGE_TAG && key.length === 6) return { kind: 'page', arena: key[1]!, page: key.readUInt32BE(2) }
  if (key[0] === DOCUMENT_TAG) return { kind: 'document', key: key.toString('utf8', 1) }
  return undefined
}

/** Writes the checksum into a value whose content begins at VALUE_HEADER_BYTES. */
export function sealValue(key: Buffer, value: Buffer): Buffer {
  value.writeUInt32LE(0, 4)
  value.writeUInt32LE(crc32c(value.subarray(VALUE_HEADER_BYTES), crc32c(key)), 0)
  return value
}

/** A value's content, checked. Throws DamageError that names `what`. */
export function openValue(key: Buffer, value: Buffer, what: string): Buffer {
  const content = value.subarray(VALUE_HEADER_BYTES)
  if (value.length < VALUE_HEADER_BYTES || crc32c(content, crc32c(key)) !== value.readUInt32LE(0)) {
    throw new DamageError(`${what} fails its checksum; restore this data directory from a backup`)
  }
  return content
}

export function packValue(key: Buffer, content: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(VALUE_HEADER_BYTES + content.length)
  value.set(content, VALUE_HEADER_BYTES)
  return sealValue(key, value)
}

export function writeWatermark(db: StoreDatabase, watermark: Watermark): void {
  db.putSync(WATERMARK_KEY, packValue(WATERMARK_KEY, pack(watermark)))
}

export function readWatermark(db: StoreDatabase, partition: number): Watermark | undefined {
  const value = db.getBinary(WATERMARK_KEY)
  if (value === undefined) return undefined
  return unpack(openValue(WATERMARK_KEY, value, `partition ${partition}: the store's watermark`)) as Watermark
}
