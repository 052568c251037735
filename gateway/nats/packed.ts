/**
 * doorbuster.v1.reserve: the packed frames of the WebSocket by request and reply. One small object for a frame, none for a
 * record; an answer that is no frame is a problem document, told apart by its header Doorbuster-Status.
 */
import { headers, type Msg, type NatsConnection, type Subscription } from 'nats'
import type { Logger } from 'pino'
import { FRAME_VERSION } from '../../actors/inventory/wire.js'
import { MESSAGE_BYTES_MAX } from '../limits.js'
import { problemDocument } from '../problems.js'
import { Close } from '../websocket/connection.js'
import type { FrameAsker, PackedFrames } from '../websocket/frames.js'
import { faultOf } from './connection.js'
import { Header, QUEUE_GROUP, RESERVE } from './subjects.js'

export class NatsFrames {
  /** Of all who ask by NATS, as of one socket. */
  inFlight = 0

  constructor(
    private readonly frames: PackedFrames,
    private readonly logger: Logger,
  ) {}

  subscribe(connection: NatsConnection): Subscription {
    return connection.subscribe(RESERVE, {
      queue: QUEUE_GROUP,
      callback: (error, message) => {
        if (error) this.logger.error({ reason: faultOf(error) }, 'packed frames cannot be taken from NATS')
        else this.take(message)
      },
    })
  }

  private take(message: Msg): void {
    const { data } = message
    const asker = new RequestAsker(this, message)
    if (data[0] !== FRAME_VERSION) {
      asker.close(Close.malformed, `a frame begins with its version, ${FRAME_VERSION}`)
    } else if (data.length > MESSAGE_BYTES_MAX) {
      asker.close(Close.tooBig, `a frame is at most ${MESSAGE_BYTES_MAX} bytes`)
    } else {
      // A buffer of its own: what arrives stands anywhere in a larger one, and records are read in words.
      const own = new ArrayBuffer(data.length)
      new Uint8Array(own).set(data)
      this.frames.take(asker, own)
    }
  }
}

class RequestAsker implements FrameAsker {
  constructor(
    private readonly all: NatsFrames,
    private readonly message: Msg,
  ) {}

  get framesInFlight(): number {
    return this.all.inFlight
  }

  set framesInFlight(count: number) {
    this.all.inFlight = count
  }

  channelIn(): number {
    return 0
  }

  send(bytes: Uint8Array): void {
    // The client keeps what it is given until it writes.
    if (this.message.reply) this.message.respond(bytes.slice())
  }

  close(code: number, reason: string): void {
    if (!this.message.reply) return
    const status = code === Close.tooBig ? 413 : 400
    const made = headers()
    made.set(Header.status, String(status))
    made.set(Header.contentType, 'application/problem+json')
    const kind = status === 413 ? 'body_too_large' : 'invalid'
    const document = problemDocument(status, { code: kind, detail: `${reason}; nothing of it was done.` })
    this.message.respond(Buffer.from(JSON.stringify(document)), { headers: made })
  }
}
