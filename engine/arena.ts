/**
 * An arena: records of one fixed size in one flat piece of memory, which is the state itself and, page by page, its
 * checkpoint. The address space is taken at once and the memory only as it is touched, so an arena never moves and
 * never has to be copied to grow.
 *
 * Each page is clean (as in the last checkpoint), dirty (changed since), or wanted (changed before the checkpoint that
 * is being taken and not yet handed over). A wanted page is handed over before it changes again, so a checkpoint is the
 * state at one instant although it is copied in slices between batches.
 */
import { assert } from './assert.js'

export const PAGE_SHIFT = 15
export const PAGE_BYTES = 1 << PAGE_SHIFT

const CLEAN = 0
const DIRTY = 1
const WANTED = 2

/** Takes the content of a page as it is now: the checkpoint's side of a copy before a write. */
export type PageSink = (arena: Arena, page: number) => void

export class Arena {
  readonly words: Uint32Array
  readonly doubles: Float64Array
  readonly bytes: Uint8Array
  private readonly pageState: Uint8Array
  /** Pages handed over to the checkpoint that is being taken: they are clean only once it is durable. */
  private readonly handedOver: Uint8Array
  private wanted = 0
  private cursor = 0
  private sink: PageSink | undefined

  /** `id` names the arena in checkpoints and never changes; `recordBytes` is a power of two from 4 to a page. */
  constructor(
    readonly id: number,
    readonly name: string,
    readonly recordBytes: number,
    readonly recordsMax: number,
  ) {
    assert((recordBytes & (recordBytes - 1)) === 0 && recordBytes >= 4 && recordBytes <= PAGE_BYTES, 'record size')
    const pages = Math.ceil((recordBytes * recordsMax) / PAGE_BYTES)
    const buffer = new ArrayBuffer(pages * PAGE_BYTES)
    this.words = new Uint32Array(buffer)
    this.doubles = new Float64Array(buffer)
    this.bytes = new Uint8Array(buffer)
    this.pageState = new Uint8Array(pages)
    this.handedOver = new Uint8Array(pages)
  }

  /** Says that `record` is about to change. Call it before each change; it costs one byte's load where nothing is due. */
  touch(record: number): void {
    this.touchPage((record * this.recordBytes) >>> PAGE_SHIFT)
  }

  touchPage(page: number): void {
    if (this.pageState[page] !== DIRTY) this.becomeDirty(page)
  }

  private becomeDirty(page: number): void {
    if (this.pageState[page] === WANTED) {
      this.give(page)
    }
    this.pageState[page] = DIRTY
  }

  /** Begins a checkpoint: what is dirty now is wanted. Returns the number of pages. */
  beginCheckpoint(sink: PageSink): number {
    assert(this.wanted === 0, 'one checkpoint at a time')
    this.sink = sink
    this.cursor = 0
    for (let page = 0; page < this.pageState.length; page++) {
      if (this.pageState[page] === DIRTY) {
        this.pageState[page] = WANTED
        this.wanted++
      }
    }
    return this.wanted
  }

  /** Hands over up to `pages` wanted pages; returns how many it did. */
  continueCheckpoint(pages: number): number {
    let done = 0
    while (done < pages && this.wanted > 0) {
      const page = this.pageState.indexOf(WANTED, this.cursor)
      assert(page >= 0, 'a wanted page is found')
      this.cursor = page + 1
      this.give(page)
      this.pageState[page] = CLEAN
      done++
    }
    return done
  }

  private give(page: number): void {
    this.sink!(this, page)
    this.handedOver[page] = 1
    this.wanted--
  }

  /** The checkpoint is durable, or it failed and what was handed over is dirty as before. */
  endCheckpoint(durable: boolean): void {
    if (!durable) {
      for (let page = 0; page < this.pageState.length; page++) {
        if (this.handedOver[page] === 1 || this.pageState[page] === WANTED) this.pageState[page] = DIRTY
      }
      this.wanted = 0
    }
    this.handedOver.fill(0)
  }

  get wantedPages(): number {
    return this.wanted
  }

  pageBytes(page: number): Uint8Array {
    return this.bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
  }

  /** Recovery: puts a page back as its checkpoint has it. */
  loadPage(page: number, content: Uint8Array): void {
    assert(page < this.pageState.length && content.length === PAGE_BYTES, `page ${page} of arena ${this.name} fits`)
    this.bytes.set(content, page * PAGE_BYTES)
  }
}
