/**
 * Walks one tree of an LMDB file: the main database, a named one or the free list. Each page says its own number, its
 * kind and a commit that is not later than its parent's; nodes fill the page without gap or overlap; keys ascend within
 * the bounds that the parent promises; a value's run of pages is as long as its node says; depth and counts are those of
 * the tree's record; no page is met twice. Any damage is reported, none is followed: work and memory are bounded by
 * the pages of the file, since a page is entered only when it is claimed for the first time.
 */
import * as lmdb from './lmdb-page.js'

/** What the walks of one file share. */
export interface Ground {
  readonly file: lmdb.PageFile
  readonly claims: PageClaims
  /** Of the commit that is checked. */
  readonly lastPage: number
  readonly txnId: number
  readonly fault: (page: number, what: string) => void
}

/** The pages that a tree uses or the free list names. */
export class PageClaims {
  private readonly bits: Uint8Array
  count = 0

  constructor(pages: number) {
    this.bits = new Uint8Array((pages >>> 3) + 1)
  }

  has(page: number): boolean {
    return (this.bits[page >>> 3]! & (1 << (page & 7))) !== 0
  }

  /** Claims pages within bounds, up to the first that is claimed already; returns that one. */
  claim(first: number, pages: number): number | undefined {
    for (let page = first; page < first + pages; page++) {
      if (this.has(page)) return page
      this.bits[page >>> 3]! |= 1 << (page & 7)
      this.count++
    }
    return undefined
  }
}

/** A named database, found in the main tree. */
export interface NamedTree {
  readonly name: string
  readonly tree: lmdb.Tree
  /** The leaf that holds its record. */
  readonly page: number
  readonly txnId: number
}

/** lmdb-js opens 12 unless told otherwise. */
const NAMED_MAX = 256
const FREE_WORDS_CHUNK = 8_192

export class TreeWalk {
  readonly named: NamedTree[] = []
  readonly integerKeys: boolean
  branchPages = 0
  leafPages = 0
  overflowPages = 0
  entries = 0
  /** Listed as free, by the free list's tree. */
  freePages = 0
  private readonly title: string
  /** The size of the node at each even offset of the page at hand; all zero in between. */
  private readonly nodeBytes: Uint16Array
  private readonly freeWords: Buffer
  /** The one size of all integer keys, once it is known. */
  private integerBytes: number

  constructor(
    private readonly ground: Ground,
    private readonly kind: 'main' | 'named' | 'free',
    name: string,
    private readonly tree: lmdb.Tree,
  ) {
    this.title = kind === 'named' ? `database ${JSON.stringify(name)}` : name
    this.integerKeys = (tree.flags & lmdb.TREE_INTEGER_KEYS) !== 0
    this.nodeBytes = new Uint16Array(ground.file.pageSize / 2)
    this.integerBytes = kind === 'free' ? 8 : 0
    this.freeWords = Buffer.allocUnsafe(kind === 'free' ? 8 * FREE_WORDS_CHUNK : 0)
  }

  /** `page` holds the tree's record and was written by commit `txnId`. */
  run(page: number, txnId: number): this {
    const { tree, title, ground } = this
    if (this.kind !== 'free' && ((tree.flags & ~lmdb.TREE_INTEGER_KEYS) !== 0 || tree.pad !== 0)) {
      ground.fault(page, `${title} has flags ${tree.flags} and pad ${tree.pad}, of a kind that is never made here`)
    }
    if (tree.depth > lmdb.DEPTH_MAX || (tree.depth === 0) !== (tree.root === null)) {
      ground.fault(page, `${title} claims a depth of ${tree.depth} pages`)
      return this
    }
    if (tree.root !== null) this.visit(tree.root, 1, page, txnId, null, null)
    for (const count of ['branchPages', 'leafPages', 'overflowPages', 'entries'] as const) {
      if (this[count] !== tree[count]) ground.fault(page, `${title} claims ${count} ${tree[count]}, has ${this[count]}`)
    }
    return this
  }

  private visit(
    number: number,
    level: number,
    parent: number,
    parentTxnId: number,
    low: lmdb.Key | null,
    high: lmdb.Key | null,
  ): void {
    const { file, fault } = this.ground
    if (!this.claim(number, 1, parent)) return
    const page = file.page(number)
    const leaf = level === this.tree.depth
    const txnId = lmdb.pageTxnId(page)
    if (lmdb.pageNumber(page) !== number) {
      fault(number, `page of ${this.title} says that it is page ${lmdb.pageNumber(page)}`)
    } else if (lmdb.pageFlags(page) !== (leaf ? lmdb.PAGE_LEAF : lmdb.PAGE_BRANCH)) {
      fault(number, `page of ${this.title} has flags ${lmdb.pageFlags(page)} at level ${level} of ${this.tree.depth}`)
    } else if (txnId > parentTxnId) {
      // A commit that writes a page writes all pages above it too.
      fault(number, `page of ${this.title} is of commit ${txnId}, what leads to it of commit ${parentTxnId}`)
    } else if (!this.nodesTile(page, leaf)) {
      fault(number, `nodes of a page of ${this.title} overlap, leave a gap or reach out of it`)
    } else if (!this.keysAscend(page, leaf, low, high)) {
      fault(number, `keys of a page of ${this.title} are not in order`)
    } else if (leaf) {
      this.visitLeaf(number, page, txnId)
    } else {
      // A copy, since the file's window moves on while the children are visited.
      this.visitBranch(number, level, new Uint8Array(page), txnId, low, high)
    }
  }

  /** Whether the nodes fill the page exactly, from its upper bound to its end. */
  private nodesTile(page: Uint8Array, leaf: boolean): boolean {
    const lower = lmdb.pageLower(page)
    const upper = lmdb.pageUpper(page)
    const end = page.length - lmdb.PAGE_HEADER
    if (lower % 2 !== 0 || upper % 2 !== 0 || lower > upper || upper > end) return false
    const nodes = lower / 2
    // Only the free list may be left with a branch that has a single child.
    if (nodes < (leaf || this.kind === 'free' ? 1 : 2)) return false
    const bytesAt = this.nodeBytes
    let placed = 0
    while (placed < nodes) {
      const at = lmdb.nodeAt(page, placed) - lmdb.PAGE_HEADER
      if (at % 2 !== 0 || at < upper || at + lmdb.NODE_HEADER > end || bytesAt[at / 2] !== 0) break
      const bytes = lmdb.nodeBytes(page, lmdb.PAGE_HEADER + at, leaf)
      if (at + bytes > end) break
      bytesAt[at / 2] = bytes
      placed++
    }
    let next = upper
    let tiled = 0
    while (next < end && bytesAt[next / 2] !== 0) {
      const bytes = bytesAt[next / 2]!
      bytesAt[next / 2] = 0
      next += bytes
      tiled++
    }
    if (placed === nodes && tiled === nodes && next === end) return true
    bytesAt.fill(0)
    return false
  }

  private keysAscend(page: Uint8Array, leaf: boolean, low: lmdb.Key | null, high: lmdb.Key | null): boolean {
    const nodes = lmdb.pageLower(page) / 2
    let previous = low
    // The bound is the smallest key that a leaf may hold; a branch's keys lie above all that its first child holds.
    let least = leaf ? 0 : 1
    for (let i = leaf ? 0 : 1; i < nodes; i++) {
      const key = lmdb.nodeKey(page, lmdb.nodeAt(page, i))
      if (this.integerBytes === 0 && (key.size === 4 || key.size === 8)) this.integerBytes = key.size
      if (this.integerKeys ? key.size !== this.integerBytes : key.size === 0) return false
      if (previous !== null && lmdb.compareKeys(key, previous, this.integerKeys) < least) return false
      previous = key
      least = 1
    }
    return high === null || previous === null || lmdb.compareKeys(previous, high, this.integerKeys) < 0
  }

  private visitBranch(
    number: number,
    level: number,
    page: Uint8Array,
    txnId: number,
    low: lmdb.Key | null,
    high: lmdb.Key | null,
  ): void {
    this.branchPages++
    const nodes = lmdb.pageLower(page) / 2
    let childLow = low
    for (let i = 0; i < nodes; i++) {
      const childHigh = i + 1 < nodes ? lmdb.nodeKey(page, lmdb.nodeAt(page, i + 1)) : high
      this.visit(lmdb.nodeChild(page, lmdb.nodeAt(page, i)), level + 1, number, txnId, childLow, childHigh)
      childLow = childHigh
    }
  }

  private visitLeaf(number: number, page: Uint8Array, txnId: number): void {
    this.leafPages++
    const nodes = lmdb.pageLower(page) / 2
    for (let i = 0; i < nodes; i++) {
      this.entries++
      const node = lmdb.nodeAt(page, i)
      const flags = lmdb.nodeFlags(page, node)
      const bytes = lmdb.nodeDataBytes(page, node)
      const at = node + lmdb.NODE_HEADER + lmdb.nodeKeyBytes(page, node)
      if (flags === lmdb.NODE_RUN) {
        const value = this.visitRun(number, page, at, bytes)
        if (this.kind === 'free' && value !== undefined) {
          this.visitFreeEntry(number, page, node, bytes, (from, size) =>
            this.ground.file.read(this.freeWords.subarray(0, size), value + from),
          )
        }
      } else if (flags === lmdb.NODE_TREE && this.kind === 'main' && bytes === lmdb.TREE_BYTES) {
        this.found(number, page, node, lmdb.readTree(page, at), txnId)
      } else if (flags !== 0) {
        this.ground.fault(number, `entry ${i} of a page of ${this.title} has flags ${flags}, ${bytes} bytes`)
      } else if (this.kind === 'free') {
        this.visitFreeEntry(number, page, node, bytes, (from, size) => page.subarray(at + from, at + from + size))
      }
    }
  }

  /** A value outside the tree; where in the file it begins, if it is there. */
  private visitRun(number: number, page: Uint8Array, at: number, bytes: number): number | undefined {
    const { file, fault } = this.ground
    const first = lmdb.u64(page, at)
    const txnId = lmdb.u64(page, at + 8)
    const pages = lmdb.u64(page, at + 16)
    this.overflowPages += pages
    // Longer than needed is sound: a value that its own transaction replaces by a shorter one keeps its pages.
    if (pages < lmdb.pagesOfValue(bytes, file.pageSize)) {
      fault(number, `a value of ${bytes} bytes of ${this.title} has only ${pages} pages`)
      return undefined
    }
    if (!this.claim(first, pages, number)) return undefined
    const header = file.header(first)
    const sound =
      lmdb.pageNumber(header) === first &&
      lmdb.pageFlags(header) === lmdb.PAGE_OVERFLOW &&
      lmdb.runPages(header) === pages &&
      lmdb.pageTxnId(header) <= this.ground.txnId &&
      // A compacting copy writes 1 into the node and leaves the value's page as it was.
      (lmdb.pageTxnId(header) === txnId || txnId === 1)
    if (sound) return first * file.pageSize + lmdb.PAGE_HEADER
    fault(first, `is not the value of ${pages} pages of commit ${txnId} that page ${number} of ${this.title} leads to`)
    return undefined
  }

  private found(number: number, page: Uint8Array, node: number, tree: lmdb.Tree, txnId: number): void {
    const key = lmdb.nodeKey(page, node)
    // The name is stored with the zero that ends it.
    const name = Buffer.from(page.subarray(key.at, key.at + key.size))
      .toString()
      .replace(/\0$/, '')
    if (this.named.length < NAMED_MAX) this.named.push({ name, tree, page: number, txnId })
    else this.ground.fault(number, `${this.title} holds more than ${NAMED_MAX} named databases`)
  }

  private visitFreeEntry(
    number: number,
    page: Uint8Array,
    node: number,
    bytes: number,
    read: (from: number, size: number) => Uint8Array,
  ): void {
    const { fault, txnId } = this.ground
    const freedBy = lmdb.u64(page, node + lmdb.NODE_HEADER)
    const words = bytes < 8 ? lmdb.IMPOSSIBLE : lmdb.u64(read(0, 8), 0)
    if (freedBy < 1 || freedBy > txnId || bytes % 8 !== 0 || words >= bytes / 8) {
      fault(number, `entry ${freedBy} of ${this.title} says that ${words} words follow in ${bytes} bytes`)
      return
    }
    let run = 0
    for (let done = 0; done < words; ) {
      const some = Math.min(FREE_WORDS_CHUNK, words - done)
      const bytes = read(8 + 8 * done, 8 * some)
      for (let i = 0; i < some; i++) {
        const word = lmdb.i64(bytes, 8 * i)
        if (word < 0 && run === 0) run = -word
        else if (word > 0 || run > 0) {
          if (!this.claimFree(number, word, Math.max(run, 1))) return
          run = 0
        }
      }
      done += some
    }
    if (run > 0) fault(number, `entry ${freedBy} of ${this.title} ends with a length`)
  }

  /** For a page that the tree uses; false, and a fault, if it cannot be. */
  private claim(first: number, pages: number, from: number): boolean {
    const { claims, lastPage, file, fault } = this.ground
    const existing = Math.min(lastPage + 1, file.pages)
    if (first < lmdb.META_PAGES || first + pages > existing) {
      fault(from, `leads to ${pages} pages of ${this.title} from ${first} on, of ${existing}`)
      return false
    }
    const taken = claims.claim(first, pages)
    if (taken !== undefined) fault(from, `leads to page ${taken} of ${this.title}, which is in use or free already`)
    return taken === undefined
  }

  /** For pages that the free list names; false, and a fault, if they cannot be free. */
  private claimFree(number: number, first: number, pages: number): boolean {
    const { claims, lastPage, fault } = this.ground
    // The file may end before its last pages if these were never written, only allocated and freed again.
    if (first < lmdb.META_PAGES || first + pages - 1 > lastPage) {
      fault(number, `${this.title} names ${pages} pages from ${first} on, of ${lastPage + 1}`)
      return false
    }
    const taken = claims.claim(first, pages)
    if (taken !== undefined) fault(number, `${this.title} names page ${taken}, which is in use or named already`)
    this.freePages += pages
    return taken === undefined
  }
}
