/** What each item of a checkpoint changes in the store: the one place that knows, for whoever holds the transaction. */
import type { CheckpointItem } from './checkpoint-ring.js'
import { INDEX_ENTRY_BYTES } from './limits.js'
import { INDEX_VALUE, packValue, pageKey, type StoreDatabase, type Watermark } from './store-format.js'

/** Writes one item and counts it in the watermark. Returns the bytes that it takes on the disk, about. */
export function writeItem(db: StoreDatabase, item: CheckpointItem, watermark: Watermark): number {
  switch (item.kind) {
    case 'page': {
      const key = pageKey(item.arena, item.page)
      if (!db.doesExist(key)) watermark.pages++
      db.putSync(key, packValue(key, item.content))
      return item.content.length
    }
    case 'document':
      if (!db.doesExist(item.key)) watermark.documents++
      db.putSync(item.key, packValue(item.key, item.content))
      return item.content.length
    case 'deletion':
      if (db.removeSync(item.key)) watermark.documents--
      return 0
    case 'indexEntry':
      db.putSync(item.key, INDEX_VALUE)
      return INDEX_ENTRY_BYTES
    case 'indexDeletion':
      db.removeSync(item.key)
      return INDEX_ENTRY_BYTES
    default:
      throw new Error(`a checkpoint cannot hold ${item.kind}`)
  }
}
