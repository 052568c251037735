/**
 * Documents in use, decoded: one that changes many times between two checkpoints is encoded once, when the checkpoint
 * takes it. Whoever changes one says so before (`change`, as with an arena's `touch`), so that a checkpoint that has still
 * to take it encodes it as it was.
 *
 * Changed documents lie in the store until a checkpoint has taken them; beside them the documents used last are kept, and
 * the others are read again when they are asked for. The keys belong to one LiveDocuments alone: nobody else puts or
 * deletes them.
 */
import { assert } from './assert.js'
import type { LiveDocument, Store } from './store.js'

class Live<T extends object> implements LiveDocument {
  handedOverTo = 0

  constructor(
    readonly key: string,
    readonly value: T,
    readonly home: Home<T>,
  ) {}

  get bytesAbout(): number {
    return this.home.bytesAbout
  }

  encode(): Uint8Array {
    return this.home.encode(this.value)
  }

  handOver(checkpoint: number): Uint8Array {
    this.handedOverTo = checkpoint
    this.home.keep(this)
    return this.encode()
  }
}

/**
 * What the documents of one LiveDocuments share: how they are encoded, and those of them that may be forgotten at any
 * time, since the store has them or is about to: the least recently used goes first.
 */
class Home<T extends object> {
  private readonly clean = new Map<string, Live<T>>()
  /** The mean size of the documents encoded last. */
  bytesAbout = 0

  constructor(
    private readonly encodeValue: (value: T) => Uint8Array,
    private readonly cleanMax: number,
  ) {}

  encode(value: T): Uint8Array {
    const bytes = this.encodeValue(value)
    this.bytesAbout = this.bytesAbout === 0 ? bytes.length : this.bytesAbout + (bytes.length - this.bytesAbout) / 16
    return bytes
  }

  used(key: string): Live<T> | undefined {
    const document = this.clean.get(key)
    if (document) {
      this.clean.delete(key)
      this.clean.set(key, document)
    }
    return document
  }

  keep(document: Live<T>): void {
    this.clean.delete(document.key)
    this.clean.set(document.key, document)
    if (this.clean.size <= this.cleanMax) return
    for (const oldest of this.clean.keys()) {
      this.clean.delete(oldest)
      return
    }
  }

  forget(key: string): void {
    this.clean.delete(key)
  }
}

export class LiveDocuments<T extends object> {
  private readonly home: Home<T>

  /**
   * `encode` gives bytes that stay as they are, the same for the same state, also for what `decode` made; `cleanMax`
   * unchanged documents are kept decoded.
   */
  constructor(
    private readonly store: Store,
    encode: (value: T) => Uint8Array,
    private readonly decode: (bytes: Uint8Array) => T,
    cleanMax: number,
  ) {
    this.home = new Home(encode, cleanMax)
  }

  /** A document to read. */
  get(key: string): T | undefined {
    return this.find(key)?.value
  }

  /** A document to change until the step ends: called before the first change in each step. */
  change(key: string): T | undefined {
    const changed = this.store.changed(key)
    if (changed instanceof Live) return this.own(changed).value
    const document = this.find(key)
    if (!document) return undefined
    this.home.forget(key)
    this.store.putLive(key, document)
    return document.value
  }

  /** Puts a document, new or in the place of another. It may be changed until the step ends. */
  add(key: string, value: T): void {
    this.home.forget(key)
    this.store.putLive(key, new Live(key, value, this.home))
  }

  delete(key: string): void {
    this.home.forget(key)
    this.store.delete(key)
  }

  private find(key: string): Live<T> | undefined {
    const unstored = this.store.unstored(key)
    if (unstored instanceof Live) return this.own(unstored)
    const known = this.home.used(key)
    if (known) return known
    const bytes = this.store.get(key)
    if (!bytes) return undefined
    const document = new Live(key, this.decode(bytes), this.home)
    this.home.keep(document)
    return document
  }

  private own(document: LiveDocument): Live<T> {
    assert(document instanceof Live && document.home === this.home, 'a live document is used by those who made it')
    // Its home is ours, so its value is of our kind.
    return document as Live<T>
  }
}
