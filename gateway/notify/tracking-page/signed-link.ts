/**
 * Links that open one order's page without a login: who has the link may see what it names, until it expires, and nobody
 * can make one for another order.
 *
 *     u8 version = 1 · u48 expiresAt (s, big-endian) · payload (UTF-8) · u8[16] HMAC-SHA256, cut to its first half
 *
 * as one base64url text. Half of an HMAC is as RFC 2104, 5 allows; it keeps the link short enough for an SMS.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { assert } from '../../../engine/assert.js'

const VERSION = 1
const HEAD_BYTES = 7
const MAC_BYTES = 16
const SECRET_BYTES_MIN = 16
const PAYLOAD_BYTES_MAX = 512
const TOKEN_CHARACTERS_MAX = Math.ceil(((HEAD_BYTES + PAYLOAD_BYTES_MAX + MAC_BYTES) * 4) / 3)

export type VerifiedLink =
  | { valid: true; payload: string }
  | { valid: false; reason: 'malformed' | 'forged' | 'expired' }

/** `payload`: what the link opens, 1 to 512 bytes; it can be read by who has the link. `secret`: at least 16 bytes. */
export function signLink(payload: string, secret: string, expiresAtMs: number): string {
  const bytes = Buffer.from(payload)
  const expiresAt = Math.ceil(expiresAtMs / 1_000)
  assert(bytes.length > 0 && bytes.length <= PAYLOAD_BYTES_MAX, `a link's payload has 1 to ${PAYLOAD_BYTES_MAX} bytes`)
  assert(bytes.toString() === payload, "a link's payload is well-formed Unicode")
  assert(Number.isSafeInteger(expiresAt) && expiresAt >= 0 && expiresAt < 2 ** 48, 'a link expires at some time in ms')
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt8(VERSION, 0)
  head.writeUIntBE(expiresAt, 1, 6)
  const signed = Buffer.concat([head, bytes])
  return Buffer.concat([signed, mac(signed, secret)]).toString('base64url')
}

/** Whether it was signed with the secret is found out in constant time, and before anything else of it is believed. */
export function verifyLink(token: string, secret: string, nowMs: number): VerifiedLink {
  if (token.length > TOKEN_CHARACTERS_MAX) return { valid: false, reason: 'malformed' }
  const bytes = Buffer.from(token, 'base64url')
  // Buffer passes over what is not base64url, and over its spare bits: one link would have many ways of writing it.
  if (bytes.length <= HEAD_BYTES + MAC_BYTES || bytes.toString('base64url') !== token) {
    return { valid: false, reason: 'malformed' }
  }
  const signed = bytes.subarray(0, -MAC_BYTES)
  if (!timingSafeEqual(bytes.subarray(-MAC_BYTES), mac(signed, secret))) return { valid: false, reason: 'forged' }
  if (signed.readUInt8(0) !== VERSION) return { valid: false, reason: 'malformed' }
  if (nowMs >= signed.readUIntBE(1, 6) * 1_000) return { valid: false, reason: 'expired' }
  return { valid: true, payload: signed.subarray(HEAD_BYTES).toString() }
}

function mac(signed: Uint8Array, secret: string): Buffer {
  assert(Buffer.byteLength(secret) >= SECRET_BYTES_MIN, `the secret of links has at least ${SECRET_BYTES_MIN} bytes`)
  // Named, so that nothing else that is signed with the same secret passes for a link.
  return createHmac('sha256', secret).update('tracking-link\n').update(signed).digest().subarray(0, MAC_BYTES)
}
