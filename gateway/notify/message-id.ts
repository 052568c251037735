/**
 * The Message-ID of a mail, made of its key, so that the same message sent again has the same one (which mail programs and
 * servers take for a repeat), and so that a report about it leads back to the key. It is signed: who can write a mail to us
 * cannot make us believe that somebody's address is dead.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { assert } from '../../engine/assert.js'

const SECRET_BYTES_MIN = 16
const SIGNATURE_BYTES = 16
/** A Message-ID of the longest key is below 300 characters; a line of a mail has at most 998 (RFC 5322, 2.1.1). */
const ID_CHARACTERS_MAX = 600

/** `<key.signature@domain>`, both in base64url. */
export function messageIdOf(key: string, domain: string, secret: string): string {
  return `<${Buffer.from(key).toString('base64url')}.${signature(key, secret)}@${domain}>`
}

/** The key of a Message-ID of ours, with or without its brackets; undefined where it is not ours or was changed. */
export function keyOfMessageId(messageId: string, secret: string): string | undefined {
  if (messageId.length > ID_CHARACTERS_MAX) return undefined
  const [, encodedKey, encodedSignature] = /^<?([\w-]+)\.([\w-]{22})@[^\s<>@]+>?$/.exec(messageId.trim()) ?? []
  if (encodedKey === undefined || encodedSignature === undefined) return undefined
  const key = Buffer.from(encodedKey, 'base64url').toString()
  // Of base64 several texts are the same bytes: only the one that we write is ours.
  if (Buffer.from(key).toString('base64url') !== encodedKey) return undefined
  return timingSafeEqual(Buffer.from(encodedSignature), Buffer.from(signature(key, secret))) ? key : undefined
}

/** 22 characters. */
function signature(key: string, secret: string): string {
  assert(
    Buffer.byteLength(secret) >= SECRET_BYTES_MIN,
    `the secret of Message-IDs has at least ${SECRET_BYTES_MIN} bytes`,
  )
  const whole = createHmac('sha256', secret).update(`message-id\n${key}`).digest()
  return whole.subarray(0, SIGNATURE_BYTES).toString('base64url')
}
