/** Bodies of NATS messages: JSON, or msgpack where the header says so; checked before they are decoded. */
import { Unpackr } from 'msgpackr'
import { headers, type MsgHdrs } from 'nats'
import type { Outcome } from '../../engine/protocol.js'
import { BODY_BYTES_MAX } from '../limits.js'
import { problem } from '../problems.js'
import { messageFault } from '../websocket/msgpack-guard.js'
import { packMessage } from '../websocket/pack-message.js'
import { Header } from './subjects.js'

export type Format = 'json' | 'msgpack'

export type Decoded = { format: Format; body: unknown } | { format: Format; fault: Outcome }

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' })
/** Bytes that are no text are refused instead of being taken for other text. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The first of the header's values; its name in any case, as clients write it. */
export function headerOf(all: MsgHdrs | undefined, name: string): string | undefined {
  if (!all) return undefined
  const value = all.get(name)
  if (value !== '') return value
  const wanted = name.toLowerCase()
  const key = all.keys().find((other) => other.toLowerCase() === wanted)
  return key === undefined ? undefined : all.get(key) || undefined
}

/** Never throws: a body that cannot be read is a fault in the format of its message. */
export function decodeBody(data: Uint8Array, all: MsgHdrs | undefined): Decoded {
  const type = headerOf(all, Header.contentType)
  if (type === undefined || /^application\/([\w.+-]+\+)?json\b/i.test(type)) return decodeJson(data)
  if (/^application\/(x-|vnd\.)?msgpack\b/i.test(type)) return decodeMsgpack(data)
  const detail = `The body is ${type.slice(0, 100)}; send application/json or application/msgpack.`
  return { format: 'json', fault: problem(415, 'invalid', detail) }
}

const tooLarge = (format: Format): Decoded => ({
  format,
  fault: problem(413, 'body_too_large', 'A body is at most 1 MiB; send less at once.'),
})

function decodeJson(data: Uint8Array): Decoded {
  // No body at all is one that says nothing: where a field is wanted, it is named.
  if (data.length === 0) return { format: 'json', body: {} }
  if (data.length > BODY_BYTES_MAX) return tooLarge('json')
  try {
    return { format: 'json', body: JSON.parse(utf8.decode(data)) }
  } catch (error) {
    const detail = `The body is not JSON: ${error instanceof Error ? error.message : 'unreadable'}.`
    return { format: 'json', fault: problem(400, 'invalid', detail, [{ path: '', message: 'not JSON' }]) }
  }
}

function decodeMsgpack(data: Uint8Array): Decoded {
  if (data.length === 0) return { format: 'msgpack', body: {} }
  if (data.length > BODY_BYTES_MAX) return tooLarge('msgpack')
  const fault = messageFault(data)
  if (fault === undefined) return { format: 'msgpack', body: unpackr.unpack(data) }
  const detail = `The body is not msgpack as it is taken here: ${fault}.`
  return { format: 'msgpack', fault: problem(400, 'invalid', detail, [{ path: '', message: fault }]) }
}

/** Bytes in an answer (a PDF) are base64 in JSON, which has no bytes. */
const jsonValue = (_key: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value

export function encodeReply(format: Format, reply: { status: number; body: unknown }): Uint8Array {
  if (format === 'msgpack') return packMessage(reply)
  const { body } = reply
  if (body instanceof Uint8Array) return Buffer.from(JSON.stringify({ ...reply, body: jsonValue('', body) }))
  return Buffer.from(JSON.stringify(reply))
}

export function replyHeaders(format: Format, replayed: boolean): MsgHdrs | undefined {
  if (format === 'json' && !replayed) return undefined
  const made = headers()
  if (format === 'msgpack') made.set(Header.contentType, 'application/msgpack')
  if (replayed) made.set(Header.idempotentReplayed, 'true')
  return made
}
