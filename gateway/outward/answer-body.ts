/** Reads what others answer, never more of it than asked for: whoever answers without end is hung up on. */
import type { Dispatcher } from 'undici'

type AnswerBody = Dispatcher.ResponseData['body']

/** The body, or undefined where it is longer than `bytesMax`; the connection is closed then. */
export async function readWhole(body: AnswerBody, bytesMax: number): Promise<Buffer | undefined> {
  const { bytes, isWhole } = await read(body, bytesMax)
  return isWhole ? bytes : undefined
}

/** The beginning of the body as text, as far as it can be read; breaks and control characters are spaces. */
export async function readExcerpt(body: AnswerBody, bytesMax: number): Promise<string> {
  const { bytes } = await read(body, bytesMax).catch(() => ({ bytes: Buffer.alloc(0) }))
  return bytes
    .toString('utf8')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
}

async function read(body: AnswerBody, bytesMax: number): Promise<{ bytes: Buffer; isWhole: boolean }> {
  // What breaks after we have turned away is nobody's concern any more, and must not end the process.
  body.on('error', () => {})
  const pieces: Buffer[] = []
  let length = 0
  // A body is a stream of bytes: undici sets no encoding unless asked to.
  for await (const piece of body as AsyncIterable<Buffer>) {
    pieces.push(piece)
    length += piece.length
    // Leaving the loop closes the connection.
    if (length > bytesMax) break
  }
  return { bytes: Buffer.concat(pieces).subarray(0, bytesMax), isWhole: length <= bytesMax }
}
