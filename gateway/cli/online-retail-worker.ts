/** What a thread of the parsers' pool does: one piece of text in, its columns out, both handed over without a copy. */
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { type Layout, parsePiece } from './online-retail.js'

export interface PieceTask {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly layout: Layout
  readonly isFirst: boolean
}

/** Gives the pool a `HistoryPiece` in its wrapping; callers of the pool get the piece itself. */
export default function parseTask({ bytes, layout, isFirst }: PieceTask): unknown {
  const piece = parsePiece(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), layout, isFirst)
  const columns = [piece.kinds, piece.skus, piece.quantities, piece.atMs, piece.customers, piece.lineNumbers]
  return move({ [transferableSymbol]: columns.map((column) => column.buffer), [valueSymbol]: piece })
}
