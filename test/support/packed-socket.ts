/** A socket that speaks packed frames and control messages, nothing repeated and nothing kept: what breaks is seen. */
import { randomBytes } from 'node:crypto'
import { Packr } from 'msgpackr'
import {
  FrameSocket,
  type FrameSocketOptions,
  HoldFrameWriter,
  ReplyReader,
  ReserveFrameWriter,
  type SocketClosed,
} from '../../gateway/client/index.js'
import { whenDone } from './test-server.js'

/** Operations and statuses of the wire, as the contract numbers them. */
export const Operation = { reserve: 1, confirm: 2, release: 3 } as const
export const Status = {
  done: 0,
  insufficientStock: 1,
  unknownSku: 2,
  unknownLocation: 3,
  buyerLimit: 4,
  saleClosed: 5,
  invalid: 6,
  conflict: 7,
  overloaded: 8,
  expired: 9,
  unknownReservation: 10,
} as const
export const ANY_LOCATION = 0xffff

export interface ReserveRecord {
  readonly id: Uint8Array
  /** Index. */
  readonly sku: number
  readonly quantity?: number
  /** 0: the server's default. */
  readonly ttlSeconds?: number
  readonly buyer?: number
  readonly location?: number
}

export interface HoldRecord {
  readonly id: Uint8Array
  readonly sku: number
}

export interface Reply {
  readonly status: number
  readonly replayed: boolean
  readonly location: number
  readonly remaining: number
}

export interface CommandAnswer<Body> {
  readonly status: number
  readonly body: Body
}

interface Waiter {
  readonly done: (value: never) => void
  readonly fail: (error: Error) => void
}

/** The 16 bytes of a reservation's id that nobody else has. */
export const newId = (): Uint8Array => randomBytes(16)

/** The bytes of a frame of reservations. */
export function reserveFrame(frame: number, records: readonly ReserveRecord[]): Uint8Array {
  const writer = new ReserveFrameWriter(records.length)
  writer.begin(frame)
  for (const { id, sku, quantity = 1, ttlSeconds = 0, buyer = 0, location = ANY_LOCATION } of records)
    writer.add(id, 0, sku, quantity, ttlSeconds, buyer, location)
  return writer.finish()
}

/** The bytes of a frame of confirmations or releases. */
export function holdFrame(operation: 2 | 3, frame: number, records: readonly HoldRecord[]): Uint8Array {
  const writer = new HoldFrameWriter(operation, records.length)
  writer.begin(frame)
  for (const { id, sku } of records) writer.add(id, 0, sku)
  return writer.finish()
}

/**
 * Makes frames of so many reservations of one SKU, each record with an id of its own: the bytes of the first, with other
 * ids and another number, so that a load costs its server more than itself.
 */
export function frameMaker(
  sku: number,
  count: number,
  fields: Partial<ReserveRecord> = {},
): (frame: number) => Uint8Array {
  const template = reserveFrame(
    0,
    Array.from({ length: count }, () => ({ ttlSeconds: 86_400, ...fields, id: newId(), sku })),
  )
  let next = 0
  return (frame) => {
    const bytes = Buffer.from(template)
    bytes.writeUInt32LE(frame, 4)
    for (let i = 0; i < count; i++) bytes.writeUInt32LE(next++, 8 + 40 * i)
    return bytes
  }
}

export class PackedSocket {
  readonly closed: Promise<SocketClosed>
  /** Messages of subscriptions, as they come. */
  onEvent: (topic: string, event: Record<string, unknown>) => void = () => {}
  private readonly packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number' })
  private readonly frames = new Map<number, Waiter>()
  private readonly controls = new Map<number, Waiter>()
  private readonly reader = new ReplyReader()
  private next = 1

  private constructor(readonly socket: FrameSocket) {
    socket.onFrame = (bytes) => this.takeFrame(bytes)
    socket.onControl = (bytes) => this.takeControl(bytes)
    this.closed = new Promise((done) => {
      const close = (code: number, reason: string) => {
        const error = new Error(`the socket was closed: ${code} ${reason}`)
        for (const { fail } of [...this.frames.values(), ...this.controls.values()]) fail(error)
        this.frames.clear()
        this.controls.clear()
        done({ code, reason })
      }
      socket.onClose = close
      if (socket.closed) close(socket.closed.code, socket.closed.reason)
    })
  }

  static async connect(url: string, options: FrameSocketOptions = {}): Promise<PackedSocket> {
    const socket = new PackedSocket(await FrameSocket.connect(url, options))
    whenDone(() => socket.close())
    return socket
  }

  get unanswered(): number {
    return this.frames.size
  }

  /** Sends a frame that is made for its number. */
  send(make: (frame: number) => Uint8Array): Promise<Reply[]> {
    const frame = this.next++
    return this.await(this.frames, frame, make(frame))
  }

  reserve(records: readonly ReserveRecord[]): Promise<Reply[]> {
    const frame = this.next++
    return this.await(this.frames, frame, reserveFrame(frame, records))
  }

  confirm(records: readonly HoldRecord[]): Promise<Reply[]> {
    const frame = this.next++
    return this.await(this.frames, frame, holdFrame(Operation.confirm, frame, records))
  }

  release(records: readonly HoldRecord[]): Promise<Reply[]> {
    const frame = this.next++
    return this.await(this.frames, frame, holdFrame(Operation.release, frame, records))
  }

  /** One control message; resolves with what answers its `ref`. */
  control<Body = Record<string, unknown>>(message: Record<string, unknown>): Promise<Body> {
    const ref = this.next++
    return this.await(this.controls, ref, this.packr.pack({ ...message, ref }))
  }

  command<Body = Record<string, unknown>>(name: string, body: unknown): Promise<CommandAnswer<Body>> {
    return this.control<CommandAnswer<Body>>({ op: 'command', name, body })
  }

  async intern(
    skus: readonly string[],
    locations: readonly string[] = [],
  ): Promise<{ skus: number[]; locations: number[] }> {
    return await this.control({ op: 'intern', skus, locations })
  }

  close(): void {
    this.socket.terminate()
  }

  private await<Value>(waiters: Map<number, Waiter>, key: number, bytes: Uint8Array): Promise<Value> {
    return new Promise<Value>((done, fail) => {
      if (this.socket.closed) return fail(new Error('the socket is closed'))
      waiters.set(key, { done, fail })
      this.socket.send(bytes)
    })
  }

  private takeFrame(bytes: Buffer): void {
    const { reader } = this
    const waiter = reader.read(bytes) ? this.frames.get(reader.frame) : undefined
    if (!waiter) throw new Error(`no frame of ours is answered by ${bytes.subarray(0, 16).toString('hex')}`)
    this.frames.delete(reader.frame)
    const replies: Reply[] = []
    for (let i = 0; i < reader.count; i++) {
      const status = reader.status(i)
      replies.push({
        status,
        replayed: reader.replayed(i),
        location: reader.location(i),
        remaining: reader.remaining(i),
      })
    }
    waiter.done(replies as never)
  }

  private takeControl(bytes: Buffer): void {
    const message = this.packr.unpack(bytes) as Record<string, unknown>
    if (message.op === 'event') {
      this.onEvent(message.topic as string, message.event as Record<string, unknown>)
      return
    }
    const waiter = this.controls.get(message.ref as number)
    this.controls.delete(message.ref as number)
    waiter?.done(message as never)
  }
}
