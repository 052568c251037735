/**
 * The bare socket: whole messages in, whole messages out, nothing kept per frame. What is sent in one tick leaves in
 * one system call. Use it to drive frames oneself; `DoorbusterClient` adds calls, deadlines and reconnection.
 */
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { FRAME_VERSION } from '../../actors/inventory/wire.js'
import { ClientError } from './client-error.js'

/** The subprotocol that both sides must name. */
export const SUBPROTOCOL = 'doorbuster.v1'

/** Replies are short (8 bytes a record) and control answers are lists of at most 500: more than this is no answer of ours. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024

const HANDSHAKE_TIMEOUT_MS = 10_000

/** After this long without the peer's half of the closing handshake the connection is dropped. */
const CLOSE_TIMEOUT_MS = 2_000

export interface FrameSocketOptions {
  /** An API key, sent as a bearer credential. */
  readonly token?: string | undefined
  /** The connection of the channel that this socket sells for, where a sale distinguishes channels. */
  readonly channel?: string | undefined
}

export interface SocketClosed {
  readonly code: number
  readonly reason: string
}

const ignore = () => {}

/** `http(s)://host:port` or `ws(s)://…`, with or without a path, to the address of the socket. */
function socketUrl(url: string, channel?: string): string {
  let address: URL
  try {
    address = new URL(url)
  } catch (cause) {
    throw new ClientError('invalid', `"${url}" is not a URL; write it like http://127.0.0.1:8080`, { cause })
  }
  const schemes: Record<string, string> = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' }
  const scheme = schemes[address.protocol]
  if (!scheme) throw new ClientError('invalid', `"${url}" must begin with http://, https://, ws:// or wss://`)
  address.protocol = scheme
  if (address.pathname === '/') address.pathname = '/v1/socket'
  if (channel !== undefined) address.searchParams.set('channel', channel)
  return address.href
}

export class FrameSocket {
  /** A packed frame has come. The bytes are only valid during the call: keep a copy. */
  onFrame: (bytes: Buffer) => void = ignore
  /** Any other binary message has come: one msgpack map. Valid during the call. */
  onControl: (bytes: Buffer) => void = ignore
  /** The socket has closed, for whatever reason; called once. */
  onClose: (code: number, reason: string) => void = ignore
  /** Set once the socket has closed, for those who begin to listen late. */
  closed: SocketClosed | undefined

  private corked = false

  private constructor(
    private readonly socket: WebSocket,
    private readonly stream: Socket,
  ) {}

  /** Connects. Rejects with `unavailable` or `unauthorized`. */
  static connect(url: string, options: FrameSocketOptions = {}): Promise<FrameSocket> {
    const address = socketUrl(url, options.channel)
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(address, SUBPROTOCOL, {
        perMessageDeflate: false,
        skipUTF8Validation: true,
        allowSynchronousEvents: true,
        maxPayload: MESSAGE_BYTES_MAX,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        closeTimeout: CLOSE_TIMEOUT_MS,
        // A mask protects proxies from script in browsers; this is neither, and with zeroes `ws` need not touch the bytes.
        generateMask: (mask) => void mask.fill(0),
        ...(options.token === undefined ? {} : { headers: { authorization: `Bearer ${options.token}` } }),
      } as WebSocket.ClientOptions) // closeTimeout is younger than the published types
      socket.binaryType = 'nodebuffer'
      let stream: Socket | undefined
      let opened: FrameSocket | undefined
      let trouble = ''
      socket.once('upgrade', (response) => {
        stream = response.socket
      })
      socket.once('open', () => {
        if (!stream) return socket.terminate()
        opened = new FrameSocket(socket, stream)
        opened.listen()
        resolve(opened)
      })
      socket.once('unexpected-response', (_request, response) => {
        const status = response.statusCode ?? 0
        const code = status === 401 || status === 403 ? 'unauthorized' : 'unavailable'
        reject(new ClientError(code, `${address} refused the connection with HTTP status ${status}`))
        socket.terminate()
      })
      socket.on('error', (error) => {
        trouble = error.message || ('code' in error ? String(error.code) : error.name)
        if (!opened)
          reject(new ClientError('unavailable', `cannot connect to ${address}: ${trouble}`, { cause: error }))
      })
      socket.once('close', (code, reason) => {
        const closed = { code, reason: reason.toString() || trouble }
        if (!opened)
          return reject(new ClientError('unavailable', `${address} closed the connection: ${trouble || code}`))
        opened.closed = closed
        opened.onClose(closed.code, closed.reason)
      })
    })
  }

  private listen(): void {
    this.socket.on('message', (data, isBinary) => {
      // `nodebuffer` makes every message a Buffer; the type is the union over all settings.
      const bytes = data as Buffer
      if (!isBinary) this.close(1003, 'text messages are not part of this protocol')
      else if (bytes[0] === FRAME_VERSION) this.onFrame(bytes)
      else this.onControl(bytes)
    })
  }

  /**
   * Sends one message. The bytes are not copied: they must stay as they are until the answer has come (or
   * `bufferedAmount` is 0). On a closed socket nothing happens: `onClose` has told.
   */
  send(bytes: Uint8Array): void {
    if (this.socket.readyState !== WebSocket.OPEN) return
    if (!this.corked) {
      this.corked = true
      this.stream.cork()
      process.nextTick(this.uncork)
    }
    this.socket.send(bytes)
  }

  /** Bytes that are not with the kernel yet. */
  get bufferedAmount(): number {
    return this.socket.bufferedAmount
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN
  }

  /** Closes with a handshake; `onClose` follows. */
  close(code = 1000, reason = ''): void {
    this.socket.close(code, reason)
  }

  /** Drops the connection at once; `onClose` follows. For a peer that no longer answers. */
  terminate(): void {
    this.socket.terminate()
  }

  private readonly uncork = () => {
    this.corked = false
    this.stream.uncork()
  }
}
