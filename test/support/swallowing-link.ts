/** A connection between a client and a server that can swallow what the server sends, and break. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { whenDone } from './test-server.js'

export class SwallowingLink {
  port = 0
  swallows = false
  private readonly sockets = new Set<Socket>()
  private readonly server: Server

  private constructor(target: number) {
    this.server = createServer((client) => {
      const upstream = connect(target, '127.0.0.1')
      upstream.on('data', (bytes) => {
        if (!this.swallows) client.write(bytes)
      })
      client.on('data', (bytes) => upstream.write(bytes))
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.sockets.add(socket)
        socket.on('error', () => other.destroy())
        socket.on('close', () => {
          this.sockets.delete(socket)
          other.destroy()
        })
      }
    })
    whenDone(() => {
      this.breakOff()
      this.server.close()
    })
  }

  static async to(target: number): Promise<SwallowingLink> {
    const link = new SwallowingLink(target)
    await new Promise<void>((resolve) => link.server.listen(0, '127.0.0.1', resolve))
    const address = link.server.address()
    if (typeof address === 'object' && address) link.port = address.port
    return link
  }

  breakOff(): void {
    for (const socket of this.sockets) socket.destroy()
  }
}
