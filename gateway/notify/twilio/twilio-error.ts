/** What the gateway's answer means for the message: whether to try again, and whether the number is to blame. */
import { z } from 'zod'
import { SendError, type SendErrorCode } from '../provider.js'

/** Twilio's own error codes, from its list of errors and warnings. */
const CODES: Readonly<Record<number, SendErrorCode>> = {
  20003: 'misconfigured',
  21211: 'bad_address',
  21214: 'bad_address',
  21217: 'bad_address',
  21408: 'misconfigured',
  21606: 'misconfigured',
  21610: 'unsubscribed',
  21614: 'bad_address',
}

const problem = z.object({ code: z.number().optional().catch(undefined), message: z.string().catch('') })

/** 429 and 5xx, and 408, which asks for it, are tried again; every other answer is final. */
export function sendErrorOf(status: number, retryAfter: string | string[] | undefined, answer: unknown): SendError {
  const { code, message } = problem.catch({ message: '' }).parse(answer)
  const detail = `The SMS gateway answered ${status}${code === undefined ? '' : ` (${code})`}: ${message.slice(0, 500) || 'no reason given'}`
  if (status === 429 || status === 408 || status >= 500) {
    const retryAfterMs = waitMs(retryAfter)
    return new SendError(status === 429 || status === 503 ? 'overloaded' : 'unreachable', detail, {
      permanent: false,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    })
  }
  const isAccount = status === 401 || status === 403 || status === 404
  const known = code === undefined ? undefined : CODES[code]
  return new SendError(known ?? (isAccount ? 'misconfigured' : 'refused'), detail, { permanent: true })
}

/** A day: what asks for longer is a mistake, and the owner's own limit comes first. */
const WAIT_MS_MAX = 86_400_000

/** Retry-After in seconds (RFC 9110, 10.2.3); a date is left to the caller's own pace, since it needs our clocks to agree. */
function waitMs(retryAfter: string | string[] | undefined): number | undefined {
  if (typeof retryAfter !== 'string' || !/^\d{1,9}$/.test(retryAfter)) return undefined
  return Math.min(Number(retryAfter) * 1_000, WAIT_MS_MAX)
}
