/** Reads a request's body, at most BODY_BYTES_MAX of it. */
import type { HttpResponse } from 'uWebSockets.js'
import { BODY_BYTES_MAX, BODY_DRAINED_MAX } from '../limits.js'

/** The body, or `tooLarge`; undefined where the client went away. */
export type ReadBody = Buffer | 'tooLarge' | undefined

/** Call it before anything that waits: what arrives meanwhile would be lost. `done` is called once, at once or later. */
export function readBody(res: HttpResponse, announced: number, done: (body: ReadBody) => void): void {
  if (announced > BODY_BYTES_MAX) {
    if (announced > BODY_DRAINED_MAX) done('tooLarge')
    else drain(res, () => done('tooLarge'))
    return
  }
  let parts: Buffer[] = []
  let length = 0
  let over = false
  res.onData((chunk, isLast) => {
    if (over) return
    length += chunk.byteLength
    if (length > BODY_BYTES_MAX) {
      over = true
      parts = []
      done('tooLarge')
      return
    }
    // The chunk is valid only during this call.
    if (isLast && parts.length === 0) {
      over = true
      done(Buffer.from(new Uint8Array(chunk)))
      return
    }
    parts.push(Buffer.from(new Uint8Array(chunk)))
    if (!isLast) return
    over = true
    done(Buffer.concat(parts, length))
  })
}

/** Reads a body to its end and forgets it: who is still sending when the connection is closed never sees the answer. */
function drain(res: HttpResponse, done: () => void): void {
  res.onData((_chunk, isLast) => {
    if (isLast) done()
  })
}
