/** Documents of the store as msgpack: what is asked for seldom, or is of no fixed size. */
import { Packr } from 'msgpackr'
import type { Store } from '../engine/store.js'

// Plain maps in the order of their keys as written: the same value is always the same bytes, which digests rely on.
const packr = new Packr({ useRecords: false })

export function readDocument<T>(store: Store, key: string): T | undefined {
  const bytes = store.get(key)
  // The key's own writer is the only one of its documents, so their shape is known.
  return bytes === undefined ? undefined : (packr.unpack(bytes) as T)
}

export function writeDocument(store: Store, key: string, value: unknown): void {
  store.put(key, packr.pack(value).slice())
}
