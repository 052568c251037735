/**
 * The layouts of an LMDB data file, as lmdb-js 3.5 writes it on a 64-bit little-endian machine: its fork of LMDB, data
 * version 2, with a transaction id in every page and lengths in the free list. Layouts, decoders and the reading of
 * pages; what must hold between pages is in `lmdb-tree.ts` and `lmdb-structure.ts`.
 *
 *   file   | meta 0 | meta 1 | page 2 | page 3 | ...                          transaction N commits by writing meta N & 1
 *
 *   page   0        8        16    18      20      22      24
 *          | number | txn id | pad | flags | lower | upper |                  upper and lower count from byte 24
 *   meta            flags 8: the meta record from 24 on
 *   branch, leaf    flags 1, 2: | u16 offset of each node, in key order | gap | nodes, packed up to the page's end |
 *                   lower = 2 x nodes; upper = offset of the lowest node; offsets count from byte 24 too
 *   overflow        flags 4: u32 pages of the run at 20; one value from 24 on to its end, without further headers
 *
 *   node   0               4       6          8                               padded to an even size
 *   leaf   | u32 data size | flags | key size | key | data |                  flags 1: data is a run; 2: a tree record
 *   branch | u48 child page        | key size | key |                         the first one's key is never looked at
 *   run    | u64 first page | u64 txn id | u64 pages |
 *
 *   tree   0     4       6       8          16       24           32        40
 *          | pad | flags | depth | branches | leaves | overflow | entries | root |     counts of pages; root -1: empty
 *
 *   meta   0       4         8         16         24          72          120         128      136
 *          | magic | version | address | map size | free tree | main tree | last page | txn id | boot id |
 *          the free tree's pad is the page size, its flags are the environment's; with overlappingSync a third meta
 *          record, of the last flushed commit, lies in the middle of page 0
 *
 *   entry of the free tree: key u64 transaction that freed the pages
 *          | u64 words that follow | word | word | ...                        0: nothing; p: page p; -n, p: n pages from p
 */
import { readSync } from 'node:fs'

export const META_PAGES = 2
export const META_MAGIC = 0xbeefc0de
export const META_VERSION = 2

export const PAGE_SIZE_MIN = 512
export const PAGE_SIZE_MAX = 32_768
export const PAGE_HEADER = 24
export const PAGE_BRANCH = 1
export const PAGE_LEAF = 2
export const PAGE_OVERFLOW = 4
export const PAGE_META = 8

export const NODE_HEADER = 8
export const NODE_RUN = 1
export const NODE_TREE = 2
export const RUN_BYTES = 24
export const TREE_BYTES = 48
export const TREE_INTEGER_KEYS = 8

/** LMDB's bound on a cursor's stack, and so on the depth of a tree. */
export const DEPTH_MAX = 32
/** Stands for every number that a double cannot hold exactly; larger than any that a sound file holds. */
export const IMPOSSIBLE = Number.MAX_SAFE_INTEGER

/** Neighbouring pages are read together, in ever longer reads up to this. */
const WINDOW_BYTES_MAX = 262_144

export interface Tree {
  readonly pad: number
  readonly flags: number
  readonly depth: number
  readonly branchPages: number
  readonly leafPages: number
  readonly overflowPages: number
  readonly entries: number
  /** Null when the tree is empty. */
  readonly root: number | null
}

export interface Meta {
  readonly page: number
  readonly magic: number
  readonly version: number
  readonly pageSize: number
  readonly free: Tree
  readonly main: Tree
  readonly lastPage: number
  readonly txnId: number
}

export const u16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8)

export const u32 = (bytes: Uint8Array, at: number): number => (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0

export function u64(bytes: Uint8Array, at: number): number {
  const high = u32(bytes, at + 4)
  return high > 0x1fffff ? IMPOSSIBLE : high * 0x1_0000_0000 + u32(bytes, at)
}

export function i64(bytes: Uint8Array, at: number): number {
  const high = u32(bytes, at + 4) | 0
  if (high > 0x1fffff) return IMPOSSIBLE
  return high < -0x200000 ? -IMPOSSIBLE : high * 0x1_0000_0000 + u32(bytes, at)
}

export const pageNumber = (page: Uint8Array): number => u64(page, 0)
export const pageTxnId = (page: Uint8Array): number => u64(page, 8)
export const pageFlags = (page: Uint8Array): number => u16(page, 18)
export const pageLower = (page: Uint8Array): number => u16(page, 20)
export const pageUpper = (page: Uint8Array): number => u16(page, 22)
export const runPages = (page: Uint8Array): number => u32(page, 20)

/** Where in its page the node at this place in key order lies. */
export const nodeAt = (page: Uint8Array, index: number): number => PAGE_HEADER + u16(page, PAGE_HEADER + 2 * index)
export const nodeFlags = (page: Uint8Array, node: number): number => u16(page, node + 4)
export const nodeDataBytes = (page: Uint8Array, node: number): number => u32(page, node)
export const nodeKeyBytes = (page: Uint8Array, node: number): number => u16(page, node + 6)
export const nodeChild = (page: Uint8Array, node: number): number =>
  u32(page, node) + u16(page, node + 4) * 0x1_0000_0000

/** Bytes that a node takes in its page. */
export function nodeBytes(page: Uint8Array, node: number, leaf: boolean): number {
  let bytes = NODE_HEADER + nodeKeyBytes(page, node)
  if (leaf) bytes += (nodeFlags(page, node) & NODE_RUN) !== 0 ? RUN_BYTES : nodeDataBytes(page, node)
  return bytes + (bytes % 2)
}

/** Pages that a value takes outside the tree, its one header included. */
export const pagesOfValue = (bytes: number, pageSize: number): number =>
  Math.floor((PAGE_HEADER - 1 + bytes) / pageSize) + 1

export function readTree(bytes: Uint8Array, at: number): Tree {
  const empty = u32(bytes, at + 40) === 0xffffffff && u32(bytes, at + 44) === 0xffffffff
  return {
    pad: u32(bytes, at),
    flags: u16(bytes, at + 4),
    depth: u16(bytes, at + 6),
    branchPages: u64(bytes, at + 8),
    leafPages: u64(bytes, at + 16),
    overflowPages: u64(bytes, at + 24),
    entries: u64(bytes, at + 32),
    root: empty ? null : u64(bytes, at + 40),
  }
}

export function readMeta(page: Uint8Array, number: number): Meta {
  const at = PAGE_HEADER
  const free = readTree(page, at + 24)
  return {
    page: number,
    magic: u32(page, at),
    version: u32(page, at + 4),
    pageSize: free.pad,
    free,
    main: readTree(page, at + 72),
    lastPage: u64(page, at + 120),
    txnId: u64(page, at + 128),
  }
}

/** A key where it lies. */
export interface Key {
  readonly bytes: Uint8Array
  readonly at: number
  readonly size: number
}

export const nodeKey = (page: Uint8Array, node: number): Key => ({
  bytes: page,
  at: node + NODE_HEADER,
  size: nodeKeyBytes(page, node),
})

/** LMDB's orders: by bytes, or (integer keys) as little-endian numbers, which have one size throughout a tree. */
export function compareKeys(a: Key, b: Key, integers: boolean): number {
  const shared = Math.min(a.size, b.size)
  for (let i = 0; i < shared; i++) {
    const byte = integers ? shared - 1 - i : i
    const difference = a.bytes[a.at + byte]! - b.bytes[b.at + byte]!
    if (difference !== 0) return difference
  }
  return a.size - b.size
}

/** Pages of an open file. What `page` and `header` return is valid until the next call of the same one. */
export class PageFile {
  /** Whole pages that the file holds. */
  readonly pages: number
  private readonly wholePages: Window
  private readonly headers: Window

  constructor(
    private readonly fd: number,
    bytes: number,
    readonly pageSize: number,
  ) {
    this.pages = Math.floor(bytes / pageSize)
    this.wholePages = new Window(this, pageSize)
    this.headers = new Window(this, PAGE_HEADER)
  }

  page(number: number): Uint8Array {
    return this.wholePages.at(number)
  }

  header(number: number): Uint8Array {
    return this.headers.at(number)
  }

  /** Fills `into`, or throws. */
  read(into: Buffer, offset: number): Buffer {
    for (let done = 0; done < into.length; ) {
      const read = readSync(this.fd, into, done, into.length - done, offset + done)
      if (read === 0) throw new Error(`it ends at byte ${offset + done}, earlier than when it was opened`)
      done += read
    }
    return into
  }
}

/**
 * The pages around the one that was asked for last. Trees and values that grew in key order lie in page order, so a page
 * that follows closely pays for reading ahead, twice as far each time; any other is read alone, and only what is needed.
 */
class Window {
  private readonly bytes: Buffer
  private first = -1
  private count = 0

  constructor(
    private readonly file: PageFile,
    /** Of each page, from its start. */
    private readonly needed: number,
  ) {
    this.bytes = Buffer.allocUnsafe(Math.min(WINDOW_BYTES_MAX, file.pages * file.pageSize))
  }

  at(number: number): Uint8Array {
    const { pageSize, pages } = this.file
    const end = this.first + this.count
    if (number < this.first || number >= end) {
      const follows = number >= end && number - end <= this.count
      const ahead = follows ? this.count * 2 : 1
      this.count = Math.min(ahead, this.bytes.length / pageSize, pages - number)
      this.first = number
      const bytes = this.count === 1 ? this.needed : this.count * pageSize
      this.file.read(this.bytes.subarray(0, bytes), number * pageSize)
    }
    const at = (number - this.first) * pageSize
    return this.bytes.subarray(at, at + this.needed)
  }
}
