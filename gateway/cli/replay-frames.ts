/**
 * The frames of a replay: those being filled and those in flight. A reservation and a release of one SKU never wait in
 * two open frames at once, so that whatever order the frames leave in, each SKU's records leave in the order they came.
 */
import { build } from 'hdr-histogram-js'
import { Operation } from '../../actors/inventory/wire.js'
import { type FrameSocket, HoldFrameWriter, ReplyReader, ReserveFrameWriter } from '../client/index.js'

const FRAME_RECORDS = 256
/** Frames sent and not answered: enough to fill a commit (~8,000 records) while the next one is made. */
const FRAMES_IN_FLIGHT = 32

export class ReplayFrame {
  readonly reserve = new ReserveFrameWriter(FRAME_RECORDS)
  readonly release = new HoldFrameWriter(Operation.release, FRAME_RECORDS)
  /** The lines of the file whose records it carries. */
  readonly lines = new Uint32Array(FRAME_RECORDS)
  count = 0
  number = 0
  sentAtMs = 0
}

export class ReplayFrames {
  /** Microseconds from send to reply. */
  readonly latencies = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  })
  /** The reply that `take` has read. */
  readonly reply = new ReplyReader()

  // Two more than may be in flight: each kind may have one open.
  private readonly free = Array.from({ length: FRAMES_IN_FLIGHT + 2 }, () => new ReplayFrame())
  private readonly inFlight = new Map<number, ReplayFrame>()
  private reserving: ReplayFrame | undefined
  private releasing: ReplayFrame | undefined
  /** By article: the last frame that took a record of it. */
  private readonly lastFrame: Uint32Array
  private nextNumber = 1

  constructor(
    private readonly socket: FrameSocket,
    articles: number,
  ) {
    this.lastFrame = new Uint32Array(articles)
  }

  /** Whether another record may be added now. */
  get hasRoom(): boolean {
    return this.inFlight.size < FRAMES_IN_FLIGHT
  }

  get inFlightCount(): number {
    return this.inFlight.size
  }

  get isIdle(): boolean {
    return this.inFlight.size === 0 && !this.reserving && !this.releasing
  }

  reserve(
    line: number,
    article: number,
    id: Uint8Array,
    sku: number,
    quantity: number,
    ttlSeconds: number,
    buyer: number,
    location: number,
  ): void {
    if (this.releasing && this.lastFrame[article] === this.releasing.number) this.flush()
    this.reserving ??= this.begin('reserve')
    const frame = this.note(this.reserving, line, article)
    frame.reserve.add(id, 0, sku, quantity, ttlSeconds, buyer, location)
    if (frame.count === FRAME_RECORDS) this.flushReservations()
  }

  release(line: number, article: number, id: Uint8Array, sku: number): void {
    if (this.reserving && this.lastFrame[article] === this.reserving.number) this.flush()
    this.releasing ??= this.begin('release')
    const frame = this.note(this.releasing, line, article)
    frame.release.add(id, 0, sku)
    if (frame.count === FRAME_RECORDS) this.flushReleases()
  }

  /** Sends what is open. */
  flush(): void {
    this.flushReleases()
    this.flushReservations()
  }

  /** Takes a reply: the frame that it answers, to be read before the next record is added; undefined where it is none. */
  take(bytes: Uint8Array): ReplayFrame | undefined {
    const frame = this.reply.read(bytes) ? this.inFlight.get(this.reply.frame) : undefined
    if (!frame || this.reply.count !== frame.count) return undefined
    this.latencies.recordValue(Math.max(1, Math.round((performance.now() - frame.sentAtMs) * 1000)))
    this.inFlight.delete(frame.number)
    this.free.push(frame)
    return frame
  }

  private begin(kind: 'reserve' | 'release'): ReplayFrame {
    const frame = this.free.pop()
    if (!frame) throw new Error('a record was added without room')
    frame.count = 0
    frame.number = this.nextNumber++
    frame[kind].begin(frame.number)
    return frame
  }

  private note(frame: ReplayFrame, line: number, article: number): ReplayFrame {
    frame.lines[frame.count++] = line
    this.lastFrame[article] = frame.number
    return frame
  }

  private flushReservations(): void {
    if (this.reserving) this.send(this.reserving, this.reserving.reserve.finish())
    this.reserving = undefined
  }

  private flushReleases(): void {
    if (this.releasing) this.send(this.releasing, this.releasing.release.finish())
    this.releasing = undefined
  }

  private send(frame: ReplayFrame, bytes: Uint8Array): void {
    this.inFlight.set(frame.number, frame)
    frame.sentAtMs = performance.now()
    this.socket.send(bytes)
  }
}
