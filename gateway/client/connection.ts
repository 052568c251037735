/** A socket that comes back: connects again with growing, jittered pauses until it is closed or refused for good. */
import { ClientError } from './client-error.js'
import { FrameSocket, type FrameSocketOptions } from './frame-socket.js'

export interface Backoff {
  /** The pause before the first attempt. */
  readonly firstMs: number
  /** No pause is longer. */
  readonly longestMs: number
}

export interface ConnectionListener {
  /** Connected, for the first time or again. */
  onOpen(): void
  onFrame(bytes: Buffer): void
  onControl(bytes: Buffer): void
  /** Lost; it is being tried again. */
  onLost(): void
  /** It ends here: refused for good. */
  onFatal(error: ClientError): void
}

/** Close codes by which the server says that repeating the same would be refused again. */
const FATAL_CLOSE_CODES: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009])

export class Connection {
  private socket: FrameSocket | undefined
  private retry: NodeJS.Timeout | undefined
  private attempts = 0
  private closing = false
  private heardAtMs = 0

  constructor(
    private readonly url: string,
    private readonly options: FrameSocketOptions,
    private readonly backoff: Backoff,
    private readonly listener: ConnectionListener,
  ) {}

  /** The first connection: tried once, since a wrong address should be told at once. */
  async open(): Promise<void> {
    this.adopt(await FrameSocket.connect(this.url, this.options))
  }

  get isOpen(): boolean {
    return this.socket?.isOpen ?? false
  }

  /** Sends if there is a connection; what matters is sent again by `onOpen`. */
  send(bytes: Uint8Array): void {
    this.socket?.send(bytes)
  }

  /** Drops a connection on which nothing at all was heard for so long: a half-open one would wait for ever. */
  dropIfSilentFor(silenceMs: number): void {
    if (this.isOpen && performance.now() - this.heardAtMs >= silenceMs) this.socket?.terminate()
  }

  /** Closes for good. */
  close(code = 1000, reason = ''): void {
    this.closing = true
    clearTimeout(this.retry)
    this.socket?.close(code, reason)
    this.socket = undefined
  }

  private adopt(socket: FrameSocket): void {
    this.socket = socket
    this.attempts = 0
    this.heardAtMs = performance.now()
    socket.onFrame = (bytes) => {
      this.heardAtMs = performance.now()
      this.listener.onFrame(bytes)
    }
    socket.onControl = (bytes) => {
      this.heardAtMs = performance.now()
      this.listener.onControl(bytes)
    }
    socket.onClose = (code, reason) => this.lost(code, reason)
    if (socket.closed) this.lost(socket.closed.code, socket.closed.reason)
    else this.listener.onOpen()
  }

  private lost(code: number, reason: string): void {
    this.socket = undefined
    if (this.closing) return
    if (FATAL_CLOSE_CODES.has(code)) {
      this.listener.onFatal(new ClientError('protocol', `the server closed the connection with ${code}: ${reason}`))
      return
    }
    this.listener.onLost()
    this.scheduleRetry()
  }

  private scheduleRetry(): void {
    const longestMs = Math.min(this.backoff.longestMs, this.backoff.firstMs * 2 ** this.attempts)
    this.attempts = Math.min(this.attempts + 1, 30)
    // Half of the pause is random: clients that lost one server do not come back to it in step.
    const pauseMs = longestMs * (0.5 + Math.random() / 2)
    this.retry = setTimeout(() => void this.reopen(), pauseMs)
  }

  private async reopen(): Promise<void> {
    try {
      const socket = await FrameSocket.connect(this.url, this.options)
      if (this.closing) socket.close()
      else this.adopt(socket)
    } catch (error) {
      if (this.closing) return
      if (error instanceof ClientError && error.code === 'unauthorized') this.listener.onFatal(error)
      else this.scheduleRetry()
    }
  }
}
