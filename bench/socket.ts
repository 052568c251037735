/**
 * A WebSocket client with as little between a frame and the kernel as Node allows: the load generator shares the
 * machine's cores with the server it measures, so what it spends is missing from the figure. It reads into one buffer,
 * writes frames that were prepared with their head (mask key zero, so that masking is the identity), and knows only what
 * the server sends: whole binary messages, ping and close.
 */
import { createHash, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

const READ_BUFFER_BYTES = 256 * 1024
const HANDSHAKE_BYTES_MAX = 16 * 1024
const CONNECT_PATIENCE_MS = 10_000
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const OPCODE_BINARY = 2
const OPCODE_CLOSE = 8
const OPCODE_PING = 9
const OPCODE_PONG = 10
const FINAL = 0x80
const MASKED = 0x80

/** A message lies at [start, end) of the buffer, which is only valid during the call. */
export interface SocketListener {
  onMessage(bytes: Buffer, start: number, end: number): void
  /** After the last whole message of what has arrived: the moment to answer all of it with one write. */
  onArrived?(): void
  /** The server or the network ended the connection. */
  onClosed(reason: string): void
}

export interface BareSocket {
  /** Sends bytes that are WebSocket frames already. They must not change until the server has answered them. */
  write(frames: Uint8Array): void
  send(message: Uint8Array): void
  close(): void
}

/** Bytes of a client's frame head: 2, an extended length, and the mask key. */
export function frameHeadBytes(payloadBytes: number): number {
  return payloadBytes < 126 ? 6 : payloadBytes < 65_536 ? 8 : 14
}

export function writeFrameHead(target: Buffer, at: number, payloadBytes: number, opcode = OPCODE_BINARY): void {
  target.fill(0, at, at + frameHeadBytes(payloadBytes))
  target[at] = FINAL | opcode
  if (payloadBytes < 126) target[at + 1] = MASKED | payloadBytes
  else if (payloadBytes < 65_536) {
    target[at + 1] = MASKED | 126
    target.writeUInt16BE(payloadBytes, at + 2)
  } else {
    target[at + 1] = MASKED | 127
    target.writeBigUInt64BE(BigInt(payloadBytes), at + 2)
  }
}

export function openSocket(port: number, listener: SocketListener): Promise<BareSocket> {
  return new Promise((resolve, reject) => {
    const key = randomBytes(16).toString('base64')
    const reader = new MessageReader(listener, () => tcp)
    let handshake = Buffer.alloc(0)
    let open = false
    let ended = false

    const finish = (reason: string) => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      tcp.destroy()
      if (open) listener.onClosed(reason)
      else reject(new Error(`No WebSocket at port ${port}: ${reason}`))
    }
    reader.onClose = finish

    const tcp: Socket = connect({
      host: '127.0.0.1',
      port,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
        callback(bytes, buffer) {
          const chunk = Buffer.from(buffer.buffer as ArrayBuffer, buffer.byteOffset, bytes)
          if (open) {
            reader.read(chunk)
            return true
          }
          handshake = Buffer.concat([handshake, chunk])
          const end = handshake.indexOf('\r\n\r\n')
          if (end < 0) {
            if (handshake.length > HANDSHAKE_BYTES_MAX) finish('the answer to the upgrade has no end')
            return true
          }
          const refusal = refusalOf(handshake.toString('latin1', 0, end), key)
          if (refusal) {
            finish(refusal)
            return true
          }
          open = true
          clearTimeout(timer)
          resolve({
            write: (frames) => {
              tcp.write(frames)
            },
            send: (message) => {
              tcp.write(frameOf(message))
            },
            close: () => {
              ended = true
              tcp.destroy()
            },
          })
          if (handshake.length > end + 4) reader.read(handshake.subarray(end + 4))
          return true
        },
      },
    })
    const timer = setTimeout(() => finish('no answer'), CONNECT_PATIENCE_MS)
    tcp.setNoDelay(true)
    tcp.on('error', (error) => finish(error.message))
    tcp.on('close', () => finish('the connection was closed without a close frame'))
    tcp.write(
      [
        'GET /v1/socket HTTP/1.1',
        `Host: 127.0.0.1:${port}`,
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Key: ${key}`,
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Protocol: doorbuster.v1',
        '\r\n',
      ].join('\r\n'),
    )
  })
}

/** Cuts what arrives into messages. A message that is not whole yet is kept until the rest has come. */
class MessageReader {
  onClose: (reason: string) => void = () => {}
  readonly #listener: SocketListener
  readonly #tcp: () => Socket
  #kept = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)
  #keptBytes = 0

  constructor(listener: SocketListener, tcp: () => Socket) {
    this.#listener = listener
    this.#tcp = tcp
  }

  read(chunk: Buffer): void {
    if (this.#keptBytes === 0) {
      const used = this.#readMessages(chunk)
      if (used < chunk.length) this.#keep(chunk.subarray(used))
    } else {
      this.#keep(chunk)
      const whole = this.#kept.subarray(0, this.#keptBytes)
      const used = this.#readMessages(whole)
      this.#kept.copyWithin(0, used, this.#keptBytes)
      this.#keptBytes -= used
    }
    this.#listener.onArrived?.()
  }

  #keep(bytes: Buffer): void {
    const wanted = this.#keptBytes + bytes.length
    if (wanted > this.#kept.length) {
      const larger = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(wanted)))
      this.#kept.copy(larger, 0, 0, this.#keptBytes)
      this.#kept = larger
    }
    bytes.copy(this.#kept, this.#keptBytes)
    this.#keptBytes = wanted
  }

  /** Hands on each whole message and returns how many bytes they took. */
  #readMessages(bytes: Buffer): number {
    let at = 0
    while (bytes.length - at >= 2) {
      const first = bytes[at] as number
      const small = (bytes[at + 1] as number) & 0x7f
      let start = at + 2
      let length = small
      if (small >= 126) {
        const extended = small === 126 ? 2 : 8
        if (bytes.length - start < extended) break
        length = small === 126 ? bytes.readUInt16BE(start) : Number(bytes.readBigUInt64BE(start))
        start += extended
      }
      const end = start + length
      if (bytes.length < end) break
      at = end
      if (first === (FINAL | OPCODE_BINARY)) this.#listener.onMessage(bytes, start, end)
      else this.#control(first, bytes.subarray(start, end))
    }
    return at
  }

  #control(first: number, payload: Buffer): void {
    if (first === (FINAL | OPCODE_PING)) this.#tcp().write(frameOf(payload, OPCODE_PONG))
    else if (first === (FINAL | OPCODE_CLOSE)) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 'no code'
      this.onClose(`the server closed the socket: ${code} ${payload.toString('utf8', 2)}`.trim())
    } else if (first !== (FINAL | OPCODE_PONG)) this.onClose(`a frame of an unexpected kind: 0x${first.toString(16)}`)
  }
}

function frameOf(payload: Uint8Array, opcode = OPCODE_BINARY): Buffer {
  const headBytes = frameHeadBytes(payload.length)
  const frame = Buffer.allocUnsafe(headBytes + payload.length)
  writeFrameHead(frame, 0, payload.length, opcode)
  frame.set(payload, headBytes)
  return frame
}

function refusalOf(head: string, key: string): string | undefined {
  const [status = '', ...headers] = head.split('\r\n')
  if (!status.startsWith('HTTP/1.1 101')) return `refused with "${status}"`
  const accept = headers
    .find((header) => /^sec-websocket-accept:/i.test(header))
    ?.split(':')[1]
    ?.trim()
  const expected = createHash('sha1')
    .update(key + ACCEPT_SUFFIX)
    .digest('base64')
  return accept === expected ? undefined : 'the server did not answer the WebSocket key'
}
