/**
 * SMS over HTTP in the shape of Twilio's Messages resource (POST /2010-04-01/Accounts/{Sid}/Messages.json), which other
 * gateways speak too. The key goes along as an idempotency key, for gateways that honour one, and in the address of the
 * status callback, so that a report leads back to the message.
 */
import { z } from 'zod'
import { assert } from '../../../engine/assert.js'
import { undici } from '../../lazy-libraries.js'
import { assertSendable, type Message, type Provider, SendError, type Sent } from '../provider.js'
import { sendErrorOf } from './twilio-error.js'

export interface TwilioSettings {
  accountSid: string
  authToken: string
  /** Without a path. https, except for a server on this machine. */
  baseUrl?: string
  /** Our public address for status callbacks; the key is added as `key`. */
  statusCallbackUrl?: string
  /** A pool of senders at the provider, instead of each message's `from`. */
  messagingServiceSid?: string
  requestMsMax?: number
}

const BASE_URL = 'https://api.twilio.com'
const CONNECTIONS_MAX = 10
/** Requests that may be under way or wait: more are refused, to be tried again. */
const REQUESTS_MAX = 1_000
const REQUEST_MS_MAX = 20_000
/** An answer is about 1 KB. */
const ANSWER_BYTES_MAX = 65_536

const created = z.object({ sid: z.string().min(1).max(100) })

export function twilioProvider(settings: TwilioSettings): Provider {
  const { accountSid, authToken, requestMsMax = REQUEST_MS_MAX } = settings
  const base = checkedUrl(settings.baseUrl ?? BASE_URL)
  assert(/^[\w-]{1,100}$/.test(accountSid), 'an account SID has only letters, digits, _ and -')
  const url = new URL(`/2010-04-01/Accounts/${accountSid}/Messages.json`, base)
  const callback = settings.statusCallbackUrl === undefined ? undefined : checkedUrl(settings.statusCallbackUrl)
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`
  const { Agent, request } = undici()
  const agent = new Agent({
    connections: CONNECTIONS_MAX,
    connect: { timeout: requestMsMax },
    headersTimeout: requestMsMax,
    bodyTimeout: requestMsMax,
    maxResponseSize: ANSWER_BYTES_MAX,
  })
  let underWay = 0
  let closing: Promise<void> | undefined

  async function deliver(message: Message, key: string): Promise<Sent> {
    assertSendable(message, key, ['sms'])
    // The line above refuses every other medium.
    assert(message.medium === 'sms', 'only SMS is left')
    const form = new URLSearchParams({ To: message.to, Body: message.text })
    if (settings.messagingServiceSid === undefined) form.set('From', message.from)
    else form.set('MessagingServiceSid', settings.messagingServiceSid)
    if (callback) form.set('StatusCallback', callbackFor(callback, key))
    const { statusCode, headers, text } = await post(form, key)
    const answer = parsedJson(text)
    if (statusCode < 200 || statusCode > 299) throw sendErrorOf(statusCode, headers['retry-after'], answer)
    const message_ = created.safeParse(answer)
    // It was taken, and to send it again would send it twice; only its id is not known.
    return { providerId: message_.success ? message_.data.sid : '' }
  }

  async function post(form: URLSearchParams, key: string) {
    try {
      const { statusCode, headers, body } = await request(url, {
        method: 'POST',
        dispatcher: agent,
        signal: AbortSignal.timeout(requestMsMax),
        headers: {
          authorization,
          'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
          accept: 'application/json',
          'idempotency-key': key,
        },
        body: form.toString(),
      })
      return { statusCode, headers, text: await body.text() }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new SendError('unreachable', `The SMS gateway gave no answer: ${reason}`, {
        permanent: false,
        cause: error,
      })
    }
  }

  return {
    media: ['sms'],
    async send(message, key) {
      if (closing) throw new SendError('unreachable', 'The SMS provider is closed.', { permanent: false })
      if (underWay >= REQUESTS_MAX) {
        throw new SendError('overloaded', `${REQUESTS_MAX} SMS are under way already.`, { permanent: false })
      }
      underWay += 1
      try {
        return await deliver(message, key)
      } finally {
        underWay -= 1
      }
    },
    async close() {
      closing ??= agent.close()
      await closing
    },
  }
}

/** Credentials and phone numbers do not go over a network in the clear. */
function checkedUrl(text: string): URL {
  const url = new URL(text)
  const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
  assert(url.protocol === 'https:' || (isHere && url.protocol === 'http:'), `${url.origin} is reached by https`)
  return url
}

function callbackFor(callback: URL, key: string): string {
  const url = new URL(callback)
  url.searchParams.set('key', key)
  return url.href
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
