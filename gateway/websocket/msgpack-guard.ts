/**
 * Looks over a msgpack message before it is decoded: one map, of plain values under
 * text keys, no deeper and no longer than its own
 * bytes allow. A decoder asked to make an array of a billion, or an extension type of its own, is never reached.
 */
const DEPTH_MAX = 32

class Malformed extends Error {}

/** Why the message is not taken; undefined where it is well-formed. */
export function messageFault(bytes: Uint8Array): string | undefined {
  const first = bytes[0]
  const isMap = first !== undefined && ((first >= 0x80 && first <= 0x8f) || first === 0xde || first === 0xdf)
  if (!isMap) return 'a control message is one msgpack map'
  try {
    const end = skip(bytes, 0, 0)
    return end === bytes.length ? undefined : 'there are bytes behind the msgpack map'
  } catch (error) {
    if (error instanceof Malformed) return error.message
    throw error
  }
}

function need(bytes: Uint8Array, at: number, length: number): number {
  if (at + length > bytes.length) throw new Malformed('the msgpack map is cut off')
  return at + length
}

function unsigned(bytes: Uint8Array, at: number, width: number): number {
  need(bytes, at, width)
  let value = 0
  for (let i = 0; i < width; i++) value = value * 256 + bytes[at + i]!
  return value
}

function skipMany(bytes: Uint8Array, from: number, count: number, depth: number): number {
  // Each value is at least a byte, so a count beyond the rest of the message is a lie.
  if (count > bytes.length - from) throw new Malformed('the msgpack map is cut off')
  let at = from
  for (let i = 0; i < count; i++) at = skip(bytes, at, depth)
  return at
}

/** A map of `count` pairs; its keys are texts, since a decoder makes names of fields of them. */
function skipPairs(bytes: Uint8Array, from: number, count: number, depth: number): number {
  if (count * 2 > bytes.length - from) throw new Malformed('the msgpack map is cut off')
  let at = from
  for (let i = 0; i < count; i++) {
    const type = bytes[at]
    if (type === undefined) throw new Malformed('the msgpack map is cut off')
    const isText = (type >= 0xa0 && type < 0xc0) || (type >= 0xd9 && type <= 0xdb)
    if (!isText) throw new Malformed('the keys of a msgpack map are texts')
    at = skip(bytes, skip(bytes, at, depth), depth)
  }
  return at
}

/** The position behind the value at `at`. */
function skip(bytes: Uint8Array, at: number, depth: number): number {
  if (depth > DEPTH_MAX) throw new Malformed(`a message is at most ${DEPTH_MAX} levels deep`)
  need(bytes, at, 1)
  const type = bytes[at]!
  const body = at + 1
  if (type < 0x80 || type >= 0xe0) return body
  if (type < 0x90) return skipPairs(bytes, body, type & 15, depth + 1)
  if (type < 0xa0) return skipMany(bytes, body, type & 15, depth + 1)
  if (type < 0xc0) return need(bytes, body, type & 31)
  switch (type) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return body
    case 0xcc:
    case 0xd0:
      return need(bytes, body, 1)
    case 0xcd:
    case 0xd1:
      return need(bytes, body, 2)
    case 0xca:
    case 0xce:
    case 0xd2:
      return need(bytes, body, 4)
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return need(bytes, body, 8)
    case 0xc4:
    case 0xd9:
      return need(bytes, body + 1, unsigned(bytes, body, 1))
    case 0xc5:
    case 0xda:
      return need(bytes, body + 2, unsigned(bytes, body, 2))
    case 0xc6:
    case 0xdb:
      return need(bytes, body + 4, unsigned(bytes, body, 4))
    case 0xdc:
      return skipMany(bytes, body + 2, unsigned(bytes, body, 2), depth + 1)
    case 0xdd:
      return skipMany(bytes, body + 4, unsigned(bytes, body, 4), depth + 1)
    case 0xde:
      return skipPairs(bytes, body + 2, unsigned(bytes, body, 2), depth + 1)
    case 0xdf:
      return skipPairs(bytes, body + 4, unsigned(bytes, body, 4), depth + 1)
    default:
      throw new Malformed(`msgpack type 0x${type.toString(16)} is not taken; use plain values`)
  }
}
