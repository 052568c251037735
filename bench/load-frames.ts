/**
 * Prepared reserve frames, as the load generator writes them: a ring of slots in one buffer, so that frames that go out
 * together lie together and cost one write. A frame's number is its slot. A slot may be written anew once its reply has
 * come: its bytes have left by then.
 *
 *   slot    | WebSocket head, 6 or 8 | frame header, 8 | records, 40 each |
 */
import { randomBytes } from 'node:crypto'
import { ANY_LOCATION, FRAME_HEADER_BYTES, FRAME_VERSION, Operation, recordBytes } from '../actors/inventory/wire.js'
import { frameHeadBytes, writeFrameHead } from './socket.js'

const RECORD_QUANTITY_AT = 28
const RECORD_TTL_AT = 32
const RECORD_LOCATION_AT = 36
/** Records are written in words of two bytes, since a slot's start is even but not always a multiple of four. */
const WORD_BYTES = 2
const RECORD_SKU_WORD = 24 / WORD_BYTES

export class FrameRing {
  readonly slots: number
  readonly records: number
  /** When each slot's frame was sent, or was meant to be; NaN where none is in flight. */
  readonly sentAtMs: Float64Array
  readonly bytes: Buffer
  readonly slotBytes: number
  readonly #words: Uint16Array
  readonly #firstRecordWord: number
  readonly #stepWords: number
  #next = 0

  constructor(operation: Operation, slots: number, records: number, ttlSeconds = 0) {
    const payloadBytes = FRAME_HEADER_BYTES + records * recordBytes(operation)
    const headBytes = frameHeadBytes(payloadBytes)
    this.slots = slots
    this.records = records
    this.slotBytes = headBytes + payloadBytes
    this.sentAtMs = new Float64Array(slots).fill(Number.NaN)
    this.bytes = Buffer.alloc(slots * this.slotBytes)
    this.#words = new Uint16Array(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length / WORD_BYTES)
    this.#firstRecordWord = (headBytes + FRAME_HEADER_BYTES) / WORD_BYTES
    this.#stepWords = recordBytes(operation) / WORD_BYTES
    for (let slot = 0; slot < slots; slot++) {
      const at = slot * this.slotBytes
      const header = at + headBytes
      writeFrameHead(this.bytes, at, payloadBytes)
      this.bytes[header] = FRAME_VERSION
      this.bytes[header + 1] = operation
      this.bytes.writeUInt16LE(records, header + 2)
      this.bytes.writeUInt32LE(slot, header + 4)
      if (operation !== Operation.reserve) continue
      for (let i = 0; i < records; i++) {
        const record = header + FRAME_HEADER_BYTES + i * recordBytes(operation)
        this.bytes.writeUInt32LE(1, record + RECORD_QUANTITY_AT)
        this.bytes.writeUInt32LE(ttlSeconds, record + RECORD_TTL_AT)
        this.bytes.writeUInt16LE(ANY_LOCATION, record + RECORD_LOCATION_AT)
      }
    }
  }

  /** The next slots that are free and lie together, at most as many as wanted: [first, end). */
  take(wanted: number): { first: number; end: number } {
    for (let tried = 0; tried < this.slots; tried++) {
      const first = this.#next
      let end = first
      while (end < this.slots && end - first < wanted && Number.isNaN(this.sentAtMs[end])) end++
      if (end > first) {
        this.#next = end === this.slots ? 0 : end
        return { first, end }
      }
      this.#next = first + 1 === this.slots ? 0 : first + 1
    }
    throw new Error('More frames are in flight than there are slots.')
  }

  /** New reservations for a slot: ids that never repeat, and the SKUs that the walk gives. */
  fillReserve(slot: number, ids: IdSource, skus: SkuWalk): void {
    const words = this.#words
    let at = this.#firstRecordWord + (slot * this.slotBytes) / WORD_BYTES
    for (let i = 0; i < this.records; i++, at += this.#stepWords) {
      ids.write(words, at)
      const sku = skus.next()
      words[at + RECORD_SKU_WORD] = sku
      words[at + RECORD_SKU_WORD + 1] = sku >>> 16
    }
  }

  /** Where a slot's records lie, in words of two bytes, for who copies ids from one ring to another. */
  recordWords(slot: number): { words: Uint16Array; at: number; step: number } {
    const at = this.#firstRecordWord + (slot * this.slotBytes) / WORD_BYTES
    return { words: this.#words, at, step: this.#stepWords }
  }
}

/**
 * Random UUIDs of version 4, fast enough not to be seen in a profile: each is the whole state of a xorshift128 generator
 * (Marsaglia 2003), which takes 2^128 - 1 steps to come back to a state.
 */
export class IdSource {
  readonly #state = new Uint32Array(new Uint8Array(randomBytes(16)).buffer)

  write(words: Uint16Array, at: number): void {
    const state = this.#state
    let [x, y, z, w] = [state[0] as number, state[1] as number, state[2] as number, state[3] as number]
    for (let step = 0; step < 4; step++) {
      const t = x ^ (x << 11)
      x = y
      y = z
      z = w
      w = w ^ (w >>> 19) ^ t ^ (t >>> 8)
    }
    state[0] = x
    state[1] = y
    state[2] = z
    state[3] = w
    words[at] = x
    words[at + 1] = x >>> 16
    words[at + 2] = y
    words[at + 3] = ((y >>> 16) & 0xff0f) | 0x0040
    words[at + 4] = (z & 0xff3f) | 0x0080
    words[at + 5] = z >>> 16
    words[at + 6] = w
    words[at + 7] = w >>> 16
  }
}

/** Goes through all SKUs in a shuffled order, again and again: random for the server, sequential for our cache. */
export class SkuWalk {
  readonly #skus: Uint32Array
  #at = 0

  constructor(skus: Uint32Array) {
    if (skus.length === 0) throw new Error('There is no SKU to reserve.')
    this.#skus = Uint32Array.from(skus)
    for (let i = this.#skus.length - 1; i > 0; i--) {
      const other = Math.floor(Math.random() * (i + 1))
      const swapped = this.#skus[i] as number
      this.#skus[i] = this.#skus[other] as number
      this.#skus[other] = swapped
    }
  }

  next(): number {
    const sku = this.#skus[this.#at] as number
    this.#at = this.#at + 1 === this.#skus.length ? 0 : this.#at + 1
    return sku
  }
}
