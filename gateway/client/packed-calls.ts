/**
 * Packs calls into frames and hands replies back to their callers. Records asked for in one tick, or while all frames
 * are in flight, share frames; a frame that is unanswered stays whole, so that it can be sent again on a new connection.
 */
import { NO_LOCATION, Operation, STATUS_CODES, type StatusCode } from '../../actors/inventory/wire.js'
import { ClientError } from './client-error.js'
import { FRAME_RECORDS, HoldFrameWriter, ReplyReader, ReserveFrameWriter } from './frames.js'

/** What the server said of one record. */
export interface RecordReply {
  readonly status: StatusCode
  /** The id was seen before: this is its first answer again. */
  readonly replayed: boolean
  /** The location's index, or null where there is none. */
  readonly location: number | null
  /** The SKU's ATP after it. */
  readonly remaining: number
}

/** The replies to one call, in the order of its records. */
export class PackedCall {
  readonly replies: RecordReply[]
  settled = false
  private missing: number
  private timer: NodeJS.Timeout | undefined

  constructor(
    records: number,
    private readonly resolve: (replies: RecordReply[]) => void,
    private readonly reject: (error: ClientError) => void,
  ) {
    this.missing = records
    this.replies = new Array<RecordReply>(records)
  }

  expireAfter(deadlineMs: number, onExpired: () => void): void {
    this.timer = setTimeout(() => {
      this.fail(new ClientError('deadline_exceeded', `no answer within ${deadlineMs} ms; repeat it with the same ids`))
      onExpired()
    }, deadlineMs)
  }

  answer(position: number, reply: RecordReply): void {
    if (this.settled) return
    this.replies[position] = reply
    if (--this.missing > 0) return
    this.settle()
    this.resolve(this.replies)
  }

  fail(error: ClientError): void {
    if (this.settled) return
    this.settle()
    this.reject(error)
  }

  private settle(): void {
    this.settled = true
    clearTimeout(this.timer)
  }
}

export type HoldOperation = typeof Operation.confirm | typeof Operation.release
type PackedOperation = typeof Operation.reserve | HoldOperation
type Writer = ReserveFrameWriter | HoldFrameWriter

/** A frame with the callers of its records. */
class CallFrame {
  readonly writer: Writer
  readonly calls: PackedCall[] = []
  readonly positions = new Uint32Array(FRAME_RECORDS)
  number = 0

  constructor(readonly operation: PackedOperation) {
    this.writer = operation === Operation.reserve ? new ReserveFrameWriter() : new HoldFrameWriter(operation)
  }

  begin(number: number): void {
    this.number = number
    this.calls.length = 0
    this.writer.begin(number)
  }

  isAbandoned(): boolean {
    return this.calls.every((call) => call.settled)
  }
}

export interface PackedLimits {
  /** Frames sent and not answered. */
  readonly framesInFlight: number
  /** Records that wait for a frame; a call that would exceed it is refused as overloaded. */
  readonly recordsWaiting: number
}

export class PackedCalls {
  private readonly waiting: CallFrame[] = []
  private readonly inFlight = new Map<number, CallFrame>()
  private readonly spare = new Map<PackedOperation, CallFrame[]>()
  private readonly reader = new ReplyReader()
  private recordsWaiting = 0
  private nextNumber = 1
  private flushing = false
  private connected = true

  constructor(
    private readonly limits: PackedLimits,
    private readonly send: (bytes: Uint8Array) => void,
  ) {}

  get unanswered(): number {
    return this.inFlight.size + this.waiting.length
  }

  /** Throws `overloaded` where so many records may not wait; nothing of the call is taken then. */
  admit(records: number): void {
    if (this.recordsWaiting + records <= this.limits.recordsWaiting) return
    const { recordsWaiting } = this.limits
    throw new ClientError('overloaded', `more than ${recordsWaiting} records would wait in this client; slow down`)
  }

  /** The writer for the next record of a call: the last waiting frame if it is of that kind and has room. */
  place(operation: typeof Operation.reserve, call: PackedCall, position: number): ReserveFrameWriter
  place(operation: HoldOperation, call: PackedCall, position: number): HoldFrameWriter
  place(operation: PackedOperation, call: PackedCall, position: number): Writer {
    let frame = this.waiting.at(-1)
    if (!frame || frame.operation !== operation || frame.writer.isFull) {
      frame = this.spare.get(operation)?.pop() ?? new CallFrame(operation)
      frame.begin(this.nextNumber)
      this.nextNumber = (this.nextNumber + 1) >>> 0
      this.waiting.push(frame)
    }
    frame.positions[frame.writer.count] = position
    frame.calls.push(call)
    this.recordsWaiting++
    if (!this.flushing) {
      this.flushing = true
      // After the poll phase: everyone woken by one read of the socket shares the frame.
      setImmediate(this.flush)
    }
    return frame.writer
  }

  /** Takes a reply. False where it is none, or answers a frame in another shape than it was sent. */
  reply(bytes: Uint8Array): boolean {
    const { reader } = this
    if (!reader.read(bytes)) return false
    const frame = this.inFlight.get(reader.frame)
    // A frame whose callers gave up was forgotten; its late reply is no error.
    if (!frame) return true
    if (reader.operation !== frame.operation || reader.count !== frame.calls.length) return false
    for (let record = 0; record < reader.count; record++) {
      const status = STATUS_CODES[reader.status(record)]
      if (status === undefined) return false
      const location = reader.location(record)
      frame.calls[record]?.answer(frame.positions[record] ?? 0, {
        status,
        replayed: reader.replayed(record),
        location: location === NO_LOCATION ? null : location,
        remaining: reader.remaining(record),
      })
    }
    this.inFlight.delete(reader.frame)
    const spare = this.spare.get(frame.operation)
    if (spare) spare.push(frame)
    else this.spare.set(frame.operation, [frame])
    if (!this.flushing) this.flush()
    return true
  }

  /** Frames that nobody waits for any more give up their place. Their bytes may still be on their way, so they are not used again. */
  forgetAbandoned(): void {
    for (const [number, frame] of this.inFlight) if (frame.isAbandoned()) this.inFlight.delete(number)
    const kept = this.waiting.filter((frame) => !frame.isAbandoned())
    this.waiting.splice(0, this.waiting.length, ...kept)
    this.recordsWaiting = kept.reduce((records, frame) => records + frame.writer.count, 0)
    this.flush()
  }

  /** The connection is gone: what is unanswered waits, in order, to be sent again. */
  disconnected(): void {
    this.connected = false
  }

  /** A new connection: what is unanswered is sent again, oldest first. */
  reconnected(): void {
    this.connected = true
    for (const [number, frame] of this.inFlight) {
      if (frame.isAbandoned()) this.inFlight.delete(number)
      else this.send(frame.writer.finish())
    }
    this.flush()
  }

  failAll(error: ClientError): void {
    for (const frame of this.inFlight.values()) for (const call of frame.calls) call.fail(error)
    for (const frame of this.waiting) for (const call of frame.calls) call.fail(error)
    this.inFlight.clear()
    this.waiting.length = 0
    this.recordsWaiting = 0
  }

  private readonly flush = () => {
    this.flushing = false
    while (this.connected && this.inFlight.size < this.limits.framesInFlight) {
      const frame = this.waiting.shift()
      if (!frame) return
      this.recordsWaiting -= frame.writer.count
      if (frame.isAbandoned()) continue
      this.inFlight.set(frame.number, frame)
      this.send(frame.writer.finish())
    }
  }
}
