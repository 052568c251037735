/** HTTP byte by byte, for what no well-behaved client sends. */
import { connect, type Socket } from 'node:net'
import { whenDone } from './test-server.js'

export interface RawResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

export class RawHttp {
  /** Resolves once the connection is gone, whoever ended it. */
  readonly closed: Promise<void>
  isClosed = false
  private received = Buffer.alloc(0)
  private readonly arrived: RawResponse[] = []
  private raw = false
  private wake = () => {}

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk])
      if (!this.raw) this.parse()
      this.wake()
    })
    this.closed = new Promise((done) => {
      socket.once('close', () => {
        this.isClosed = true
        this.wake()
        done()
      })
    })
  }

  static connect(port: number): Promise<RawHttp> {
    const socket = connect(port, '127.0.0.1')
    return new Promise((done, fail) => {
      socket.once('error', fail)
      socket.once('connect', () => {
        socket.off('error', fail)
        whenDone(() => socket.destroy())
        done(new RawHttp(socket))
      })
    })
  }

  send(bytes: string | Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(bytes)
  }

  /** Takes nothing more from the kernel: a reader that does not read. */
  pause(): void {
    this.socket.pause()
  }

  end(): void {
    this.socket.destroy()
  }

  /** The next responses, up to `count`; fewer where the connection ends before. */
  async responses(count: number): Promise<RawResponse[]> {
    while (this.arrived.length < count && !this.isClosed) {
      await new Promise<void>((done) => {
        this.wake = done
      })
    }
    return this.arrived.splice(0, count)
  }

  /** Everything until the server closes, as text. */
  async rest(): Promise<string> {
    this.raw = true
    await this.closed
    return this.received.toString('latin1')
  }

  /** One request on a connection of its own: its response, or undefined where the server only closed. */
  static async exchange(port: number, request: string | Uint8Array): Promise<RawResponse | undefined> {
    const connection = await RawHttp.connect(port)
    connection.send(request)
    const [response] = await connection.responses(1)
    connection.end()
    return response
  }

  private parse(): void {
    for (;;) {
      const end = this.received.indexOf('\r\n\r\n')
      if (end < 0) return
      const [first = '', ...lines] = this.received.toString('latin1', 0, end).split('\r\n')
      const headers = new Map(
        lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
      )
      const length = Number(headers.get('content-length') ?? 0)
      const total = end + 4 + length
      if (this.received.length < total) return
      const body = this.received.toString('utf8', end + 4, total)
      this.arrived.push({ status: Number(first.split(' ')[1]), headers, body })
      this.received = this.received.subarray(total)
    }
  }
}

/** The text of a request. */
export function requestText(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): string {
  const all = {
    Host: `127.0.0.1:${port}`,
    ...(body === undefined
      ? {}
      : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) }),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`
}
