/** Documents of the store as msgpack: what is asked for seldom, or is of no fixed size. */
import { Packr } from 'msgpackr'
import type { Store } from '../engine/store.js'

// Plain maps in the order of their keys as written: the same value is always the same bytes, which digests rely on.
// Bytes are copied, so that a few of them do not keep the whole document they came in.
const packr = new Packr({ useRecords: false, copyBuffers: true })

export function readDocument<T>(store: Store, key: string): T | undefined {
  const bytes = store.get(key)
  // The key's own writer is the only one of its documents, so their shape is known.
  return bytes === undefined ? undefined : (packr.unpack(bytes) as T)
}

/**
 * Ids of adjustments and supply are looked up in their SKU's partition. Where partitions that were put together had used
 * an id for a SKU each, the second keeps its document under the id and its SKU.
 */
const SKU_MARK = '\u0001'

/** The document of an id that this SKU used, or else the one that another SKU used. */
export function readDocumentOfSku<T extends { sku: number }>(store: Store, key: string, sku: number): T | undefined {
  const first = readDocument<T>(store, key)
  if (first === undefined || first.sku === sku) return first
  return readDocument<T>(store, `${key}${SKU_MARK}${sku}`) ?? first
}

/** Puts a document that belongs to a SKU into a store in which its id may be used already. */
export function adoptDocumentOfSku(store: Store, key: string, sku: number, bytes: Uint8Array): void {
  const plain = keyWithoutSku(key)
  store.put(store.get(plain) === undefined ? plain : `${plain}${SKU_MARK}${sku}`, bytes)
}

export const keyWithoutSku = (key: string): string => key.split(SKU_MARK, 1)[0]!

export const encodeDocument = (value: unknown): Uint8Array => packr.pack(value).slice()
export const decodeDocument = <T>(bytes: Uint8Array): T => packr.unpack(bytes) as T

export function writeDocument(store: Store, key: string, value: unknown): void {
  store.put(key, encodeDocument(value))
}
