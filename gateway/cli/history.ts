/** A whole history in columns, put together from its pieces in their order. */
import { type Article, type BadLine, type HistoryPiece, LineKind } from './online-retail.js'

export interface History {
  /** Lines of the file without its header. */
  readonly lines: number
  /** How many of them move stock: the length of the columns. */
  readonly length: number
  readonly sales: number
  readonly kinds: Uint8Array
  /** Indices into `articles`. */
  readonly skus: Uint32Array
  readonly quantities: Uint32Array
  readonly atMs: Float64Array
  /** 0: none. */
  readonly customers: Float64Array
  /** In the file, from 1. */
  readonly lineNumbers: Uint32Array
  readonly articles: readonly Article[]
  /** Units sold of each article. */
  readonly demand: Float64Array
  readonly charges: ReadonlyMap<string, number>
  readonly badLines: ReadonlyMap<string, number>
  readonly badExamples: readonly BadLine[]
  readonly writeOffs: number
}

const BAD_LINES_SHOWN = 10

export function joinPieces(pieces: readonly HistoryPiece[]): History {
  const length = pieces.reduce((sum, piece) => sum + piece.kinds.length, 0)
  const kinds = new Uint8Array(length)
  const skus = new Uint32Array(length)
  const quantities = new Uint32Array(length)
  const atMs = new Float64Array(length)
  const customers = new Float64Array(length)
  const lineNumbers = new Uint32Array(length)
  const articles: Article[] = []
  const indices = new Map<string, number>()
  const charges = new Map<string, number>()
  const badLines = new Map<string, number>()
  const badExamples: BadLine[] = []
  let lines = 0
  let lineBreaks = 0
  let writeOffs = 0
  let at = 0

  for (const piece of pieces) {
    const global = Uint32Array.from(piece.articles, (article) => joinArticle(article, articles, indices))
    kinds.set(piece.kinds, at)
    quantities.set(piece.quantities, at)
    atMs.set(piece.atMs, at)
    customers.set(piece.customers, at)
    for (let i = 0; i < piece.skus.length; i++) {
      skus[at + i] = global[piece.skus[i] ?? 0] ?? 0
      lineNumbers[at + i] = lineBreaks + (piece.lineNumbers[i] ?? 0)
    }
    for (const bad of piece.badExamples) {
      if (badExamples.length < BAD_LINES_SHOWN) badExamples.push({ ...bad, line: lineBreaks + bad.line })
    }
    addCounts(charges, piece.charges)
    addCounts(badLines, piece.badLines)
    lines += piece.lines
    lineBreaks += piece.lineBreaks
    writeOffs += piece.writeOffs
    at += piece.kinds.length
  }

  const demand = new Float64Array(articles.length)
  let sales = 0
  for (let i = 0; i < length; i++) {
    if (kinds[i] !== LineKind.sale) continue
    sales++
    const sku = skus[i] ?? 0
    demand[sku] = (demand[sku] ?? 0) + (quantities[i] ?? 0)
  }
  const columns = { kinds, skus, quantities, atMs, customers, lineNumbers }
  return { lines, length, sales, ...columns, articles, demand, charges, badLines, badExamples, writeOffs }
}

function joinArticle(article: Article, articles: Article[], indices: Map<string, number>): number {
  const known = indices.get(article.sku)
  if (known === undefined) {
    indices.set(article.sku, articles.length)
    return articles.push({ ...article }) - 1
  }
  const first = articles[known]
  if (first?.name === '') Object.assign(first, { name: article.name, price: article.price })
  return known
}

function addCounts(into: Map<string, number>, from: ReadonlyMap<string, number>): void {
  for (const [name, count] of from) into.set(name, (into.get(name) ?? 0) + count)
}
