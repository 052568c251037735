/**
 * Reads an LMDB file before LMDB maps it, and names what is wrong with its structure. LMDB trusts its file: damage in a
 * page header or a node crashes the process, and damage in the newest meta page silently takes back the last commit.
 * Three things must hold:
 *
 * - The trees of the newest commit are whole (`lmdb-tree.ts`), and no page is used twice or free while in use. Pages
 *   that are neither are no fault: LMDB loses some when it splits its free list over entries (`mdb_freelist_save`: "lost
 *   free space"), at times a hundred, and nothing but space goes with them.
 * - The file is as long as the commit needs. It may end before the last page where the rest was never written: pages
 *   that one commit allocated and freed again.
 * - The newest commit is the newest. LMDB takes the meta page with the higher transaction id. Commits alternate, so the
 *   ids are neighbours, even in page 0, odd in page 1; an id can lie only by exactly two. But a commit marks the pages it
 *   writes with its id, writes the root of the main or of the free tree, and reuses no page of the commit before it. So
 *   the newer meta page must lead to a root with its id, else it is the older one made newer; and the older to none beyond
 *   its id, else it is the newest made older.
 *
 * Nothing reads these, and they are not checked: gaps and padding in pages, free pages, the trees of the older commit,
 * map size, boot id. These the file alone cannot show: a changed value, or a changed key that stays in order (the
 * caller's checksum covers both); the name or key order of a database that has few keys (`databases` is to be compared);
 * and a true earlier state, such as a disk that never wrote the last meta page leaves, or an old copy of the file.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import * as lmdb from './lmdb-page.js'
import { PageClaims, TreeWalk } from './lmdb-tree.js'

export interface StructureFault {
  page: number
  what: string
}

export interface StructureDatabase {
  /** Null for the main database. */
  name: string | null
  integerKeys: boolean
  /** Of the main database without the records of the named ones. */
  entries: number
}

export interface StructureReport {
  /** Empty if the structure is sound; at most FAULTS_MAX. */
  faults: StructureFault[]
  /** Up to the last page of the newest commit. */
  pages: number
  freePages: number
  /** Neither in use nor free: lost by LMDB, harmless. A compacting backup refuses a file that has them. */
  lostPages: number
  /** Of all databases. */
  entries: number
  /** The newest commit. */
  txnId: number
  databases: StructureDatabase[]
}

const FAULTS_MAX = 50
/** 4 TiB of 4 KiB pages: bounds the bitmap of claims at 128 MiB, whatever the file says. */
const PAGES_MAX = 2 ** 30
/** Pages that one commit allocated and freed, hence never written, and that LMDB lost: more are a damaged last page. */
const LOST_BEYOND_MAX = 1_024
/** Flags of the environment that lmdb-js's noSubdir, safeRestore and trackMetrics leave in the file. */
const ENVIRONMENT_FLAGS = 0x4000 | 0x0800 | 0x0400

/** Never throws: a file that cannot be read is damaged too. */
export function checkLmdbStructure(file: string): StructureReport {
  const report: StructureReport = {
    faults: [],
    pages: 0,
    freePages: 0,
    lostPages: 0,
    entries: 0,
    txnId: 0,
    databases: [],
  }
  const fault = (page: number, what: string): void => {
    if (report.faults.length < FAULTS_MAX) report.faults.push({ page, what })
  }
  let fd: number | undefined
  try {
    fd = openSync(file, 'r')
    const pages = openPages(fd, fstatSync(fd).size, fault)
    const metas = pages && readMetas(pages, fault)
    if (metas && isNewest(metas, pages, fault)) walkTrees(metas.newest, pages, report, fault)
  } catch (error) {
    fault(0, `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
  return report
}

type Fault = (page: number, what: string) => void

interface Metas {
  newest: lmdb.Meta
  older: lmdb.Meta
}

function openPages(fd: number, bytes: number, fault: Fault): lmdb.PageFile | undefined {
  if (bytes < lmdb.META_PAGES * lmdb.PAGE_SIZE_MIN) {
    fault(0, `the file has ${bytes} bytes, too few for its meta pages`)
    return undefined
  }
  const { pageSize } = lmdb.readMeta(new lmdb.PageFile(fd, lmdb.PAGE_SIZE_MIN, lmdb.PAGE_SIZE_MIN).page(0), 0)
  if (pageSize < lmdb.PAGE_SIZE_MIN || pageSize > lmdb.PAGE_SIZE_MAX || (pageSize & (pageSize - 1)) !== 0) {
    fault(0, `meta page 0 says that a page has ${pageSize} bytes`)
    return undefined
  }
  if (bytes < lmdb.META_PAGES * pageSize) {
    fault(0, `the file has ${bytes} bytes, too few for its meta pages`)
    return undefined
  }
  return new lmdb.PageFile(fd, bytes, pageSize)
}

/** Both meta pages, each sound on its own and fitting the other; else undefined, since nothing can be built on them. */
function readMetas(file: lmdb.PageFile, fault: Fault): Metas | undefined {
  let sound = true
  const expect = (ok: boolean, number: number, what: string) => {
    if (ok) return
    fault(number, `meta page ${number} ${what}`)
    sound = false
  }
  const read = (number: 0 | 1): lmdb.Meta => {
    const page = file.page(number)
    const meta = lmdb.readMeta(page, number)
    expect(lmdb.pageNumber(page) === number, number, `says that it is page ${lmdb.pageNumber(page)}`)
    expect(lmdb.pageFlags(page) === lmdb.PAGE_META, number, `has page flags ${lmdb.pageFlags(page)}`)
    expect(meta.magic === lmdb.META_MAGIC, number, 'does not begin with the magic number')
    expect(meta.version === lmdb.META_VERSION, number, `has data version ${meta.version}, not ${lmdb.META_VERSION}`)
    expect(meta.pageSize === file.pageSize, number, `says that a page has ${meta.pageSize} bytes, not ${file.pageSize}`)
    expect((meta.free.flags & ~ENVIRONMENT_FLAGS) === lmdb.TREE_INTEGER_KEYS, number, `has flags ${meta.free.flags}`)
    expect(meta.txnId < lmdb.IMPOSSIBLE, number, 'has an impossible transaction id')
    expect(meta.lastPage >= 1 && meta.lastPage < PAGES_MAX, number, `says that the last page is ${meta.lastPage}`)
    return meta
  }
  const even = read(0)
  const odd = read(1)
  const ids = `transaction ids ${even.txnId} and ${odd.txnId}`
  expect(even.free.flags === odd.free.flags, 1, 'has other flags than meta page 0')
  if (even.txnId + odd.txnId > 0) {
    expect(even.txnId % 2 === 0 && odd.txnId % 2 === 1, 0, `and 1 have the ${ids}, not an even and an odd one`)
    expect(isNew(even) || Math.abs(even.txnId - odd.txnId) === 1, 0, `and 1 have the ${ids}, which are not neighbours`)
  }
  if (!sound) return undefined
  // LMDB's own choice.
  return even.txnId >= odd.txnId ? { newest: even, older: odd } : { newest: odd, older: even }
}

/** No commit was written here yet. Page 0 stays so in a compacting copy, whose commit keeps the id of its original. */
const isNew = (meta: lmdb.Meta): boolean =>
  meta.txnId === 0 && meta.lastPage === 1 && meta.main.root === null && meta.free.root === null

/** The third point of the module comment. */
function isNewest({ newest, older }: Metas, file: lmdb.PageFile, fault: Fault): boolean {
  const roots = { newest: youngestRoot(newest, file), older: youngestRoot(older, file) }
  if (roots.newest > newest.txnId || roots.older > older.txnId) {
    const { page, txnId } = roots.newest > newest.txnId ? newest : older
    fault(page, `meta page ${page} claims commit ${txnId}, but a root that it leads to is not of that commit or before`)
    return false
  }
  // In a compacting copy the pages of the trees are of commit 1.
  const wrote = roots.newest === newest.txnId || (roots.newest === 1 && isNew(older))
  // The one commit that writes no page sets an option of the main database.
  const only =
    newest.main.root === older.main.root &&
    newest.free.root === older.free.root &&
    newest.lastPage === older.lastPage &&
    (newest.main.flags & older.main.flags) === older.main.flags
  if (wrote || only) return true
  fault(newest.page, `meta page ${newest.page} claims commit ${newest.txnId}, but its roots are of ${roots.newest}`)
  return false
}

/** The commit that wrote the younger root of the two; 0 without roots, IMPOSSIBLE if there is no such page. */
function youngestRoot(meta: lmdb.Meta, file: lmdb.PageFile): number {
  let youngest = 0
  for (const { root } of [meta.main, meta.free]) {
    if (root === null) continue
    if (root < lmdb.META_PAGES || root > meta.lastPage || root >= file.pages) return lmdb.IMPOSSIBLE
    youngest = Math.max(youngest, lmdb.pageTxnId(file.header(root)))
  }
  return youngest
}

function walkTrees(meta: lmdb.Meta, file: lmdb.PageFile, report: StructureReport, fault: Fault): void {
  const { lastPage, txnId } = meta
  report.pages = lastPage + 1
  report.txnId = txnId
  const claims = new PageClaims(lastPage + 1)
  const ground = { file, claims, lastPage, txnId, fault }
  const main = new TreeWalk(ground, 'main', 'the main database', meta.main).run(meta.page, txnId)
  const mainEntries = main.entries - main.named.length
  report.databases.push({ name: null, integerKeys: main.integerKeys, entries: mainEntries })
  for (const { name, tree, page, txnId } of main.named) {
    const { integerKeys, entries } = new TreeWalk(ground, 'named', name, tree).run(page, txnId)
    report.databases.push({ name, integerKeys, entries })
  }
  for (const { entries } of report.databases) report.entries += entries
  report.freePages = new TreeWalk(ground, 'free', 'the free list', meta.free).run(meta.page, txnId).freePages
  report.lostPages = lastPage + 1 - lmdb.META_PAGES - claims.count
  let beyond = 0
  for (let page = file.pages; page <= lastPage && beyond <= LOST_BEYOND_MAX; page++) if (!claims.has(page)) beyond++
  if (beyond > LOST_BEYOND_MAX) fault(meta.page, `the last page is ${lastPage}, while the file has ${file.pages} pages`)
}
