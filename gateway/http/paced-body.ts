/**
 * The body of an answer that is written as fast as its reader reads it.
 *
 * uWS keeps what the kernel does not take. Once there is an `onWritable` handler, it sends what it kept only with the next
 * write or with the end, never by itself. So a body goes out in slices that are small beside the room that the kernel
 * makes at once: each write after a wait sends the slice that was kept and keeps at most itself.
 */
import type { HttpResponse } from 'uWebSockets.js'

const SLICE_BYTES = 16_384

/** uWS closes a connection that it has kept something for and not written to for 10 s: a byte in half of that defers it. */
const TRICKLE_MS = 5_000

export class PacedBody {
  /** The reader went away, or was cut off. */
  isGone = false
  private isFull = false
  private roomSinceMs = 0
  private happened = (): void => {}

  /** @param stallMsMax A reader that takes nothing for so long is cut off. */
  constructor(
    private readonly res: HttpResponse,
    private readonly stallMsMax: number,
  ) {
    res.onAborted(() => {
      this.isGone = true
      this.happened()
    })
    res.onWritable(() => {
      this.isFull = false
      this.happened()
      return true
    })
  }

  begin(headers: Record<string, string>): void {
    if (this.isGone) return
    this.res.cork(() => {
      this.res.writeStatus('200 OK')
      for (const name in headers) this.res.writeHeader(name, headers[name]!)
    })
  }

  /** Resolves once all of it is handed over, at most a slice of it to uWS, or the reader is gone. */
  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) {
      const hasRoom = await this.room()
      if (this.isGone) return
      if (hasRoom) this.roomSinceMs = performance.now()
      else if (performance.now() - this.roomSinceMs >= this.stallMsMax) return this.cut()
      const slice = bytes.subarray(at, at + (hasRoom ? SLICE_BYTES : 1))
      this.res.cork(() => (this.isFull = !this.res.write(slice)))
      at += slice.length
    }
  }

  /** Waits for it a little; false where the reader has taken nothing. */
  private room(): boolean | Promise<boolean> {
    if (!this.isFull) return true
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), TRICKLE_MS)
      this.happened = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }

  end(): void {
    if (!this.isGone) this.res.cork(() => this.res.end())
    this.isGone = true
  }

  /** Ends it so that the reader sees that it is not whole. */
  cut(): void {
    if (!this.isGone) this.res.close()
  }
}
