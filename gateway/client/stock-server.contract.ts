/** The other side of the protocol, small enough to be seen to be right: one counter of stock for each SKU index, ids remembered. */
import type { AddressInfo } from 'node:net'
import { Packr } from 'msgpackr'
import { type WebSocket, WebSocketServer } from 'ws'

export class StockServer {
  readonly stock = new Map<number, number>()
  readonly held = new Map<string, number>()
  readonly frames: Buffer[] = []
  readonly control: Record<string, unknown>[] = []
  /** What is done with a frame instead of answering it. */
  intercept: ((bytes: Buffer, socket: WebSocket) => boolean) | undefined
  interceptControl: ((message: Record<string, unknown>, socket: WebSocket) => boolean) | undefined
  private server: WebSocketServer
  private readonly packr = new Packr({ useRecords: false })

  constructor(readonly port = 0) {
    this.server = this.listen(port)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  get sockets(): WebSocket[] {
    return [...this.server.clients]
  }

  send(socket: WebSocket, message: unknown): void {
    socket.send(this.packr.pack(message))
  }

  listening(): Promise<void> {
    return new Promise((done) => {
      if (this.server.address()) done()
      else this.server.once('listening', done)
    })
  }

  async stop(): Promise<void> {
    for (const socket of this.server.clients) socket.terminate()
    await new Promise((done) => this.server.close(done))
  }

  async restartOn(port: number): Promise<void> {
    this.server = this.listen(port)
    await this.listening()
  }

  private listen(port: number): WebSocketServer {
    const server = new WebSocketServer({ port, host: '127.0.0.1', handleProtocols: () => 'doorbuster.v1' })
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        const bytes = data as Buffer
        if (bytes[0] === 1) {
          this.frames.push(Buffer.from(bytes))
          if (!this.intercept?.(bytes, socket)) socket.send(this.answer(bytes))
        } else {
          const message = this.packr.unpack(bytes) as Record<string, unknown>
          this.control.push(message)
          if (!this.interceptControl?.(message, socket)) this.answerControl(message, socket)
        }
      })
    })
    return server
  }

  private answerControl(message: Record<string, unknown>, socket: WebSocket): void {
    const { op, ref } = message
    const index = (name: string) => (name.startsWith('NO') ? -1 : Number(name.replace(/\D/g, '')))
    if (op === 'intern') {
      const skus = (message.skus as string[]).map(index)
      this.send(socket, { op: 'interned', ref, skus, locations: (message.locations as string[]).map(index) })
    }
    if (op === 'command') this.send(socket, { op: 'reply', ref, status: 200, body: { echo: message.body } })
  }

  answer(bytes: Buffer): Buffer {
    const operation = bytes[1] ?? 0
    const count = bytes.readUInt16LE(2)
    const reply = Buffer.alloc(8 + 8 * count)
    bytes.copy(reply, 0, 0, 8)
    reply[1] = operation | 0x80
    for (let i = 0; i < count; i++) {
      const at = 8 + i * (operation === 1 ? 40 : 20)
      const id = bytes.toString('hex', at, at + 16)
      const sku = bytes.readUInt32LE(at + (operation === 1 ? 24 : 16))
      const quantity = operation === 1 ? bytes.readUInt32LE(at + 28) : (this.held.get(id) ?? 0)
      const replayed = operation === 1 && this.held.has(id)
      let left = this.stock.get(sku) ?? 0
      let status = 0
      if (operation === 1 && !replayed) {
        if (left < quantity) status = 1
        else {
          left -= quantity
          this.held.set(id, quantity)
        }
      } else if (operation !== 1 && !this.held.has(id)) status = 10
      else if (operation === 3) {
        left += quantity
        this.held.delete(id)
      }
      this.stock.set(sku, left)
      reply[8 + 8 * i] = status
      reply[9 + 8 * i] = replayed ? 1 : 0
      reply.writeUInt16LE(status === 0 ? 2 : 0xffff, 10 + 8 * i)
      reply.writeUInt32LE(left, 12 + 8 * i)
    }
    return reply
  }
}
