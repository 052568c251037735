/**
 * Packed frames: from a message's bytes into the partitions' mailboxes and back, without an object for a record. With
 * one partition a frame goes through as it is; with several its records are dealt out and the answers put together.
 */
import {
  FRAME_HEADER_BYTES,
  FRAME_VERSION,
  NO_LOCATION,
  Operation,
  REPLY_FLAG,
  REPLY_RECORD_BYTES,
  recordBytes,
  Status,
} from '../../actors/inventory/wire.js'
import type { Directory } from '../directory.js'
import type { Dispatch, FrameWaiter } from '../dispatch.js'
import { FRAME_RECORDS_MAX, FRAMES_IN_FLIGHT_MAX } from '../limits.js'
import type { Metrics } from '../metrics.js'
import { Close } from './connection.js'

/** Who sends frames and gets their answers: a socket, or the asker of a NATS request. */
export interface FrameAsker {
  framesInFlight: number
  /** Index of the channel that it speaks for; 0: none. */
  channelIn(directory: Directory): number
  /** The bytes are valid only during the call. */
  send(bytes: Uint8Array): void
  /** Nothing of the frame is taken; `code` is one of `Close`. */
  close(code: number, reason: string): void
}

const reply = new ArrayBuffer(FRAME_HEADER_BYTES + FRAME_RECORDS_MAX * REPLY_RECORD_BYTES)
const replyWords = new Uint32Array(reply)
const replyBytes = new Uint8Array(reply)

/** The word of a record in which its SKU index stands, by operation. */
const SKU_WORD: Record<number, number> = {
  [Operation.reserve]: 6,
  [Operation.confirm]: 4,
  [Operation.release]: 4,
  [Operation.count]: 0,
}

const headerWord = (operation: number, count: number): number =>
  (FRAME_VERSION | ((operation | REPLY_FLAG) << 8) | (count << 16)) >>> 0

/** One frame that waits for its partition. */
class FrameInFlight implements FrameWaiter {
  constructor(
    private readonly asker: FrameAsker,
    private readonly operation: number,
    private readonly frame: number,
    private readonly count: number,
  ) {
    asker.framesInFlight++
  }

  frameReply(count: number, _timeMs: number, words: Uint32Array, at: number): void {
    this.asker.framesInFlight--
    replyWords[0] = headerWord(this.operation, count)
    replyWords[1] = this.frame
    for (let i = 0; i < count * 2; i++) replyWords[2 + i] = words[at + i]!
    this.asker.send(new Uint8Array(reply, 0, FRAME_HEADER_BYTES + count * REPLY_RECORD_BYTES))
  }

  refused(): void {
    this.asker.framesInFlight--
    answerAll(this.asker, this.operation, this.frame, this.count, Status.overloaded)
  }
}

/** One frame that was dealt out to several partitions. */
class DealtFrame {
  readonly words: Uint32Array
  constructor(
    private readonly asker: FrameAsker,
    operation: number,
    frame: number,
    count: number,
    private waiting: number,
  ) {
    asker.framesInFlight++
    this.words = new Uint32Array(2 + count * 2)
    this.words[0] = headerWord(operation, count)
    this.words[1] = frame
  }

  done(): void {
    if (--this.waiting > 0) return
    this.asker.framesInFlight--
    this.asker.send(new Uint8Array(this.words.buffer))
  }
}

/** A partition's share of a dealt frame: `places` are its records' places in the whole. */
class Share implements FrameWaiter {
  readonly places: number[] = []
  constructor(private readonly whole: () => DealtFrame) {}

  frameReply(_count: number, _timeMs: number, words: Uint32Array, at: number): void {
    const whole = this.whole()
    this.places.forEach((place, i) => {
      whole.words[2 + place * 2] = words[at + i * 2]!
      whole.words[3 + place * 2] = words[at + i * 2 + 1]!
    })
    whole.done()
  }

  refused(): void {
    const whole = this.whole()
    for (const place of this.places) whole.words[2 + place * 2] = statusWord(Status.overloaded)
    whole.done()
  }
}

const statusWord = (status: Status): number => (status | (NO_LOCATION << 16)) >>> 0

function answerAll(asker: FrameAsker, operation: number, frame: number, count: number, status: Status): void {
  replyWords[0] = headerWord(operation, count)
  replyWords[1] = frame
  for (let i = 0; i < count; i++) {
    replyWords[2 + i * 2] = statusWord(status)
    replyWords[3 + i * 2] = 0
  }
  asker.send(replyBytes.subarray(0, FRAME_HEADER_BYTES + count * REPLY_RECORD_BYTES))
}

export class PackedFrames {
  constructor(
    private readonly dispatch: Dispatch,
    private readonly directory: Directory,
    private readonly metrics: Metrics,
  ) {}

  /** Takes a frame whole, or tells its asker the reason and takes nothing of it. */
  take(asker: FrameAsker, message: ArrayBuffer): void {
    if (message.byteLength < FRAME_HEADER_BYTES) {
      asker.close(Close.malformed, 'a frame has a header of 8 bytes')
      return
    }
    const header = new DataView(message)
    const operation = header.getUint8(1)
    const count = header.getUint16(2, true)
    const frame = header.getUint32(4, true)
    const size = recordBytes(operation)
    if (size === 0) {
      asker.close(Close.malformed, `there is no packed operation ${operation}`)
      return
    }
    if (count > FRAME_RECORDS_MAX) {
      asker.close(Close.tooBig, `a frame has at most ${FRAME_RECORDS_MAX} records`)
      return
    }
    if (count === 0 || message.byteLength !== FRAME_HEADER_BYTES + count * size) {
      asker.close(Close.malformed, `the frame's length is not that of ${count} records of ${size} bytes`)
      return
    }
    this.metrics.frame(count)
    if (asker.framesInFlight >= FRAMES_IN_FLIGHT_MAX) {
      answerAll(asker, operation, frame, count, Status.overloaded)
      return
    }
    if (this.directory.placement.partitions === 1) this.pass(asker, operation, frame, count, size, message)
    else this.deal(asker, operation, frame, count, size, message)
  }

  private pass(asker: FrameAsker, operation: number, frame: number, count: number, size: number, message: ArrayBuffer) {
    const bytes = count * size
    const at = this.dispatch.reserveFrame(0, bytes)
    if (at < 0) {
      this.dispatch.overloads++
      answerAll(asker, operation, frame, count, Status.overloaded)
      return
    }
    const mailbox = this.dispatch.links.bytesOf(0)
    mailbox.set(new Uint8Array(message, FRAME_HEADER_BYTES), at)
    if (operation === Operation.reserve)
      stampChannel(this.dispatch.links.wordsOf(0), at >>> 2, count, asker.channelIn(this.directory))
    this.dispatch.sendFrame(0, operation, count, bytes, new FrameInFlight(asker, operation, frame, count))
  }

  private deal(asker: FrameAsker, operation: number, frame: number, count: number, size: number, message: ArrayBuffer) {
    const words = new Uint32Array(message, FRAME_HEADER_BYTES)
    const wordsEach = size >>> 2
    const skuWord = SKU_WORD[operation]!
    let whole: DealtFrame
    const shares = new Map<number, Share>()
    for (let i = 0; i < count; i++) {
      const partition = this.directory.partitionOfSku(words[i * wordsEach + skuWord]!)
      let share = shares.get(partition)
      if (!share) {
        share = new Share(() => whole)
        shares.set(partition, share)
      }
      share.places.push(i)
    }
    const offsets = new Map<number, number>()
    for (const [partition, { places }] of shares) {
      const at = this.dispatch.reserveFrame(partition, places.length * size)
      if (at < 0) {
        // All or nothing: what was reserved in other mailboxes is simply not sent.
        this.dispatch.overloads++
        answerAll(asker, operation, frame, count, Status.overloaded)
        return
      }
      offsets.set(partition, at)
    }
    whole = new DealtFrame(asker, operation, frame, count, shares.size)
    for (const [partition, share] of shares) {
      const into = this.dispatch.links.wordsOf(partition)
      const at = offsets.get(partition)! >>> 2
      share.places.forEach((place, k) => {
        for (let w = 0; w < wordsEach; w++) into[at + k * wordsEach + w] = words[place * wordsEach + w]!
      })
      if (operation === Operation.reserve) stampChannel(into, at, share.places.length, asker.channelIn(this.directory))
      this.dispatch.sendFrame(partition, operation, share.places.length, share.places.length * size, share)
    }
  }
}

/**
 * The flags of a reserve record are 0 on the wire and carry the channel from here on. A record with flags is made one of
 * quantity 0, which its partition refuses as invalid.
 */
function stampChannel(words: Uint32Array, at: number, count: number, channel: number): void {
  for (let i = 0, word = at + 9; i < count; i++, word += 10) {
    if (words[word]! > 0xffff) {
      words[word - 2] = 0
      words[word]! &= 0xffff
    }
    if (channel !== 0) words[word] = (words[word]! | (channel << 16)) >>> 0
  }
}
