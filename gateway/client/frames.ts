/**
 * Writers and readers of packed frames (the layout is drawn in `actors/inventory/wire.ts`). They work on bytes that are
 * made once and make no object for a record, so that a load generator spends its time in the kernel, not here.
 */
import {
  FRAME_HEADER_BYTES,
  FRAME_VERSION,
  Operation,
  REPLY_FLAG,
  REPLY_RECORD_BYTES,
  recordBytes,
} from '../../actors/inventory/wire.js'
import { ClientError } from './client-error.js'

/** Records in a frame unless asked otherwise: 10 KB, few enough to answer in a millisecond, enough to pay for the frame. */
export const FRAME_RECORDS = 256

const ID_BYTES = 16
const TWO_TO_32 = 0x1_0000_0000

/** What all frames share: begin(frame), add(…) for each record, finish() for the bytes to send. */
abstract class FrameWriter {
  /** Records added since `begin`. */
  count = 0
  protected readonly view: DataView
  protected readonly bytes: Uint8Array
  protected at = FRAME_HEADER_BYTES

  constructor(
    readonly operation: Operation,
    /** Records that fit. */
    readonly capacity: number,
  ) {
    this.bytes = new Uint8Array(FRAME_HEADER_BYTES + capacity * recordBytes(operation))
    this.view = new DataView(this.bytes.buffer)
  }

  get isFull(): boolean {
    return this.count === this.capacity
  }

  /** Starts a frame over the same bytes; the last one must have been answered. */
  begin(frame: number): void {
    this.count = 0
    this.at = FRAME_HEADER_BYTES
    this.view.setUint8(0, FRAME_VERSION)
    this.view.setUint8(1, this.operation)
    this.view.setUint32(4, frame, true)
  }

  /** The frame as it goes out: a window on this writer's bytes, good until the next `begin`. */
  finish(): Uint8Array {
    this.view.setUint16(2, this.count, true)
    return this.bytes.subarray(0, this.at)
  }

  /** Room for one more record: its offset. */
  protected next(bytes: number): number {
    if (this.count === this.capacity) throw new ClientError('invalid', `the frame is full at ${this.capacity} records`)
    const at = this.at
    this.at = at + bytes
    this.count++
    return at
  }

  protected putId(at: number, id: Uint8Array, idOffset: number): void {
    const { bytes } = this
    // A loop over 16 bytes is several times quicker than a view and a copy of them.
    for (let i = 0; i < ID_BYTES; i++) bytes[at + i] = id[idOffset + i] ?? 0
  }
}

const RESERVE_BYTES = recordBytes(Operation.reserve)
const HOLD_BYTES = recordBytes(Operation.confirm)
const COUNT_BYTES = recordBytes(Operation.count)

/** Frames of reservations. */
export class ReserveFrameWriter extends FrameWriter {
  constructor(capacity = FRAME_RECORDS) {
    super(Operation.reserve, capacity)
  }

  /** `id`: 16 bytes from `idOffset`; `ttlSeconds` 0: the server's default; `buyer` 0: none; `location` 0xFFFF: any. */
  add(
    id: Uint8Array,
    idOffset: number,
    sku: number,
    quantity: number,
    ttlSeconds: number,
    buyer: number | bigint,
    location: number,
  ): void {
    const at = this.next(RESERVE_BYTES)
    const { view } = this
    this.putId(at, id, idOffset)
    if (typeof buyer === 'bigint') {
      view.setBigUint64(at + 16, buyer, true)
    } else {
      view.setUint32(at + 16, buyer, true)
      view.setUint32(at + 20, buyer / TWO_TO_32, true)
    }
    view.setUint32(at + 24, sku, true)
    view.setUint32(at + 28, quantity, true)
    view.setUint32(at + 32, ttlSeconds, true)
    view.setUint16(at + 36, location, true)
    view.setUint16(at + 38, 0, true)
  }
}

/** Frames that confirm or release what is held. */
export class HoldFrameWriter extends FrameWriter {
  constructor(operation: typeof Operation.confirm | typeof Operation.release, capacity = FRAME_RECORDS) {
    super(operation, capacity)
  }

  add(id: Uint8Array, idOffset: number, sku: number): void {
    const at = this.next(HOLD_BYTES)
    this.putId(at, id, idOffset)
    this.view.setUint32(at + 16, sku, true)
  }
}

/** Frames of absolute counts of stock. */
export class CountFrameWriter extends FrameWriter {
  constructor(capacity = FRAME_RECORDS) {
    super(Operation.count, capacity)
  }

  add(sku: number, onHand: number, safetyStock: number, location: number): void {
    const at = this.next(COUNT_BYTES)
    const { view } = this
    view.setUint32(at, sku, true)
    view.setUint32(at + 4, onHand, true)
    view.setUint32(at + 8, safetyStock, true)
    view.setUint16(at + 12, location, true)
    view.setUint16(at + 14, 0, true)
  }
}

/** Reads a reply in place: `read(bytes)`, then the fields of record 0 to count - 1. */
export class ReplyReader {
  /** The operation that is answered, without the reply flag. */
  operation = 0
  count = 0
  frame = 0
  private bytes: Uint8Array = new Uint8Array()

  /** False where the bytes are no reply: the fields are then those of the last one. */
  read(bytes: Uint8Array): boolean {
    if (bytes.length < FRAME_HEADER_BYTES) return false
    const operation = byte(bytes, 1)
    const count = uint16(bytes, 2)
    if (byte(bytes, 0) !== FRAME_VERSION || (operation & REPLY_FLAG) === 0) return false
    if (bytes.length !== FRAME_HEADER_BYTES + count * REPLY_RECORD_BYTES) return false
    this.bytes = bytes
    this.operation = operation & ~REPLY_FLAG
    this.count = count
    this.frame = uint32(bytes, 4)
    return true
  }

  status(record: number): number {
    return byte(this.bytes, FRAME_HEADER_BYTES + record * REPLY_RECORD_BYTES)
  }

  replayed(record: number): boolean {
    return byte(this.bytes, FRAME_HEADER_BYTES + record * REPLY_RECORD_BYTES + 1) === 1
  }

  /** 0xFFFF: none. */
  location(record: number): number {
    return uint16(this.bytes, FRAME_HEADER_BYTES + record * REPLY_RECORD_BYTES + 2)
  }

  remaining(record: number): number {
    return uint32(this.bytes, FRAME_HEADER_BYTES + record * REPLY_RECORD_BYTES + 4)
  }
}

// Beyond the end these read 0: `read` has checked the length, and callers count to `count`.
function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}

function uint16(bytes: Uint8Array, at: number): number {
  return byte(bytes, at) | (byte(bytes, at + 1) << 8)
}

function uint32(bytes: Uint8Array, at: number): number {
  return (uint16(bytes, at) | (uint16(bytes, at + 2) << 16)) >>> 0
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The 16 bytes of a UUID written as text. */
export function uuidBytes(text: string): Uint8Array {
  if (!UUID.test(text)) throw new ClientError('invalid', `"${text}" is not a UUID`)
  return Buffer.from(text.replaceAll('-', ''), 'hex')
}
