/** What all shops’ signatures have in common: bytes, a shared secret and a comparison that takes the same time either way. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** Whether the text is the base64 HMAC-SHA256 of the bytes. An empty secret signs nothing. */
export function isHmacOf(body: Uint8Array, secret: string, signature: string | undefined): boolean {
  if (secret === '' || signature === undefined) return false
  const expected = Buffer.from(createHmac('sha256', secret).update(body).digest('base64'))
  const given = Buffer.from(signature)
  return expected.length === given.length && timingSafeEqual(expected, given)
}

/** Whether two secrets are the same; their digests are compared, so that not even the length shows. */
export function isSameSecret(secret: string, given: string | undefined): boolean {
  if (secret === '' || given === undefined) return false
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(secret), digest(given))
}

/** A delivery id as a header has it; what is no sensible id is none, and the delivery is then known by what it says. */
export const headerId = (id: string | undefined): string | undefined =>
  id !== undefined && /^[\x21-\x7e]{1,200}$/.test(id) ? id : undefined
