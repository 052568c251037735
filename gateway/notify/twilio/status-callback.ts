/**
 * What the gateway says later of an SMS that it took: a form posted to our status callback, signed in X-Twilio-Signature.
 * The signature is the base64 of HMAC-SHA1, keyed with the auth token, over the full address and the fields sorted by name,
 * each as name and value without anything between (Twilio, "Validating requests").
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { DeliveryFailure } from '../suppression.js'

export interface SmsStatus {
  providerId: string
  /** Of our own, from the callback's address; undefined where it has none. */
  key?: string
  /** `sent`: to the carrier. `delivered`: as far as the carrier says. */
  status: 'underway' | 'sent' | 'delivered' | 'failed'
  /** Only of `failed`. */
  failure?: DeliveryFailure & { address: string }
}

export type ReadStatus = { ok: true; status: SmsStatus } | { ok: false; reason: 'too_large' | 'forged' | 'malformed' }

/** A callback is about 300 bytes. */
const BODY_BYTES_MAX = 16_384
const FIELDS_MAX = 100

const STATUSES: Readonly<Record<string, SmsStatus['status']>> = {
  accepted: 'underway',
  scheduled: 'underway',
  queued: 'underway',
  sending: 'underway',
  sent: 'sent',
  delivered: 'delivered',
  read: 'delivered',
  undelivered: 'failed',
  failed: 'failed',
  canceled: 'failed',
}

/** Unknown or dead number, fixed line. */
const DEAD_NUMBER = new Set(['30005', '30006', '21211', '21214', '21217', '21614'])

/**
 * `url`: as the gateway was told it, with its query; behind a proxy that is our public address and not the request's.
 * `signature`: the header; `body`: the form as it came.
 */
export function readStatusCallback(
  url: string,
  body: string,
  signature: string | undefined,
  authToken: string,
): ReadStatus {
  if (Buffer.byteLength(body) > BODY_BYTES_MAX || url.length > BODY_BYTES_MAX) return { ok: false, reason: 'too_large' }
  const fields = new URLSearchParams(body)
  if (fields.size > FIELDS_MAX) return { ok: false, reason: 'too_large' }
  if (!isSigned(url, fields, signature, authToken)) return { ok: false, reason: 'forged' }
  const providerId = fields.get('MessageSid') ?? fields.get('SmsSid')
  const word = fields.get('MessageStatus') ?? fields.get('SmsStatus') ?? ''
  const status = Object.hasOwn(STATUSES, word) ? STATUSES[word] : undefined
  if (!providerId || !status) return { ok: false, reason: 'malformed' }
  const key = URL.canParse(url) ? new URL(url).searchParams.get('key') : null
  return {
    ok: true,
    status: {
      providerId,
      ...(key === null ? {} : { key }),
      status,
      ...(status === 'failed' ? { failure: failureOf(fields, word) } : {}),
    },
  }
}

function failureOf(fields: URLSearchParams, word: string): DeliveryFailure & { address: string } {
  const code = fields.get('ErrorCode') ?? ''
  return {
    kind: 'bounce',
    address: fields.get('To') ?? '',
    permanent: DEAD_NUMBER.has(code),
    reason: code === '' ? word : `${word}, error ${code}`,
  }
}

function isSigned(url: string, fields: URLSearchParams, signature: string | undefined, authToken: string): boolean {
  if (signature === undefined || authToken === '') return false
  const names = [...new Set(fields.keys())].sort()
  // A field that comes several times counts once for each of its values.
  const text = names.flatMap((name) => [...new Set(fields.getAll(name))].sort().map((value) => name + value)).join('')
  // As text: of base64, several texts are the same bytes.
  const wanted = Buffer.from(
    createHmac('sha1', authToken)
      .update(url + text)
      .digest('base64'),
  )
  const given = Buffer.from(signature)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
