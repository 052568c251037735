/** One WebSocket: what is known of it, and the one way in which it is written to. */
import type { WebSocket } from 'uWebSockets.js'
import type { Directory } from '../directory.js'
import { READER_LAG_BYTES_MAX } from '../limits.js'

/** Close codes of RFC 6455. */
export const Close = { goingAway: 1001, malformed: 1007, policy: 1008, tooBig: 1009, overloaded: 1013 } as const

/** uWS copies the fields of what it is given onto the socket, so the connection hangs there whole. */
export interface SocketData {
  connection: Connection
}

export class Connection {
  open = true
  framesInFlight = 0
  controlsInFlight = 0
  readonly topics = new Set<string>()
  socket!: WebSocket<SocketData>

  private channelIndex = 0

  /** `channel`: the name of the channel that the socket speaks for; empty: none. */
  constructor(private readonly channel: string) {}

  /** The channel's index; 0, as for none, as long as nothing was ever set apart for it. */
  channelIn(directory: Directory): number {
    if (this.channelIndex === 0 && this.channel !== '') {
      this.channelIndex = Math.max(0, directory.find('channels', this.channel))
    }
    return this.channelIndex
  }

  /** Sends, unless the reader lags too far behind: then its socket is closed with the reason. */
  send(bytes: Uint8Array): void {
    if (!this.open) return
    if (this.socket.getBufferedAmount() > READER_LAG_BYTES_MAX) {
      this.close(Close.policy, `the reader lags more than ${READER_LAG_BYTES_MAX} bytes behind`)
      return
    }
    this.socket.send(bytes, true, false)
  }

  close(code: number, reason: string): void {
    if (!this.open) return
    this.open = false
    // What waits for a reader that does not read would stay in memory until it is gone: cut it off instead.
    if (this.socket.getBufferedAmount() > READER_LAG_BYTES_MAX) this.socket.close()
    else this.socket.end(code, reason)
  }
}
