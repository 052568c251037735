/** /v1/socket: subprotocol doorbuster.v1. A first byte of 0x01 is a packed frame, anything else a control message. */
import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket } from 'uWebSockets.js'
import { FRAME_VERSION } from '../../actors/inventory/wire.js'
import type { Guard } from '../guard.js'
import { respond } from '../http/responder.js'
import { MESSAGE_BYTES_MAX, READER_LAG_BYTES_MAX } from '../limits.js'
import type { Metrics } from '../metrics.js'
import type { Operation, OperationContext } from '../operations/operation.js'
import { problem } from '../problems.js'
import { Close, Connection, type SocketData } from './connection.js'
import { Controls } from './control.js'
import { PackedFrames } from './frames.js'
import { Subscriptions } from './subscriptions.js'

export const SUBPROTOCOL = 'doorbuster.v1'
/** uWS itself cuts off what is longer, without a reason; what is a little too long still gets one. */
const HARD_BYTES_MAX = 4 * 1_048_576
const IDLE_SECONDS = 120

export interface SocketServerOptions {
  app: TemplatedApp
  operations: Operation[]
  context: OperationContext
  guard: Guard
  metrics: Metrics
}

export class SocketServer {
  private readonly connections = new Set<Connection>()
  private readonly frames: PackedFrames
  private readonly controls: Controls
  private readonly subscriptions: Subscriptions

  constructor(private readonly options: SocketServerOptions) {
    const { app, operations, context, metrics } = options
    this.frames = new PackedFrames(context.dispatch, context.directory, metrics)
    this.subscriptions = new Subscriptions(context)
    this.controls = new Controls(operations, context, metrics, this.subscriptions)
    app.ws<SocketData>('/v1/socket', {
      maxPayloadLength: HARD_BYTES_MAX,
      // uWS would silently leave messages out; a connection that lags is closed with a reason instead (connection.ts).
      maxBackpressure: 2 * READER_LAG_BYTES_MAX,
      idleTimeout: IDLE_SECONDS,
      sendPingsAutomatically: true,
      upgrade: (res, req, socketContext) => this.upgrade(res, req, socketContext),
      open: (ws) => this.opened(ws),
      message: (ws, message, isBinary) => this.message(ws.getUserData().connection, message, isBinary),
      close: (ws) => this.closed(ws.getUserData().connection),
    })
  }

  private upgrade(res: HttpResponse, req: HttpRequest, socketContext: us_socket_context_t): void {
    const foreign = this.options.guard.refusal(req)
    if (foreign !== undefined) {
      respond(res, problem(403, 'foreign_request', foreign))
      return
    }
    const protocols = req.getHeader('sec-websocket-protocol').split(',')
    if (!protocols.some((protocol) => protocol.trim() === SUBPROTOCOL)) {
      respond(res, problem(400, 'invalid', `Ask for the subprotocol ${SUBPROTOCOL}.`))
      return
    }
    const name = new URLSearchParams(req.getQuery() ?? '').get('channel')
    const key = req.getHeader('sec-websocket-key')
    const extensions = req.getHeader('sec-websocket-extensions')
    const connection = new Connection(name ?? '')
    res.upgrade({ connection }, key, SUBPROTOCOL, extensions, socketContext)
  }

  private opened(ws: WebSocket<SocketData>): void {
    const { connection } = ws.getUserData()
    connection.socket = ws
    this.connections.add(connection)
    this.subscriptions.add(connection)
    this.options.metrics.sockets.inc()
  }

  private message(connection: Connection, message: ArrayBuffer, isBinary: boolean): void {
    if (!connection.open) return
    if (!isBinary) connection.close(Close.malformed, 'messages are binary')
    else if (message.byteLength === 0) connection.close(Close.malformed, 'the message is empty')
    else {
      const bytes = new Uint8Array(message)
      if (bytes[0] === FRAME_VERSION) this.frames.take(connection, message)
      else if (bytes.length > MESSAGE_BYTES_MAX)
        connection.close(Close.tooBig, `a control message is at most ${MESSAGE_BYTES_MAX} bytes`)
      else this.controls.take(connection, bytes)
    }
  }

  private closed(connection: Connection): void {
    connection.open = false
    this.connections.delete(connection)
    this.subscriptions.remove(connection)
    this.options.metrics.sockets.dec()
  }

  /** Frames and commands that are not answered yet. */
  get inFlight(): number {
    let inFlight = 0
    for (const { framesInFlight, controlsInFlight } of this.connections) inFlight += framesInFlight + controlsInFlight
    return inFlight
  }

  stop(): void {
    this.subscriptions.stop()
    for (const connection of this.connections) connection.close(Close.goingAway, 'the server stops')
  }
}
